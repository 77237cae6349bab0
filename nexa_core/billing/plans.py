"""The plans NEXA sells, as data, and what an organization may use in a month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Plan:
    """One plan: credits a calendar month, price a month in minor units of ``currency``, and what is included.

    ``seats`` is None where the number of people is not limited. ``features`` carries the names of
    ``permissions.FEATURES`` and of the later screens; ``usage_limits.features`` of an organization goes over it.
    """

    key: str
    name: str
    monthly_credits: int
    price_minor: int
    seats: int | None
    features: Mapping[str, bool]
    currency: str = "EUR"


#: In the order a price list shows them.
PLANS: dict[str, Plan] = {
    plan.key: plan
    for plan in (
        Plan("free", "Free", 100, 0, 3, {"sessions": True, "metering": True, "audit_log": False, "auto_join": False}),
        Plan(
            "starter",
            "Starter",
            1_000,
            4_900,
            10,
            {"sessions": True, "metering": True, "audit_log": True, "auto_join": False},
        ),
        Plan(
            "professional",
            "Professional",
            5_000,
            24_900,
            25,
            {"sessions": True, "metering": True, "audit_log": True, "auto_join": True},
        ),
        Plan(
            "enterprise",
            "Enterprise",
            10_000,
            149_000,
            None,
            {"sessions": True, "metering": True, "audit_log": True, "auto_join": True},
        ),
    )
}


class Subscriber(Protocol):
    """What an allowance depends on; a row of ``organizations`` and its views have it."""

    @property
    def plan_type(self) -> str: ...
    @property
    def usage_limits(self) -> Mapping[str, Any]: ...


def allowance(organization: Subscriber) -> int | None:
    """Credits the organization may use in one period: its own ``usage_limits.monthly_credits``, else its plan's.

    None when the plan is unknown and nothing was agreed, and when ``monthly_credits`` is an explicit null: no limit.
    """
    limits = _agreed(organization)
    if "monthly_credits" in limits:
        agreed = limits["monthly_credits"]
        if agreed is None:
            return None
        if isinstance(agreed, int) and not isinstance(agreed, bool) and agreed >= 0:
            return agreed
    plan = PLANS.get(organization.plan_type)
    return plan.monthly_credits if plan else None


def seats(organization: Subscriber) -> int | None:
    """How many people may be active members at once: the organization's own ``usage_limits.seats``, else its plan's.

    None for no limit: an explicit null, or an unknown plan with nothing agreed.
    """
    limits = _agreed(organization)
    if "seats" in limits:
        agreed = limits["seats"]
        if agreed is None:
            return None
        if isinstance(agreed, int) and not isinstance(agreed, bool) and agreed >= 0:
            return agreed
    plan = PLANS.get(organization.plan_type)
    return plan.seats if plan else None


def is_hard(organization: Subscriber) -> bool:
    """Whether use stops at the allowance, rather than being charged beyond it."""
    return _agreed(organization).get("hard") is True


def _agreed(organization: Subscriber) -> Mapping[str, Any]:
    """What was agreed with the organization; stored JSON that is no object agrees on nothing."""
    limits: object = organization.usage_limits
    return limits if isinstance(limits, dict) else {}
