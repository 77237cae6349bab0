"""One change for many organizations: what it would do to each, doing it to all or none, and undoing it.

A preview freezes the targets and the value each of them has. What is applied is exactly what was shown: a target that
has changed meanwhile refuses the whole batch. A batch is one statement, so that the audit log is written as one too;
its identifier is the ``request_id`` of all its entries, which their links of the chain cover.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID, uuid4

from sqlalchemy import Row, TextClause, select, text
from sqlalchemy.orm import Session, aliased

from nexa_core.accounts.models import User
from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.audit import note
from nexa_core.audit.models import AuditLog
from nexa_core.audit.undo import guard
from nexa_core.billing import PLANS
from nexa_core.db import fetched, reading, recording
from nexa_core.errors import Conflict, Invalid, NotFound
from nexa_core.organizations import fields
from nexa_core.organizations.filters import Filter, has_owner
from nexa_core.organizations.listing import listed
from nexa_core.organizations.models import Organization, organization_members
from nexa_core.organizations.reach import customers_of
from nexa_core.permissions import Permission

Kind = Literal["account_manager", "plan", "suspend", "resume"]
MOST = 5_000
_NO_MANAGER = "The account manager it would go to cannot be one any more."
NOTED = "batch"


@dataclass(frozen=True, slots=True)
class Target:
    """One organization of a batch: its value now and then; ``obstacle`` says why it would stay as it is."""

    id: UUID
    name: str
    slug: str
    before: str | None
    after: str | None
    obstacle: str | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """A batch before it is done: the frozen targets, in order of their identifiers. ``undoes`` is the batch undone."""

    kind: Kind
    targets: tuple[Target, ...]
    undoes: UUID | None = None

    @property
    def changing(self) -> tuple[Target, ...]:
        return tuple(target for target in self.targets if target.obstacle is None)


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that was done; ``undoes`` names the one it took back."""

    id: UUID
    at: dt.datetime
    kind: Kind
    changed: int
    actor_name: str
    reason: str | None
    undoes: UUID | None


@dataclass(frozen=True, slots=True)
class AccountManager:
    """Somebody of the platform who can look after customers."""

    id: UUID
    name: str


_COLUMNS: dict[Kind, tuple[str, str]] = {
    "account_manager": ("account_manager_id", "uuid"),
    "plan": ("plan_type", "varchar"),
    "suspend": ("status", "organization_status"),
    "resume": ("status", "organization_status"),
}
_ACTIONS: dict[Kind, Action] = {
    "account_manager": Action.ORGANIZATION_MANAGER_ASSIGNED,
    "plan": Action.ORGANIZATION_PLAN_CHANGED,
    "suspend": Action.ORGANIZATION_SUSPENDED,
    "resume": Action.ORGANIZATION_RESUMED,
}
_OPPOSITE: dict[Kind, Kind] = {
    "account_manager": "account_manager", "plan": "plan", "suspend": "resume", "resume": "suspend",
}  # fmt: skip

# One batch after the other, so that two of them over the same rows never wait in a circle.
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('nexa organizations batch', 0))"
_APPLY = """
WITH wanted AS (
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:befores AS text[]), CAST(:afters AS text[]))
        AS w(id, before, after)
)
UPDATE organizations o SET {column} = CAST(w.after AS {type}), updated_at = now() FROM wanted w
WHERE o.id = w.id AND CAST(o.{column} AS text) IS NOT DISTINCT FROM w.before AND NOT o.is_platform
  AND o.deleted_at IS NULL
RETURNING o.id
"""


@lru_cache
def _applying(column: str, column_type: str) -> TextClause:
    return text(_APPLY.format(column=column, type=column_type))


def account_managers(actor: Actor) -> tuple[AccountManager, ...]:
    """Who can be an account manager, by name: the platform's people but for its viewers. Needs ORGANIZATIONS_BROWSE."""
    actor.require(Permission.ORGANIZATIONS_BROWSE)
    with reading(actor) as db:
        found = _managers(db)
    names = [row.full_name for row in found]
    return tuple(
        AccountManager(row.user_id, row.full_name if row.full_name and names.count(row.full_name) == 1 else row.email)
        for row in found
    )


def _managers(db: Session) -> Sequence[Row[UUID, str, str]]:
    people = organization_members.c
    return db.execute(
        select(people.user_id, people.full_name, people.email)
        .where(people.is_platform, people.role != "viewer", people.user_status == "active")
        .order_by(people.full_name, people.user_id)
    ).all()


def _able(db: Session) -> frozenset[str | None]:
    """Who can be an account manager now, by identifier; nobody is one of them."""
    return frozenset({None, *(str(row.user_id) for row in _managers(db))})


