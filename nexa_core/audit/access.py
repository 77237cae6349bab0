"""Access explained to the customer: every time the platform's own people were in their organization, and why."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import literal_column, select, tuple_

from nexa_core import paging
from nexa_core.actor import Actor, Scope
from nexa_core.audit.filters import BY_STAFF, EXPORTING, STAFF_DID, VIEWING
from nexa_core.audit.models import AuditLog
from nexa_core.audit.search import shortened
from nexa_core.audit.story import EntryView, views
from nexa_core.db import reading
from nexa_core.errors import Invalid, NotFound
from nexa_core.permissions import Permission


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
    """When the platform's people opened documents, changed or exported something or viewed as somebody; without an id,
    in the actor's own organization. ``kind`` is one of STAFF_DID.

    Raises Forbidden without STAFF_ACCESS_READ, which no plan gates, NotFound for a stranger's organization, Invalid for
    an unknown kind or cursor.
    """
    actor.require(Permission.STAFF_ACCESS_READ)
    target = organization_id or actor.organization_id
    if target is None or (actor.scope is Scope.TENANT and target != actor.organization_id):
        raise NotFound("There is no such organization.")
    if kind is not None and kind not in STAFF_DID:
        raise Invalid("There is no such kind of access.", field="kind")
    found = (
        select(*AuditLog.__table__.c)
        .where(AuditLog.organization_id == target, literal_column(STAFF_DID[kind] if kind else BY_STAFF))
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
    if entry.action in VIEWING:
        return "viewed_as"
    if entry.resource_type in ("session", "share_link"):
        return "documents"
    return "exported" if entry.action in EXPORTING else "changed"
