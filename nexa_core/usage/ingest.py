"""The one statement that stores usage: each event once, its day, its counters and its organization's limit together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from nexa_core.db import fetched
from nexa_core.errors import LimitExceeded, NotFound
from nexa_core.usage.events import Recorded, UsageEvent, other_content

# Rows are touched in key order everywhere, and the counters after the days: two batches can wait for each other,
# but not in a circle. The limit is asked for within the update that counts, of the row that is locked by then, by a
# function that sees what was committed meanwhile: no two batches can both take the last of it, and none can take it by
# a limit that was changed before it had the row (docs/decisions/limits-that-hold.md). A locked row is set right after
# its condition was asked, which leaves the limit it went by in nexa.most; where nothing had to be asked, the limit is.
# A period that has ended is held by its own limit, which takes longer to find: nobody else is to wait for that.
_HAS_ENDED = "{}period_start < (SELECT r.starts FROM running r)"
_INGEST = text(f"""
WITH organization AS MATERIALIZED (
    SELECT o.id, o.time_zone, EXISTS (SELECT FROM former_time_zones f WHERE f.organization_id = o.id) AS moved
    FROM organizations o WHERE o.id = :organization AND o.deleted_at IS NULL
), running AS MATERIALIZED (
    SELECT CASE WHEN moved THEN nexa.billing_start(id, now()) ELSE nexa.period_start(now(), time_zone) END AS starts
    FROM organization
), given AS MATERIALIZED (
    SELECT o.id AS organization_id, e.event_id, coalesce(e.occurred_at, now()) AS at,
           CASE WHEN o.moved THEN nexa.billing_day(o.id, coalesce(e.occurred_at, now()))
                ELSE (coalesce(e.occurred_at, now()) AT TIME ZONE o.time_zone)::date END AS day, o.time_zone, o.moved,
           coalesce(e.credits, t.credits, 0) AS cost, t.event_type IS NULL AS is_flagged,
           e.source, e.idempotency_key, e.content_hash, e.user_id, e.event_type, e.event_data, e.session_id
    FROM organization o CROSS JOIN json_to_recordset(CAST(:events AS json)) AS e(
        event_id uuid, source text, idempotency_key text, content_hash text, user_id uuid, event_type text,
        event_data text, credits integer, session_id integer, occurred_at timestamptz)
    LEFT JOIN usage_event_types t ON t.event_type = e.event_type
), keys AS (
    INSERT INTO usage_idempotency_keys (organization_id, source, idempotency_key, content_hash, event_id)
    SELECT organization_id, source, idempotency_key, decode(content_hash, 'hex'), event_id
    FROM given ORDER BY source, idempotency_key
    ON CONFLICT (organization_id, source, idempotency_key) DO NOTHING
    RETURNING event_id
), fresh AS MATERIALIZED (
    SELECT g.* FROM given g JOIN keys k ON k.event_id = g.event_id
), events AS (
    INSERT INTO usage_events (id, organization_id, user_id, event_type, event_data, credits_consumed, session_id,
                              source, idempotency_key, occurred_at, is_flagged)
    SELECT event_id, organization_id, user_id, event_type, event_data::jsonb, cost, session_id, source,
           idempotency_key, at, is_flagged
    FROM fresh
), days AS (
    INSERT INTO usage_by_day AS d (organization_id, day, event_type, events, credits)
    SELECT organization_id, day, event_type, count(*), sum(cost)
    FROM fresh GROUP BY 1, 2, 3 ORDER BY 2, 3
    ON CONFLICT (organization_id, day, event_type)
        DO UPDATE SET events = d.events + excluded.events, credits = d.credits + excluded.credits
    RETURNING 1
), periods AS MATERIALIZED (
    SELECT organization_id, CASE WHEN moved THEN nexa.billing_start(organization_id, min(at))
               ELSE nexa.period_start(min(at), time_zone) END AS period_start, event_type, count(*) AS events,
           sum(cost)::bigint AS credits, (array_agg(user_id))[1] AS user_id
    FROM fresh GROUP BY organization_id, moved, time_zone, date_trunc('month', day), event_type
), wanted AS MATERIALIZED (
    SELECT organization_id, period_start, event_type AS metric, events AS amount, user_id FROM periods
    UNION ALL
    SELECT organization_id, period_start, 'credits', sum(credits)::bigint, (array_agg(user_id))[1] FROM periods
    GROUP BY 1, 2
), counters AS (
    INSERT INTO usage_counters AS c (organization_id, period_start, metric, used, most)
    SELECT organization_id, period_start, metric, amount, CASE WHEN {_HAS_ENDED.format("")}
               THEN (nexa.usage_limit(organization_id, metric, period_start)).most
               ELSE (nexa.usage_limit(organization_id, metric)).most END
    FROM wanted
    WHERE (SELECT count(*) FROM days) >= 0
      AND (amount <= CASE metric WHEN 'credits' THEN :own_credits ELSE :own_events END
           OR CASE WHEN {_HAS_ENDED.format("")} THEN nexa.usage_admits(organization_id, metric, amount, period_start)
                   ELSE nexa.usage_admits(organization_id, metric, amount) END)
    ORDER BY period_start, metric
    ON CONFLICT (organization_id, period_start, metric) DO UPDATE SET
        used = c.used + excluded.used,
        most = CASE WHEN excluded.used <= CASE c.metric WHEN 'credits' THEN :own_credits ELSE :own_events END
            THEN CASE WHEN {_HAS_ENDED.format("c.")}
                      THEN (nexa.usage_limit(c.organization_id, c.metric, c.period_start)).most
                      ELSE (nexa.usage_limit(c.organization_id, c.metric)).most END
            ELSE CAST(nullif(current_setting('nexa.most'), '') AS bigint) END,
        reserved = c.reserved - CASE WHEN c.period_start = CAST(:own_period AS timestamptz)
            THEN CASE c.metric WHEN 'credits' THEN :own_credits ELSE :own_events END ELSE 0 END
    WHERE excluded.used <= CASE c.metric WHEN 'credits' THEN :own_credits ELSE :own_events END
       OR CASE WHEN {_HAS_ENDED.format("c.")}
            THEN nexa.usage_admits(c.organization_id, c.metric, c.used + c.reserved + excluded.used
                - CASE c.metric WHEN 'credits' THEN :own_credits ELSE :own_events END, c.period_start)
            ELSE nexa.usage_admits(c.organization_id, c.metric, c.used + c.reserved + excluded.used
                - CASE c.metric WHEN 'credits' THEN :own_credits ELSE :own_events END) END
    RETURNING c.period_start, c.metric, c.used + c.reserved AS total, c.most
), shadow AS (
    INSERT INTO usage_shadow_refusals (organization_id, period_start, metric, amount, total, most, user_id)
    SELECT w.organization_id, period_start, metric, w.amount, c.total, c.most, w.user_id
    FROM counters c JOIN wanted w USING (period_start, metric)
    WHERE c.total > c.most AND w.amount > 0
      AND CASE WHEN {_HAS_ENDED.format("")}
            THEN (SELECT l.is_hard AND l.is_shadow FROM nexa.usage_limit(w.organization_id, metric, period_start) l)
            ELSE (SELECT l.is_hard AND l.is_shadow FROM nexa.usage_limit(w.organization_id, metric) l) END
)
SELECT (SELECT count(*) FROM organization) AS organizations,
       (SELECT count(*) FROM keys) AS inserted,
       (SELECT json_agg(json_build_array(w.metric, w.amount,
                                         CASE WHEN {_HAS_ENDED.format("w.")} THEN w.period_start END))
        FROM wanted w WHERE NOT EXISTS (
            SELECT FROM counters c WHERE c.period_start = w.period_start AND c.metric = w.metric)) AS refused,
       (SELECT array_agg(DISTINCT event_type) FROM fresh WHERE is_flagged) AS flagged
