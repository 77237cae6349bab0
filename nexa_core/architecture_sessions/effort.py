"""The arithmetic of a level of effort: three-point estimates to hours, money and how sure they are.

PERT: the mean of a task is (o + 4m + p) / 6 and its standard deviation (p - o) / 6 (Malcolm et al., Operations Research
7(5), 1959). Tasks are taken as independent, so variances add, and a sum of many is close to normal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import sqrt
from statistics import NormalDist
from typing import Final

from nexa_core.architecture_sessions.foreign import number, parts, words

#: Money is rounded once a row, half away from zero to a whole minor unit; every total is the sum of rounded rows, so
#: that what is printed adds up. The name is the one of Python's ``decimal``, and what a spreadsheet's ROUND does.
ROUNDING: Final = ROUND_HALF_UP
#: Currencies whose minor unit is not a hundredth (ISO 4217).
_DIGITS: Final = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV"), 0),
    **dict.fromkeys(("XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
CURRENCY: Final = "EUR"
#: How likely the true effort is within the ranges that are given.
CONFIDENCES: Final = (0.80, 0.95)
_OFF = Fraction(0)


@dataclass(frozen=True, slots=True)
class EffortTask:
    """One row with its figures. ``id`` and ``deliverable`` are parts' ids; hours are hours, ``cost_minor`` money."""

    id: str
    task: str
    role: str
    deliverable: str
    optimistic_hours: float
    likely_hours: float
    pessimistic_hours: float
    rate_minor: int
    mean_hours: float
    deviation_hours: float
    cost_minor: int


@dataclass(frozen=True, slots=True)
class EffortTotal:
    """What belongs together. ``key`` is the role or the deliverable's id, empty for none; ``title`` is for people."""

    key: str
    title: str
    tasks: int
    optimistic_hours: float
    mean_hours: float
    pessimistic_hours: float
    deviation_hours: float
    cost_minor: int


@dataclass(frozen=True, slots=True)
class EffortRange:
    """Between which hours, and which cost, the work ends with this likelihood; contingency not included."""

    confidence: float
    low_hours: float
    high_hours: float
    low_minor: int
    high_minor: int


@dataclass(frozen=True, slots=True)
class UnreadRow:
    """A row that cannot be counted, and why."""

    id: str
    task: str
    reason: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """A level of effort, computed. ``total_hours`` and ``total_minor`` include the contingency.

    ``contingency_covers`` is how likely the contingency is enough, from 0 to 1; None where nothing is uncertain.
    """

    currency: str
    currency_digits: int
    contingency_percent: float
    tasks: tuple[EffortTask, ...]
    by_role: tuple[EffortTotal, ...]
    by_deliverable: tuple[EffortTotal, ...]
    ranges: tuple[EffortRange, ...]
    mean_hours: float
    deviation_hours: float
    contingency_hours: float
    total_hours: float
    cost_minor: int
    contingency_minor: int
    total_minor: int
    contingency_covers: float | None
    unread: tuple[UnreadRow, ...]


def likelihood(share: float) -> str:
    """A likelihood from 0 to 1 in words; nothing that is estimated is certain."""
    if share > 0.99:
        return "over 99%"
    return "under 1%" if share < 0.01 else f"{share:.0%}"


def estimate(loe: object, sow: object = None) -> Estimate:
    """The figures of an LOE document of any shape; ``sow`` names the deliverables. Never raises."""
    exact, unread = _read(loe)
    currency = words(loe, "currency").upper()
    percent = number(loe, "contingency_percent") or _OFF
    percent = max(_OFF, min(percent, Fraction(1000)))
    titles = {words(part, "id"): words(part, "title") for part in parts(sow, "deliverables")}
    mean = sum((row.mean for row in exact), _OFF)
    cost = sum(row.cost for row in exact)
    contingency_minor = minor(cost * percent / 100)
    deviation = _deviation(exact)
    return Estimate(
        currency=currency if len(currency) == 3 and currency.isascii() and currency.isalpha() else CURRENCY,
        currency_digits=digits(currency),
        contingency_percent=float(percent),
        tasks=tuple(row.shown() for row in exact),
        by_role=_totals(exact, lambda row: row.role, {}),
        by_deliverable=_totals(exact, lambda row: row.deliverable, titles),
        ranges=tuple(_range(exact, confidence) for confidence in CONFIDENCES) if exact else (),
        mean_hours=float(mean),
        deviation_hours=deviation,
        contingency_hours=float(mean * percent / 100),
        total_hours=float(mean * (1 + percent / 100)),
        cost_minor=cost,
        contingency_minor=contingency_minor,
        total_minor=cost + contingency_minor,
        contingency_covers=NormalDist().cdf(float(mean * percent / 100) / deviation) if deviation else None,
        unread=tuple(unread),
    )


