"""The list of organizations: searched, filtered, sorted and paged in SQL."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Row, Select, SQLColumnExpression, String, cast, func, literal, select, tuple_
from sqlalchemy.orm import aliased

from nexa_core import paging
from nexa_core.accounts.models import User
from nexa_core.actor import Actor
from nexa_core.db import reading
from nexa_core.errors import Invalid
from nexa_core.organizations.filters import Filter, allowance, credits_used, of_current_period
from nexa_core.organizations.models import Organization, organization_members
from nexa_core.organizations.reach import customers_of
from nexa_core.permissions import Permission
from nexa_core.usage.models import UsageByDay, UsageCounter


@dataclass(frozen=True, slots=True)
class OrganizationRow:
    """One organization in a list. ``credits_allowance`` is None where there is no limit; credits are this period's."""

    id: UUID
    name: str
    slug: str
    status: str
    plan: str
    subscription_status: str
    members: int
    credits_used: int
    credits_allowance: int | None
    last_activity: dt.date | None
    account_manager: str | None
    is_demo: bool
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Page:
    """Some organizations and where the next page begins (None at the end)."""

    items: tuple[OrganizationRow, ...]
    next_cursor: str | None


_EVERY = Filter()
_manager = aliased(User)
_members = (
    select(func.count())
    .select_from(organization_members)
    .where(organization_members.c.organization_id == Organization.id)
    .scalar_subquery()
)
last_activity = (
    select(UsageByDay.day)
    .where(UsageByDay.organization_id == Organization.id)
    .order_by(UsageByDay.day.desc())
    .limit(1)
    .scalar_subquery()
)
#: The same with a day long ago for who never was.
active_since = func.coalesce(last_activity, cast(literal(dt.date(1, 1, 1)), Date))

#: How a list can be sorted: the value, and whether the greatest comes first.
SORTS: dict[str, tuple[SQLColumnExpression[Any], bool]] = {
    "name": (func.lower(Organization.name, type_=String), False),
    "usage": (credits_used, True),
    "plan": (Organization.plan_type, False),
    "activity": (active_since, True),
    "newest": (Organization.created_at, True),
}


def browse(
    actor: Actor,
    *,
    wanted: Filter = _EVERY,
    sort: str = "name",
    after: str | None = None,
    limit: int = 50,
) -> Page:
    """A page of the organizations the actor can reach, at most 200 at once, narrowed as ``wanted`` says.

    ``after`` is the ``next_cursor`` of the page before, of the same sort.
    Raises Forbidden without ORGANIZATIONS_BROWSE, Invalid for an unknown status, sort or cursor.
    """
    limit = max(1, min(limit, 200))
    found = listed(actor, wanted, sort=sort, after=after)
    with reading(actor) as db:
        page = db.execute(found.limit(limit + 1)).all()
    more = len(page) > limit
    last = page[limit - 1] if more else None
    return Page(tuple(row_of(row) for row in page[:limit]), paging.cursor(last.sort_value, last.id) if last else None)


def listed(
    actor: Actor, wanted: Filter, *, sort: str = "name", after: str | None = None, extra: tuple[Any, ...] = ()
) -> Select[*tuple[Any, ...]]:
    """The rows a list shows, in its order, for somebody who may see it; ``extra`` are columns of ``organizations``."""
    actor.require(Permission.ORGANIZATIONS_BROWSE)
    wanted.check()
    if sort not in SORTS:
        raise Invalid(f"Organizations cannot be sorted by “{sort[:40]}”.", field="sort")
    value, descending = SORTS[sort]
    found = rows(value.label("sort_value"), *extra).where(customers_of(actor), *wanted.conditions())
    if after:
        place = tuple_(value, Organization.id)
        of: Any = value.type  # type: ignore[attr-defined]
        last, identifier = paging.place(after, of.python_type, UUID)
        given = tuple_(literal(last, of), literal(identifier))
        found = found.where(place < given if descending else place > given)
    return found.order_by(*((value.desc(), Organization.id.desc()) if descending else (value, Organization.id)))


def rows(*extra: SQLColumnExpression[Any]) -> Select[*tuple[Any, ...]]:
    """What a list shows of every organization, before any filter."""
    return (
        select(
            Organization.id,
            Organization.name,
            Organization.slug,
            Organization.status,
            Organization.plan_type,
            Organization.subscription_status,
            Organization.subscription_data,
            Organization.usage_limits,
            Organization.is_demo,
            Organization.created_at,
            Organization.account_manager_id,
            _manager.full_name.label("account_manager"),
            credits_used.label("credits_used"),
            allowance.label("allowance"),
            _members.label("members"),
            last_activity.label("last_activity"),
            *extra,
        )
        .outerjoin(_manager, _manager.id == Organization.account_manager_id)
        .outerjoin(UsageCounter, of_current_period)
    )


def row_of(row: Row[*tuple[Any, ...]]) -> OrganizationRow:
    """The view of one row of ``rows()``."""
    return OrganizationRow(
        id=row.id,
        name=row.name,
        slug=row.slug,
        status=row.status,
        plan=row.plan_type,
        subscription_status=row.subscription_status,
        members=row.members,
        credits_used=row.credits_used,
        credits_allowance=row.allowance,
        last_activity=row.last_activity,
        account_manager=row.account_manager,
        is_demo=row.is_demo,
        created_at=row.created_at,
    )
