"""Recording usage: each event once, counted everywhere alike, never beyond a hard limit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from nexa_core import usage
from nexa_core.actor import Actor
from nexa_core.errors import Conflict, Forbidden, Invalid, LimitExceeded, NotFound
from nexa_core.usage import Recorded, UsageEvent
from nexa_core.usage.service import store
from tests.nexa_core.usage.conftest import Customer


def test_an_event_is_counted_once_however_often_it_comes(customer: Customer) -> None:
    event = UsageEvent("ai_call", "a", 3, event_data={"model": "nexa-large", "tokens": 2_900})
    assert usage.record(customer.actor, [event, event]) == Recorded(inserted=1, duplicates=1)
    again = UsageEvent("ai_call", "a", 3, event_data={"tokens": 2_900, "model": "nexa-large"})
    assert usage.record(customer.actor, [again]) == Recorded(inserted=0, duplicates=1)
    assert customer.stored() == (1, 3)
    customer.assert_all_figures_agree()


def test_a_retry_is_a_duplicate_however_late_it_comes_and_only_what_is_new_is_too_old(customer: Customer) -> None:
    old = UsageEvent("ai_call", "stored", 3, occurred_at=datetime.now(UTC) - timedelta(days=40))
    store(customer.actor, customer.id, [old])
    young = UsageEvent("ai_call", "young", 1)
    assert usage.record(customer.actor, [old, young]) == Recorded(inserted=1, duplicates=1)
    for late, why in (
        (replace(old, idempotency_key="new"), "The usage event new was not accepted: .* more than 35 days ago"),
        (replace(old, source="another"), "more than 35 days ago"),
        (replace(old, credits=4), "key stored was used before"),
    ):
        with pytest.raises(Invalid, match=why):
            usage.record(customer.actor, [UsageEvent("ai_call", "not stored", 1), old, late])
    assert customer.stored() == (2, 4)
    customer.assert_all_figures_agree()


def test_one_key_of_two_sources_is_two_events(customer: Customer) -> None:
    usage.record(customer.actor, [UsageEvent("ai_call", "a", 1), UsageEvent("ai_call", "a", 1, source="exporter")])
    assert customer.stored() == (2, 2)


def test_a_known_key_with_another_content_is_refused_and_nothing_is_stored(customer: Customer) -> None:
    usage.record(customer.actor, [UsageEvent("ai_call", "a", 3)])
    for other in (
        UsageEvent("ai_call", "a", 4),
        UsageEvent("pdf_export", "a", 3),
        UsageEvent("ai_call", "a", 3, event_data={"page": "sow"}),
        UsageEvent("ai_call", "a", 3, user_id=customer.owner),
        UsageEvent("ai_call", "a", 3, occurred_at=datetime.now(UTC)),
    ):
        with pytest.raises(Invalid, match="The idempotency key a was used before"):
            usage.record(customer.actor, [UsageEvent("ai_call", f"new-{uuid4()}", 5), other])
    assert customer.stored() == (1, 3)
    customer.assert_all_figures_agree()


def test_a_batch_that_contradicts_itself_is_refused_whole(customer: Customer) -> None:
    with pytest.raises(Invalid, match="key b was used before"):
        usage.record(
            customer.actor,
            [UsageEvent("ai_call", "a", 1), UsageEvent("ai_call", "b", 1), UsageEvent("ai_call", "b", 2)],
        )
    assert customer.stored() == (0, 0)


NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (UsageEvent("ai_call", ""), "idempotency_key"),
        (UsageEvent("ai_call", "k" * 256), "idempotency_key"),
        (UsageEvent("ai_call", "k\x00"), "idempotency_key"),
        (UsageEvent("ai_call", "k\ud800"), "idempotency_key"),
        (UsageEvent("", "k"), "event_type"),
        (UsageEvent("x" * 51, "k"), "event_type"),
        (UsageEvent("AI call", "k"), "event_type"),
        (UsageEvent("credits", "k"), "event_type"),
        (UsageEvent("ai_call", "k", -1), "credits"),
        (UsageEvent("ai_call", "k", 2**31), "credits"),
        (UsageEvent("ai_call", "k", 1.5), "credits"),  # type: ignore[arg-type]
        (UsageEvent("ai_call", "k", True), "credits"),
        (UsageEvent("ai_call", "k", session_id=2**31), "session_id"),
        (UsageEvent("ai_call", "k", source="s" * 51), "source"),
        (UsageEvent("ai_call", "k", occurred_at=datetime(2026, 1, 1)), "occurred_at"),
        (UsageEvent("ai_call", "k", occurred_at=NOW - timedelta(days=36)), "occurred_at"),
        (UsageEvent("ai_call", "k", occurred_at=NOW + timedelta(hours=3)), "occurred_at"),
        (UsageEvent("ai_call", "k", event_data={"a": float("nan")}), "event_data"),
        (UsageEvent("ai_call", "k", event_data={"a": object()}), "event_data"),
        (UsageEvent("ai_call", "k", event_data={"a": "\x00"}), "event_data"),
        (UsageEvent("ai_call", "k", event_data={"a": "\ud800"}), "event_data"),
        (UsageEvent("ai_call", "k", event_data={"a": "x" * 17_000}), "event_data"),
    ],
)
def test_an_event_that_cannot_be_right_is_refused_with_a_sentence(
    customer: Customer, event: UsageEvent, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        usage.record(customer.actor, [UsageEvent("ai_call", "good", 1), event])
    assert refused.value.field == field
    assert refused.value.sentence.endswith(".")
    assert customer.stored() == (0, 0)


def test_the_largest_values_that_are_allowed_can_be_stored(customer: Customer) -> None:
    events = [
        UsageEvent(
            "x" * 50, "k" * 255, 2**31 - 1, source="s" * 50, event_data={"note": "\\u0000 is only text here: ü"}
        ),
        UsageEvent("ai_call", "second", 2**31 - 1, occurred_at=datetime.now(UTC) - timedelta(days=34)),
    ]
    assert usage.record(customer.actor, events).inserted == 2
    customer.assert_all_figures_agree()


def test_no_more_than_ten_thousand_events_fit_into_one_call(customer: Customer) -> None:
    with pytest.raises(Invalid, match="10,000"):
        usage.record(customer.actor, [UsageEvent("ai_call", str(number)) for number in range(10_001)])
    assert usage.record(customer.actor, []) == Recorded(inserted=0, duplicates=0)


def test_day_and_period_are_those_of_the_organization(world: Any) -> None:
    """Ten minutes before midnight UTC at the end of a month is the next month in Tokyo and the same in Honolulu."""
    east, west = Customer(world, "East", time_zone="Asia/Tokyo"), Customer(world, "West", time_zone="Pacific/Honolulu")
    at = datetime(2026, 1, 31, 23, 50, tzinfo=UTC)
    for customer, day, period in (
        (east, "2026-02-01", datetime(2026, 1, 31, 15, tzinfo=UTC)),
        (west, "2026-01-31", datetime(2026, 1, 1, 10, tzinfo=UTC)),
    ):
        store(customer.actor, customer.id, [UsageEvent("ai_call", "k", 2, occurred_at=at)])
        assert customer.rows("SELECT day::text FROM usage_by_day WHERE organization_id = %(id)s") == [(day,)]
        assert {
            row[0] for row in customer.rows("SELECT period_start FROM usage_counters WHERE organization_id = %(id)s")
        } == {period}


@pytest.mark.promise
def test_fifty_threads_racing_for_the_last_hundred_credits_spend_exactly_a_hundred(world: Any) -> None:
    customer = Customer(world, usage_limits={"monthly_credits": 100, "hard": True})

    def spend(number: int) -> int:
        try:
            return usage.record(customer.actor, [UsageEvent("ai_call", f"call-{number}", 4)]).inserted
        except LimitExceeded:
            return 0

    with ThreadPoolExecutor(50) as pool:
        admitted = sum(pool.map(spend, range(50)))
    assert admitted == 25
    assert customer.stored() == (25, 100)
    customer.assert_all_figures_agree()


def test_what_a_hard_limit_refuses_leaves_nothing_and_says_when_to_come_back(world: Any) -> None:
    customer = Customer(world, usage_limits={"monthly_credits": 10, "hard": True})
    usage.record(customer.actor, [UsageEvent("ai_call", "a", 8)])
    with pytest.raises(LimitExceeded, match="limit of 10 credits a month") as refused:
        usage.record(customer.actor, [UsageEvent("pdf_export", "free", 0), UsageEvent("ai_call", "b", 3)])
    assert 0 < (refused.value.retry_after or 0) <= 31 * 86_400
    assert customer.stored() == (1, 8)
    customer.assert_all_figures_agree()
    # What was refused was not spent: its key is free, what fits still goes, and what costs nothing always does.
    usage.record(customer.actor, [UsageEvent("ai_call", "b", 2), UsageEvent("pdf_export", "free", 0)])
    usage.record(customer.actor, [UsageEvent("pdf_export", "free too", 0)])
    assert customer.stored() == (4, 10)
    # A repeat of what was stored costs nothing again.
    assert usage.record(customer.actor, [UsageEvent("ai_call", "a", 8)]).duplicates == 1


def test_a_first_batch_beyond_the_limit_is_refused_too(world: Any) -> None:
    customer = Customer(world, usage_limits={"monthly_credits": 10, "hard": True})
    with pytest.raises(LimitExceeded):
        usage.record(customer.actor, [UsageEvent("ai_call", str(number), 6) for number in range(2)])
    assert customer.stored() == (0, 0)
    assert customer.counters() == {}


@pytest.mark.parametrize(
    "limits",
    [
        {"monthly_credits": 10},
        {"monthly_credits": 10, "hard": False},
        {"monthly_credits": None, "hard": True},
        {"monthly_credits": 10.5},
        {"monthly_credits": "many"},
    ],
)
def test_a_soft_limit_stops_nobody(world: Any, limits: dict[str, Any]) -> None:
    customer = Customer(world, usage_limits=limits)
    usage.record(customer.actor, [UsageEvent("ai_call", "a", 500)])
    assert customer.stored() == (1, 500)


@pytest.mark.promise
def test_overlapping_batches_from_many_threads_count_each_event_once(customer: Customer) -> None:
    """Sixteen threads send windows of the same 400 events in other orders: no deadlock, nothing twice."""
    events = [UsageEvent(f"type_{number % 7}", f"event-{number:03d}", number % 5) for number in range(400)]

    def send(thread: int) -> int:
        window = events[thread * 20 :] + events[: thread * 20]
        if thread % 2:
            window.reverse()
        return sum(usage.record(customer.actor, window[start : start + 100]).inserted for start in range(0, 400, 100))

    with ThreadPoolExecutor(16) as pool:
        inserted = sum(pool.map(send, range(16)))
    assert inserted == 400
    assert customer.stored() == (400, sum(event.credits for event in events))
    customer.assert_all_figures_agree()


def test_a_viewer_may_not_record_and_nobody_may_record_for_strangers(world: Any, customer: Customer) -> None:
    viewer = world.actor(world.person("viewer@northwind.example", customer.id, role="viewer"), customer.id)
    with pytest.raises(Forbidden):
        usage.record(viewer, [UsageEvent("ai_call", "a")])
    stranger = Customer(world, "Contoso Shipyards")
    with pytest.raises(NotFound):
        usage.record(customer.actor, [UsageEvent("ai_call", "a")], organization_id=stranger.id)
    assert usage.record(Actor.system(), [UsageEvent("ai_call", "a", 1)], organization_id=stranger.id).inserted == 1
    with pytest.raises(NotFound):
        usage.record(Actor.system(), [UsageEvent("ai_call", "a", 1)], organization_id=uuid4())


def test_an_event_names_neither_a_person_nor_a_session_of_another_organization(world: Any, customer: Customer) -> None:
    stranger = Customer(world, "Contoso Shipyards")
    world.session(stranger.id, stranger.owner)
    foreign = stranger.rows("SELECT id FROM ai_architecture_sessions WHERE organization_id = %(id)s")[0][0]
    with pytest.raises(Invalid, match="does not belong to this organization"):
        usage.record(customer.actor, [UsageEvent("ai_call", "a", 1, user_id=stranger.owner)])
    with pytest.raises(Conflict):
        usage.record(customer.actor, [UsageEvent("ai_call", "a", 1, session_id=foreign)])
    assert customer.stored() == (0, 0)


def test_an_event_without_a_person_is_of_whoever_reports_it(customer: Customer) -> None:
    usage.record(customer.actor, [UsageEvent("ai_call", "a", 1)])
    assert customer.rows("SELECT user_id FROM usage_events WHERE organization_id = %(id)s") == [(customer.owner,)]
