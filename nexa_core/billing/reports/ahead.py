"""Where the complete days of a customer lead: the one forecast, and the day on which its allowance is passed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nexa_core.billing.reports import forecast, periods

PARTS_OF_BAND: tuple[Literal["expected", "low", "high"], ...] = ("expected", "low", "high")


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
