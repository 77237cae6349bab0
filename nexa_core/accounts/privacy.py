"""A person's rights over their data: all of it as a file, and its erasure, counted before and certified after."""

from __future__ import annotations

import datetime as dt
import html
import io
import json
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Function, Text, cast, func, select, text
from sqlalchemy.orm import Session

from nexa_core import audit
from nexa_core.accounts.directory import PersonView, person
from nexa_core.accounts.models import User
from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.audit.models import AuditLog
from nexa_core.db import reading, recording
from nexa_core.errors import Conflict, Invalid
from nexa_core.permissions import Permission

# Which columns point at people, asked of the catalogue: a new table is exported without being named here. Two tables
# know a person by their address alone. Columns the transaction's role may not read are secrets, as the link in a mail
# can be, and organizations belong to themselves.
_REFERENCES = text("""
    SELECT c.relname AS place, a.attname AS pointer, a.atttypid = 'uuid'::regtype AS by_id, (
        SELECT string_agg(quote_ident(r.attname), ', ' ORDER BY r.attnum) FROM pg_attribute r
        WHERE r.attrelid = c.oid AND r.attnum > 0 AND NOT r.attisdropped
          AND has_column_privilege(c.oid, r.attnum, 'SELECT')
          AND (c.relname <> 'organizations' OR r.attname IN ('id', 'name', 'slug'))
          AND (c.relname, r.attname) NOT IN (('audit_logs', 'salt'), ('outbox_messages', 'link'))
    ) AS readable
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE NOT c.relispartition AND EXISTS (
        SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid = 'users'::regclass
            AND k.conkey = ARRAY[a.attnum]
    ) OR (c.oid, a.attname) IN (('domain_sign_ups'::regclass, 'email'), ('outbox_messages'::regclass, 'recipient'))
    ORDER BY 1, 2
""")
_MEANINGS = {
    "ai_architecture_sessions": "Architecture sessions the person wrote, with their documents",
    "audit_logs": "What the person did, and what was done to their account",
    "domain_sign_ups": "Links asked for with the person's address, to join by its domain",
    "former_members": "Organizations the person was removed from",
    "organization_domains": "Domains the person accepted",
    "organization_memberships": "Organizations the person belongs to, and whom they invited",
    "organizations": "Customers the person manages",
    "outbox_messages": "Mails to the person, without their texts and links",
    "session_marks": "Sessions the person opened or pinned, and why they opened a customer's",
    "session_presence": "Sessions the person had open lately",
    "session_revisions": "Earlier states of architecture sessions the person saved",
    "session_saves": "When the person saved sessions, and what stood there before",
    "session_views": "Filters of sessions the person keeps under a name",
    "share_links": "Links to sessions the person made",
    "usage_events": "What the person used",
    "user_sessions": "Where the person was signed in",
    "users": "The account",
    "viewings": "When an admin looked with this person's eyes, or the person with another's",
}


@dataclass(frozen=True, slots=True)
class ErasedWord:
    """An address or a name the person ever had, and how many texts and entries of the log hold it.

    An address is looked for everywhere, a name in the organizations the person belongs or belonged to.
    """

    word: str
    is_name: bool
    texts: int
    entries: int


@dataclass(frozen=True, slots=True)
class ErasureReport:
    """What erasing somebody would do. ``texts`` counts rows by column that name the person; ``blockers`` forbid it.

    ``words`` are those that were found; ``archives`` the files of expired entries that keep what they hold.
    """

    memberships: int
    sign_ins: int
    mail: int
    audit_entries: int
    texts: Mapping[str, int]
    sessions_kept: int
    credits: int
    blockers: tuple[str, ...]
    words: tuple[ErasedWord, ...]
    archives: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ErasureCertificate:
    """That a person was erased: its number, when, on whose order, what was done and that nothing was left.

    ``remaining`` counts places that still name the person, in every column of text there is; ``credits`` is what all
    organizations have used, the same before and after. ``names_kept`` names were not looked for, because whoever erased
    took them for somebody else's; ``kept`` counts by column where they were left. ``archives`` are the files of entries
    that left the log before, which keep what they hold. ``one_word`` counts places where a name of theirs of a single
    word stands, which is anybody's and was left to who wrote it.
    """

    number: UUID
    person: UUID
    erased_at: dt.datetime
    memberships: int
    sign_ins: int
    mail: int
    audit_entries: int
    texts: int
    remaining: int
    one_word: int
    credits: int
    names_kept: int
    kept: Mapping[str, int]
    archives: tuple[str, ...]


