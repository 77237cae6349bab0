"""Jobs are run for real: by one worker each, again after a failure, and whatever happens to the database."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from structlog.testing import capture_logs

from nexa_core import accounts, jobs, notifications
from nexa_core.actor import Origin
from nexa_core.config import settings
from nexa_core.db import entering
from nexa_core.errors import Unavailable
from nexa_core.jobs import service, tasks
from tests.nexa_core.notifications.test_mail import Postbox, free_port
from tests.stories import play

ROOT = Path(__file__).parents[3]


def jobs_of(database, columns: str = "task_name, status::text") -> list[tuple]:
    with database.superuser() as connection:
        return connection.execute(f"SELECT {columns} FROM procrastinate.procrastinate_jobs ORDER BY id").fetchall()


async def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not await asyncio.to_thread(holds):
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def working() -> AsyncIterator[None]:
    await jobs.start()
    try:
        yield
    finally:
        await jobs.stop()


@pytest.fixture
def postbox(monkeypatch):
    box = Postbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    monkeypatch.setenv("NEXA_SMTP_URL", f"smtp://127.0.0.1:{controller.port}")
    settings.cache_clear()
    yield box
    controller.stop()


def put() -> object:
    with entering(Origin()) as transaction:
        return notifications.send_mail(transaction, recipient="ada@x.example", subject="Hello", body="Hello")


def test_a_mailed_link_arrives_while_the_server_runs(database, world, postbox):
    world.person("ada@northwind.example", world.organization("Northwind"), "owner")

    async def scene() -> None:
        async with working():
            await asyncio.to_thread(accounts.request_password_reset, Origin(), email="ada@northwind.example")
            await until(lambda: len(postbox.taken) == 1)
            await until(lambda: ("deliver_mail", "succeeded") in jobs_of(database))

    play(scene())
    assert "/set-password?token=" in postbox.taken[0].get_content()


def test_mail_that_waited_for_a_mail_server_leaves_when_there_is_one(database, postbox, monkeypatch):
    monkeypatch.delenv("NEXA_SMTP_URL")
    settings.cache_clear()

    async def without() -> None:
        async with working():
            await asyncio.to_thread(put)
            await until(lambda: ("deliver_mail", "succeeded") in jobs_of(database))

    play(without())
    assert postbox.taken == []
    with database.superuser() as connection:
        connection.execute("UPDATE outbox_messages SET created_at = now() - interval '2 minutes'")
    monkeypatch.undo()
    monkeypatch.setenv("NEXA_SMTP_URL", "smtp://127.0.0.1:1")
    settings.cache_clear()
    tasks.send_waiting_mail(0)  # a server that is down is no failure of the sweep
    with database.superuser() as connection:
        assert connection.execute("SELECT attempts FROM outbox_messages").fetchone() == (1,)


def test_the_sweep_sends_what_waits(database, postbox):
    put()
    with database.superuser() as connection:
        connection.execute("UPDATE outbox_messages SET created_at = now() - interval '2 minutes'")
    tasks.send_waiting_mail(0)
    assert len(postbox.taken) == 1


def test_a_failed_delivery_is_tried_again_later_each_time(database, postbox):
    postbox.refusal = "451 not now"
    put()

    async def scene() -> None:
        async with working():
            for attempt, pause in enumerate(tasks.PAUSES[:3], start=1):
                await until(lambda attempt=attempt: jobs_of(database, "attempts, status::text")[0] == (attempt, "todo"))
                [(scheduled,)] = jobs_of(database, "extract(epoch FROM scheduled_at - now())")[:1]
                assert pause - 15 <= scheduled <= pause
                if attempt == 3:
                    postbox.refusal = None
                with database.superuser() as connection:
                    connection.execute("SET search_path = procrastinate")
                    connection.execute(
                        "UPDATE procrastinate_jobs SET scheduled_at = now() WHERE task_name = 'deliver_mail'"
                    )
            await until(lambda: len(postbox.taken) == 1)

    play(scene())


def test_only_want_of_a_service_is_tried_again_and_not_for_ever():
    class Job:
        attempts = 0

    strategy = tasks.GrowingPauses()
    assert strategy.get_retry_decision(exception=Unavailable("down"), job=Job)
    assert strategy.get_retry_decision(exception=ValueError("a defect"), job=Job) is None
    Job.attempts = len(tasks.PAUSES)
    assert strategy.get_retry_decision(exception=Unavailable("down"), job=Job) is None
    assert list(tasks.PAUSES) == sorted(tasks.PAUSES)


WORKER = """
import asyncio, os, sys
from nexa_core import db, jobs
db.configure(sys.argv[1])
async def main():
    await jobs.start()
    print("working", flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


def replica(database, port: int) -> subprocess.Popen[str]:
    import os

    environment = {**os.environ, "NEXA_SMTP_URL": f"smtp://127.0.0.1:{port}"}
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WORKER), database.app_url],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout
    assert process.stdout.readline() == "working\n"
    return process


