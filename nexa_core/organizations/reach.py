"""Whose organization an actor may act on: the own one by its own permission, another by the platform's."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, true

from nexa_core.actor import Actor, Scope
from nexa_core.config import settings
from nexa_core.errors import NotFound
from nexa_core.organizations.models import Organization
from nexa_core.permissions import Permission


def require_for(actor: Actor, organization_id: UUID, *, own: Permission, other: Permission) -> None:
    """Raise unless the actor may: NotFound for a stranger's organization, Forbidden for a missing permission."""
    if organization_id == actor.organization_id:
        actor.require(own)
    elif actor.scope is Scope.TENANT:
        raise NotFound("There is no such organization.")
    else:
        actor.require(other)


def customers_of(actor: Actor) -> ColumnElement[bool]:
    """The customers a list may show: never the platform itself, and, where NEXA_ACCOUNT_MANAGERS_SEE says so, to an
    account manager only their own."""
    listed = Organization.is_platform.is_(False)
    narrowed = settings().account_managers_see == "own" and not actor.may(Permission.ORGANIZATIONS_MANAGE)
    mine = Organization.account_manager_id == actor.user_id
    return listed & (mine if narrowed and actor.may(Permission.PORTFOLIO_READ) else true())
