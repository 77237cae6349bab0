"""One organization: read it, rename it, suspend and resume it."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.architecture_sessions.models import ArchitectureSession
from nexa_core.db import reading, recording
from nexa_core.errors import Conflict, NotFound
from nexa_core.organizations import fields
from nexa_core.organizations.listing import OrganizationRow, row_of, rows
from nexa_core.organizations.models import Organization
from nexa_core.organizations.reach import customers_of, require_for
from nexa_core.permissions import Permission


@dataclass(frozen=True, slots=True)
class OrganizationView(OrganizationRow):
    """One organization, whole: what its list row shows, and what only its page shows."""

    domain: str | None
    logo_url: str | None
    brand_colors: dict[str, Any]
    address: dict[str, Any]
    tax_id: str | None
    billing_email: str | None
    subscription_data: dict[str, Any]
    usage_limits: dict[str, Any]
    time_zone: str
    sessions: int
    is_platform: bool
    account_manager_id: UUID | None
    deleted_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class OrganizationState:
    """What a change made of an organization."""

    id: UUID
    name: str
    slug: str
    status: str

    @classmethod
    def of(cls, organization: Organization) -> OrganizationState:
        return cls(organization.id, organization.name, organization.slug, organization.status)


# One statement, built once: loading the row to change it would cost as much again as the audited change itself.
_organizations = Organization.metadata.tables["organizations"]
_RENAME = (
    update(_organizations)
    .where(_organizations.c.id == bindparam("target"))
    .values(name=bindparam("new_name"))
    .returning(_organizations.c.id, _organizations.c.name, _organizations.c.slug, _organizations.c.status)
)


def current(actor: Actor) -> OrganizationView:
    """The organization the actor is signed in to. Raises Forbidden without ORGANIZATION_READ."""
    actor.require(Permission.ORGANIZATION_READ)
    if actor.organization_id is None:
        raise NotFound("There is no current organization.")
    with reading(actor) as db:
        return _view(db, Organization.id == actor.organization_id)


def get(actor: Actor, *, organization_id: UUID | None = None, slug: str | None = None) -> OrganizationView:
    """An organization by id or slug: the actor's own, or, with ORGANIZATIONS_BROWSE, any the actor can reach.

    Raises NotFound for one the actor may not know of.
    """
    own = organization_id == actor.organization_id if organization_id else slug == actor.organization_slug
    if own:
        return current(actor)
    if not actor.may(Permission.ORGANIZATIONS_BROWSE):
        raise NotFound("There is no such organization.")
    which = Organization.id == organization_id if organization_id else Organization.slug == slug
    with reading(actor) as db:
        return _view(db, which & customers_of(actor))


def rename(actor: Actor, *, name: str, organization_id: UUID | None = None) -> OrganizationState:
    """Give an organization a new name; without an id, the actor's own.

    Raises Forbidden without ORGANIZATION_MANAGE (ORGANIZATIONS_MANAGE for another), Invalid for an empty name or one
    over 255 characters.
    """
    target = _target(actor, organization_id)
    name = fields.line(name, "The name", field="name", most=255, required=True)
    with recording(actor, Action.ORGANIZATION_RENAMED) as db:
        return OrganizationState(*db.execute(_RENAME, {"target": target, "new_name": name}).one())


def suspend(actor: Actor, *, organization_id: UUID, reason: str) -> OrganizationState:
    """Stop an organization: its people are signed out at once and cannot sign in to it until it is resumed.

    Raises Forbidden without ORGANIZATIONS_MANAGE, Invalid without a reason, Conflict unless it is active.
    """
    return _set_status(actor, organization_id, reason, Action.ORGANIZATION_SUSPENDED, "active", "suspended")


def resume(actor: Actor, *, organization_id: UUID, reason: str) -> OrganizationState:
    """Let a suspended organization work again. Raises as ``suspend`` does."""
    return _set_status(actor, organization_id, reason, Action.ORGANIZATION_RESUMED, "suspended", "active")


def _set_status(
    actor: Actor, organization_id: UUID, reason: str, action: Action, before: str, after: str
) -> OrganizationState:
    actor.require(Permission.ORGANIZATIONS_MANAGE)
    with recording(actor, action, reason=fields.reason(reason)) as db:
        organization = db.get_one(Organization, organization_id, with_for_update=True)
        if organization.is_platform:
            raise Conflict("The platform's own organization cannot be suspended.")
        if organization.status != before:
            raise Conflict(f"{organization.name} is {organization.status}, so it cannot become {after}.")
        organization.status = after
        return OrganizationState.of(organization)


def _target(actor: Actor, organization_id: UUID | None) -> UUID:
    target = organization_id or actor.organization_id
    if target is None:
        raise NotFound("There is no such organization.")
    require_for(actor, target, own=Permission.ORGANIZATION_MANAGE, other=Permission.ORGANIZATIONS_MANAGE)
    return target


_sessions = (
    select(func.count())
    .select_from(ArchitectureSession)
    .where(ArchitectureSession.organization_id == Organization.id, ArchitectureSession.deleted_at.is_(None))
    .scalar_subquery()
)


def _view(db: Session, which: Any) -> OrganizationView:
    details = rows(
        Organization.domain,
        Organization.logo_url,
        Organization.brand_colors,
        Organization.address,
        Organization.tax_id,
        Organization.billing_email,
        Organization.time_zone,
        Organization.is_platform,
        Organization.deleted_at,
        _sessions.label("sessions"),
    )
    row = db.execute(details.where(which)).one()
    return OrganizationView(
        **asdict(row_of(row)),
        domain=row.domain,
        logo_url=row.logo_url,
        brand_colors=row.brand_colors,
        address=row.address,
        tax_id=row.tax_id,
        billing_email=row.billing_email,
        subscription_data=row.subscription_data,
        usage_limits=row.usage_limits,
        time_zone=row.time_zone,
        sessions=row.sessions,
        is_platform=row.is_platform,
        account_manager_id=row.account_manager_id,
        deleted_at=row.deleted_at,
    )
