"""Making outlooks: what the complete days of each customer say, kept so that a portfolio of thousands can be sorted."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from nexa_core.actor import Actor
from nexa_core.billing.reports import figures, forecast, periods
from nexa_core.billing.reports.ahead import Ahead, look_ahead, passed_on
from nexa_core.billing.reports.reasons import Facts, reasons, total
from nexa_core.db import metering, reading
from nexa_core.permissions import Permission
from nexa_core.usage.periods import STARTS, TODAY

_AT_ONCE = 500
#: Forecasts are kept of these days of a month: enough to judge them by, and six rows a customer and month.
KEPT_DAYS = frozenset({1, 5, 10, 15, 20, 25})

_DUE = text(f"""
WITH due AS ({figures.ORGANIZATION_TODAY}
    LEFT JOIN usage_outlooks f ON f.organization_id = o.id
    WHERE NOT o.is_platform AND o.status <> 'deleted' AND (:all OR f.organization_id IS NULL
        OR f.made_on < {TODAY} OR f.made_at < o.updated_at)
)
SELECT * FROM due ORDER BY id
""")
_DAYS = text("""
SELECT organization_id, day, sum(credits)::bigint AS credits FROM usage_by_day
WHERE organization_id = ANY (:ids) AND day >= :since GROUP BY 1, 2
""")
_LAST = text("""
SELECT o.id, d.day FROM unnest(CAST(:ids AS uuid[])) o(id)
CROSS JOIN LATERAL (SELECT day FROM usage_by_day WHERE organization_id = o.id ORDER BY day DESC LIMIT 1) d
""")
_USED = text(f"""
SELECT c.organization_id, c.used FROM usage_counters c JOIN organizations o ON o.id = c.organization_id
WHERE c.organization_id = ANY (:ids) AND c.metric = 'credits'
  AND c.period_start = {STARTS}
""")
_PEOPLE = text("""
SELECT organization_id, count(*) AS members,
       count(*) FILTER (WHERE coalesce(last_active_at, joined_at, created_at) < now() - interval '30 days') AS unused
FROM organization_memberships WHERE organization_id = ANY (:ids) AND status = 'active' GROUP BY 1
""")
_TOP = text("""
WITH week AS (
    SELECT organization_id, user_id,
           sum(credits_consumed) FILTER (WHERE occurred_at >= now() - interval '7 days') AS week,
           sum(credits_consumed) FILTER (WHERE occurred_at < now() - interval '7 days') AS before
    FROM usage_events
    WHERE organization_id = ANY (:ids) AND occurred_at >= now() - interval '28 days' AND occurred_at <= now()
    GROUP BY 1, 2
)
SELECT DISTINCT ON (organization_id) organization_id, user_id, coalesce(week, 0) AS week,
       round(coalesce(before, 0) / 3.0)::bigint AS usual,
       coalesce(sum(week) OVER (PARTITION BY organization_id), 0)::bigint AS everybody
FROM week ORDER BY organization_id, week DESC NULLS LAST, user_id
""")
_KEEP = text("""
INSERT INTO usage_outlooks (organization_id, period, made_on, made_at, used, used_before, expected, low, high,
                            depletes_on, trend, last_activity, recent, score, reasons)
SELECT organization_id, period, made_on, now(), used, used_before, expected, low, high, depletes_on, trend,
       last_activity, recent, score, reasons
FROM json_to_recordset(CAST(:rows AS json)) AS r(organization_id uuid, period date, made_on date, used bigint,
    used_before bigint, expected bigint, low bigint, high bigint, depletes_on date, trend integer, last_activity date,
    recent jsonb, score integer, reasons jsonb)
ORDER BY organization_id
ON CONFLICT (organization_id) DO UPDATE SET (period, made_on, made_at, used, used_before, expected, low, high,
    depletes_on, trend, last_activity, recent, score, reasons) = (excluded.period, excluded.made_on, excluded.made_at,
    excluded.used, excluded.used_before, excluded.expected, excluded.low, excluded.high, excluded.depletes_on,
    excluded.trend, excluded.last_activity, excluded.recent, excluded.score, excluded.reasons)
""")
_REMEMBER = text("""
INSERT INTO usage_forecasts (organization_id, made_on, period, expected, low, high)
SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS r(organization_id uuid, made_on date, period date,
    expected bigint, low bigint, high bigint)
