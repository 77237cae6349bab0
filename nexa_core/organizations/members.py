"""The people of an organization: who they are, what they are, and whether they still are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, false, func, or_, select
from sqlalchemy.orm import Session

from nexa_core.accounts.models import User
from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.audit.undo import guard
from nexa_core.db import reading, recording
from nexa_core.errors import Conflict, Forbidden, Invalid
from nexa_core.organizations import fields
from nexa_core.organizations.models import Organization, OrganizationMembership
from nexa_core.organizations.reach import require_for, require_members_manage, require_rank
from nexa_core.organizations.seats import locked, require_seat
from nexa_core.permissions import MEMBERSHIP_ROLES, Permission, grantable, granted

STATUSES = ("active", "pending", "suspended")
#: The state of an account that was made by an invitation.
INVITED = "pending"
_M = OrganizationMembership


@dataclass(frozen=True, slots=True)
class MemberView:
    """One person in one organization, whatever the state of the membership. Who is pending is invited or asks to join.

    ``permissions`` are the ones in effect; ``grant`` and ``deny`` are what sets them apart from the role's. Of somebody
    who has only been invited, a customer learns no more than the address it invited.
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
    asks_to_join: bool = False
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
        filters.append(or_(*(c.icontains(text, autoescape=True) for c in (_called(actor), User.email))))
    with reading(actor) as db:
        found = db.execute(
            select(_M, User, Organization.is_platform, only_invited(actor))
            .join(User, User.id == _M.user_id)
            .join(Organization, Organization.id == _M.organization_id)
            .where(_M.organization_id == organization_id, User.deleted_at.is_(None), *filters)
            .order_by(_M.role, func.lower(_called(actor)), User.id)
        ).all()
        if not found:  # nobody to show, or nothing to show it of
            db.get_one(Organization, organization_id)
        return tuple(_view(*row) for row in found)


def change_role(actor: Actor, *, membership_id: UUID, organization_id: UUID, role: str, reason: str = "") -> None:
    """Give a member another role. Nobody hands out a role with more rights than their own.

    Raises Forbidden without MEMBERS_MANAGE or above one's own role, Invalid for an unknown role and without a reason
    where somebody who manages members loses rights, Conflict when the last owner would go, and for an invitation,
    which is bound to its role.
    """
    if role not in MEMBERSHIP_ROLES:
        raise Invalid(f"There is no role “{role[:40]}”.", field="role")
    given = fields.reason_if_any(reason)
    with _changing(actor, Action.MEMBER_ROLE_CHANGED, organization_id, membership_id, given) as (
        _,
        organization,
        membership,
    ):
        require_rank(actor, organization_id, role)
        if membership.status == "pending" and membership.requested_at is not None:
            raise Conflict("This person waits to be let in. Let them in first, then change the role.")
        if membership.status == "pending":
            raise Conflict("An invitation is bound to its role. Withdraw it and invite the person anew.")
        if given is None and _is_demotion(membership.role, role, is_platform=organization.is_platform):
            fields.reason(reason)
        membership.role = role


def _is_demotion(before: str, after: str, *, is_platform: bool) -> bool:
    """Whether somebody who manages members loses rights by another role."""
    had, has = (granted(role, is_platform=is_platform, grant=frozenset(), deny=frozenset()) for role in (before, after))
    return Permission.MEMBERS_MANAGE in had and not had <= has


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
    of a higher role and for granting what one does not have; Invalid for an unknown permission, one that is not
    ``grantable`` to the role, one both granted and denied, and without a reason; Conflict for oneself.
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
        beyond = sorted(granting - {p.value for p in grantable(membership.role, is_platform=platform)})
        if beyond:
            whose = "is more than a presenter can have" if platform else "belongs to the platform's own people"
            raise Invalid(f"{beyond[0]} {whose}.", field="permissions")
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
        is_invited = bool(db.scalar(select(only_invited(actor)).where(_M.id == membership.id)))
        return _view(membership, db.get_one(User, membership.user_id), platform, is_invited)


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


def only_invited(actor: Actor) -> ColumnElement[bool]:
    """Whether a membership is an invitation, whose person the actor may know by no more than the address.

    They may have had an account for long, with others; that they have is theirs to tell, by accepting.
    """
    return false() if actor.is_staff else and_(_M.status == "pending", _M.requested_at.is_(None))


def _called(actor: Actor) -> ColumnElement[str]:
    return case((only_invited(actor), User.email), else_=User.full_name)


def _view(membership: OrganizationMembership, person: User, is_platform: bool, is_invited: bool) -> MemberView:
    grant, deny = names_of(membership.permissions, "grant"), names_of(membership.permissions, "deny")
    return MemberView(
        id=membership.id,
        user_id=person.id,
        full_name=person.email if is_invited else person.full_name,
        email=person.email,
        role=membership.role,
        status=membership.status,
        joined_at=membership.joined_at,
        last_active_at=_latest(membership.last_active_at, None if is_invited else person.last_login_at),
        account_status=INVITED if is_invited else person.status,
        asks_to_join=membership.status == "pending" and membership.requested_at is not None,
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
