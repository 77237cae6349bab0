"""The portfolio: what all customers of somebody use and pay, against the last period and to the end of this one."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from nexa_core.actor import Actor, Scope
from nexa_core.billing.reports import periods
from nexa_core.billing.reports.figures import CUSTOMERS, OUTLOOK, SCORE, USED, WAS_THERE
from nexa_core.billing.reports.scope import Wanted, chosen, require_portfolio, sees_money
from nexa_core.db import reading
from nexa_core.errors import Invalid
from nexa_core.usage.reach import SEEN, only_of

#: How the chart by day can be split.
SPLITS = ("type", "customer", "plan")
#: Customers drawn by name; the others are one colour.
TOP = 8
#: Up to here the days of all customers are summed as they are; beyond it, the sum that a job keeps is read.
_FEW = 300
OTHERS = "Others"


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units of one currency."""

    currency: str
    minor: int


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures over a portfolio. Credits of ``complete`` days are compared with the same days of the period before;
    ``expected`` to ``high`` are for the whole period and None where nothing can be said; ``at_risk`` are those with a
    reason to call them, None unless the period is running."""

    period: dt.date
    is_running: bool
    customers: int
    credits: int
    complete: int
    same_days_before: int
    credits_before: int
    overage: int
    over: int
    expected: int | None
    low: int | None
    high: int | None
    forecast_of: int
    at_risk: int | None
    made_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Point:
    """Events and credits of one part (a type, a customer, a plan) on one day of the organizations' own.

    ``key`` tells it from another part of the same name: a customer's slug, or the type or plan; empty for the others.
    """

    day: dt.date
    part: str
    events: int
    credits: int
    key: str


# Whoever was deleted uses no more than they did.
_IN_SUM = "f.period = :month OR c.status = 'deleted'"
_SUMMARY = text(f"""
WITH {CUSTOMERS}, {USED}
SELECT count(*) AS customers, sum(u.used)::bigint AS credits, sum(u.overage)::bigint AS overage,
       count(*) FILTER (WHERE u.overage > 0) AS over,
       sum(f.used) FILTER (WHERE f.period = :month)::bigint AS complete,
       sum(f.used_before) FILTER (WHERE f.period = :month)::bigint AS same_days_before,
       -- Who has no forecast is expected to use what was used so far: a sum needs all of its parts.
       sum(greatest(coalesce(f.expected, u.used), u.used)) FILTER (WHERE {_IN_SUM})::bigint AS expected,
       sum(greatest(coalesce(f.low, u.used), u.used)) FILTER (WHERE {_IN_SUM})::bigint AS low,
       sum(greatest(coalesce(f.high, u.used), u.used)) FILTER (WHERE {_IN_SUM})::bigint AS high,
       count(f.expected) FILTER (WHERE f.period = :month) AS forecast_of,
       count(*) FILTER (WHERE {SCORE} > 0) AS at_risk, min(f.made_at) AS made_at
