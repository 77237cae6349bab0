"""The usage events a line of an invoice follows from, a keyset page at a time, each with who and what caused it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from nexa_core import paging
from nexa_core.actor import Actor
from nexa_core.billing import expired, reach
from nexa_core.billing.periods import period_of
from nexa_core.db import reading
from nexa_core.errors import NotFound
from nexa_core.permissions import Permission

MOST = 200
_CHUNK = 2_000

# The running total is the one the line was computed from. PostgreSQL reads the events in the order of the window and
# stops at the limit.
_EVENTS = text(f"""
WITH line AS MATERIALIZED (
    SELECT allowance FROM nexa.invoice_lines(:organization, :starts) WHERE kind = 'overage'
), gone AS MATERIALIZED (
    SELECT ({expired.CREDITS}) AS credits
), running AS (
    SELECT e.*, (SELECT credits FROM gone) + sum(e.credits_consumed) OVER (ORDER BY e.occurred_at, e.id) AS total,
           (SELECT allowance FROM line) AS allowance
    FROM usage_events e
    WHERE e.organization_id = :organization AND e.occurred_at >= :starts AND e.occurred_at < :ends
), parts AS (
    SELECT r.*, coalesce(greatest(total - allowance, 0)
                         - greatest(total - credits_consumed - allowance, 0), 0)::bigint AS over
    FROM running r
), page AS (
    SELECT id, occurred_at, event_type, credits_consumed, over, user_id, session_id, organization_id
    FROM parts
    WHERE CASE WHEN CAST(:event_type AS text) IS NULL THEN credits_consumed <> over
               ELSE event_type = :event_type AND over <> 0 END
      AND (CAST(:at AS timestamptz) IS NULL OR (occurred_at, id) > (CAST(:at AS timestamptz), CAST(:id AS uuid)))
    ORDER BY occurred_at, id LIMIT :limit
)
SELECT p.*, u.full_name AS person, s.uuid AS session_uuid, s.title AS session_title, r.revision
FROM page p LEFT JOIN users u ON u.id = p.user_id
LEFT JOIN ai_architecture_sessions s ON s.organization_id = p.organization_id AND s.id = p.session_id
LEFT JOIN LATERAL (
    SELECT r.revision FROM session_revisions r
    WHERE r.organization_id = p.organization_id AND r.session_id = p.session_id AND r.started_at <= p.occurred_at
    ORDER BY r.revision DESC LIMIT 1
) r ON true
ORDER BY p.occurred_at, p.id
""")


@dataclass(frozen=True, slots=True)
class LineEvent:
    """One event behind a line. ``credits`` is what it used, ``billed`` the part of it that this line counts.

    ``session_title`` is None for who may not read sessions, and where there is none.
    """

    id: UUID
    occurred_at: dt.datetime
    event_type: str
    credits: int
    billed: int
    user_id: UUID | None
    person: str | None
    session_uuid: UUID | None
    session_title: str | None
    revision: int | None


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some events and where the next page begins (None at the end)."""

    items: tuple[LineEvent, ...]
    next_cursor: str | None


def line_events(
    actor: Actor, *, organization_id: UUID, period: str | None, line: str, after: str | None = None, limit: int = 50
) -> EventPage:
    """The events of the line ``included`` or ``overage-<type>`` of an invoice, oldest first; at most 200 a page.

    Raises as ``invoice`` does, NotFound for a line without events, Invalid for a broken cursor.
    """
    limit = max(1, min(limit, MOST))
    found = _page(actor, organization_id, period, line, _place(after), limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    return EventPage(tuple(found[:limit]), paging.cursor(last.occurred_at, last.id) if last else None)


def all_line_events(actor: Actor, *, organization_id: UUID, period: str | None, line: str) -> Iterator[LineEvent]:
    """Every event of a line, read in pages; raises as :func:`line_events` does."""
    position: tuple[dt.datetime | None, UUID | None] = (None, None)
    while found := _page(actor, organization_id, period, line, position, _CHUNK):
        yield from found
        position = (found[-1].occurred_at, found[-1].id)


def _page(
    actor: Actor,
    organization_id: UUID,
    period: str | None,
    line: str,
    after: tuple[dt.datetime | None, UUID | None],
    limit: int,
) -> list[LineEvent]:
    reach.require(actor, organization_id)
    kind, _, event_type = line.partition("-")
    if not (line == "included" or (kind == "overage" and event_type)):
        raise NotFound("This line has no events.")
    with reading(actor) as db:
        billed = reach.subject(db, actor, organization_id)
        when = period_of(db, billed.id, period)
        rows = db.execute(
            _EVENTS,
            {
                "organization": billed.id, "starts": when.starts, "ends": when.ends, "event_type": event_type or None,
                "at": after[0], "id": after[1], "limit": limit,
            },
        ).all()  # fmt: skip
    may_read = actor.may(Permission.SESSIONS_READ)
    return [_event(row, may_read, over=bool(event_type)) for row in rows]


def _event(row: Any, may_read: bool, *, over: bool) -> LineEvent:
    return LineEvent(
        row.id, row.occurred_at, row.event_type, row.credits_consumed,
        row.over if over else row.credits_consumed - row.over, row.user_id, row.person, row.session_uuid,
        row.session_title if may_read else None, row.revision,
    )  # fmt: skip


def _place(after: str | None) -> tuple[dt.datetime | None, UUID | None]:
    at, identifier = paging.place(after, dt.datetime, UUID) if after else (None, None)
    return at, identifier
