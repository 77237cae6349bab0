"""Limit rehearsal: exactly what enforcing would have refused, call by call; and which plan fits."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexa_core import billing, usage
from nexa_core.actor import Actor
from nexa_core.errors import Invalid, LimitExceeded
from tests.nexa_core.billing.conftest import EPOCH, Ledger

JUNE = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
EVENTS = st.lists(
    st.tuples(st.integers(0, 30 * 86_400 - 1), st.sampled_from(["ai_call", "pdf_export", "odd"]), st.integers(0, 90)),
    max_size=40,
    unique_by=lambda event: event[0],
)


def admitted(events: list[tuple[Any, str, int]], most: int | None, limits: dict[str, int]) -> list[bool]:
    """What a hard limit lets through: an event that does not fit uses nothing."""
    spent, counted, found = 0, dict.fromkeys(limits, 0), []
    for _, kind, amount in sorted(events):
        fits = not (most is not None and amount > 0 and spent + amount > most)
        fits = fits and not (kind in limits and counted[kind] + 1 > limits[kind])
        found.append(fits)
        if fits:
            spent += amount
            if kind in limits:
                counted[kind] += 1
    return found


def test_it_refuses_exactly_what_a_loop_over_the_events_refuses(ledger: Ledger, root: Actor) -> None:
    number = iter(range(1_000))

    @settings(max_examples=20, deadline=None)
    @given(
        events=EVENTS,
        most=st.sampled_from([None, 0, 1, 100, 500]),
        limits=st.dictionaries(st.sampled_from(["ai_call", "pdf_export"]), st.integers(0, 5), max_size=2),
    )
    def agrees(events: list[tuple[int, str, int]], most: int | None, limits: dict[str, int]) -> None:
        organization = ledger.customer(f"N{next(number)}")
        ledger.used(organization, [(JUNE + dt.timedelta(seconds=s), kind, amount) for s, kind, amount in events])
        found = billing.rehearse(
            root, organization_id=organization, period="2026-06", monthly_credits=most, event_limits=limits
        )
        for outcome in found.outcomes:
            own = outcome.plan == billing.CUSTOM
            expected = admitted(events, outcome.included, limits if own else {})
            refused = [event for event, fits in zip(sorted(events), expected, strict=True) if not fits]
            assert outcome.blocked == len(refused)
            assert outcome.blocked_credits == sum(amount for _, _, amount in refused)
            first = outcome.first and (outcome.first.occurred_at, outcome.first.event_type, outcome.first.credits)
            assert first == ((JUNE + dt.timedelta(seconds=refused[0][0]), *refused[0][1:]) if refused else None)
            assert outcome.overage == max(found.used - outcome.included, 0) if outcome.included is not None else True
            assert sum(outcome.blocked_by_type.values()) == outcome.blocked
        free = [o for o in found.outcomes if o.plan != billing.CUSTOM and not o.blocked]
        assert found.blocks_nothing == (min(free, key=lambda o: o.price_minor).plan if free else None)

    agrees()


def test_it_foretells_what_the_real_limit_does(ledger: Ledger, root: Actor) -> None:
    """The same events, one by one, against a real hard limit: as many are refused as was foretold."""
    begin = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=30)
    credits_used = [30, 50, 25, 10, 0, 40, 5, 1, 90]
    events = [
        usage.UsageEvent("ai_call", f"e{n}", spent, occurred_at=begin + dt.timedelta(seconds=n))
        for n, spent in enumerate(credits_used)
    ]
    free = ledger.customer("Free")
    usage.record(root, events, organization_id=free)
    foretold = billing.rehearse(root, organization_id=free, monthly_credits=100).outcome(billing.CUSTOM)
    limited = ledger.customer("Limited", usage_limits={"monthly_credits": 100, "hard": True})
    refused = []
    for event in events:
        try:
            usage.record(root, [event], organization_id=limited)
        except LimitExceeded:
            refused.append(event)
    assert foretold.blocked == len(refused) > 1
    assert foretold.first and foretold.first.occurred_at == refused[0].occurred_at


def test_limits_that_are_none_are_refused(ledger: Ledger, root: Actor) -> None:
    organization = ledger.customer()
    for most in (-1, True, 2**31, 1.5):
        with pytest.raises(Invalid):
            billing.rehearse(root, organization_id=organization, monthly_credits=most)  # type: ignore[arg-type]
    with pytest.raises(Invalid):
        billing.rehearse(root, organization_id=organization, event_limits={f"t{n}": 1 for n in range(51)})


def test_the_cheapest_plan_of_the_last_month_is_named(ledger: Ledger, root: Actor) -> None:
    """A plan fits when no other would have cost less; costs are those of the invoice's own rule."""
    last = dt.datetime.now(dt.UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0) - dt.timedelta(days=2)
    for name, plan, used, verdict, best in (
        ("Idle", "professional", 3, "smaller", "free"),
        ("Busy", "starter", 200_000, "larger", "enterprise"),
        ("Right", "starter", 1_000, "fits", "starter"),
        ("Lost", "former", 10, "unknown", "former"),
    ):
        organization = ledger.customer(name, plan=plan)
        ledger.used(organization, [(last, "ai_call", used)])
        fit = billing.plan_fit(root, organization_id=organization)
        assert (fit.verdict, fit.best, fit.used) == (verdict, best, used), name
        assert billing.plan_fits(root)[organization] == fit
        if verdict == "fits":
            total = billing.invoice(root, organization_id=organization, period=f"{last:%Y-%m}").total_minor
            assert fit.cost_minor == fit.best_minor == total
        rehearsed = billing.rehearse(root, organization_id=organization, period=f"{last:%Y-%m}")
        if verdict != "unknown":
            assert rehearsed.cheapest == fit.best
            assert rehearsed.outcome(fit.best).total_minor == fit.best_minor
    new = ledger.customer("New", since=f"{dt.datetime.now(dt.UTC) - dt.timedelta(hours=1):%Y-%m-%d}")
    assert billing.plan_fit(root, organization_id=new).verdict == "unknown"
    assert EPOCH.year == 1970


def test_only_plans_that_were_on_sale_are_replayed(ledger: Ledger, root: Actor) -> None:
    """Neither one that began after the period, nor one of the running period that is still to come."""
    organization = ledger.customer(plan="starter")
    ends = billing.invoice(root, organization_id=organization).period.ends
    with ledger.database.superuser() as connection, connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        for begins, price in ((JUNE + dt.timedelta(days=40), 7_777), (ends - dt.timedelta(microseconds=1), 8_888)):
            connection.execute(
                "INSERT INTO plan_versions (plan, effective_from, name, price_minor, monthly_credits, overage_minor,"
                " overage_credits) VALUES ('starter', %s, 'Starter', %s, 1, 1, 1)", [begins, price],
            )  # fmt: skip
    for period, price in (("2026-06", 4_900), ("2026-07", 7_777), (None, 7_777)):
        found = billing.rehearse(root, organization_id=organization, period=period)
        assert found.outcome("starter").price_minor == price, period
