"""What the credits of one customer's period were used for: by type, person, session, tag, and hour of the week."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from nexa_core.actor import Actor
from nexa_core.billing.reports import periods
from nexa_core.billing.reports.portfolio import OTHERS
from nexa_core.billing.reports.scope import is_kept, organization_of
from nexa_core.db import reading
from nexa_core.errors import Invalid
from nexa_core.permissions import Permission

#: What the credits of a period can be broken down by.
PARTS = ("type", "person", "session", "tag")
_MOST_PARTS = 200
_NOT_KEPT = "No longer kept"


@dataclass(frozen=True, slots=True)
class Part:
    """What one type, person, session or tag used; ``key`` is how a filter of events names it, None for nobody.

    It is empty for what is no single one: all the others, and what was used by events that are no longer kept.
    """

    key: str | None
    name: str
    events: int
    credits: int
    credits_before: int


@dataclass(frozen=True, slots=True)
class Hour:
    """Events and credits of one hour of the week, Monday being 1, in the customer's time zone."""

    weekday: int
    hour: int
    events: int
    credits: int


_WINDOW = """
SELECT nexa.day_begins(:id, :month) AS since, nexa.day_begins(:id, :until) AS until,
       nexa.day_begins(:id, :before) AS before, nexa.billing_zone(:id, :month) AS zone
"""
_BY_TYPE = """
SELECT event_type AS key, event_type AS name, sum(events) FILTER (WHERE day >= :month)::bigint AS events,
       sum(credits) FILTER (WHERE day >= :month)::bigint AS credits,
       sum(credits) FILTER (WHERE day < :month)::bigint AS credits_before
FROM usage_by_day WHERE organization_id = :id AND day >= :before AND day < :until
GROUP BY event_type
"""
_OF_EVENTS = """
count(*) FILTER (WHERE e.occurred_at >= w.since) AS events,
sum(e.credits_consumed) FILTER (WHERE e.occurred_at >= w.since)::bigint AS credits,
sum(e.credits_consumed) FILTER (WHERE e.occurred_at < w.since)::bigint AS credits_before
FROM w JOIN usage_events e ON e.organization_id = :id AND e.occurred_at >= w.before AND e.occurred_at < w.until
"""
_BY_EVENT = (
    """
SELECT found.key::text AS key, {name} AS name, events, credits, credits_before FROM (
    WITH w AS ("""
    + _WINDOW
    + """)
    SELECT {key} AS key, """
    + _OF_EVENTS
    + """ {join} GROUP BY 1
) found {named}
"""
)
# The largest parts, and all the others as one: parts add up to the whole.
_LARGEST = """
WITH parts AS ({parts}), placed AS (
    SELECT *, row_number() OVER (ORDER BY credits DESC NULLS LAST, events DESC NULLS LAST, name, key) AS place
    FROM parts
)
SELECT key, name, events, credits, credits_before, place FROM placed WHERE place <= :most
UNION ALL
SELECT '', :others, sum(events)::bigint, sum(credits)::bigint, sum(credits_before)::bigint, :most + 1
FROM placed WHERE place > :most HAVING count(*) > 0
ORDER BY place
"""
# What the days say less what the single events do, where some of them may be gone.
_GONE = text(
    """
WITH w AS ("""
    + _WINDOW
    + "), kept AS (SELECT "
    + _OF_EVENTS
    + """)
SELECT d.events - k.events AS events, d.credits - coalesce(k.credits, 0) AS credits,
       d.credits_before - coalesce(k.credits_before, 0) AS credits_before
FROM kept k CROSS JOIN (
    SELECT coalesce(sum(events) FILTER (WHERE day >= :month), 0)::bigint AS events,
           coalesce(sum(credits) FILTER (WHERE day >= :month), 0)::bigint AS credits,
           coalesce(sum(credits) FILTER (WHERE day < :month), 0)::bigint AS credits_before
    FROM usage_by_day WHERE organization_id = :id AND day >= :before AND day < :until
) d
"""
)
_SESSIONS = "LEFT JOIN ai_architecture_sessions s ON s.organization_id = :id AND s.id = {at}"
_KINDS = {
    "person": ("e.user_id", "", "u.full_name", "LEFT JOIN users u ON u.id = found.key"),
    "session": ("e.session_id", "", "s.title", _SESSIONS.format(at="found.key")),
    "tag": (
        "t.tag", _SESSIONS.format(at="e.session_id")
        + " LEFT JOIN LATERAL jsonb_array_elements_text(s.tags) t(tag) ON true", "found.key", "",
    ),
}  # fmt: skip


def breakdown(
    actor: Actor, *, by: str, organization_id: UUID | None = None, period: str | None = None
) -> tuple[Part, ...]:
    """What the credits of a period were used for, the most first, against the period before: at most 200 parts, then
    all others as one, then what was used by events that are no longer kept.

    An event of a session with several tags counts for each of them. Sessions have titles for who may read sessions.
    Raises as ``burn`` does, Invalid for another breakdown.
    """
    if by not in PARTS:
        raise Invalid(f"Usage is broken down by one of {', '.join(PARTS)}.", field="by")
    with reading(actor) as db:
        row = organization_of(db, actor, organization_id)
        given = _given(row, period)
        if by == "type":
            parts = _BY_TYPE
        else:
            key, join, name, named = _KINDS[by]
            parts = _BY_EVENT.format(key=key, join=join, name=name, named=named)
        found = db.execute(text(_LARGEST.format(parts=parts)), given).all()
        gone = None
        if by != "type" and not is_kept(db, row.id, given["before"], given["until"]):
            gone = db.execute(_GONE, given).one()
    titled = actor.may(Permission.SESSIONS_READ)
    named_parts = [(one.key, _called(by, one.key, one.name, titled), one) for one in found]
    if gone is not None:
        named_parts.append(("", _NOT_KEPT, gone))
    return tuple(
        Part(key, name, one.events or 0, one.credits or 0, one.credits_before or 0)
        for key, name, one in named_parts
        if one.events or one.credits or one.credits_before
    )


def _called(by: str, key: str | None, name: str | None, titled: bool) -> str:
    if key is None:
        return {"person": "A program", "session": "No session"}.get(by, "No tag")
    if key and by == "session" and not (titled and name):
        return f"Session {key}"
    return name or "Somebody"


_HOURS = text(
    """
WITH w AS ("""
    + _WINDOW
    + """)
SELECT extract(isodow FROM e.occurred_at AT TIME ZONE w.zone)::integer AS weekday,
       extract(hour FROM e.occurred_at AT TIME ZONE w.zone)::integer AS hour,
       count(*) AS events, sum(e.credits_consumed)::bigint AS credits
FROM w JOIN usage_events e ON e.organization_id = :id AND e.occurred_at >= w.since AND e.occurred_at < w.until
GROUP BY 1, 2 ORDER BY 1, 2
"""
)


def hours(actor: Actor, *, organization_id: UUID | None = None, period: str | None = None) -> tuple[Hour, ...]:
    """When in the week the credits of a period were used, in the organization's time zone, as far as its events are
    kept: ``Burn.is_kept``. Raises as ``burn`` does."""
    with reading(actor) as db:
        row = organization_of(db, actor, organization_id)
        return tuple(Hour(*one) for one in db.execute(_HOURS, _given(row, period)))


def _given(row: Row[Any], period: str | None) -> dict[str, Any]:
    month = periods.month(period, row.today)
    return {
        "id": row.id,
        "month": month,
        "until": periods.after(month),
        "before": periods.before(month),
        "most": _MOST_PARTS,
        "others": OTHERS,
    }
