"""Metering at 10 million events (in a short run 300,000): ingest over HTTP against COPY, a debit against an UPDATE."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg

from nexa_core import organizations
from tests.benchmarks import programs
from tests.benchmarks.harness import Bench, Row, Sample, figure
from tests.benchmarks.many_events import fill
from tests.benchmarks.stage import Stage

#: Events a sample sends, and from how many clients at once; each is a customer with a key of its own.
EVENTS, CLIENTS = 8_000, 4
TYPES = ("ai_call", "session_save", "diagram_render", "pdf_export")
DEBITS, DEBTORS = 400, 8


@figure("usage-ingest")
def ingest(bench: Bench) -> Iterator[Row]:
    """POST /api/usage/events, answered when it is committed with dedupe, limits, counters and rollups, against one COPY
    of as many rows into the same table with its indexes and foreign keys. Bounds are 1/0.15 and 1/0.25."""
    fill(bench.stage, short=bench.is_short)
    customers = _customers(bench.stage)
    with programs.nexa(bench.stage) as url:
        for size, bound in ((100, 1 / 0.15), (1_000, 1 / 0.25)):
            yield bench.compare(
                (f"{EVENTS:,} events by {size:,} over HTTP", _over_http(url, customers, size)),
                ("one COPY into usage_events", _copied(bench.stage, customers)),
                bound=bound,
                pairs=2,
            )


@figure("usage-debit")
def debit(bench: Bench) -> Iterator[Row]:
    """The counter's conditional update, limit included, against an UPDATE without a condition: each its own commit.

    Ours runs under row-level security as nexa_staff. Bounds are 1/0.7 over many organizations, 1/0.6 on one.
    """
    fill(bench.stage, short=bench.is_short)
    with bench.stage.superuser() as connection:
        rows = connection.execute(
            "SELECT c.organization_id, c.period_start FROM usage_counters c JOIN organizations o"
            " ON o.id = c.organization_id WHERE o.slug LIKE 'many-%%' AND c.metric = 'credits'"
            " AND c.period_start = nexa.period_start(now(), o.time_zone) LIMIT %s",
            [DEBITS],
        ).fetchall()
        for organization, _ in rows:
            connection.execute(
                "SELECT set_config('nexa.action', 'demo.seeded', false), set_config('nexa.request', %s, false)",
                [str(uuid4())],
            )
            connection.execute(
                """UPDATE organizations SET usage_limits = '{"hard": true, "monthly_credits": 2000000000}'"""
                " WHERE id = %s",
                [organization],
            )
    ours = (
        "INSERT INTO usage_counters AS c (organization_id, period_start, metric, used) VALUES (%s, %s, 'credits', 1)"
        " ON CONFLICT (organization_id, period_start, metric) DO UPDATE SET used = c.used + excluded.used,"
        " most = CAST(nullif(current_setting('nexa.most'), '') AS bigint)"
        " WHERE nexa.usage_admits(c.organization_id, c.metric, c.used + c.reserved + excluded.used)"
    )
    theirs = (
        "UPDATE usage_counters SET used = used + 1 WHERE organization_id = %s AND period_start = %s"
        " AND metric = 'credits'"
    )
    for name, targets, bound in (("spread", rows, 1 / 0.7), ("one hot", rows[:1], 1 / 0.6)):
        yield bench.compare(
            (f"{DEBITS} debits, {name}", _debits(bench.stage, ours, targets, role="nexa_staff")),
            (f"{DEBITS} bare UPDATEs, {name}", _debits(bench.stage, theirs, targets)),
            bound=bound,
            pairs=4,
        )


def _customers(stage: Stage) -> list[tuple[str, object, str]]:
    """Customers in the middle of the field: id, one of their people, and a new key."""
    admin = stage.actor("admin@nexa.example")
    with stage.superuser() as connection:
        found = connection.execute(
            "SELECT o.id, min(m.user_id::text) FROM organizations o JOIN organization_memberships m"
            " ON m.organization_id = o.id WHERE o.slug = ANY (%s) GROUP BY 1",
            [[f"many-{100 + number}" for number in range(CLIENTS)]],
        ).fetchall()
    return [
        (
            str(organization),
            person,
            organizations.create_api_key(admin, organization_id=organization, name=uuid4().hex).secret,  # type: ignore[arg-type]
        )
        for organization, person in found
    ]


def _over_http(url: str, customers: list[tuple[str, object, str]], size: int) -> Sample:
    host = urlsplit(url).netloc

    def send(work: tuple[str, list[bytes]]) -> int:
        key, bodies = work
        connection, inserted = http.client.HTTPConnection(host, timeout=120), 0
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        for body in bodies:
            connection.request("POST", "/api/usage/events", body, headers)
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status == 200, text
            inserted += json.loads(text)["inserted"]
        connection.close()
        return inserted

    def sample() -> float:
        work = []
        for _, person, key in customers:
            batches = EVENTS // CLIENTS // size
            work.append((key, [json.dumps({"events": _events(size, person)}).encode() for _ in range(batches)]))
        began = time.perf_counter()
        with ThreadPoolExecutor(CLIENTS) as pool:
            inserted = sum(pool.map(send, work))
        seconds = time.perf_counter() - began
        assert inserted == EVENTS
        return seconds

    return sample


def _events(size: int, person: object) -> list[dict[str, object]]:
    run = uuid4().hex[:12]
    return [
        {
            "event_type": TYPES[number % len(TYPES)], "idempotency_key": f"{run}-{number}", "credits": number % 4,
            "user_id": person, "event_data": {"model": "nexa-large", "tokens": 1_000 + number},
        }
        for number in range(size)
    ]  # fmt: skip


def _copied(stage: Stage, customers: list[tuple[str, object, str]]) -> Sample:
    def sample() -> float:
        lines = []
        for organization, person, _ in customers:
            for event in _events(EVENTS // CLIENTS, person):
                data = json.dumps(event["event_data"])
                lines.append(
                    f"{organization}\t{person}\t{event['event_type']}\t{data}\t{event['credits']}\tcopy\t"
                    f"{event['idempotency_key']}\n"
                )
        content = "".join(lines).encode()
        with stage.superuser() as connection:
            began = time.perf_counter()
            with connection.cursor().copy(
                "COPY usage_events (organization_id, user_id, event_type, event_data, credits_consumed, source,"
                " idempotency_key) FROM STDIN"
            ) as copy:
                copy.write(content)
            return time.perf_counter() - began

    return sample


def _debits(stage: Stage, statement: str, targets: list[tuple[object, ...]], role: str | None = None) -> Sample:
    def connect() -> psycopg.Connection[tuple[object, ...]]:
        connection = psycopg.connect(stage.superuser_url, autocommit=True, prepare_threshold=0)
        if role:
            connection.execute(f"SET ROLE {role}".encode())
        connection.execute(statement.encode(), targets[0])  # planned before the clock runs
        return connection

    def sample() -> float:
        connections = [connect() for _ in range(DEBTORS)]

        def work(place: int) -> None:
            for number in range(DEBITS // DEBTORS):
                target = targets[(place + number * DEBTORS) % len(targets)]
                done = connections[place].execute(statement.encode(), target)
                assert done.rowcount == 1

        began = time.perf_counter()
        with ThreadPoolExecutor(DEBTORS) as pool:
            list(pool.map(work, range(DEBTORS)))
        seconds = time.perf_counter() - began
        for connection in connections:
            connection.close()
        return seconds

    return sample