""")

_OTHER_CONTENT = text("""
SELECT e.idempotency_key
FROM json_to_recordset(CAST(:events AS json)) AS e(source text, idempotency_key text, content_hash text)
JOIN usage_idempotency_keys k ON k.organization_id = :organization AND k.source = e.source
    AND k.idempotency_key = e.idempotency_key
WHERE k.content_hash <> decode(e.content_hash, 'hex')
ORDER BY e.source, e.idempotency_key LIMIT 1
""")

_STORED = text("""
SELECT k.source, k.idempotency_key
FROM json_to_recordset(CAST(:keys AS json)) AS e(source text, idempotency_key text)
JOIN usage_idempotency_keys k ON k.organization_id = :organization AND k.source = e.source
    AND k.idempotency_key = e.idempotency_key
""")

_LIMIT = text("""
SELECT l.most, ceil(extract(epoch FROM nexa.billing_end(o.id, now()) - now()))::integer AS period_left,
       to_char(nexa.billing_month(o.id, CAST(:period AS timestamptz)), 'FMMonth YYYY') AS month,
       (SELECT t.name FROM usage_event_types t WHERE t.event_type = :metric) AS name
FROM organizations o, nexa.usage_limit(o.id, :metric, coalesce(CAST(:period AS timestamptz), now())) l
WHERE o.id = :organization
""")

_STRANGERS = text("""
SELECT p AS person, NULL::integer AS session FROM unnest(CAST(:people AS uuid[])) p WHERE NOT EXISTS (
    SELECT FROM organization_memberships m WHERE m.organization_id = :organization AND m.user_id = p)
