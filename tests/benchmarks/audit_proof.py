"""What proving the log costs: an export against COPY TO, the walk along a chain against reading the same columns."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg

from nexa_core import audit
from nexa_core.actor import Actor
from tests.benchmarks.harness import Bench, Row, figure, timed
from tests.benchmarks.many_entries import LARGEST, TENTH, fill

MEGABYTES = 100


def _read(connection: psycopg.Connection, query: str) -> int:
    with connection.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT".encode()) as copy:
        return sum(len(block) for block in copy)


@figure("audit-export")
def audit_export(bench: Bench) -> Iterator[Row]:
    """The export of a chain of a million (in short 30,000), NDJSON with everything that proves it, against COPY TO of
    the same rows in that order.

    At least 0.3 of its rate is at most 1 / 0.3 of its time. What it adds to its process is measured beside it.
    """
    fill(bench.stage, short=bench.is_short)
    actor = replace(bench.stage.actor(f"owner@{TENTH}.example"), user_session_id=None)
    with bench.stage.superuser() as connection:
        rows = (
            "SELECT c.sequence, c.hash, c.digest, a.* FROM audit_chain c JOIN audit_logs a"
            f" ON a.id = c.audit_log_id AND a.created_at = c.logged_at WHERE c.chain_id = '{actor.organization_id}'"
            " ORDER BY c.sequence"
        )

        def export() -> None:
            for _ in audit.export_entries(actor, file_format="ndjson"):
                pass

        _assert_memory(bench, actor)
        yield bench.compare(
            (f"audit.export_entries, {_length(connection, actor):,} entries", timed(export)),
            ("COPY TO of the same rows in the same order", timed(lambda: _read(connection, rows))),
            bound=1 / 0.3,
            pairs=1,
            most_rounds=3,
        )


@contextmanager
def _only_with_a_chain(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """The customers of many_events.py were made without an entry: set aside, or the walk would miss their chains."""
    connection.execute("SET session_replication_role = replica")
    connection.execute(
        "CREATE TEMP TABLE set_aside AS SELECT * FROM organizations WHERE id NOT IN (SELECT chain_id FROM audit_heads)"
    )
    connection.execute("DELETE FROM organizations WHERE id IN (SELECT id FROM set_aside)")
    try:
        yield
    finally:
        connection.execute("INSERT INTO organizations SELECT * FROM set_aside")


@figure("audit-walk")
def audit_walk(bench: Bench) -> Iterator[Row]:
    """audit.verify of the longest chain, then of every chain, against reading the same columns of all their entries and
    links once, unordered."""
    fill(bench.stage, short=bench.is_short)
    actor, system = bench.stage.actor(f"owner@{LARGEST}.example"), Actor.system()
    of_one = (f" WHERE organization_id = '{actor.organization_id}'", f" WHERE chain_id = '{actor.organization_id}'")
    with bench.stage.superuser() as connection, _only_with_a_chain(connection):
        for name, who, (of_entries, of_links), most_rounds in (
            ("of one chain", actor, of_one, 2),
            ("of every chain", system, ("", ""), 1),
        ):

            def walk(who: Actor = who) -> None:
                assert audit.verify(who).verified

            def read(of_entries: str = of_entries, of_links: str = of_links) -> None:
                _read(connection, f"SELECT * FROM audit_logs{of_entries}")
                _read(connection, f"SELECT * FROM audit_chain{of_links}")

            length = _length(connection, None if who is system else who)
            yield bench.compare(
                (f"audit.verify {name}, {length:,} entries", timed(walk)),
                ("COPY TO of the same columns", timed(read)),
                bound=4,
                pairs=1,
                most_rounds=most_rounds,
            )


def _length(connection: psycopg.Connection, actor: Actor | None) -> int:
    """How many links somebody's chain has, or all chains together."""
    where, values = ("true", []) if actor is None else ("chain_id = %s", [actor.organization_id])
    row = connection.execute(f"SELECT sum(sequence)::bigint FROM audit_heads WHERE {where}".encode(), values).fetchone()
    assert row
    return int(row[0])


_MEASURE = """
import sys
from uuid import UUID
import psutil
from nexa_core import audit, db
from nexa_core.actor import Actor
db.configure(sys.argv[1])
system = Actor.system()
audit.recent(system, limit=1)
process, before, most = psutil.Process(), psutil.Process().memory_info().rss, 0
only = audit.ExportFilter(organization_id=UUID(sys.argv[2]))
for number, _ in enumerate(audit.export_entries(system, file_format="ndjson", only=only)):
    if number % 50 == 0:
        most = max(most, process.memory_info().rss)
print(most - before)
"""


def _assert_memory(bench: Bench, actor: Actor) -> None:
    """In a process of its own, so that nothing else is counted: what an export adds to it at most."""
    arguments = [sys.executable, "-c", _MEASURE, bench.stage.superuser_url, str(actor.organization_id)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    added = int(done.stdout) / 1e6
    print(f"  an export adds at most {added:.0f} MB to its process (at most {MEGABYTES} allowed)")
    assert added < MEGABYTES, f"an export added {added:.0f} MB"
