"""How one organization is doing: the figures of its strip, and what is wrong, in a sentence each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from nexa_core.accounts.models import User
from nexa_core.actor import Actor
from nexa_core.billing import seats
from nexa_core.db import reading
from nexa_core.organizations import attention
from nexa_core.organizations.invitations import is_expired, is_open
from nexa_core.organizations.limits import EVENT_TYPES, limits_of
from nexa_core.organizations.models import Organization, OrganizationDomain, OrganizationMembership
from nexa_core.organizations.reach import require_for
from nexa_core.organizations.service import OrganizationView
from nexa_core.permissions import Permission
from nexa_core.usage.models import UsageByDay, UsageCounter
from nexa_core.usage.periods import running_start

_TREND_DAYS = 28


@dataclass(frozen=True, slots=True)
class Health:
    """``seats`` is None without a limit. ``trend`` are the credits of the last 28 days, oldest first; it is empty for
    who may not see usage. ``faults`` begin with the most urgent."""

    owners: int
    seats_taken: int
    seats: int | None
    pending_invitations: int
    unverified_domains: int
    trend: tuple[int, ...]
    faults: tuple[str, ...]


def health(actor: Actor, *, organization: OrganizationView) -> Health:
    """How an organization that was read just now is doing; one statement.

    Raises NotFound for a stranger's organization, Forbidden without ORGANIZATION_READ.
    """
    require_for(actor, organization.id, own=Permission.ORGANIZATION_READ, other=Permission.ORGANIZATIONS_BROWSE)
    of_usage = actor.may(Permission.USAGE_READ)
    with reading(actor) as db:
        row = db.execute(_figures(organization.id)).one()
    today = dt.datetime.now(dt.UTC).date()
    by_day = {dt.date.fromisoformat(day): used for day, used in (row.by_day or {}).items()}
    days = [today - dt.timedelta(days=back) for back in range(_TREND_DAYS - 1, -1, -1)]
    trend = tuple(int(by_day.get(day, 0)) for day in days) if of_usage and by_day else ()
    limit = seats(_Subscriber(organization.plan, organization.usage_limits))
    faults = tuple(_faults(organization, row, limit, today, of_usage=of_usage))
    return Health(
        row.owners, organization.members, limit, row.pending_invitations, row.unverified_domains, trend, faults
    )


@dataclass(frozen=True, slots=True)
class _Subscriber:
    plan_type: str
    usage_limits: dict[str, Any]


def _figures(organization_id: UUID) -> Any:
    person = aliased(User)
    memberships = (
        select(func.count())
        .select_from(OrganizationMembership)
        .where(OrganizationMembership.organization_id == organization_id)
    )
    owners = (
        memberships.join(person, person.id == OrganizationMembership.user_id)
        .where(OrganizationMembership.role == "owner", OrganizationMembership.status == "active")
        .where(person.deleted_at.is_(None), person.status == "active")
    )
    pending, expired = memberships.where(is_open), memberships.where(is_expired)
    domains = select(func.count()).where(
        OrganizationDomain.organization_id == organization_id, OrganizationDomain.verified_at.is_(None)
    )
    days = (
        select(UsageByDay.day, func.sum(UsageByDay.credits).label("credits"))
        .where(UsageByDay.organization_id == organization_id, UsageByDay.day > func.current_date() - _TREND_DAYS)
        .group_by(UsageByDay.day)
        .subquery()
    )
    counters = (
        select(func.jsonb_object_agg(UsageCounter.metric, UsageCounter.used))
        .join(Organization, Organization.id == UsageCounter.organization_id)
        .where(
            UsageCounter.organization_id == organization_id,
            UsageCounter.period_start == running_start(Organization.id, Organization.time_zone),
        )
    )
    return select(
        owners.scalar_subquery().label("owners"),
        pending.scalar_subquery().label("pending_invitations"),
        expired.scalar_subquery().label("expired_invitations"),
        domains.scalar_subquery().label("unverified_domains"),
        select(func.jsonb_object_agg(days.c.day, days.c.credits)).scalar_subquery().label("by_day"),
        counters.scalar_subquery().label("counters"),
    )


def _faults(
    organization: OrganizationView, row: Any, limit: int | None, today: dt.date, *, of_usage: bool
) -> Iterator[str]:
    yield from _said(attention.suspended(organization))
    if organization.status == "pending":
        yield "It is pending: nobody has accepted to own it yet."
    if organization.status == "deleted":
        yield "It is deleted: nobody can sign in to it, and it can be restored."
        return
    if not row.owners and organization.status != "pending":
        yield "It has no owner who can sign in."
    match organization.subscription_status:
        case "canceled":
            yield "Its subscription is canceled."
        case "paused":
            yield "Its subscription is paused."
    yield from _said(attention.past_due(organization))
    yield from _said(attention.trial(organization, organization.subscription_data, today))
    if limit is not None and organization.members >= limit:
        over = organization.members - limit
        yield f"It has {over:,} members more than seats." if over else f"All {limit:,} seats are taken."
    if of_usage:
        yield from _use(organization, row.counters or {})
    if row.expired_invitations:
        count = row.expired_invitations
        yield f"{count} invitation{'s have' if count > 1 else ' has'} expired without an answer."
    if row.unverified_domains:
        count = row.unverified_domains
        yield f"{count} domain{'s are' if count > 1 else ' is'} claimed and not proven."
    if not organization.is_platform:  # its people work for customers, not in it
        yield from _said(attention.quiet(organization, today))


def _said(concern: attention.Concern | None) -> Iterator[str]:
    if concern is not None:
        yield concern.sentence


def _use(organization: OrganizationView, counters: dict[str, int]) -> Iterator[str]:
    allowed = organization.credits_allowance
    if used_up := attention.used_up(organization, organization.usage_limits):
        yield used_up.sentence
    elif allowed and organization.credits_used >= 0.8 * allowed:
        yield f"{organization.credits_used / allowed:.0%} of this period's credits are used."
    for name, most in limits_of(organization.usage_limits).event_limits.items():
        if counters.get(name, 0) > most:
            yield f"{EVENT_TYPES.get(name, name)}: {counters[name]:,} in this period, over the limit of {most:,}."
