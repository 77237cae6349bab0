"""Refunds: an event is given back once, and who asks again is told what was given back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from nexa_core import usage
from nexa_core.actor import Actor
from nexa_core.errors import Invalid
from nexa_core.usage import Recorded, UsageEvent
from tests.nexa_core.usage.conftest import Customer


def event_of(customer: Customer, credits: int) -> UUID:
    found: UUID = customer.rows(
        f"SELECT id FROM usage_events WHERE organization_id = %(id)s AND credits_consumed = {credits}"
    )[0][0]
    return found


def used(customer: Customer, credits: int) -> UUID:
    usage.record(customer.actor, [UsageEvent("ai_call", f"cost {credits}", credits)])
    return event_of(customer, credits)


def refund(customer: Customer, event: UUID, credits: int | None = None) -> Recorded:
    return usage.refund(
        Actor.system(), organization_id=customer.id, event_id=event, reason="It broke off.", credits=credits
    )


def test_a_second_refund_of_another_amount_is_told_what_was_given_back(customer: Customer) -> None:
    event = used(customer, 2_500)
    assert refund(customer, event, 1_200) == Recorded(1, 0)
    assert refund(customer, event, 1_200) == Recorded(0, 1)
    for credits in (1_300, None):
        with pytest.raises(Invalid) as refused:
            refund(customer, event, credits)
        assert refused.value.field == "credits"
        assert refused.value.sentence == (
            "This event was refunded before: 1,200 of its 2,500 credits were given back. Nothing was changed."
        )
    assert customer.stored() == (2, 1_300)
    customer.assert_all_figures_agree()


def test_of_refunds_of_other_amounts_at_once_one_counts_and_the_others_are_told_it(customer: Customer) -> None:
    event = used(customer, 20)

    def give_back(credits: int) -> Any:
        try:
            return refund(customer, event, credits)
        except Invalid as refused:
            return refused.sentence

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(give_back, range(1, 9)))
    (given,) = [credits for credits, answer in enumerate(answers, start=1) if answer == Recorded(1, 0)]
    told = f"This event was refunded before: {given} of its 20 credits were given back. Nothing was changed."
    assert [answer for answer in answers if answer != Recorded(1, 0)] == [told] * 7
    customer.assert_all_figures_agree()


def test_what_cost_nothing_and_what_is_a_refund_itself_leave_nothing_to_give_back(customer: Customer) -> None:
    refund(customer, used(customer, 7))
    for event in (used(customer, 0), event_of(customer, -7)):
        for credits in (None, 1):
            with pytest.raises(Invalid, match="cost no credits, so there is nothing to give back"):
                refund(customer, event, credits)
    with pytest.raises(Invalid, match="cost 9 credits; refund 1 up to all"):
        refund(customer, used(customer, 9), 10)
    customer.assert_all_figures_agree()
