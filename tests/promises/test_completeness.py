"""Completeness: every verb, every endpoint and every audited table leaves exactly the entries it should."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest

from nexa_core import api, audit
from nexa_core.actor import Actor
from tests.conftest import TestDatabase, World
from tests.promises.audited_rows import Client, make_stage
from tests.promises.audited_verbs import (
    BEFORE,
    CASES,
    ENDPOINTS,
    NO_VERBS,
    OWED,
    OWED_ENDPOINTS,
    STATEMENTS,
    SYNONYMS,
    verbs,
)

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


def test_every_endpoint_has_a_case() -> None:
    assert {f"{endpoint.method} {endpoint.path}" for endpoint in api.endpoints()} == set(ENDPOINTS) | OWED_ENDPOINTS
    assert not OWED_ENDPOINTS & set(ENDPOINTS), "what is written is not owed any more"


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_an_endpoint_leaves_exactly_its_entries(database: TestDatabase, world: World, endpoint: str) -> None:
    stage, case = make_stage(world), ENDPOINTS[endpoint]
    prepared = case.before(stage)
    answers: list[httpx.Response] = []
    left = entries_of(database, lambda: answers.append(case.call(Client(), stage, prepared)))
    assert answers[0].status_code < 400 or endpoint == "GET /metrics", answers[0].text
    assert left == sorted(case.entries)


# Raw SQL as the program's own login -----------------------------------------------------------------------------------


def test_every_audited_table_has_statements(database: TestDatabase) -> None:
    with database.superuser() as connection:
        audited = {
            row[0]
            for row in connection.execute(
                "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'audit_insert'"
            )
        }
    assert audited == set(STATEMENTS)


@pytest.mark.parametrize("table", STATEMENTS)
def test_raw_sql_of_the_program_leaves_one_entry_a_row(database: TestDatabase, world: World, table: str) -> None:
    stage = make_stage(world)
    names = {"org": stage.northwind, "me": stage.ada.user_id, "bob": stage.bob}
    if table in BEFORE:
        _as(database, "nexa_tenant", stage.northwind, stage.ada.user_id, BEFORE[table], names)
    for role, statement in STATEMENTS[table]:
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


@pytest.mark.parametrize("table", STATEMENTS)
def test_raw_sql_without_a_name_is_refused_and_rolled_back_writes_leave_nothing(
    database: TestDatabase, world: World, table: str
) -> None:
    stage = make_stage(world)
    names = {"org": stage.northwind, "me": stage.ada.user_id, "bob": stage.bob}
    if table in BEFORE:
        _as(database, "nexa_tenant", stage.northwind, stage.ada.user_id, BEFORE[table], names)
    role, statement = STATEMENTS[table][0]
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
