"""The proof of the sums: silent about what is right, and it finds every single thing that is off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nexa_core import system, usage
from nexa_core.actor import Actor
from nexa_core.errors import Forbidden
from nexa_core.usage import UsageEvent
from nexa_core.usage.service import store
from tests.nexa_core.usage.conftest import Customer


@pytest.fixture
def used(world: Any) -> Customer:
    """Events of two months and three types, a refund, and a reservation that is open."""
    customer = Customer(world, time_zone="Pacific/Honolulu")
    now = datetime.now(UTC)
    for number in range(12):
        at = now - timedelta(days=5 * number, hours=number)
        store(
            customer.actor,
            customer.id,
            [UsageEvent(f"type_{number % 3}", str(number), number, occurred_at=at, source="test")],
        )
    ((event,),) = customer.rows("SELECT id FROM usage_events WHERE credits_consumed = 11")
    usage.refund(Actor.system(), organization_id=customer.id, event_id=event, reason="broken")
    usage.reserve(customer.actor, event_type="ai_call", credits=5, idempotency_key="held")
    return customer


def test_what_adds_up_is_proven_and_kept_for_the_system_screen(used: Customer) -> None:
    assert usage.prove(Actor.system()).differences == 0
    found = usage.last_proof(Actor.system())
    assert found is not None and found[1:] == (0, None)
    assert {one.name for one in system.check(Actor.system()) if one.ok} >= {"usage", "usage last night"}
    with pytest.raises(Forbidden):
        usage.prove(used.actor)


@pytest.mark.parametrize(
    ("tampering", "what"),
    [
        ("DELETE FROM usage_events WHERE idempotency_key = '4'", {"events of a day", "credits of a day", "counter"}),
        ("UPDATE usage_events SET credits_consumed = 99 WHERE idempotency_key = '4'", {"credits of a day", "counter"}),
        ("UPDATE usage_by_day SET credits = credits + 1 WHERE event_type = 'refund'", {"credits of a day"}),
        ("UPDATE usage_counters SET used = used - 1 WHERE metric = 'type_1'", {"counter"}),
        ("UPDATE usage_counters SET reserved = 0 WHERE metric = 'credits'", {"reserved"}),
        ("UPDATE usage_reservations SET status = 'released'", {"reserved"}),
    ],
)
def test_each_way_of_being_off_is_found(used: Customer, tampering: str, what: set[str]) -> None:
    with used.world.database.superuser() as connection:
        assert connection.execute(tampering.encode()).rowcount
    proof = usage.prove(Actor.system())
    assert {one.what for one in proof.told} == what
    finding = {one.name: one for one in system.check(Actor.system())}["usage"]
    assert not finding.ok and "Northwind" in finding.sentence


def test_an_old_month_that_was_rolled_up_wrongly_is_found(used: Customer) -> None:
    usage.prove(Actor.system())
    old = datetime.now(UTC) - timedelta(days=200)
    store(used.actor, used.id, [UsageEvent("ai_call", "old", 3, occurred_at=old)])
    assert {one.what for one in usage.prove(Actor.system()).told} == {"credits of a month", "credits of all of a day"}


def test_months_expire_and_their_sums_stay_and_are_proven_still(used: Customer) -> None:
    old = datetime.now(UTC) - timedelta(days=200)
    store(used.actor, used.id, [UsageEvent("ai_call", "old", 3, occurred_at=old)])
    with used.world.database.superuser() as connection:
        connection.execute("SELECT nexa.roll_up_usage('2020-01-01')")
    assert usage.prove(Actor.system()).differences == 0
    assert usage.expire(Actor.system(), keep_months=3) > 0
    assert used.rows("SELECT count(*) FROM usage_events WHERE organization_id = %(id)s") == [(13,)]
    assert used.rows("SELECT sum(credits) FROM usage_by_day WHERE event_type = 'ai_call'") == [(3,)]
    assert usage.prove(Actor.system()).differences == 0
    assert usage.record(used.actor, [UsageEvent("ai_call", "held by its key still", 1)]).inserted == 1
    with used.world.database.superuser() as connection, pytest.raises(Exception, match="cannot expire"):
        connection.execute("SELECT nexa.expire_usage(current_date)")
