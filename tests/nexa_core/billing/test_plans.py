"""The plans as data, and what an organization may use."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from nexa_core import billing
from nexa_core.permissions import FEATURES


@dataclass
class Subscriber:
    plan_type: str = "starter"
    usage_limits: dict[str, Any] = field(default_factory=dict)


def test_a_plan_that_costs_more_gives_no_less() -> None:
    plans = list(billing.PLANS.values())
    assert [plan.key for plan in plans] == ["free", "starter", "professional", "enterprise"]
    for cheaper, dearer in pairwise(plans):
        assert cheaper.price_minor < dearer.price_minor
        assert cheaper.monthly_credits < dearer.monthly_credits
        assert dearer.seats is None or (cheaper.seats is not None and cheaper.seats < dearer.seats)
        assert {name for name, on in cheaper.features.items() if on} <= {
            name for name, on in dearer.features.items() if on
        }


def test_every_plan_says_something_about_every_feature_a_permission_depends_on() -> None:
    for plan in billing.PLANS.values():
        assert set(FEATURES.values()) <= set(plan.features)


@pytest.mark.parametrize(
    ("limits", "plan", "expected"),
    [
        ({}, "starter", 1_000),
        ({"monthly_credits": 42}, "starter", 42),
        ({"monthly_credits": 0}, "starter", 0),
        ({"monthly_credits": None}, "starter", None),
        ({"monthly_credits": "many"}, "starter", 1_000),
        ({"monthly_credits": True}, "starter", 1_000),
        ({"monthly_credits": -1}, "starter", 1_000),
        ({"monthly_credits": 5.0}, "starter", 5),
        ({"monthly_credits": 5.5}, "starter", 1_000),
        ({}, "a plan of former times", None),
    ],
)
def test_what_was_agreed_goes_over_the_plan(limits: dict[str, Any], plan: str, expected: int | None) -> None:
    assert billing.allowance(Subscriber(plan, limits)) == expected


def test_a_limit_is_hard_only_when_it_says_so() -> None:
    assert billing.is_hard(Subscriber(usage_limits={"hard": True}))
    assert not billing.is_hard(Subscriber(usage_limits={"hard": 1}))
    assert not billing.is_hard(Subscriber())
