"""Whose organization an actor may act on: the own one by its own permission, another by the platform's."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, true

from nexa_core.actor import Actor, Scope
from nexa_core.errors import Forbidden, Invalid, NotFound
from nexa_core.organizations.models import Organization
from nexa_core.permissions import MEMBERSHIP_ROLES, PLATFORM_ROLES, Permission
from nexa_core.usage.reach import only_of, require_seen


def require_for(actor: Actor, organization_id: UUID, *, own: Permission, other: Permission) -> None:
    """Raise unless the actor may: NotFound for an organization out of reach, Forbidden for a missing permission."""
    if organization_id == actor.organization_id:
        actor.require(own)
    elif actor.scope is Scope.TENANT:
        raise NotFound("There is no such organization.")
    else:
        actor.require(other)
        require_seen(actor, organization_id)


#: By which right of the platform's own people another's organization is reached, where it is not the right itself: what
#: ``require_for`` is asked with everywhere.
BY_STAFF = {
    Permission.ORGANIZATION_READ: Permission.ORGANIZATIONS_BROWSE,
    Permission.ORGANIZATION_MANAGE: Permission.ORGANIZATIONS_MANAGE,
    Permission.MEMBERS_MANAGE: Permission.ORGANIZATIONS_MANAGE,
    Permission.BILLING_MANAGE: Permission.ORGANIZATIONS_MANAGE,
}


def require_members_manage(actor: Actor, organization_id: UUID) -> None:
    """Raise unless the actor may change who belongs to the organization."""
    require_for(actor, organization_id, own=Permission.MEMBERS_MANAGE, other=Permission.ORGANIZATIONS_MANAGE)


def outranks(actor: Actor, organization_id: UUID, role: str) -> bool:
    """Whether the actor has every right of the role there: an admin neither makes nor changes an owner."""
    if organization_id != actor.organization_id:
        return actor.may(Permission.ORGANIZATIONS_MANAGE)
    roles = PLATFORM_ROLES if actor.standing.is_platform else MEMBERSHIP_ROLES
    return roles[role] <= actor.permissions


def require_rank(actor: Actor, organization_id: UUID, role: str) -> None:
    """Raise Invalid for an unknown role, Forbidden for one that is above the actor's own."""
    if role not in MEMBERSHIP_ROLES:
        raise Invalid(f"There is no role “{role[:40]}”.", field="role")
    if not outranks(actor, organization_id, role):
        raise Forbidden(f"The role {role} has rights that you do not have, so you cannot give or change it.")


def customers_of(actor: Actor) -> ColumnElement[bool]:
    """The customers a list may show: never the platform itself, and, where NEXA_ACCOUNT_MANAGERS_SEE says so, to an
    account manager only their own."""
    listed = Organization.is_platform.is_(False)
    manager = only_of(actor)
    return listed & (true() if manager is None else Organization.account_manager_id == manager)
