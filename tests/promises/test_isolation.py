"""No organization sees, counts, changes or refers to another's rows: asked of raw SQL, as the program's own role."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import LiteralString
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from tests.databases import TestDatabase
from tests.promises.two_tenants import KEY, Tenant, another_row, insert, make_tenant, tables
from tests.worlds import World

ROLES = ("nexa_tenant", "nexa_staff", "nexa_presenter", "nexa_entry")
NOBODY = UUID(int=0)  # the chain of what belongs to no organization
Observed = dict[tuple[str, str, str], object]


@pytest.fixture
def tenants(world: World) -> tuple[Tenant, Tenant]:
    """A, whose context every probe runs in, and B, a demo organization, which A must never reach."""
    return make_tenant(world, "Alpha"), make_tenant(world, "Beta", is_demo=True)


@contextmanager
def acting(connection: psycopg.Connection, role: str, tenant: Tenant | None) -> Iterator[psycopg.Connection]:
    """One transaction in a role and, with a tenant, in its context; never committed."""
    with connection.transaction(force_rollback=True):
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
        if tenant:
            connection.execute(
                "SELECT set_config('nexa.organization', %s, true), set_config('nexa.person', %s, true),"
                " set_config('nexa.action', 'organization.updated', true),"
                " set_config('nexa.request', gen_random_uuid()::text, true)",
                [str(tenant.organization), str(tenant.person)],
            )
        yield connection


def attempt(connection: psycopg.Connection, statement: sql.Composable, *values: object) -> object:
    """Rows (for a SELECT) or the number of rows a statement reached; 'refused' when PostgreSQL refuses it."""
    try:
        with connection.transaction():
            cursor = connection.execute(statement, values)
            if not cursor.description:
                return cursor.rowcount
            return sorted(str(row[0]) for row in cursor if row[0] not in (None, NOBODY))
    except psycopg.errors.InsufficientPrivilege:
        return "refused"
    except psycopg.errors.ForeignKeyViolation:
        return "refused"


def column_to_touch(connection: psycopg.Connection, role: str, table: str) -> str | None:
    """A column the role may write without changing what the row means."""
    row = connection.execute(
        "SELECT a.attname FROM pg_attribute a WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped"
        " AND a.attgenerated = ''"
        " AND a.attname NOT IN ('organization_id', 'id') AND has_column_privilege(%s, a.attrelid, a.attnum, 'UPDATE')"
        " AND has_column_privilege(%s, a.attrelid, a.attnum, 'SELECT') ORDER BY a.attnum DESC LIMIT 1",
        [table, role, role],
    ).fetchone()
    return row[0] if row else None


def observe(connection: psycopg.Connection, a: Tenant, b: Tenant) -> Observed:
    """What each role reaches of each table, in the context of A: whose rows it reads, and how many it can update."""
    seen: Observed = {}
    for role in ROLES:
        for table in tables(connection):
            key = sql.Identifier(KEY.get(table, "organization_id"))
            name = sql.Identifier(table)
            with acting(connection, role, a):
                reads = attempt(connection, sql.SQL("SELECT DISTINCT {} FROM {}").format(key, name))
                seen[role, table, "read"] = reads
                column = column_to_touch(connection, role, table)
                if column:
                    touch = sql.SQL("UPDATE {} SET {c} = {c} WHERE {} = %s").format(name, key, c=sql.Identifier(column))
                    seen[role, table, "update A"] = bool(attempt(connection, touch, a.key(table)))
                    seen[role, table, "update B"] = bool(attempt(connection, touch, b.key(table)))
    with acting(connection, "nexa_tenant", a):
        seen["nexa_tenant", "users", "invite"] = attempt(
            connection, sql.SQL("INSERT INTO users (email, status) VALUES ('bob@alpha.example', 'pending')")
        )
    for role in ("nexa_tenant", "nexa_entry"):
        with acting(connection, role, a):
            seen[role, "outbox_messages", "send"] = attempt(
                connection,
                sql.SQL("INSERT INTO outbox_messages (organization_id, recipient, subject) VALUES (%s, 'x', 'y')"),
                a.organization,
            )
    return seen


def expected(connection: psycopg.Connection, a: Tenant, b: Tenant) -> Observed:
    """The rule: a tenant reaches its own, staff everything, a presenter demos to look at, entry what it is given."""
    wanted: Observed = {}
    for role in ROLES:
        for table in tables(connection):
            mine, theirs = str(a.key(table)), str(b.key(table))
            readable = connection.execute("SELECT has_any_column_privilege(%s, %s, 'SELECT')", [role, table]).fetchone()
            whose = {
                "nexa_tenant": [mine],
                "nexa_staff": sorted([mine, theirs]),
                "nexa_presenter": [theirs],
                "nexa_entry": sorted([mine, theirs]),
            }[role]
            if role == "nexa_presenter" and table in ("users", "user_sessions"):
                whose = sorted([mine, theirs]) if table == "users" else [mine]  # and always oneself
            wanted[role, table, "read"] = whose if readable and readable[0] else "refused"
            if column_to_touch(connection, role, table):
                wanted[role, table, "update A"] = True
                # Entry changes an organization (its first owner opens it) only as the one it was called for.
                entry = role == "nexa_entry" and table != "organizations"
                wanted[role, table, "update B"] = role == "nexa_staff" or entry
    wanted["nexa_tenant", "users", "invite"] = 1
    wanted["nexa_tenant", "outbox_messages", "send"] = wanted["nexa_entry", "outbox_messages", "send"] = 1
    return wanted


def test_each_role_reaches_exactly_what_it_should(database: TestDatabase, tenants: tuple[Tenant, Tenant]) -> None:
    with database.app(autocommit=True) as connection:
        assert observe(connection, *tenants) == expected(connection, *tenants)


def test_without_a_context_a_tenant_transaction_sees_and_changes_nothing(
    database: TestDatabase, tenants: tuple[Tenant, Tenant]
) -> None:
    with database.app(autocommit=True) as connection:
        for table in tables(connection):
            with acting(connection, "nexa_tenant", None):
                reads = attempt(connection, sql.SQL("SELECT 1 FROM {}").format(sql.Identifier(table)))
                assert reads in ([], "refused"), table
                deletes = attempt(connection, sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
                assert deletes in (0, "refused"), table


def test_the_program_alone_may_touch_no_table(database: TestDatabase, tenants: tuple[Tenant, Tenant]) -> None:
    """nexa_app inherits nothing: outside a door it has no right on any table of a tenant."""
    with database.app(autocommit=True) as connection:
        for table in tables(connection):
            assert attempt(connection, sql.SQL("SELECT 1 FROM {}").format(sql.Identifier(table))) == "refused", table


OPERATIONS = {
    "read": "SELECT 1 FROM {table} WHERE {key} = %(theirs)s",
    "count": "SELECT count(*) FROM {table} WHERE {key} = %(theirs)s HAVING count(*) > 0",
    "count all": "SELECT 1 FROM {table} GROUP BY {key} HAVING {key} IS DISTINCT FROM %(mine)s",
    "join": "SELECT 1 FROM organization_memberships m RIGHT JOIN {table} t ON true WHERE t.{key} = %(theirs)s",
    "exists": "SELECT 1 WHERE EXISTS (SELECT FROM {table} WHERE {key} = %(theirs)s)",
    "delete": "DELETE FROM {table} WHERE {key} = %(theirs)s",
    "move": "UPDATE {table} SET {key} = %(theirs)s WHERE {key} = %(mine)s",
    "take": "UPDATE {table} SET {key} = %(mine)s WHERE {key} = %(theirs)s",
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_tenant_reaches_nothing_of_another(
    database: TestDatabase, tenants: tuple[Tenant, Tenant], operation: str
) -> None:
    a, b = tenants
    with database.app(autocommit=True) as connection:
        for table in tables(connection):
            statement = sql.SQL(OPERATIONS[operation]).format(
                table=sql.Identifier(table), key=sql.Identifier(KEY.get(table, "organization_id"))
            )
            with acting(connection, "nexa_tenant", a):
                try:
                    with connection.transaction():
                        cursor = connection.execute(statement, {"mine": a.key(table), "theirs": b.key(table)})
                        reached = len(cursor.fetchall()) if cursor.description else cursor.rowcount
                except psycopg.errors.InsufficientPrivilege:
                    reached = 0
                except (psycopg.errors.ForeignKeyViolation, psycopg.errors.UniqueViolation) as error:
                    pytest.fail(f"{operation} on {table} got past the policy: {error}")
            assert reached == 0, f"{operation} on {table}"


def refusal(connection: psycopg.Connection, a: Tenant, b: Tenant, table: str) -> type[psycopg.Error] | None:
    """What comes of writing a row of B's into a table in the context of A; None when it is written.

    The row is as whole as the role may write one: a policy is asked before what else a row has to be, but after the
    rights on columns.
    """
    row = another_row(b, table)
    allowed = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attname = ANY (%s)"
        " AND has_column_privilege('nexa_tenant', attrelid, attnum, 'INSERT')",
        [table, list(row)],
    ).fetchall()
    row = {name: row[name] for (name,) in allowed} or row
    try:
        with acting(connection, "nexa_tenant", a):
            insert(connection, table, row)
    except psycopg.Error as error:
        return type(error)
    return None


def test_a_tenant_writes_no_row_of_another(database: TestDatabase, tenants: tuple[Tenant, Tenant]) -> None:
    with database.app(autocommit=True) as connection:
        for table in tables(connection):
            assert refusal(connection, *tenants, table) is psycopg.errors.InsufficientPrivilege, table


def test_an_opened_insert_policy_is_noticed(database: TestDatabase, tenants: tuple[Tenant, Tenant]) -> None:
    """The control: each policy under which a customer writes, opened, lets the row of another past it."""
    with database.superuser() as superuser, database.app(autocommit=True) as connection:
        policies = superuser.execute(
            "SELECT polname, polrelid::regclass::text FROM pg_policy p WHERE polcmd IN ('*', 'a')"
            " AND 'nexa_tenant'::regrole = ANY (polroles)"
            " AND has_any_column_privilege('nexa_tenant', polrelid, 'INSERT') ORDER BY 2, 1"
        ).fetchall()
        assert len(policies) > 15
        for name, table in policies:
            definition = _definition(superuser, name, table)
            superuser.execute(f"ALTER POLICY {name} ON {table} WITH CHECK (true)".encode())
            noticed = refusal(connection, *tenants, table) is not psycopg.errors.InsufficientPrivilege
            assert noticed, f"nobody noticed that {name} is open"
            superuser.execute(f"DROP POLICY {name} ON {table}".encode())
            superuser.execute(definition.encode())


def test_a_tenant_notes_nothing_in_the_log_of_another(database: TestDatabase, tenants: tuple[Tenant, Tenant]) -> None:
    note = sql.SQL("SELECT nexa.audit_note('session', NULL, %s, '{{}}')").format()
    with database.app(autocommit=True) as connection, acting(connection, "nexa_tenant", tenants[0]):
        assert attempt(connection, note, tenants[1].organization) == "refused"
        for mine in (tenants[0].organization, None):
            assert attempt(connection, note, mine) != "refused"


@pytest.mark.parametrize("reads", ["SELECT link FROM {}", "SELECT body FROM {}", "UPDATE {} SET recipient = 'x@x.x'"])
def test_a_waiting_mail_is_read_by_its_delivery_alone(
    database: TestDatabase, tenants: tuple[Tenant, Tenant], reads: LiteralString
) -> None:
    """Its link resets a password or accepts an invitation."""
    with database.app(autocommit=True) as connection:
        for role in ROLES:
            with acting(connection, role, tenants[0]):
                assert attempt(connection, sql.SQL(reads).format(sql.Identifier("outbox_messages"))) == "refused", role


@pytest.mark.parametrize(
    "claim", ["is_platform = true", "is_demo = true", "account_manager_id = NULL", "created_at = now()"]
)
def test_a_customer_cannot_become_what_the_platform_makes_it(
    database: TestDatabase, tenants: tuple[Tenant, Tenant], claim: str
) -> None:
    with (
        database.app(autocommit=True) as connection,
        acting(connection, "nexa_tenant", tenants[0]),
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(f"UPDATE organizations SET {claim}".encode())


CHILDREN = {
    "session_revisions": "INSERT INTO session_revisions (organization_id, session_id, user_id, revision, documents)"
    " VALUES (%(mine)s, %(their_session)s, %(me)s, 9, '{}')",
    "share_links": "INSERT INTO share_links (organization_id, session_id, revision, token, created_by, expires_at)"
    " VALUES (%(mine)s, %(their_session)s, 1, 'x', %(me)s, 'infinity')",
    "usage_events": "INSERT INTO usage_events (organization_id, event_type, idempotency_key, session_id)"
    " VALUES (%(mine)s, 'ai_call', 'x', %(their_session)s)",
}


@pytest.mark.parametrize("child", CHILDREN)
def test_a_row_cannot_refer_to_a_parent_of_another_organization(
    database: TestDatabase, tenants: tuple[Tenant, Tenant], child: str
) -> None:
    a, b = tenants
    names = {"mine": a.organization, "me": a.person}
    with database.app(autocommit=True) as connection:
        with acting(connection, "nexa_tenant", a), pytest.raises(psycopg.errors.ForeignKeyViolation):
            connection.execute(CHILDREN[child].encode(), {**names, "their_session": b.session_id})
        with acting(connection, "nexa_tenant", a):  # the same statement with a parent of one's own is fine
            connection.execute(CHILDREN[child].encode(), {**names, "their_session": a.session_id})


def test_every_policy_is_needed(database: TestDatabase, tenants: tuple[Tenant, Tenant]) -> None:
    """The control: dropping any policy, or opening it, changes what is observed."""
    with database.superuser() as superuser, database.app(autocommit=True) as connection:
        good = expected(connection, *tenants)
        policies = superuser.execute(
            "SELECT polname, polrelid::regclass::text, polcmd::text FROM pg_policy ORDER BY 2, 1"
        ).fetchall()
        assert len(policies) > 40
        for policy, table, _command in policies:
            definition = _definition(superuser, policy, table)
            superuser.execute(f"DROP POLICY {policy} ON {table}".encode())
            assert observe(connection, *tenants) != good, f"nobody noticed that {policy} is gone"
            superuser.execute(definition.encode())
        assert observe(connection, *tenants) == good, "the baseline is clean again"


def test_an_opened_policy_is_noticed(database: TestDatabase, tenants: tuple[Tenant, Tenant]) -> None:
    with database.superuser() as superuser, database.app(autocommit=True) as connection:
        good = expected(connection, *tenants)
        for table in tables(superuser):
            names = [
                name
                for (name,) in superuser.execute(
                    "SELECT polname FROM pg_policy WHERE polrelid = %s::regclass AND polcmd IN ('*', 'r')"
                    " AND 'nexa_tenant'::regrole = ANY (polroles)",
                    [table],
                )
            ]
            for name in names:
                definition = _definition(superuser, name, table)
                superuser.execute(f"ALTER POLICY {name} ON {table} USING (true)".encode())
                assert observe(connection, *tenants) != good, f"nobody noticed that {name} is open"
                superuser.execute(f"DROP POLICY {name} ON {table}".encode())
                superuser.execute(definition.encode())


def _definition(connection: psycopg.Connection, policy: str, table: str) -> str:
    row = connection.execute(
        "SELECT cmd, roles, qual, with_check FROM pg_policies WHERE policyname = %s AND tablename = %s", [policy, table]
    ).fetchone()
    assert row is not None
    command, roles, using, check = row
    return (
        f"CREATE POLICY {policy} ON {table} FOR {command} TO {', '.join(roles)}"
        + (f" USING ({using})" if using else "")
        + (f" WITH CHECK ({check})" if check else "")
    )
