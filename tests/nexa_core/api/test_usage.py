"""POST /api/usage/events: programs report what was used, and get a clear answer for each event that was not stored."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from nexa_core import architecture_sessions as sessions
from nexa_core import organizations, usage
from nexa_core.actor import Actor
from nexa_core.usage.service import store
from tests.nexa_core.api.conftest import PASSWORD, Served

Person = dict[str, Any]
URL = "/api/usage/events"


def event(key: str, **more: Any) -> dict[str, Any]:
    return {"event_type": "ai_call", "idempotency_key": key, "credits": 1, **more}


@pytest.fixture
def key(world: Any, people: Person) -> str:
    """A key of Northwind's that may report usage."""
    ada = world.actor(people["ada"], people["northwind"])
    return organizations.create_api_key(ada, organization_id=people["northwind"], name="Exporter").secret


@pytest.fixture
def program(server: Served, key: str) -> Any:
    with server.client(origin="", authorization=f"Bearer {key}") as client:
        yield client


def stored(world: Any, organization: Any) -> list[tuple[str, int]]:
    with world.database.superuser() as connection:
        return connection.execute(
            "SELECT idempotency_key, credits_consumed FROM usage_events WHERE organization_id = %s ORDER BY 1",
            [organization],
        ).fetchall()


def test_a_program_reports_with_a_key_or_a_token_a_person_with_a_sign_in(
    server: Served, world: Any, people: Person, program: Any
) -> None:
    assert program.post(URL, json={"events": [event("a"), event("b"), event("a")]}).json() == {
        "inserted": 2, "duplicates": 1, "rejected": [], "flagged": [],
    }  # fmt: skip
    with server.client(server.sign_in("ben@northwind.example")) as ben:
        assert ben.post(URL, json={"events": [event("a"), event("c")]}).json()["inserted"] == 1
    with server.client() as anyone:
        tokens = anyone.post("/api/auth/token", json={"email": "ben@northwind.example", "password": PASSWORD}).json()
    signed = {"authorization": f"Bearer {tokens['access_token']}"}
    assert program.post(URL, json={"events": [event("d")]}, headers=signed).json()["inserted"] == 1
    head, _, signature = tokens["access_token"].rpartition(".")
    other = "A" if signature[0] != "A" else "B"
    forged = {"authorization": f"Bearer {head}.{other}{signature[1:]}"}
    assert program.post(URL, json={"events": [event("e")]}, headers=forged).status_code == 401
    assert stored(world, people["northwind"]) == [("a", 1), ("b", 1), ("c", 1), ("d", 1)]
    assert stored(world, people["contoso"]) == []


BAD = {
    "credits-negative": ({"credits": -1}, "credits"),
    "credits-fraction": ({"credits": 1.5}, "credits"),
    "credits-2^63": ({"credits": 2**63}, "credits"),
    "credits-nan": ({"credits": float("nan")}, "credits"),
    "credits-infinite": ({"credits": float("inf")}, "credits"),
    "credits-text": ({"credits": "1"}, "credits"),
    "credits-true": ({"credits": True}, "credits"),
    "key-256": ({"idempotency_key": "k" * 256}, "idempotency_key"),
    "key-empty": ({"idempotency_key": ""}, "idempotency_key"),
    "key-null": ({"idempotency_key": None}, "idempotency_key"),
    "key-surrogate": ({"idempotency_key": "\ud800"}, "idempotency_key"),
    "type-spaces": ({"event_type": "AI call"}, "event_type"),
    "type-refund": ({"event_type": "refund"}, "event_type"),
    "old-36-days": ({"occurred_at": (datetime.now(UTC) - timedelta(days=36)).isoformat()}, "occurred_at"),
    "year-9999": ({"occurred_at": "9999-12-31T23:59:59-12:00"}, "occurred_at"),
    "year-1": ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at"),
    "dst-gap": ({"occurred_at": "2026-03-29T02:30:00"}, "occurred_at"),
    "dst-gap-named": ({"occurred_at": "2026-03-29T02:30:00[Europe/Vienna]"}, "occurred_at"),
    "time-number": ({"occurred_at": 1_790_000_000}, "occurred_at"),
    "user-no-uuid": ({"user_id": "ada"}, "user_id"),
    "user-stranger": ({"user_id": str(uuid4())}, "user_id"),
    "session-stranger": ({"session_id": 4711}, "session_id"),
    "session-text": ({"session_id": "1"}, "session_id"),
    "data-list": ({"event_data": [1]}, "event_data"),
    "data-nan": ({"event_data": {"a": float("nan")}}, "event_data"),
    "data-nul": ({"event_data": {"a": "\x00"}}, "event_data"),
    "data-large": ({"event_data": {"a": "x" * 17_000}}, "event_data"),
    "source-51": ({"source": "s" * 51}, "source"),
    "source-nexa": ({"source": "nexa"}, "source"),
    "source-of-refunds": ({"source": "nexa.refund"}, "source"),
    "unknown-member": ({"creditz": 1}, "creditz"),
}


