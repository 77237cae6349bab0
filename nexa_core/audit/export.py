"""The log as a file an outsider can verify: entries with their links and salts, heads, seals and stubs.

``docs/verify_audit_export.py`` reads what is written here. PostgreSQL writes the lines (COPY), a stretch of a chain at
a time: neither side ever holds more than that in memory, however long the chain is.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
from collections.abc import Generator, Hashable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol
from uuid import UUID

import psycopg
from sqlalchemy import column, select, table, text
from sqlalchemy.orm import Session

from nexa_core.actions import Action
from nexa_core.actor import Actor, Scope
from nexa_core.audit import export_sql
from nexa_core.audit.filters import STAFF_DID, Filters
from nexa_core.audit.models import AuditArchive, AuditHead, AuditSeal
from nexa_core.audit.seals import NO_ORGANIZATION, seal_keys
from nexa_core.audit.service import note, note_in_each
from nexa_core.db import reading, recording
from nexa_core.errors import Invalid, NotFound
from nexa_core.permissions import Permission
from nexa_core.slots import Slots

FORMATS = ("ndjson", "csv")
#: Each export keeps a connection for as long as its reader takes.
AT_ONCE = 2
#: Links read in one stretch.
STRETCH = 20_000
#: What the first link of a chain goes on from.
NO_LINK = hashlib.sha256(b"nexa audit chain").digest()
_CHUNK_BYTES = 1 << 16
_FIRST_DIGITS = 8

_organizations = table("organizations", column("id"), column("name"))
_slots = Slots(
    AT_ONCE, "Other exports of the audit log are being written; try again when they are done.", retry_after=60
)


@dataclass(frozen=True, slots=True)
class ExportFilter:
    """Which entries; all of the organizations the actor may see unless narrowed. ``until`` is exclusive.

    ``staff_kind`` is one of STAFF_DID: what the platform's own people did, of one kind. ``request`` is the first eight
    digits of a request's id. ``about_person`` is what they did, what was done to them and to their memberships.
    """

    organization_id: UUID | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    action: str | None = None
    user_id: UUID | None = None
    resource_type: str | None = None
    resource_id: UUID | None = None
    request_id: UUID | None = None
    request: str | None = None
    address: str | None = None
    text: str | None = None
    about_person: UUID | None = None
    about_thing: UUID | None = None
    staff_only: bool = False
    staff_kind: str | None = None

    @classmethod
    def of(cls, filters: Filters, *, staff_kind: str | None = None) -> ExportFilter:
        """What the log's screen shows with these filters. Raises NotFound for two organizations at once."""
        organization, person, thing = filters.organization, None, None
        if filters.about and filters.about.resource_type == "organization":
            if organization not in (None, filters.about.resource_id):
                raise NotFound("Nothing is in two organizations at once.")
            organization = filters.about.resource_id
        elif filters.about:
            is_person = filters.about.resource_type == "user"
            person, thing = (filters.about.resource_id, None) if is_person else (None, filters.about.resource_id)
        is_whole = filters.request is not None and len(filters.request) > _FIRST_DIGITS
        return cls(
            organization_id=organization,
            since=filters.since,
            until=filters.until,
            action=filters.action,
            user_id=filters.person,
            resource_type=filters.resource_type,
            resource_id=filters.resource,
            request_id=UUID(filters.request) if filters.request and is_whole else None,
            request=None if is_whole else filters.request,
            address=filters.address,
            text=filters.text,
            about_person=person,
            about_thing=thing,
            staff_only=filters.staff,
            staff_kind=staff_kind,
        )

    @property
    def conditions(self) -> dict[str, Any]:
        """What leaves entries of a chain out, by name."""
        given = asdict(self)
        del given["organization_id"]
        if kind := given.pop("staff_kind"):
            given[f"staff_{kind}"] = True
        return {name: value for name, value in given.items() if value not in (None, False)}


