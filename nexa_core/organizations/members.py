"""The people of an organization: who they are, what they are, and whether they still are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from nexa_core.accounts.models import User
from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.audit.undo import guard
from nexa_core.db import reading, recording
from nexa_core.errors import Conflict, Forbidden, Invalid
from nexa_core.organizations.models import Organization, OrganizationMembership
from nexa_core.organizations.reach import require_for, require_members_manage, require_rank
from nexa_core.organizations.seats import locked, require_seat
from nexa_core.permissions import MEMBERSHIP_ROLES, Permission, granted

STATUSES = ("active", "pending", "suspended")
_M = OrganizationMembership


@dataclass(frozen=True, slots=True)
class MemberView:
    """One person in one organization, whatever the state of the membership.

    ``permissions`` are the ones in effect; ``grant`` and ``deny`` are what sets them apart from the role's.
    """

    id: UUID
    user_id: UUID
    full_name: str
    email: str
    role: str
    status: str
    joined_at: dt.datetime | None
    last_active_at: dt.datetime | None
    account_status: str = "active"
    permissions: frozenset[Permission] = frozenset()
    grant: frozenset[str] = frozenset()
    deny: frozenset[str] = frozenset()


def members(
    actor: Actor, *, organization_id: UUID, text: str = "", role: str | None = None, status: str | None = None
) -> tuple[MemberView, ...]:
    """Everybody of an organization, owners first, then by name; withdrawn invitations are nobody.

    ``text`` is searched in names and addresses. Raises NotFound for a stranger's organization, Forbidden without
    MEMBERS_READ, Invalid for an unknown role or status.
    """
    require_for(actor, organization_id, own=Permission.MEMBERS_READ, other=Permission.MEMBERS_READ)
    if role and role not in MEMBERSHIP_ROLES:
        raise Invalid(f"There is no role “{role[:40]}”.", field="role")
    if status and status not in STATUSES:
        raise Invalid(f"There is no status “{status[:40]}”.", field="status")
    filters: list[ColumnElement[bool]] = [_M.invitation_revoked_at.is_(None) | (_M.status != "pending")]
    filters += [_M.role == role] if role else []
    filters += [_M.status == status] if status else []
    if text := text.strip():
        filters.append(or_(*(c.icontains(text, autoescape=True) for c in (User.full_name, User.email))))
    with reading(actor) as db:
        found = db.execute(
            select(_M, User, Organization.is_platform)
            .join(User, User.id == _M.user_id)
            .join(Organization, Organization.id == _M.organization_id)
            .where(_M.organization_id == organization_id, User.deleted_at.is_(None), *filters)
            .order_by(_M.role, func.lower(User.full_name), User.id)
        ).all()
        if not found:  # nobody to show, or nothing to show it of
            db.get_one(Organization, organization_id)
        return tuple(_view(*row) for row in found)


def change_role(actor: Actor, *, membership_id: UUID, organization_id: UUID, role: str) -> None:
    """Give a member another role. Nobody hands out a role with more rights than their own.

    Raises Forbidden without MEMBERS_MANAGE or above one's own role, Invalid for an unknown role, Conflict when the last
    owner would go, and for an invitation, which is bound to its role.
    """
    if role not in MEMBERSHIP_ROLES:
        raise Invalid(f"There is no role “{role[:40]}”.", field="role")
    with _changing(actor, Action.MEMBER_ROLE_CHANGED, organization_id, membership_id) as (_, _, membership):
        require_rank(actor, organization_id, role)
        if membership.status == "pending":
            raise Conflict("An invitation is bound to its role. Withdraw it and invite the person anew.")
        membership.role = role


def set_permissions(
    actor: Actor,
    *,
    membership_id: UUID,
    organization_id: UUID,
    grant: Iterable[str],
    deny: Iterable[str],
    reason: str,
) -> MemberView:
    """Grant and deny single permissions, replacing all earlier exceptions of this member; a denial goes before a grant.

    What the role gives anyway is no exception and is not stored. Raises Forbidden without MEMBERS_MANAGE, for a member
    of a higher role and for granting what one does not have; Invalid for an unknown permission, one that belongs to the
    platform's own people, one both granted and denied, and without a reason; Conflict for oneself.
    """
    granting, denying = frozenset(grant), frozenset(deny)
    unknown = sorted((granting | denying) - {p.value for p in Permission})
    if unknown:
        raise Invalid(f"There is no permission “{unknown[0][:40]}”.", field="permissions")
    if both := sorted(granting & denying):
        raise Invalid(f"{both[0]} cannot be granted and denied at once.", field="permissions")
    with _changing(actor, Action.MEMBER_PERMISSIONS_CHANGED, organization_id, membership_id, reason) as (
        db,
        organization,
        membership,
    ):
        if membership.user_id == actor.user_id:
            raise Conflict("Nobody changes their own permissions; ask another owner or administrator.")
        platform = organization.is_platform
        by_role = granted(membership.role, is_platform=platform, grant=frozenset(), deny=frozenset())
        reachable = granted("owner", is_platform=platform, grant=frozenset(), deny=frozenset())
        beyond = sorted(granting - {p.value for p in reachable})
        if beyond:
            raise Invalid(f"{beyond[0]} belongs to the platform's own people.", field="permissions")
        extra = {p for p in Permission if p.value in granting} - by_role
        before = membership.permissions.get("grant", []) if isinstance(membership.permissions, dict) else []
        if organization_id == actor.organization_id:
            missing = sorted(p.value for p in extra - actor.permissions if p.value not in before)
            if missing:
                raise Forbidden(f"You cannot grant {missing[0]}, which you do not have yourself.")
        membership.permissions = {
            "grant": sorted(p.value for p in extra),
            "deny": sorted(p.value for p in by_role if p.value in denying),
        }
        db.flush()
        return _view(membership, db.get_one(User, membership.user_id), platform)


def suspend_member(actor: Actor, *, membership_id: UUID, organization_id: UUID, reason: str) -> None:
    """Keep a member out, without forgetting them: their sign-ins to this organization end at once.

    Raises Forbidden without MEMBERS_MANAGE, Invalid without a reason, Conflict when the last owner would go.
    """
    with _changing(actor, Action.MEMBER_SUSPENDED, organization_id, membership_id, reason) as (_, _, membership):
        if membership.status != "active":
            raise Conflict(f"This membership is {membership.status}, so it cannot be suspended.")
        membership.status = "suspended"


def resume_member(actor: Actor, *, membership_id: UUID, organization_id: UUID, reason: str) -> None:
    """Let a suspended member in again. Raises as ``suspend_member`` does, and Conflict when no seat is left."""
    with _changing(actor, Action.MEMBER_RESUMED, organization_id, membership_id, reason) as (
        db,
        organization,
        membership,
    ):
        if membership.status != "suspended":
            raise Conflict(f"This membership is {membership.status}, so it cannot be resumed.")
        require_seat(db, organization)
        membership.status = "active"


def remove_member(actor: Actor, *, membership_id: UUID, organization_id: UUID, reason: str) -> None:
    """End a membership: the person's sign-ins to this organization end at once, what they wrote stays.

    Raises Forbidden without MEMBERS_MANAGE, Invalid without a reason, Conflict when it is the person's only
    organization or the last owner: ``ways_out`` names what can be done instead.
    """
    with _changing(actor, Action.MEMBER_REMOVED, organization_id, membership_id, reason) as (db, _, membership):
        db.delete(membership)


@contextmanager
def _changing(
    actor: Actor, action: Action, organization_id: UUID, membership_id: UUID, reason: str | None = None
) -> Iterator[tuple[Session, Organization, OrganizationMembership]]:
    """The organization and the membership, locked, in a transaction of its own, for somebody who may change it."""
    require_members_manage(actor, organization_id)
    if reason is not None and not reason.strip():
        raise Invalid("Please give a reason; it is kept in the audit log.", field="reason")
    with recording(actor, action, reason=reason.strip()[:1000] if reason else None) as db:
        organization = locked(db, organization_id)
        yield db, organization, member_of(actor, db, organization_id, membership_id)


def member_of(actor: Actor, db: Session, organization_id: UUID, membership_id: UUID) -> OrganizationMembership:
    """A membership, locked, of somebody whom the actor does not have to look up to."""
    membership = db.scalars(
        select(_M).where(_M.id == membership_id, _M.organization_id == organization_id).with_for_update()
    ).one()
    require_rank(actor, organization_id, membership.role)
    return membership


def _guard_undo(
    actor: Actor, db: Session, *, organization_id: UUID, resource_id: UUID, before: Mapping[str, Any], lock: bool
) -> None:
    """Going back to an earlier role or status asks what changing to it does: the lock, the rank, and a seat."""
    found = select(_M).where(_M.id == resource_id, _M.organization_id == organization_id)
    organization = locked(db, organization_id) if lock else db.get_one(Organization, organization_id)
    membership = db.scalars(found.with_for_update() if lock else found).one_or_none()
    if membership is None:
        return  # nothing to go back: the undo says so
    for role in (membership.role, before.get("role", membership.role)):
        require_rank(actor, organization_id, role)
    if before.get("status", membership.status) == "active" != membership.status:
        require_seat(db, organization)


guard("membership", _guard_undo)


def _view(membership: OrganizationMembership, person: User, is_platform: bool) -> MemberView:
    grant, deny = names_of(membership.permissions, "grant"), names_of(membership.permissions, "deny")
    return MemberView(
        id=membership.id,
        user_id=person.id,
        full_name=person.full_name,
        email=person.email,
        role=membership.role,
        status=membership.status,
        joined_at=membership.joined_at,
        last_active_at=_latest(membership.last_active_at, person.last_login_at),
        account_status=person.status,
        permissions=granted(membership.role, is_platform=is_platform, grant=grant, deny=deny),
        grant=grant,
        deny=deny,
    )


def names_of(overrides: Mapping[str, Any], which: str) -> frozenset[str]:
    """The permission names of stored overrides; what is no list of strings is none."""
    found = overrides.get(which)
    return frozenset(name for name in found if isinstance(name, str)) if isinstance(found, list) else frozenset()


def _latest(*moments: dt.datetime | None) -> dt.datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)
