"""Fills the usage tables with 10 million events of 10,000 organizations over 13 months (short: 300,000 of 1,000).

What it leaves is what ingest would have left: events, keys, daily and coarser sums and counters agree, which
``python -m nexa_core check`` proves. Organizations are unequal, as customers are: the tenth that uses most has about
a third of the events. Their slugs are ``many-0`` (which uses most) to ``many-9999``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg

from tests.benchmarks.stage import Stage

FULL, SHORT = 10_000_000, 300_000
ORGANIZATIONS_FULL, ORGANIZATIONS_SHORT = 10_000, 1_000
PEOPLE = 3
MONTHS = 13
AT_ONCE = 2
_CHUNK = 500_000
#: Beside the database: how many events are in it. A copy of a kept world brings it along.
FILLED = "many-events"

_SLUG = "many-%"

# No trigger runs in these connections: audit entries and chains of ten thousand new organizations are not the subject.
_BULK = """
SET session_replication_role = replica; SET synchronous_commit = off; SET work_mem = '256MB';
SET maintenance_work_mem = '512MB'; SET max_parallel_maintenance_workers = 1; SET jit = off
"""

# What a server that only loads does without: a crash in the middle means beginning anew, which it does anyway.
_LOADING = {
    "autovacuum": "off", "full_page_writes": "off", "fsync": "off", "max_wal_size": "'32GB'",
    "checkpoint_timeout": "'1h'",
}  # fmt: skip

_ORGANIZATIONS = """
INSERT INTO organizations (id, name, slug, plan_type, status, time_zone, account_manager_id, created_at)
SELECT md5('organization' || n)::uuid, 'Many ' || n, 'many-' || n,
       (ARRAY['free', 'starter', 'professional', 'enterprise'])[1 + n %% 4], 'active',
       (ARRAY['UTC', 'Europe/Vienna', 'America/New_York', 'Asia/Tokyo'])[1 + n / 4 %% 4],
       managers.ids[1 + n %% cardinality(managers.ids)], now() - interval '15 months'
FROM generate_series(0, %(organizations)s - 1) n,
     (SELECT array_agg(m.user_id ORDER BY m.user_id) AS ids FROM organization_memberships m
      JOIN organizations o ON o.id = m.organization_id AND o.is_platform AND m.role IN ('member', 'billing')) managers;
"""
_PEOPLE = """
INSERT INTO users (id, email, full_name, first_name, status)
SELECT md5('person' || n || '-' || p)::uuid, 'person' || p || '@many-' || n || '.example',
       'Person ' || p || ' of ' || n, 'Person', 'active'
FROM generate_series(0, %(organizations)s - 1) n, generate_series(0, %(people)s - 1) p;
"""
_MEMBERSHIPS = """
INSERT INTO organization_memberships (user_id, organization_id, role, status, joined_at)
SELECT md5('person' || n || '-' || p)::uuid, md5('organization' || n)::uuid,
       (ARRAY['owner', 'member', 'billing'])[1 + p]::membership_role, 'active', now()
FROM generate_series(0, %(organizations)s - 1) n, generate_series(0, %(people)s - 1) p;
"""

# Pseudo-random by multiplication: the same events in every run.
_WHAT = """
FROM generate_series(%(first)s::bigint, %(last)s::bigint) n
CROSS JOIN LATERAL (SELECT md5(n::text) AS hash, n * 48271 %% 1000 AS dice,
    ((n * 69621 %% 2147483647) / 2147483647.0::float8) AS luck,
    %(since)s::timestamptz + %(span)s::interval * ((n + 0.5) / %(total)s) AS at) a
CROSS JOIN LATERAL (SELECT
    (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(hash, 1, 3) || '8'
        || substr(hash, 4, 15))::uuid AS event_id,
    o.id AS organization_id, o.people,
    CASE WHEN dice < 600 THEN 'ai_call' WHEN dice < 840 THEN 'session_save' WHEN dice < 930 THEN 'diagram_render'
         WHEN dice < 980 THEN 'pdf_export' ELSE 'session_create' END AS event_type,
    CASE WHEN dice < 600 THEN 1 + dice %% 5 WHEN dice < 930 THEN 0 WHEN dice < 980 THEN 2 ELSE 1 END AS credits
    FROM many_organizations o WHERE o.number = floor(%(organizations)s * luck * sqrt(luck))::integer) b
"""
_EVENTS = f"""
INSERT INTO usage_events (id, organization_id, user_id, event_type, event_data, credits_consumed, source,
                          idempotency_key, occurred_at, created_at)
SELECT event_id, organization_id, people[1 + n %% %(people)s], event_type,
       CASE event_type WHEN 'ai_call' THEN '{{"model": "nexa-large", "tokens": 2900}}'::jsonb ELSE '{{}}' END, credits,
       'program', 'event-' || n, at, at {_WHAT}
"""
_KEYS = """
INSERT INTO usage_idempotency_keys (organization_id, source, idempotency_key, content_hash, event_id)
SELECT organization_id, source, idempotency_key, uuid_send(id) || uuid_send(id), id
FROM usage_events WHERE source = 'program' AND occurred_at >= %(since)s AND occurred_at < %(until)s
"""

_DAYS = """
INSERT INTO usage_by_day (organization_id, day, event_type, events, credits)
SELECT e.organization_id, (e.occurred_at AT TIME ZONE o.time_zone)::date, e.event_type, count(*),
       sum(e.credits_consumed)