def tasks(loe: object) -> tuple[EffortTask, ...]:
    """The rows of an LOE document that can be counted, as ``estimate`` does."""
    return tuple(row.shown() for row in _read(loe)[0])


def digits(currency: str) -> int:
    """How many decimals a currency's minor unit has (ISO 4217)."""
    return _DIGITS.get(currency.upper(), 2)


def minor(amount: Fraction | int) -> int:
    """A whole number of minor units, by ``ROUNDING``."""
    exact = Fraction(amount)
    if exact.denominator == 1:
        return exact.numerator
    halves = (abs(exact) * 2 + 1).__floor__() // 2
    return halves if exact >= 0 else -halves


def money(amount_minor: int, currency: str) -> Decimal:
    """Minor units as an amount of the currency: 12345 EUR is 123.45."""
    return Decimal(amount_minor).scaleb(-digits(currency))


@dataclass(frozen=True, slots=True)
class _Row:
    """One row in exact numbers."""

    id: str
    task: str
    role: str
    deliverable: str
    low: Fraction
    likely: Fraction
    high: Fraction
    rate: int

    @property
    def mean(self) -> Fraction:
        return (self.low + 4 * self.likely + self.high) / 6

    @property
    def deviation(self) -> Fraction:
        return (self.high - self.low) / 6

    @property
    def cost(self) -> int:
        return minor(self.mean * self.rate)

    def shown(self) -> EffortTask:
        return EffortTask(
            self.id, self.task, self.role, self.deliverable, float(self.low), float(self.likely), float(self.high),
            self.rate, float(self.mean), float(self.deviation), self.cost,
        )  # fmt: skip


def _read(loe: object) -> tuple[list[_Row], list[UnreadRow]]:
    rows: list[_Row] = []
    unread: list[UnreadRow] = []
    for part in parts(loe, "rows"):
        row_id, task = words(part, "id"), words(part, "task")
        hours = [number(part, f"{point}_hours") for point in ("optimistic", "likely", "pessimistic")]
        low, likely, high = hours
        if likely is None and low is not None and high is not None:
            likely = (low + high) / 2
        if likely is not None:  # one number is an estimate too, with nothing said of how sure it is
            low = likely if low is None else low
            high = likely if high is None else high
        if low is None or likely is None or high is None:
            unread.append(UnreadRow(row_id, task, "its hours are not given as numbers"))
        elif low < 0:
            unread.append(UnreadRow(row_id, task, "its hours are below zero"))
        elif not low <= likely <= high:
            unread.append(UnreadRow(row_id, task, "its hours do not rise from optimistic to pessimistic"))
        else:
            rate = number(part, "rate_minor") or _OFF
            role, deliverable = words(part, "role"), words(part, "deliverable")
            rows.append(_Row(row_id, task, role, deliverable, low, likely, high, minor(max(rate, _OFF))))
    return rows, unread


def _deviation(rows: Iterable[_Row]) -> float:
    return sqrt(sum((row.deviation**2 for row in rows), _OFF))


def _totals(rows: list[_Row], key_of: Callable[[_Row], str], titles: dict[str, str]) -> tuple[EffortTotal, ...]:
    """Totals by a key, in the order in which the keys first appear."""
    groups: dict[str, list[_Row]] = {}
    for row in rows:
        groups.setdefault(key_of(row), []).append(row)
    return tuple(
        EffortTotal(
            key=key,
            title=titles.get(key) or key,
            tasks=len(group),
            optimistic_hours=float(sum(row.low for row in group)),
            mean_hours=float(sum(row.mean for row in group)),
            pessimistic_hours=float(sum(row.high for row in group)),
            deviation_hours=_deviation(group),
            cost_minor=sum(row.cost for row in group),
        )
        for key, group in groups.items()
    )


def _range(rows: list[_Row], confidence: float) -> EffortRange:
    """The middle of the normal distribution, kept within what the three points themselves say is possible."""
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    mean, spread = float(sum(row.mean for row in rows)), z * _deviation(rows)
    cost = sum(row.cost for row in rows)
    cost_spread = z * sqrt(sum((row.deviation * row.rate) ** 2 for row in rows))
    cheapest, dearest = (sum(minor(hours * row.rate) for row, hours in ends) for ends in _ends(rows))
    return EffortRange(
        confidence=confidence,
        low_hours=max(mean - spread, float(sum(row.low for row in rows))),
        high_hours=min(mean + spread, float(sum(row.high for row in rows))),
        low_minor=max(minor(Fraction(cost - cost_spread)), cheapest),
        high_minor=min(minor(Fraction(cost + cost_spread)), dearest),
    )


def _ends(rows: list[_Row]) -> tuple[list[tuple[_Row, Fraction]], list[tuple[_Row, Fraction]]]:
    return [(row, row.low) for row in rows], [(row, row.high) for row in rows]
