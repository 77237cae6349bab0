"""Limits: the plan's and what was agreed, of credits and of types of event, hard, soft and only watching."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from nexa_core import usage
from nexa_core.errors import LimitExceeded
from nexa_core.usage import UsageEvent
from tests.nexa_core.usage.conftest import Customer


def spend(customer: Customer, key: str, credits: int = 1, event_type: str = "ai_call") -> bool:
    try:
        return usage.record(customer.actor, [UsageEvent(event_type, key, credits)]).inserted == 1
    except LimitExceeded:
        return False


def test_the_plans_own_allowance_is_a_hard_limit_too(world: Any) -> None:
    customer = Customer(world, plan="free", usage_limits={"hard": True})
    assert spend(customer, "a", 100)
    with pytest.raises(LimitExceeded, match="limit of 100 credits"):
        usage.record(customer.actor, [UsageEvent("ai_call", "b", 1)])
    with world.database.superuser() as connection, connection.transaction():
        world.name_the_change(connection)
        connection.execute("UPDATE organizations SET plan_type = 'starter'")
    assert spend(customer, "b", 900)
    assert not spend(customer, "c", 1)
    customer.assert_all_figures_agree()


def test_the_limit_is_that_of_the_plan_as_it_is_sold(world: Any) -> None:
    from nexa_core.billing import PLANS

    with world.database.superuser() as connection:
        for plan in PLANS.values():
            sold = world.organization(plan.name, plan=plan.key)
            assert connection.execute("SELECT most FROM nexa.usage_limit(%s, 'credits')", [sold]).fetchone() == (
                plan.monthly_credits,
            )
        former = world.organization("Former", plan="a plan of former times")
        assert connection.execute("SELECT most FROM nexa.usage_limit(%s, 'credits')", [former]).fetchone() == (None,)


def test_a_type_of_event_has_its_own_limit(world: Any) -> None:
    customer = Customer(world, usage_limits={"hard": True, "event_limits": {"pdf_export": 2}})
    assert spend(customer, "a", 1, "pdf_export") and spend(customer, "b", 1, "pdf_export")
    with pytest.raises(LimitExceeded, match="limit of 2 a month for “PDF exports” is reached"):
        usage.record(customer.actor, [UsageEvent("pdf_export", "c", 0)])
    with pytest.raises(LimitExceeded):
        usage.reserve(customer.actor, event_type="pdf_export", credits=0, idempotency_key="d")
    assert spend(customer, "e", 1, "ai_call")
    assert not Customer(world, "Batch", usage_limits={"hard": True, "event_limits": {"pdf_export": 2}}).stored()[0]
    customer.assert_all_figures_agree()


def test_a_soft_limit_lets_through_and_records_what_is_over(world: Any) -> None:
    customer = Customer(world, usage_limits={"monthly_credits": 10, "event_limits": {"ai_call": 1}})
    assert spend(customer, "a", 8) and spend(customer, "b", 7)
    assert customer.rows(
        "SELECT metric, most, overage FROM usage_counters WHERE organization_id = %(id)s ORDER BY 1"
    ) == [("ai_call", 1, 1), ("credits", 10, 5)]


def test_while_it_only_watches_a_hard_limit_lets_through_and_notes_what_it_would_have_refused(world: Any) -> None:
    customer = Customer(world, usage_limits={"monthly_credits": 10, "hard": True, "limit_shadow": True})
    assert spend(customer, "a", 8) and spend(customer, "b", 7) and spend(customer, "c", 0)
    assert customer.rows(
        "SELECT metric, amount, total, most, user_id FROM usage_shadow_refusals WHERE organization_id = %(id)s"
    ) == [("credits", 7, 15, 10, customer.owner)]
    customer.agree(monthly_credits=10, hard=True)
    assert not spend(customer, "d")
    soft = Customer(world, "Soft", usage_limits={"monthly_credits": 1, "limit_shadow": True})
    assert spend(soft, "a", 5)
    assert soft.rows("SELECT 1 FROM usage_shadow_refusals WHERE organization_id = %(id)s") == []
    customer.assert_all_figures_agree()


def race(runner: Callable[[int], bool], threads: int = 50) -> int:
    start = Barrier(threads)

    def one(number: int) -> bool:
        start.wait()
        return runner(number)

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(one, range(threads)))


@pytest.mark.promise
def test_fifty_threads_race_for_the_last_hundred_credits_and_get_exactly_a_hundred_ten_times_of_ten(world: Any) -> None:
    for number in range(10):
        customer = Customer(world, f"Race {number}", usage_limits={"monthly_credits": 500, "hard": True})
        usage.record(customer.actor, [UsageEvent("ai_call", "before", 400)])
        assert race(lambda key, customer=customer: spend(customer, f"call-{key}", 4)) == 25  # type: ignore[misc]
        assert customer.stored() == (26, 500)
        customer.assert_all_figures_agree()


def test_the_control_summing_up_before_the_insert_spends_more(world: Any) -> None:
    """The naive way, in the same database: ask for the sum, then insert what seems to fit."""
    customer, url = Customer(world), world.database.superuser_url

    def naive(number: int) -> bool:
        with psycopg.connect(url) as connection:
            row = connection.execute(
                "SELECT coalesce(sum(credits_consumed), 0) FROM usage_events WHERE organization_id = %s", [customer.id]
            ).fetchone()
            assert row is not None
            if row[0] + 4 > 100:
                return False
            time.sleep(0.01)
            connection.execute(
                "INSERT INTO usage_events (organization_id, event_type, idempotency_key, credits_consumed)"
                " VALUES (%s, 'ai_call', %s, 4)",
                [customer.id, str(number)],
            )
            return True

    assert race(naive, 40) > 25


def spent_while_the_limit_was_lowered(customer: Customer) -> bool:
    """Whether a batch of 10 got through that waited for the counter, at 90 of 100, while 100 became 95."""
    usage.record(customer.actor, [UsageEvent("ai_call", "before", 90)])
    with customer.world.database.superuser() as blocker, ThreadPoolExecutor(1) as pool:
        with blocker.transaction():
            blocker.execute("SELECT 1 FROM usage_counters WHERE metric = 'credits' FOR UPDATE")
            waiting = pool.submit(spend, customer, "waits", 10)
            with customer.world.database.superuser() as watcher:
                while not watcher.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
                    time.sleep(0.01)
            customer.agree(monthly_credits=95, hard=True)
        return waiting.result()


@pytest.mark.promise
def test_a_limit_that_is_lowered_meanwhile_is_met_by_whoever_comes_after(world: Any) -> None:
    """With the limit of the statement's start they would spend more than the new one leaves."""
    customer = Customer(world, usage_limits={"monthly_credits": 100, "hard": True})
    assert not spent_while_the_limit_was_lowered(customer)
    assert spend(customer, "fits", 5) and not spend(customer, "beyond", 1)
    customer.assert_all_figures_agree()


