"""The end of an organization and its way back: deleted is hidden and stopped, nothing is lost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from nexa_core.accounts.models import UserSession
from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.architecture_sessions.models import ArchitectureSession
from nexa_core.audit.entry import value_before
from nexa_core.db import reading, recording
from nexa_core.errors import Conflict, Invalid
from nexa_core.organizations import fields
from nexa_core.organizations.filters import has_owner
from nexa_core.organizations.invitations import is_open
from nexa_core.organizations.models import Organization, OrganizationDomain, OrganizationMembership
from nexa_core.organizations.reach import customers_of
from nexa_core.organizations.service import OrganizationState
from nexa_core.permissions import Permission

_HERE = "belong nowhere else"
SLUG_KEPT = dt.timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Consequences:
    """What stops when an organization is deleted, a sentence each, and what stays."""

    stops: tuple[str, ...]
    stays: tuple[str, ...]


def consequences_of_deletion(actor: Actor, *, organization_id: UUID) -> Consequences:
    """What deleting the organization would stop. Raises Forbidden without ORGANIZATIONS_MANAGE."""
    actor.require(Permission.ORGANIZATIONS_MANAGE)
    elsewhere = aliased(OrganizationMembership)
    memberships = select(func.count()).where(OrganizationMembership.organization_id == organization_id)
    member = OrganizationMembership.status == "active"
    only_here = ~(
        select(elsewhere.id)
        .where(
            elsewhere.user_id == OrganizationMembership.user_id,
            elsewhere.organization_id != organization_id,
            elsewhere.status == "active",
        )
        .exists()
    )
    living = UserSession.revoked_at.is_(None) & (UserSession.expires_at > func.now())
    counts: dict[str, ColumnElement[int]] = {
        "members": memberships.where(member).scalar_subquery(),
        "only_here": memberships.where(member, only_here).scalar_subquery(),
        "invited": memberships.where(is_open).scalar_subquery(),
        "signed_in": select(func.count(func.distinct(UserSession.user_id)))
        .where(UserSession.organization_id == organization_id, living)
        .scalar_subquery(),
        "domains": select(func.count())
        .where(OrganizationDomain.organization_id == organization_id, OrganizationDomain.auto_join_enabled)
        .scalar_subquery(),
        "sessions": select(func.count())
        .where(ArchitectureSession.organization_id == organization_id, ArchitectureSession.deleted_at.is_(None))
        .scalar_subquery(),
    }
    with reading(actor) as db:
        db.execute(select(Organization.id).where(Organization.id == organization_id, customers_of(actor))).one()
        row = db.execute(select(*(count.label(name) for name, count in counts.items()))).one()._mapping
    return Consequences(
        tuple(_stops(**row)),
        (
            f"Its {_many(row['sessions'], 'session')}, its usage and its audit log stay, and come back with it.",
            f"Its slug stays taken for {SLUG_KEPT.days} days.",
        ),
    )


def delete(actor: Actor, *, organization_id: UUID, confirmation: str, reason: str) -> OrganizationState:
    """Delete an organization so that it can be restored. ``confirmation`` is its slug, typed.

    Its people are signed out at once, and nobody signs in to it, joins it or records usage for it.
    Raises Forbidden without ORGANIZATIONS_MANAGE, Invalid without a reason or for another slug, Conflict for one that
    is deleted already.
    """
    actor.require(Permission.ORGANIZATIONS_MANAGE)
    reason = fields.reason(reason)
    with recording(actor, Action.ORGANIZATION_DELETED, reason=reason) as db:
        organization = db.get_one(Organization, organization_id, with_for_update=True)
        if organization.is_platform:
            raise Conflict("The platform's own organization cannot be deleted.")
        if organization.status == "deleted":
            raise Conflict(f"{organization.name} is deleted already.")
        if confirmation.strip() != organization.slug:
            raise Invalid("This is not its slug, so nothing was deleted.", field="confirmation")
        organization.status, organization.deleted_at = "deleted", func.now()
        organization.updated_at = func.now()
        db.flush()
        return OrganizationState.of(organization)


def restore(actor: Actor, *, organization_id: UUID, reason: str) -> OrganizationState:
    """Bring a deleted organization back as it was: suspended if it was, pending if it has no owner any more.

    Raises Forbidden without ORGANIZATIONS_MANAGE, Invalid without a reason, Conflict for one that is not deleted.
    """
    actor.require(Permission.ORGANIZATIONS_MANAGE)
    reason = fields.reason(reason)
    with recording(actor, Action.ORGANIZATION_RESTORED, reason=reason) as db:
        organization = db.get_one(Organization, organization_id, with_for_update=True)
        if organization.status != "deleted":
            raise Conflict(f"{organization.name} is {organization.status}, so there is nothing to restore.")
        organization.status = _before(db, organization)
        organization.deleted_at = None
        organization.updated_at = func.now()
        db.flush()
        return OrganizationState.of(organization)


def _before(db: Session, organization: Organization) -> str:
    """What it was before, as far as it still can be."""
    former = value_before(db, Action.ORGANIZATION_DELETED, organization.id, "status") or "active"
    owned = db.scalar(select(has_owner).select_from(Organization).where(Organization.id == organization.id))
    return former if former != "active" or owned else "pending"


def _stops(*, members: int, only_here: int, invited: int, signed_in: int, domains: int, sessions: int) -> Iterator[str]:
    if members:
        yield f"{_many(members, 'member')} can no longer sign in to it; {only_here or 'none'} of them {_HERE}."
    if signed_in:
        yield f"{_many(signed_in, 'person', 'people')} signed in to it just now lose their screens within a second."
    if invited:
        yield f"{_many(invited, 'open invitation')} can no longer be accepted."
    if domains:
        yield f"{_many(domains, 'domain')} no longer let people join by themselves."
    if sessions:
        yield f"{_many(sessions, 'session')} can no longer be opened by anybody of the customer."
    yield "Usage is no longer recorded for it: programs that report it are refused."


def _many(count: int, one: str, more: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else more or one + 's'}"
