"""One customer: its burn against the allowance, and where it leads."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from nexa_core.actor import Actor
from nexa_core.billing.reports import figures, forecast, periods
from nexa_core.billing.reports.ahead import look_ahead, passed_on
from nexa_core.billing.reports.portfolio import Money
from nexa_core.billing.reports.scope import is_kept, organization_of, sees_money, zone_of
from nexa_core.db import reading


@dataclass(frozen=True, slots=True)
class Burn:
    """What one customer used in a period, day by day of its own time zone, and what is to come.

    ``days`` are the credits of each day so far, today's included while it runs; ``before`` those of the whole period
    before. ``allowance`` and ``is_hard`` are its end's. ``expected``, ``low`` and ``high`` are sums from the first day
    of the period to each day from ``ahead_from`` on, today being the first; empty in a closed period and where
    ``too_little`` says why nothing is predicted. ``is_kept`` is false where single events of the period were let go:
    its sums stay, its persons, sessions, tags, hours and events are not all there.
    """

    organization_id: UUID
    name: str
    slug: str
    plan: str
    subscription_status: str
    time_zone: str
    tags: tuple[str, ...]
    is_hard: bool
    period: dt.date
    last_day: dt.date
    is_running: bool
    is_kept: bool
    credits: int
    events: int
    allowance: int | None
    overage: int
    charges: tuple[Money, ...]
    days: tuple[int, ...]
    before: tuple[int, ...]
    credits_before: int
    ahead_from: dt.date | None
    expected: tuple[int, ...]
    low: tuple[int, ...]
    high: tuple[int, ...]
    depletes_on: dt.date | None
    trend: int | None
    too_little: str


_DAYS = text("""
SELECT day, sum(events)::bigint AS events, sum(credits)::bigint AS credits FROM usage_by_day
WHERE organization_id = :id AND day >= :since AND day < :until GROUP BY day ORDER BY day
""")
_CHARGE = text("""
SELECT currency, sum(amount_minor)::bigint AS minor
FROM nexa.invoice_lines(:id, nexa.day_begins(:id, :month)) GROUP BY currency ORDER BY currency
""")
_TERMS = text(f"""
SELECT p.allowance, p.is_hard AND a.usage_limits->'limit_shadow' IS DISTINCT FROM 'true' AS is_hard
FROM organizations o CROSS JOIN LATERAL nexa.plan_of(o.id, {figures.LAST}) p
JOIN plan_assignments a ON a.organization_id = o.id AND a.effective_from = p.since
WHERE o.id = :id
""")
_COUNTER = text("""
SELECT used FROM usage_counters WHERE organization_id = :id AND metric = 'credits'
  AND period_start = nexa.day_begins(:id, :month)
""")


def burn(actor: Actor, *, organization_id: UUID | None = None, period: str | None = None) -> Burn:
    """What an organization used in a period and where it leads; the actor's own without an identifier.

    Raises Forbidden without USAGE_READ, NotFound for one the actor may not see, Invalid for what is no month.
    """
    with reading(actor) as db:
        row = organization_of(db, actor, organization_id)
        month = periods.month(period, row.today)
        until = periods.after(month)
        since = min(periods.before(month), month - dt.timedelta(days=forecast.WINDOW))
        found = db.execute(_DAYS, {"id": row.id, "since": since, "until": until}).all()
        given = {"id": row.id, "month": month}
        terms, kept = db.execute(_TERMS, given).one(), is_kept(db, row.id, month, until)
        used, zone = db.scalar(_COUNTER, given) or 0, zone_of(db, row.id, month)
        charges = tuple(Money(*line) for line in db.execute(_CHARGE, given)) if sees_money(actor) else ()
    return _burn(row, terms, month, zone, found, used, charges, kept)


def _burn(
    row: Row[Any],
    terms: Row[Any],
    month: dt.date,
    zone: str,
    found: Any,
    used: int,
    charges: tuple[Money, ...],
    kept: bool,
) -> Burn:
    spent = {day.day: int(day.credits) for day in found}
    today, until = row.today, periods.after(month)
    is_running = month <= today < until
    shown = (min(today + dt.timedelta(days=1), until) - month).days
    days = tuple(spent.get(month + dt.timedelta(days=n), 0) for n in range(max(shown, 0)))
    start = periods.before(month)
    before = tuple(spent.get(start + dt.timedelta(days=n), 0) for n in range((month - start).days))
    outlook = look_ahead(spent, today, month) if is_running else None
    band = outlook.band if outlook else None
    most = terms.allowance if terms.is_hard else None
    overage = max(used - terms.allowance, 0) if terms.allowance is not None else 0
    reached = passed_on(spent, month, terms.allowance, is_hard=terms.is_hard)
    return Burn(
        organization_id=row.id,
        name=row.name,
        slug=row.slug,
        plan=row.plan_type,
        subscription_status=row.subscription_status,
        time_zone=zone,
        tags=tuple(str(tag) for tag in row.tags),
        is_hard=terms.is_hard,
        period=month,
        last_day=until - dt.timedelta(days=1),
        is_running=is_running,
        is_kept=kept,
        credits=used,
        events=sum(int(day.events) for day in found if day.day >= month),
        allowance=terms.allowance,
        overage=overage,
        charges=charges,
        days=days,
        before=before,
        credits_before=sum(before),
        ahead_from=today if band else None,
        expected=outlook.sums("expected", most) if outlook else (),
        low=outlook.sums("low", most) if outlook else (),
        high=outlook.sums("high", most) if outlook else (),
        depletes_on=reached or (outlook.depletes_on(terms.allowance) if outlook else None),
        trend=outlook.trend if outlook else None,
        too_little=_too_little(spent, today) if is_running and band is None else "",
    )


def _too_little(spent: dict[dt.date, int], today: dt.date) -> str:
    used = [day for day, value in spent.items() if value and day < today]
    if not used:
        return "Nothing was used in the last four months, so nothing is predicted."
    there = (today - min(used)).days
    return (
        f"There {'is 1 day' if there == 1 else f'are {there} days'} of use so far; "
        f"a forecast needs {forecast.LEAST_DAYS} complete days."
    )


def find(actor: Actor, *, slug: str) -> UUID:
    """The organization of a slug, if the actor may see its usage. Raises NotFound, and Forbidden without USAGE_READ."""
    with reading(actor) as db:
        return _by_slug(db, actor, slug)


def _by_slug(db: Session, actor: Actor, slug: str) -> UUID:
    found = db.scalar(text("SELECT id FROM organizations WHERE slug = :slug"), {"slug": slug[:100]})
    # An identifier nobody has: a slug out of reach and one that does not exist are answered alike.
    identifier: UUID = organization_of(db, actor, found or UUID(int=0)).id
    return identifier
