"""The level of effort: PERT, money that adds up, and any foreign shape."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import sqrt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexa_core.architecture_sessions.effort import ROUNDING, digits, estimate, minor, money

LOE: dict[str, Any] = {
    "currency": "EUR",
    "contingency_percent": 10,
    "rows": [
        {"id": "row-1", "task": "Design", "role": "Architect", "deliverable": "dlv-1", "optimistic_hours": 10,
         "likely_hours": 20, "pessimistic_hours": 36, "rate_minor": 15_000},
        {"id": "row-2", "task": "Build", "role": "Engineer", "deliverable": "dlv-1", "optimistic_hours": 40,
         "likely_hours": 50, "pessimistic_hours": 90, "rate_minor": 12_000},
        {"id": "row-3", "task": "Review", "role": "Architect", "deliverable": None, "optimistic_hours": 4,
         "likely_hours": 4, "pessimistic_hours": 4, "rate_minor": 15_000},
    ],
}  # fmt: skip
SOW = {"deliverables": [{"id": "dlv-1", "title": "Platform"}]}


def test_mean_deviation_cost_and_contingency_are_those_of_pert() -> None:
    found = estimate(LOE, SOW)
    assert [row.mean_hours for row in found.tasks] == [21, 55, 4]
    assert [row.cost_minor for row in found.tasks] == [315_000, 660_000, 60_000]
    assert (found.mean_hours, found.cost_minor, found.contingency_minor, found.total_minor) == (
        80, 1_035_000, 103_500, 1_138_500,
    )  # fmt: skip
    assert found.deviation_hours == pytest.approx(sqrt((26 / 6) ** 2 + (50 / 6) ** 2))
    assert found.total_hours == pytest.approx(88)
    eighty, ninety_five = found.ranges
    assert eighty.high_hours - 80 == pytest.approx(1.2815515655 * found.deviation_hours)
    assert 80 - ninety_five.low_hours == pytest.approx(1.9599639845 * found.deviation_hours)
    assert found.contingency_covers == pytest.approx(0.8028, abs=0.001)


def test_totals_are_by_role_and_by_deliverable_with_its_title() -> None:
    found = estimate(LOE, SOW)
    assert [(total.key, total.tasks, total.mean_hours) for total in found.by_role] == [
        ("Architect", 2, 25), ("Engineer", 1, 55),
    ]  # fmt: skip
    assert [(total.key, total.title) for total in found.by_deliverable] == [("dlv-1", "Platform"), ("", "")]
    assert sum(total.cost_minor for total in found.by_deliverable) == found.cost_minor


def test_a_range_never_leaves_what_the_three_points_allow() -> None:
    row = {"optimistic_hours": 9, "likely_hours": 10, "pessimistic_hours": 100, "rate_minor": 100}
    eighty, ninety_five = estimate({"rows": [row]}).ranges
    assert ninety_five.low_hours == 9
    assert ninety_five.low_minor == 900
    assert ninety_five.high_hours <= 100


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({}, "its hours are not given as numbers"),
        ({"likely_hours": float("nan")}, "its hours are not given as numbers"),
        ({"likely_hours": True}, "its hours are not given as numbers"),
        ({"likely_hours": "1e9999999"}, "its hours are not given as numbers"),
        ({"optimistic_hours": -1, "likely_hours": 2}, "its hours are below zero"),
        ({"optimistic_hours": 5, "likely_hours": 2}, "its hours do not rise from optimistic to pessimistic"),
    ],
)
def test_a_row_that_cannot_be_counted_is_named_with_the_reason(row: dict[str, Any], reason: str) -> None:
    found = estimate({"rows": [{"id": "row-1", **row}]})
    assert [(bad.id, bad.reason) for bad in found.unread] == [("row-1", reason)]
    assert found.total_hours == 0


def test_one_number_is_an_estimate_with_nothing_said_of_how_sure_it_is() -> None:
    found = estimate({"rows": [{"likely_hours": "7.5", "rate_minor": 100}]})
    assert (found.mean_hours, found.deviation_hours, found.cost_minor) == (7.5, 0, 750)
    assert found.contingency_covers is None


def test_money_has_the_currencys_own_decimals_and_rounds_halves_up() -> None:
    assert ROUNDING == ROUND_HALF_UP
    assert (digits("EUR"), digits("jpy"), digits("KWD")) == (2, 0, 3)
    assert money(12_345, "EUR") == Decimal("123.45")
    assert money(12_345, "JPY") == Decimal("12345")
    assert [minor(Fraction(n, 2)) for n in (-3, -1, 1, 3)] == [-2, -1, 1, 2]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
foreign_rows = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("id", "task", "role", "deliverable", "optimistic_hours", "likely_hours", "pessimistic_hours", "rate_minor"),
        json_values,
    ),
)


@given(st.fixed_dictionaries({"rows": st.lists(foreign_rows | json_values, max_size=4)}) | json_values, json_values)
def test_any_shape_is_read_without_an_error(loe: Any, sow: Any) -> None:
    found = estimate(loe, sow)
    assert found.cost_minor == sum(row.cost_minor for row in found.tasks)


hours = st.decimals(min_value=0, max_value=500, places=2)


@given(st.lists(st.tuples(st.lists(hours, min_size=3, max_size=3).map(sorted), st.integers(0, 50_000)), max_size=8))
def test_every_total_is_the_sum_of_its_rows_to_the_last_minor_unit(rows: list[Any]) -> None:
    loe = {
        "rows": [
            {"role": f"r{index % 3}", "rate_minor": rate, "optimistic_hours": str(low), "likely_hours": str(mid),
             "pessimistic_hours": str(high)}
            for index, ((low, mid, high), rate) in enumerate(rows)
        ]
    }  # fmt: skip
    found = estimate(loe)
    assert not found.unread
    assert sum(total.cost_minor for total in found.by_role) == found.cost_minor
    for (points, rate), row in zip(rows, found.tasks, strict=True):
        low, mid, high = map(Fraction, points)
        assert abs(Fraction(row.cost_minor) - (low + 4 * mid + high) / 6 * rate) <= Fraction(1, 2)
