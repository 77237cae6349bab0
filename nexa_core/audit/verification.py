"""Walk the chains and remember what was found, so that a screen can say "verified to 12:00, 48,211 entries"."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Select, column, func, nulls_first, or_, select, table, text, union
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import Session

from nexa_core.actor import Actor, Scope
from nexa_core.audit.agreed import is_as_agreed
from nexa_core.audit.models import AuditHead, AuditSeal, AuditVerification
from nexa_core.audit.seals import NO_ORGANIZATION, signature_faults
from nexa_core.db import metering, reading
from nexa_core.errors import Conflict, NotFound
from nexa_core.permissions import Permission

#: A chain that has not grown is walked again after this long, so that what changed behind NEXA's back is noticed.
WALK_AGAIN = dt.timedelta(hours=24)
NOT_AS_AGREED = "the retention or legal hold is another than the log says"
_FAULTS_NAMED = 10
_MOST_FAULTS = 1000

_organizations = table("organizations", column("id"), column("name"))
_chains = (
    func.nexa.audit_chains()
    .table_valued(column("chain_id", PG_UUID(as_uuid=True)), column("entries", BigInteger))
    .alias("chains")
)


_TOTALS = text("""
    SELECT count(*), count(*) FILTER (WHERE v.faults > 0), coalesce(sum(h.sequence), 0)::bigint,
           coalesce(sum(v.sequence), 0)::bigint,
           coalesce(sum(least(v.sequence, coalesce(h.sequence, 0))) FILTER (WHERE v.faults = 0), 0)::bigint,
           coalesce(sum(least(coalesce(s.sequence, 0), coalesce(h.sequence, 0))), 0)::bigint,
           min(v.verified_at), max(s.sealed_at)
    FROM audit_heads h
    FULL JOIN audit_verifications v ON v.chain_id = h.chain_id
    LEFT JOIN LATERAL (SELECT sequence, sealed_at FROM audit_seals WHERE chain_id = coalesce(h.chain_id, v.chain_id)
        ORDER BY sequence DESC LIMIT 1) s ON true
""")


# How far a chain goes, and how far it went when it was last verified, sealed or archived.
_LENGTH = text("""
    SELECT coalesce((SELECT sequence FROM audit_heads WHERE chain_id = :chain), 0),
           coalesce(greatest((SELECT sequence FROM audit_verifications WHERE chain_id = :chain),
                             (SELECT max(sequence) FROM audit_seals WHERE chain_id = :chain),
                             (SELECT max(last_sequence) FROM audit_archives WHERE chain_id = :chain)), 0)