def test_each_bad_event_gets_its_reason_and_the_rest_of_the_batch_is_stored(
    world: Any, people: Person, program: Any
) -> None:
    ahead = {"occurred_at": (datetime.now(UTC) + timedelta(minutes=6)).isoformat()}  # of now, not of the collection
    bad = {**BAD, "in-6-minutes": (ahead, "occurred_at")}
    events: list[Any] = [event("good first")]
    events += [event(name, **broken) for name, (broken, _) in bad.items()]
    events += ["no object", 7, None, event("free", credits=0), event("good last")]
    answer = program.post(URL, content=json.dumps({"events": events}), headers={"content-type": "application/json"})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["inserted"], told["duplicates"]) == (3, 0)
    assert stored(world, people["northwind"]) == [("free", 0), ("good first", 1), ("good last", 1)]
    fields = {one["index"]: one["field"] for one in told["rejected"]}
    assert fields == {
        **{number: field for number, (_, field) in enumerate(bad.values(), start=1)},
        **dict.fromkeys(range(len(bad) + 1, len(bad) + 4)),
    }
    for one in told["rejected"]:
        assert one["reason"].endswith("."), one
    keys = {one["index"]: one["idempotency_key"] for one in told["rejected"]}
    assert keys[1] == "credits-negative"
    assert program.post(URL, json={"events": events[:1]}).json()["duplicates"] == 1


def test_what_python_cannot_read_or_an_object_says_twice_spoils_its_own_event_only(
    world: Any, people: Person, program: Any
) -> None:
    digits = b"9" * 5_000
    spoilt = [
        (b'"credits": ' + digits, "credits"),
        (b'"event_data": {"tokens": -' + digits + b"}", "event_data"),
        (b'"session_id": ' + digits, "session_id"),
        (b'"credits": 1, "credits": 1', "credits"),
        (b'"event_data": {"a": [{"b": 1, "b": 2}]}', "event_data"),
        (b'"user_id": {"a": 1, "a": 2}', "user_id"),
        (b'"\\ud800": 1, "\\ud800": 2', "?"),
        (b'"event_type": "ai_call"', "event_type"),
        (b'"idempotency_key": "other"', "idempotency_key"),
    ]
    written = [
        b'{"event_type": "ai_call", "idempotency_key": "bad-%d", %s}' % (place, members)
        for place, (members, _) in enumerate(spoilt)
    ]
    good = [json.dumps(event(key, event_data={"digits": int("7" * 4_000)})).encode() for key in ("first", "last")]
    body = b'{"events": [' + b", ".join([good[0], *written, good[1]]) + b"]}"
    answer = program.post(URL, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["inserted"], [one["field"] for one in told["rejected"]]) == (2, [field for _, field in spoilt])
    assert [one["index"] for one in told["rejected"]] == list(range(1, len(spoilt) + 1))
    keys = [one["idempotency_key"] for one in told["rejected"]]
    assert keys == [f"bad-{place}" for place in range(len(spoilt) - 1)] + [None], "which of two keys, nobody knows"
    assert stored(world, people["northwind"]) == [("first", 1), ("last", 1)]


