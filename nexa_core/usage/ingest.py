"""The one statement that stores usage: each event once, its day, its counters and its organization's limit together."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from nexa_core.errors import LimitExceeded, NotFound
from nexa_core.usage.events import Recorded, other_content

# Rows are touched in key order everywhere, and the counters after the days: two batches can wait for each other,
# but not in a circle. The limit is part of the update that counts, so that no two batches can both take the last of it.
_INGEST = text("""
WITH organization AS MATERIALIZED (
    SELECT o.id, o.time_zone,
           CASE WHEN o.usage_limits->'hard' = 'true' AND jsonb_typeof(o.usage_limits->'monthly_credits') = 'number'
                THEN floor((o.usage_limits->>'monthly_credits')::numeric)::bigint END AS hard_limit
    FROM organizations o WHERE o.id = :organization AND o.deleted_at IS NULL
), given AS MATERIALIZED (
    SELECT o.id AS organization_id, o.time_zone, o.hard_limit, nexa.uuid_v7() AS event_id,
           coalesce(e.occurred_at, now()) AS at, e.*
    FROM organization o, json_to_recordset(CAST(:events AS json)) AS e(
        source text, idempotency_key text, content_hash text, user_id uuid, event_type text, event_data text,
        credits integer, session_id integer, occurred_at timestamptz)
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
                              source, idempotency_key, occurred_at)
    SELECT event_id, organization_id, user_id, event_type, event_data::jsonb, credits, session_id, source,
           idempotency_key, at
    FROM fresh
), days AS (
    INSERT INTO usage_by_day AS d (organization_id, day, event_type, events, credits)
    SELECT organization_id, (at AT TIME ZONE time_zone)::date, event_type, count(*), sum(credits)
    FROM fresh GROUP BY 1, 2, 3 ORDER BY 2, 3
    ON CONFLICT (organization_id, day, event_type)
        DO UPDATE SET events = d.events + excluded.events, credits = d.credits + excluded.credits
    RETURNING 1
), wanted AS MATERIALIZED (
    SELECT f.organization_id, nexa.period_start(f.at, f.time_zone) AS period_start, m.metric, sum(m.amount) AS amount,
           CASE m.metric WHEN 'credits' THEN f.hard_limit END AS most
    FROM fresh f CROSS JOIN LATERAL (VALUES ('credits', f.credits::bigint), (f.event_type, 1)) AS m(metric, amount)
    GROUP BY 1, 2, 3, f.hard_limit
), counters AS (
    INSERT INTO usage_counters AS c (organization_id, period_start, metric, used)
    SELECT organization_id, period_start, metric, amount FROM wanted
    WHERE (most IS NULL OR amount = 0 OR amount <= most) AND (SELECT count(*) FROM days) >= 0
    ORDER BY period_start, metric
    ON CONFLICT (organization_id, period_start, metric)
        DO UPDATE SET used = c.used + excluded.used
        WHERE excluded.metric <> 'credits' OR excluded.used = 0
           OR (SELECT hard_limit FROM organization) IS NULL
           OR c.used + c.reserved + excluded.used <= (SELECT hard_limit FROM organization)
    RETURNING 1
)
SELECT (SELECT count(*) FROM organization) AS organizations,
       (SELECT count(*) FROM keys) AS inserted,
       (SELECT count(*) FROM wanted) - (SELECT count(*) FROM counters) AS refused,
       (SELECT sum(credits) FROM fresh) AS credits,
       (SELECT hard_limit FROM organization) AS hard_limit
""")

_OTHER_CONTENT = text("""
SELECT e.idempotency_key
FROM json_to_recordset(CAST(:events AS json)) AS e(source text, idempotency_key text, content_hash text)
JOIN usage_idempotency_keys k ON k.organization_id = :organization AND k.source = e.source
    AND k.idempotency_key = e.idempotency_key
WHERE k.content_hash <> decode(e.content_hash, 'hex')
ORDER BY e.source, e.idempotency_key LIMIT 1
""")

_PERIOD_LEFT = text("""
SELECT ceil(extract(epoch FROM nexa.period_end(now(), time_zone) - now()))::integer
FROM organizations WHERE id = :organization
""")

_MEMBERS = text("""
SELECT user_id FROM organization_memberships WHERE organization_id = :organization AND user_id = ANY (:people)
""")


def ingest(db: Session, organization_id: UUID, rows: list[dict[str, Any]]) -> Recorded:
    """Store rows of :func:`nexa_core.usage.events.rows` and count them, in the open transaction.

    Raises NotFound for an organization out of reach, Invalid for a key used before with another content, LimitExceeded
    when a hard limit does not leave enough; the caller's transaction must then be rolled back, which its door does.
    """
    batch = {"organization": organization_id, "events": json.dumps(rows)}
    done = db.execute(_INGEST, batch).one()
    if not done.organizations:
        raise NotFound("There is no such organization.")
    if done.inserted < len(rows) and (key := db.scalar(_OTHER_CONTENT, batch)) is not None:
        raise other_content(key)
    if done.refused:
        raise LimitExceeded(
            f"The limit of {done.hard_limit:,} credits a month does not leave the {done.credits:,} these events need. "
            "Nothing was stored.",
            retry_after=db.scalar(_PERIOD_LEFT, {"organization": organization_id}),
        )
    return Recorded(inserted=done.inserted, duplicates=len(rows) - done.inserted)


def strangers(db: Session, organization_id: UUID, people: Iterable[UUID]) -> set[UUID]:
    """Those of ``people`` who do not belong to the organization: a foreign key alone would let them in."""
    wanted = set(people)
    if not wanted:
        return set()
    members = db.scalars(
        _MEMBERS,
        {"organization": organization_id, "people": list(wanted)},
    )
    return wanted - set(members)
