"""The parts of a period add up to the whole of it, however many there are and whatever became of its single events."""

from __future__ import annotations

import datetime as dt

from nexa_core import usage
from nexa_core.actor import Actor
from nexa_core.billing import reports
from nexa_core.usage import UsageEvent
from nexa_core.usage.service import store
from pages._ui import menu
from tests.nexa_core.usage.conftest import Customer
from tests.pages.conftest import Shell, shell  # noqa: F401 - a fixture
from tests.pages.test_gate import _open
from tests.worlds import World

KEPT_BY = ("person", "session", "tag")


def test_beyond_the_two_hundred_largest_the_others_are_one_part(world: World) -> None:
    customer = Customer(world, plan="enterprise")
    usage.record(customer.actor, [UsageEvent(f"kind_{n:03}", f"k{n}", 1_000 - n) for n in range(260)])
    whole = reports.burn(customer.actor)
    parts = reports.breakdown(customer.actor, by="type")
    assert (sum(part.credits for part in parts), sum(part.events for part in parts)) == (whole.credits, whole.events)
    *largest, others = parts
    assert [part.key for part in largest] == [f"kind_{n:03}" for n in range(200)]
    assert (others.key, others.name, others.events) == ("", "Others", 60)
    assert others.credits == sum(1_000 - n for n in range(200, 260))


def test_two_hundred_parts_have_no_others(world: World) -> None:
    customer = Customer(world, plan="enterprise")
    usage.record(customer.actor, [UsageEvent(f"kind_{n:03}", f"k{n}", 1) for n in range(200)])
    assert "" not in [part.key for part in reports.breakdown(customer.actor, by="type")]


def test_what_was_used_by_events_no_longer_kept_is_a_part_of_its_own(world: World, shell: Shell) -> None:  # noqa: F811
    customer = Customer(world, plan="enterprise")
    now = dt.datetime.now(dt.UTC)
    gone = reports.latest(8)[7]
    first = reports.latest(7)[6]  # the month after: its own events are let go as well, its month before is gone
    events = [(gone, 12, 7), (gone, 13, 4), (first, 12, 5), (reports.month(None), 1, 9)]
    store(
        Actor.system(),
        customer.id,
        [
            UsageEvent(
                "ai_call", f"e{number}", credits, user_id=customer.owner if credits != 4 else None,
                occurred_at=min(dt.datetime(day.year, day.month, of, tzinfo=dt.UTC), now),
            )
            for number, (day, of, credits) in enumerate(events)
        ],
    )  # fmt: skip
    period = reports.word(first)

    def said(by: str, month: str) -> list[tuple[str | None, str, int, int, int]]:
        found = reports.breakdown(customer.actor, by=by, period=month)
        return [(part.key, part.name, part.events, part.credits, part.credits_before) for part in found]

    before = {by: said(by, period) for by in (*KEPT_BY, "type")}
    assert {part[0] for parts in before.values() for part in parts} == {None, str(customer.owner), "ai_call"}
    assert reports.burn(customer.actor, period=period).is_kept
    with world.database.superuser() as connection:
        connection.execute("SELECT nexa.roll_up_usage('2020-01-01')")
    assert usage.expire(Actor.system(), keep_months=3) > 0
    for by in KEPT_BY:
        assert said(by, period) == [("", "No longer kept", 1, 5, 11)]
        assert said(by, reports.word(gone)) == [("", "No longer kept", 2, 11, 0)]
    assert said("type", period) == before["type"], "the sums of days stay"
    assert not reports.burn(customer.actor, period=period).is_kept
    running = reports.burn(customer.actor)
    assert running.is_kept
    assert [part.credits for part in reports.breakdown(customer.actor, by="person")] == [9]

    for tab in ("When", "Events"):
        app = shell(world.sign_in(customer.owner, customer.id))
        app.query_params["period"], app.query_params["tab"] = f"{first:%B %Y}", tab
        app = _open(app, menu.USAGE.path)
        assert not app.exception and not app.error
        assert any("no longer kept" in caption.value for caption in app.caption), tab