def _require_able(db: Session, people: Collection[str | None]) -> None:
    """Raise Conflict unless all of them can be account managers; nobody deletes one of them until it is written."""
    db.execute(select(User.id).where(User.id.in_([p for p in people if p])).with_for_update(read=True, key_share=True))
    if not _able(db).issuperset(people):
        raise Conflict(f"{_NO_MANAGER} Nothing was done. Look at the preview again.")


def _guard_undo(
    actor: Actor, db: Session, *, organization_id: UUID, resource_id: UUID, before: Mapping[str, Any], lock: bool
) -> None:
    if before.get("account_manager_id") not in _able(db):
        raise Conflict(_NO_MANAGER)


guard("organization", _guard_undo)


def matching(actor: Actor, wanted: Filter) -> tuple[UUID, ...]:
    """The organizations a filter shows at this moment, at most 5,000. Raises Invalid when it shows more."""
    with reading(actor) as db:
        found = db.scalars(listed(actor, wanted).with_only_columns(Organization.id).limit(MOST + 1)).all()
    if len(found) > MOST:
        raise Invalid(f"A batch takes at most {MOST:,} organizations; narrow the filter.")
    return tuple(found)


def preview_change(actor: Actor, *, kind: Kind, organization_ids: Sequence[UUID], value: str | None = None) -> Preview:
    """What a change would do to each of these organizations. ``value`` is a plan's key, or an account manager's id or
    None for nobody; suspending and resuming take none.

    Raises Forbidden without ORGANIZATIONS_MANAGE, Invalid for a value that cannot be and for more than 5,000.
    """
    actor.require(Permission.ORGANIZATIONS_MANAGE)
    if kind not in _COLUMNS:
        raise Invalid("There is no such change.", field="kind")
    if not organization_ids:
        raise Invalid("Choose at least one organization.")
    if len(set(organization_ids)) > MOST:
        raise Invalid(f"A batch takes at most {MOST:,} organizations.")
    if kind == "plan" and value not in PLANS:
        raise Invalid("There is no such plan.", field="plan")
    after = {"suspend": "suspended", "resume": "active"}.get(kind, value)
    with reading(actor) as db:
        if kind == "account_manager" and value not in _able(db):
            raise Invalid("This person cannot be an account manager.", field="account_manager")
        found = db.execute(
            select(Organization, has_owner.label("has_owner"))
            .where(Organization.id.in_(set(organization_ids)), customers_of(actor))
            .order_by(Organization.id)
        ).all()
    targets = []
    for organization, owned in found:
        before = _value(organization, kind)
        obstacle = _obstacle(organization, kind, before == after, owned)
        targets.append(Target(organization.id, organization.name, organization.slug, before, after, obstacle))
    return Preview(kind, tuple(targets))


def preview_undo(actor: Actor, *, batch_id: UUID) -> Preview:
    """What undoing a batch would do: back to what each organization had, unless it was changed again since.

    Raises Forbidden without ORGANIZATIONS_MANAGE, NotFound for what is no batch.
    """
    actor.require(Permission.ORGANIZATIONS_MANAGE)
    with reading(actor) as db:
        noted = db.scalars(
            select(AuditLog).where(AuditLog.request_id == batch_id, AuditLog.resource_type == NOTED)
        ).one_or_none()
        if noted is None:
            raise NotFound("There is no such batch.")
        kind: Kind = (noted.new_values or {})["kind"]
        column = _COLUMNS[kind][0]
        entries = select(AuditLog.resource_id, AuditLog.old_values, AuditLog.new_values).where(
            AuditLog.request_id == batch_id, AuditLog.resource_type == "organization"
        )
        changed = {row.resource_id: row for row in db.execute(entries)}
        found = db.execute(
            select(Organization, has_owner.label("has_owner"))
            .where(Organization.id.in_(changed))
            .order_by(Organization.id)
        ).all()
        able = _able(db)
    back = _OPPOSITE[kind]
    targets = []
    for organization, owned in found:
        entry = changed[organization.id]
        now, written, former = _value(organization, kind), entry.new_values.get(column), entry.old_values.get(column)
        obstacle = _obstacle(organization, back, False, owned)
        if now != written:
            obstacle = "It was changed again since, so it stays as it is."
        elif kind == "account_manager" and former not in able:
            obstacle = _NO_MANAGER
        targets.append(Target(organization.id, organization.name, organization.slug, now, former, obstacle))
    return Preview(back, tuple(targets), undoes=batch_id)