def test_the_control_a_limit_read_once_a_statement_is_passed(world: Any) -> None:
    customer = Customer(world, usage_limits={"monthly_credits": 100, "hard": True})
    with world.database.superuser() as connection:
        connection.execute(
            "ALTER FUNCTION nexa.usage_admits(uuid, text, bigint) STABLE;"
            "ALTER FUNCTION nexa.usage_limit(uuid, text) STABLE"
        )
    assert spent_while_the_limit_was_lowered(customer)


def test_each_counter_says_by_which_limit_it_was_counted_last(world: Any) -> None:
    """Of two counters in one statement each its own, and of one that a reservation leaves nothing to ask for, too."""

    def said() -> dict[str, int | None]:
        return dict(customer.rows("SELECT metric, most FROM usage_counters WHERE organization_id = %(id)s"))

    customer = Customer(world, usage_limits={"monthly_credits": 100, "event_limits": {"ai_call": 7}, "hard": True})
    for key in ("new", "locked"):
        assert spend(customer, key, 1)
        assert said() == {"credits": 100, "ai_call": 7}
    held = usage.reserve(customer.actor, event_type="ai_call", idempotency_key="held", credits=5)
    customer.agree(monthly_credits=90, hard=True)
    usage.settle(customer.actor, reservation_id=held.id, credits=5)
    assert said() == {"credits": 90, "ai_call": None}


def test_each_period_begins_with_its_whole_allowance(world: Any) -> None:
    """Use of last month, reported late, counts against last month only."""
    from datetime import UTC, datetime, timedelta

    customer = Customer(world, usage_limits={"monthly_credits": 10, "hard": True}, time_zone="Asia/Tokyo")
    month = datetime.now(UTC).replace(day=1) - timedelta(days=3)
    late = [UsageEvent("ai_call", "late", 10, occurred_at=max(month, datetime.now(UTC) - timedelta(days=34)))]
    assert usage.record(customer.actor, late).inserted == 1
    assert spend(customer, "now", 10) and not spend(customer, "more")
    customer.assert_all_figures_agree()


def month_before(customer: Customer) -> datetime:
    """The last minute of the period before the running one."""
    return customer.rows(
        "SELECT nexa.billing_start(id, now()) - interval '1 minute' FROM organizations WHERE id = %(id)s"
    )[0][0]


