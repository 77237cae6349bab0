"""What the screens of usage cost at ten million events of ten thousand organizations; and what an export holds."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import mkdtemp

from sqlalchemy import TextClause, text

from nexa_core import db
from nexa_core.actor import Actor
from nexa_core.billing import reports
from nexa_core.billing.reports import figures, periods
from nexa_core.billing.reports.scope import Wanted, chosen
from tests.benchmarks import many_events, programs
from tests.benchmarks.harness import Bench, Row, figure, timed
from tests.benchmarks.screens import tab
from tests.benchmarks.stage import Stage, staged
from tests.serving import ROOT

ADMIN = "admin@nexa.example"
EXPORTED_FULL, EXPORTED_SHORT = 1_000_000, 60_000
EXPORT_MEGABYTES = 150
_SMALLER = 10  # how many times fewer events the small world has
_PREPARED = "outlooks-made"  # a file beside the database

# Written in bulk, where no trigger runs: what the triggers would have left.
_PLANS = """
INSERT INTO plan_assignments (organization_id, effective_from, plan_type, subscription_status, usage_limits, currency,
                              agreed_prices)
SELECT id, 'epoch', plan_type, subscription_status, usage_limits, currency, agreed_prices FROM organizations
ON CONFLICT DO NOTHING
"""
_RAW_MONTH = text("""
SELECT e.organization_id, sum(e.credits_consumed)::bigint AS credits
FROM usage_events e JOIN organizations o ON o.id = e.organization_id
WHERE NOT o.is_platform AND o.status <> 'deleted'
  AND e.occurred_at >= CAST(:month AS timestamp) AT TIME ZONE o.time_zone
  AND e.occurred_at < CAST(:until AS timestamp) AT TIME ZONE o.time_zone
  AND e.occurred_at >= CAST(:month AS timestamp) - interval '1 day'
  AND e.occurred_at < CAST(:until AS timestamp) + interval '1 day'
GROUP BY 1
""")
_OUR_MONTH = text(f"WITH {figures.CUSTOMERS}, {figures.USED} SELECT id, used AS credits FROM used WHERE used > 0")
_RAW_YEAR = text("""
SELECT (e.occurred_at AT TIME ZONE o.time_zone)::date AS day, e.event_type, count(*) AS events,
       sum(e.credits_consumed)::bigint AS credits
FROM usage_events e JOIN organizations o ON o.id = e.organization_id
WHERE NOT o.is_platform AND o.status <> 'deleted'
  AND (e.occurred_at AT TIME ZONE o.time_zone)::date >= :since
  AND (e.occurred_at AT TIME ZONE o.time_zone)::date < :until