def export_entries(
    actor: Actor, *, file_format: str, only: ExportFilter | None = None, reason: str | None = None
) -> Generator[bytes]:
    """The log as NDJSON or CSV in pieces, itself recorded before the first of them, with the reason.

    Raises Forbidden without AUDIT_READ, or STAFF_ACCESS_READ where only what the platform's people did is asked for,
    NotFound for a stranger's organization, Invalid for another format, times without a time zone, an unknown kind or
    action, and without a reason from one of the platform's people, LimitExceeded while another of the organization, or
    too many others, are being written.
    """
    only = only or ExportFilter()
    actor.require(Permission.STAFF_ACCESS_READ if only.staff_only or only.staff_kind else Permission.AUDIT_READ)
    if file_format not in FORMATS:
        raise Invalid("The audit log is exported as ndjson or csv.", field="format")
    Filters.parse({"action": only.action, "address": only.address})  # what there is not is refused, not found nowhere
    for at in (only.since, only.until):
        if at is not None and at.utcoffset() is None:
            raise Invalid("A time needs a time zone.", field="since" if at is only.since else "until")
    reason = " ".join((reason or "").split())[:500] or None
    if actor.is_staff and actor.user_id is not None and reason is None:
        raise Invalid("Please say why; every customer whose log it is can read it.", field="reason")
    if only.staff_kind is not None and only.staff_kind not in STAFF_DID:
        raise Invalid("There is no such kind of access.", field="staff_kind")
    chain_id = only.organization_id
    if actor.scope is Scope.TENANT:
        if chain_id not in (None, actor.organization_id):
            raise NotFound("There is no such organization.")
        chain_id = actor.organization_id
    pieces = _pieces(actor, file_format, only, chain_id, reason, _slots.take(actor))
    next(pieces)  # everything that can be refused is refused now, before an answer has begun
    return pieces


def _pieces(
    actor: Actor, file_format: str, only: ExportFilter, chain_id: UUID | None, reason: str | None, slot: Hashable
) -> Generator[bytes]:
    try:
        given = {name: str(value) for name, value in only.conditions.items()}
        with reading(actor) as db:
            chains = _chains(db, chain_id)
            begun = set(db.scalars(select(AuditHead.chain_id)))
        with recording(actor, Action.AUDIT_EXPORTED, reason=reason) as db:
            values = {"format": file_format, **given}
            # A note would begin a chain anew that is gone, and nobody would miss it any more.
            whose = [chain_id] if chain_id else sorted(begun & set(chains) - {NO_ORGANIZATION})
            note_in_each(db, "audit_log", whose, values)
            if chain_id is None:
                note(db, "audit_log", None, values)
        yield b""
        with reading(actor) as db:
            yield from File(db, file_format).write(chains, only)
    finally:
        _slots.free(slot)


# Those too that are gone or have no head: the verifier says so.
_EVERY_CHAIN = text("SELECT chain_id FROM nexa.audit_chains() ORDER BY chain_id")


def _chains(db: Session, chain_id: UUID | None) -> list[UUID]:
    if chain_id is not None and db.scalar(select(_organizations.c.id).where(_organizations.c.id == chain_id)) is None:
        raise NotFound("There is no such organization.")
    return [chain_id] if chain_id else list(db.scalars(_EVERY_CHAIN))


class _Writer(Protocol):
    def record(self, values: dict[str, Any]) -> bytes: ...

    def entries(self, *, filtered: str | None) -> str: ...


