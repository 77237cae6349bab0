"""What one customer pays by: the list in its currency, and what was agreed over it."""

from __future__ import annotations

import pytest

from nexa_core import billing
from nexa_core.errors import NotFound
from tests.nexa_core.billing.conftest import Ledger
from tests.worlds import World


def test_the_terms_are_those_the_invoice_is_made_by(world: World, ledger: Ledger) -> None:
    northwind = ledger.customer("Northwind", plan="starter")
    nexa = world.organization("NEXA", is_platform=True)
    root = world.actor(world.person("root@nexa.example", nexa, role="owner"), nexa)
    before = billing.terms(root, organization_id=northwind)
    assert (before.currency, before.agreed, before.plan) == ("EUR", {}, "starter")
    assert before.listed("EUR") == {
        "price_minor": 4_900, "overage_minor": 600, "seat_minor": 600, "overage_credits": 100
    }  # fmt: skip
    assert {"EUR", "JPY", "USD"} <= set(before.currencies)

    prices = {"price_minor": 6_000, "overage_minor": 900, "overage_credits": 200}
    billing.agree_prices(root, organization_id=northwind, currency="JPY", prices=prices, reason="as agreed")
    after = billing.terms(root, organization_id=northwind)
    assert (after.currency, after.agreed) == ("JPY", prices)
    with world.database.superuser() as connection:
        row = connection.execute(
            "SELECT currency, price_minor, overage_minor, overage_credits, seat_minor FROM nexa.plans_now"
            " WHERE organization_id = %s", [northwind],
        ).fetchone()  # fmt: skip
    listed = {**after.listed("JPY"), **after.agreed}
    assert row == ("JPY", *(listed[name] for name in ("price_minor", "overage_minor", "overage_credits", "seat_minor")))


def test_a_stranger_has_no_terms_here(world: World, ledger: Ledger) -> None:
    northwind, other = ledger.customer("Northwind"), ledger.customer("Other")
    stranger = world.actor(world.person("owner@other.example", other, role="owner"), other)
    with pytest.raises(NotFound):
        billing.terms(stranger, organization_id=northwind)
