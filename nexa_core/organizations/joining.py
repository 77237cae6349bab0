"""Joining by e-mail domain: what switching it on would do, and the queue of those who ask."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, insert, select, text, update
from sqlalchemy.orm import Session

from nexa_core.accounts.models import User
from nexa_core.accounts.viewing import flags
from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.billing import PLANS
from nexa_core.db import reading, recording
from nexa_core.errors import Conflict, Forbidden, Invalid, LimitExceeded
from nexa_core.organizations import fields, seats
from nexa_core.organizations.models import Organization, OrganizationDomain, OrganizationMembership
from nexa_core.organizations.reach import outranks, require_for, require_rank
from nexa_core.permissions import Permission, has_feature

#: Who joins by a domain gets one of these: nobody becomes owner or admin by where their mail arrives.
ROLES = ("viewer", "member", "billing")
_CANDIDATES = text("SELECT * FROM nexa.domain_candidates(:claim)")


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody with a confirmed address of the domain.

    ``verdict`` is joins; or what they are there already: member, paused (a suspended membership), invited, waiting or
    removed; or what their account is: suspended or pending.
    """

    user_id: UUID
    full_name: str
    email: str
    verdict: str


@dataclass(frozen=True, slots=True)
class BlastRadius:
    """What switching joining on would do: who, and the seats after. ``seats`` is None where there is no limit."""

    candidates: tuple[Candidate, ...]
    members: int
    seats: int | None

    @property
    def joining(self) -> tuple[Candidate, ...]:
        return tuple(one for one in self.candidates if one.verdict == "joins")

    @property
    def members_after(self) -> int:
        return self.members + len(self.joining)

    @property
    def fits(self) -> bool:
        return self.seats is None or self.members_after <= self.seats


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """Somebody in the queue."""

    membership_id: UUID
    full_name: str
    email: str
    role: str
    requested_at: dt.datetime


def joining_roles(actor: Actor, *, organization_id: UUID) -> tuple[str, ...]:
    """The roles of ``ROLES`` the actor may hand out by a domain: none with rights they do not have themselves.

    Raises as ``set_joining`` does.
    """
    require_for(actor, organization_id, own=Permission.ORGANIZATION_MANAGE, other=Permission.ORGANIZATIONS_MANAGE)
    return tuple(role for role in ROLES if outranks(actor, organization_id, role))


def blast_radius(actor: Actor, *, organization_id: UUID, domain_id: UUID) -> BlastRadius:
    """Which existing people would join if it were switched on now, and how many seats that takes.

    Raises as ``set_joining`` does.
    """
    require_for(actor, organization_id, own=Permission.ORGANIZATION_MANAGE, other=Permission.ORGANIZATIONS_MANAGE)
    with reading(actor) as db:
        _proven(db, organization_id, domain_id)
        return _radius(db, organization_id, domain_id)


def set_joining(
    actor: Actor,
    *,
    organization_id: UUID,
    domain_id: UUID,
    enabled: bool,
    role: str = "viewer",
    approval_required: bool = False,
    expected: Collection[UUID] = (),
    reason: str = "",
) -> int:
    """Say who joins by a proven domain, and how; how many existing people joined by it now.

    ``expected`` are the people the blast radius named: if it is another set by now, nobody joins. With
    ``approval_required`` they wait in the queue instead. Raises Conflict for a domain that is not proven or a radius
    that has changed, Forbidden where the plan does not include it and for a role above the actor's own, LimitExceeded
    beyond the seats, Invalid for a role that is not handed out this way.
    """
    require_for(actor, organization_id, own=Permission.ORGANIZATION_MANAGE, other=Permission.ORGANIZATIONS_MANAGE)
    if role not in ROLES:
        raise Invalid("By a domain people join as viewer, member or billing; raise somebody later.", field="role")
    with recording(actor, Action.DOMAIN_JOINING_CHANGED, reason=fields.reason_if_any(reason)) as db:
        organization = seats.locked(db, organization_id)
        claim = _proven(db, organization_id, domain_id, changing=True)
        if enabled or role != claim.auto_join_role:  # anybody who manages may stop what others hand out
            require_rank(actor, organization_id, role)
        switched_on = enabled and not claim.auto_join_enabled
        claim.auto_join_enabled, claim.auto_join_role, claim.approval_required = enabled, role, approval_required
        db.flush()
        if not switched_on:
            return 0
        if not offers_joining(organization.plan_type, organization.usage_limits):
            raise Forbidden("Joining by domain is not part of this organization's plan.")
        radius = _radius(db, organization_id, domain_id)
        people = [one.user_id for one in radius.joining]
        if set(people) != set(expected):
            raise Conflict("Who would join has changed since it was shown. Look at the list again.")
        if not approval_required and not radius.fits:
            raise LimitExceeded(
                f"{len(people)} people would join, and that makes {radius.members_after} of {radius.seats} seats."
            )
        for person in people:
            join(db, organization_id, person, role, waiting=approval_required)
        return len(people)


