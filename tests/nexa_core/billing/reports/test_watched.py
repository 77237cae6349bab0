"""What limits that only watch would have refused: counted, listed by pages, and nobody else's."""

from __future__ import annotations

import pytest

from nexa_core import organizations, usage
from nexa_core.billing import reports
from nexa_core.errors import Invalid, LimitExceeded, NotFound
from nexa_core.usage import UsageEvent
from tests.nexa_core.usage.conftest import Customer
from tests.worlds import World

WATCHING = {"monthly_credits": 10, "hard": True, "limit_shadow": True, "event_limits": {"pdf_export": 1}}


def spend(customer: Customer, key: str, credits: int, event_type: str = "ai_call") -> None:
    usage.record(customer.actor, [UsageEvent(event_type, key, credits)])


def test_what_would_have_been_refused_is_counted_by_limit_and_listed_newest_first(world: World) -> None:
    customer = Customer(world, usage_limits=WATCHING, plan="starter")
    for number, credits in enumerate((8, 7, 1)):
        spend(customer, f"call {number}", credits)
    spend(customer, "first", 0, "pdf_export")
    spend(customer, "second", 0, "pdf_export")
    found = reports.watched(customer.actor)
    assert (found.is_hard, found.is_watching) == (True, True)
    assert found.reports == {"credits": 2, "pdf_export": 1}
    assert found.amounts == {"credits": 8, "pdf_export": 1}
    listed = [(one.metric, one.amount, one.total, one.most) for one in found.items]
    assert listed == [("pdf_export", 1, 2, 1), ("credits", 1, 16, 10), ("credits", 7, 15, 10)]
    assert {one.person for one in found.items} != {None}

    paged, after = [], None
    for _ in range(5):  # a cursor that leads nowhere ends, too
        page = reports.watched(customer.actor, after=after, limit=1)
        paged += page.items
        assert page.reports == found.reports, "the sums are of the period, not of the page"
        if (after := page.next_cursor) is None:
            break
    assert tuple(paged) == found.items
    assert reports.watched(customer.actor, period="2020-01").items == ()
    for broken in ("x", "2026-11-01~", f"2026-11-01T00:00:00~{found.items[0].id}"):
        with pytest.raises(Invalid):
            reports.watched(customer.actor, after=broken)


def test_a_stranger_finds_nothing(world: World) -> None:
    customer, other = Customer(world, usage_limits=WATCHING), Customer(world, "Other")
    spend(customer, "a", 11)
    with pytest.raises(NotFound):
        reports.watched(other.actor, organization_id=customer.id)
    assert reports.watched(other.actor).items == ()


def test_limits_hold_again_and_whatever_else_was_agreed_stays(world: World) -> None:
    customer = Customer(world, usage_limits={**WATCHING, "support": {"hours": "24/7"}})
    nexa = world.organization("NEXA", is_platform=True)
    admin = world.actor(world.person("root@nexa.example", nexa, role="owner"), nexa)
    spend(customer, "a", 11)
    organizations.watch_limits(admin, organization_id=customer.id, watching=False, reason="the trial is over")
    assert not reports.watched(customer.actor).is_watching
    with pytest.raises(LimitExceeded):
        spend(customer, "b", 1)
    agreed = {key: value for key, value in WATCHING.items() if key != "limit_shadow"}
    of_customer = "SELECT usage_limits FROM organizations WHERE id = %(id)s"
    assert customer.rows(of_customer) == [({**agreed, "support": {"hours": "24/7"}},)]
    organizations.watch_limits(admin, organization_id=customer.id, watching=True, reason="once more")
    spend(customer, "b", 1)
    assert reports.watched(customer.actor).reports == {"credits": 2}
    with pytest.raises(Invalid):
        organizations.watch_limits(admin, organization_id=customer.id, watching=True, reason=" ")
