"""From a cookie, an access token or a sign-in to the actor it stands for, asked of the database every time.

Both views are read for each answer, in ``nexa.standing_of_sign_in``, so the end of a sign-in, a suspension, a password
change or a lost membership acts on the next request.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, select, update
from sqlalchemy.orm import Session

from nexa_core.accounts import tokens
from nexa_core.accounts.memberships import organization_members, organization_memberships
from nexa_core.accounts.models import UserSession, active_user_sessions
from nexa_core.accounts.viewing import seen_through, standing_of
from nexa_core.actor import Actor, Origin
from nexa_core.db import asked, entering, fetched
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
    return _actor(origin, _standing(cookie=tokens.digest(cookie)))


def actor_of_access_token(origin: Origin, *, access_token: str) -> Actor:
    """The actor behind a program's access token, as long as its sign-in lives; raises Unauthenticated otherwise."""
    claims = tokens.read_access_token(access_token)
    row = _standing(sign_in=claims.user_session_id)
    return _actor(origin, row if row and row.kind == "api" and row.user_id == claims.user_id else None)


def actor_of_user_session(origin: Origin, *, user_session_id: UUID) -> Actor:
    """The actor behind a sign-in the guard has already recognised; raises Unauthenticated when it has ended."""
    return _actor(origin, _standing(sign_in=user_session_id))


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


# Written once: to build it costs as much as to ask it.
_LIVING = _select(_s.id).where(_s.id == bindparam("id"))


def _standing(**of: object) -> Any:
    """Who a sign-in stands for, by its identifier or by its cookie's digest; None when it stands for nobody."""
    return next(iter(asked("nexa.standing_of_sign_in", **of)), None)


def _actor(origin: Origin, row: Any) -> Actor:
    if row is None:
        raise Unauthenticated(_ENDED)
    own = _actor_of(origin, row)
    is_stale = row.seen_ago > SEEN_EVERY
    if not is_stale and row.viewing_id is None:
        return own
    with entering(origin) as db:
        if is_stale:
            _seen(db, row)
        return own if row.viewing_id is None else seen_through(db, own, row.viewing_id)


def _actor_of(origin: Origin, row: Any) -> Actor:
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


def _seen(db: Session, row: Any) -> None:
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
