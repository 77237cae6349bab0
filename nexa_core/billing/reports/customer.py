"""One customer: its burn against the allowance, where it leads, and what the credits were used for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import numpy as np
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from nexa_core.actor import Actor
from nexa_core.billing.reports import forecast, periods
from nexa_core.billing.reports.portfolio import Money
from nexa_core.billing.reports.scope import organization_of, sees_money
from nexa_core.db import reading
from nexa_core.errors import Invalid
from nexa_core.permissions import Permission

#: What the credits of a period can be broken down by.
PARTS = ("type", "person", "session", "tag")
_MOST_PARTS = 200
PARTS_OF_BAND: tuple[Literal["expected", "low", "high"], ...] = ("expected", "low", "high")


@dataclass(frozen=True, slots=True)
class Burn:
    """What one customer used in a period, day by day of its own time zone, and what is to come.

    ``days`` are the credits of each day so far, today's included while it runs; ``before`` those of the whole period
    before. ``expected``, ``low`` and ``high`` are sums from the first day of the period to each day from ``ahead_from``
    on, today being the first; empty in a closed period and where ``too_little`` says why nothing is predicted.
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


@dataclass(frozen=True, slots=True)
class Part:
    """What one type, person, session or tag used; ``key`` is how a filter of events names it, None for nobody."""

    key: str | None
    name: str
    events: int
    credits: int
    credits_before: int


@dataclass(frozen=True, slots=True)
class Hour:
    """Events and credits of one hour of the week, Monday being 1, in the customer's time zone."""

    weekday: int
    hour: int
    events: int
    credits: int


_DAYS = text("""
SELECT day, sum(events)::bigint AS events, sum(credits)::bigint AS credits FROM usage_by_day
WHERE organization_id = :id AND day >= :since AND day < :until GROUP BY day ORDER BY day
""")
_CHARGE = text("""
SELECT currency, sum(amount_minor)::bigint AS minor
FROM nexa.invoice_lines(:id, CAST(:month AS timestamp) AT TIME ZONE :zone) GROUP BY currency ORDER BY currency
""")
_COUNTER = text("""
SELECT used FROM usage_counters WHERE organization_id = :id AND metric = 'credits'
  AND period_start = CAST(:month AS timestamp) AT TIME ZONE :zone
""")


def burn(actor: Actor, *, organization_id: UUID | None = None, period: str | None = None) -> Burn:
    """What an organization used in a period and where it leads; the actor's own without an identifier.

    Raises Forbidden without USAGE_READ, NotFound for one the actor may not see, Invalid for what is no month.
    """
    with reading(actor) as db:
        row = organization_of(db, actor, organization_id)
        month = periods.month(period, row.time_zone)
        until = periods.after(month)
        since = min(periods.before(month), month - dt.timedelta(days=forecast.WINDOW))
        found = db.execute(_DAYS, {"id": row.id, "since": since, "until": until}).all()
        given = {"id": row.id, "month": month, "zone": row.time_zone}
        used = db.scalar(_COUNTER, given) or 0
        charges = tuple(Money(*line) for line in db.execute(_CHARGE, given)) if sees_money(actor) else ()
    return _burn(row, month, found, used, charges)


def _burn(row: Row[Any], month: dt.date, found: Any, used: int, charges: tuple[Money, ...]) -> Burn:
    spent = {day.day: int(day.credits) for day in found}
    today, until = periods.today(row.time_zone), periods.after(month)
    is_running = month <= today < until
    shown = (min(today + dt.timedelta(days=1), until) - month).days
    days = tuple(spent.get(month + dt.timedelta(days=n), 0) for n in range(max(shown, 0)))
    start = periods.before(month)
    before = tuple(spent.get(start + dt.timedelta(days=n), 0) for n in range((month - start).days))
    outlook = look_ahead(spent, today, month) if is_running else None
    band = outlook.band if outlook else None
    most = row.allowance if row.is_hard else None
    overage = max(used - row.allowance, 0) if row.allowance is not None else 0
    reached = passed_on(spent, month, row.allowance, is_hard=row.is_hard)
    return Burn(
        organization_id=row.id,
        name=row.name,
        slug=row.slug,
        plan=row.plan_type,
        subscription_status=row.subscription_status,
        time_zone=row.time_zone,
        tags=tuple(str(tag) for tag in row.tags),
        is_hard=row.is_hard,
        period=month,
        last_day=until - dt.timedelta(days=1),
        is_running=is_running,
        credits=used,
        events=sum(int(day.events) for day in found if day.day >= month),
        allowance=row.allowance,
        overage=overage,
        charges=charges,
        days=days,
        before=before,
        credits_before=sum(before),
        ahead_from=today if band else None,
        expected=outlook.sums("expected", most) if outlook else (),
        low=outlook.sums("low", most) if outlook else (),
        high=outlook.sums("high", most) if outlook else (),
        depletes_on=reached or (outlook.depletes_on(row.allowance) if outlook else None),
        trend=outlook.trend if outlook else None,
        too_little=_too_little(spent, today) if is_running and band is None else "",
    )


