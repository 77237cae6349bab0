"""Fills the audit log with as many entries as a platform writes in years: 10 million, in a short run 300,000."""

from __future__ import annotations

import time

import psycopg

from tests.benchmarks.stage import Stage

FULL, SHORT = 10_000_000, 300_000
MONTHS = 14
_filled: dict[str, int] = {}

# What happens, and how often in a million: much signing in and editing, few changes of plans, and what is rare.
ACTIONS = (
    ("session.edited", "session", 520_000),
    ("user.signed_in", "user_session", 300_000),
    ("session.created", "session", 90_000),
    ("organization.updated", "organization", 60_000),
    ("membership.role_changed", "membership", 29_000),
    ("organization.renamed", "organization", 990),
    ("organization.suspended", "domain", 10),
)
RARE_ADDRESS = "198.51.100.77"

_ENTRIES = """
INSERT INTO audit_logs (id, created_at, organization_id, user_id, action, resource_type, resource_id, old_values,
                        new_values, ip_address, user_agent, request_id, actor_scope)
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(hash, 1, 3) || '8'
            || substr(hash, 4, 15))::uuid,
       at, who.organization_id, who.user_id, a.action, a.resource_type,
       CASE WHEN a.resource_type = 'organization' THEN who.organization_id
            ELSE md5(who.organization_id::text || (n * 2654435761 %% 4000))::uuid END,
       jsonb_build_object('title', 'Draft ' || n - 1), jsonb_build_object('title', 'Draft ' || n, 'tags', '[]'::jsonb),
       CASE WHEN n %% 1000003 = 7 THEN %(rare)s::inet
            ELSE ('203.0.' || n * 40503 %% 113 || '.' || n * 7919 %% 250)::inet END,
       'Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0', md5('request' || n / 3)::uuid,
       CASE WHEN n %% 50 = 0 THEN 'staff' ELSE 'tenant' END
FROM generate_series(%(first)s::bigint, %(last)s::bigint) n
CROSS JOIN LATERAL (SELECT md5(n::text) AS hash,
    %(since)s::timestamptz + %(span)s::interval * ((n + 0.5) / %(total)s) AS at) time
JOIN LATERAL (SELECT n * 48271 %% 1000000 AS chance) dice ON true
JOIN what a ON dice.chance >= a.low AND dice.chance < a.high
JOIN who ON who.number = (n * 16807 %% 2147483647) %% (SELECT count(*) FROM who)
"""


def fill(stage: Stage, *, short: bool) -> int:
    """Fill the stage's log, once; how many entries there are in it.

    As a superuser for whom no trigger runs: what is measured is reading, and chains of ten million links take an hour.
    Indexes are built afterwards, as they are defined.
    """
    if stage.superuser_url in _filled:
        return _filled[stage.superuser_url]
    total = SHORT if short else FULL
    began = time.monotonic()
    with stage.superuser() as connection:
        connection.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        connection.execute("SET maintenance_work_mem = '512MB'; SET max_parallel_maintenance_workers = 1")
        for back in range(1, MONTHS + 1):
            month = "(date_trunc('month', now()) - make_interval(months => %s))::date"
            connection.execute(f"SELECT nexa.make_month('audit_logs', {month})".encode(), [back])
        indexes = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes"
            " WHERE tablename = 'audit_logs' AND indexname <> 'audit_logs_pkey'"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}".encode())
        _copy(connection, total)
        for _, definition in indexes:
            connection.execute(str(definition).replace(" ON ONLY ", " ON ").encode())
        connection.execute("VACUUM ANALYZE audit_logs")
    print(f"{total:,} entries written and indexed in {time.monotonic() - began:.0f} s", flush=True)
    _filled[stage.superuser_url] = total
    return total


def _copy(connection: psycopg.Connection[tuple[object, ...]], total: int) -> None:
    connection.execute("CREATE TEMP TABLE what (action text, resource_type text, low integer, high integer)")
    low = 0
    for action, resource_type, share in ACTIONS:
        connection.execute("INSERT INTO what VALUES (%s, %s, %s, %s)", [action, resource_type, low, low + share])
        low += share
    connection.execute(
        "CREATE TEMP TABLE who AS SELECT row_number() OVER (ORDER BY id) - 1 AS number, organization_id, user_id"
        " FROM organization_memberships; CREATE INDEX ON who (number); ANALYZE who"
    )
    given = connection.execute(
        "SELECT date_trunc('month', now()) - make_interval(months => %s), now() - date_trunc('month', now())"
        " + make_interval(months => %s) - interval '1 hour'",
        [MONTHS, MONTHS],
    ).fetchone()
    assert given
    for first in range(0, total, 1_000_000):
        connection.execute(
            _ENTRIES.encode(),
            {
                "first": first,
                "last": min(first + 1_000_000, total) - 1,
                "total": total,
                "since": given[0],
                "span": given[1],
                "rare": RARE_ADDRESS,
            },
        )
