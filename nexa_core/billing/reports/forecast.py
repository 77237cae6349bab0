"""The forecast of a customer's use: a seasonal naive by weekday with a damped trend, and a band from its own errors.

After Hyndman and Athanasopoulos, "Forecasting: Principles and Practice" (3rd edition): the naive of a season (5.2), a
damped trend (8.2, Gardner and McKenzie 1985), a band from the errors of forecasts made from earlier days (5.5, 5.10).
Only complete days enter, so a forecast is the same all day long.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Complete days with anything to learn from, below which nothing is said.
LEAST_DAYS = 14
#: Days that are looked at; what is older than four months says little about the end of this one.
WINDOW = 126
_WEEKS = 6
_DAMPING = 0.6
#: What 80 % of the outcomes lie between; where a customer is too new for errors of its own, what is usual.
_QUANTILES = (0.1, 0.9)
_USUAL = (0.7, 1.35)
_LEAST_ERRORS = 6

Days = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Band:
    """Credits of the days ahead: the most likely of each day, and the sums up to each day with their band."""

    daily: tuple[float, ...]
    expected: tuple[int, ...]
    low: tuple[int, ...]
    high: tuple[int, ...]


def known(days: Days) -> Days:
    """The days that count: from the first with any use on, at most ``WINDOW``."""
    used = np.flatnonzero(days)
    return days[used[0] :][-WINDOW:] if used.size else days[:0]


def ahead(days: Days, horizon: int) -> Band | None:
    """What the next ``horizon`` days will use, from complete days, oldest first; None where there are too few."""
    history = known(np.asarray(days, dtype=np.float64))
    if history.size < LEAST_DAYS:
        return None
    if horizon <= 0:
        return Band((), (), (), ())
    daily = _daily(history, horizon)
    sums = np.cumsum(daily)
    low, high = _band(history, horizon)
    # The first of the days ahead is as uncertain in proportion as all of them: errors of single days do not cancel out.
    return Band(
        tuple(float(value) for value in daily),
        *(tuple(int(value) for value in np.rint(part)) for part in (sums, sums * low, sums * high)),
    )


def trend(days: Days) -> int | None:
    """The last 14 complete days against the 14 before, in per cent; None without use in both."""
    if days.size < 28 or not (before := days[-28:-14].sum()) or not known(days[-28:]).size > 14:
        return None
    return round(100 * float(days[-14:].sum() / before - 1))


def _daily(history: Days, horizon: int) -> Days:
    """The mean of the same weekdays of the last weeks, newer ones counting more, moved along a trend that fades."""
    weeks = min(_WEEKS, history.size // 7)
    recent = history[-7 * weeks :].reshape(weeks, 7)  # row by row a week, the last row the newest
    weights = 0.75 ** np.arange(weeks - 1, -1, -1)
    season = (recent * weights[:, None]).sum(axis=0) / weights.sum()
    growth = 0.0
    if history.size >= 28:
        now, before = history[-14:].sum(), history[-28:-14].sum()
        if now > 0 and before > 0:
            growth = float(np.clip(np.log(now / before) / 2, -0.2, 0.2))  # a week, on the scale of logarithms
    steps = np.arange(horizon)
    # The weighted mean lies in the past: the trend has to carry it to today before it goes on, fading.
    lag = float((weights * np.arange(weeks - 1, -1, -1)).sum() / weights.sum())
    fading = _DAMPING * (1 - _DAMPING ** (1 + steps // 7)) / (1 - _DAMPING)
    return np.asarray(season[steps % 7] * np.exp(growth * (_DAMPING * lag + fading)), dtype=np.float64)


def _band(history: Days, horizon: int) -> tuple[float, float]:
    """How far the sum of that many days was off in proportion, had it been forecast on earlier days."""
    ratios = []
    for origin in range(history.size - horizon, LEAST_DAYS - 1, -3):
        expected = _daily(history[:origin], horizon).sum()
        if expected > 0:
            ratios.append(history[origin : origin + horizon].sum() / expected)
        if len(ratios) == 24:
            break
    if len(ratios) < _LEAST_ERRORS:
        return _USUAL
    low, high = np.quantile(ratios, _QUANTILES)
    return float(min(low, 0.97)), float(max(high, 1.03))