ON CONFLICT DO NOTHING
""")


def refresh_outlooks(actor: Actor, *, all_of_them: bool = False) -> int:
    """Make the outlooks anew of the customers whose day is over since, or whose contract was changed; how many.

    For the hourly job: a day ends at another hour in each time zone. Raises Forbidden without SYSTEM_READ.
    """
    actor.require(Permission.SYSTEM_READ)
    with reading(actor) as db:
        due = db.execute(_DUE, {"all": all_of_them}).all()
    for begin in range(0, len(due), _AT_ONCE):
        _refresh(actor, due[begin : begin + _AT_ONCE])
    return len(due)


def _refresh(actor: Actor, due: Sequence[Row[Any]]) -> None:
    ids = [row.id for row in due]
    with reading(actor) as db:
        known = _Known(db, ids)
    rows, forecasts = [], []
    for row in due:
        outlook, kept = _outlook(row, known)
        rows.append(outlook)
        forecasts += kept
    with metering(actor) as db:
        db.execute(_KEEP, {"rows": json.dumps(rows, default=str)})
        if forecasts:
            db.execute(_REMEMBER, {"rows": json.dumps(forecasts, default=str)})


def forecast_on(
    organization_id: UUID, days: dict[dt.date, int], made_on: dt.date, *, most: int | None = None
) -> dict[str, Any] | None:
    """What is kept of a forecast made on a day, from the days before it alone; None where too little was known.

    ``most`` is a hard limit of credits a period.
    """
    month = made_on.replace(day=1)
    seen = look_ahead({day: n for day, n in days.items() if day < made_on}, made_on, month).whole(most)
    if seen is None:
        return None
    expected, low, high = seen
    whole = {"expected": expected, "low": low, "high": high}
    return {"organization_id": organization_id, "period": month, "made_on": made_on, **whole}


def remember_forecasts(actor: Actor, rows: list[dict[str, Any]]) -> None:
    """Keep forecasts that were made; one that is known already stays. Raises Forbidden without SYSTEM_READ."""
    actor.require(Permission.SYSTEM_READ)
    with metering(actor) as db:
        db.execute(_REMEMBER, {"rows": json.dumps(rows, default=str)})


class _Known:
    """What a batch of customers is judged by, each figure read for all of them at once."""

    def __init__(self, db: Session, ids: list[UUID]) -> None:
        since = periods.today("UTC") - dt.timedelta(days=forecast.WINDOW + 2)
        self.days: dict[UUID, dict[dt.date, int]] = {}
        for organization_id, day, spent in db.execute(_DAYS, {"ids": ids, "since": since}):
            self.days.setdefault(organization_id, {})[day] = spent
        self.used = {row.organization_id: row.used for row in db.execute(_USED, {"ids": ids})}
        self.last: dict[UUID, dt.date] = {row.id: row.day for row in db.execute(_LAST, {"ids": ids})}
        self.people = {row.organization_id: row for row in db.execute(_PEOPLE, {"ids": ids})}
        self.top = {row.organization_id: row for row in db.execute(_TOP, {"ids": ids})}


def _outlook(row: Row[Any], known: _Known) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    today = row.today
    month = today.replace(day=1)
    days = known.days.get(row.id, {})
    seen = look_ahead(days, today, month)
    expected, low, high = seen.whole(row.allowance if row.is_hard else None) or (None, None, None)
    facts = _facts(row, known, seen, expected, month)
    found = reasons(facts)
    start = periods.before(month)
    through = periods.same_day_before(month, today)
    whole = {
        "organization_id": row.id,
        "period": month,
        "made_on": today,
        "expected": expected,
        "low": low,
        "high": high,
    }
    outlook = {
        **whole,
        "used": seen.used,
        "used_before": sum(value for day, value in days.items() if start <= day < through),
        "depletes_on": facts.depletes_on,
        "trend": seen.trend,
        "last_activity": facts.last_activity,
        "recent": list(seen.recent),
        "score": total(found),
        "reasons": [reason.as_json() for reason in found],
    }
    return outlook, [whole] if expected is not None and today.day in KEPT_DAYS else []


def _facts(row: Row[Any], known: _Known, seen: Ahead, expected: int | None, month: dt.date) -> Facts:
    days, people, top = known.days.get(row.id, {}), known.people.get(row.id), known.top.get(row.id)
    used = known.used.get(row.id, 0)
    passed = passed_on(days, month, row.allowance, is_hard=row.is_hard)
    return Facts(
        today=seen.today,
        period_end=periods.after(month) - dt.timedelta(days=1),
        subscription_status=row.subscription_status,
        subscription_data=row.subscription_data,
        status=row.status,
        is_hard=row.is_hard,
        allowance=row.allowance,
        used=used,
        expected=expected,
        depletes_on=passed or seen.depletes_on(row.allowance),
        trend=seen.trend,
        last_fortnight=sum(seen.recent[-14:]),
        fortnight_before=sum(seen.recent[:14]),
        last_activity=known.last.get(row.id),
        members=people.members if people else 0,
        unused=people.unused if people else 0,
        week=int(top.everybody) if top else 0,
        top_person=str(top.user_id) if top and top.user_id else None,
        top_week=int(top.week) if top else 0,
        top_usual=int(top.usual) if top else 0,
    )
