"""A person whose words stand in many places, and where any word stands."""

from __future__ import annotations

from uuid import UUID

import psycopg
from psycopg import sql

from nexa_core import accounts
from nexa_core.actor import Actor
from tests.worlds import World

EMAIL = "zyxanthia.quorbleton@northwind.example"
NAME = "Zyxanthia Quorbleton"
ADDRESS = "198.51.100.77"
AGENT = "QuorbleBrowser/9.1"
SIGNED_PICTURE = (
    f'<svg xmlns="http://www.w3.org/2000/svg"><text>Drawn by {NAME}</text><text>{EMAIL}</text></svg>'.encode()
)
CANARIES = ["zyxanthia", "quorbleton", ADDRESS, "quorblebrowser", "quorble.example", "chief quorbler"]


def everywhere(connection: psycopg.Connection, wanted: list[str]) -> list[tuple[str, str, str]]:
    """Where any of these words stands: every text, document, address, array and byte column of every table there is."""
    columns = connection.execute(
        "SELECT n.nspname, c.relname, a.attname, a.atttypid = 'bytea'::regtype"
        " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND a.attnum > 0"
        " AND NOT a.attisdropped AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
        " AND (format_type(a.atttypid, a.atttypmod) ~ '(text|char|json|inet|cidr|bytea|name)')"
    ).fetchall()
    assert len(columns) > 100
    found = []
    for schema, table, column, is_bytes in columns:
        for word in wanted:
            said = "encode({}, 'escape')" if is_bytes else "{}::text"  # a cast of bytes to text is hexadecimal
            query = sql.SQL(f"SELECT 1 FROM {{}}.{{}} WHERE strpos(lower({said}), {{}}) > 0 LIMIT 1").format(
                *map(sql.Identifier, (schema, table, column)), sql.Literal(word)
            )
            if connection.execute(query).fetchone():
                found.append((table, column, word))
    return found


def world_owner(world: World, organization: UUID) -> Actor:
    with world.database.superuser() as connection:
        row = connection.execute("SELECT id FROM users WHERE email LIKE 'ada@%'").fetchone()
    assert row
    return world.actor(row[0], organization)


def sums(connection: psycopg.Connection) -> list[tuple[object, ...]]:
    return connection.execute(
        "SELECT organization_id, event_type, count(*), sum(credits_consumed) FROM usage_events GROUP BY 1, 2"
        " UNION ALL SELECT organization_id, metric, used, reserved FROM usage_counters"
        " UNION ALL SELECT organization_id, event_type, events, credits FROM usage_by_day ORDER BY 1, 2, 3, 4"
    ).fetchall()


def erase(root: Actor, person: UUID) -> accounts.ErasureCertificate:
    return accounts.erase_person(root, user_id=person, email=EMAIL, reason=f"{NAME} asked us to, from {EMAIL}")