FROM customers c JOIN used u USING (id) {OUTLOOK}
""")
_BEFORE = text(f"WITH {CUSTOMERS}, {USED} SELECT coalesce(sum(used), 0)::bigint FROM used")
_REVENUE = text(f"""
WITH {CUSTOMERS}
SELECT l.currency, sum(l.amount_minor)::bigint AS minor
FROM nexa.invoice_lines(NULL, CAST(:month AS timestamp) AT TIME ZONE 'UTC' + interval '14 days') l
JOIN customers c ON c.id = l.organization_id
GROUP BY l.currency ORDER BY sum(l.amount_minor) DESC, l.currency
""")
# The same by the end of a day. Nobody who stayed within the allowance in the whole month was over it by then.
_REVENUE_BY = text(f"""
WITH {CUSTOMERS}, lines AS MATERIALIZED (
    SELECT l.* FROM nexa.invoice_lines(NULL, CAST(:month AS timestamp) AT TIME ZONE 'UTC' + interval '14 days') l
    JOIN customers c ON c.id = l.organization_id
), amounts AS (
    SELECT currency, amount_minor FROM lines WHERE kind <> 'overage'
        AND (kind NOT IN ('credit', 'refund') OR since < CAST(:until AS timestamp) AT TIME ZONE 'UTC')
    UNION ALL
    SELECT l.currency, nexa.divide_half_even(greatest(d.used - l.allowance, 0) * l.unit_minor, l.unit_quantity)
    FROM lines l CROSS JOIN LATERAL (
        SELECT coalesce(sum(credits), 0) AS used FROM usage_by_day
        WHERE organization_id = l.organization_id AND day >= :month AND day < :until
    ) d WHERE l.kind = 'overage' AND l.amount_minor <> 0
)
SELECT currency, sum(amount_minor)::bigint AS minor FROM amounts
GROUP BY currency ORDER BY sum(amount_minor) DESC, currency
""")


def portfolio(actor: Actor, *, wanted: Wanted | None = None) -> Summary:
    """What the customers of a portfolio used and pay in a period. Raises Forbidden unless the actor may look across
    customers, Invalid for a period, plan or tag that cannot be."""
    require_portfolio(actor)
    wanted = wanted or Wanted()
    given = chosen(actor, wanted)
    with reading(actor) as db:
        row = db.execute(_SUMMARY, given).one()
        before = db.scalar(_BEFORE, chosen(actor, wanted, month=periods.before(wanted.month))) or 0
    is_running = wanted.month == periods.month(None)
    known = is_running and row.forecast_of > 0
    return Summary(
        period=wanted.month,
        is_running=is_running,
        customers=row.customers,
        credits=row.credits or 0,
        complete=row.complete or 0,
        same_days_before=row.same_days_before or 0,
        credits_before=before,
        overage=row.overage or 0,
        over=row.over,
        expected=row.expected if known else None,
        low=row.low if known else None,
        high=row.high if known else None,
        forecast_of=row.forecast_of if is_running else 0,
        at_risk=row.at_risk if is_running else None,
        made_at=row.made_at,
    )


def revenue(actor: Actor, *, wanted: Wanted | None = None, before: bool = False) -> tuple[Money, ...]:
    """What the invoices of a portfolio come to in a period, by currency, the largest first; of the running one, if
    nothing is used any more. Empty for who may not see money.

    ``before`` asks for what it is compared with: the period before, and for the running one what that came to by the
    end of the same day, fees in full. Raises as ``portfolio`` does.
    """
    require_portfolio(actor)
    if not sees_money(actor):
        return ()
    wanted = wanted or Wanted()
    statement, given = _REVENUE, chosen(actor, wanted)
    if before:
        given = chosen(actor, wanted, month=periods.before(wanted.month))
        if wanted.month == periods.month(None):
            tomorrow = periods.today("UTC") + dt.timedelta(days=1)
            statement = _REVENUE_BY
            given["until"] = periods.same_day_before(wanted.month, tomorrow)
    with reading(actor) as db:
        return tuple(Money(*row) for row in db.execute(statement, given))


# The days of all customers: what the job has summed over everybody, less what belongs to no customer.
_OF_ALL = f"""
SELECT day, event_type AS part, sum(events)::bigint AS events, sum(credits)::bigint AS credits, event_type AS key
FROM (
    SELECT day, event_type, events, credits FROM usage_of_all_by_day WHERE day >= :since AND day < :until
    UNION ALL
    -- One by one by their index: a hash join would read the days of everybody.
    SELECT d.day, d.event_type, -d.events, -d.credits
    FROM (SELECT id FROM organizations o WHERE is_platform OR {WAS_THERE} IS NOT TRUE OFFSET 0) o
    CROSS JOIN LATERAL (
        SELECT * FROM usage_by_day WHERE organization_id = o.id AND day >= :since AND day < :until OFFSET 0
    ) d
) days GROUP BY day, event_type HAVING sum(events) <> 0 ORDER BY 1, 2
"""
_OF_CUSTOMERS = f"""
WITH {CUSTOMERS}
SELECT d.day, {{part}} AS part, sum(d.events)::bigint AS events, sum(d.credits)::bigint AS credits,
       {{part}} AS key
