"""Completeness: every verb, every endpoint and every audited table leaves exactly the entries it should."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from nexa_core import accounts, api, audit
from nexa_core.actor import Actor
from tests.conftest import PASSWORD, TestDatabase, World
from tests.promises.audited_verbs import (
    CASES,
    NO_VERBS,
    ORIGIN,
    OWED,
    OWED_ENDPOINTS,
    SYNONYMS,
    Stage,
    make_stage,
    verbs,
)
from tests.stories import play

Entries = list[tuple[str, str]]


def entries_of(database: TestDatabase, do: Callable[[], object]) -> Entries:
    """The entries something leaves, as (action, resource type), sorted."""
    with database.superuser() as connection:
        before = {row[0] for row in connection.execute("SELECT id FROM audit_logs")}
        do()
        after = connection.execute("SELECT id, action, resource_type FROM audit_logs").fetchall()
    return sorted((action, resource) for identifier, action, resource in after if identifier not in before)


# Verbs ----------------------------------------------------------------------------------------------------------------


def test_every_verb_has_a_case() -> None:
    """A new verb turns this red until audited_verbs.py says what it leaves."""
    assert verbs() - NO_VERBS - set(SYNONYMS) == set(CASES) | OWED
    assert not OWED & set(CASES), "what is written is not owed any more"
    assert {CASES[name] for name in SYNONYMS.values()}


@pytest.mark.parametrize("verb", CASES)
def test_a_verb_leaves_exactly_its_entries(database: TestDatabase, world: World, verb: str) -> None:
    stage, case = make_stage(world), CASES[verb]
    prepared = case.before(stage)
    assert entries_of(database, lambda: case.call(stage, prepared)) == sorted(case.entries)
    assert audit.verify(Actor.system()).verified


def test_the_control_a_lost_trigger_is_noticed(database: TestDatabase, world: World) -> None:
    stage, case = make_stage(world), CASES["organizations.rename"]
    with database.superuser() as connection:
        connection.execute("DROP TRIGGER audit_update ON organizations")
    assert entries_of(database, lambda: case.call(stage, None)) != sorted(case.entries)


# The API --------------------------------------------------------------------------------------------------------------


class Client:
    """A program or browser on this machine, straight at the application."""

    def __init__(self) -> None:
        self._application = Starlette(routes=api.routes(), middleware=[Middleware(api.Guard)])

    def get(self, path: str, **options: Any) -> httpx.Response:
        return play(self._send("GET", path, **options))

    def post(self, path: str, **options: Any) -> httpx.Response:
        return play(self._send("POST", path, **options))

    async def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self._application, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, **options)


Call = Callable[[Client, Stage], Any]


def _as_ada(client: Client) -> dict[str, str]:
    pair = accounts.issue_tokens(ORIGIN, email="ada@northwind.example", password=PASSWORD)
    return {"authorization": f"Bearer {pair.access_token}"}


def _get(path: str) -> Call:
    return lambda client, stage: client.get(path, headers=_as_ada(client))


_SAME_ORIGIN = {"origin": "http://localhost"}
_SIGNED_IN = ("user.signed_in", "user_session")
#: Those that sign in to ask (_as_ada) leave the entry of that too.
ENDPOINTS: dict[str, tuple[Call, tuple[tuple[str, str], ...]]] = {
    "GET /me": (_get("/api/me"), (_SIGNED_IN,)),
    "GET /healthz": (lambda client, stage: client.get("/api/healthz"), ()),
    "GET /readyz": (lambda client, stage: client.get("/api/readyz"), ()),
    "GET /metrics": (lambda client, stage: client.get("/api/metrics"), ()),
    "GET /openapi.json": (lambda client, stage: client.get("/api/openapi.json"), ()),
    "GET /audit/keys": (_get("/api/audit/keys"), (_SIGNED_IN,)),
    "GET /audit/verify_audit_export.py": (_get("/api/audit/verify_audit_export.py"), (_SIGNED_IN,)),
    "GET /audit/export.ndjson": (_get("/api/audit/export.ndjson"), (_SIGNED_IN, ("audit.exported", "audit_log"))),
    "GET /audit/export.csv": (_get("/api/audit/export.csv"), (_SIGNED_IN, ("audit.exported", "audit_log"))),
    "POST /auth/cookie": (
        lambda client, stage: client.post(
            "/api/auth/cookie",
            json={"ticket": accounts.sign_in(ORIGIN, email="ada@northwind.example", password=PASSWORD).ticket},
            headers=_SAME_ORIGIN,
        ),
        (_SIGNED_IN,),
    ),
    "POST /auth/sign-out": (
        lambda client, stage: client.post("/api/auth/sign-out", headers=_SAME_ORIGIN | {"cookie": _cookie()}),
        (_SIGNED_IN, ("user.signed_out", "user_session")),
    ),
    "POST /auth/token": (
        lambda client, stage: client.post(
            "/api/auth/token", json={"email": "ada@northwind.example", "password": PASSWORD}
        ),
        (_SIGNED_IN,),
    ),
    "POST /auth/refresh": (
        lambda client, stage: client.post(
            "/api/auth/refresh",
            json={
                "refresh_token": accounts.issue_tokens(
                    ORIGIN, email="ada@northwind.example", password=PASSWORD
                ).refresh_token
            },
        ),
        (_SIGNED_IN,),
    ),
    "POST /auth/logout": (
        lambda client, stage: client.post("/api/auth/logout", headers=_as_ada(client)),
        (_SIGNED_IN, ("user.signed_out", "user_session")),
    ),
}


def _cookie() -> str:
    ticket = accounts.sign_in(ORIGIN, email="ada@northwind.example", password=PASSWORD).ticket
    return f"nexa={accounts.open_browser_sign_in(ORIGIN, ticket=ticket).cookie}"


def test_every_endpoint_has_a_case() -> None:
    assert {f"{endpoint.method} {endpoint.path}" for endpoint in api.endpoints()} == set(ENDPOINTS) | OWED_ENDPOINTS
    assert not OWED_ENDPOINTS & set(ENDPOINTS), "what is written is not owed any more"


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_an_endpoint_leaves_exactly_its_entries(database: TestDatabase, world: World, endpoint: str) -> None:
    stage, (call, wanted) = make_stage(world), ENDPOINTS[endpoint]
    answers: list[Any] = []
    left = entries_of(database, lambda: answers.append(call(Client(), stage)))
    assert answers[0].status_code < 400 or endpoint == "GET /metrics", answers[0].text
    assert left == sorted(wanted)


# Raw SQL as the program's own login -----------------------------------------------------------------------------------

#: Audited table: what the program may do to it, as which role. %(org)s, %(me)s and %(bob)s are of the stage.
RAW: dict[str, list[tuple[str, str]]] = {
    "users": [
        (
            "nexa_staff",  # nobody belongs nowhere: the membership has an entry of its own
            "WITH new AS (INSERT INTO users (email) VALUES ('new@northwind.example') RETURNING id)"
            " INSERT INTO organization_memberships (user_id, organization_id) SELECT id, %(org)s FROM new",
        ),
        ("nexa_staff", "UPDATE users SET full_name = 'Robert' WHERE id = %(bob)s"),
    ],
    "organizations": [
        ("nexa_staff", "INSERT INTO organizations (name, slug) VALUES ('New', 'new')"),
        ("nexa_tenant", "UPDATE organizations SET name = 'New' WHERE id = %(org)s"),
    ],
    "organization_memberships": [
        (
            "nexa_staff",
            "INSERT INTO organization_memberships (user_id, organization_id) SELECT id, %(org)s FROM users"
            " WHERE email = 'root@nexa.example'",
        ),
        ("nexa_tenant", "UPDATE organization_memberships SET role = 'viewer' WHERE user_id = %(bob)s"),
        ("nexa_tenant", "DELETE FROM organization_memberships WHERE user_id = %(bob)s"),
    ],
    "organization_domains": [
        ("nexa_tenant", "INSERT INTO organization_domains (organization_id, domain) VALUES (%(org)s, 'x.example')"),
        ("nexa_tenant", "UPDATE organization_domains SET auto_join_enabled = true"),
        ("nexa_tenant", "DELETE FROM organization_domains"),
    ],
    "user_sessions": [
        (
            "nexa_entry",
            "INSERT INTO user_sessions (user_id, organization_id, session_token, expires_at)"
            " VALUES (%(me)s, %(org)s, 'x', 'infinity')",
        ),
        ("nexa_tenant", "UPDATE user_sessions SET revoked_at = now() WHERE user_id = %(me)s"),
        ("nexa_entry", "DELETE FROM user_sessions WHERE user_id = %(me)s"),
    ],
    "ai_architecture_sessions": [
        (
            "nexa_tenant",
            "INSERT INTO ai_architecture_sessions (user_id, organization_id, title) VALUES (%(me)s, %(org)s, 'New')",
        ),
        ("nexa_tenant", "UPDATE ai_architecture_sessions SET title = 'Newer' WHERE organization_id = %(org)s"),
        ("nexa_tenant", "DELETE FROM ai_architecture_sessions WHERE organization_id = %(org)s"),
    ],
    "share_links": [
        (
            "nexa_tenant",
            "INSERT INTO share_links (organization_id, session_id, revision, token, created_by, expires_at)"
            " SELECT %(org)s, id, 1, 'x', %(me)s, 'infinity' FROM ai_architecture_sessions",
        ),
        ("nexa_tenant", "UPDATE share_links SET revoked_at = now()"),
    ],
    "audit_views": [
        (
            "nexa_tenant",
            "INSERT INTO audit_views (organization_id, user_id, name) VALUES (%(org)s, %(me)s, 'Mine')",
        ),
        ("nexa_tenant", "UPDATE audit_views SET is_shared = true"),
    ],
    "viewings": [
        (
            "nexa_staff",
            "INSERT INTO viewings (user_session_id, user_id, viewed_user_id, organization_id, reason, expires_at)"
            " VALUES (gen_random_uuid(), %(me)s, %(bob)s, %(org)s, 'to see', now())",
        ),
        ("nexa_staff", "UPDATE viewings SET ended_at = now()"),
    ],
    "audit_retentions": [
        ("nexa_staff", "INSERT INTO audit_retentions (organization_id, keep_months) VALUES (%(org)s, 24)"),
        ("nexa_staff", "UPDATE audit_retentions SET legal_hold = true"),
    ],
}
#: What must be there before a table's statements; each of them leaves one row to change.
BEFORE = {
    "share_links": "INSERT INTO ai_architecture_sessions (user_id, organization_id, title)"
    " VALUES (%(me)s, %(org)s, 'Review')"
}


def test_every_audited_table_has_statements(database: TestDatabase) -> None:
    with database.superuser() as connection:
        audited = {
            row[0]
            for row in connection.execute(
                "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'audit_insert'"
            )
        }
    assert audited == set(RAW)


@pytest.mark.parametrize("table", RAW)
def test_raw_sql_of_the_program_leaves_one_entry_a_row(database: TestDatabase, world: World, table: str) -> None:
    stage = make_stage(world)
    names = {"org": stage.northwind, "me": stage.ada.user_id, "bob": stage.bob}
    if table in BEFORE:
        _as(database, "nexa_tenant", stage.northwind, stage.ada.user_id, BEFORE[table], names)
    for role, statement in RAW[table]:
        rows: list[int] = []
        left = entries_of(
            database,
            lambda role=role, statement=statement, rows=rows: rows.append(  # type: ignore[misc]
                _as(database, role, stage.northwind, stage.ada.user_id, statement, names)
            ),
        )
        assert rows[0] >= 1, statement
        assert len(left) == rows[0] + statement.startswith("WITH"), f"{statement}: {left}"
        assert {action for action, _ in left} == {"organization.updated"}
    assert audit.verify(Actor.system()).verified


@pytest.mark.parametrize("table", RAW)
def test_raw_sql_without_a_name_is_refused_and_rolled_back_writes_leave_nothing(
    database: TestDatabase, world: World, table: str
) -> None:
    stage = make_stage(world)
    names = {"org": stage.northwind, "me": stage.ada.user_id, "bob": stage.bob}
    if table in BEFORE:
        _as(database, "nexa_tenant", stage.northwind, stage.ada.user_id, BEFORE[table], names)
    role, statement = RAW[table][0]
    nameless = lambda: _as(database, role, stage.northwind, stage.ada.user_id, statement, names, action="")  # noqa: E731
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="recording door"):
        nameless()
    undone = lambda: _as(  # noqa: E731
        database, role, stage.northwind, stage.ada.user_id, statement, names, keep=False
    )
    assert entries_of(database, undone) == []


def _as(
    database: TestDatabase,
    role: str,
    organization: UUID,
    person: UUID | None,
    statement: str,
    names: dict[str, Any],
    *,
    action: str = "organization.updated",
    keep: bool = True,
) -> int:
    """One statement as nexa_app in a role and a context; how many rows it touched."""
    with database.app(autocommit=True) as connection, connection.transaction(force_rollback=not keep):
        connection.execute(f"SET LOCAL ROLE {role}".encode())
        connection.execute(
            "SELECT set_config('nexa.organization', %s, true), set_config('nexa.person', %s, true),"
            " set_config('nexa.action', %s, true), set_config('nexa.request', gen_random_uuid()::text, true)",
            [str(organization), str(person), action],
        )
        return connection.execute(statement.encode(), names).rowcount