def join_requests(actor: Actor, *, organization_id: UUID) -> tuple[JoinRequest, ...]:
    """Who waits to be let in, the longest first. Raises Forbidden without MEMBERS_MANAGE."""
    require_for(actor, organization_id, own=Permission.MEMBERS_MANAGE, other=Permission.ORGANIZATIONS_MANAGE)
    waiting = (
        select(OrganizationMembership, User.full_name, User.email)
        .join(User, User.id == OrganizationMembership.user_id)
        .where(OrganizationMembership.organization_id == organization_id, *_waits())
        .order_by(OrganizationMembership.requested_at, OrganizationMembership.id)
    )
    with reading(actor) as db:
        return tuple(
            JoinRequest(m.id, name or email, email, m.role, m.requested_at or m.created_at)
            for m, name, email in db.execute(waiting)
        )


def approve_join(actor: Actor, *, organization_id: UUID, membership_id: UUID) -> None:
    """Let somebody in who waits.

    Raises LimitExceeded when no seat is free, NotFound when they do not wait any more, Forbidden for a role above the
    actor's own.
    """
    require_for(actor, organization_id, own=Permission.MEMBERS_MANAGE, other=Permission.ORGANIZATIONS_MANAGE)
    with recording(actor, Action.JOIN_APPROVED) as db:
        organization = seats.locked(db, organization_id)
        membership = _waiting(db, organization_id, membership_id)
        require_rank(actor, organization_id, membership.role)
        if seats.seats_of(db, organization).left == 0:
            raise LimitExceeded("Every seat is taken. Free one, or raise the limit, then let them in.")
        membership.status, membership.joined_at = "active", func.now()


def decline_join(actor: Actor, *, organization_id: UUID, membership_id: UUID, reason: str) -> None:
    """Keep somebody out who waits, for good: the membership is suspended, so the domain does not ask again for them."""
    require_for(actor, organization_id, own=Permission.MEMBERS_MANAGE, other=Permission.ORGANIZATIONS_MANAGE)
    if not (reason := reason.strip()):
        raise Invalid("Please give a reason; it is kept in the audit log.", field="reason")
    with recording(actor, Action.JOIN_DECLINED, reason=reason[:1000]) as db:
        seats.locked(db, organization_id)
        _waiting(db, organization_id, membership_id).status = "suspended"


def join(db: Session, organization_id: UUID, user_id: UUID, role: str, *, waiting: bool) -> None:
    """Write the membership of somebody who joins by domain, in the caller's transaction.

    It takes the place of an invitation that was withdrawn: of that the log tells.
    """
    values = {
        "role": role,
        "status": "pending" if waiting else "active",
        "requested_at": func.now() if waiting else None,
        "joined_at": None if waiting else func.now(),
    }
    withdrawn = (
        update(OrganizationMembership)
        .where(
            OrganizationMembership.organization_id == organization_id,
            OrganizationMembership.user_id == user_id,
            OrganizationMembership.status == "pending",
            OrganizationMembership.invitation_revoked_at.is_not(None),
        )
        .values(
            **values, permissions={}, invited_by=None, invited_at=None, invitation_token=None,
            invitation_expires_at=None, invitation_opened_at=None, invitation_message=None, invitation_revoked_at=None,
            updated_at=func.now(),
        )
        .returning(OrganizationMembership.id)
    )  # fmt: skip
    if db.scalar(withdrawn) is None:
        db.execute(insert(OrganizationMembership).values(user_id=user_id, organization_id=organization_id, **values))


def offers_joining(plan: str, usage_limits: Mapping[str, Any]) -> bool:
    """Whether joining by domain is part of what an organization subscribed to."""
    known = PLANS.get(plan)
    # Who joins takes a seat, so a plan that nobody knows opens this to nobody.
    return has_feature("auto_join", agreed=flags(usage_limits.get("features")), plan=known.features if known else {})


def _proven(db: Session, organization_id: UUID, domain_id: UUID, *, changing: bool = False) -> OrganizationDomain:
    wanted = select(OrganizationDomain).where(
        OrganizationDomain.id == domain_id, OrganizationDomain.organization_id == organization_id
    )
    claim = db.scalars(wanted.with_for_update() if changing else wanted).one()
    if claim.verified_at is None:
        raise Conflict("People join by a domain only once it is proven.")
    return claim


def _radius(db: Session, organization_id: UUID, domain_id: UUID) -> BlastRadius:
    found = db.execute(_CANDIDATES, {"claim": domain_id}).all()
    candidates = tuple(Candidate(r.user_id, r.full_name or r.email, r.email, _verdict(r)) for r in found)
    organization = db.get_one(Organization, organization_id)
    taken = seats.seats_of(db, organization)
    return BlastRadius(candidates, taken.taken, taken.limit)


def _verdict(candidate: Row[Any]) -> str:
    if candidate.membership is not None:
        return {"active": "member", "suspended": "paused"}.get(candidate.membership, str(candidate.membership))
    if candidate.was_removed:
        return "removed"
    return "joins" if candidate.status == "active" else str(candidate.status)


def _waits() -> tuple[ColumnElement[bool], ...]:
    return OrganizationMembership.status == "pending", OrganizationMembership.requested_at.is_not(None)


def _waiting(db: Session, organization_id: UUID, membership_id: UUID) -> OrganizationMembership:
    return db.scalars(
        select(OrganizationMembership)
        .where(
            OrganizationMembership.id == membership_id,
            OrganizationMembership.organization_id == organization_id,
            *_waits(),
        )
        .with_for_update()
    ).one()