FROM customers c JOIN usage_by_day d ON d.organization_id = c.id AND d.day >= :since AND d.day < :until
GROUP BY d.day, {{part}} ORDER BY 1, 2
"""
_OF_THE_LARGEST = f"""
WITH {CUSTOMERS}, {USED}, top AS (
    SELECT c.id, c.name, c.slug FROM customers c JOIN used u USING (id) WHERE u.used > 0
    ORDER BY u.used DESC, c.id LIMIT {TOP}
)
SELECT d.day, top.name AS part, sum(d.events)::bigint AS events, sum(d.credits)::bigint AS credits,
       top.slug AS key
FROM top JOIN usage_by_day d ON d.organization_id = top.id AND d.day >= :since AND d.day < :until
GROUP BY d.day, top.id, top.name, top.slug ORDER BY 1, 2, top.id
"""
_HOW_MANY = text(f"SELECT count(*) FROM (SELECT FROM organizations LIMIT {_FEW + 1}) few")


def by_day(actor: Actor, *, wanted: Wanted | None = None, split: str = "type", months: int = 1) -> tuple[Point, ...]:
    """Credits and events of the portfolio by day, split by type of event, by customer (the largest, and the others
    together) or by today's plan; ``months`` ending with the period, at most 13.

    Raises Forbidden and Invalid as ``portfolio`` does, Invalid for another split.
    """
    require_portfolio(actor)
    wanted = wanted or Wanted()
    if split not in SPLITS:
        raise Invalid(f"A chart is split by one of {', '.join(SPLITS)}.", field="split")
    given = chosen(actor, wanted)
    until = periods.after(wanted.month)
    since = wanted.month
    for _ in range(max(1, min(months, 13)) - 1):
        since = periods.before(since)
    given |= {"since": since, "until": until}
    with reading(actor) as db:
        if split == "plan":
            return _points(db, _OF_CUSTOMERS.format(part="c.plan_type"), given)
        whole = _by_type(db, actor, wanted, given)
        if split == "type":
            return whole
        named = _points(db, _OF_THE_LARGEST, given)
    return _with_others(whole, named)


def _by_type(db: Session, actor: Actor, wanted: Wanted, given: dict[str, Any]) -> tuple[Point, ...]:
    everybody = actor.scope is Scope.STAFF and wanted.is_everybody and only_of(actor) is None
    if everybody and (db.scalar(_HOW_MANY) or 0) > _FEW:
        return _points(db, _OF_ALL, given)
    return _points(db, _OF_CUSTOMERS.format(part="d.event_type"), given)


def _points(db: Session, statement: str, given: dict[str, Any]) -> tuple[Point, ...]:
    return tuple(Point(*row) for row in db.execute(text(statement), given))


def _with_others(whole: tuple[Point, ...], named: tuple[Point, ...]) -> tuple[Point, ...]:
    """The named parts, and of each day what they leave over."""
    rest: dict[dt.date, list[int]] = {}
    for sign, points in ((1, whole), (-1, named)):
        for point in points:
            left = rest.setdefault(point.day, [0, 0])
            left[0] += sign * point.events
            left[1] += sign * point.credits
    others = (Point(day, OTHERS, left[0], left[1], "") for day, left in sorted(rest.items()) if any(left))
    return tuple(sorted((*named, *others), key=lambda point: (point.day, point.part, point.key)))


_TAGS = text(f"""
SELECT DISTINCT tag FROM organizations o, jsonb_array_elements_text(o.tags) tag
WHERE {SEEN} AND o.status <> 'deleted' AND jsonb_array_length(o.tags) > 0
ORDER BY tag LIMIT 200
""")


def tags(actor: Actor) -> tuple[str, ...]:
    """Every tag a customer of the actor has. Raises Forbidden unless the actor may look across customers."""
    require_portfolio(actor)
    with reading(actor) as db:
        return tuple(db.scalars(_TAGS, {"only_of": only_of(actor)}))


_MANAGERS = text(f"""
SELECT DISTINCT u.id, u.full_name FROM organizations o JOIN users u ON u.id = o.account_manager_id
WHERE {SEEN} AND o.status <> 'deleted'
ORDER BY u.full_name LIMIT 200
""")


def managers(actor: Actor) -> dict[UUID, str]:
    """Whose customers there are, by identifier. Raises Forbidden unless the actor may look across customers."""
    require_portfolio(actor)
    with reading(actor) as db:
        return {row.id: row.full_name for row in db.execute(_MANAGERS, {"only_of": only_of(actor)})}