@dataclass(frozen=True, slots=True)
class Ahead:
    """What the complete days of a customer say about the rest of a running period, today being its first day."""

    today: dt.date
    used: int
    band: forecast.Band | None
    trend: int | None
    recent: tuple[int, ...]

    def sums(self, part: Literal["expected", "low", "high"], most: int | None = None) -> tuple[int, ...]:
        """Credits from the first day of the period to each day ahead; a hard limit (``most``) lets no more through."""
        values = getattr(self.band, part) if self.band is not None else ()
        return tuple(self.used + value if most is None else min(self.used + value, most) for value in values)

    def whole(self, most: int | None = None) -> tuple[int, int, int] | None:
        """What the whole period is expected to use, at least and at most; None where too little is known."""
        if self.band is None:
            return None
        expected, low, high = (self.sums(part, most) or (self.used,) for part in PARTS_OF_BAND)
        return expected[-1], low[-1], high[-1]

    def depletes_on(self, allowance: int | None) -> dt.date | None:
        """The day on which the most likely course passes the allowance; None when it does not within the period."""
        if allowance is None or self.band is None:
            return None
        for number, value in enumerate(self.band.expected):
            if self.used + value > allowance:
                return self.today + dt.timedelta(days=number)
        return None


def look_ahead(spent: dict[dt.date, int], today: dt.date, month: dt.date) -> Ahead:
    """The one forecast there is of a customer: of one screen, the portfolio, the brief and the track record."""
    first = today - dt.timedelta(days=forecast.WINDOW)
    history = np.array([spent.get(first + dt.timedelta(days=n), 0) for n in range(forecast.WINDOW)], dtype=np.float64)
    return Ahead(
        today=today,
        used=sum(spent.get(month + dt.timedelta(days=n), 0) for n in range((today - month).days)),
        band=forecast.ahead(history, (periods.after(month) - today).days),
        trend=forecast.trend(history),
        recent=tuple(int(value) for value in history[-28:]),
    )


def passed_on(days: Mapping[dt.date, int], month: dt.date, allowance: int | None, *, is_hard: bool) -> dt.date | None:
    """The day of a period on which its allowance was used up; None while it is not.

    A hard limit is never passed: what is left of it may just not be enough for the next call, so its last fiftieth does
    not count.
    """
    if allowance is None:
        return None
    total = 0
    for day in sorted(day for day in days if month <= day < periods.after(month)):
        total += days[day]
        if total > allowance or (is_hard and total * 50 >= allowance * 49):
            return day
    return None


def _too_little(spent: dict[dt.date, int], today: dt.date) -> str:
    used = [day for day, value in spent.items() if value and day < today]
    if not used:
        return "Nothing was used in the last four months, so nothing is predicted."
    there = (today - min(used)).days
    return (
        f"There {'is 1 day' if there == 1 else f'are {there} days'} of use so far; "
        f"a forecast needs {forecast.LEAST_DAYS} complete days."
    )


