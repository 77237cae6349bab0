"""Two rules hold whatever runs at once: everybody belongs somewhere, every active organization has an active owner."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.databases import TestDatabase
from tests.worlds import World

RACES = 200
VIOLATIONS = """
    SELECT (SELECT count(*) FROM users u WHERE deleted_at IS NULL
            AND NOT EXISTS (SELECT FROM organization_memberships m WHERE m.user_id = u.id))
         + (SELECT count(*) FROM organizations o WHERE status = 'active' AND NOT EXISTS (
            SELECT FROM organization_memberships m WHERE m.organization_id = o.id AND m.role = 'owner'
            AND m.status = 'active'))
"""


def race(database: TestDatabase, pairs: list[tuple[UUID, UUID]], statement: str) -> int:
    """Run the statement on both memberships of every pair at once; answers how many of the two hundred lost."""
    both_in = threading.Barrier(2)
    refused = []

    def runner(side: int) -> None:
        with database.app(autocommit=True) as connection:
            for pair in pairs:
                try:
                    with connection.transaction():
                        connection.execute("SET LOCAL ROLE nexa_staff")
                        World.name_the_change(connection)
                        connection.execute(statement.encode(), [pair[side]])
                        both_in.wait(timeout=30)  # both have written, neither has committed
                except (psycopg.errors.CheckViolation, psycopg.errors.DeadlockDetected) as error:
                    refused.append(error)

    with ThreadPoolExecutor(2) as threads:
        for future in [threads.submit(runner, side) for side in (0, 1)]:
            future.result()
    return len(refused)


def membership_pairs(database: TestDatabase, *, same_person: bool) -> list[tuple[UUID, UUID]]:
    """Pairs of memberships of which at most one may go: two owners of one organization, or two of one person."""
    pairs = []
    with database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        anchor = _organization(connection, "anchor", "pending")
        for number in range(RACES):
            first = _organization(connection, f"first-{number}", "pending")
            second = _organization(connection, f"second-{number}", "pending") if same_person else first
            ada, bob = _person(connection), _person(connection)
            if same_person:
                owners = [(ada, first), (ada, second)]
                _join(connection, bob, anchor, "member")
            else:
                owners = [(ada, first), (bob, first)]
                _join(connection, ada, anchor, "member")
                _join(connection, bob, anchor, "member")
            role = "member" if same_person else "owner"
            pair = [_join(connection, person, organization, role) for person, organization in owners]
            pairs.append((pair[0], pair[1]))
            if not same_person:
                connection.execute("UPDATE organizations SET status = 'active' WHERE id = %s", [first])
    return pairs


def _organization(connection: psycopg.Connection, slug: str, status: str) -> UUID:
    identifier = uuid4()
    connection.execute(
        "INSERT INTO organizations (id, name, slug, status) VALUES (%s, %s, %s, %s)",
        [identifier, slug, f"{slug}-{identifier}", status],
    )
    return identifier


def _person(connection: psycopg.Connection) -> UUID:
    identifier = uuid4()
    connection.execute(
        "INSERT INTO users (id, email, status) VALUES (%s, %s, 'active')", [identifier, f"{identifier}@x.example"]
    )
    return identifier


def _join(connection: psycopg.Connection, person: UUID, organization: UUID, role: str) -> UUID:
    identifier = uuid4()
    connection.execute(
        "INSERT INTO organization_memberships (id, user_id, organization_id, role, status)"
        " VALUES (%s, %s, %s, %s, 'active')",
        [identifier, person, organization, role],
    )
    return identifier


def violations(database: TestDatabase) -> int:
    with database.superuser() as connection:
        row = connection.execute(VIOLATIONS).fetchone()
    assert row is not None
    return int(row[0])


LAST_OWNER = {
    "removed": "DELETE FROM organization_memberships WHERE id = %s",
    "demoted": "UPDATE organization_memberships SET role = 'member' WHERE id = %s",
    "suspended": "UPDATE organization_memberships SET status = 'suspended' WHERE id = %s",
}


@pytest.mark.parametrize("way", LAST_OWNER)
def test_of_two_owners_leaving_at_once_one_stays(database: TestDatabase, way: str) -> None:
    pairs = membership_pairs(database, same_person=False)
    assert violations(database) == 0, "a clean baseline"
    assert race(database, pairs, LAST_OWNER[way]) == RACES
    assert violations(database) == 0


def test_of_two_last_memberships_ending_at_once_one_stays(database: TestDatabase) -> None:
    pairs = membership_pairs(database, same_person=True)
    assert violations(database) == 0, "a clean baseline"
    assert race(database, pairs, LAST_OWNER["removed"]) == RACES
    assert violations(database) == 0


@pytest.mark.parametrize("same_person", [True, False])
def test_without_the_lock_the_races_are_lost(database: TestDatabase, same_person: bool) -> None:
    """The control: the same races against the same triggers, less the row locks."""
    with database.superuser() as connection:
        for name in ("require_membership(uuid)", "require_owner(uuid)"):
            row = connection.execute("SELECT pg_get_functiondef(%s::regprocedure)", [f"nexa.{name}"]).fetchone()
            assert row is not None
            assert "FOR NO KEY UPDATE" in row[0]
            connection.execute(row[0].replace(" FOR NO KEY UPDATE", "").encode())
    for _ in range(5):  # on a busy machine one side may always have been a moment late
        race(database, membership_pairs(database, same_person=same_person), LAST_OWNER["removed"])
        if violations(database):
            return
    pytest.fail("the races are won without the locks: they prove nothing")


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO users (email, status) VALUES ('alone@x.example', 'active')",
        "INSERT INTO organizations (name, slug, status) VALUES ('Empty', 'empty', 'active')",
    ],
)
def test_nothing_begins_in_breach(database: TestDatabase, statement: str) -> None:
    with database.superuser() as connection, pytest.raises(psycopg.errors.CheckViolation), connection.transaction():
        World.name_the_change(connection)
        connection.execute(statement.encode())


def test_the_owner_of_an_active_organization_cannot_be_deleted(database: TestDatabase, world: World) -> None:
    northwind = world.organization("Northwind")
    ada = world.person("ada@northwind.example", northwind, role="owner")
    with database.superuser() as connection:
        with pytest.raises(psycopg.errors.CheckViolation), connection.transaction():
            World.name_the_change(connection)
            connection.execute("UPDATE users SET deleted_at = now(), status = 'deleted' WHERE id = %s", [ada])
        world.person("bob@northwind.example", northwind, role="owner")
        with connection.transaction():
            World.name_the_change(connection)
            connection.execute("UPDATE users SET deleted_at = now(), status = 'deleted' WHERE id = %s", [ada])
