"""Proves that every sum is the sum of its events: counters, reservations, and the rollups in their three grains."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, insert, select, text
from sqlalchemy.orm import Session

from nexa_core.actor import Actor
from nexa_core.db import metering, reading
from nexa_core.errors import Invalid
from nexa_core.permissions import Permission
from nexa_core.usage.models import UsageProof
from nexa_core.usage.periods import MOVED

#: Differences that are told one by one; all are counted.
MOST_TOLD = 20
#: Fewest months single events are kept.
LEAST_MONTHS = 3


@dataclass(frozen=True, slots=True)
class Difference:
    """One sum that is not what it should be, as a sentence."""

    what: str
    organization: str
    when: str
    metric: str
    expected: int
    found: int

    @property
    def sentence(self) -> str:
        return (
            f"{self.what} of {self.organization}, {self.when}, {self.metric}: "
            f"{self.found:,} instead of {self.expected:,}"
        )


@dataclass(frozen=True, slots=True)
class Proof:
    """What comparing everything came to. ``told`` are the first of the differences."""

    differences: int
    told: tuple[Difference, ...]


# Where a month's events have expired, sums that reach into it have nothing left to be compared with.
_DIFFERENCES = text(f"""
WITH kept AS (
    SELECT coalesce(max(month)::timestamp AT TIME ZONE 'UTC' + interval '1 month', '-infinity') AS since
    FROM usage_expiries
), events AS MATERIALIZED (
    SELECT e.organization_id, CASE WHEN {MOVED} THEN nexa.billing_day(o.id, e.occurred_at)
               ELSE (e.occurred_at AT TIME ZONE o.time_zone)::date END AS day, e.event_type, count(*) AS events,
           sum(e.credits_consumed)::bigint AS credits
    FROM usage_events e JOIN organizations o ON o.id = e.organization_id GROUP BY 1, 2, 3
), days AS (
    SELECT organization_id, day, event_type, coalesce(e.events, 0) AS events, coalesce(e.credits, 0) AS credits,
           coalesce(d.events, 0) AS found_events, coalesce(d.credits, 0) AS found_credits
    FROM events e FULL JOIN usage_by_day d USING (organization_id, day, event_type)
    JOIN organizations o ON o.id = organization_id, kept
    WHERE CASE WHEN {MOVED} THEN nexa.day_begins(o.id, day) ELSE nexa.first_instant(day::timestamp, o.time_zone) END
        >= kept.since
), periods AS (
    SELECT organization_id, CASE WHEN {MOVED} THEN nexa.day_begins(o.id, month)
               ELSE nexa.first_instant(month::timestamp, o.time_zone) END AS period_start, metric, amount
    FROM (SELECT organization_id, date_trunc('month', day)::date AS month, m.metric, sum(m.amount)::bigint AS amount
          FROM events e
          CROSS JOIN LATERAL (VALUES ('credits', e.credits), (e.event_type, e.events)) m(metric, amount)
          GROUP BY 1, 2, 3) e
    JOIN organizations o ON o.id = e.organization_id
), held AS (
    SELECT organization_id, period_start, m.metric, sum(m.amount)::bigint AS amount FROM usage_reservations r
    CROSS JOIN LATERAL (VALUES ('credits', r.credits::bigint), (r.event_type, 1::bigint)) m(metric, amount)
    WHERE status = 'open' GROUP BY 1, 2, 3
), months AS (
    SELECT organization_id, date_trunc('month', day)::date AS month, sum(events)::bigint AS events,
           sum(credits)::bigint AS credits FROM usage_by_day GROUP BY 1, 2
), of_all AS (
    SELECT day, event_type, sum(events)::bigint AS events, sum(credits)::bigint AS credits
    FROM usage_by_day GROUP BY 1, 2
), differences AS (
    SELECT 'events of a day' AS what, organization_id, day::text AS at, event_type AS metric, events AS expected,
           found_events AS found FROM days WHERE events <> found_events
    UNION ALL
    SELECT 'credits of a day', organization_id, day::text, event_type, credits, found_credits FROM days
    WHERE credits <> found_credits
    UNION ALL
    SELECT 'counter', organization_id, period_start::text, metric, coalesce(p.amount, 0), coalesce(c.used, 0)
    FROM periods p FULL JOIN usage_counters c USING (organization_id, period_start, metric), kept
    WHERE coalesce(p.amount, 0) <> coalesce(c.used, 0) AND period_start >= kept.since
    UNION ALL
    SELECT 'reserved', organization_id, period_start::text, metric, coalesce(h.amount, 0), coalesce(c.reserved, 0)
    FROM held h FULL JOIN usage_counters c USING (organization_id, period_start, metric)
    WHERE coalesce(h.amount, 0) <> coalesce(c.reserved, 0)
    UNION ALL
    SELECT 'credits of a month', organization_id, month::text, 'credits', coalesce(m.credits, 0),
           coalesce(u.credits, 0) FROM months m FULL JOIN usage_by_month u USING (organization_id, month)
    WHERE (coalesce(m.events, 0), coalesce(m.credits, 0)) <> (coalesce(u.events, 0), coalesce(u.credits, 0))
    UNION ALL
    SELECT 'credits of all of a day', NULL, day::text, event_type, coalesce(a.credits, 0), coalesce(u.credits, 0)
    FROM of_all a FULL JOIN usage_of_all_by_day u USING (day, event_type)
    WHERE (coalesce(a.events, 0), coalesce(a.credits, 0)) <> (coalesce(u.events, 0), coalesce(u.credits, 0))
)
SELECT d.*, coalesce(o.name, 'all organizations') AS organization, count(*) OVER () AS differences
FROM differences d LEFT JOIN organizations o ON o.id = d.organization_id
ORDER BY d.what, organization, d.at, d.metric LIMIT :told
""")

# Of this month and the two before it, whose events can still come in late.
_ROLL_UP = text("SELECT nexa.roll_up_usage((date_trunc('month', now()) - interval '2 months')::date)")
_EXPIRE = text("SELECT nexa.expire_usage((date_trunc('month', now()) - make_interval(months => :months))::date)")


def roll_up(actor: Actor) -> None:
    """Bring the sums by month and of all customers up to the daily ones. Raises Forbidden without SYSTEM_READ."""
    actor.require(Permission.SYSTEM_READ)
    with metering(actor) as db:
        db.execute(_ROLL_UP)


def prove(actor: Actor) -> Proof:
    """Compare every sum with its events, in one snapshot, after bringing the coarse rollups up to it.

    What was found is kept, for the System screen. Raises Forbidden without SYSTEM_READ.
    """
    actor.require(Permission.SYSTEM_READ)
    with metering(actor, snapshot=True) as db:
        db.execute(_ROLL_UP)
        rows = db.execute(_DIFFERENCES, {"told": MOST_TOLD}).all()
        proof = Proof(rows[0].differences if rows else 0, tuple(_difference(row) for row in rows))
        first = proof.told[0].sentence if proof.told else None
        db.execute(insert(UsageProof).values(differences=proof.differences, first_difference=first))
        return proof


def last_proof(actor: Actor) -> tuple[dt.datetime, int, str | None] | None:
    """When the sums were last proven, how many were off, and the first of them.

    Raises Forbidden without SYSTEM_READ.
    """
    actor.require(Permission.SYSTEM_READ)
    with reading(actor) as db:
        found = newest(db)
        return (found.proven_at, found.differences, found.first_difference) if found else None


def newest(db: Session) -> UsageProof | None:
    """What the last proof found; None before the first."""
    return db.scalars(select(UsageProof).order_by(UsageProof.proven_at.desc()).limit(1)).one_or_none()


def _difference(row: Row[Any]) -> Difference:
    return Difference(row.what, row.organization, row.at, row.metric, row.expected, row.found)


def expire(actor: Actor, *, keep_months: int) -> int:
    """Let single events go that are older than so many whole months; how many months went. Sums and keys stay.

    Raises Forbidden without SYSTEM_READ, Invalid for fewer than three months, whose events can still come in late.
    """
    actor.require(Permission.SYSTEM_READ)
    if keep_months < LEAST_MONTHS:
        raise Invalid(f"Usage events are kept for {LEAST_MONTHS} months at least.", field="keep_months")
    with metering(actor) as db:
        gone: int = db.execute(_EXPIRE, {"months": keep_months}).scalar_one()
        return gone
