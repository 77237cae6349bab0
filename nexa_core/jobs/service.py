"""The queue's worker: one in every process, inside its event loop, restarted by itself when it stumbles.

Procrastinate sees to it that a job is run by one worker only, however many processes there are.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from psycopg.conninfo import conninfo_to_dict

from nexa_core import db
from nexa_core.jobs import tasks
from nexa_core.logs import logger

QUEUE = "default"
#: At what times (UTC) what runs by itself.
TIMETABLE: dict[str, str] = {
    "send_waiting_mail": "* * * * *",
    "retry_stalled_jobs": "*/2 * * * *",
    "make_months": "7 1 * * *",
    "roll_up_usage": "*/5 * * * *",
    "expire_reservations": "* * * * *",
    "expire_viewings": "* * * * *",
    "raise_usage_alerts": "*/5 * * * *",
    "prove_usage": "17 2 * * *",
    "expire_usage": "57 4 * * *",
    "seal_audit": "0 * * * *",
    "verify_audit": "5 * * * *",
    "expire_audit": "27 4 * * *",
    "purge_accounts": "37 3 * * *",
    "remove_old_jobs": "47 3 * * *",
    "recheck_domains": "7 4 * * *",
    "refresh_outlooks": "9 * * * *",
    "refresh_session_search": "* * * * *",
    "check_session_diagrams": "*/2 * * * *",
    "purge_sessions": "57 3 * * *",
}
_WITH_CONTEXT = {"retry_stalled_jobs", "remove_old_jobs"}
_JOBS_AT_ONCE = 2
_STOP_WITHIN_SECONDS = 5
_LONGEST_PAUSE_SECONDS = 30.0

_worker: asyncio.Task[None] | None = None


async def start() -> None:
    """Begin to work off the queue of the configured database; a second call changes nothing."""
    global _worker
    if _worker is None or _worker.done():
        _worker = asyncio.create_task(_keep_working(db.url()), name="nexa jobs")


async def stop() -> None:
    """Take no further job, wait a moment for the ones that run, and end the worker."""
    global _worker
    worker, _worker = _worker, None
    if worker is None:
        return
    worker.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.wait({worker}, timeout=_STOP_WITHIN_SECONDS + 2)


def is_running() -> bool:
    """Whether this process works off the queue."""
    return _worker is not None and not _worker.done()


def application(url: str) -> App:
    """A queue over this database with every task NEXA has; open it before use."""
    options = "-c search_path=procrastinate"
    if conninfo_to_dict(url).get("user") != "nexa_app":
        options += " -c role=nexa_app"
    app = App(
        connector=PsycopgConnector(
            conninfo=url,
            kwargs={"options": options, "application_name": "nexa jobs", "connect_timeout": 5},
            min_size=1,
            max_size=_JOBS_AT_ONCE + 2,
            timeout=10,
            name="nexa-jobs",
        )
    )
    app.task(name="deliver_mail", queue=QUEUE, retry=tasks.GrowingPauses())(tasks.deliver_mail)
    for name, cron in TIMETABLE.items():
        job = getattr(tasks, name)
        if name in _WITH_CONTEXT:
            task = app.task(name=name, queue=QUEUE, queueing_lock=name, lock=name, pass_context=True)(job)
        else:
            task = app.task(name=name, queue=QUEUE, queueing_lock=name, lock=name)(job)
        app.periodic(cron=cron, periodic_id=name)(task)
    return app


async def _keep_working(url: str) -> None:
    """Work until cancelled. Whatever ends the worker, a lost database above all, it begins again after a pause."""
    log, pause = logger("nexa.jobs"), 1.0
    while True:
        began = time.monotonic()
        try:
            async with application(url).open_async() as app:
                with contextlib.suppress(ConnectorException):  # another process took them over first
                    await tasks.retry_stalled(app)
                await app.run_worker_async(
                    name="nexa",
                    concurrency=_JOBS_AT_ONCE,
                    install_signal_handlers=False,
                    shutdown_graceful_timeout=_STOP_WITHIN_SECONDS,
                )
            log.warning("jobs_worker_ended")
        except Exception as error:
            log.warning("jobs_worker_failed", error=type(error).__name__)
        pause = 1.0 if time.monotonic() - began > 60 else min(2 * pause, _LONGEST_PAUSE_SECONDS)
        await asyncio.sleep(pause)