def apply_batch(actor: Actor, *, preview: Preview, reason: str) -> Batch:
    """Do what a preview showed, to all of its targets without an obstacle or to none; one batch id in the audit log.

    Raises Forbidden without ORGANIZATIONS_MANAGE, Invalid without a reason or targets, Conflict when an organization is
    not as it was when the preview was made, or an account manager cannot be one any more.
    """
    actor.require(Permission.ORGANIZATIONS_MANAGE)
    reason = fields.reason(reason)
    targets = preview.changing
    if not targets:
        raise Invalid("Nothing would change.")
    # A preview is a plain value that anybody could have made up: only what such a change can write is written.
    if any(not _can_be(preview.kind, target.after) for target in targets):
        raise Invalid("This is not what such a change can do.")
    column, column_type = _COLUMNS[preview.kind]
    batch_id = uuid4()
    acting = replace(actor, origin=replace(actor.origin, request_id=batch_id))
    values = {"kind": preview.kind, "changed": len(targets), "request": str(actor.origin.request_id)}
    if preview.undoes:
        values["undoes"] = str(preview.undoes)
    with recording(acting, _ACTIONS[preview.kind], reason=reason) as db:
        db.execute(text(_ONE_AT_A_TIME))
        if preview.kind == "account_manager":
            _require_able(db, {target.after for target in targets})
        done = fetched(
            db,
            _applying(column, column_type),
            {
                "ids": [target.id for target in targets],
                "befores": [target.before for target in targets],
                "afters": [target.after for target in targets],
            },
        )
        if len(done) != len(targets):
            written = {row.id for row in done}
            missed = [target.name for target in targets if target.id not in written]
            others = f" and {len(missed) - 1} more were" if len(missed) > 1 else " was"
            raise Conflict(f"{missed[0]}{others} changed meanwhile, so nothing was done. Look at the preview again.")
        noted = Action.ORGANIZATIONS_CHANGE_UNDONE if preview.undoes else Action.ORGANIZATIONS_CHANGED
        note(db, NOTED, batch_id, values, action=noted)
    return Batch(batch_id, dt.datetime.now(dt.UTC), preview.kind, len(targets), actor.full_name, reason, preview.undoes)


def undo_batch(actor: Actor, *, batch_id: UUID, reason: str) -> Batch:
    """Take a batch back where nothing was changed since; raises as ``preview_undo`` and ``apply_batch`` do."""
    return apply_batch(actor, preview=preview_undo(actor, batch_id=batch_id), reason=reason)


def batches(actor: Actor, *, limit: int = 10) -> tuple[Batch, ...]:
    """The newest batches, newest first. Raises Forbidden without ORGANIZATIONS_MANAGE."""
    actor.require(Permission.ORGANIZATIONS_MANAGE)
    who = aliased(User)
    noted = (Action.ORGANIZATIONS_CHANGED.value, Action.ORGANIZATIONS_CHANGE_UNDONE.value)
    found = (
        select(AuditLog, who.full_name)
        .outerjoin(who, who.id == AuditLog.user_id)
        .where(AuditLog.organization_id == actor.organization_id, AuditLog.action.in_(noted))
        .order_by(AuditLog.created_at.desc(), AuditLog.id.desc())
        .limit(limit)
    )
    with reading(actor) as db:
        return tuple(_batch(entry, name) for entry, name in db.execute(found))


def _batch(entry: AuditLog, name: str | None) -> Batch:
    values: dict[str, Any] = entry.new_values or {}
    undoes = values.get("undoes")
    return Batch(
        entry.request_id, entry.created_at, values["kind"], values["changed"], name or "NEXA", entry.reason,
        UUID(undoes) if undoes else None,
    )  # fmt: skip


def _value(organization: Organization, kind: Kind) -> str | None:
    value = getattr(organization, _COLUMNS[kind][0])
    return None if value is None else str(value)


def _obstacle(organization: Organization, kind: Kind, is_so: bool, owned: bool) -> str | None:
    """Why this change cannot, or need not, be made to this organization."""
    if organization.status == "deleted":
        return "It is deleted."
    if is_so:
        return "It is so already."
    if kind in ("suspend", "resume"):
        needed = "active" if kind == "suspend" else "suspended"
        if organization.status != needed:
            return f"It is {organization.status}, not {needed}."
        if kind == "resume" and not owned:
            return "It has no active owner."
    return None


def _can_be(kind: Kind, after: str | None) -> bool:
    if kind in ("suspend", "resume"):
        return after == ("suspended" if kind == "suspend" else "active")
    return kind == "account_manager" or (after is not None and 0 < len(after) <= 50)
