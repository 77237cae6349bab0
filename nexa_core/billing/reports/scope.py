"""Whose usage somebody may see: their own organization's, the customers they manage, demo organizations, or all."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from nexa_core.actor import Actor, Scope
from nexa_core.billing.reports import figures, periods
from nexa_core.errors import Invalid, NotFound
from nexa_core.permissions import Permission
from nexa_core.usage.reach import only_of


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which customers, and which month (``2026-11``; the running one without). ``manager`` is a person's identifier."""

    period: str | None = None
    manager: UUID | None = None
    plan: str | None = None
    tag: str | None = None

    @property
    def month(self) -> dt.date:
        """The first day of the period; of the running one by UTC. Raises Invalid."""
        return periods.month(self.period)

    @property
    def is_everybody(self) -> bool:
        return self.manager is None and not self.plan and not self.tag


def require_portfolio(actor: Actor) -> None:
    """Raise Forbidden unless the actor may look across customers: their own people never, whatever was granted.

    It takes PORTFOLIO_READ, and DEMO_PRESENT of who presents made-up customers.
    """
    actor.require(Permission.DEMO_PRESENT if actor.scope is Scope.PRESENTER else Permission.PORTFOLIO_READ)
    actor.require(Permission.USAGE_READ)
    actor.require(Permission.ORGANIZATIONS_BROWSE)


def sees_money(actor: Actor) -> bool:
    """Whether revenue is shown: to who may read bills, and, of made-up customers, to who presents them."""
    return actor.may(Permission.BILLING_READ) or actor.scope is Scope.PRESENTER


def chosen(actor: Actor, wanted: Wanted, *, month: dt.date | None = None) -> dict[str, Any]:
    """The parameters of ``figures.CUSTOMERS``, of the month wanted or of another one.

    Raises Invalid for what no portfolio can be narrowed to.
    """
    for name, value in (("plan", wanted.plan), ("tag", wanted.tag)):
        if value and (len(value) > 50 or not value.isprintable()):
            raise Invalid(f"There is no such {name}.", field=name)
    month = month or wanted.month
    return {
        "only_of": only_of(actor),
        "manager": wanted.manager,
        "plan": wanted.plan or None,
        "tag": wanted.tag or None,
        "month": month,
        "since": month,
    }


def zone_of(db: Session, organization_id: UUID, month: dt.date) -> str:
    """The time zone the days of an organization's month are counted in."""
    zone: str = db.execute(
        text("SELECT nexa.billing_zone(:id, :month)"), {"id": organization_id, "month": month}
    ).scalar_one()
    return zone


_EXPIRED = text("""
SELECT EXISTS (SELECT FROM usage_expiries
               WHERE (month + interval '1 month') AT TIME ZONE 'UTC' > nexa.day_begins(:id, :since)
                 AND month::timestamp AT TIME ZONE 'UTC' < nexa.day_begins(:id, :until))
""")


def is_kept(db: Session, organization_id: UUID, since: dt.date, until: dt.date) -> bool:
    """Whether every single event of an organization's days is kept; the sums of days always are."""
    return not db.scalar(_EXPIRED, {"id": organization_id, "since": since, "until": until})


def organization_of(db: Session, actor: Actor, organization_id: UUID | None) -> Row[Any]:
    """The organization a report is about, with its allowance, prices and today's date; the actor's own without an
    identifier.

    Raises Forbidden without USAGE_READ, NotFound for one that the actor may not see.
    """
    wanted = organization_id or actor.organization_id
    if wanted != actor.organization_id and actor.scope is Scope.TENANT:
        raise NotFound("There is no such organization.")
    actor.require(Permission.USAGE_READ)
    if wanted != actor.organization_id:
        actor.require(Permission.ORGANIZATIONS_BROWSE)
    found = db.execute(text(f"{figures.ORGANIZATION_TODAY} WHERE o.id = :id"), {"id": wanted}).one_or_none()
    mine = only_of(actor)
    hidden = found is not None and wanted != actor.organization_id and mine not in (None, found.account_manager_id)
    if found is None or hidden:
        raise NotFound("There is no such organization.")
    return found