def test_of_three_replicas_one_runs_each_job(database):
    box = Postbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    replicas = [replica(database, controller.port) for _ in range(3)]
    try:
        for _ in range(40):
            put()
        play(until(lambda: sum(job == ("deliver_mail", "succeeded") for job in jobs_of(database)) == 40))
        assert len(box.taken) == 40
        assert len({mail["Message-ID"] for mail in box.taken}) == 40
        with database.superuser() as connection:
            assert connection.execute("SELECT max(attempts) FROM outbox_messages").fetchone() == (1,)
            assert connection.execute("SELECT count(*) FROM procrastinate.procrastinate_workers").fetchone() == (3,)
    finally:
        for process in replicas:
            process.kill()
            process.communicate()
        controller.stop()


def test_the_job_of_a_killed_process_is_taken_over(database, postbox):
    slow = Postbox()

    async def never(_server, _session, _envelope) -> str:
        await asyncio.sleep(600)
        return "250 OK"

    slow.handle_DATA = never
    controller = Controller(slow, hostname="127.0.0.1", port=free_port())
    controller.start()
    process = replica(database, controller.port)
    try:
        put()
        play(until(lambda: ("deliver_mail", "doing") in jobs_of(database)))
    finally:
        process.kill()
        process.communicate()
        controller.stop()
    with database.superuser() as connection:
        connection.execute("UPDATE procrastinate.procrastinate_workers SET last_heartbeat = now() - interval '1 hour'")

    async def scene() -> None:
        async with working():
            await until(lambda: len(postbox.taken) == 1)

    play(scene())


def test_a_worker_outlives_the_loss_of_every_connection(database, postbox):
    async def scene() -> None:
        async with working():
            await asyncio.to_thread(put)
            await until(lambda: len(postbox.taken) == 1)
            for number in (2, 3):
                with database.superuser() as connection:
                    connection.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND application_name = 'nexa jobs'"
                    )
                await asyncio.sleep(0.5)
                await asyncio.to_thread(put)
                await until(lambda number=number: len(postbox.taken) == number)
                assert jobs.is_running()

    play(scene())


def test_a_worker_that_fails_while_the_database_is_away_begins_again_when_it_is_back(database, postbox):
    def let_in(allowed: bool) -> None:
        database.cluster.execute(f'ALTER DATABASE "{database.name}" ALLOW_CONNECTIONS {allowed}')

    async def scene() -> None:
        async with working():
            await asyncio.to_thread(put)
            await until(lambda: len(postbox.taken) == 1)
            let_in(False)
            database.cluster.execute(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database.name}'"
                " AND application_name = 'nexa jobs'"
            )
            try:
                await until(lambda: any(line["event"] == "jobs_worker_failed" for line in written), 90)
                assert jobs.is_running()
            finally:
                let_in(True)
            await asyncio.to_thread(put)
            await until(lambda: len(postbox.taken) == 2, 90)

    with capture_logs() as written:
        play(scene())


def test_starting_twice_makes_one_worker_and_stopping_twice_is_no_error(database):
    async def scene() -> None:
        await jobs.start()
        await jobs.start()
        with database.superuser() as connection:
            await until(
                lambda: (
                    connection.execute("SELECT count(*) FROM procrastinate.procrastinate_workers").fetchone() == (1,)
                )
            )
            await jobs.stop()
            await jobs.stop()
            assert connection.execute("SELECT count(*) FROM procrastinate.procrastinate_workers").fetchone() == (0,)
        assert not jobs.is_running()

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    play(scene())
    assert {number: signal.getsignal(number) for number in handlers} == handlers


def test_every_periodic_job_runs_and_may_run_again(database, world):
    northwind = world.organization("Northwind")
    world.person("ada@northwind.example", northwind, "owner")
    with database.superuser() as connection:
        connection.execute("INSERT INTO usage_by_day VALUES (%s, current_date, 'ai_call', 3, 30)", [northwind])
        connection.execute("SELECT nexa.make_month('audit_logs', '2031-01-01')")

    async def scene() -> None:
        application = service.application(database.app_url)
        async with application.open_async():
            for _ in range(2):
                for name in service.TIMETABLE:
                    await application.configure_task(name, allow_unknown=False).defer_async(timestamp=0)
                await application.run_worker_async(wait=False, install_signal_handlers=False)

    play(scene())
    ran = [job for job in jobs_of(database) if job[0] in service.TIMETABLE]
    assert {status for _, status in ran} == {"succeeded"}
    assert all(ran.count((name, "succeeded")) >= 2 for name in service.TIMETABLE)
    with database.superuser() as connection:
        assert connection.execute("SELECT events, credits FROM usage_by_month").fetchone() == (3, 30)
        ahead = dt.datetime.now(dt.UTC).date().replace(day=1) + dt.timedelta(days=80)
        for parent in ("audit_logs", "usage_events"):
            assert connection.execute("SELECT to_regclass(%s) IS NOT NULL", [f"{parent}_{ahead:%Y_%m}"]).fetchone() == (
                True,
            )


def test_a_login_that_owns_the_database_works_the_queue_as_nexa_app(database):
    async def who() -> str:
        application = service.application(database.superuser_url)
        async with application.open_async():
            row = await application.connector.execute_query_one_async(
                "SELECT current_user AS who, current_schema() AS schema"
            )
        return f"{row['who']} {row['schema']}"

    assert play(who()) == "nexa_app procrastinate"
