"""A change of many rows is logged and chained as the same change row by row would be."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from nexa_core import audit, organizations
from nexa_core.actor import Actor
from tests.databases import TestDatabase
from tests.worlds import World

pytestmark = pytest.mark.promise

MANY, FEW = 150, 50  # beyond and below the number of rows from which on the columns are compared


@pytest.fixture
def root(world: World) -> Actor:
    nexa = world.organization("NEXA", is_platform=True)
    return world.actor(world.person("root@nexa.example", nexa, role="owner"), nexa)


def customers(database: TestDatabase, count: int) -> list[UUID]:
    with database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        made = connection.execute(
            "INSERT INTO organizations (name, slug, plan_type) SELECT 'Customer ' || n, 'c-' || n, 'starter'"
            " FROM generate_series(1, %s) n RETURNING id",
            [count],
        ).fetchall()
    return [row[0] for row in made]


def change(database: TestDatabase, statement: str, ids: list[UUID]) -> list[tuple[Any, ...]]:
    """The entries of a statement over these organizations, but for their identifiers and times."""
    request = str(uuid4())
    with database.superuser() as connection, connection.transaction():
        for name, value in (("action", "organization.updated"), ("request", request), ("reason", "r"),
                            ("scope", "staff"), ("address", "203.0.113.7"), ("agent", "tests")):  # fmt: skip
            connection.execute("SELECT set_config(%s, %s, true)", [f"nexa.{name}", value])
        connection.execute(f"UPDATE organizations SET {statement} WHERE id = ANY (%s)".encode(), [ids])
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with database.superuser() as connection:
        return connection.execute(
            "SELECT resource_id = organization_id, user_id, action, resource_type, old_values, new_values,"
            " host(ip_address), user_agent, reason, actor_scope FROM audit_logs WHERE request_id = %s",
            [request],
        ).fetchall()


@pytest.mark.parametrize(
    ("statement", "old", "new"),
    [
        ("plan_type = 'free'", {"plan_type": "starter"}, {"plan_type": "free"}),
        ("tax_id = 'x', updated_at = now()", {"tax_id": None}, {"tax_id": "x"}),
        (
            "usage_limits = '{\"hard\": true}', is_demo = true",
            {"usage_limits": {}, "is_demo": False},
            {"usage_limits": {"hard": True}, "is_demo": True},
        ),
        ("updated_at = now()", None, None),
        ("plan_type = 'starter'", None, None),
    ],
)
def test_many_rows_leave_the_entries_that_few_rows_leave(
    database: TestDatabase, statement: str, old: dict[str, Any] | None, new: dict[str, Any] | None
) -> None:
    ids = customers(database, MANY)
    logged = change(database, statement, ids)
    if old is None:
        assert logged == []
        return
    assert len(logged) == MANY
    assert {json.dumps(row[4:6], sort_keys=True) for row in logged} == {json.dumps((old, new), sort_keys=True)}
    few = customers_again(database, FEW)
    assert set(map(str, change(database, statement, few))) == set(map(str, logged))


def customers_again(database: TestDatabase, count: int) -> list[UUID]:
    """As many more, untouched."""
    with database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        made = connection.execute(
            "INSERT INTO organizations (name, slug, plan_type) SELECT 'More ' || n, 'm-' || n, 'starter'"
            " FROM generate_series(1, %s) n RETURNING id",
            [count],
        ).fetchall()
    return [row[0] for row in made]


def test_the_chains_of_a_batch_verify_link_after_link(database: TestDatabase, root: Actor) -> None:
    ids = customers(database, MANY)
    for plan in ("free", "enterprise"):
        preview = organizations.preview_change(root, kind="plan", organization_ids=ids, value=plan)
        organizations.apply_batch(root, preview=preview, reason="measured")
    organizations.change_plan(root, organization_id=ids[0], plan="starter", expected="enterprise", reason="one")
    found = audit.verify(root)
    assert found.verified, found.faults[:3]
    with database.superuser() as connection:
        counts = connection.execute(
            "SELECT count(*), min(n), max(n) FROM (SELECT count(*) n FROM audit_chain WHERE chain_id = ANY (%s)"
            " GROUP BY chain_id) c",
            [ids],
        ).fetchone()
    assert counts == (MANY, 3, 4), "the creation, two batches, and one more for the first"


def test_a_transaction_with_several_entries_of_one_chain_links_them_one_by_one(
    database: TestDatabase, root: Actor
) -> None:
    ids = customers(database, MANY)
    with database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        connection.execute("UPDATE organizations SET plan_type = 'free' WHERE id = ANY (%s)", [ids])
        connection.execute("UPDATE organizations SET tax_id = 'x' WHERE id = ANY (%s)", [ids[:3]])
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        connection.execute("UPDATE organizations SET tax_id = 'y' WHERE id = ANY (%s)", [ids])
    assert audit.verify(root).verified


def test_entries_after_the_links_were_made_are_linked_too(database: TestDatabase, root: Actor) -> None:
    ids = customers(database, MANY)
    with database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        connection.execute("UPDATE organizations SET plan_type = 'free' WHERE id = ANY (%s)", [ids])
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        connection.execute("SET CONSTRAINTS ALL DEFERRED")
        connection.execute("UPDATE organizations SET tax_id = 'x' WHERE id = ANY (%s)", [ids[:2]])
    found = audit.verify(root)
    assert found.verified, found.faults[:3]


def test_the_control_an_entry_without_its_link_is_a_fault(database: TestDatabase, root: Actor) -> None:
    ids = customers(database, MANY)
    with database.superuser() as connection:
        connection.execute("DELETE FROM audit_chain WHERE chain_id = %s", [ids[7]])
    assert not audit.verify(root).verified


def test_many_entries_of_one_chain_are_linked_one_after_the_other(database: TestDatabase, root: Actor) -> None:
    ids = customers(database, 2)
    people = [uuid4() for _ in range(MANY)]
    with database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        connection.execute(
            "INSERT INTO users (id, email, status) SELECT p, p || '@customer.example', 'active' FROM unnest(%s) p",
            [people],
        )
        connection.execute(
            "INSERT INTO organization_memberships (organization_id, user_id, status)"
            " SELECT o, p, 'active' FROM unnest(%s) o, unnest(%s) p",
            [ids, people],
        )
        connection.execute(
            "UPDATE organization_memberships SET role = 'viewer' WHERE organization_id = ANY (%s)", [ids]
        )
    found = audit.verify(root)
    assert found.verified, found.faults[:3]
    with database.superuser() as connection:
        links = connection.execute(
            "SELECT count(*), count(DISTINCT sequence), max(sequence) FROM audit_chain WHERE chain_id = ANY (%s)"
            " GROUP BY chain_id",
            [ids],
        ).fetchall()
    assert links == [(2 * MANY + 1,) * 3] * 2, "the organization, its members, and their change"


def test_the_setting_that_links_many_together_cannot_keep_an_entry_out_of_its_chain(
    database: TestDatabase, root: Actor
) -> None:
    (one,) = customers(database, 1)
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="no event"),
        database.superuser() as connection,
        connection.transaction(),
    ):
        World.name_the_change(connection)
        connection.execute("SELECT set_config('nexa.many', %s, true)", [str(uuid4())])
        connection.execute("UPDATE organizations SET tax_id = 'x' WHERE id = %s", [one])
    with database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        connection.execute("SELECT set_config('nexa.many', 'first', true)")
        connection.execute("UPDATE organizations SET tax_id = 'x' WHERE id = %s", [one])
    assert audit.verify(root).verified


def test_the_salts_and_identifiers_of_many_entries_are_their_own(database: TestDatabase) -> None:
    ids = customers(database, MANY)
    change(database, "plan_type = 'free'", ids)
    with database.superuser() as connection:
        made = connection.execute(
            "SELECT count(*), count(DISTINCT id), count(DISTINCT salt), min(octet_length(salt)),"
            " count(*) FILTER (WHERE id::text ~ '^.{14}7.{4}[89ab]')"
            " FROM audit_logs WHERE resource_id = ANY (%s) AND old_values IS NOT NULL",
            [ids],
        ).fetchone()
    assert made == (MANY, MANY, MANY, 16, MANY)
