"""The single events behind every figure: a table by keyset, and the same rows for an export."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from nexa_core import paging
from nexa_core.actor import Actor
from nexa_core.billing.reports import periods
from nexa_core.billing.reports.scope import organization_of
from nexa_core.db import reading
from nexa_core.errors import Invalid
from nexa_core.permissions import Permission


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events of a period: of a type, a person (``none`` for nobody), a session, a day of the organization's."""

    period: str | None = None
    event_type: str | None = None
    person: str | None = None
    architecture_session: int | None = None
    day: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One usage event. ``person`` is None for a program, ``title`` None without a session or the right to its title."""

    id: UUID
    occurred_at: dt.datetime
    event_type: str
    credits: int
    person_id: UUID | None
    person: str | None
    session_id: int | None
    title: str | None
    source: str
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some events, newest first, and where the next page begins (None at the end)."""

    items: tuple[Event, ...]
    next_cursor: str | None


_EVENTS = """
SELECT e.id, e.occurred_at, e.event_type, e.credits_consumed, e.user_id, u.full_name, e.session_id, s.title, e.source,
       e.idempotency_key
FROM usage_events e
LEFT JOIN users u ON u.id = e.user_id
LEFT JOIN ai_architecture_sessions s ON s.organization_id = e.organization_id AND s.id = e.session_id
WHERE e.organization_id = :id
  AND e.occurred_at >= nexa.day_begins(:id, :since) AND e.occurred_at < nexa.day_begins(:id, :until) {conditions}
ORDER BY e.occurred_at DESC, e.id DESC
"""


def events(
    actor: Actor,
    *,
    organization_id: UUID | None = None,
    wanted: EventFilter | None = None,
    after: str | None = None,
    limit: int = 50,
) -> EventPage:
    """A page of the events of a period, newest first, at most 500 at once.

    Raises Forbidden without USAGE_READ, NotFound for an organization out of reach, Invalid for a filter or cursor that
    cannot be.
    """
    limit = max(1, min(limit, 500))
    with reading(actor) as db:
        row = organization_of(db, actor, organization_id)
        statement, given = _statement(row, wanted or EventFilter(), after)
        found = db.execute(text(statement + " LIMIT :limit"), {**given, "limit": limit + 1}).all()
    titled = actor.may(Permission.SESSIONS_READ)
    items = tuple(view(one, titled) for one in found[:limit])
    more = len(found) > limit
    return EventPage(items, paging.cursor(items[-1].occurred_at, items[-1].id) if more else None)


def every(actor: Actor, *, organization_id: UUID | None, wanted: EventFilter) -> Iterator[Event]:
    """All of them, one by one, for an export: a server-side cursor holds a thousand at a time."""
    titled = actor.may(Permission.SESSIONS_READ)
    with reading(actor) as db:
        row = organization_of(db, actor, organization_id)
        statement, given = _statement(row, wanted, None)
        for one in db.execute(text(statement).execution_options(yield_per=1_000), given):
            yield view(one, titled)


def _statement(row: Row[Any], wanted: EventFilter, after: str | None) -> tuple[str, dict[str, Any]]:
    month = periods.month(wanted.period, row.today)
    since, until = month, periods.after(month)
    if wanted.day is not None:
        if not 2000 <= wanted.day.year < 2100:
            raise Invalid("There is no such day here.", field="day")
        since, until = wanted.day, wanted.day + dt.timedelta(days=1)
    given: dict[str, Any] = {"id": row.id, "since": since, "until": until}
    conditions = []
    if wanted.event_type:
        conditions.append("AND e.event_type = :event_type")
        given["event_type"] = wanted.event_type[:50]
    if wanted.person == "none":
        conditions.append("AND e.user_id IS NULL")
    elif wanted.person:
        conditions.append("AND e.user_id = :person")
        given["person"] = _person(wanted.person)
    if wanted.architecture_session is not None:
        if not 0 <= wanted.architecture_session < 2**31:
            raise Invalid("There is no such session.", field="session")
        conditions.append("AND e.session_id = :architecture_session")
        given["architecture_session"] = wanted.architecture_session
    if after:
        conditions.append("AND (e.occurred_at, e.id) < (:at, :event)")
        given["at"], given["event"] = paging.place(after, dt.datetime, UUID)
    return _EVENTS.format(conditions=" ".join(conditions)), given


def view(row: Row[Any], titled: bool) -> Event:
    """One row of the table."""
    cells = list(row)
    if not titled:
        cells[7] = None
    return Event(*cells)


def _person(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError as broken:
        raise Invalid("There is no such person.", field="person") from broken
