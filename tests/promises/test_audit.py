"""The audit log holds every change, exactly once, and nobody changes the log without being found out."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from nexa_core import audit, db, organizations
from nexa_core.actions import Action
from nexa_core.actor import Actor, Origin
from nexa_core.organizations.models import Organization
from tests.databases import TestDatabase
from tests.worlds import World

Row = tuple[object, ...]


@pytest.fixture
def ada(world: World) -> Actor:
    northwind = world.organization("Northwind")
    return world.actor(world.person("ada@northwind.example", northwind, role="owner"), northwind)


def entries(database: TestDatabase, request_id: object) -> list[Row]:
    with database.superuser() as connection:
        return connection.execute(
            "SELECT action, resource_type, old_values, new_values FROM audit_logs WHERE request_id = %s ORDER BY id",
            [request_id],
        ).fetchall()


def asking_anew(actor: Actor) -> Actor:
    return replace(actor, origin=Origin(ip_address="203.0.113.7", user_agent="tests"))


# What is written ------------------------------------------------------------------------------------------------------


def test_an_entry_holds_who_what_where_why_and_only_what_changed(database: TestDatabase, ada: Actor) -> None:
    organizations.rename(ada, name="Northwind Traders")
    with database.superuser() as connection:
        row = connection.execute(
            "SELECT user_id, organization_id, action, resource_type, resource_id, old_values, new_values,"
            " host(ip_address), user_agent, actor_scope FROM audit_logs WHERE request_id = %s",
            [ada.origin.request_id],
        ).fetchall()
    assert row == [
        (
            ada.user_id,
            ada.organization_id,
            "organization.renamed",
            "organization",
            ada.organization_id,
            {"name": "Northwind"},
            {"name": "Northwind Traders"},
            "203.0.113.7",
            "tests",
            "tenant",
        )
    ]


def test_each_verb_leaves_exactly_the_entries_of_its_changes(database: TestDatabase, world: World, ada: Actor) -> None:
    assert ada.organization_id
    northwind = ada.organization_id
    platform = world.organization("NEXA", is_platform=True)
    root = world.actor(world.person("root@nexa.example", platform, role="owner"), platform)
    bob = world.person("bob@northwind.example", northwind, role="member")
    elsewhere = world.organization("Elsewhere")
    world.membership(bob, elsewhere)
    membership = next(m.id for m in organizations.members(ada, organization_id=northwind) if m.user_id == bob)
    of_bob = {"membership_id": membership, "organization_id": northwind}
    verbs: list[tuple[Actor, Callable[[Actor], object], list[tuple[str, str]]]] = [
        (ada, lambda a: organizations.rename(a, name="New"), [("organization.renamed", "organization")]),
        (ada, lambda a: organizations.rename(a, name="New"), []),  # nothing changes, nothing is written
        (
            ada,
            lambda a: organizations.change_role(a, role="viewer", **of_bob),
            [("membership.role_changed", "membership")],
        ),
        (
            ada,
            lambda a: organizations.suspend_member(a, reason="left", **of_bob),
            [("membership.suspended", "membership")],
        ),
        (
            ada,
            lambda a: organizations.resume_member(a, reason="back", **of_bob),
            [("membership.resumed", "membership")],
        ),
        (
            root,
            lambda a: organizations.suspend(a, organization_id=northwind, reason="unpaid"),
            [("organization.suspended", "organization")],
        ),
        (
            root,
            lambda a: organizations.resume(a, organization_id=northwind, reason="paid"),
            [("organization.resumed", "organization")],
        ),
        (
            ada,
            lambda a: organizations.remove_member(a, reason="gone", **of_bob),
            [("membership.removed", "membership")],
        ),
        (ada, organizations.current, []),
        (root, organizations.browse, []),
        (ada, organizations.summary, []),
    ]
    for actor, verb, wanted in verbs:
        asking = asking_anew(actor)
        verb(asking)
        assert [row[:2] for row in entries(database, asking.origin.request_id)] == wanted


def test_a_rolled_back_write_leaves_no_entry(database: TestDatabase, ada: Actor) -> None:
    with pytest.raises(ZeroDivisionError), db.recording(ada, Action.ORGANIZATION_RENAMED) as transaction:
        transaction.get_one(Organization, ada.organization_id).name = "Never"
        transaction.flush()
        raise ZeroDivisionError
    assert entries(database, ada.origin.request_id) == []


def test_a_thousand_rows_changed_at_once_are_a_thousand_entries(database: TestDatabase, world: World) -> None:
    with database.superuser() as connection, connection.transaction():
        world.name_the_change(connection)
        connection.execute(
            "INSERT INTO organizations (name, slug) SELECT 'Bulk', 'bulk-' || n FROM generate_series(1, 1000) n"
        )
        request = uuid4()
        connection.execute("SELECT set_config('nexa.request', %s, true)", [str(request)])
        connection.execute("UPDATE organizations SET plan_type = 'starter'")
    found = entries(database, request)
    assert len(found) == 1000
    assert {str(row[2:]) for row in found} == {str(({"plan_type": "free"}, {"plan_type": "starter"}))}
    assert audit.verify(Actor.system()).verified


def test_secrets_and_bookkeeping_never_enter(database: TestDatabase, world: World, ada: Actor) -> None:
    canaries = [f"canary-{uuid4().hex}" for _ in range(6)]
    with database.superuser() as connection:
        with connection.transaction():
            world.name_the_change(connection)
            connection.execute("UPDATE users SET password_hash = %s, login_count = 77", [canaries[0]])
            connection.execute(
                "INSERT INTO user_sessions (user_id, organization_id, session_token, refresh_token, expires_at)"
                " VALUES (%s, %s, %s, %s, 'infinity')",
                [ada.user_id, ada.organization_id, canaries[1][:60], canaries[2][:60]],
            )
            connection.execute("UPDATE organization_memberships SET invitation_token = %s", [canaries[3][:60]])
            connection.execute(
                "INSERT INTO organization_domains (organization_id, domain, verification_token)"
                " VALUES (%s, 'x.example', %s)",
                [ada.organization_id, canaries[4][:60]],
            )
        everything = connection.execute("SELECT string_agg(audit_logs::text, ' ') FROM audit_logs").fetchone()
    assert everything is not None
    assert not [canary for canary in canaries if canary[:60] in everything[0]]
    assert "login_count" not in everything[0]


def test_documents_are_proven_not_repeated(database: TestDatabase, world: World, ada: Actor) -> None:
    assert ada.user_id
    assert ada.organization_id
    reviewed = world.session(ada.organization_id, ada.user_id, sow_objects={"note": "for the client's eyes only"})
    with database.superuser() as connection:
        row = connection.execute(
            "SELECT new_values, audit_logs::text FROM audit_logs WHERE resource_id = %s", [reviewed]
        ).fetchone()
    assert row is not None
    assert set(row[0]["sow_objects"]) == {"sha256", "bytes"}
    assert "client's eyes" not in row[1]


def test_every_action_reads_as_a_sentence(database: TestDatabase, ada: Actor) -> None:
    for action in Action:
        with db.recording(ada, action) as transaction:
            audit.note(transaction, "user", ada.user_id, {"seen": action.value})
    found = audit.recent(ada, limit=200)
    sentences = {entry.action: entry.sentence for entry in found}
    for action in Action:
        assert sentences[action.value]
        assert "{" not in sentences[action.value], action


def test_an_entry_from_a_newer_nexa_still_reads(database: TestDatabase, ada: Actor) -> None:
    with database.superuser() as connection, connection.transaction():
        World.name_the_change(connection, "organization.teleported")
        connection.execute("UPDATE organizations SET name = 'Elsewhere'")
    assert audit.recent(ada)[0].sentence == "Somebody: organization.teleported"


# What is proven -------------------------------------------------------------------------------------------------------

FORBIDDEN = [
    "UPDATE audit_logs SET action = 'x'",
    "DELETE FROM audit_logs",
    "TRUNCATE audit_logs",
    "INSERT INTO audit_logs (action, resource_type, request_id, actor_scope) VALUES ('x', 'y', gen_random_uuid(), 'z')",
    "DROP TABLE audit_logs",
    "ALTER TABLE audit_logs DISABLE TRIGGER ALL",
    "ALTER TABLE organizations DISABLE TRIGGER audit_update",
    "DROP TRIGGER audit_update ON organizations",
    "UPDATE audit_chain SET hash = ''",
    "DELETE FROM audit_chain",
    "TRUNCATE audit_chain",
    "UPDATE audit_heads SET sequence = 0",
    "DELETE FROM audit_heads",
    "TRUNCATE organizations CASCADE",
    "SET session_replication_role = replica",
    "DELETE FROM audit_logs_default",
    "SELECT nexa.make_month('pg_class', current_date)",
    "CREATE OR REPLACE FUNCTION nexa.audit_append() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_program_may_read_the_log_and_nothing_else(database: TestDatabase, ada: Actor, statement: str) -> None:
    with database.app(autocommit=True) as connection:
        for role in ("nexa_app", "nexa_tenant", "nexa_staff", "nexa_presenter", "nexa_entry"):
            with (
                pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.WrongObjectType)),
                connection.transaction(),
            ):
                if role != "nexa_app":
                    connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
                World.name_the_change(connection)
                connection.execute(statement.encode())


def test_a_temporary_table_does_not_take_the_entries(database: TestDatabase, ada: Actor) -> None:
    """Whoever may run SQL as the program cannot put a table of the same name in front of the log."""
    asking = asking_anew(ada)
    with database.superuser() as connection:
        connection.execute("CREATE TEMP TABLE audit_logs (LIKE public.audit_logs INCLUDING DEFAULTS)")
        connection.execute("GRANT ALL ON pg_temp.audit_logs TO PUBLIC")
        connection.execute("SET SESSION AUTHORIZATION nexa_app")
        with connection.transaction():
            connection.execute("SET LOCAL ROLE nexa_tenant")
            connection.execute(
                "SELECT set_config('nexa.organization', %s, true), set_config('nexa.person', %s, true),"
                " set_config('nexa.action', 'organization.renamed', true), set_config('nexa.request', %s, true)",
                [str(ada.organization_id), str(ada.user_id), str(asking.origin.request_id)],
            )
            connection.execute("UPDATE organizations SET name = 'Unseen'")
    assert [row[0] for row in entries(database, asking.origin.request_id)] == ["organization.renamed"]


def test_the_program_may_not_make_a_temporary_table(database: TestDatabase) -> None:
    with database.app(autocommit=True) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("CREATE TEMP TABLE audit_logs (LIKE public.audit_logs)")


def make_history(ada: Actor, entries_wanted: int) -> None:
    for number in range(entries_wanted):
        organizations.rename(asking_anew(ada), name=f"Northwind {number}")


TAMPERINGS = {
    "edited values": 'UPDATE audit_logs SET new_values = \'{"name": "Innocent"}\' WHERE id = %(one)s',
    "edited actor": "UPDATE audit_logs SET user_id = NULL WHERE id = %(one)s",
    "edited action": "UPDATE audit_logs SET action = 'organization.created' WHERE id = %(one)s",
    "edited reason": "UPDATE audit_logs SET reason = 'I was asked to' WHERE id = %(one)s",
    "edited address": "UPDATE audit_logs SET ip_address = '198.51.100.1' WHERE id = %(one)s",
    "edited time": "UPDATE audit_logs SET created_at = created_at + interval '1 second' WHERE id = %(one)s",
    "removed entry": "DELETE FROM audit_logs WHERE id = %(one)s",
    "removed entry and link": "WITH gone AS (DELETE FROM audit_logs WHERE id = %(one)s)"
    " DELETE FROM audit_chain WHERE audit_log_id = %(one)s",
    "swapped values": "UPDATE audit_logs a SET new_values = b.new_values, salt = b.salt FROM audit_logs b"
    " WHERE (a.id, b.id) IN ((%(one)s, %(two)s), (%(two)s, %(one)s))",
    "swapped links": "UPDATE audit_chain a SET audit_log_id = b.audit_log_id, digest = b.digest,"
    " logged_at = b.logged_at FROM audit_chain b"
    " WHERE (a.audit_log_id, b.audit_log_id) IN ((%(one)s, %(two)s), (%(two)s, %(one)s))"
    " AND a.chain_id = b.chain_id",
    "forged entry": "INSERT INTO audit_logs (action, resource_type, request_id, actor_scope, organization_id)"
    " VALUES ('organization.renamed', 'organization', gen_random_uuid(), 'tenant', %(organization)s)",
    "cut tail": "WITH tail AS (DELETE FROM audit_chain WHERE chain_id = %(organization)s AND sequence >"
    " (SELECT max(sequence) - 2 FROM audit_chain WHERE chain_id = %(organization)s) RETURNING audit_log_id)"
    " DELETE FROM audit_logs WHERE id IN (SELECT audit_log_id FROM tail)",
    "cut tail and head": "WITH tail AS (DELETE FROM audit_chain WHERE chain_id = %(organization)s AND sequence >"
    " (SELECT max(sequence) - 2 FROM audit_chain WHERE chain_id = %(organization)s) RETURNING audit_log_id)"
    " UPDATE audit_heads SET sequence = sequence - 2 WHERE chain_id = %(organization)s",
    "removed head": "DELETE FROM audit_heads WHERE chain_id = %(organization)s",
}


def test_a_hundred_random_tamperings_by_a_superuser_are_found(database: TestDatabase, ada: Actor) -> None:
    make_history(ada, 30)
    assert audit.verify(Actor.system()).verified, "a clean baseline"
    chance = random.Random(2026)
    found = 0
    with database.superuser() as connection:
        connection.execute("SET session_replication_role = replica")  # no trigger helps: the tampering is silent
        ids = [
            row[0]
            for row in connection.execute(
                "SELECT id FROM audit_logs WHERE request_id IS NOT NULL AND action = 'organization.renamed'"
            )
        ]
        for number in range(100):
            kind = list(TAMPERINGS)[number % len(TAMPERINGS)]
            one, two = chance.sample(ids, 2)
            with connection.transaction(force_rollback=True):
                changed = connection.execute(
                    TAMPERINGS[kind].encode(), {"one": one, "two": two, "organization": ada.organization_id}
                ).rowcount
                assert changed, f"{kind} changed nothing"
                connection.execute("SET LOCAL ROLE nexa_staff")
                faults = connection.execute("SELECT * FROM nexa.audit_faults(%s)", [ada.organization_id]).fetchall()
                found += bool(faults)
                assert faults, f"{kind} was not found"
    assert found == 100
    assert audit.verify(Actor.system()).verified, "and clean again after every rollback"


def test_the_first_bad_entry_is_named(database: TestDatabase, ada: Actor) -> None:
    make_history(ada, 5)
    with database.superuser() as connection:
        connection.execute("SET session_replication_role = replica")
        row = connection.execute(
            "UPDATE audit_logs SET reason = 'forged' WHERE request_id = %s RETURNING id",
            [_newest_request(connection)],
        ).fetchone()
    assert row is not None
    state = audit.verify(Actor.system())
    assert [(fault.entry_id, fault.organization_name) for fault in state.faults] == [(row[0], "Northwind 4")]
    assert "reason" in state.faults[0].what


def _newest_request(connection: psycopg.Connection) -> object:
    row = connection.execute("SELECT request_id FROM audit_logs ORDER BY id DESC LIMIT 1").fetchone()
    assert row is not None
    return row[0]


def test_a_log_without_its_trigger_is_noticed(database: TestDatabase, ada: Actor) -> None:
    """The control of completeness: with the audit trigger gone, the promise above turns red."""
    with database.superuser() as connection:
        connection.execute("DROP TRIGGER audit_update ON organizations")
    asking = asking_anew(ada)
    organizations.rename(asking, name="Unseen")
    assert entries(database, asking.origin.request_id) == []


def test_chains_of_many_organizations_do_not_deadlock(database: TestDatabase, world: World) -> None:
    """Transactions that write to several organizations in opposite order append to their chains in one order."""
    from concurrent.futures import ThreadPoolExecutor

    both = [world.organization("First"), world.organization("Second")]

    def touch(order: int) -> None:
        with database.app(autocommit=True) as connection:
            for number in range(50):
                with connection.transaction():
                    connection.execute("SET LOCAL ROLE nexa_staff")
                    World.name_the_change(connection)
                    for organization in both[::order]:
                        connection.execute(
                            "INSERT INTO organization_domains (organization_id, domain) VALUES (%s, %s)",
                            [organization, f"d{order + 1}-{number}.example"],
                        )

    with ThreadPoolExecutor(2) as threads:
        for future in [threads.submit(touch, order) for order in (1, -1)]:
            future.result()
    assert audit.verify(Actor.system()).verified
