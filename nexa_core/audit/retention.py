"""How long entries are kept, the legal hold that keeps them whatever was agreed, and how they leave once they may."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, column, func, select, table, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from nexa_core.actions import Action
from nexa_core.actor import Actor, Scope
from nexa_core.audit import archive
from nexa_core.audit.agreed import not_as_agreed
from nexa_core.audit.export import EXPIRY_LOCK
from nexa_core.audit.models import AuditRetention
from nexa_core.audit.seals import NO_ORGANIZATION
from nexa_core.audit.service import note
from nexa_core.audit.verification import NOT_AS_AGREED, Fault, faults_of
from nexa_core.config import settings
from nexa_core.db import metering, reading, recording
from nexa_core.errors import Invalid, NotFound
from nexa_core.logs import logger
from nexa_core.permissions import Permission

_organizations = table(
    "organizations", column("id"), column("name"), column("slug"), column("is_platform"), column("deleted_at")
)


@dataclass(frozen=True, slots=True)
class RetentionView:
    """What holds for one organization; ``keep_months`` is None for ever. ``kept_from`` is the oldest entry there is."""

    organization_id: UUID
    organization_name: str
    keep_months: int | None
    legal_hold: bool
    kept_from: dt.datetime | None


def retention(actor: Actor, *, organization_id: UUID | None = None) -> RetentionView:
    """What holds for an organization; without an id, the actor's own.

    Raises Forbidden without AUDIT_READ, NotFound for an organization the actor may not know of.
    """
    actor.require(Permission.AUDIT_READ)
    target = organization_id or actor.organization_id
    if target is None or (actor.scope is Scope.TENANT and target != actor.organization_id):
        raise NotFound("There is no such organization.")
    with reading(actor) as db:
        return _view(db, target)


def retentions(actor: Actor) -> tuple[RetentionView, ...]:
    """Every organization for which something else holds than "for ever", by name. Raises Forbidden without
    ORGANIZATIONS_MANAGE."""
    actor.require(Permission.ORGANIZATIONS_MANAGE)
    ruled = select(AuditRetention.organization_id).where(
        AuditRetention.keep_months.is_not(None) | AuditRetention.legal_hold
    )
    with reading(actor) as db:
        return tuple(sorted((_view(db, ruled_id) for ruled_id in db.scalars(ruled)), key=lambda v: v.organization_name))


def set_retention(actor: Actor, *, organization_id: UUID, keep_months: int | None, reason: str) -> RetentionView:
    """Keep an organization's entries for so many months, 12 to 240, or for ever (None).

    Nothing is removed before it was archived. Raises Forbidden without ORGANIZATIONS_MANAGE, Invalid without a
    reason or for another number of months, NotFound for no such organization.
    """
    if keep_months is not None and not 12 <= keep_months <= 240:
        raise Invalid("Entries are kept for 12 to 240 months, or for ever.", field="keep_months")
    return _change(actor, Action.AUDIT_RETENTION_CHANGED, organization_id, reason, keep_months=keep_months)


def hold(actor: Actor, *, organization_id: UUID, reason: str) -> RetentionView:
    """Keep every entry of an organization, whatever its retention, until the hold is lifted. Raises as
    ``set_retention`` does."""
    return _change(actor, Action.AUDIT_HELD, organization_id, reason, legal_hold=True)


def release(actor: Actor, *, organization_id: UUID, reason: str) -> RetentionView:
    """Lift a legal hold. Raises as ``set_retention`` does."""
    return _change(actor, Action.AUDIT_RELEASED, organization_id, reason, legal_hold=False)


def expire_old_entries(actor: Actor) -> int:
    """Archive what is older than its organization's retention, then remove it; how many entries that were.

    Needs NEXA_SEAL_KEY, with which the stubs that stand for the entries are signed; does nothing without one. A chain
    that does not verify, or is to be kept otherwise than the log says was agreed, is left alone: NEXA signs no archive
    of it, and what is wrong with it stays to be seen. Months that are empty by then are dropped. Raises Forbidden
    without SYSTEM_READ.
    """
    actor.require(Permission.SYSTEM_READ)
    with reading(actor) as db:
        due = db.execute(_DUE).all()
    if due and not settings().seal_keys:
        logger("nexa.audit").warning("nothing_expires_without_a_seal_key", chains=len(due))
        return 0
    removed = 0
    for chain in due:
        with reading(actor) as db:
            if not _is_sound(db, chain):
                continue
        archive.make(actor, chain_id=chain.chain_id, upto=chain.upto)
        organization_id = None if chain.chain_id == NO_ORGANIZATION else chain.chain_id
        reason = f"Kept for {chain.keep_months} months, as agreed, and archived"
        with recording(actor, Action.AUDIT_EXPIRED, reason=reason) as db:
            if not db.scalar(select(func.pg_try_advisory_xact_lock(EXPIRY_LOCK))):
                break  # somebody exports; there is another night
            if not _is_sound(db, chain):
                continue  # it was changed since
            entries = db.scalar(select(func.nexa.audit_expire(chain.chain_id, chain.upto))) or 0
            kept = select(AuditRetention.keep_months).where(AuditRetention.organization_id == chain.ruled_by)
            gone = {"entries": entries, "upto": chain.upto, "keep_months": db.scalar(kept)}
            note(db, "audit_log", organization_id, gone, organization_id=organization_id)
        removed += entries
    with metering(actor) as db:
        db.execute(select(func.nexa.audit_drop_months()))
    return removed


def _is_sound(db: Session, chain: Row[Any]) -> bool:
    """Whether a chain may lose its beginning: it verifies, and so does the one that says what was agreed. What is wrong
    is said in the program's log."""
    faults = [fault for chain_id in {chain.chain_id, chain.ruled_by} for fault in faults_of(db, chain_id)]
    if chain.chain_id == NO_ORGANIZATION:  # which anybody's legal hold keeps
        faults += [Fault(other, None, None, None, NOT_AS_AGREED) for other in not_as_agreed(db)]
    for fault in faults[:1]:
        logger("nexa.audit").error(
            "chain_not_expired",
            chain_id=str(chain.chain_id),
            where=str(fault.chain_id),
            link=fault.sequence,
            what=fault.what,
        )
    return not faults