GROUP BY 1, 2 ORDER BY 1, 2
""")


def _summed(statement: TextClause) -> TextClause:
    return text(f"SELECT count(*), sum(credits) FROM ({statement.text}) found")


def prepare(stage: Stage, *, short: bool, total: int | None = None) -> None:
    """The many events, and what the hourly job makes of them."""
    many_events.fill(stage, short=short, total=total)
    if (stage.folder / _PREPARED).exists():
        return
    with stage.superuser() as bare:
        bare.execute("SET session_replication_role = replica")
        bare.execute(_PLANS)
        bare.execute("ANALYZE plan_assignments")
    began = time.monotonic()
    count = reports.refresh_outlooks(Actor.system(), all_of_them=True)
    with stage.superuser() as bare:
        bare.execute("VACUUM ANALYZE usage_outlooks")
        bare.execute("CHECKPOINT")
    print(f"{count:,} outlooks made in {time.monotonic() - began:.0f} s", flush=True)
    (stage.folder / _PREPARED).touch()


@figure("portfolio-queries")
def portfolio_queries(bench: Bench) -> Iterator[Row]:
    """A month of all customers, and a year by day, against GROUP BY over the events; the answers must be the same."""
    prepare(bench.stage, short=bench.is_short)
    admin = bench.stage.actor(ADMIN)
    month = periods.before(periods.month(None))
    given = chosen(admin, Wanted(period=reports.word(month)))

    def ours() -> dict[object, int]:
        with db.reading(admin) as transaction:
            return {row.id: row.credits for row in transaction.execute(_OUR_MONTH, given)}

    def raw() -> dict[object, int]:
        with db.reading(admin) as transaction:
            rows = transaction.execute(_RAW_MONTH, {"month": month, "until": periods.after(month)})
            return {row.organization_id: row.credits for row in rows if row.credits}

    assert ours() == raw(), "a month of all customers is not what its events add up to"
    # Timed is the query: ten thousand rows on their way into Python would cost both sides the same.
    our_sum, raw_sum = _summed(_OUR_MONTH), _summed(_RAW_MONTH)

    def summed(statement: TextClause, names: dict[str, object]) -> Callable[[], object]:
        def ask() -> object:
            with db.reading(admin) as transaction:
                return transaction.execute(statement, names).one()

        return ask

    yield bench.compare(
        ("a month of all customers", timed(summed(our_sum, given))),
        ("GROUP BY over its events", timed(summed(raw_sum, {"month": month, "until": periods.after(month)}))),
        bound=1 / 25,
        pairs=6,
    )
    until = periods.after(periods.month(None))
    since = until.replace(year=until.year - 1)

    def our_year() -> list[tuple[object, ...]]:
        points = reports.by_day(admin, months=12)
        return [(point.day, point.part, point.events, point.credits) for point in points]

    def raw_year() -> list[tuple[object, ...]]:
        with db.reading(admin) as transaction:
            return [tuple(row) for row in transaction.execute(_RAW_YEAR, {"since": since, "until": until})]

    assert our_year() == raw_year(), "a year by day is not what its events add up to"
    yield bench.compare(
        ("a year by day", timed(our_year)), ("GROUP BY over its events", timed(raw_year)), bound=1 / 300, pairs=1,
        most_rounds=3,
    )  # fmt: skip


@figure("portfolio-page")
def portfolio_page(bench: Bench) -> Iterator[Row]:
    """A rerun of the portfolio against an empty script under default settings, and against a tenth of the events."""
    prepare(bench.stage, short=bench.is_short)
    total = many_events.fill(bench.stage, short=bench.is_short)
    folder = Path(mkdtemp(dir=bench.stage.folder))
    (folder / "empty.py").write_text("\n")
    with ExitStack() as stack:
        default = stack.enter_context(programs.streamlit("run", "empty.py", folder=folder))
        url = stack.enter_context(programs.nexa(bench.stage))
        theirs = stack.enter_context(tab(default))
        ours = stack.enter_context(tab(url, "portfolio", bench.stage.cookie(ADMIN)))
        yield bench.compare(
            ("portfolio, all customers", ours.sample), ("default Streamlit, empty script", theirs.sample), bound=1.5,
            pairs=20,
        )  # fmt: skip
        small_url, cookie = stack.enter_context(_small_world(bench, total // _SMALLER))
        small = stack.enter_context(tab(small_url, "portfolio", cookie))
        yield bench.compare(
            (f"portfolio, {total:,} events", ours.sample), (f"{total // _SMALLER:,} events", small.sample), bound=1.2,
            pairs=20,
        )  # fmt: skip


@figure("usage-export")
def usage_export(bench: Bench) -> Iterator[Row]:
    """What a process holds more while it streams a million events as CSV and as XLSX, in megabytes."""
    count = EXPORTED_SHORT if bench.is_short else EXPORTED_FULL
    with bench.stage.superuser() as bare:
        bare.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        bare.execute(
            "INSERT INTO organizations (id, name, slug, status, plan_type) VALUES (md5('exported')::uuid, 'Exported',"
            " 'exported', 'active', 'enterprise') ON CONFLICT DO NOTHING"
        )
        bare.execute(
            "INSERT INTO usage_events (organization_id, event_type, credits_consumed, idempotency_key, occurred_at)"
            " SELECT md5('exported')::uuid, 'ai_call', 1 + n %% 5, 'exported-' || n,"
            " date_trunc('month', now()) + (now() - date_trunc('month', now())) * (n / %s::float8)"
            " FROM generate_series(1, %s) n",
            [count, count],
        )
        bare.execute("ANALYZE usage_events")
    for form in ("csv", "xlsx"):
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.usage_reports", "export", db.url(), form],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        written, added = map(int, done.stdout.split())
        print(f"{count:,} events as {form}: {written / 1e6:.0f} MB in {time.monotonic() - began:.0f} s", flush=True)
        yield bench.count((f"MB held, {count:,} events as {form}", added), ("MB allowed", EXPORT_MEGABYTES))
    with bench.stage.superuser() as bare:
        bare.execute("SET session_replication_role = replica")
        for table, column in (("usage_events", "organization_id"), ("organizations", "id")):
            bare.execute(f"DELETE FROM {table} WHERE {column} = md5('exported')::uuid")


@contextmanager
def _small_world(bench: Bench, total: int) -> Iterator[tuple[str, str]]:
    """A NEXA of its own, with its own database and fewer events; its address and a cookie."""
    size, worlds = "short" if bench.is_short else "full", bench.stage.worlds
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.usage_reports", "serve", str(total), size, *filter(None, [worlds])],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        while not (line := child.stdout.readline()).startswith("ready "):
            assert line, "the small world did not start"
        _, url, cookie = line.split()
        yield url, cookie
    finally:
        child.stdin.close()
        child.wait(timeout=60)


def _serve(total: int, short: bool, worlds: Path | None) -> None:
    with staged(worlds=worlds, world="tenth" if worlds else "") as stage:
        prepare(stage, short=short, total=total)
        with programs.nexa(stage) as url:
            print("ready", url, stage.cookie(ADMIN), flush=True)
            sys.stdin.read()


def _export(url: str, form: str) -> None:
    """Stream the exported organization's events and say how many bytes there were, and the memory it took more."""

    def held(name: str) -> int:
        """Bytes of this process; getrusage would begin with the peak of the one that started it."""
        status = Path("/proc/self/status").read_text()
        return 1024 * int(next(line for line in status.splitlines() if line.startswith(name)).split()[1])

    db.configure(url)
    system = Actor.system()
    organization_id = reports.find(system, slug="exported")
    export: Callable[..., Iterator[bytes]] = reports.export_events
    # The first one loads what every export needs; it is of a month without events.
    empty = reports.EventFilter(period=reports.word(periods.before(periods.before(dt.date.today().replace(day=1)))))
    list(export(system, form=form, organization_id=organization_id, wanted=empty))
    before, written = held("VmRSS"), 0
    for piece in export(system, form=form, organization_id=organization_id):
        written += len(piece)
    print(written, (held("VmHWM") - before) // 1_000_000)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        _serve(int(sys.argv[2]), sys.argv[3] == "short", Path(sys.argv[4]) if len(sys.argv) > 4 else None)
    else:
        _export(sys.argv[2], sys.argv[3])