UNION ALL
SELECT NULL, s FROM unnest(CAST(:sessions AS integer[])) s WHERE NOT EXISTS (
    SELECT FROM ai_architecture_sessions a WHERE a.organization_id = :organization AND a.id = s)
""")


@dataclass(frozen=True, slots=True)
class Own:
    """What a reservation holds of the counters of its period, for the event that settles it."""

    credits: int = 0
    events: int = 0
    period: str | None = None


_NOTHING = Own()


def ingest(db: Session, organization_id: UUID, rows: list[dict[str, Any]], own: Own = _NOTHING) -> Recorded:
    """Store rows of :func:`nexa_core.usage.events.rows` and count them, in the open transaction.

    Raises NotFound for an organization out of reach, Invalid for a key used before with another content, LimitExceeded
    when a hard limit does not leave enough; the caller's transaction must then be rolled back, which its door does.
    """
    batch = {"organization": organization_id, "events": json.dumps(rows)}
    held = {"own_credits": own.credits, "own_events": own.events, "own_period": own.period}
    (done,) = fetched(db, _INGEST, batch | held)
    if not done.organizations:
        raise NotFound("There is no such organization.")
    if done.inserted < len(rows) and (key := db.scalar(_OTHER_CONTENT, batch)) is not None:
        raise other_content(key)
    if done.refused:
        raise limit_exceeded(db, organization_id, done.refused)
    return Recorded(done.inserted, len(rows) - done.inserted, tuple(sorted(done.flagged or ())))


def limit_exceeded(db: Session, organization_id: UUID, refused: Sequence[tuple[str, int, str | None]]) -> LimitExceeded:
    """The refusal, with the limit that refused first: of a period that has ended before the running one's, and credits
    before types of event. ``refused`` has metric, amount and, where it has ended, the period; there no waiting helps.
    """
    metric, amount, ended = min(refused, key=lambda one: (one[2] is None, one[0] != "credits", one[0]))
    limit = db.execute(_LIMIT, {"organization": organization_id, "metric": metric, "period": ended}).one()
    most, when = limit.most or 0, f"in {limit.month}" if ended else "a month"
    if metric == "credits":
        sentence = f"The limit of {most:,} credits {when} does not leave the {amount:,} these events need."
    elif limit.name is None:
        sentence = f"The limit of {most:,} events of the type {metric} {when} does not leave {amount:,} more."
    else:
        reached = "is reached" if amount == 1 else f"does not leave {amount:,} more"
        sentence = f"The limit of {most:,} {when} for “{limit.name}” {reached}."
    return LimitExceeded(f"{sentence} Nothing was stored.", retry_after=None if ended else limit.period_left)


def stored_keys(db: Session, organization_id: UUID, events: Sequence[UsageEvent]) -> set[tuple[str, str]]:
    """Source and key of those of the events whose key was used before; it stays so for ever."""
    if not events:
        return set()
    keys = [{"source": event.source, "idempotency_key": event.idempotency_key} for event in events]
    found = db.execute(_STORED, {"organization": organization_id, "keys": json.dumps(keys)})
    return {(row.source, row.idempotency_key) for row in found}


def strangers(db: Session, organization_id: UUID, people: Iterable[UUID], sessions: Iterable[int]) -> set[Any]:
    """Those of the people and sessions that are not the organization's: a foreign key alone lets people in."""
    wanted: dict[str, list[Any]] = {"people": list(set(people)), "sessions": list(set(sessions))}
    if not any(wanted.values()):
        return set()
    found = db.execute(_STRANGERS, wanted | {"organization": organization_id})
    return {row.person or row.session for row in found}
