"""What the home page shows: figures, who needs attention, what was worked on last."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from nexa_core.accounts.models import User
from nexa_core.actor import Actor
from nexa_core.architecture_sessions.models import ArchitectureSession
from nexa_core.db import reading
from nexa_core.organizations import attention
from nexa_core.organizations.filters import credits_used, of_current_period
from nexa_core.organizations.listing import OrganizationRow, row_of, rows
from nexa_core.organizations.models import Organization
from nexa_core.organizations.reach import customers_of
from nexa_core.permissions import Permission
from nexa_core.usage.models import UsageCounter


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
    used_most = rows().where(living).order_by(credits_used.desc(), Organization.id)
    today = dt.datetime.now(dt.UTC).date()
    with reading(actor) as db:
        count, used = db.execute(_sums().where(living)).one()
        people = db.scalar(select(func.count()).select_from(User).where(User.deleted_at.is_(None))) or 0
        looked_at = db.execute(used_most.where(attention.may_concern(today))).all() if browsing else ()
        mine = db.execute(used_most.where(Organization.account_manager_id == actor.user_id)).all()
        recent = _recent(db, living) if actor.may(Permission.SESSIONS_READ) else ()
    return HomeSummary(
        organizations=count,
        people=people,
        credits_used=int(used),
        attention=tuple(
            Attention(organization, concern.label)
            for row, organization in zip(looked_at, map(row_of, looked_at), strict=True)
            for concern in attention.concerns(
                organization, subscription_data=row.subscription_data, usage_limits=row.usage_limits, today=today
            )
        ),
        customers=tuple(row_of(row) for row in mine),
        recent_sessions=recent,
    )


def _sums() -> Select[int, int]:
    return (
        select(func.count(), func.coalesce(func.sum(credits_used), 0))
        .select_from(Organization)
        .outerjoin(UsageCounter, of_current_period)
    )


def _recent(db: Session, living: ColumnElement[bool]) -> tuple[RecentSession, ...]:
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
        .where(ArchitectureSession.deleted_at.is_(None), living)
        .order_by(ArchitectureSession.updated_at.desc())
        .limit(8)
    )
    return tuple(RecentSession(*row) for row in db.execute(found))
