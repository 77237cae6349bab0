"""The plans NEXA sells, read from the catalogue, and what an organization may use in a month.

The database decides what a plan is at an instant (``nexa.plan_of`` and ``nexa.plans_now``); this is its reading for
screens that compare plans, at most ten seconds old.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import text

from nexa_core import db
from nexa_core.actor import Actor


@dataclass(frozen=True, slots=True)
class Plan:
    """One plan: credits a calendar month, price a month in minor units of ``currency``, and what is included.

    ``seats`` is None where the number of people is not limited. ``features`` carries the names of
    ``permissions.FEATURES`` and of the later screens; ``usage_limits.features`` of an organization goes over it.
    ``overage_credits`` credits over the allowance cost ``overage_minor``; a seat over ``seats`` costs ``seat_minor``
    a month, None where none is sold. ``prices`` are those of other currencies, by the same names.
    """

    key: str
    name: str
    monthly_credits: int
    price_minor: int
    seats: int | None
    features: Mapping[str, bool]
    currency: str = "EUR"
    overage_minor: int = 0
    overage_credits: int = 1
    seat_minor: int | None = None
    limits: Mapping[str, int] | None = None
    prices: Mapping[str, Mapping[str, int]] | None = None

    def in_currency(self, currency: str, part: str) -> int:
        """``price_minor``, ``overage_minor`` or ``seat_minor`` in a currency of the list, else in the plan's own."""
        listed = (self.prices or {}).get(currency)
        return (listed.get(part) if listed is not None else getattr(self, part)) or 0


_NO_AUDIT = {"sessions": True, "metering": True, "audit_log": False, "auto_join": False}
_AUDIT = {**_NO_AUDIT, "audit_log": True}
_ALL = {**_AUDIT, "auto_join": True}
#: What a new database begins with; stands in where there is no database, as when a world is only drawn.
FIRST: dict[str, Plan] = {
    plan.key: plan
    for plan in (
        Plan("free", "Free", 100, 0, 3, _NO_AUDIT, "EUR", 750, 100),
        Plan("starter", "Starter", 1_000, 4_900, 10, _AUDIT, "EUR", 600, 100, 600),
        Plan("professional", "Professional", 5_000, 24_900, 25, _ALL, "EUR", 540, 100, 900),
        Plan("enterprise", "Enterprise", 10_000, 149_000, None, _ALL, "EUR", 420, 100),
    )
}

# In the order a price list shows them: by what they cost in the list's own currency.
_IN_FORCE = text("""
SELECT * FROM (SELECT DISTINCT ON (plan) * FROM plan_versions WHERE effective_from <= now()
               ORDER BY plan, effective_from DESC) v ORDER BY price_minor, plan
""")
_AGE = 10.0


class _Catalogue(Mapping[str, Plan]):
    """The plans in force, by their keys."""

    def __init__(self) -> None:
        self._read: tuple[str, float, dict[str, Plan]] | None = None

    def _plans(self) -> dict[str, Plan]:
        if not db.is_configured():
            return FIRST
        url, read = db.url(), self._read
        if read is not None and read[0] == url and time.monotonic() - read[1] < _AGE:
            return read[2]
        with db.reading(Actor.system()) as transaction:
            found = {row.plan: plan_of_row(row) for row in transaction.execute(_IN_FORCE)}
        self._read = (url, time.monotonic(), found)
        return found

    def forget(self) -> None:
        """Read again at the next question: the catalogue was changed."""
        self._read = None

    def __getitem__(self, key: str) -> Plan:
        return self._plans()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._plans())

    def __len__(self) -> int:
        return len(self._plans())


def plan_of_row(row: Any) -> Plan:
    """The plan that a row of ``plan_versions`` describes."""
    return Plan(
        row.plan, row.name, row.monthly_credits, row.price_minor, row.seats, row.features, row.currency,
        row.overage_minor, row.overage_credits, row.seat_minor, row.limits, row.prices,
    )  # fmt: skip


PLANS = _Catalogue()


class Subscriber(Protocol):
    """What an allowance depends on; a row of ``organizations`` and its views have it."""

    @property
    def plan_type(self) -> str: ...
    @property
    def usage_limits(self) -> Mapping[str, Any]: ...


def allowance(organization: Subscriber) -> int | None:
    """Credits the organization may use in one period: its own ``usage_limits.monthly_credits``, else its plan's.

    For an organization as it would be; of one that is, the database says it (``nexa.plans_now``). None when the plan
    is unknown and nothing was agreed, and when ``monthly_credits`` is an explicit null: no limit.
    """
    plan = PLANS.get(organization.plan_type)
    return _over(organization, "monthly_credits", plan.monthly_credits if plan else None)


def seats(organization: Subscriber) -> int | None:
    """How many people may be active members at once: the organization's own ``usage_limits.seats``, else its plan's.

    None for no limit: an explicit null, or an unknown plan with nothing agreed.
    """
    plan = PLANS.get(organization.plan_type)
    return _over(organization, "seats", plan.seats if plan else None)


def is_hard(organization: Subscriber) -> bool:
    """Whether use stops at the allowance, rather than being charged beyond it."""
    return _agreed(organization).get("hard") is True


def _over(organization: Subscriber, key: str, listed: int | None) -> int | None:
    agreed = _agreed(organization).get(key, listed)
    if agreed is None:
        return None
    # JSON has one kind of number: 5.0 is five here, as it is to the database (nexa.is_amount).
    whole = isinstance(agreed, int) or (isinstance(agreed, float) and agreed.is_integer())
    return int(agreed) if whole and not isinstance(agreed, bool) and 0 <= agreed < 9e18 else listed


def _agreed(organization: Subscriber) -> Mapping[str, Any]:
    """What was agreed with the organization; stored JSON that is no object agrees on nothing."""
    limits: object = organization.usage_limits
    return limits if isinstance(limits, dict) else {}
