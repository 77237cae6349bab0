"""Reservations: what is set aside is settled, given back or times out, and the counters never know it otherwise."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from nexa_core import usage
from nexa_core.actor import Actor
from nexa_core.errors import Conflict, Forbidden, Invalid, LimitExceeded, NexaError, NotFound
from nexa_core.usage import Settled, UsageEvent
from tests.nexa_core.usage.conftest import Customer

HARD = {"monthly_credits": 100, "hard": True}


def reserve(customer: Customer, credits: int, key: str = "", **more: Any) -> usage.Reservation:
    return usage.reserve(
        customer.actor, event_type="ai_call", credits=credits, idempotency_key=key or uuid4().hex, **more
    )


def test_what_is_set_aside_counts_against_the_limit_until_it_is_settled_or_released(world: Any) -> None:
    customer = Customer(world, usage_limits=HARD)
    first, second = reserve(customer, 60), reserve(customer, 40)
    with pytest.raises(LimitExceeded, match="limit of 100 credits"):
        reserve(customer, 1)
    with pytest.raises(LimitExceeded):
        usage.record(customer.actor, [UsageEvent("ai_call", "a", 1)])
    usage.release(customer.actor, reservation_id=second.id)
    assert usage.settle(customer.actor, reservation_id=first.id, credits=25) == Settled(first.id, 25, 25)
    assert customer.stored() == (1, 25)
    assert customer.reserved() == {}
    customer.assert_all_figures_agree()
    usage.record(customer.actor, [UsageEvent("ai_call", "a", 75)])
    customer.assert_all_figures_agree()


def test_settling_again_answers_the_same_and_another_cost_is_refused(customer: Customer) -> None:
    held = reserve(customer, 10)
    answers = [
        usage.settle(customer.actor, reservation_id=held.id, credits=7, event_data={"tokens": 700}) for _ in range(3)
    ]
    assert answers == [Settled(held.id, 7, 7)] * 3
    for cost, data in ((8, {"tokens": 700}), (7, {"tokens": 701})):
        with pytest.raises(Invalid, match="settled already"):
            usage.settle(customer.actor, reservation_id=held.id, credits=cost, event_data=data)
    with pytest.raises(Conflict):
        usage.release(customer.actor, reservation_id=held.id)
    assert customer.stored() == (1, 7)
    customer.assert_all_figures_agree()


def test_releasing_again_changes_nothing_and_what_was_released_cannot_be_settled(customer: Customer) -> None:
    held = reserve(customer, 10)
    for _ in range(2):
        usage.release(customer.actor, reservation_id=held.id)
    with pytest.raises(Conflict, match="released already"):
        usage.settle(customer.actor, reservation_id=held.id, credits=1)
    assert customer.stored() == (0, 0)
    customer.assert_all_figures_agree()


def test_what_costs_more_than_was_reserved_is_charged_as_far_as_the_limit_leaves_room(world: Any) -> None:
    customer = Customer(world, usage_limits=HARD)
    held = reserve(customer, 10)
    usage.record(customer.actor, [UsageEvent("ai_call", "a", 85)])
    settled = usage.settle(customer.actor, reservation_id=held.id, credits=30, event_data={"tokens": 3_000})
    assert settled == Settled(held.id, asked=30, charged=15)
    assert usage.settle(customer.actor, reservation_id=held.id, credits=30, event_data={"tokens": 3_000}) == settled
    assert customer.stored() == (2, 100)
    assert customer.rows(
        "SELECT event_data FROM usage_events WHERE organization_id = %(id)s AND credits_consumed = 15"
    ) == [({"tokens": 3_000, "credits_beyond_limit": 15},)]
    customer.assert_all_figures_agree()


def test_a_soft_limit_charges_all_of_it(world: Any) -> None:
    customer = Customer(world, usage_limits={"monthly_credits": 100})
    held = reserve(customer, 10)
    assert usage.settle(customer.actor, reservation_id=held.id, credits=300).charged == 300
    assert customer.rows(
        "SELECT overage FROM usage_counters WHERE organization_id = %(id)s AND metric = 'credits'"
    ) == [(200,)]
    customer.assert_all_figures_agree()


def test_a_limit_lowered_meanwhile_does_not_take_back_what_was_promised(world: Any) -> None:
    customer = Customer(world, usage_limits=HARD)
    held = reserve(customer, 50)
    customer.agree(monthly_credits=10, hard=True)
    assert usage.settle(customer.actor, reservation_id=held.id, credits=50).charged == 50
    with pytest.raises(LimitExceeded):
        reserve(customer, 1)
    customer.assert_all_figures_agree()


def test_a_reservation_times_out_and_can_be_settled_late_if_it_fits(world: Any) -> None:
    customer = Customer(world, usage_limits=HARD)
    late, lost = reserve(customer, 40), reserve(customer, 60)
    with world.database.superuser() as connection:
        connection.execute("UPDATE usage_reservations SET expires_at = now() - interval '1 second'")
    assert usage.expire_reservations(Actor.system()) == 2
    assert usage.expire_reservations(Actor.system()) == 0
    customer.assert_all_figures_agree()
    usage.record(customer.actor, [UsageEvent("ai_call", "a", 70)])
    assert usage.settle(customer.actor, reservation_id=late.id, credits=40) == Settled(late.id, 40, 30)
    usage.release(customer.actor, reservation_id=lost.id)
    assert customer.stored() == (2, 100)
    customer.assert_all_figures_agree()
    with pytest.raises(Forbidden):
        usage.expire_reservations(customer.actor)


def test_what_was_reserved_longer_ago_than_an_event_may_be_is_not_settled_any_more(
    world: Any, customer: Customer
) -> None:
    """Its month is billed, and its sums are proven no more: both would change for good."""

    def reserved_days_ago(days: int) -> usage.Reservation:
        held = reserve(customer, 7, f"{days} days ago")
        with world.database.superuser() as connection:
            connection.execute(
                "UPDATE usage_reservations SET expires_at = now(), reserved_at = now() - make_interval(days => %s),"
                " period_start = nexa.billing_start(organization_id, now() - make_interval(days => %s)) WHERE id = %s",
                [days, days, held.id],
            )
            connection.execute("DELETE FROM usage_counters; UPDATE usage_reservations SET status = 'expired'")
        return held

    old, last = reserved_days_ago(36), reserved_days_ago(34)
    with pytest.raises(Conflict, match="more than 35 days old"):
        usage.settle(customer.actor, reservation_id=old.id, credits=7)
    assert customer.stored() == (0, 0)
    assert usage.settle(customer.actor, reservation_id=last.id, credits=7).charged == 7
    usage.release(customer.actor, reservation_id=old.id)
    customer.assert_all_figures_agree()


def test_what_is_reserved_in_a_period_is_charged_in_it(world: Any, customer: Customer) -> None:
    """The call began before midnight and ended after it: the period in which it was promised pays."""
    held = reserve(customer, 10)
    with world.database.superuser() as connection:
        connection.execute(
            "UPDATE usage_reservations SET reserved_at = period_start - interval '1 second',"
            " period_start = nexa.billing_start(organization_id, period_start - interval '1 second');"
            "UPDATE usage_counters c SET period_start = r.period_start FROM usage_reservations r"
        )
    usage.settle(customer.actor, reservation_id=held.id, credits=4)
    assert customer.rows(
        "SELECT period_start = nexa.billing_start(organization_id, nexa.billing_start(organization_id, now())"
        " - interval '1 second'), metric, used, reserved FROM usage_counters"
        " WHERE organization_id = %(id)s ORDER BY metric"
    ) == [(True, "ai_call", 1, 0), (True, "credits", 4, 0)]
    customer.assert_all_figures_agree()


def test_one_key_is_one_reservation_whoever_asks_and_another_content_is_refused(customer: Customer) -> None:
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: reserve(customer, 5, "the key"), range(50)))
    assert answers == [answers[0]] * 50
    assert customer.reserved() == {"credits": 5, "ai_call": 1}
    with ThreadPoolExecutor(50) as pool:
        settled = list(
            pool.map(lambda _: usage.settle(customer.actor, reservation_id=answers[0].id, credits=3), range(50))
        )
    assert settled == [Settled(answers[0].id, 3, 3)] * 50
    with pytest.raises(Invalid, match="used before"):
        reserve(customer, 6, "the key")
    assert customer.stored() == (1, 3)
    customer.assert_all_figures_agree()


def test_a_key_whose_reservation_is_over_reserves_nothing_and_says_so(world: Any, customer: Customer) -> None:
    settled, _, _ = reserve(customer, 5, "settled"), reserve(customer, 5, "released"), reserve(customer, 5, "expired")
    usage.settle(customer.actor, reservation_id=settled.id, credits=3)
    usage.release(customer.actor, reservation_id=reserve(customer, 5, "released").id)
    with world.database.superuser() as connection:
        connection.execute("UPDATE usage_reservations SET expires_at = now() WHERE idempotency_key = 'expired'")
    assert usage.expire_reservations(Actor.system()) == 1
    for key, why in (("settled", "settled already"), ("released", "released already"), ("expired", "has timed out")):
        with pytest.raises(Conflict, match=f"reservation {key} .*{why}.*Nothing was set aside"):
            reserve(customer, 5, key)
    assert customer.reserved() == {}
    customer.assert_all_figures_agree()


def test_a_key_that_an_event_has_used_reserves_nothing(customer: Customer) -> None:
    """Not even the same cost: what was reserved could never be settled."""
    usage.record(customer.actor, [UsageEvent("ai_call", "used", 5)])
    with pytest.raises(Invalid, match="key used was used before"):
        reserve(customer, 5, "used")
    reserve(customer, 5, "used", source="another")
    assert customer.reserved() == {"credits": 5, "ai_call": 1}
    customer.assert_all_figures_agree()


@pytest.mark.parametrize("cost", [-1, 1.5, 2**31, True])
def test_a_cost_that_cannot_be_is_refused_with_a_sentence(customer: Customer, cost: Any) -> None:
    held = reserve(customer, 5)
    with pytest.raises(Invalid):
        usage.settle(customer.actor, reservation_id=held.id, credits=cost)
    with pytest.raises(Invalid):
        reserve(customer, cost)
    with pytest.raises(Invalid):
        reserve(customer, 1, holds=timedelta(days=2))
    customer.assert_all_figures_agree()


def test_nobody_settles_or_releases_what_is_anothers(world: Any, customer: Customer) -> None:
    held, stranger = reserve(customer, 5), Customer(world, "Contoso")
    viewer = world.actor(world.person("viewer@northwind.example", customer.id, role="viewer"), customer.id)
    for act in (
        lambda actor: usage.settle(actor, reservation_id=held.id, credits=1),
        lambda actor: usage.release(actor, reservation_id=held.id),
    ):
        with pytest.raises(NotFound):
            act(stranger.actor)
        with pytest.raises(Forbidden):
            act(viewer)
    with pytest.raises(NotFound):
        usage.settle(stranger.actor, reservation_id=held.id, credits=1, organization_id=customer.id)
    assert customer.reserved() == {"credits": 5, "ai_call": 1}


def test_refunds_changes_of_limits_and_reservations_at_once_leave_exact_sums(world: Any) -> None:
    """Sixteen threads reserve, settle, release, record, refund and change the limit: no limit passed, no sum off."""
    customer, system = Customer(world, usage_limits=HARD), Actor.system()

    def busy(seed: int) -> list[str]:
        chance, odd = random.Random(seed), []
        for number in range(12):
            try:
                if chance.random() < 0.3:
                    usage.record(customer.actor, [UsageEvent("ai_call", f"{seed}-{number}", chance.randint(1, 9))])
                elif chance.random() < 0.2:
                    customer.agree(monthly_credits=chance.choice([60, 100, 140]), hard=True)
                elif chance.random() < 0.3:
                    events = customer.rows(
                        "SELECT id FROM usage_events WHERE organization_id = %(id)s AND credits_consumed > 0 LIMIT 5"
                    )
                    if events:
                        usage.refund(
                            system, organization_id=customer.id, event_id=chance.choice(events)[0], reason="test"
                        )
                else:
                    held = reserve(customer, chance.randint(1, 9), holds=timedelta(minutes=5))
                    if chance.random() < 0.5:
                        usage.settle(customer.actor, reservation_id=held.id, credits=chance.randint(0, 15))
                    elif chance.random() < 0.7:
                        usage.release(customer.actor, reservation_id=held.id)
            except LimitExceeded:
                pass
            except NexaError as error:
                odd.append(error.sentence)
        return odd

    with ThreadPoolExecutor(16) as pool:
        odd = [sentence for found in pool.map(busy, range(16)) for sentence in found]
    assert set(odd) <= {"Somebody changed this at the same moment. Please try again."}
    assert len(odd) < 10
    customer.assert_all_figures_agree()
    ((used,),) = customer.rows(
        "SELECT used + reserved FROM usage_counters WHERE organization_id = %(id)s AND metric = 'credits'"
    )
    assert used <= 140
