"""Everybody there is, for the platform's admins: find somebody, and see one person whole."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, and_, column, exists, func, or_, select, table, tuple_
from sqlalchemy.orm import Session

from nexa_core import paging
from nexa_core.accounts.memberships import organization_members, organization_memberships, organizations
from nexa_core.accounts.models import User
from nexa_core.accounts.security import Lock, SecurityEvent, lock_of, timeline_of
from nexa_core.accounts.sign_ins import SignInView, living_sign_ins
from nexa_core.actor import Actor
from nexa_core.db import reading
from nexa_core.errors import Invalid
from nexa_core.permissions import Permission

STATUSES = ("active", "pending", "suspended", "deleted")
#: What one can look for beyond the status.
KINDS = ("locked", "never_signed_in", "no_active_membership", "platform_staff")
_sessions = table("ai_architecture_sessions", column("user_id", Uuid()))
_m, _om, _o = organization_memberships.c, organization_members.c, organizations.c


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person in the list; ``organizations`` names the first few of their active memberships."""

    id: UUID
    full_name: str
    email: str
    status: str
    is_locked: bool
    is_staff: bool
    organizations: tuple[str, ...]
    last_login_at: dt.datetime | None
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """Some people and where the next page begins (None at the end)."""

    items: tuple[PersonRow, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class PersonMembership:
    """One organization of a person, whatever the state; ``is_last_owner`` when nobody else owns it."""

    organization_id: UUID
    organization_name: str
    organization_slug: str
    organization_status: str
    role: str
    status: str
    joined_at: dt.datetime | None
    is_platform: bool
    is_last_owner: bool


@dataclass(frozen=True, slots=True)
class PersonView:
    """A person, whole, as an internal admin sees them."""

    id: UUID
    full_name: str
    email: str
    avatar_url: str | None
    status: str
    is_verified: bool
    timezone: str
    created_at: dt.datetime
    deleted_at: dt.datetime | None
    erased_at: dt.datetime | None
    last_login_at: dt.datetime | None
    login_count: int
    lock: Lock | None
    memberships: tuple[PersonMembership, ...]
    sign_ins: tuple[SignInView, ...]
    timeline: tuple[SecurityEvent, ...]
    sessions_written: int
    customers_managed: tuple[str, ...]

    @property
    def owned_alone(self) -> tuple[str, ...]:
        """Organizations nobody else owns: they keep the person from being deleted."""
        return tuple(m.organization_name for m in self.memberships if m.is_last_owner)


def find_people(
    actor: Actor,
    *,
    text: str = "",
    status: str | None = None,
    kind: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> PeoplePage:
    """A page of everybody by name, at most 200 at once; ``text`` is searched in names and addresses.

    Deleted people are listed only when asked for. Raises Forbidden without USERS_MANAGE, Invalid for an unknown status,
    kind or cursor.
    """
    actor.require(Permission.USERS_MANAGE)
    if status and status not in STATUSES:
        raise Invalid(f"There is no status “{status[:40]}”.", field="status")
    if kind and kind not in KINDS:
        raise Invalid(f"People cannot be filtered by “{kind[:40]}”.", field="kind")
    limit = max(1, min(limit, 200))
    found = select(User, _is_staff().label("is_staff"), (User.locked_until > func.now()).label("is_locked"))
    found = found.where(User.status == status if status else User.status != "deleted")
    if text := text.strip():
        found = found.where(or_(*(c.icontains(text, autoescape=True) for c in (User.full_name, User.email))))
    if kind:
        found = found.where(_kind(kind))
    if after:
        found = found.where(tuple_(User.full_name, User.id) > tuple_(*paging.place(after, str, UUID)))
    with reading(actor) as db:
        page = db.execute(found.order_by(User.full_name, User.id).limit(limit + 1)).all()
        where = _organizations_of(db, [row.User.id for row in page[:limit]])
    items = tuple(
        PersonRow(
            id=row.User.id,
            full_name=row.User.full_name or row.User.email,
            email=row.User.email,
            status=row.User.status,
            is_locked=bool(row.is_locked),
            is_staff=row.is_staff,
            organizations=where.get(row.User.id, ()),
            last_login_at=row.User.last_login_at,
            created_at=row.User.created_at,
        )
        for row in page[:limit]
    )
    last = page[limit - 1].User if len(page) > limit else None
    return PeoplePage(items, paging.cursor(last.full_name, last.id) if last else None)


def person(actor: Actor, *, user_id: UUID) -> PersonView:
    """One person with everything an admin asks about. Raises Forbidden without USERS_MANAGE, NotFound."""
    actor.require(Permission.USERS_MANAGE)
    with reading(actor) as db:
        user = db.get_one(User, user_id)
        timeline = timeline_of(db, user_id)
        written = func.count()
        return PersonView(
            id=user.id,
            full_name=user.full_name or user.email,
            email=user.email,
            avatar_url=user.avatar_url,
            status=user.status,
            is_verified=user.email_verified_at is not None,
            timezone=user.timezone,
            created_at=user.created_at,
            deleted_at=user.deleted_at,
            erased_at=user.erased_at,
            last_login_at=user.last_login_at,
            login_count=user.login_count,
            lock=lock_of(user, timeline),
            memberships=_memberships(db, user_id),
            sign_ins=living_sign_ins(db, user_id, current=actor.user_session_id),
            timeline=timeline,
            sessions_written=db.scalar(select(written).select_from(_sessions).where(_sessions.c.user_id == user_id))
            or 0,
            customers_managed=tuple(
                db.scalars(select(_o.name).where(_o.account_manager_id == user_id).order_by(_o.name))
            ),
        )


def _is_staff() -> ColumnElement[bool]:
    return exists().where(_om.user_id == User.id, _om.is_platform)


def _kind(kind: str) -> ColumnElement[bool]:
    match kind:
        case "locked":
            return User.locked_until > func.now()
        case "never_signed_in":
            return User.last_login_at.is_(None)
        case "no_active_membership":
            return ~exists().where(_om.user_id == User.id, _om.organization_status == "active")
        case _:
            return _is_staff()


def _organizations_of(db: Session, ids: list[UUID]) -> dict[UUID, tuple[str, ...]]:
    found: dict[UUID, tuple[str, ...]] = {}
    rows = select(_om.user_id, _om.organization_name).where(_om.user_id.in_(ids)).order_by(_om.organization_name)
    for user_id, name in db.execute(rows):
        found[user_id] = (*found.get(user_id, ()), name)
    return found


def _memberships(db: Session, user_id: UUID) -> tuple[PersonMembership, ...]:
    other = organization_members.alias("other")
    others = exists().where(
        other.c.organization_id == _m.organization_id, other.c.role == "owner", other.c.user_id != user_id
    )
    is_last_owner = and_(_m.role == "owner", _m.status == "active", _o.status == "active", ~others)
    rows = (
        select(
            _m.organization_id, _o.name, _o.slug, _o.status, _m.role, _m.status, _m.joined_at, _o.is_platform,
            is_last_owner,
        )
        .join(organizations, _o.id == _m.organization_id)
        .where(_m.user_id == user_id)
        .order_by(_o.name)
    )  # fmt: skip
    return tuple(PersonMembership(*row) for row in db.execute(rows))
