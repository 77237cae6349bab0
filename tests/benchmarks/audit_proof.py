"""What proving the log costs: an export against COPY TO, the walk along a chain against reading the same columns."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import psycopg

from nexa_core import audit
from nexa_core.actor import Actor
from tests.benchmarks.harness import Bench, Row, figure, timed

#: How many entries each figure is about, in full and in short.
EXPORTED = (1_000_000, 50_000)
WALKED = (10_000_000, 100_000)
MEGABYTES = 100

# A chain of that many entries like those of an ordinary change, each with its link. Computed in one session, since the
# chain's own trigger would do nothing else for an hour.
_FILL = """
DO $$ DECLARE
    org uuid := '%s'; entry audit_logs; hashed bytea; covered bytea; number bigint; upto bigint := %s;
BEGIN
    SELECT sequence, hash INTO number, hashed FROM audit_heads WHERE chain_id = org;
    WHILE number < upto LOOP
        CREATE TEMP TABLE batch ON COMMIT DROP AS SELECT * FROM audit_logs LIMIT 0;
        INSERT INTO batch SELECT nexa.uuid_v7(), now() + n * interval '1 microsecond', org, NULL,
            'organization.renamed', 'organization', org, jsonb_build_object('name', 'Northwind ' || n),
            jsonb_build_object('name', 'Northwind ' || n + 1), '203.0.113.7',
            'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36',
            gen_random_uuid(), NULL, 'tenant', uuid_send(gen_random_uuid())
            FROM generate_series(number + 1, least(number + 100000, upto)) n;
        INSERT INTO audit_logs SELECT * FROM batch;
        FOR entry IN SELECT * FROM batch ORDER BY created_at LOOP
            number := number + 1;
            covered := nexa.audit_digest(entry);
            hashed := nexa.audit_link(hashed, number, entry, covered);
            INSERT INTO audit_chain VALUES (org, number, entry.id, entry.created_at, covered, hashed);
        END LOOP;
        DROP TABLE batch;
        UPDATE audit_heads SET sequence = number, hash = hashed WHERE chain_id = org;
    END LOOP;
END $$
"""


def _long_chain(bench: Bench, connection: psycopg.Connection, sizes: tuple[int, int]) -> tuple[Actor, int]:
    """Somebody whose organization has a chain at least that long, and how long it is."""
    actor = replace(bench.stage.actor(), user_session_id=None)
    wanted = sizes[1] if bench.is_short else sizes[0]
    connection.execute("SET session_replication_role = replica")
    connection.execute((_FILL % (actor.organization_id, wanted)).encode())
    connection.execute("RESET session_replication_role")
    connection.execute("VACUUM ANALYZE audit_logs, audit_chain")
    row = connection.execute("SELECT sequence FROM audit_heads WHERE chain_id = %s", [actor.organization_id]).fetchone()
    assert row
    return actor, int(row[0])


def _read(connection: psycopg.Connection, query: str) -> int:
    with connection.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT".encode()) as copy:
        return sum(len(block) for block in copy)


@figure("audit-export")
def audit_export(bench: Bench) -> Iterator[Row]:
    """The export of one chain, NDJSON with everything that proves it, against COPY TO of the same rows in that order.

    At least 0.3 of its rate is at most 1 / 0.3 of its time. What it adds to its process is measured beside it.
    """
    with bench.stage.superuser() as connection:
        actor, length = _long_chain(bench, connection, EXPORTED)
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
            (f"audit.export_entries, {length:,} entries", timed(export)),
            ("COPY TO of the same rows in the same order", timed(lambda: _read(connection, rows))),
            bound=1 / 0.3,
            pairs=1,
            most_rounds=3,
        )


@figure("audit-walk")
def audit_walk(bench: Bench) -> Iterator[Row]:
    """audit.verify of one chain against reading the same columns of its entries and links once, unordered."""
    with bench.stage.superuser() as connection:
        actor, length = _long_chain(bench, connection, WALKED)
        entries = f"SELECT * FROM audit_logs WHERE organization_id = '{actor.organization_id}'"
        links = f"SELECT * FROM audit_chain WHERE chain_id = '{actor.organization_id}'"

        def walk() -> None:
            assert audit.verify(actor).verified

        def read() -> None:
            _read(connection, entries)
            _read(connection, links)

        yield bench.compare(
            (f"audit.verify, {length:,} entries", timed(walk)),
            ("COPY TO of the same columns", timed(read)),
            bound=4,
            pairs=1,
            most_rounds=3,
        )


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