def test_a_retry_after_35_days_is_a_duplicate_and_a_new_event_of_then_is_rejected(
    world: Any, people: Person, program: Any
) -> None:
    then = datetime.now(UTC) - timedelta(days=40)
    ada = world.actor(people["ada"], people["northwind"])
    store(ada, people["northwind"], [usage.UsageEvent("ai_call", "late", 1, occurred_at=then)])
    sent = [event(key, occurred_at=then.isoformat()) for key in ("late", "new", "late")] + [event("now")]
    told = program.post(URL, json={"events": sent}).json()
    assert (told["inserted"], told["duplicates"]) == (1, 2)
    assert [(one["index"], one["idempotency_key"], one["field"]) for one in told["rejected"]] == [
        (1, "new", "occurred_at")
    ]
    assert program.post(URL, json={"events": sent[:1]}).json()["duplicates"] == 1, "alone, too"
    other = program.post(URL, json={"events": [sent[0] | {"credits": 2}]})
    assert (other.status_code, other.json()["field"]) == (422, "idempotency_key")
    assert stored(world, people["northwind"]) == [("late", 1), ("now", 1)]


def test_the_same_key_with_another_content_has_no_effect_at_all(world: Any, people: Person, program: Any) -> None:
    program.post(URL, json={"events": [event("a")]})
    for other in (event("a", credits=2), event("a", event_type="pdf_export"), event("a", event_data={"n": 1})):
        answer = program.post(URL, json={"events": [event("new"), other, event("bad", credits=-1)]})
        assert (answer.status_code, answer.json()["field"]) == (422, "idempotency_key")
    assert program.post(URL, json={"events": [event("b"), event("b", credits=2)]}).status_code == 422
    assert stored(world, people["northwind"]) == [("a", 1)]


def test_no_program_uses_up_the_key_of_an_export_or_a_refund(
    server: Served, world: Any, people: Person, program: Any
) -> None:
    northwind, ada = people["northwind"], world.actor(people["ada"], people["northwind"])
    one, other = (str(sessions.create(ada, title=title).uuid) for title in ("One", "Other"))
    with server.client(server.sign_in("ada@northwind.example")) as client, world.database.superuser() as connection:
        assert client.get(f"/api/sessions/{one}/export.xlsx").status_code == 200
        used, paid = connection.execute(
            "SELECT idempotency_key, id FROM usage_events WHERE event_type = 'xlsx_export'"
        ).fetchone()
        guessed = event(used.replace(one, other), event_type="xlsx_export", credits=0, source="nexa")
        program.post(URL, json={"events": [guessed, event(str(paid), source="nexa.refund")]})
        made = client.get(f"/api/sessions/{other}/export.xlsx")
        assert made.status_code == 200, made.text
    done = usage.refund(Actor.system(), organization_id=northwind, event_id=paid, reason="by mistake")
    assert done.inserted == 1


