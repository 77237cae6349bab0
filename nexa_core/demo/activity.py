"""When and how much a customer works: 13 months of use that show its plot, in the hours of its own time zone."""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from nexa_core.demo.customers import DORMANT_SINCE, DOWNGRADED_SINCE, SUSPENDED_SINCE, Customer, Plot
from nexa_core.demo.people import Person

_WEEKDAYS = (1.0, 1.08, 1.1, 1.02, 0.8, 0.1, 0.07)
_HOURS = (1, 0, 0, 0, 0, 1, 3, 12, 42, 78, 92, 84, 48, 62, 88, 90, 74, 46, 20, 12, 10, 8, 5, 2)
_PAGES = ("structuring", "sow", "loe", "visuals")
#: What people do, and how often.
_TYPES = {"ai_call": 0.6, "session_save": 0.24, "diagram_render": 0.09, "pdf_export": 0.05, "share_view": 0.02}
#: Start of term in the southern hemisphere: the seasonal customer's months.
_SEASON = (0.3, 2.2, 2.6, 0.8, 0.6, 0.7, 2.4, 2.1, 0.8, 0.6, 0.45, 0.25)


@dataclass(frozen=True, slots=True)
class Use:
    """One usage event before it has a place: ``session`` is an index into the customer's sessions."""

    at: datetime
    event_type: str
    person: UUID
    architecture_session: int | None
    credits: int
    data: dict[str, Any]
    key: str


@dataclass(frozen=True, slots=True)
class Span:
    """A session as far as use is concerned: who began it, and from when to when it could be opened."""

    author: UUID
    created_at: datetime
    deleted_at: datetime | None


