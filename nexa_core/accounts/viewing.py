"""View as: an internal admin looks at one customer with a member's eyes, read-only, for an hour, seen by the customer.

The sign-in stays the admin's and so does every audit entry; the actor it makes has the member's role and organization,
and the recording and metering doors are closed to it. It ends by itself: the time is asked of the database each time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import and_, func, insert, select, update
from sqlalchemy.orm import Session

from nexa_core.accounts.memberships import organization_members, organizations, plan_features
from nexa_core.accounts.models import Viewing
from nexa_core.actions import Action
from nexa_core.actor import Actor, Standing, ViewingAs
from nexa_core.db import recording
from nexa_core.errors import Conflict, Invalid, NotFound, Unauthenticated
from nexa_core.permissions import Permission

LASTS = dt.timedelta(minutes=60)
_m = organization_members.c


def view_as(actor: Actor, *, user_id: UUID, organization_id: UUID, reason: str) -> None:
    """Look at one organization as one of its members does, read-only, for 60 minutes or until it is ended.

    The customer reads in its own audit log who looked, as whom and why. Raises Forbidden without USERS_MANAGE or while
    looking already, Invalid without a reason, NotFound unless the person is an active member there, Conflict for the
    platform's own organization, whose people are never looked through.
    """
    actor.require_own_eyes()
    actor.require(Permission.USERS_MANAGE)
    if not (reason := reason.strip()):
        raise Invalid("Please say why; the customer can read it in its audit log.", field="reason")
    if actor.user_session_id is None or actor.user_id is None:
        raise Unauthenticated("Only somebody who is signed in can view as somebody else.")
    with recording(actor, Action.VIEWING_STARTED, reason=reason[:1000]) as db:
        viewed = db.execute(
            select(_m.is_demo, _m.is_platform, _m.organization_status).where(
                _m.user_id == user_id, _m.organization_id == organization_id, _m.user_status == "active"
            )
        ).one_or_none()
        if viewed is None:
            raise NotFound("There is no such active member in this organization.")
        if viewed.is_platform:
            raise Conflict("Only customers are viewed this way: the platform's own people have rights over others.")
        if viewed.organization_status != "active":
            raise Conflict(f"This organization is {viewed.organization_status}, so its members see nothing either.")
        db.execute(
            insert(Viewing).values(
                id=uuid4(),
                user_session_id=actor.user_session_id,
                user_id=actor.user_id,
                viewed_user_id=user_id,
                organization_id=organization_id,
                reason=reason[:1000],
                expires_at=func.now() + LASTS,
            )
        )


def stop_viewing(actor: Actor) -> None:
    """See with one's own eyes again; ending it twice is no error."""
    if actor.viewing_as is None:
        return
    with recording(actor.viewing_as.real, Action.VIEWING_ENDED) as db:
        db.execute(
            update(Viewing)
            .where(Viewing.id == actor.viewing_as.id, Viewing.ended_at.is_(None))
            .values(ended_at=func.now())
            .execution_options(synchronize_session=False)
        )


def expire_viewings(actor: Actor) -> int:
    """Write down the end of those viewings that the clock ended, each in its customer's log; how many that were.

    Raises Forbidden without USERS_MANAGE.
    """
    actor.require(Permission.USERS_MANAGE)
    with recording(actor, Action.VIEWING_EXPIRED, reason="It lasts 60 minutes, and nobody ended it before") as db:
        ended = db.execute(
            update(Viewing)
            .where(Viewing.ended_at.is_(None), Viewing.expires_at <= func.now())
            .values(ended_at=Viewing.expires_at)
            .returning(Viewing.id)
            .execution_options(synchronize_session=False)
        )
        return len(ended.all())


def seen_through(db: Session, own: Actor, viewing_id: UUID) -> Actor:
    """The actor an internal admin is while looking with a member's eyes; their own self once that is impossible.

    Who lost the right to manage people, and a membership that is gone or no longer active, end it as the clock does.
    """
    row = db.execute(
        select(
            Viewing.id, Viewing.viewed_user_id, Viewing.organization_id, Viewing.reason, Viewing.expires_at, _m.role,
            _m.permissions, _m.full_name, _m.email, _m.organization_name, _m.organization_slug,
            organizations.c.usage_limits, plan_features(organizations).label("plan_features"),
        )
        .join(organization_members, and_(_m.user_id == Viewing.viewed_user_id,
                                         _m.organization_id == Viewing.organization_id))
        .join(organizations, organizations.c.id == Viewing.organization_id)
        .where(Viewing.id == viewing_id, _m.user_status == "active", _m.organization_status == "active",
               _m.is_platform.is_(False))
    ).one_or_none()  # fmt: skip
    if row is None or own.user_id is None or not own.may(Permission.USERS_MANAGE):
        return own
    name = row.full_name or row.email
    return Actor.of_membership(
        user_id=own.user_id,
        organization_id=row.organization_id,
        role=row.role,
        overrides=row.permissions,
        standing=standing_of(row.usage_limits, row.plan_features),
        user_session_id=own.user_session_id,
        email=own.email,
        full_name=own.full_name,
        organization_name=row.organization_name,
        organization_slug=row.organization_slug,
        timezone=own.timezone,
        locale=own.locale,
        origin=own.origin,
        viewing_as=ViewingAs(
            row.id, row.viewed_user_id, name, row.organization_name, row.reason, row.expires_at, real=own
        ),
    )


def standing_of(
    usage_limits: Mapping[str, Any], of_plan: Mapping[str, Any] | None, *, is_platform: bool = False
) -> Standing:
    """How somebody who is signed in stands, with what their organization has: agreed, and by its plan."""
    return Standing(
        is_platform=is_platform,
        features=flags(usage_limits.get("features")),
        plan_features=None if of_plan is None else flags(of_plan),
    )


def flags(stored: object) -> Mapping[str, bool]:
    """What is switched on and off, as far as stored JSON says it in a way that can be understood."""
    named = stored if isinstance(stored, dict) else {}
    return MappingProxyType({name: on for name, on in named.items() if isinstance(on, bool)})
