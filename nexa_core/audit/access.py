"""Access explained to the customer: every time the platform's own people were in their organization, and why."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, not_, or_, select, tuple_

from nexa_core import paging
from nexa_core.actions import Action
from nexa_core.actor import Actor, Scope
from nexa_core.audit.models import AuditLog
from nexa_core.audit.search import shortened
from nexa_core.audit.story import EntryView, views
from nexa_core.db import reading
from nexa_core.errors import Invalid, NotFound
from nexa_core.permissions import Permission

# Making a demo world is nobody's access to it.
_BY_STAFF = and_(AuditLog.actor_scope.in_(("staff", "presenter")), AuditLog.action != Action.DEMO_SEEDED.value)
_VIEWING = (Action.VIEWING_STARTED.value, Action.VIEWING_ENDED.value)
_VIEWED_AS = AuditLog.action.in_(_VIEWING)
_DOCUMENTS = and_(_BY_STAFF, AuditLog.resource_type.in_(("session", "share_link")))

#: What they did, and which entries say so.
KINDS: dict[str, ColumnElement[bool]] = {
    "documents": _DOCUMENTS,
    "viewed_as": _VIEWED_AS,
    "changed": and_(_BY_STAFF, not_(_VIEWED_AS), not_(_DOCUMENTS)),
}


@dataclass(frozen=True, slots=True)
class StaffAccess:
    """One time somebody of the platform was there. ``by_itself`` is NEXA's own doing, such as a job, not a person's."""

    id: UUID
    at: dt.datetime
    kind: str
    sentence: str
    reason: str | None
    by_itself: bool


@dataclass(frozen=True, slots=True)
class AccessPage:
    """One page, newest first; ``next_cursor`` leads to the next."""

    items: tuple[StaffAccess, ...]
    next_cursor: str | None


def staff_access(
    actor: Actor,
    *,
    organization_id: UUID | None = None,
    kind: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> AccessPage:
    """When the platform's people opened documents, changed something or viewed as somebody; without an id, in the
    actor's own organization. ``kind`` is one of KINDS.

    Raises Forbidden without AUDIT_READ, NotFound for a stranger's organization, Invalid for an unknown kind or cursor.
    """
    actor.require(Permission.AUDIT_READ)
    target = organization_id or actor.organization_id
    if target is None or (actor.scope is Scope.TENANT and target != actor.organization_id):
        raise NotFound("There is no such organization.")
    if kind is not None and kind not in KINDS:
        raise Invalid("There is no such kind of access.", field="kind")
    found = (
        select(*AuditLog.__table__.c)
        .where(AuditLog.organization_id == target, KINDS[kind] if kind else or_(*KINDS.values()))
        .order_by(AuditLog.created_at.desc(), AuditLog.id.desc())
        .limit(limit + 1)
    )
    if after is not None:
        found = found.where(tuple_(AuditLog.created_at, AuditLog.id) < tuple_(*paging.place(after, dt.datetime, UUID)))
    with reading(actor) as db:
        entries = views(actor, db, db.execute(shortened(found)).all())
    items = tuple(_access(entry) for entry in entries[:limit])
    return AccessPage(items, paging.cursor(items[-1].at, items[-1].id) if len(entries) > limit else None)


def _access(entry: EntryView) -> StaffAccess:
    return StaffAccess(
        id=entry.id,
        at=entry.at,
        kind=_kind(entry),
        sentence=entry.sentence,
        reason=entry.reason,
        by_itself=entry.actor_id is None,
    )


def _kind(entry: EntryView) -> str:
    if entry.action in _VIEWING:
        return "viewed_as"
    return "documents" if entry.resource_type in ("session", "share_link") else "changed"