def test_a_period_that_has_ended_is_held_by_its_own_limit_whatever_is_agreed_today(world: Any) -> None:
    limits = {"monthly_credits": 100, "hard": True, "event_limits": {"pdf_export": 2}}
    customer = Customer(world, usage_limits=limits, time_zone="America/New_York")
    last, refusals = month_before(customer), list[LimitExceeded]()

    def late(key: str, credits: int, event_type: str = "ai_call") -> bool:
        event = UsageEvent(event_type, key, credits, occurred_at=last)
        try:
            return usage.record(customer.actor, [event]).inserted == 1
        except LimitExceeded as refused:
            refusals.append(refused)
            return False

    customer.agree(monthly_credits=10, hard=True, event_limits={"pdf_export": 0})
    assert late("new", 60) and late("locked", 39, "pdf_export") and late("free", 0, "pdf_export")
    assert not late("beyond", 2) and not late("too many", 0, "pdf_export")
    assert late("the last", 1) and not late("more", 1)
    assert customer.rows("SELECT metric, used, most FROM usage_counters WHERE organization_id = %(id)s ORDER BY 1") == [
        ("ai_call", 2, None), ("credits", 100, 100), ("pdf_export", 2, 2),
    ]  # fmt: skip
    customer.agree(monthly_credits=1_000, hard=False)
    assert not late("opened later", 1), "a limit that is lifted today does not open the month before"
    assert {one.retry_after for one in refusals} == {None}, "nothing becomes free in a month that is over"
    month = f"{last.astimezone(ZoneInfo('America/New_York')):%B %Y}"
    assert [one.sentence for one in refusals if f"in {month}" not in one.sentence] == []
    customer.agree(monthly_credits=10, hard=True)
    assert spend(customer, "now", 10) and not spend(customer, "too much", 1)
    customer.assert_all_figures_agree()


def test_what_was_a_soft_limit_or_only_watched_stays_so_for_its_own_month(world: Any) -> None:
    soft = Customer(world, "Soft", usage_limits={"monthly_credits": 10})
    watched = Customer(world, "Watched", usage_limits={"monthly_credits": 10, "hard": True, "limit_shadow": True})
    for customer in (soft, watched):
        customer.agree(monthly_credits=5, hard=True)
        late = [UsageEvent("ai_call", "late", 15, occurred_at=month_before(customer))]
        assert usage.record(customer.actor, late).inserted == 1
        assert not spend(customer, "now", 6)
        assert customer.rows(
            "SELECT most, overage FROM usage_counters WHERE organization_id = %(id)s AND metric = 'credits'"
        ) == [(10, 5)]
    refused = "SELECT total, most FROM usage_shadow_refusals WHERE organization_id = %(id)s"
    assert (soft.rows(refused), watched.rows(refused)) == ([], [(15, 10)])


def test_the_limit_of_a_month_that_is_over_is_the_allowance_of_its_invoice(world: Any) -> None:
    """Of a plan, too, and of one whose month began in another time zone."""
    customer = Customer(world, plan="free", usage_limits={"hard": True})
    with world.database.superuser() as connection, connection.transaction():
        world.name_the_change(connection)
        connection.execute("UPDATE organizations SET plan_type = 'starter', time_zone = 'Asia/Tokyo'")
    last = month_before(customer)
    late = [UsageEvent("ai_call", str(number), 50, occurred_at=last) for number in range(3)]
    assert usage.record(customer.actor, late[:2]).inserted == 2
    with pytest.raises(LimitExceeded, match="limit of 100 credits in"):
        usage.record(customer.actor, late[2:])
    with pytest.raises(LimitExceeded, match="limit of 100 credits in") as refused:
        usage.record(customer.actor, [UsageEvent("ai_call", "now", 1_001), *late[2:]])
    assert refused.value.retry_after is None, "the month before would refuse it again"
    assert spend(customer, "now", 1_000) and not spend(customer, "too much", 1)
    assert customer.rows(
        "SELECT i.allowance, i.quantity FROM nexa.invoice_lines(%(id)s,"
        " (SELECT min(occurred_at) FROM usage_events WHERE organization_id = %(id)s)) i WHERE i.kind = 'included'"
    ) == [(100, 100)]
    customer.assert_all_figures_agree()


def test_what_was_reserved_in_a_month_that_is_over_is_settled_by_its_limit(world: Any) -> None:
    customer = Customer(world, usage_limits={"monthly_credits": 100, "hard": True})
    held = usage.reserve(customer.actor, event_type="ai_call", idempotency_key="held", credits=5)
    with world.database.superuser() as connection:
        connection.execute(
            "UPDATE usage_reservations SET reserved_at = period_start - interval '1 minute',"
            " period_start = nexa.billing_start(organization_id, period_start - interval '1 minute');"
            "UPDATE usage_counters c SET period_start = r.period_start FROM usage_reservations r"
        )
    customer.agree(monthly_credits=10, hard=True)
    assert usage.settle(customer.actor, reservation_id=held.id, credits=120).charged == 100
    customer.assert_all_figures_agree()