def export_person(actor: Actor, *, user_id: UUID, reason: str) -> bytes:
    """Everything about a person as a ZIP of JSON files with a page that says what is where. Secrets are left out.

    Raises Forbidden without USERS_MANAGE, Invalid without a reason, NotFound.
    """
    actor.require(Permission.USERS_MANAGE)
    with recording(actor, Action.USER_EXPORTED, reason=_reason(reason)) as db:
        user = db.get_one(User, user_id)
        files = _everything(db, user_id, user.email)
        audit.note(db, "user", user_id, {"files": len(files)})
        return _zipped(user.full_name or user.email, files)


def plan_erasure(actor: Actor, *, user_id: UUID) -> ErasureReport:
    """What erasing somebody would do and what stands in its way; nothing is changed. Raises Forbidden, NotFound."""
    actor.require(Permission.USERS_MANAGE)
    found = person(actor, user_id=user_id)
    with reading(actor) as db:
        counted = db.execute(select(_erasing(user_id, dry=True))).scalar_one()
    return ErasureReport(
        memberships=counted["memberships"],
        sign_ins=counted["sign_ins"],
        mail=counted["mail"],
        audit_entries=counted["audit_entries"],
        texts=counted["texts"],
        sessions_kept=found.sessions_written,
        credits=int(counted["credits"]),
        blockers=_blockers(actor, found),
        words=tuple(ErasedWord(**word) for word in counted["words"]),
        archives=tuple(counted["archives"]),
    )


def erase_person(
    actor: Actor, *, user_id: UUID, email: str, reason: str, keep_names: Collection[str] = ()
) -> ErasureCertificate:
    """Remove a person from the database for good; ``email`` is typed to confirm whom.

    ``keep_names`` are names the person had that are not theirs alone, as ``plan_erasure`` writes them: a company, a
    product. They stay where they stand, outside the person's own records.

    What they wrote stays with its organizations, without their name; what was used stays counted; the log keeps that
    something happened, not what. The address can register anew. Raises Forbidden without USERS_MANAGE, Invalid for
    another address or no reason, Conflict for who cannot be erased.
    """
    actor.require(Permission.USERS_MANAGE)
    found = person(actor, user_id=user_id)
    if blockers := _blockers(actor, found):
        raise Conflict(" ".join(blockers))
    if email.strip().lower() != found.email:
        raise Invalid("The address you typed is not this person's.", field="email")
    with recording(actor, Action.USER_ERASED, reason=_reason(reason)) as db:
        db.execute(select(User.id).where(User.id == user_id).with_for_update())
        db.execute(select(_erasing(user_id, dry=False, keep_names=keep_names))).scalar_one()
    return certificate(actor, user_id=user_id)


def certificate(actor: Actor, *, user_id: UUID) -> ErasureCertificate:
    """The certificate of somebody who was erased, read from the audit log. Raises NotFound for who was not."""
    actor.require(Permission.USERS_MANAGE)
    with reading(actor) as db:
        entry = db.scalars(
            select(AuditLog)
            .where(AuditLog.action == Action.USER_ERASED, AuditLog.resource_id == user_id)
            .where(AuditLog.new_values["certificate"].is_not(None))
            .order_by(AuditLog.created_at)
            .limit(1)
        ).one()
    said = (entry.new_values or {})["certificate"]
    return ErasureCertificate(
        number=entry.id,
        person=user_id,
        erased_at=entry.created_at,
        memberships=said["memberships"],
        sign_ins=said["sign_ins"],
        mail=said["mail"],
        audit_entries=said["audit_entries"],
        texts=sum(said["texts"].values()),
        remaining=said["remaining"],
        one_word=said.get("one_word", 0),  # certificates of before did not count them
        credits=int(said["credits"]),
        names_kept=said.get("left", {}).get("names", 0),  # erasures before there was a choice left none
        kept=said.get("left", {}).get("places", {}),
        archives=tuple(said.get("archives", ())),
    )