def first_day(day: date) -> date:
    """13 months before."""
    months = day.year * 12 + day.month - 1 - 13
    return date(months // 12, months % 12 + 1, min(day.day, 28))


def _shape(plot: Plot) -> Callable[[date, int, float], float]:
    """How much there is on a day, days ago, at a share of the 13 months: the plot itself."""
    shapes: dict[Plot, Callable[[date, int, float], float]] = {
        "growing": lambda day, ago, t: 0.35 * math.exp(1.3 * t),
        "overspending": lambda day, ago, t: 0.75 + 0.65 * t,
        "dormant": lambda day, ago, t: 0.0 if ago <= DORMANT_SINCE else min(1.0, (ago - DORMANT_SINCE) / 60),
        "trial ending": lambda day, ago, t: 0.6 + (30 - ago) / 30,
        "seasonal": lambda day, ago, t: _SEASON[day.month - 1],
        "one big team": lambda day, ago, t: 0.9 + 0.2 * t,
        "suspended": lambda day, ago, t: 0.0 if ago <= SUSPENDED_SINCE else 1.0,
        "downgraded": lambda day, ago, t: 0.4 if ago <= DOWNGRADED_SINCE else 1.0 if ago > 120 else 0.7,
        "past due": lambda day, ago, t: 1.0 if ago > 45 else 0.8,
    }
    return shapes.get(plot, lambda day, ago, t: 1.0)


def weights_by_day(customer: Customer, day: date, rng: random.Random) -> list[tuple[date, float]]:
    """Every day of the customer's life within the 13 months, and how much happens on it relative to the others."""
    begin = first_day(day)
    shape, length = _shape(customer.plot), (day - begin).days
    found: list[tuple[date, float]] = []
    for number in range(length + 1):
        here = begin + timedelta(days=number)
        ago = length - number
        noise = rng.uniform(0.8, 1.25)
        if ago >= customer.joined:
            continue
        quiet = 0.2 if (here.month, here.day) >= (12, 24) or (here.month, here.day) <= (1, 2) else 1.0
        found.append((here, shape(here, ago, number / length) * _WEEKDAYS[here.weekday()] * noise * quiet))
    return found


def moment(day: date, zone: ZoneInfo, rng: random.Random) -> datetime:
    """A time of that day when people work, as UTC."""
    hour = rng.choices(range(24), _HOURS)[0]
    local = datetime(day.year, day.month, day.day, hour, rng.randrange(60), rng.randrange(60), tzinfo=zone)
    return local.astimezone(UTC)


def uses_of(
    customer: Customer,
    people: Sequence[Person],
    sessions: Sequence[Span],
    days: Sequence[tuple[date, float]],
    rng: random.Random,
) -> list[Use]:
    """All use of one customer, oldest first; sessions must be in the order of their creation."""
    zone = ZoneInfo(customer.time_zone)
    chosen = rng.choices([day for day, _ in days], [weight for _, weight in days], k=customer.events)
    moments = sorted(moment(day, zone, rng) for day in chosen)
    kinds = rng.choices(list(_TYPES), list(_TYPES.values()), k=len(moments))
    workers = sorted((p for p in people if p.weight and p.joined_at), key=lambda p: p.joined_at or moments[0])
    joined = [person.joined_at for person in workers if person.joined_at]
    shares = list(accumulate(person.weight for person in workers))
    created = [span.created_at for span in sessions]
    found = [_creation(number, span) for number, span in enumerate(sessions)]
    for number, (at, kind) in enumerate(zip(moments, kinds, strict=True)):
        there = bisect_left(joined, at)
        if not there:
            continue
        architecture_session = _session(sessions, bisect_left(created, at), at, rng)
        if architecture_session is not None and rng.random() < 0.4:
            person = sessions[architecture_session].author
        else:
            person = workers[bisect_left(shares, rng.random() * shares[there - 1])].id
        spent, data = _content(kind, rng)
        found.append(Use(at, kind, person, architecture_session, spent, data, f"demo-{customer.slug}-{number:05d}"))
    found.sort(key=lambda use: (use.at, use.key))
    most = customer.usage_limits.get("monthly_credits") if customer.usage_limits.get("hard") else None
    return found if most is None else _within(found, most, zone)


def _creation(number: int, span: Span) -> Use:
    key = f"demo-session-{number:03d}"
    return Use(span.created_at, "session_create", span.author, number, 0, {"page": "structuring"}, key)


def _session(sessions: Sequence[Span], known: int, at: datetime, rng: random.Random) -> int | None:
    """Mostly one of the latest; none while there is none."""
    for _ in range(3):
        back = int(rng.expovariate(0.55))
        number = known - 1 - back
        if number < 0:
            continue
        deleted_at = sessions[number].deleted_at
        if deleted_at is None or at < deleted_at:
            return number
    return None


def _content(kind: str, rng: random.Random) -> tuple[int, dict[str, Any]]:
    """Credits and ``event_data``: an AI call is a credit a thousand tokens, or four thousand of the small model."""
    page = _PAGES[int(rng.random() * 4)]
    if kind == "ai_call":
        large = rng.random() < 0.55
        given, answered = int(rng.lognormvariate(8.3, 0.5)), int(rng.lognormvariate(7.2, 0.5))
        cost = max(1, math.ceil((given + answered) / (1_000 if large else 4_000)))
        return cost, {
            "model": "nexa-large" if large else "nexa-small",
            "page": page,
            "input_tokens": given,
            "output_tokens": answered,
            "milliseconds": int(answered * (9 if large else 4) * rng.uniform(0.8, 1.3)),
        }
    if kind == "pdf_export":
        pages = rng.randrange(4, 28)
        return 2, {"page": page, "pages": pages, "bytes": pages * rng.randrange(9_000, 16_000)}
    if kind == "diagram_render":
        language = "dot" if rng.random() < 0.25 else "mermaid"
        return 1, {"page": "visuals", "language": language, "nodes": rng.randrange(5, 9)}
    if kind == "share_view":
        return 0, {"page": page}
    return 0, {"page": page, "changes": 1 + int(rng.expovariate(0.4))}


def _within(uses: list[Use], most: int, zone: ZoneInfo) -> list[Use]:
    """What a hard limit lets through: in each month the first credits, then only what costs nothing."""
    spent: dict[tuple[int, int], int] = {}
    found: list[Use] = []
    for use in uses:
        local = use.at.astimezone(zone)
        month = (local.year, local.month)
        if use.credits and spent.get(month, 0) + use.credits > most:
            continue
        spent[month] = spent.get(month, 0) + use.credits
        found.append(use)
    return found
