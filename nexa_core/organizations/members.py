"""The people of an organization: who they are, what they are, and whether they still are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from nexa_core.accounts.models import User
from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.db import reading, recording
from nexa_core.errors import Conflict, Forbidden, Invalid
from nexa_core.organizations.models import OrganizationMembership
from nexa_core.organizations.reach import require_for
from nexa_core.permissions import MEMBERSHIP_ROLES, Permission


@dataclass(frozen=True, slots=True)
class MemberView:
    """One person in one organization, whatever the state of the membership."""

    id: UUID
    user_id: UUID
    full_name: str
    email: str
    role: str
    status: str
    joined_at: dt.datetime | None
    last_active_at: dt.datetime | None


def members(actor: Actor, *, organization_id: UUID) -> tuple[MemberView, ...]:
    """Everybody of an organization, owners first, then by name.

    Raises NotFound for a stranger's organization, Forbidden without MEMBERS_READ.
    """
    require_for(actor, organization_id, own=Permission.MEMBERS_READ, other=Permission.MEMBERS_READ)
    with reading(actor) as db:
        found = db.execute(
            select(
                OrganizationMembership.id,
                OrganizationMembership.user_id,
                User.full_name,
                User.email,
                OrganizationMembership.role,
                OrganizationMembership.status,
                OrganizationMembership.joined_at,
                func.greatest(OrganizationMembership.last_active_at, User.last_login_at),
            )
            .join(User, User.id == OrganizationMembership.user_id)
            .where(OrganizationMembership.organization_id == organization_id, User.deleted_at.is_(None))
            .order_by(OrganizationMembership.role, func.lower(User.full_name), User.id)
        )
        return tuple(MemberView(*row) for row in found)


def change_role(actor: Actor, *, membership_id: UUID, organization_id: UUID, role: str) -> None:
    """Give a member another role. Nobody hands out a role with more rights than their own.

    Raises Forbidden without MEMBERS_MANAGE or above one's own role, Invalid for an unknown role, Conflict when the last
    owner would go.
    """
    if role not in MEMBERSHIP_ROLES:
        raise Invalid(f"There is no role “{role[:40]}”.", field="role")
    with _changing(actor, Action.MEMBER_ROLE_CHANGED, organization_id, membership_id) as (_, membership):
        _outranks(actor, role)
        membership.role = role


def suspend_member(actor: Actor, *, membership_id: UUID, organization_id: UUID, reason: str) -> None:
    """Keep a member out, without forgetting them: their sign-ins to this organization end at once.

    Raises Forbidden without MEMBERS_MANAGE, Invalid without a reason, Conflict when the last owner would go.
    """
    with _changing(actor, Action.MEMBER_SUSPENDED, organization_id, membership_id, reason) as (_, membership):
        if membership.status != "active":
            raise Conflict(f"This membership is {membership.status}, so it cannot be suspended.")
        membership.status = "suspended"


def resume_member(actor: Actor, *, membership_id: UUID, organization_id: UUID, reason: str) -> None:
    """Let a suspended member in again. Raises as ``suspend_member`` does."""
    with _changing(actor, Action.MEMBER_RESUMED, organization_id, membership_id, reason) as (_, membership):
        if membership.status != "suspended":
            raise Conflict(f"This membership is {membership.status}, so it cannot be resumed.")
        membership.status = "active"


def remove_member(actor: Actor, *, membership_id: UUID, organization_id: UUID, reason: str) -> None:
    """End a membership: the person's sign-ins to this organization end at once, what they wrote stays.

    Raises Forbidden without MEMBERS_MANAGE, Invalid without a reason, Conflict when it is the person's only
    organization or the last owner.
    """
    with _changing(actor, Action.MEMBER_REMOVED, organization_id, membership_id, reason) as (db, membership):
        db.delete(membership)


@contextmanager
def _changing(
    actor: Actor, action: Action, organization_id: UUID, membership_id: UUID, reason: str | None = None
) -> Iterator[tuple[Session, OrganizationMembership]]:
    """The membership, locked, in a transaction of its own, for somebody who may change it."""
    require_for(actor, organization_id, own=Permission.MEMBERS_MANAGE, other=Permission.ORGANIZATIONS_MANAGE)
    if reason is not None and not reason.strip():
        raise Invalid("Please give a reason; it is kept in the audit log.", field="reason")
    with recording(actor, action, reason=reason) as db:
        membership = db.scalars(
            select(OrganizationMembership)
            .where(
                OrganizationMembership.id == membership_id, OrganizationMembership.organization_id == organization_id
            )
            .with_for_update()
        ).one()
        _outranks(actor, membership.role)
        yield db, membership


def _outranks(actor: Actor, role: str) -> None:
    """An admin changes no owner and makes none."""
    if not actor.is_staff and not MEMBERSHIP_ROLES[role] <= actor.permissions:
        raise Forbidden(f"The role {role} has rights that you do not have, so you cannot give or change it.")
