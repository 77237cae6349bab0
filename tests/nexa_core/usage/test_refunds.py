"""Refunds: what cannot be given back is said in words of what happened, not of keys."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from nexa_core import usage
from nexa_core.actor import Actor
from nexa_core.errors import Invalid
from nexa_core.usage import UsageEvent
from tests.nexa_core.usage.conftest import Customer


def test_what_cannot_be_refunded_is_said_plainly(world: Any) -> None:
    customer = Customer(world)
    usage.record(customer.actor, [UsageEvent("ai_call", "paid", 5), UsageEvent("ai_call", "free", 0)])

    def of(key: str) -> UUID:
        found = customer.rows(f"SELECT id FROM usage_events WHERE idempotency_key = '{key}'")
        assert isinstance(found[0][0], UUID)
        return found[0][0]

    def refund(event: UUID, credits: int | None = None) -> usage.Recorded:
        return usage.refund(
            Actor.system(), organization_id=customer.id, event_id=event, reason="broken", credits=credits
        )

    assert refund(of("paid"), 2).inserted == refund(of("paid"), 2).duplicates == 1
    for event, credits, sentence in (
        (of("paid"), 3, "This event was refunded before, with other credits; it is refunded once."),
        (of("free"), None, "This event cost nothing: there is nothing to give back."),
        (of(str(of("paid"))), None, "This event is a refund itself: there is nothing to give back."),
        (of("paid"), 6, "This event cost 5 credits; refund 1 up to all."),
    ):
        with pytest.raises(Invalid) as refused:
            refund(event, credits)
        assert (refused.value.sentence, refused.value.field) == (sentence, "credits")
