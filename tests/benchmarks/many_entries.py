"""Fills the audit log with as many entries as a platform writes in years: 10 million, in a short run 300,000.

Every entry is a link of its organization's chain. One customer has a fifth of them, another a tenth.
"""

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
JOIN who ON who.number = (n * 16807 %% 2147483647) %% 1000
"""
# A thousand slots, dealt to the people: a fifth to those of the largest customer, a tenth to those of another.
LARGEST, TENTH = "lumenfold", "brindlemoor"
_WHO = f"""
CREATE TEMP TABLE who AS
WITH shares AS (
    SELECT m.organization_id, m.user_id, CASE o.slug WHEN '{LARGEST}' THEN 1 WHEN '{TENTH}' THEN 2 ELSE 3 END AS share
    FROM organization_memberships m JOIN organizations o ON o.id = m.organization_id
    JOIN audit_heads h ON h.chain_id = o.id -- the customers of many_events.py have no chain to be linked to
), people AS (
    SELECT *, row_number() OVER (PARTITION BY share ORDER BY organization_id, user_id) - 1 AS place,
           count(*) OVER (PARTITION BY share) AS many FROM shares
)
SELECT slot AS number, organization_id, user_id FROM generate_series(0, 999) slot
JOIN people ON share = CASE WHEN slot < 200 THEN 1 WHEN slot < 300 THEN 2 ELSE 3 END AND place = slot %% many;
CREATE INDEX ON who (number);
ANALYZE who
""".replace("%%", "%")

# The links, as audit_append() would have made them one by one: each covers the one before, so a running aggregate.
_LINKING = """
CREATE FUNCTION pg_temp.link(previous bytea, number bigint, entry audit_logs, digest bytea, before bytea) RETURNS bytea
    LANGUAGE plpgsql AS 'BEGIN RETURN nexa.audit_link(coalesce(previous, before), number, entry, digest); END';
CREATE AGGREGATE pg_temp.linked(bigint, audit_logs, bytea, bytea) (sfunc = pg_temp.link, stype = bytea)
"""
_LINKS = """
WITH entries AS (
    SELECT l AS entry, h.sequence + row_number() OVER (ORDER BY l.created_at, l.id) AS number,
           nexa.audit_digest(l) AS digest, h.hash AS before
    FROM audit_logs l JOIN audit_heads h ON h.chain_id = l.organization_id
    LEFT JOIN audit_chain c ON c.chain_id = l.organization_id AND c.audit_log_id = l.id
    WHERE l.organization_id = %(chain)s AND c.sequence IS NULL
)
INSERT INTO audit_chain SELECT %(chain)s, number, (entry).id, (entry).created_at, digest,
    pg_temp.linked(number, entry, digest, before) OVER (ORDER BY number)
FROM entries
"""
_HEADS = """
UPDATE audit_heads h SET sequence = last.sequence, hash = last.hash
FROM (SELECT DISTINCT ON (chain_id) * FROM audit_chain ORDER BY chain_id, sequence DESC) last
WHERE last.chain_id = h.chain_id
"""


def fill(stage: Stage, *, short: bool) -> int:
    """Fill the stage's log, once; how many entries there are in it.

    As a superuser for whom no trigger runs: what is measured is reading. Indexes are built and links made afterwards.
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
        print(f"{total:,} entries written after {time.monotonic() - began:.0f} s", flush=True)
        for _, definition in indexes:
            connection.execute(str(definition).replace(" ON ONLY ", " ON ").encode())
        print(f"indexed after {time.monotonic() - began:.0f} s", flush=True)
        _link(connection)
        connection.execute("VACUUM ANALYZE audit_logs, audit_chain")
    print(f"linked after {time.monotonic() - began:.0f} s", flush=True)
    _filled[stage.superuser_url] = total
    return total


def _copy(connection: psycopg.Connection[tuple[object, ...]], total: int) -> None:
    connection.execute("CREATE TEMP TABLE what (action text, resource_type text, low integer, high integer)")
    low = 0
    for action, resource_type, share in ACTIONS:
        connection.execute("INSERT INTO what VALUES (%s, %s, %s, %s)", [action, resource_type, low, low + share])
        low += share
    connection.execute(_WHO.encode())
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


def _link(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Links for what has none yet; the demo world's own entries have theirs."""
    connection.execute("SET work_mem = '256MB'")
    connection.execute(_LINKING.encode())
    for (chain,) in connection.execute("SELECT chain_id FROM audit_heads").fetchall():
        connection.execute(_LINKS.encode(), {"chain": chain})
    connection.execute(_HEADS.encode())
