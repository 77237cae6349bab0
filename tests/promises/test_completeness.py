"""Completeness: every verb, every endpoint and every audited table leaves exactly the entries it should."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import psycopg
import pytest

from nexa_core import api, audit, db
from nexa_core.actor import Actor
from tests.databases import Cluster, TestDatabase
from tests.promises.audited_rows import Client, Stage, make_stage
from tests.promises.audited_verbs import (
    BEFORE,
    CASES,
    ENDPOINTS,
    NO_VERBS,
    STATEMENTS,
    SYNONYMS,
    verbs,
)
from tests.worlds import World

Entries = list[tuple[str, str]]


def entries_of(stage: Stage, do: Callable[[], object]) -> Entries:
    """The entries something leaves, as (action, resource type), sorted."""
    with stage.world.database.superuser() as connection:
        before = {row[0] for row in connection.execute("SELECT id FROM audit_logs")}
        do()
        after = connection.execute("SELECT id, action, resource_type FROM audit_logs").fetchall()
    return sorted((action, resource) for identifier, action, resource in after if identifier not in before)


@pytest.fixture(scope="module")
def _played(cluster: Cluster) -> Stage:
    """The stage, set up once: each test plays in a copy of it, and nobody ever connects to this one again."""
    template = TestDatabase(cluster, cluster.create(cluster.template))
    template.configure()
    stage = make_stage(World(template))
    db.dispose()
    return stage


@pytest.fixture(scope="module")
def _looked_at(_played: Stage) -> Stage:
    """One copy for all that change nothing."""
    return _copy(_played)


@pytest.fixture
def stage(_played: Stage, _looked_at: Stage, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A copy of the stage; for verbs that change nothing always the same."""
    callspec = getattr(request.node, "callspec", None)
    verb = callspec.params.get("verb") if callspec else None
    shared = verb is not None and CASES[verb].changes_nothing
    found = _looked_at if shared else _copy(_played)
    found.world.database.configure()
    yield found
    if shared:
        db.dispose()
    else:
        found.world.database.cluster.take_back(found.world.database.name)


def _copy(stage: Stage) -> Stage:
    original = stage.world.database
    copy = TestDatabase(original.cluster, original.cluster.lend(original.name))
    return replace(stage, world=World(copy))


# Verbs ----------------------------------------------------------------------------------------------------------------


def test_every_verb_has_a_case() -> None:
    """A new verb turns this red until audited_verbs.py says what it leaves."""
    assert verbs() - NO_VERBS - set(SYNONYMS) == set(CASES)
    assert {CASES[name] for name in SYNONYMS.values()}


@pytest.mark.parametrize("verb", CASES)
def test_a_verb_leaves_exactly_its_entries_and_each_reads_as_a_sentence(stage: Stage, verb: str) -> None:
    case = CASES[verb]
    prepared = case.before(stage) if case.before else None
    assert entries_of(stage, lambda: case.call(stage, prepared)) == sorted(case.entries)
    for entry in audit.recent(stage.root, limit=len(case.entries)) if case.entries else ():
        assert not {"…", "{", "}"} & set(entry.sentence), f"{entry.sentence}: it names what the entry does not hold"
    assert audit.verify(Actor.system()).verified


def test_the_control_a_lost_trigger_is_noticed(stage: Stage) -> None:
    case = CASES["organizations.rename"]
    with stage.world.database.superuser() as connection:
        connection.execute("DROP TRIGGER audit_update ON organizations")
    assert entries_of(stage, lambda: case.call(stage, None)) != sorted(case.entries)


# The API --------------------------------------------------------------------------------------------------------------


def test_every_endpoint_has_a_case() -> None:
    assert {f"{endpoint.method} {endpoint.path}" for endpoint in api.endpoints()} == set(ENDPOINTS)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_an_endpoint_leaves_exactly_its_entries(stage: Stage, endpoint: str) -> None:
    case = ENDPOINTS[endpoint]
    prepared = case.before(stage)
    answers: list[httpx.Response] = []
    left = entries_of(stage, lambda: answers.append(case.call(Client(), stage, prepared)))
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
def test_raw_sql_of_the_program_leaves_one_entry_a_row(stage: Stage, table: str) -> None:
    if table in BEFORE:
        _as(stage, "nexa_tenant", BEFORE[table])
    for role, statement in STATEMENTS[table]:
        rows: list[int] = []
        left = entries_of(
            stage,
            lambda role=role, statement=statement, rows=rows: rows.append(_as(stage, role, statement)),  # type: ignore[misc]
        )
        assert rows[0] >= 1, statement
        assert len(left) == rows[0] + statement.startswith("WITH"), f"{statement}: {left}"
        assert {action for action, _ in left} == {"organization.updated"}
    assert audit.verify(Actor.system()).verified


@pytest.mark.parametrize("table", STATEMENTS)
def test_raw_sql_without_a_name_is_refused_and_rolled_back_writes_leave_nothing(stage: Stage, table: str) -> None:
    if table in BEFORE:
        _as(stage, "nexa_tenant", BEFORE[table])
    role, statement = STATEMENTS[table][0]
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="recording door"):
        _as(stage, role, statement, action="")
    assert entries_of(stage, lambda: _as(stage, role, statement, keep=False)) == []


def _as(stage: Stage, role: str, statement: str, *, action: str = "organization.updated", keep: bool = True) -> int:
    """One statement as nexa_app in a role, in the context of the stage's owner; how many rows it touched."""
    names = {"org": stage.northwind, "me": stage.ada.user_id, "bob": stage.bob}
    with (
        stage.world.database.app(autocommit=True) as connection,
        connection.transaction(force_rollback=not keep),
    ):
        connection.execute(f"SET LOCAL ROLE {role}".encode())
        connection.execute(
            "SELECT set_config('nexa.organization', %s, true), set_config('nexa.person', %s, true),"
            " set_config('nexa.action', %s, true), set_config('nexa.request', gen_random_uuid()::text, true)",
            [str(stage.northwind), str(stage.ada.user_id), action],
        )
        return connection.execute(statement.encode(), names).rowcount
