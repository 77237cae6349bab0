"""The track record of the forecast: what it said, or would have said, against what happened."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from statistics import median
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from nexa_core.actor import Actor
from nexa_core.billing.reports import forecast, periods
from nexa_core.billing.reports.ahead import look_ahead
from nexa_core.billing.reports.figures import CUSTOMERS, USED
from nexa_core.billing.reports.scope import Wanted, chosen, organization_of, require_portfolio
from nexa_core.db import reading

#: Closed periods that are looked back at, and the days of each on which a forecast is tried.
PERIODS = 6
_TRIED_ON = (10, 20)


@dataclass(frozen=True, slots=True)
class Prediction:
    """One forecast of a closed period and what came of it. ``is_stored`` is one that was really made on that day; the
    others are made now, from the days before it alone."""

    period: dt.date
    made_on: dt.date
    expected: int
    low: int
    high: int
    actual: int
    is_stored: bool

    @property
    def error(self) -> int | None:
        """How far off it was, in per cent of what happened; None where nothing happened."""
        return round(100 * (self.expected - self.actual) / self.actual) if self.actual else None

    @property
    def is_inside(self) -> bool:
        return self.low <= self.actual <= self.high


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """``off_by`` is the median of the errors in per cent, ``inside`` of every hundred how many ended in their band;
    None before there is a closed period to judge by."""

    predictions: tuple[Prediction, ...]
    off_by: int | None
    inside: int | None


_DAYS = text("""
SELECT day, sum(credits)::bigint AS credits FROM usage_by_day WHERE organization_id = :id AND day >= :since GROUP BY day
""")
_STORED = text("""
SELECT period, made_on, expected, low, high FROM usage_forecasts
WHERE organization_id = :id AND period >= :since AND period < :month AND made_on > period ORDER BY made_on
""")


def track_record(actor: Actor, *, organization_id: UUID | None = None) -> TrackRecord:
    """How good the forecasts of an organization were in its last six closed periods.

    Raises Forbidden without USAGE_READ, NotFound for an organization the actor may not see.
    """
    with reading(actor) as db:
        row = organization_of(db, actor, organization_id)
        months = periods.latest(PERIODS + 1, row.today)
        given = {"id": row.id, "since": months[-1] - dt.timedelta(days=forecast.WINDOW)}
        days = {one.day: one.credits for one in db.execute(_DAYS, given)}
        stored = db.execute(_STORED, {"id": row.id, "since": months[-1], "month": months[0]}).all()
    found = [_stored(one, days) for one in stored]
    most = row.allowance if row.is_hard else None
    remembered = {one.period for one in found}
    found += [one for month in months[1:] if month not in remembered for one in _tried(month, days, most)]
    found.sort(key=lambda one: one.made_on)
    return _record(found)


def _stored(row: Row[Any], days: dict[dt.date, int]) -> Prediction:
    return Prediction(row.period, row.made_on, row.expected, row.low, row.high, _sum(days, row.period), True)


def _tried(month: dt.date, days: dict[dt.date, int], most: int | None) -> list[Prediction]:
    found = []
    for number in _TRIED_ON:
        day = month.replace(day=number)
        seen = look_ahead({key: value for key, value in days.items() if key < day}, day, month)
        whole = seen.whole(most)
        if whole is not None and (actual := _sum(days, month)):
            expected, low, high = whole
            found.append(Prediction(month, day, expected, low, high, actual, False))
    return found


def _sum(days: dict[dt.date, int], month: dt.date) -> int:
    until = periods.after(month)
    return sum(value for day, value in days.items() if month <= day < until)


def _record(found: list[Prediction]) -> TrackRecord:
    errors = [abs(one.error) for one in found if one.error is not None]
    inside = round(100 * sum(one.is_inside for one in found) / len(found)) if found else None
    return TrackRecord(tuple(found), round(median(errors)) if errors else None, inside)


_OF_ALL = text(f"""
WITH {CUSTOMERS}, {USED}
SELECT count(*) AS predictions,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(f.expected - u.used) * 100.0 / nullif(u.used, 0)) AS off_by,
       avg((u.used BETWEEN f.low AND f.high)::integer) * 100 AS inside
FROM customers c JOIN used u USING (id)
JOIN usage_forecasts f ON f.organization_id = c.id AND f.period = :month AND f.made_on = CAST(:month AS date) + 14
WHERE u.used > 0
""")


@dataclass(frozen=True, slots=True)
class PortfolioRecord:
    """The forecasts of a whole portfolio made in the middle of the last closed period; figures as in a track record."""

    period: dt.date
    predictions: int
    off_by: int | None
    inside: int | None


def portfolio_record(actor: Actor, *, wanted: Wanted | None = None) -> PortfolioRecord:
    """How good the forecasts of all customers were in the period before. Raises as ``portfolio`` does."""
    require_portfolio(actor)
    wanted = wanted or Wanted()
    month = periods.before(wanted.month)
    with reading(actor) as db:
        row = db.execute(_OF_ALL, chosen(actor, wanted, month=month)).one()
    if not row.predictions:
        return PortfolioRecord(month, 0, None, None)
    return PortfolioRecord(month, row.predictions, round(row.off_by), round(row.inside))
