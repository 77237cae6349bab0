"""A new version of a plan, prices agreed with one customer, and a plan changed at the turn of a month."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from nexa_core import billing
from nexa_core.actor import Actor
from nexa_core.billing import Draft
from nexa_core.errors import Conflict, Forbidden, Invalid, NotFound
from tests.nexa_core.billing.conftest import EPOCH, Ledger
from tests.worlds import World


def soon(days: int = 40) -> dt.datetime:
    return dt.datetime.now(dt.UTC) + dt.timedelta(days=days)


def draft(**changes: Any) -> Draft:
    plan = billing.PLANS["starter"]
    whole = Draft(
        "starter", "Starter", soon(), 5_900, 1_200, 600, 100, 12, 600, plan.prices or {}, {"pdf_export": 50},
        plan.features,
    )  # fmt: skip
    return replace(whole, **changes)


def test_a_version_begins_in_the_future_and_changes_nothing_before(ledger: Ledger, root: Actor) -> None:
    organization = ledger.customer(plan="starter")
    agreed = ledger.customer("Agreed", plan="starter", usage_limits={"monthly_credits": 7})
    before = billing.invoice(root, organization_id=organization).total_minor
    wanted = draft()
    affected = {one.name: one for one in billing.preview_version(root, draft=wanted)}
    assert (affected["Northwind"].price_before, affected["Northwind"].price_after) == (4_900, 5_900)
    assert (affected["Northwind"].allowance_after, affected["Agreed"].allowance_after) == (1_200, 7)
    version = billing.schedule_version(root, draft=wanted, reason="dearer")
    assert version.is_ahead and not version.is_in_force
    assert billing.invoice(root, organization_id=organization).total_minor == before
    assert billing.PLANS["starter"].price_minor == 4_900
    with ledger.database.superuser() as connection:
        later = connection.execute(
            "SELECT price_minor, allowance, seats, event_limits FROM nexa.plan_of(%s, %s)",
            [organization, wanted.effective_from],
        ).fetchone()
        moment = connection.execute(
            "SELECT price_minor FROM nexa.plan_of(%s, %s)",
            [organization, wanted.effective_from - dt.timedelta(microseconds=1)],
        ).fetchone()
    assert later == (5_900, 1_200, 12, {"pdf_export": 50}) and moment == (4_900,)
    with pytest.raises(Conflict):
        billing.schedule_version(root, draft=wanted, reason="twice")
    billing.withdraw_version(root, version_id=version.id, reason="not yet")
    assert [one.plan for one in billing.plan_versions(root)] == sorted(billing.PLANS)
    with pytest.raises(NotFound):
        billing.withdraw_version(root, version_id=version.id, reason="again")
    with pytest.raises(Conflict, match="has begun"):
        billing.withdraw_version(root, version_id=billing.plan_versions(root)[0].id, reason="no")
    assert agreed


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("effective_from", {"effective_from": dt.datetime.now(dt.UTC) - dt.timedelta(days=1)}),
        ("effective_from", {"effective_from": dt.datetime(2099, 1, 1)}),
        ("effective_from", {"effective_from": dt.datetime(9999, 1, 1, tzinfo=dt.UTC)}),
        ("price_minor", {"price_minor": -1}), ("price_minor", {"price_minor": 2**63}),
        ("price_minor", {"price_minor": float("nan")}), ("monthly_credits", {"monthly_credits": 1.5}),
        ("overage_credits", {"overage_credits": 0}), ("seats", {"seats": -1}), ("name", {"name": " "}),
        ("plan", {"plan": "gold"}), ("limits", {"limits": {"Not A Type": 1}}), ("prices", {"prices": {}}),
        ("prices", {"prices": {"GBP": {"gift": 1}}}), ("features", {"features": {"sessions": "on"}}),
    ],
)  # fmt: skip
def test_what_cannot_be_a_version_is_said(ledger: Ledger, root: Actor, field: str, changes: dict[str, Any]) -> None:
    for verb in (
        lambda: billing.preview_version(root, draft=draft(**changes)),
        lambda: billing.schedule_version(root, draft=draft(**changes), reason="x"),
    ):
        with pytest.raises(Invalid) as refused:
            verb()
        assert refused.value.field == field


def test_prices_of_ones_own_go_over_the_list(ledger: Ledger, root: Actor) -> None:
    organization = ledger.customer(plan="starter")
    agree = {"organization_id": organization, "reason": "negotiated"}
    billing.agree_prices(root, currency="JPY", prices={"price_minor": 5_000}, **agree)
    found = billing.invoice(root, organization_id=organization)
    assert found.currency == "JPY"
    for currency, prices in (
        ("XAU", {}), ("EUR", {"gift": 1}), ("EUR", {"price_minor": -1}), ("EUR", {"overage_minor": 1}),
        ("EUR", {"overage_minor": 1, "overage_credits": 0}), ("EUR", {"price_minor": True}),
    ):  # fmt: skip
        with pytest.raises(Invalid):
            billing.agree_prices(root, currency=currency, prices=prices, **agree)  # type: ignore[arg-type]
    world = ledger.world
    nexa = world.organization("NEXA", is_platform=True)
    manager = world.actor(world.person("am@nexa.example", nexa, role="billing"), nexa)
    with pytest.raises(Forbidden):
        billing.agree_prices(manager, currency="EUR", prices={}, **agree)  # type: ignore[arg-type]


def test_another_currency_is_that_of_the_whole_month(ledger: Ledger, root: Actor) -> None:
    """What was agreed in euros is no amount of yen: neither for the part of the month before the change."""
    organization = ledger.customer(plan="starter")
    middle = dt.datetime(2026, 6, 16, tzinfo=dt.UTC)
    euros, yen = ({"currency": c, "agreed_prices": {"price_minor": p}} for c, p in (("EUR", 100_000), ("JPY", 9_000)))
    for then, total in ((yen, 9_000), ({"currency": "JPY"}, 8_400)):
        ledger.assigned(organization, [(EPOCH, euros), (middle, then)])
        found = billing.invoice(root, organization_id=organization, period="2026-06")
        assert (found.currency, found.total_minor) == ("JPY", total)
        before = billing.invoice(root, organization_id=organization, period="2026-05")
        assert (before.currency, before.total_minor) == ("EUR", 100_000)


def test_money_given_back_is_never_lost_by_another_currency(ledger: Ledger, root: Actor) -> None:
    organization = ledger.customer(plan="starter")
    agree: dict[str, Any] = {"organization_id": organization, "reason": "moves"}
    running = billing.invoice(root, organization_id=organization).period.name
    give: dict[str, Any] = {"organization_id": organization, "amount_minor": 1_000, "reason": "an outage"}
    billing.issue_credit(root, period="2026-06", **give)
    billing.agree_prices(root, currency="JPY", prices={}, **agree)
    billing.agree_prices(root, currency="EUR", prices={}, **agree)
    billing.issue_credit(root, period=running, **give)
    with pytest.raises(Conflict, match="given back in EUR"):
        billing.agree_prices(root, currency="JPY", prices={}, **agree)
    billing.agree_prices(root, currency="EUR", prices={"price_minor": 5_000}, **agree)
    kinds = [line.kind for line in billing.invoice(root, organization_id=organization).lines]
    assert kinds.count("credit") == 1


def test_a_plan_changed_at_the_turn_of_a_month_is_in_exactly_one_of_them(ledger: Ledger, root: Actor) -> None:
    """The instant of the turn belongs to the new month; a microsecond before, to the old one. Nothing is lost."""
    organization = ledger.customer(time_zone="Europe/Berlin", plan="starter")
    turn = dt.datetime(2026, 5, 31, 22, tzinfo=dt.UTC)  # midnight in Berlin
    both = []
    for at in (turn - dt.timedelta(microseconds=1), turn, turn + dt.timedelta(microseconds=1)):
        ledger.assigned(organization, [(EPOCH, {}), (at, {"plan_type": "professional"})])
        may, june = (billing.invoice(root, organization_id=organization, period=p) for p in ("2026-05", "2026-06"))
        both.append([[line.amount_minor for line in found.lines if line.kind == "base"] for found in (may, june)])
    assert both == [[[4_900, 0], [24_900]], [[4_900], [24_900]], [[4_900], [0, 24_900]]]


def test_who_changes_a_plan_later_is_later_in_its_history_too(ledger: Ledger) -> None:
    """Though its transaction began before the other one's: the instant is taken under the row's lock."""
    organization = ledger.customer(plan="free")
    with ledger.database.superuser() as first, ledger.database.superuser() as second:
        with first.transaction():
            World.name_the_change(first)
            first.execute("SELECT now()")
            with second.transaction():
                World.name_the_change(second)
                second.execute("UPDATE organizations SET plan_type = 'starter' WHERE id = %s", [organization])
            first.execute("UPDATE organizations SET plan_type = 'enterprise' WHERE id = %s", [organization])
        rows = first.execute(
            "SELECT plan_type FROM plan_assignments WHERE organization_id = %s ORDER BY effective_from", [organization]
        ).fetchall()
        now = first.execute("SELECT plan FROM nexa.plan_of(%s, clock_timestamp())", [organization]).fetchone()
    assert rows == [("free",), ("starter",), ("enterprise",)]
    assert now == ("enterprise",)


def test_a_change_that_is_rolled_back_leaves_no_history(ledger: Ledger) -> None:
    organization = ledger.customer(plan="starter")
    with ledger.database.superuser() as connection:
        with connection.transaction(force_rollback=True):
            World.name_the_change(connection)
            connection.execute("UPDATE organizations SET plan_type = 'free' WHERE id = %s", [organization])
        rows = connection.execute("SELECT plan_type FROM plan_assignments").fetchall()
    assert rows == [("starter",)]