_WINDOW = """
SELECT CAST(:month AS timestamp) AT TIME ZONE :zone AS since,
       CAST(:until AS timestamp) AT TIME ZONE :zone AS until,
       CAST(:before AS timestamp) AT TIME ZONE :zone AS before
"""
_BY_TYPE = """
SELECT event_type AS key, event_type AS name, sum(events) FILTER (WHERE day >= :month)::bigint AS events,
       sum(credits) FILTER (WHERE day >= :month)::bigint AS credits,
       sum(credits) FILTER (WHERE day < :month)::bigint AS credits_before
FROM usage_by_day WHERE organization_id = :id AND day >= :before AND day < :until
GROUP BY event_type ORDER BY credits DESC NULLS LAST, events DESC NULLS LAST, name LIMIT :most
"""
_BY_EVENT = (
    """
WITH w AS ("""
    + _WINDOW
    + """), found AS (
    SELECT {key} AS key, count(*) FILTER (WHERE e.occurred_at >= w.since) AS events,
           sum(e.credits_consumed) FILTER (WHERE e.occurred_at >= w.since)::bigint AS credits,
           sum(e.credits_consumed) FILTER (WHERE e.occurred_at < w.since)::bigint AS credits_before
    FROM w JOIN usage_events e ON e.organization_id = :id AND e.occurred_at >= w.before AND e.occurred_at < w.until
    {join}
    GROUP BY 1
)
SELECT found.key::text AS key, {name} AS name, events, credits, credits_before
FROM found {named} ORDER BY credits DESC NULLS LAST, events DESC, name LIMIT :most
"""
)
_SESSIONS = "LEFT JOIN ai_architecture_sessions s ON s.organization_id = :id AND s.id = {at}"
_KINDS = {
    "person": ("e.user_id", "", "u.full_name", "LEFT JOIN users u ON u.id = found.key"),
    "session": ("e.session_id", "", "s.title", _SESSIONS.format(at="found.key")),
    "tag": (
        "t.tag", _SESSIONS.format(at="e.session_id")
        + " LEFT JOIN LATERAL jsonb_array_elements_text(s.tags) t(tag) ON true", "found.key", "",
    ),
}  # fmt: skip


def breakdown(
    actor: Actor, *, by: str, organization_id: UUID | None = None, period: str | None = None
) -> tuple[Part, ...]:
    """What the credits of a period were used for, the most first, against the period before; at most 200 parts.

    An event of a session with several tags counts for each of them. Sessions have titles for who may read sessions.
    Raises as ``burn`` does, Invalid for another breakdown.
    """
    if by not in PARTS:
        raise Invalid(f"Usage is broken down by one of {', '.join(PARTS)}.", field="by")
    with reading(actor) as db:
        row = organization_of(db, actor, organization_id)
        given = _given(row, period)
        if by == "type":
            found = db.execute(text(_BY_TYPE), given).all()
        else:
            key, join, name, named = _KINDS[by]
            found = db.execute(text(_BY_EVENT.format(key=key, join=join, name=name, named=named)), given).all()
    titled = actor.may(Permission.SESSIONS_READ)
    return tuple(
        Part(
            one.key, _called(by, one.key, one.name, titled), one.events or 0, one.credits or 0, one.credits_before or 0
        )
        for one in found
        if one.events or one.credits_before
    )


def _called(by: str, key: str | None, name: str | None, titled: bool) -> str:
    if key is None:
        return {"person": "A program", "session": "No session"}.get(by, "No tag")
    if by == "session" and not (titled and name):
        return f"Session {key}"
    return name or "Somebody"


_HOURS = text(
    """
WITH w AS ("""
    + _WINDOW
    + """)
SELECT extract(isodow FROM e.occurred_at AT TIME ZONE :zone)::integer AS weekday,
       extract(hour FROM e.occurred_at AT TIME ZONE :zone)::integer AS hour,
       count(*) AS events, sum(e.credits_consumed)::bigint AS credits
FROM w JOIN usage_events e ON e.organization_id = :id AND e.occurred_at >= w.since AND e.occurred_at < w.until
GROUP BY 1, 2 ORDER BY 1, 2
"""
)


def hours(actor: Actor, *, organization_id: UUID | None = None, period: str | None = None) -> tuple[Hour, ...]:
    """When in the week the credits of a period were used, in the organization's time zone. Raises as ``burn`` does."""
    with reading(actor) as db:
        row = organization_of(db, actor, organization_id)
        return tuple(Hour(*one) for one in db.execute(_HOURS, _given(row, period)))


def find(actor: Actor, *, slug: str) -> UUID:
    """The organization of a slug, if the actor may see its usage. Raises NotFound, and Forbidden without USAGE_READ."""
    with reading(actor) as db:
        return _by_slug(db, actor, slug)


def _by_slug(db: Session, actor: Actor, slug: str) -> UUID:
    found = db.scalar(text("SELECT id FROM organizations WHERE slug = :slug"), {"slug": slug[:100]})
    # An identifier nobody has: a slug out of reach and one that does not exist are answered alike.
    identifier: UUID = organization_of(db, actor, found or UUID(int=0)).id
    return identifier


def _given(row: Row[Any], period: str | None) -> dict[str, Any]:
    month = periods.month(period, row.time_zone)
    return {
        "id": row.id,
        "zone": row.time_zone,
        "month": month,
        "until": periods.after(month),
        "before": periods.before(month),
        "most": _MOST_PARTS,
    }
