"""How much happened when: a histogram that costs the same however much there is."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, DateTime, Integer, case, cast, column, func, select, true, union_all, values
from sqlalchemy.orm import Session

from nexa_core.actor import Actor
from nexa_core.audit.filters import EVERYTHING, Filters
from nexa_core.audit.models import AuditLog
from nexa_core.audit.search import branches
from nexa_core.db import reading
from nexa_core.permissions import Permission

#: The most that is ever counted exactly; beyond it a figure reads "1,000+" or "about".
MOST_COUNTED = 1_000
#: A bar with more is looked at in so many slices, each at so many entries: it is taken to be as dense as these.
_SLICES = 8
_MOST_IN_SLICE = 125
_MOST_BARS = 60
_STEPS = [
    dt.timedelta(**{unit: count})
    for unit, counts in (
        ("seconds", (1, 5, 15)),
        ("minutes", (1, 5, 15)),
        ("hours", (1, 3, 6)),
        ("days", (1, 2, 7, 14, 28, 91, 364)),
    )
    for count in counts
]


@dataclass(frozen=True, slots=True)
class Bar:
    """How many entries from ``since`` to before ``until``; an estimate unless ``is_exact``."""

    since: dt.datetime
    until: dt.datetime
    entries: int
    is_exact: bool


@dataclass(frozen=True, slots=True)
class Activity:
    """The bars of a range, oldest first, and how many entries that is; ``total`` is None beyond 1,000."""

    bars: tuple[Bar, ...]
    total: int | None


def activity(actor: Actor, *, filters: Filters = EVERYTHING) -> Activity:
    """How much happened when, within the range of the filters or from the first to the last entry that fits.

    A text is not counted: its other filters are. Raises Forbidden without AUDIT_READ.
    """
    actor.require(Permission.AUDIT_READ)
    filters = replace(filters, text=None)
    with reading(actor) as db:
        since = filters.since or _edge(actor, db, filters, newest=False)
        until = filters.until or _edge(actor, db, filters, newest=True)
        if until is not None and filters.until is None:
            until += dt.timedelta(microseconds=1)  # the newest entry belongs to the range
        if since is None or until is None or since >= until:
            return Activity((), 0)
        bars = _bars(actor, db, filters, since, until)
    total = sum(bar.entries for bar in bars)
    return Activity(bars, total if total <= MOST_COUNTED and all(bar.is_exact for bar in bars) else None)


def _edge(actor: Actor, db: Session, filters: Filters, *, newest: bool) -> dt.datetime | None:
    order = AuditLog.created_at.desc() if newest else AuditLog.created_at
    edges = [
        db.scalar(select(AuditLog.created_at).where(*where).order_by(order).limit(1))
        for where in branches(actor, db, filters)
    ]
    found = [edge for edge in edges if edge is not None]
    return (max(found) if newest else min(found)) if found else None


def _bars(actor: Actor, db: Session, filters: Filters, since: dt.datetime, until: dt.datetime) -> tuple[Bar, ...]:
    edges = _edges(since, until, actor.timezone)
    bars = [(max(begin, since), min(end, until)) for begin, end in pairwise(edges)]
    # The bars hold the range: as a condition of its own it would only be checked once more for every entry.
    where = branches(actor, db, replace(filters, since=None, until=None))
    counted = _counted(db, where, list(enumerate(bars)), MOST_COUNTED)
    exact = {number: round(entries) for number, (entries, oldest) in counted.items() if oldest is None}
    dense = [(number, *span) for number, span in enumerate(bars) if number not in exact]
    slices = [
        (number, (begin + (end - begin) * part / _SLICES, begin + (end - begin) * (part + 1) / _SLICES))
        for number, begin, end in dense
        for part in range(_SLICES)
    ]
    estimated = _counted(db, where, slices, _MOST_IN_SLICE) if slices else {}
    found = []
    for number, (begin, end) in enumerate(pairwise(edges)):
        known = exact.get(number)
        entries = max(MOST_COUNTED + 1, round(estimated[number][0])) if known is None else known
        found.append(Bar(begin, end, entries, is_exact=known is not None))
    return tuple(found)


Span = tuple[dt.datetime, dt.datetime]


def _counted(
    db: Session, where: list[list[ColumnElement[bool]]], spans: list[tuple[int, Span]], most: int
) -> dict[int, tuple[float, bool | None]]:
    """For each number the entries of its spans, and None when that is exact; a span with more than ``most`` counts as
    many as it would have if all of it were as dense as its newest part."""
    time = DateTime(timezone=True)
    given = values(column("number", Integer), column("begin", time), column("ending", time), name="given")
    of = given.data([(number, begin, end) for number, (begin, end) in spans]).cte("spans")
    begin, ending = cast(of.c.begin, time), cast(of.c.ending, time)
    parts: list[Any] = []
    for conditions in where:
        newest = (
            select(AuditLog.created_at)
            .where(*conditions, AuditLog.created_at >= begin, AuditLog.created_at < ending)
            .order_by(AuditLog.created_at.desc())
            .limit(most + 1)
            .correlate(of)
            .lateral()
        )
        counting = select(func.count().label("entries"), func.min(newest.c.created_at).label("oldest"))
        one: Any = counting.select_from(newest).correlate(of).lateral()
        seconds = func.greatest(func.extract("epoch", ending - one.c.oldest), 0.000001)
        as_dense = one.c.entries * func.extract("epoch", ending - begin) / seconds
        is_over = one.c.entries > most
        entries: Any = case((is_over, as_dense), else_=one.c.entries)
        parts.append(select(of.c.number, entries.label("entries"), is_over.label("is_over")).join(one, true()))
    together: Any = parts[0] if len(parts) == 1 else union_all(*parts)
    counted = together.subquery()
    sums = select(counted.c.number, func.sum(counted.c.entries), func.bool_or(counted.c.is_over))
    rows = db.execute(sums.group_by(counted.c.number))
    return {number: (float(entries), is_over or None) for number, entries, is_over in rows}


def _edges(since: dt.datetime, until: dt.datetime, timezone: str) -> list[dt.datetime]:
    """Where bars begin: round times where the person is, few enough to see."""
    step = next((step for step in _STEPS if (until - since) / step <= _MOST_BARS - 1), _STEPS[-1])
    try:
        zone = ZoneInfo(timezone)
    except (KeyError, ValueError):
        zone = ZoneInfo("UTC")
    midnight = since.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    begin = midnight + (since - midnight) // step * step
    count = max(1, -(-(until - begin) // step))
    return [(begin + step * number).astimezone(dt.UTC) for number in range(count + 1)]