@dataclass(slots=True)
class File:
    """One file being written: counts its entries and digests its bytes, so that a cut one is noticed."""

    db: Session
    file_format: str
    digest: Any = field(default_factory=hashlib.sha256)
    written: int = 0

    def write(self, chains: list[UUID], only: ExportFilter, *, upto: int | None = None) -> Iterator[bytes]:
        """The whole file in pieces; ``upto`` ends the chain at that link."""
        writer: _Writer = _Csv() if self.file_format == "csv" else _Ndjson()
        # No entry expires while it is being exported; the settings are this transaction's.
        self.db.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": EXPIRY_LOCK})
        self.db.execute(text("SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = ISO; SET LOCAL work_mem = '32MB'"))
        about = {
            "format": 1,
            "keys": {key.kid: key.key for key in seal_keys()},
            "filter": {name: str(value) for name, value in only.conditions.items()},
            "organization": str(only.organization_id) if only.organization_id else None,
        }
        first_line = {"record": "export", "at": dt.datetime.now(dt.UTC).isoformat(), "note": about}
        yield self._passed(writer.record(first_line))
        for chain_id in chains:
            yield from self._chain(writer, chain_id, only, upto)
        yield writer.record({"record": "end", "sequence": self.written, "hash": self.digest.hexdigest()})

    def _chain(self, writer: _Writer, chain_id: UUID, only: ExportFilter, upto: int | None) -> Iterator[bytes]:
        # The seals before the head: one that is beyond it then was not made meanwhile, but shows that the tail was cut.
        seals = select(AuditSeal).where(AuditSeal.chain_id == chain_id).order_by(AuditSeal.sequence)
        sealed = [
            _seal(seal) for seal in self.db.scalars(seals if upto is None else seals.where(AuditSeal.sequence <= upto))
        ]
        first, last, last_hash = 1, *self._end(chain_id, upto)
        name = self.db.scalar(select(_organizations.c.name).where(_organizations.c.id == chain_id))
        about = {"organization": name} if chain_id != NO_ORGANIZATION else {}
        before = [{"record": "chain", "sequence": last, "hash": last_hash.hex(), "note": about}]
        stubs = select(AuditArchive).where(AuditArchive.chain_id == chain_id, AuditArchive.expired_at.is_not(None))
        for stub in self.db.scalars(stubs.order_by(AuditArchive.last_sequence)):
            before.append(_stub(stub))
            first = stub.last_sequence + 1
        for values in (*before, *sealed):
            yield self._passed(writer.record({**values, "chain": str(chain_id)}))
        conditions = only.conditions
        statement = writer.entries(filtered=export_sql.where(conditions) if conditions else None)
        raw = self.db.connection().connection.driver_connection
        assert isinstance(raw, psycopg.Connection)
        for low in range(first, last + 1, STRETCH):
            values = {"chain": chain_id, "low": low, "high": min(low + STRETCH - 1, last), **conditions}
            yield from self._copied(raw, statement, values)

    def _end(self, chain_id: UUID, upto: int | None) -> tuple[int, bytes]:
        """The last link that is written, which is the head unless ``upto`` says otherwise; 0 where there is none."""
        if upto is None:
            head = self.db.get(AuditHead, chain_id, populate_existing=True)
            return (head.sequence, head.hash) if head else (0, NO_LINK)
        ends = text("SELECT hash FROM audit_chain WHERE chain_id = :chain AND sequence = :upto")
        return upto, bytes(self.db.scalars(ends, {"chain": chain_id, "upto": upto}).one())

    def _copied(self, raw: psycopg.Connection, statement: str, values: dict[str, Any]) -> Iterator[bytes]:
        waiting, size = [], 0
        with raw.cursor() as cursor, cursor.copy(statement.encode(), values) as copy:
            for row in copy:
                self.written += 1
                waiting.append(row)
                size += len(row)
                if size >= _CHUNK_BYTES:
                    yield self._passed(b"".join(waiting))
                    waiting, size = [], 0
        if waiting:
            yield self._passed(b"".join(waiting))

    def _passed(self, piece: bytes) -> bytes:
        self.digest.update(piece)
        return piece


class _Ndjson:
    """One JSON object a line."""

    def record(self, values: dict[str, Any]) -> bytes:
        return (json.dumps(values, ensure_ascii=False) + "\n").encode()

    def entries(self, *, filtered: str | None) -> str:
        return export_sql.ndjson(filtered)


class _Csv:
    """Every record a row of the same columns; a cell a spreadsheet would take for a formula begins with '."""

    def __init__(self) -> None:
        self._is_first = True

    def record(self, values: dict[str, Any]) -> bytes:
        lines = io.StringIO()
        rows = csv.writer(lines, lineterminator="\n")
        if self._is_first:
            rows.writerow(export_sql.COLUMNS)
            self._is_first = False
        cells = (values.get(name) for name in export_sql.COLUMNS)
        rows.writerow(json.dumps(cell, ensure_ascii=False) if isinstance(cell, dict) else cell for cell in cells)
        return lines.getvalue().encode()

    def entries(self, *, filtered: str | None) -> str:
        return export_sql.csv(filtered)


#: Held shared by whoever exports, exclusively by whoever lets entries expire.
EXPIRY_LOCK = 0x6E657863


def _seal(seal: AuditSeal) -> dict[str, Any]:
    return {
        "record": "seal",
        "sequence": seal.sequence,
        "at": seal.sealed_at.astimezone(dt.UTC).isoformat(),
        "previous": seal.previous.hex() if seal.previous is not None else None,
        "hash": seal.hash.hex(),
        "kid": seal.kid,
        "signature": seal.signature.hex(),
    }


def _stub(archive: AuditArchive) -> dict[str, Any]:
    return {
        "record": "archive",
        "sequence": archive.last_sequence,
        "at": archive.archived_at.astimezone(dt.UTC).isoformat(),
        "hash": archive.last_hash.hex(),
        "kid": archive.kid,
        "signature": archive.signature.hex(),
        "note": {"first": archive.first_sequence, "digest": archive.digest.hex()},
    }
