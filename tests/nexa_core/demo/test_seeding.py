"""The demo world in the database: complete, counted alike everywhere, audited, made once, completed when cut short."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nexa_core import db, demo, organizations, usage
from nexa_core.accounts import hash_password
from nexa_core.actor import Actor, Origin
from nexa_core.demo import contents, seeding
from nexa_core.errors import LimitExceeded


def rows(database: Any, query: str, *values: object) -> list[Any]:
    with database.superuser() as connection:
        return connection.execute(query, values or None).fetchall()


def value(database: Any, query: str, *values: object) -> Any:
    return rows(database, query, *values)[0][0]


FIGURES = """
SELECT (SELECT count(*) FROM organizations), (SELECT count(*) FROM users),
       (SELECT count(*) FROM organization_memberships), (SELECT count(*) FROM ai_architecture_sessions),
       (SELECT count(*) FROM usage_events),
       (SELECT count(*) FROM audit_logs WHERE action <> 'user.signed_in')
"""


def test_the_database_holds_the_world(demo_database: Any) -> None:
    assert value(demo_database, "SELECT count(*) FROM organizations WHERE NOT is_platform") == 12
    assert value(demo_database, "SELECT count(*) FROM users") == 124
    assert value(demo_database, "SELECT count(*) FROM ai_architecture_sessions") == 150
    assert 57_000 <= value(demo_database, "SELECT count(*) FROM usage_events") <= 65_000
    assert value(demo_database, "SELECT count(*) FROM usage_events_default") == 0
    assert value(demo_database, "SELECT count(*) FROM usage_events WHERE occurred_at > now()") == 0
    assert value(demo_database, "SELECT count(*) FROM ai_architecture_sessions WHERE updated_at > now()") == 0


def test_every_organization_of_the_demo_is_marked_and_managed(demo_database: Any) -> None:
    assert value(demo_database, "SELECT count(*) FROM organizations WHERE NOT is_demo") == 0
    managers = rows(
        demo_database,
        "SELECT m.role::text, count(*) FROM organizations o"
        " JOIN organization_memberships m ON m.user_id = o.account_manager_id"
        " JOIN organizations p ON p.id = m.organization_id AND p.is_platform GROUP BY 1 ORDER BY 1",
    )
    assert [role for role, _ in managers] == ["billing", "member"]
    assert sum(count for _, count in managers) == 12


def test_events_counters_and_all_three_rollups_say_the_same(demo_database: Any) -> None:
    """One number has one definition, whichever table it is read from."""
    for organization in [row[0] for row in rows(demo_database, "SELECT id FROM organizations WHERE NOT is_platform")]:
        by_month = rows(
            demo_database,
            "SELECT date_trunc('month', e.occurred_at AT TIME ZONE o.time_zone)::date, count(*),"
            " sum(credits_consumed)::bigint FROM usage_events e JOIN organizations o ON o.id = e.organization_id"
            " WHERE o.id = %s GROUP BY 1 ORDER BY 1",
            organization,
        )
        assert by_month == rows(
            demo_database,
            "SELECT month, events, credits FROM usage_by_month WHERE organization_id = %s ORDER BY 1",
            organization,
        )
        assert by_month == rows(
            demo_database,
            "SELECT date_trunc('month', day)::date, sum(events)::bigint, sum(credits)::bigint FROM usage_by_day"
            " WHERE organization_id = %s GROUP BY 1 ORDER BY 1",
            organization,
        )
        counters = rows(
            demo_database,
            "SELECT (c.period_start AT TIME ZONE o.time_zone)::date,"
            " sum(used) FILTER (WHERE metric <> 'credits')::bigint,"
            " sum(used) FILTER (WHERE metric = 'credits')::bigint FROM usage_counters c"
            " JOIN organizations o ON o.id = c.organization_id WHERE o.id = %s GROUP BY 1 ORDER BY 1",
            organization,
        )
        assert by_month == counters
    assert rows(
        demo_database, "SELECT day, event_type, events, credits FROM usage_of_all_by_day ORDER BY 1, 2"
    ) == rows(
        demo_database,
        "SELECT day, event_type, sum(events)::bigint, sum(credits)::bigint FROM usage_by_day"
        " GROUP BY 1, 2 ORDER BY 1, 2",
    )


def test_every_event_of_a_session_is_of_its_own_organization_and_person(demo_database: Any) -> None:
    assert (
        value(
            demo_database,
            "SELECT count(*) FROM usage_events e JOIN ai_architecture_sessions s ON s.id = e.session_id"
            " WHERE s.organization_id <> e.organization_id OR e.occurred_at < s.created_at",
        )
        == 0
    )
    assert (
        value(
            demo_database,
            "SELECT count(*) FROM usage_events e LEFT JOIN organization_memberships m"
            " ON m.organization_id = e.organization_id AND m.user_id = e.user_id WHERE m.id IS NULL",
        )
        == 0
    )


def test_the_plots_stand_in_the_rows_of_their_organizations(demo_database: Any) -> None:
    state = {
        slug: values
        for slug, *values in rows(
            demo_database, "SELECT slug, status::text, subscription_status, plan_type FROM organizations"
        )
    }
    assert state["tarnfell"] == ["suspended", "active", "professional"]
    assert state["sorrelby"] == ["active", "past_due", "professional"]
    assert state["kestrane"] == ["active", "active", "starter"]
    assert state["nimbrook"] == ["active", "trialing", "professional"]
    ends = value(demo_database, "SELECT subscription_data->>'trial_ends_on' FROM organizations WHERE slug = 'nimbrook'")
    assert 0 <= (datetime.fromisoformat(ends).replace(tzinfo=UTC) - datetime.now(UTC)).days <= 5
    statuses = dict(rows(demo_database, "SELECT status::text, count(*) FROM organization_memberships GROUP BY 1"))
    assert statuses["pending"] == 5
    assert statuses["suspended"] == 2
    assert (
        value(
            demo_database,
            "SELECT count(*) FROM (SELECT user_id FROM organization_memberships GROUP BY 1 HAVING count(*) > 1) c",
        )
        == 1
    )


def test_the_customer_at_its_hard_limit_is_held_to_it_by_the_ingest(demo_copy: Any) -> None:
    actor = Actor.system()
    limited = organizations.get(actor, slug="aldermist")
    with pytest.raises(LimitExceeded):
        usage.record(actor, [usage.UsageEvent("ai_call", "one too many", 1_201)], organization_id=limited.id)


def test_no_diagram_waits_to_be_parsed(demo_database: Any) -> None:
    """They are known to parse: to draw them would keep a processor busy while somebody looks for the first time."""
    waiting = """SELECT count(*) FROM ai_architecture_sessions s JOIN session_search x ON x.session_id = s.id
        WHERE s.deleted_at IS NULL AND x.checked_version < s.version AND s.updated_at < now() - interval '10 minutes'"""
    assert value(demo_database, waiting) == 0


def test_the_audit_log_names_who_did_what_and_its_chains_verify(demo_database: Any) -> None:
    actions = {row[0] for row in rows(demo_database, "SELECT DISTINCT action FROM audit_logs")}
    assert actions >= {
        "demo.seeded", "organization.created", "invitation.accepted", "session.created", "organization.suspended",
        "organization.updated", "membership.suspended",
    }  # fmt: skip
    authors = value(demo_database, "SELECT count(DISTINCT user_id) FROM audit_logs WHERE action = 'session.created'")
    assert authors > 30
    assert (
        value(
            demo_database,
            "SELECT count(*) FROM audit_logs l JOIN ai_architecture_sessions s ON s.uuid = l.resource_id"
            " WHERE l.action = 'session.created' AND l.user_id <> s.user_id",
        )
        == 0
    )
    faults = value(demo_database, "SELECT count(*) FROM nexa.audit_chains() c, LATERAL nexa.audit_faults(c.chain_id) f")
    assert faults == 0
    secrets = value(demo_database, "SELECT count(*) FROM audit_logs WHERE new_values::text LIKE '%argon2%'")
    assert secrets == 0


def test_everybody_who_joined_has_the_printed_password_and_nobody_who_did_not(demo_database: Any) -> None:
    from argon2 import PasswordHasher

    found = rows(demo_database, "SELECT DISTINCT password_hash FROM users WHERE status = 'active'")
    assert len(found) == 1, "hashing once for all is what keeps the start short"
    assert PasswordHasher().verify(found[0][0], demo.PASSWORD)
    assert (
        value(demo_database, "SELECT count(*) FROM users WHERE status = 'pending' AND password_hash IS NOT NULL") == 0
    )
    assert value(demo_database, "SELECT count(*) FROM users WHERE status = 'active' AND email_verified_at IS NULL") == 0
    assert value(demo_database, "SELECT count(*) FROM users WHERE last_login_at > now() OR created_at > now()") == 0


def test_a_second_seed_does_nothing(demo_database: Any) -> None:
    before = rows(demo_database, FIGURES)
    said: list[str] = []
    demo.seed(said.append)
    assert said == []
    assert rows(demo_database, FIGURES) == before


def test_a_database_somebody_uses_is_left_alone(world: Any) -> None:
    organization = world.organization("Northwind")
    world.person("ada@northwind.example", organization, role="owner")
    demo.seed()
    assert value(world.database, "SELECT count(*) FROM organizations") == 1


def test_it_is_written_in_seconds_and_says_so(database: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """How long it takes stands in the output; the bound is wide, because the machine may be busy."""
    said: list[str] = []
    begin = time.perf_counter()
    demo.seed(said.append)
    took = time.perf_counter() - begin
    with capsys.disabled():
        print(f"\ndemo world written in {took:.1f} s")
    assert len(said) == 4
    assert "12 customers and 120 people" in said[0]
    assert took < 60, "more than ten times what two idle cores need"


@pytest.mark.parametrize("step", ["write_tenant", "write_sessions", "write_usage"])
def test_a_world_cut_short_is_completed_by_the_next_start(
    database: Any, demo_database: Any, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The program dies half-way through a step; the same world stands there after the next start, nothing twice."""
    expected = rows(demo_database, FIGURES)
    db.configure(database.app_url)
    calls = 0
    real = getattr(seeding, step)

    def dies(*given: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 7:
            raise KeyboardInterrupt
        return real(*given)

    day = value(demo_database, "SELECT subscription_data->'demo'->>'day' FROM organizations WHERE is_platform")
    now = datetime.fromisoformat(f"{day}T23:59:00+00:00")
    monkeypatch.setattr(seeding, step, dies)
    with pytest.raises(KeyboardInterrupt):
        demo.seed(now=now, owner_url=database.superuser_url)
    monkeypatch.setattr(seeding, step, real)
    said: list[str] = []
    demo.seed(said.append, now=now + timedelta(days=3), owner_url=database.superuser_url)
    assert "completing" in said[0]
    found = rows(database, FIGURES)
    assert found[0][:4] == expected[0][:4]
    assert found[0][5] == expected[0][5]
    assert abs(found[0][4] - expected[0][4]) < 500, "the rest of the day is all that may differ"
    assert value(database, "SELECT sum(used) FROM usage_counters WHERE metric = 'credits'") == value(
        database, "SELECT sum(credits_consumed) FROM usage_events"
    )


def test_the_password_is_hashed_once(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def counted(password: str) -> str:
        calls.append(password)
        return hash_password(password)

    monkeypatch.setattr(seeding, "hash_password", counted)
    monkeypatch.setattr(contents, "write_usage", lambda *_: 0)
    monkeypatch.setattr(seeding, "write_usage", lambda *_: 0)
    demo.seed()
    assert calls == [demo.PASSWORD]


def test_the_presenter_sees_the_demo_through_the_doors(demo_database: Any) -> None:
    from nexa_core import accounts

    ticket = accounts.sign_in(Origin(), email="presenter@nexa.example", password=demo.PASSWORD)
    browser = accounts.open_browser_sign_in(Origin(), ticket=ticket.ticket)
    presenter = accounts.actor_of_cookie(Origin(), cookie=browser.cookie)
    assert len(organizations.browse(presenter).items) == 12
