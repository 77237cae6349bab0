"""Reports: who sees whose usage, filters and pages that lose nothing, and a brief that can be put off and taken up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from nexa_core import audit, organizations
from nexa_core.actor import Actor
from nexa_core.billing import reports
from nexa_core.billing.reports import EventFilter, Wanted
from nexa_core.config import settings
from nexa_core.errors import Forbidden, Invalid, NotFound
from tests.nexa_core.billing.reports.conftest import Used
from tests.worlds import World

OF_ONE: dict[str, Callable[[Actor, Any], Any]] = {
    "burn": lambda a, o: reports.burn(a, organization_id=o),
    "breakdown": lambda a, o: reports.breakdown(a, by="person", organization_id=o),
    "hours": lambda a, o: reports.hours(a, organization_id=o),
    "events": lambda a, o: reports.events(a, organization_id=o),
    "track_record": lambda a, o: reports.track_record(a, organization_id=o),
    "export": lambda a, o: b"".join(reports.export_events(a, organization_id=o)),
    "days": lambda a, o: b"".join(reports.export_organization_days(a, organization_id=o)),
}


@pytest.fixture
def only_own(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("NEXA_ACCOUNT_MANAGERS_SEE", "own")
    settings.cache_clear()
    yield
    monkeypatch.delenv("NEXA_ACCOUNT_MANAGERS_SEE")
    settings.cache_clear()


def names(actor: Actor) -> set[str]:
    return {one.name for one in reports.customers(actor).items}


ALL = {"Berlin Works", "Tokyo Works", "Demo Works"}


def test_an_account_manager_sees_every_customer_where_the_setting_says_all(used: Used) -> None:
    assert names(used.mara) == names(used.ravi) == names(used.admin) == ALL
    assert reports.burn(used.mara, organization_id=used.tokyo).credits > 0


def test_an_account_manager_sees_only_their_own_where_the_setting_says_so(used: Used, only_own: None) -> None:
    assert names(used.mara) == {"Berlin Works"}
    assert names(used.admin) == ALL
    assert reports.portfolio(used.mara).customers == 1
    assert {point.part for point in reports.by_day(used.mara, split="customer")} == {"Berlin Works"}
    assert {call.name for call in reports.brief(used.mara, everybody=True).calls} <= {"Berlin Works"}
    assert list(reports.managers(used.mara)) == [used.mara.user_id]
    whole = b"".join(reports.export_customers(used.mara)).decode()
    assert "Berlin Works" in whole and "Tokyo Works" not in whole
    for call in OF_ONE.values():
        call(used.mara, used.berlin)
        with pytest.raises(NotFound):
            call(used.mara, used.tokyo)
    for change in (
        lambda: reports.put_off(
            used.mara, organization_id=used.tokyo, kind="drop", until=dt.date.today() + dt.timedelta(9)
        ),
        lambda: organizations.set_tags(used.mara, organization_id=used.tokyo, tags=["mine"]),
    ):
        with pytest.raises(NotFound):
            change()


def test_a_presenter_sees_only_demo_organizations(used: Used) -> None:
    assert names(used.presenter) == {"Demo Works"}
    assert reports.portfolio(used.presenter).customers == 1
    assert {point.part for point in reports.by_day(used.presenter, split="customer")} == {"Demo Works"}
    for call in OF_ONE.values():
        call(used.presenter, used.demo)
        with pytest.raises(NotFound):
            call(used.presenter, used.berlin)
    with pytest.raises(Forbidden):
        reports.put_off(used.presenter, organization_id=used.demo, kind="drop", until=dt.date.today() + dt.timedelta(9))


def test_customers_of_one_name_are_told_apart_and_from_the_others(used: Used, world: World) -> None:
    with used.database.superuser() as connection, connection.transaction():
        world.name_the_change(connection)
        connection.execute("UPDATE organizations SET name = 'Others' WHERE NOT is_platform")
    points = reports.by_day(used.admin, split="customer")
    assert {(point.part, point.key) for point in points} == {
        ("Others", "berlin-works"), ("Others", "tokyo-works"), ("Others", "demo-works"),
    }  # fmt: skip
    for one in reports.customers(used.admin).items:
        assert sum(point.credits for point in points if point.key == one.slug) == one.used


@pytest.mark.parametrize(
    ("role", "asked"), [("member", "portfolio.read"), ("owner", "portfolio.read"), ("viewer", "demo.present")]
)
def test_who_is_denied_the_portfolio_sees_customers_only_one_by_one(
    used: Used, world: World, role: str, asked: str
) -> None:
    person = world.person("zoe@nexa.example", used.platform, role=role, permissions={"deny": [asked]})
    zoe = world.actor(person, used.platform)
    for verb in (
        reports.portfolio, reports.by_day, reports.customers, reports.revenue, reports.brief, reports.tags,
        reports.managers, reports.portfolio_record, lambda a: b"".join(reports.export_customers(a)),
        lambda a: b"".join(reports.export_days(a)),
    ):  # fmt: skip
        with pytest.raises(Forbidden) as refused:
            verb(zoe)  # type: ignore[operator]
        assert asked in refused.value.sentence
    assert reports.burn(zoe, organization_id=used.demo).credits > 0


def test_the_control_without_its_policy_a_presenter_would_see_more(used: Used) -> None:
    with used.database.superuser() as connection:
        connection.execute("ALTER POLICY organizations_presenter ON organizations USING (true)")
    assert names(used.presenter) == ALL


def test_a_billing_contact_sees_only_its_own_organization(used: Used) -> None:
    for call in OF_ONE.values():
        call(used.billing, None)
        call(used.billing, used.berlin)
        with pytest.raises(NotFound):
            call(used.billing, used.tokyo)
        with pytest.raises(Forbidden):
            call(used.viewer, None)
    for verb in (reports.portfolio, reports.by_day, reports.customers, reports.brief, reports.revenue, reports.tags):
        with pytest.raises(Forbidden):
            verb(used.billing)  # type: ignore[operator]
    with pytest.raises(NotFound):
        reports.find(used.billing, slug="tokyo-works")
    assert reports.find(used.owner, slug="berlin-works") == used.berlin


def test_titles_of_sessions_are_for_who_may_read_sessions(used: Used) -> None:
    with used.database.superuser() as connection:
        connection.execute(
            "UPDATE usage_events e SET session_id = s.id FROM ai_architecture_sessions s"
            " WHERE s.organization_id = e.organization_id"
        )
    assert reports.events(used.owner, limit=1).items[0].title == "=HYPERLINK(1)"
    for actor, organization in ((used.billing, None), (used.mara, used.berlin)):
        assert reports.events(actor, organization_id=organization, limit=1).items[0].title is None
        (part,) = reports.breakdown(actor, by="session", organization_id=organization)
        assert part.name.startswith("Session ")


def test_pages_of_events_show_each_once_whatever_the_filter(used: Used) -> None:
    for wanted in (EventFilter(), EventFilter(event_type="ai_call"), EventFilter(person="none")):
        seen, after = [], None
        while True:
            page = reports.events(used.owner, wanted=wanted, after=after, limit=7)
            seen += [event.id for event in page.items]
            after = page.next_cursor
            if after is None:
                break
        whole = reports.events(used.owner, wanted=wanted, limit=500).items
        assert seen == [event.id for event in whole]
        assert len(set(seen)) == len(seen) > 7
        assert all(wanted.event_type in (None, event.event_type) for event in whole)


@pytest.mark.parametrize("sort", reports.SORTS)
def test_pages_of_customers_show_each_once_in_every_order(used: Used, sort: str) -> None:
    seen, after = [], None
    while True:
        page = reports.customers(used.admin, sort=sort, after=after, limit=1)
        seen += [one.id for one in page.items]
        after = page.next_cursor
        if after is None:
            break
    assert len(seen) == 3
    assert seen == [one.id for one in reports.customers(used.admin, sort=sort).items]


def test_a_portfolio_is_narrowed_by_manager_plan_and_tag(used: Used) -> None:
    organizations.set_tags(used.mara, organization_id=used.berlin, tags=["Key account", "key  account", ""])
    assert reports.tags(used.mara) == ("key account",)
    for wanted, found in (
        (Wanted(manager=used.ravi.user_id), {"Tokyo Works"}),
        (Wanted(plan="starter"), {"Berlin Works", "Demo Works"}),
        (Wanted(tag="key account"), {"Berlin Works"}),
        (Wanted(tag="key account", plan="professional"), set()),
    ):
        assert {one.name for one in reports.customers(used.admin, wanted=wanted).items} == found
        assert reports.portfolio(used.admin, wanted=wanted).customers == len(found)
        assert (
            sum(p.credits for p in reports.by_day(used.admin, wanted=wanted))
            == reports.portfolio(used.admin, wanted=wanted).credits
        )


def test_tags_are_put_back_from_the_audit_log(used: Used) -> None:
    organizations.set_tags(used.admin, organization_id=used.berlin, tags=["one"])
    organizations.set_tags(used.admin, organization_id=used.berlin, tags=["two"])
    entry = audit.find(used.admin, filters=audit.Filters(action="organization.tagged")).items[0]
    audit.apply(used.admin, entry_id=entry.id, reason="a mistake")
    assert reports.tags(used.admin) == ("one",)


@pytest.mark.parametrize(
    "call",
    [
        lambda a: reports.portfolio(a, wanted=Wanted(period="2026-13")),
        lambda a: reports.portfolio(a, wanted=Wanted(period="soon")),
        lambda a: reports.portfolio(a, wanted=Wanted(tag="\x00")),
        lambda a: reports.by_day(a, split="colour"),
        lambda a: reports.customers(a, sort="colour"),
        lambda a: reports.customers(a, after="nonsense"),
        lambda a: reports.breakdown(a, by="colour"),
        lambda a: reports.events(a, after="nonsense"),
        lambda a: reports.events(a, wanted=EventFilter(person="nonsense")),
        lambda a: reports.events(a, wanted=EventFilter(day=dt.date(9999, 12, 31))),
        lambda a: reports.put_off(a, organization_id=a.organization_id, kind="colour", until=dt.date.today()),
        lambda a: reports.put_off(a, organization_id=a.organization_id, kind="drop", until=dt.date(2200, 1, 1)),
    ],
)
def test_what_cannot_be_is_answered_with_a_sentence(used: Used, call: Callable[[Actor], Any]) -> None:
    with pytest.raises(Invalid) as refused:
        call(used.admin)
    assert refused.value.field


@pytest.mark.parametrize("days", [33, 400])
def test_a_month_that_has_not_begun_is_refused_by_every_report(used: Used, days: int) -> None:
    """It would have fees already, and nobody has used or pays anything in it."""
    period = reports.word((dt.datetime.now(dt.UTC) + dt.timedelta(days=days)).date())
    wanted, of = Wanted(period=period), {"organization_id": used.berlin}
    for call in (
        lambda: reports.burn(used.mara, period=period, **of),
        lambda: reports.breakdown(used.mara, by="type", period=period, **of),
        lambda: reports.hours(used.mara, period=period, **of),
        lambda: reports.events(used.mara, wanted=EventFilter(period=period), **of),
        lambda: reports.watched(used.mara, period=period, **of),
        lambda: reports.export_organization_days(used.mara, period=period, **of),
        lambda: reports.export_events(used.mara, wanted=EventFilter(period=period), **of),
        lambda: reports.portfolio(used.mara, wanted=wanted),
        lambda: reports.revenue(used.mara, wanted=wanted),
        lambda: reports.by_day(used.mara, wanted=wanted),
        lambda: reports.customers(used.mara, wanted=wanted),
        lambda: reports.export_customers(used.mara, wanted=wanted),
        lambda: reports.portfolio_record(used.mara, wanted=wanted),
    ):
        with pytest.raises(Invalid, match="This period has not begun") as refused:
            call()
        assert refused.value.field == "period"


def test_a_reason_is_put_off_for_oneself_and_taken_up_again(used: Used) -> None:
    with used.database.superuser() as connection, connection.transaction():
        connection.execute("SELECT set_config('nexa.action', 'demo.seeded', true)")
        connection.execute("SELECT set_config('nexa.request', gen_random_uuid()::text, true)")
        connection.execute(
            "UPDATE organizations SET subscription_status = 'past_due', updated_at = now() + interval '1 second'"
            " WHERE id = %s",
            [used.berlin],
        )
    reports.refresh_outlooks(Actor.system())

    def kinds(actor: Actor) -> set[str]:
        found = reports.brief(actor, everybody=True).calls
        return {why.kind for call in found if call.organization_id == used.berlin for why in call.reasons}

    assert "payment" in kinds(used.mara)
    tomorrow = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=2)
    reports.put_off(used.mara, organization_id=used.berlin, kind="payment", until=tomorrow)
    assert "payment" not in kinds(used.mara)
    assert "payment" in kinds(used.ravi), "somebody else's brief stays as it is"
    assert [pause.kind for pause in reports.brief(used.mara).paused] == ["payment"]
    reports.take_up(used.mara, organization_id=used.berlin, kind="payment")
    assert "payment" in kinds(used.mara)
    with used.database.superuser() as connection, connection.transaction():
        connection.execute("SELECT set_config('nexa.action', 'demo.seeded', true)")
        connection.execute("SELECT set_config('nexa.request', gen_random_uuid()::text, true)")
        connection.execute("UPDATE organizations SET subscription_status = 'active' WHERE id = %s", [used.berlin])
    assert "payment" not in kinds(used.mara), "what was settled is no reason, before the next job too"


def _pays(used: Used, world: World, status: str, state: str = "active") -> None:
    with used.database.superuser() as connection, connection.transaction():
        world.name_the_change(connection)
        connection.execute(
            "UPDATE organizations SET subscription_status = %s, status = %s, updated_at = clock_timestamp()"
            " WHERE id = %s", [status, state, used.berlin],
        )  # fmt: skip


def test_who_is_at_risk_is_who_the_brief_names_before_the_next_job_too(used: Used, world: World) -> None:
    _pays(used, world, "past_due")
    reports.refresh_outlooks(Actor.system())

    def urgencies() -> dict[Any, int]:
        found = reports.customers(used.mara, sort="risk").items
        scores = [one.score for one in found]
        assert scores == sorted(scores, reverse=True)
        at_risk = {one.id: one.score for one in found if one.score}
        assert reports.portfolio(used.mara).at_risk == len(at_risk)
        calls = reports.brief(used.mara, everybody=True).calls
        assert {call.organization_id: call.score for call in calls} == at_risk
        return at_risk

    before = urgencies()[used.berlin]
    assert before >= 70
    _pays(used, world, "active")
    assert urgencies().get(used.berlin, 0) < before, "what was settled is no reason"
    _pays(used, world, "past_due", "suspended")
    assert used.berlin not in urgencies(), "nobody calls a customer that is suspended"


def test_a_month_that_is_over_has_nobody_at_risk(used: Used, world: World) -> None:
    _pays(used, world, "past_due")
    reports.refresh_outlooks(Actor.system())
    wanted = Wanted(period=reports.word(reports.before(reports.month(None))))
    assert reports.portfolio(used.mara, wanted=wanted).at_risk is None
    assert {one.score for one in reports.customers(used.mara, wanted=wanted, sort="risk").items} == {0}


def test_the_portfolio_says_what_the_customers_screen_says(used: Used) -> None:
    for one in reports.customers(used.admin).items:
        seen = reports.burn(used.admin, organization_id=one.id)
        assert (one.used, one.allowance, one.overage) == (seen.credits, seen.allowance, seen.overage)
        assert one.depletes_on == seen.depletes_on
        assert one.trend == seen.trend
        if seen.expected:
            assert one.expected == max(seen.expected[-1], one.used)
            assert (one.low, one.high) == (max(seen.low[-1], one.used), max(seen.high[-1], one.used))


def test_forecasts_are_held_against_what_happened(used: Used) -> None:
    record = reports.track_record(used.owner)
    assert record.predictions and not any(one.is_stored for one in record.predictions)
    closed = {one.period: one.actual for one in record.predictions}
    for month, actual in closed.items():
        assert reports.burn(used.owner, period=reports.word(month)).credits == actual
    month = max(closed)
    kept = {"organization_id": used.berlin, "period": month, "made_on": month + dt.timedelta(days=14)}
    reports.remember_forecasts(Actor.system(), [{**kept, "expected": closed[month], "low": 1, "high": 2}])
    stored = [one for one in reports.track_record(used.owner).predictions if one.is_stored]
    assert [(one.error, one.is_inside) for one in stored] == [(0, closed[month] <= 2)]
    wanted = Wanted(tag=None)
    assert reports.portfolio_record(used.admin, wanted=wanted).predictions == (
        1 if month == reports.before(reports.month(None)) else 0
    )