# The longest beginning of each chain that is old enough as a whole: up to the link before the first that is not.
_DUE = text("""
    SELECT r.chain_id, r.ruled_by, r.keep_months, coalesce(young.sequence - 1, h.sequence) AS upto
    FROM (SELECT CASE WHEN o.is_platform THEN chain ELSE o.id END AS chain_id, o.id AS ruled_by,
              r.keep_months
          FROM audit_retentions r JOIN organizations o ON o.id = r.organization_id
          CROSS JOIN LATERAL unnest(CASE WHEN o.is_platform
              THEN ARRAY[o.id, '00000000-0000-0000-0000-000000000000'::uuid] ELSE ARRAY[o.id] END) chain
          WHERE r.keep_months IS NOT NULL AND NOT r.legal_hold
            AND NOT (chain = '00000000-0000-0000-0000-000000000000' AND EXISTS (
                SELECT FROM audit_retentions WHERE legal_hold))) r
    JOIN audit_heads h ON h.chain_id = r.chain_id
    JOIN LATERAL (SELECT min(c.sequence) AS sequence FROM audit_chain c WHERE c.chain_id = r.chain_id) oldest ON true
    LEFT JOIN LATERAL (SELECT c.sequence FROM audit_chain c WHERE c.chain_id = r.chain_id AND c.logged_at >=
        (date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => r.keep_months)) AT TIME ZONE 'UTC'
        ORDER BY c.sequence LIMIT 1) young ON true
    WHERE oldest.sequence < coalesce(young.sequence, h.sequence + 1)
    ORDER BY r.chain_id
""")


def _change(actor: Actor, action: Action, organization_id: UUID, reason: str, **values: object) -> RetentionView:
    actor.require(Permission.ORGANIZATIONS_MANAGE)
    if not reason.strip():
        raise Invalid("Please give a reason; it is kept in the audit log.", field="reason")
    with recording(actor, action, reason=reason.strip()) as db:
        _view(db, organization_id)
        db.execute(
            insert(AuditRetention)
            .values(organization_id=organization_id, **values)
            .on_conflict_do_update(
                index_elements=[AuditRetention.organization_id], set_={**values, "updated_at": func.now()}
            )
        )
        return _view(db, organization_id)


def _view(db: Session, organization_id: UUID) -> RetentionView:
    oldest = text("SELECT logged_at FROM audit_chain WHERE chain_id = :chain ORDER BY sequence LIMIT 1")
    row = db.execute(
        select(
            _organizations.c.id,
            _organizations.c.name,
            AuditRetention.keep_months,
            func.coalesce(AuditRetention.legal_hold, False).label("legal_hold"),
        )
        .outerjoin(AuditRetention, AuditRetention.organization_id == _organizations.c.id)
        .where(_organizations.c.id == organization_id)
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such organization.")
    kept_from = db.scalar(oldest, {"chain": organization_id})
    return RetentionView(row.id, row.name, row.keep_months, row.legal_hold, kept_from)
