"""What the home page shows: figures, who needs attention, what was worked on last."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from nexa_core.accounts.models import User
from nexa_core.actor import Actor
from nexa_core.architecture_sessions.models import ArchitectureSession
from nexa_core.db import reading
from nexa_core.organizations.filters import credits_used
from nexa_core.organizations.listing import OrganizationRow, row_of, rows
from nexa_core.organizations.models import Organization
from nexa_core.organizations.reach import customers_of
from nexa_core.permissions import Permission


@dataclass(frozen=True, slots=True)
class Attention:
    """An organization somebody should look at, and why."""

    organization: OrganizationRow
    reason: str


@dataclass(frozen=True, slots=True)
class RecentSession:
    """An architecture session that was worked on lately."""

    uuid: UUID
    title: str
    client: str | None
    author: str
    organization: str
    updated_at: dt.datetime


@dataclass(frozen=True, slots=True)
class HomeSummary:
    """The figures of everything the actor can reach; credits are those of the organizations' current periods."""

    organizations: int
    people: int
    sessions: int
    credits_used: int
    attention: tuple[Attention, ...]
    customers: tuple[OrganizationRow, ...]
    recent_sessions: tuple[RecentSession, ...]


def summary(actor: Actor) -> HomeSummary:
    """What matters to this person today: over all customers for the platform's people, else their own organization.

    ``customers`` are the ones the actor manages, the most used first. Sessions are left out without SESSIONS_READ.
    """
    actor.require(Permission.ORGANIZATION_READ)
    browsing = actor.may(Permission.ORGANIZATIONS_BROWSE)
    reach = customers_of(actor) if browsing else Organization.id == actor.organization_id
    living = reach & (Organization.status != "deleted")
    with reading(actor) as db:
        found = db.execute(rows().where(living).order_by(credits_used.desc(), Organization.id)).all()
        mine = set(db.scalars(select(Organization.id).where(Organization.account_manager_id == actor.user_id)))
        people = db.scalar(select(func.count()).select_from(User).where(User.deleted_at.is_(None))) or 0
        sessions, recent = _sessions(db, living) if actor.may(Permission.SESSIONS_READ) else (0, ())
    listed = [row_of(row) for row in found]
    return HomeSummary(
        organizations=len(listed),
        people=people,
        sessions=sessions,
        credits_used=sum(organization.credits_used for organization in listed),
        attention=tuple(Attention(row_of(row), reason) for row in found for reason in _reasons(row))
        if browsing
        else (),
        customers=tuple(organization for organization in listed if organization.id in mine),
        recent_sessions=recent,
    )


def _sessions(db: Session, living: Any) -> tuple[int, tuple[RecentSession, ...]]:
    kept = ArchitectureSession.deleted_at.is_(None) & living
    found = (
        select(
            ArchitectureSession.uuid,
            ArchitectureSession.title,
            ArchitectureSession.client,
            User.full_name,
            Organization.name,
            ArchitectureSession.updated_at,
        )
        .join(Organization, Organization.id == ArchitectureSession.organization_id)
        .join(User, User.id == ArchitectureSession.user_id)
        .where(kept)
    )
    count = db.scalar(
        select(func.count())
        .select_from(ArchitectureSession)
        .join(Organization, Organization.id == ArchitectureSession.organization_id)
        .where(kept)
    )
    recent = db.execute(found.order_by(ArchitectureSession.updated_at.desc()).limit(8))
    return count or 0, tuple(RecentSession(*row) for row in recent)


def _reasons(row: Any) -> Iterator[str]:
    """Why somebody should look at this organization today; most urgent first."""
    organization = row_of(row)
    if organization.subscription_status == "past_due":
        yield "Payment is past due"
    allowed = organization.credits_allowance
    if allowed is not None and organization.credits_used > allowed:
        yield f"Used {organization.credits_used:,} of {allowed:,} credits"
    if organization.status == "suspended":
        yield "Suspended"
    if organization.subscription_status == "trialing" and (end := row.subscription_data.get("trial_ends_on")):
        yield f"Trial ends on {_day(end)}"
    quiet = organization.last_activity is None or dt.datetime.now(
        dt.UTC
    ).date() - organization.last_activity > dt.timedelta(days=30)
    if (
        quiet
        and organization.status == "active"
        and organization.created_at < dt.datetime.now(dt.UTC) - dt.timedelta(days=30)
    ):
        yield "Nobody has used NEXA for a month"


def _day(value: object) -> str:
    """A day of stored JSON in words; what is no day is shown as it is."""
    try:
        return f"{dt.date.fromisoformat(str(value)):%-d %b %Y}"
    except ValueError:
        return str(value)