FROM usage_events e JOIN many_organizations o ON o.id = e.organization_id GROUP BY 1, 2, 3
"""
# A period is a month of days of the organization's own zone, so its counters are sums of its days.
_COUNTERS = """
INSERT INTO usage_counters (organization_id, period_start, metric, used)
SELECT d.organization_id, date_trunc('month', d.day)::timestamp AT TIME ZONE o.time_zone, m.metric, sum(m.amount)
FROM usage_by_day d JOIN many_organizations o ON o.id = d.organization_id
CROSS JOIN LATERAL (VALUES ('credits', d.credits), (d.event_type, d.events)) m(metric, amount)
GROUP BY 1, 2, 3
"""


def fill(stage: Stage, *, short: bool, total: int | None = None) -> int:
    """Fill the stage's usage tables, once; how many events were written."""
    if (stage.folder / FILLED).exists():
        return int((stage.folder / FILLED).read_text())
    total = total or (SHORT if short else FULL)
    organizations = ORGANIZATIONS_SHORT if short else ORGANIZATIONS_FULL
    began = time.monotonic()
    with _loading(stage), stage.superuser() as connection:
        connection.execute(_BULK)
        names = {"organizations": organizations, "people": PEOPLE}
        for statement in (_ORGANIZATIONS, _PEOPLE, _MEMBERSHIPS):
            connection.execute(statement, names)
        connection.execute(
            "CREATE UNLOGGED TABLE many_organizations AS SELECT o.id, o.time_zone, substr(o.slug, 6)::integer"
            " AS number, array_agg(m.user_id ORDER BY m.user_id) AS people FROM organizations o"
            f" JOIN organization_memberships m ON m.organization_id = o.id WHERE o.slug LIKE '{_SLUG}' GROUP BY o.id;"
            "CREATE UNIQUE INDEX ON many_organizations (number); ANALYZE many_organizations"
        )
        indexes = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes"
            " WHERE tablename = 'usage_events' AND indexname <> 'usage_events_pkey'"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        connection.execute("ALTER TABLE usage_idempotency_keys DROP CONSTRAINT usage_idempotency_keys_pkey")
        given = connection.execute(
            "SELECT date_trunc('month', now()) - make_interval(months => %s), now() - date_trunc('month', now())"
            " + make_interval(months => %s) - interval '1 hour'",
            [MONTHS - 1, MONTHS - 1],
        ).fetchone()
        assert given
        names |= {"total": total, "since": given[0], "span": given[1]}
        _at_once(
            stage,
            [
                (_EVENTS, {**names, "first": first, "last": min(first + _CHUNK, total) - 1})
                for first in range(0, total, _CHUNK)
            ],
        )
        months = connection.execute(
            "SELECT month, month + interval '1 month' FROM generate_series(%s::timestamptz, now(), '1 month') month",
            [given[0]],
        ).fetchall()
        _at_once(stage, [(_KEYS, {"since": since, "until": until}) for since, until in months])
        _at_once(
            stage,
            [
                (
                    "ALTER TABLE usage_idempotency_keys ADD CONSTRAINT usage_idempotency_keys_pkey"
                    " PRIMARY KEY (organization_id, source, idempotency_key)",
                    None,
                ),
                (_DAYS, None),
            ],
        )
        later = [(str(definition).replace(" ON ONLY ", " ON "), None) for _, definition in indexes]
        _at_once(stage, [*later, (_COUNTERS, None)])
        _at_once(
            stage,
            [
                (f"SELECT nexa.roll_up_usage((now() - interval '{MONTHS + 1} months')::date)", None),
                ("VACUUM ANALYZE usage_events", None),
                ("VACUUM ANALYZE usage_idempotency_keys", None),
                ("VACUUM ANALYZE usage_by_day, usage_counters, organizations, organization_memberships, users", None),
            ],
        )
        connection.execute("DROP TABLE many_organizations")
        connection.execute("VACUUM ANALYZE usage_by_month, usage_of_all_by_day")
    print(f"{total:,} events written, summed and indexed in {time.monotonic() - began:.0f} s", flush=True)
    (stage.folder / FILLED).write_text(str(total))
    return total


@contextmanager
def _loading(stage: Stage) -> Iterator[None]:
    """The server as it is when it only loads; durable again afterwards, with everything on the disk."""
    with stage.superuser() as connection:
        for name, value in _LOADING.items():
            connection.execute(f"ALTER SYSTEM SET {name} = {value}".encode())
        connection.execute("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            for name in _LOADING:
                connection.execute(f"ALTER SYSTEM RESET {name}".encode())
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("CHECKPOINT")
            os.sync()  # what was written without fsync, too


def _at_once(stage: Stage, statements: list[tuple[str, dict[str, object] | None]]) -> None:
    """Run these two at a time: there are two cores, and PostgreSQL uses one a statement."""

    def run(statement: tuple[str, dict[str, object] | None]) -> None:
        with psycopg.connect(stage.superuser_url, autocommit=True) as connection:
            connection.execute(_BULK)
            connection.execute(statement[0].encode(), statement[1])

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(run, statements))
