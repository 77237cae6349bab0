"""The forecast: the same of the same days, useful from two weeks on, silent before, and honest about its errors."""

from __future__ import annotations

import numpy as np
import pytest

from nexa_core.billing.reports import forecast

WEEK = np.array([100, 110, 120, 105, 90, 10, 5], dtype=float)


def weeks(count: int, growth: float = 1.0, noise: float = 0.0, seed: int = 1) -> forecast.Days:
    rng = np.random.default_rng(seed)
    days = np.concatenate([WEEK * growth**number for number in range(count)])
    return np.maximum(days * (1 + noise * rng.standard_normal(days.size)), 0)


def test_a_week_that_repeats_is_predicted_exactly() -> None:
    band = forecast.ahead(weeks(8), 7)
    assert band is not None
    assert [round(day) for day in band.daily] == WEEK.tolist()
    assert band.expected[-1] == WEEK.sum()


def test_the_weekdays_stay_in_their_places_wherever_the_history_ends() -> None:
    for cut in range(1, 7):
        band = forecast.ahead(weeks(8)[:-cut], cut)
        assert band is not None
        assert [round(day) for day in band.daily] == WEEK[-cut:].tolist()


@pytest.mark.parametrize("days", [0, 1, 13])
def test_with_too_few_days_nothing_is_predicted(days: int) -> None:
    assert forecast.ahead(weeks(4)[:days], 10) is None


def test_two_weeks_are_enough_and_days_before_the_first_use_do_not_count() -> None:
    assert forecast.ahead(weeks(2), 10) is not None
    assert forecast.ahead(np.concatenate([np.zeros(60), weeks(2)[:13]]), 10) is None


def test_growth_goes_on_and_fades() -> None:
    band, flat = forecast.ahead(weeks(8, growth=1.1), 28), forecast.ahead(weeks(8), 28)
    assert band is not None and flat is not None
    last = weeks(8, growth=1.1)[-7:].sum()
    by_week = [sum(band.daily[begin : begin + 7]) for begin in range(0, 28, 7)]
    assert by_week[1] > by_week[0]
    assert by_week[3] / by_week[2] < by_week[1] / by_week[0], "the trend is damped"
    assert by_week[3] < last * 1.1**4, "and promises less than if it went on"


def test_about_eighty_of_a_hundred_outcomes_lie_in_the_band() -> None:
    inside = 0
    for seed in range(60):
        days = weeks(16, noise=0.25, seed=seed)
        band = forecast.ahead(days[:-14], 14)
        assert band is not None
        inside += band.low[-1] <= days[-14:].sum() <= band.high[-1]
    assert 36 <= inside <= 59, f"{inside} of 60"


def test_the_control_a_band_of_no_width_holds_few() -> None:
    inside = 0
    for seed in range(60):
        days = weeks(16, noise=0.25, seed=seed)
        band = forecast.ahead(days[:-14], 14)
        assert band is not None
        inside += abs(band.expected[-1] - days[-14:].sum()) <= 1
    assert inside < 10


def test_what_is_expected_lies_in_its_band_and_nothing_is_negative() -> None:
    for seed in range(20):
        days = weeks(6, noise=1.5, seed=seed)
        band = forecast.ahead(days, 20)
        assert band is not None
        for low, expected, high in zip(band.low, band.expected, band.high, strict=True):
            assert 0 <= low <= expected <= high


def test_the_trend_compares_two_fortnights() -> None:
    assert forecast.trend(np.concatenate([np.full(14, 10.0), np.full(14, 15.0)])) == 50
    assert forecast.trend(np.concatenate([np.zeros(20), np.full(14, 15.0)])) is None