def _erasing(user_id: UUID, *, dry: bool, keep_names: Collection[str] = ()) -> Function[Any]:
    return func.nexa.erase_person(user_id, dry, cast(list(keep_names), ARRAY(Text)))


def _blockers(actor: Actor, found: PersonView) -> tuple[str, ...]:
    blockers = []
    if found.erased_at is not None:
        blockers.append("This person was erased already.")
    if found.id == actor.user_id:
        blockers.append("You cannot erase yourself.")
    blockers += [f"{name} has no other owner; transfer the ownership first." for name in found.owned_alone]
    return tuple(blockers)


def _everything(db: Session, user_id: UUID, email: str) -> dict[str, list[dict[str, Any]]]:
    """Rows by table: the person's own, and those that point at the person or at their address."""
    files: dict[str, list[dict[str, Any]]] = {}
    own = "SELECT to_jsonb(x) FROM (SELECT {columns} FROM users WHERE id = :person) x"
    columns = ", ".join(c.name for c in User.__table__.columns if c.name != "password_hash")
    files["users"] = [row[0] for row in db.execute(text(own.format(columns=columns)), {"person": user_id})]
    wanted: dict[str, tuple[str, list[str]]] = {}
    for place, pointer, by_id, readable in db.execute(_REFERENCES):
        if readable:
            pointing = f"{pointer} = :person" if by_id else f"lower({pointer}) = :email"
            wanted.setdefault(place, (readable, []))[1].append(pointing)
    for place, (readable, pointers) in wanted.items():
        if place == "audit_logs":
            pointers.append("resource_id = :person")
        rows = text(f"SELECT to_jsonb(x) FROM (SELECT {readable} FROM {place} WHERE {' OR '.join(pointers)}) x")
        files[place] = [row[0] for row in db.execute(rows, {"person": user_id, "email": email})]
    return files


def _zipped(name: str, files: Mapping[str, list[dict[str, Any]]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, rows in files.items():
            archive.writestr(f"{place}.json", json.dumps(rows, indent=2, ensure_ascii=False, default=str))
        archive.writestr("index.html", _index(name, files))
    return buffer.getvalue()


def _index(name: str, files: Mapping[str, list[dict[str, Any]]]) -> str:
    lines = "".join(
        f'<tr><td><a href="{place}.json">{place}.json</a></td><td>{len(rows):,}</td>'
        f"<td>{html.escape(_MEANINGS.get(place, place.replace('_', ' ').capitalize()))}</td></tr>"
        for place, rows in files.items()
    )
    made = dt.datetime.now(dt.UTC).strftime("%d %B %Y, %H:%M UTC")
    account = "".join(
        f"<tr><td>{html.escape(key.replace('_', ' '))}</td><td>{html.escape(str(value))}</td></tr>"
        for key, value in (files["users"][0] if files["users"] else {}).items()
        if value not in (None, "", {}, [])
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Data of a person</title>'
        "<style>body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
        "td,th{text-align:left;padding:.25rem 1rem .25rem 0;vertical-align:top;border-bottom:1px solid #ccc}</style>"
        f"<h1>Everything NEXA holds about {html.escape(name)}</h1><p>Made on {made}. Passwords and tokens are kept as "
        "hashes only and are left out. Each file is JSON, a list of records.</p>"
        f"<h2>Files</h2><table><tr><th>File</th><th>Records</th><th>What it is</th></tr>{lines}</table>"
        f"<h2>The account</h2><table>{account}</table></html>"
    )


def _reason(reason: str) -> str:
    if not (reason := reason.strip()):
        raise Invalid("Please say why; the reason is kept in the audit log.", field="reason")
    return reason[:1000]
