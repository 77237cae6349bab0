"""What the System screen shows."""

from __future__ import annotations

import datetime as dt
import platform
from dataclasses import dataclass
from importlib.metadata import version
from uuid import UUID

from sqlalchemy import func, select, text

from nexa_core import __version__
from nexa_core.actor import Actor
from nexa_core.config import settings
from nexa_core.db import reading
from nexa_core.notifications.models import OutboxMessage
from nexa_core.permissions import Permission
from nexa_core.system.checks import QUICK_CHECKS, Finding, present_head


@dataclass(frozen=True, slots=True)
class JobCount:
    """How many jobs are in one state (todo, doing, succeeded, failed ...), and since when the oldest is."""

    status: str
    jobs: int
    oldest: dt.datetime | None


@dataclass(frozen=True, slots=True)
class WaitingMail:
    """A mail that has not left. ``link`` is shown in demo mode only: whoever follows it acts as the recipient."""

    id: UUID
    recipient: str
    subject: str
    created_at: dt.datetime
    attempts: int
    last_error: str | None
    link: str | None


@dataclass(frozen=True, slots=True)
class SystemView:
    """The state of this NEXA. ``database_bytes`` is the size on disk; ``login`` what the program connects as."""

    nexa_version: str
    python_version: str
    streamlit_version: str
    postgresql_version: str
    database_bytes: int
    login: str
    login_warning: str | None
    migration: str
    smtp_configured: bool
    jobs: tuple[JobCount, ...]
    mail_waiting: int
    mail: tuple[WaitingMail, ...]
    findings: tuple[Finding, ...]


def overview(actor: Actor) -> SystemView:
    """Versions, database, jobs, the newest waiting mail and every quick check. Raises Forbidden without SYSTEM_READ."""
    actor.require(Permission.SYSTEM_READ)
    waiting = OutboxMessage.sent_at.is_(None)
    with reading(actor) as db:
        login, is_owner = db.execute(
            text("""SELECT session_user, rolsuper OR pg_has_role(session_user, 'nexa_owner', 'member')
                    FROM pg_roles WHERE rolname = session_user""")
        ).one()
        return SystemView(
            nexa_version=__version__,
            python_version=platform.python_version(),
            streamlit_version=version("streamlit"),
            postgresql_version=str(db.scalar(text("SHOW server_version"))).split(" ")[0],
            database_bytes=db.scalar(text("SELECT pg_database_size(current_database())")) or 0,
            login=login,
            login_warning=_OWNER_WARNING.format(login=login) if is_owner else None,
            migration=present_head(db),
            smtp_configured=settings().smtp_url is not None,
            jobs=tuple(JobCount(*row) for row in db.execute(select("*").select_from(func.nexa.job_counts()))),
            mail_waiting=db.scalar(select(func.count()).select_from(OutboxMessage).where(waiting)) or 0,
            mail=tuple(WaitingMail(*row) for row in db.execute(_NEWEST_MAIL, {"demo": settings().demo_mode})),
            findings=tuple(run(db) for run in QUICK_CHECKS),
        )


_OWNER_WARNING = (
    "NEXA connects as {login}, which owns the database, and gives that up at every connection; "
    "a login of its own (nexa_app) is better."
)
_NEWEST_MAIL = text("""
    SELECT m.id, m.recipient, m.subject, m.created_at, m.attempts, m.last_error, w.link
    FROM outbox_messages m LEFT JOIN LATERAL nexa.waiting_mail(m.id) w ON CAST(:demo AS boolean)
    WHERE m.sent_at IS NULL ORDER BY m.created_at DESC LIMIT 20
""")
