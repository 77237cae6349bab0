"""Alerts: one for each crossing and period, by mail and in the app, with when it runs out and who made it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from nexa_core import usage
from nexa_core.actor import Actor
from nexa_core.config import settings
from nexa_core.errors import Forbidden, NotFound
from nexa_core.usage import UsageEvent
from nexa_core.usage.alerts import _projected_on
from tests.nexa_core.usage.conftest import Customer

SYSTEM = Actor.system()


def mails(customer: Customer) -> list[Any]:
    return customer.rows(
        "SELECT recipient, subject FROM outbox_messages WHERE organization_id = %(id)s ORDER BY created_at, recipient"
    )


def test_each_threshold_is_told_once_a_period_and_the_highest_is_mailed(world: Any) -> None:
    customer = Customer(world, usage_limits={"monthly_credits": 100})
    world.person("billing@northwind.example", customer.id, role="billing")
    world.person("viewer@northwind.example", customer.id, role="viewer")
    usage.record(customer.actor, [UsageEvent("ai_call", "a", 79)])
    assert usage.raise_alerts(SYSTEM) == 0
    usage.record(customer.actor, [UsageEvent("ai_call", "b", 2)])
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda _: usage.raise_alerts(SYSTEM), range(4))) == 1
    told = "Northwind has used 80 % of its credits"
    assert mails(customer) == [("billing@northwind.example", told), ("owner@northwind.example", told)]
    (alert,) = usage.alerts(customer.actor)
    assert (alert.threshold, alert.used, alert.most, alert.cause) == (80, 81, 100, "Owner made 100 %.")
    usage.record(customer.actor, [UsageEvent("ai_call", "c", 50)])
    assert usage.raise_alerts(SYSTEM) == 2
    assert usage.raise_alerts(SYSTEM) == 0
    assert [one.threshold for one in usage.alerts(customer.actor)] == [120, 100, 80]
    assert {subject for _, subject in mails(customer)} == {told, "Northwind has used 120 % of its credits"}


@pytest.mark.parametrize(
    ("used", "elapsed", "remaining", "days"),
    [(80, 20, 10, 5), (80, 28, 3, None), (100, 20, 10, None), (0, 20, 10, None), (50, 1, 29, 1)],
)
def test_it_says_when_the_credits_run_out_if_they_do(used: int, elapsed: int, remaining: int, days: int | None) -> None:
    """80 in 20 days leaves 20 for 5 days more; 80 in 28 days lasts beyond the 3 days that are left."""
    for zone in ("UTC", "Pacific/Kiritimati", "Pacific/Niue"):  # at any time one of them has another date than UTC
        row: Any = SimpleNamespace(
            used=used, most=100, elapsed=elapsed * 86_400, remaining=remaining * 86_400, time_zone=zone
        )
        then = datetime.now(UTC) + timedelta(days=days or 0)
        assert _projected_on(row) == (None if days is None else then.astimezone(ZoneInfo(zone)).date()), zone


def test_the_day_is_one_of_the_zone_in_which_the_month_began(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    zones: list[str] = []
    module = import_module("nexa_core.usage.alerts")  # the front door has a verb of that name
    monkeypatch.setattr(module, "_projected_on", lambda row: zones.append(row.time_zone))
    for name in ("Stayed", "Moved"):
        customer = Customer(world, name, time_zone="Pacific/Kiritimati", usage_limits={"monthly_credits": 100})
        usage.record(customer.actor, [UsageEvent("ai_call", "a", 90)])
    with world.database.superuser() as connection, connection.transaction():
        world.name_the_change(connection)
        connection.execute("UPDATE organizations SET time_zone = 'Pacific/Niue' WHERE name = 'Moved'")
    assert usage.raise_alerts(SYSTEM) == 2
    assert zones == ["Pacific/Kiritimati"] * 2


def test_an_organization_says_itself_at_what_it_wants_to_be_told(world: Any) -> None:
    customer = Customer(world, usage_limits={"monthly_credits": 100, "alert_at": [50]})
    silent = Customer(world, "Silent", usage_limits={"monthly_credits": 100, "alert_at": []})
    for one in (customer, silent):
        usage.record(one.actor, [UsageEvent("ai_call", "a", 90)])
    assert usage.raise_alerts(SYSTEM) == 1
    assert [one.threshold for one in usage.alerts(customer.actor)] == [50]
    assert usage.alerts(silent.actor) == ()


def test_the_cause_names_the_fewest_who_made_most_of_it_and_the_tag_of_their_sessions(world: Any) -> None:
    customer = Customer(world, usage_limits={"monthly_credits": 100})
    people = [world.person(f"{name}@northwind.example", customer.id) for name in ("ann", "bob", "cyd", "dan", "eve")]
    world.session(customer.id, customer.owner, tags=["data"])
    ((number,),) = customer.rows("SELECT id FROM ai_architecture_sessions WHERE organization_id = %(id)s")
    for place, (person, credits) in enumerate(zip(people, (30, 25, 16, 15, 14), strict=True)):
        usage.record(customer.actor, [UsageEvent("ai_call", str(place), credits, user_id=person, session_id=number)])
    usage.raise_alerts(SYSTEM)
    (top, _) = usage.alerts(customer.actor)
    assert top.cause == "3 people (Ann, Bob, Cyd) made 71 %, most of it in sessions tagged data."
    assert top.projected_on is None


def test_only_who_reads_usage_sees_alerts_and_only_the_system_raises_them(world: Any, customer: Customer) -> None:
    viewer = world.actor(world.person("viewer@northwind.example", customer.id, role="viewer"), customer.id)
    with pytest.raises(Forbidden):
        usage.alerts(viewer)
    with pytest.raises(Forbidden):
        usage.raise_alerts(customer.actor)
    with pytest.raises(NotFound):
        usage.alerts(Customer(world, "Contoso").actor, organization_id=customer.id)


def test_an_account_manager_sees_the_alerts_of_whom_the_setting_allows(
    world: Any, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    nexa = world.organization("NEXA", is_platform=True)
    mine, other = (
        world.actor(world.person(f"{who}@nexa.example", nexa, role="billing"), nexa) for who in ("me", "you")
    )
    with world.database.superuser() as connection, connection.transaction():
        world.name_the_change(connection)
        connection.execute(
            "UPDATE organizations SET account_manager_id = %s WHERE id = %s", [mine.user_id, customer.id]
        )
    customer.agree(monthly_credits=10)
    usage.record(customer.actor, [UsageEvent("ai_call", "one", 9)])
    assert usage.raise_alerts(SYSTEM) == 1
    assert [len(usage.alerts(who, organization_id=customer.id)) for who in (mine, other)] == [1, 1]
    monkeypatch.setattr(settings(), "account_managers_see", "own")
    assert len(usage.alerts(mine, organization_id=customer.id)) == 1
    with pytest.raises(NotFound):
        usage.alerts(other, organization_id=customer.id)
    assert usage.alerts(other) == (), "the platform's own crossed nothing"
