"""A person's own sign-ins: see them, end one, end the others, sign out, switch to another organization."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from nexa_core.accounts.devices import device_label
from nexa_core.accounts.identity import require_living
from nexa_core.accounts.memberships import organization_members
from nexa_core.accounts.models import UserSession
from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.db import entering, reading, recording
from nexa_core.errors import NotFound, Unauthenticated

_m = organization_members.c


@dataclass(frozen=True, slots=True)
class SignInView:
    """One living sign-in, in words its person recognises."""

    id: UUID
    kind: str
    device: str
    ip_address: str | None
    created_at: dt.datetime
    last_seen_at: dt.datetime
    expires_at: dt.datetime
    is_current: bool


@dataclass(frozen=True, slots=True)
class MembershipView:
    """An organization the person can act in."""

    organization_id: UUID
    organization_name: str
    organization_slug: str
    role: str
    is_current: bool


def person_of(actor: Actor) -> UUID:
    """Whose account it is; raises Unauthenticated for an actor that is nobody in person."""
    if actor.user_id is None:
        raise Unauthenticated("Only a person has an account. Please sign in.")
    return actor.user_id


def my_sign_ins(actor: Actor) -> tuple[SignInView, ...]:
    """The actor's living sign-ins, the one in use first, then the most recently seen."""
    with reading(actor.own) as db:
        return living_sign_ins(db, person_of(actor), current=actor.user_session_id)


def living_sign_ins(db: Session, user_id: UUID, *, current: UUID | None) -> tuple[SignInView, ...]:
    """Somebody's living sign-ins, the ``current`` one first, then the most recently seen."""
    living = (
        select(UserSession)
        .where(UserSession.user_id == user_id, UserSession.revoked_at.is_(None), UserSession.expires_at > func.now())
        .order_by((UserSession.id == current).desc(), UserSession.last_seen_at.desc())
    )
    return tuple(
        SignInView(
            id=one.id,
            kind=one.kind,
            device=device_label(one.user_agent),
            ip_address=str(one.ip_address) if one.ip_address is not None else None,
            created_at=one.created_at,
            last_seen_at=one.last_seen_at,
            expires_at=one.expires_at,
            is_current=one.id == current,
        )
        for one in db.scalars(living)
    )


def sign_out(actor: Actor) -> None:
    """End the sign-in the actor is using; ending it twice is no error."""
    _end(actor.own, Action.USER_SIGNED_OUT, "signed_out", UserSession.id == actor.user_session_id)


def end_sign_in(actor: Actor, *, user_session_id: UUID) -> None:
    """End one of the actor's own sign-ins; raises NotFound for any other."""
    if not _end(actor, Action.SIGN_IN_ENDED, "ended_by_person", UserSession.id == user_session_id):
        raise NotFound("This sign-in has ended already, or it is not yours.")


def end_other_sign_ins(actor: Actor) -> int:
    """End all of the actor's sign-ins but the one in use; how many that were."""
    return _end(actor, Action.SIGN_IN_ENDED, "ended_by_person", UserSession.id.is_distinct_from(actor.user_session_id))


def my_organizations(actor: Actor) -> tuple[MembershipView, ...]:
    """The active organizations the actor can switch to, by name, the current one included."""
    memberships = (
        select(_m.organization_id, _m.organization_name, _m.organization_slug, _m.role)
        .where(_m.user_id == person_of(actor), _m.organization_status == "active")
        .order_by(_m.organization_name, _m.organization_id)
    )
    with entering(actor.origin, user_id=actor.user_id, organization_id=actor.organization_id) as db:
        return tuple(
            MembershipView(
                organization_id=row.organization_id,
                organization_name=row.organization_name,
                organization_slug=row.organization_slug,
                role=row.role,
                is_current=row.organization_id == actor.organization_id,
            )
            for row in db.execute(memberships)
        )


def switch_organization(actor: Actor, *, organization_id: UUID) -> None:
    """Let the sign-in in use act in another organization of the person's; NotFound for one that is not theirs."""
    actor.require_own_eyes()
    person = person_of(actor)
    with entering(actor.origin, Action.SIGN_IN_SWITCHED, user_id=person, organization_id=organization_id) as db:
        belongs = select(_m.user_id).where(
            _m.user_id == person, _m.organization_id == organization_id, _m.organization_status == "active"
        )
        if db.scalar(belongs) is None:
            raise NotFound("You have no active membership in this organization.")
        db.execute(
            update(UserSession)
            .where(UserSession.id == actor.user_session_id, UserSession.user_id == person)
            .values(organization_id=organization_id)
        )
        if actor.user_session_id is None:
            raise Unauthenticated("There is no sign-in to switch.")
        require_living(db, actor.user_session_id)


def _end(actor: Actor, action: Action, reason: str, which: ColumnElement[bool]) -> int:
    statement = (
        update(UserSession)
        .where(UserSession.user_id == person_of(actor), UserSession.revoked_at.is_(None), which)
        .where(UserSession.expires_at > func.now())
        .values(revoked_at=func.now(), revoked_reason=reason)
        .returning(UserSession.id)
    )
    with recording(actor, action) as db:
        return len(db.execute(statement, execution_options={"synchronize_session": False}).all())