""")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a chain; ``sequence`` is its link where there is one."""

    chain_id: UUID
    organization_name: str | None
    sequence: int | None
    entry_id: UUID | None
    what: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What a walk found: how many chains and entries it passed, and the first faults of each."""

    chains: int
    entries: int
    faults: tuple[Fault, ...]
    at: dt.datetime

    @property
    def verified(self) -> bool:
        return not self.faults


@dataclass(frozen=True, slots=True)
class ChainState:
    """One chain: how long it is, how far and when it was last verified and sealed, and what was wrong then.

    ``organization_name`` is None for the chain of what belongs to no organization.
    """

    chain_id: UUID
    organization_name: str | None
    entries: int
    verified_entries: int | None
    verified_at: dt.datetime | None
    faults: int
    first_fault: str | None
    sealed_entries: int | None
    sealed_at: dt.datetime | None

    @property
    def verified(self) -> bool:
        return self.verified_at is not None and not self.faults


@dataclass(frozen=True, slots=True)
class ChainTotals:
    """All chains the actor may know of, together.

    Entries are verified where the last walk found no fault; ``verified_at`` is that of the chain walked longest ago,
    ``sealed_at`` that of the newest seal.
    """

    chains: int
    broken: int
    entries: int
    walked_entries: int
    verified_entries: int
    sealed_entries: int
    verified_at: dt.datetime | None
    sealed_at: dt.datetime | None


def chain_totals(actor: Actor) -> ChainTotals:
    """What the figures over the chains say, of as many as there are. Raises Forbidden without AUDIT_READ."""
    actor.require(Permission.AUDIT_READ)
    with reading(actor) as db:
        return ChainTotals(*db.execute(_TOTALS).one())


def chain_states(actor: Actor, *, limit: int = 200) -> tuple[ChainState, ...]:
    """Of the chains the actor may know of the first: a customer's own, or of all, broken ones first, then those not
    verified. How many there are and what they hold together says ``chain_totals``.

    Raises Forbidden without AUDIT_READ.
    """
    actor.require(Permission.AUDIT_READ)
    seals = (
        select(AuditSeal.chain_id, AuditSeal.sequence, AuditSeal.sealed_at)
        .ext(distinct_on(AuditSeal.chain_id))
        .order_by(AuditSeal.chain_id, AuditSeal.sequence.desc())
        .subquery()
    )
    # A chain that is gone still has what was found when it was looked for.
    chains = union(select(AuditHead.chain_id), select(AuditVerification.chain_id)).subquery()
    entries = func.coalesce(AuditHead.sequence, 0)
    faults = func.coalesce(AuditVerification.faults, 0)
    states = (
        select(
            chains.c.chain_id,
            _organizations.c.name,
            entries,
            AuditVerification.sequence,
            AuditVerification.verified_at,
            faults,
            AuditVerification.first_fault,
            seals.c.sequence,
            seals.c.sealed_at,
        )
        .select_from(chains)
        .outerjoin(AuditHead, AuditHead.chain_id == chains.c.chain_id)
        .outerjoin(_organizations, _organizations.c.id == chains.c.chain_id)
        .outerjoin(AuditVerification, AuditVerification.chain_id == chains.c.chain_id)
        .outerjoin(seals, seals.c.chain_id == chains.c.chain_id)
        .order_by(faults.desc(), nulls_first(AuditVerification.verified_at), entries.desc())
        .limit(limit)
    )
    with reading(actor) as db:
        return tuple(ChainState(*row) for row in db.execute(states))


def verify(
    actor: Actor, *, organization_id: UUID | None = None, progress: Callable[[float], None] | None = None
) -> Verification:
    """Walk every chain, or one organization's, name what is wrong, and remember it.

    ``progress`` hears the share of the entries done, 0 to 1. A customer's reader of the log walks their own chain.
    Raises Forbidden without AUDIT_READ for the own chain or SYSTEM_READ for others, NotFound for a stranger's, Conflict
    while somebody else walks it.
    """
    if actor.scope is Scope.TENANT:
        if organization_id not in (None, actor.organization_id):
            raise NotFound("There is no such organization.")
        actor.require(Permission.AUDIT_READ)
        organization_id = actor.organization_id
    else:
        actor.require(Permission.SYSTEM_READ)
    chains = select(_chains)
    return _walk(chains.where(_chains.c.chain_id == organization_id) if organization_id else chains, progress)


def verify_due(actor: Actor) -> Verification:
    """Walk the chains that have grown since they were last walked, and those not walked for a day: the hourly job.

    Raises Forbidden without SYSTEM_READ.
    """
    actor.require(Permission.SYSTEM_READ)
    known = AuditVerification
    stale = or_(
        known.chain_id.is_(None), known.sequence != _chains.c.entries, known.verified_at < func.now() - WALK_AGAIN
    )
    return _walk(select(_chains).outerjoin(known, known.chain_id == _chains.c.chain_id).where(stale), None)


def faults_of(db: Session, chain_id: UUID, name: str | None = None) -> list[Fault]:
    """Walk one chain in the caller's transaction, which must be the platform's: what is wrong with its links, seals and
    stubs, whether it still is as long as it is known to have been, and is kept as it says was agreed."""
    links = db.execute(select("*").select_from(func.nexa.audit_faults(chain_id)).limit(_MOST_FAULTS))
    found = [Fault(chain_id, name, row.sequence, row.audit_log_id, row.fault) for row in links]
    found += [Fault(chain_id, name, number, None, what) for number, what in signature_faults(db, chain_id)]
    there, known = db.execute(_LENGTH, {"chain": chain_id}).one()
    if not there and (known or chain_id != NO_ORGANIZATION):
        found.append(Fault(chain_id, name, None, None, "the chain is gone"))
    elif known > there:
        found.append(Fault(chain_id, name, known, None, "the chain was longer before: its tail was cut"))
    if not is_as_agreed(db, chain_id):
        found.append(Fault(chain_id, name, None, None, NOT_AS_AGREED))
    return found


def _walk(chains: Select[Any], progress: Callable[[float], None] | None) -> Verification:
    """The walk is NEXA's own: it reads every link, which no role of a customer may. One transaction a chain."""
    system = Actor.system()
    with reading(system) as db:
        found = db.execute(chains).all()
        names = {row.id: row.name for row in db.execute(select(_organizations))}
    total, passed = sum(chain.entries for chain in found), 0
    faults: list[Fault] = []
    for chain in found:
        began = dt.datetime.now(dt.UTC)
        with reading(system) as db:
            wrong = _faults(db, chain.chain_id, names.get(chain.chain_id), alone=len(found) == 1)
        _remember(system, chain.chain_id, chain.entries, began, wrong)
        faults += wrong[:_FAULTS_NAMED]
        passed += chain.entries
        if progress:
            progress(passed / total if total else 1.0)
    return Verification(len(found), total, tuple(faults), dt.datetime.now(dt.UTC))


def _faults(db: Session, chain_id: UUID, name: str | None, *, alone: bool) -> list[Fault]:
    lock = func.pg_try_advisory_xact_lock(func.hashtextextended(f"nexa audit {chain_id}", 0))
    if not db.scalar(select(lock)) and alone:
        raise Conflict("This chain is being verified just now. Please look again in a moment.")
    return faults_of(db, chain_id, name)


def _remember(system: Actor, chain_id: UUID, entries: int, at: dt.datetime, faults: Sequence[Fault]) -> None:
    """``sequence`` never falls: the walk that finds a chain shorter must not forget that it was longer."""
    state = {
        "verified_at": at,
        "faults": len(faults),
        "first_fault": faults[0].what if faults else None,
    }
    with metering(system) as db:
        db.execute(
            insert(AuditVerification)
            .values(chain_id=chain_id, sequence=entries, **state)
            .on_conflict_do_update(
                index_elements=[AuditVerification.chain_id],
                set_={**state, "sequence": func.greatest(AuditVerification.sequence, entries)},
            )
        )