def test_an_unknown_type_is_kept_for_nothing_and_flagged_and_a_known_one_has_its_price(
    world: Any, people: Person, program: Any
) -> None:
    strange, known = ({"event_type": name, "idempotency_key": name} for name in ("hologram", "pdf_export"))
    assert program.post(URL, json={"events": [strange, known]}).json()["flagged"] == ["hologram"]
    assert stored(world, people["northwind"]) == [("hologram", 0), ("pdf_export", 1)]
    with world.database.superuser() as connection:
        flagged = connection.execute("SELECT event_type FROM usage_events WHERE is_flagged").fetchall()
    assert flagged == [("hologram",)]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'{"events": []}', 422),
        (b'{"events": {}}', 422),
        (b"[]", 422),
        (b'{"events": [], "more": 1}', 422),
        (b'{"events": [], "events": []}', 400),
        (b'{"events": ["' + b"\xff" + b'"]}', 400),
        (b'{"events": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}", 400),
        (json.dumps({"events": [event(str(n)) for n in range(1_001)]}).encode(), 422),
    ],
)
def test_a_body_that_is_no_batch_is_a_problem(
    program: Any, world: Any, people: Person, body: bytes, status: int
) -> None:
    answer = program.post(URL, content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    assert stored(world, people["northwind"]) == []


def test_a_hard_limit_answers_429_with_the_seconds_to_the_next_period(world: Any, people: Person, program: Any) -> None:
    with world.database.superuser() as connection, connection.transaction():
        world.name_the_change(connection)
        connection.execute("""UPDATE organizations SET usage_limits = '{"hard": true}'""")  # of the plan: 100
    assert program.post(URL, json={"events": [event("a", credits=100)]}).status_code == 200
    answer = program.post(URL, json={"events": [event("b")]})
    assert answer.status_code == 429
    assert "100 credits a month" in answer.json()["detail"]
    assert 0 < int(answer.headers["retry-after"]) <= 31 * 86_400


def test_the_same_key_from_fifty_at_once_has_one_effect(server: Served, world: Any, people: Person, key: str) -> None:
    def send(_: int) -> tuple[int, int]:
        with server.client(origin="", authorization=f"Bearer {key}") as client:
            answer = client.post(URL, json={"events": [event("the one")]})
            return answer.status_code, answer.json()["inserted"] + answer.json()["duplicates"]

    with ThreadPoolExecutor(50) as pool:
        assert set(pool.map(send, range(50))) == {(200, 1)}
    assert stored(world, people["northwind"]) == [("the one", 1)]


def test_a_revoked_key_a_wrong_key_and_a_suspended_organizations_key_open_nothing(
    world: Any, people: Person, program: Any
) -> None:
    ada = world.actor(people["ada"], people["northwind"])
    assert program.post(URL, json={"events": [event("a")]}).status_code == 200
    with world.database.superuser() as connection, connection.transaction():
        world.name_the_change(connection)
        connection.execute("UPDATE organizations SET status = 'suspended' WHERE slug = 'northwind'")
    assert program.post(URL, json={"events": [event("b")]}).status_code == 401
    with world.database.superuser() as connection, connection.transaction():
        world.name_the_change(connection)
        connection.execute("UPDATE organizations SET status = 'active' WHERE slug = 'northwind'")
    (made,) = organizations.api_keys(ada, organization_id=people["northwind"])
    assert made.last_used_at is not None
    organizations.revoke_api_key(ada, organization_id=people["northwind"], key_id=made.id)
    answer = program.post(URL, json={"events": [event("c")]})
    assert answer.status_code == 401 and 'error="invalid_token"' in answer.headers["www-authenticate"]
    wrong = {"authorization": f"Bearer nexa_{'x' * 43}"}
    assert program.post(URL, json={"events": [event("d")]}, headers=wrong).status_code == 401
    assert stored(world, people["northwind"]) == [("a", 1)]


def test_a_key_may_what_it_was_allowed_and_breaks_no_route(
    server: Served, world: Any, people: Person, program: Any
) -> None:
    """A key stands for nobody in person: every route that reads answers it, allowed or refused, and none fails."""
    from nexa_core import api

    ada = world.actor(people["ada"], people["northwind"])
    everything = [one.value for one in organizations.KEY_PERMISSIONS]
    able = organizations.create_api_key(
        ada, organization_id=people["northwind"], name="Reader", permissions=everything
    ).secret
    names = {"organization_id": people["northwind"], "digest": "x"}
    for endpoint in api.endpoints():
        if endpoint.method == "GET":
            path = "/api" + endpoint.path.replace(":uuid", "").replace(":int", "").replace(":path", "")
            path = path.format_map({name: names.get(name, uuid4()) for name in endpoint.path_parameters})
            answer = program.get(path, headers={"authorization": f"Bearer {able}"})
            assert answer.status_code < 500, (path, answer.text)
    assert program.get(f"/api/organizations/{people['northwind']}").status_code == 403
    allowed = {"authorization": f"Bearer {able}"}
    assert program.get(f"/api/organizations/{people['northwind']}", headers=allowed).status_code == 200
    assert program.get(f"/api/organizations/{people['contoso']}", headers=allowed).status_code == 404
