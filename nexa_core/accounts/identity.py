"""From a cookie, an access token or a sign-in to the actor it stands for, asked of the database every time.

Both views are read for each answer, so the end of a sign-in, a suspension, a password change or a lost membership
acts on the next request.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, func, select, update
from sqlalchemy.orm import Session

from nexa_core.accounts import tokens
from nexa_core.accounts.memberships import organization_members, organization_memberships, plan_features
from nexa_core.accounts.models import UserSession, active_user_sessions
from nexa_core.accounts.viewing import LIVING_VIEWING, seen_through, standing_of
from nexa_core.actor import Actor, Origin
from nexa_core.db import entering, fetched, fetched_one
from nexa_core.errors import Unauthenticated

#: How old "last seen" may get before a request writes it anew.
SEEN_EVERY = dt.timedelta(minutes=1)
_ENDED = "You are not signed in, or this sign-in has ended. Please sign in."

_s, _m = active_user_sessions.c, organization_members.c
_living = active_user_sessions.join(
    organization_members, and_(_m.user_id == _s.user_id, _m.organization_id == _s.organization_id)
)


def actor_of_cookie(origin: Origin, *, cookie: str) -> Actor:
    """The actor behind a browser's cookie; raises Unauthenticated when there is none."""
    return _actor(origin, _BY_COOKIE, {"token": tokens.digest(cookie)})


def actor_of_access_token(origin: Origin, *, access_token: str) -> Actor:
    """The actor behind a program's access token, as long as its sign-in lives; raises Unauthenticated otherwise."""
    claims = tokens.read_access_token(access_token)
    return _actor(origin, _BY_TOKEN, {"id": claims.user_session_id, "user": claims.user_id})


def actor_of_user_session(origin: Origin, *, user_session_id: UUID) -> Actor:
    """The actor behind a sign-in the guard has already recognised; raises Unauthenticated when it has ended."""
    return _actor(origin, _BY_USER_SESSION, {"id": user_session_id})


def living_user_sessions(user_session_ids: Iterable[UUID]) -> set[UUID]:
    """Which of these sign-ins still stand for somebody, in one query: what the guard's watcher asks every moment."""
    wanted = list(user_session_ids)
    if not wanted:
        return set()
    with entering(Origin()) as db:
        return set(db.scalars(_select(_s.id).where(_s.id.in_(wanted))))


def require_living(db: Session, user_session_id: UUID) -> None:
    """Raise Unauthenticated unless the sign-in stands for somebody in this transaction."""
    if not fetched(db, _LIVING, {"id": user_session_id}):
        raise Unauthenticated(_ENDED)


def _select(*columns: ColumnElement[Any]) -> Select[Any]:
    return select(*columns).select_from(_living).where(_s.organization_status == "active", _m.user_status == "active")


# Written once: every request asks one of these, and to build one costs as much as to ask it.
_LIVING = _select(_s.id).where(_s.id == bindparam("id"))
_WHO = _select(
    _s.id, _s.user_id, _s.organization_id, _s.email, _s.full_name, _s.organization_name, _s.organization_slug,
    _s.timezone, _s.locale, _s.is_platform, _s.usage_limits, _m.role, _m.permissions, _m.membership_id,
    (_s.last_seen_at < func.now() - SEEN_EVERY).label("is_stale"), LIVING_VIEWING.label("viewing_id"),
    plan_features(_s.plan_type).label("plan_features"),
)  # fmt: skip
_BY_COOKIE = _WHO.where(_s.session_token == bindparam("token"), _s.kind == "browser")
_BY_TOKEN = _WHO.where(_s.id == bindparam("id"), _s.user_id == bindparam("user"), _s.kind == "api")
_BY_USER_SESSION = _WHO.where(_s.id == bindparam("id"))


def _actor(origin: Origin, who: Select[Any], whose: Mapping[str, Any]) -> Actor:
    with entering(origin) as db:
        row = fetched_one(db, who, whose)
        if row is None:
            raise Unauthenticated(_ENDED)
        if row.is_stale:
            _seen(db, row)
        own = _actor_of(origin, row)
        return own if row.viewing_id is None else seen_through(db, own, row.viewing_id)


def _actor_of(origin: Origin, row: Row[Any]) -> Actor:
    return Actor.of_membership(
        user_id=row.user_id,
        organization_id=row.organization_id,
        role=row.role,
        overrides=row.permissions,
        standing=standing_of(row.usage_limits, row.plan_features, is_platform=row.is_platform),
        user_session_id=row.id,
        email=row.email,
        full_name=row.full_name or row.email,
        organization_name=row.organization_name,
        organization_slug=row.organization_slug,
        timezone=row.timezone,
        locale=row.locale,
        origin=origin,
    )


def _seen(db: Session, row: Row[Any]) -> None:
    """Bookkeeping, once a minute: of parallel requests only the first writes."""
    written = db.execute(
        update(UserSession)
        .where(UserSession.id == row.id, UserSession.last_seen_at < func.now() - SEEN_EVERY)
        .values(last_seen_at=func.now())
        .returning(UserSession.id)
    ).first()
    if written:
        db.execute(
            update(organization_memberships)
            .where(organization_memberships.c.id == row.membership_id)
            .values(last_active_at=func.now())
        )
