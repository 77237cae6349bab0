"""Credits set aside before something whose cost is known afterwards: reserve, then settle or release, or time out.

The counters' ``reserved`` is the sum of what is open. Whoever changes a reservation locks its row first, then days,
then counters, as ingest does: nobody waits in a circle.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from nexa_core.actor import Actor
from nexa_core.db import metering
from nexa_core.errors import Conflict, Invalid, NotFound
from nexa_core.permissions import Permission
from nexa_core.usage.events import MOST_CREDITS, OLDEST, UsageEvent, check, is_count, other_content, row_of
from nexa_core.usage.ingest import Own, ingest, limit_exceeded, strangers
from nexa_core.usage.service import reporter_of, target

#: How long a reservation holds unless it says otherwise, and at most.
HOLDS = dt.timedelta(minutes=15)
LONGEST = dt.timedelta(days=1)
_OVER = {"settled": "was settled already", "released": "was released already", "expired": "has timed out"}


@dataclass(frozen=True, slots=True)
class Reservation:
    """Credits that are set aside; the same for everybody who reserves with the same key."""

    id: UUID
    event_type: str
    credits: int
    reserved_at: dt.datetime
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Settled:
    """What something cost in the end, and what of it was charged: less only where a hard limit left less."""

    reservation_id: UUID
    asked: int
    charged: int


_RESERVE = text("""
WITH organization AS MATERIALIZED (
    SELECT o.id, nexa.billing_start(o.id, now()) AS period_start
    FROM organizations o WHERE o.id = :organization AND o.deleted_at IS NULL
), made AS (
    INSERT INTO usage_reservations (organization_id, user_id, session_id, event_type, source, idempotency_key,
                                    content_hash, credits, period_start, expires_at)
    SELECT id, :user_id, :session_id, :event_type, :source, :key, :hash, :credits, period_start, now() + :holds
    FROM organization o WHERE NOT EXISTS (
        SELECT FROM usage_idempotency_keys k
        WHERE k.organization_id = o.id
          AND (k.source, k.idempotency_key) = (CAST(:source AS varchar), CAST(:key AS varchar)))
    ON CONFLICT (organization_id, source, idempotency_key) DO NOTHING
    RETURNING organization_id, period_start
), wanted AS MATERIALIZED (
    SELECT organization_id, period_start, metric, amount
    FROM made CROSS JOIN (VALUES ('credits', CAST(:credits AS bigint)), (:event_type, 1)) m(metric, amount)
), counters AS (
    INSERT INTO usage_counters AS c (organization_id, period_start, metric, reserved, most)
    SELECT organization_id, period_start, metric, amount, (nexa.usage_limit(organization_id, metric)).most
    FROM wanted WHERE amount = 0 OR nexa.usage_admits(organization_id, metric, amount)
    ORDER BY period_start, metric
    ON CONFLICT (organization_id, period_start, metric) DO UPDATE SET reserved = c.reserved + excluded.reserved
    WHERE excluded.reserved = 0
       OR nexa.usage_admits(c.organization_id, c.metric, c.used + c.reserved + excluded.reserved)
    RETURNING c.metric
)
SELECT (SELECT count(*) FROM organization) AS organizations, (SELECT count(*) FROM made) AS made,
       (SELECT json_agg(json_build_array(metric, amount, NULL)) FROM wanted
        WHERE metric NOT IN (SELECT c.metric FROM counters c)) AS refused
""")

_FIND = text("""
SELECT * FROM usage_reservations
WHERE organization_id = :organization AND source = :source AND idempotency_key = :key
""")

_LOCK = text("SELECT * FROM usage_reservations WHERE id = :id AND organization_id = :organization FOR UPDATE")

_CLOSE = text("""
UPDATE usage_reservations
SET status = :status, closed_at = now(), settled_hash = :hash, asked = :asked, charged = :charged WHERE id = :id
""")

# The day's row first, as ingest takes it, then both counters in their order: what they show stays so until the commit.
_LOCK_DAY = text("""
INSERT INTO usage_by_day AS d (organization_id, day, event_type)
SELECT id, nexa.billing_day(id, CAST(:at AS timestamptz)), :event_type
FROM organizations WHERE id = :organization
ON CONFLICT (organization_id, day, event_type) DO UPDATE SET events = d.events
""")
_LEFT = text("""
WITH held AS MATERIALIZED (
    SELECT metric, used, reserved FROM usage_counters
    WHERE organization_id = :organization AND period_start = :period AND metric IN ('credits', :event_type)
    ORDER BY period_start, metric FOR UPDATE
)
SELECT CASE WHEN l.is_hard AND NOT l.is_shadow THEN greatest(l.most - c.used - c.reserved, 0) END AS credits
FROM held c, nexa.usage_limit(:organization, 'credits', :period) l WHERE c.metric = 'credits'
""")

_GIVE_BACK = text("""
WITH held AS MATERIALIZED (
    SELECT period_start, metric FROM usage_counters
    WHERE organization_id = :organization AND period_start = :period AND metric IN ('credits', :event_type)
    ORDER BY period_start, metric FOR UPDATE
)
UPDATE usage_counters c
SET reserved = c.reserved - CASE c.metric WHEN 'credits' THEN CAST(:credits AS bigint) ELSE 1 END
FROM held h WHERE c.organization_id = :organization AND c.period_start = h.period_start AND c.metric = h.metric
""")

_OVERDUE = text("""
SELECT id, organization_id FROM usage_reservations WHERE status = 'open' AND expires_at <= now()
ORDER BY expires_at LIMIT 1000
""")


def reserve(
    actor: Actor,
    *,
    event_type: str,
    credits: int,
    idempotency_key: str,
    session_id: int | None = None,
    source: str = "api",
    holds: dt.timedelta = HOLDS,
    organization_id: UUID | None = None,
) -> Reservation:
    """Set credits aside for something that is about to happen; they count against the limits until it is settled,
    released or ``holds`` (15 minutes, at most a day) has passed.

    The same key and content answers the same reservation while it is open, however often and from however many at
    once. Raises Forbidden without USAGE_RECORD, Invalid for what :func:`record` would refuse and for a key that an
    event or another reservation used, Conflict for a key whose reservation is over, LimitExceeded when a hard limit
    does not leave enough; then nothing is set aside.
    """
    actor.require(Permission.USAGE_RECORD)
    organization = target(actor, organization_id)
    check([UsageEvent(event_type, idempotency_key, credits, session_id=session_id, source=source)], now=_now())
    if not dt.timedelta(0) < holds <= LONGEST:
        raise Invalid("A reservation holds for a day at most.", field="holds")
    wanted = {
        "organization": organization, "user_id": reporter_of(actor), "session_id": session_id,
        "event_type": event_type, "source": source, "key": idempotency_key, "credits": credits, "holds": holds,
        "hash": _hash([event_type, credits, session_id]),
    }  # fmt: skip
    with metering(actor) as db:
        if session_id is not None and strangers(db, organization, (), [session_id]):
            raise Invalid(f"There is no session {session_id} in this organization.", field="session_id")
        done = db.execute(_RESERVE, wanted).one()
        if not done.organizations:
            raise NotFound("There is no such organization.")
        if done.refused:
            raise limit_exceeded(db, organization, done.refused)
        whose = {"organization": organization, "source": source, "key": idempotency_key}
        row = db.execute(_FIND, whose).one_or_none()
        if row is None or bytes(row.content_hash) != wanted["hash"]:
            raise other_content(idempotency_key)
        if row.status != "open":
            raise Conflict(f"The reservation {idempotency_key} {_OVER[row.status]}. Nothing was set aside.")
        return Reservation(row.id, row.event_type, row.credits, row.reserved_at, row.expires_at)


def settle(
    actor: Actor,
    *,
    reservation_id: UUID,
    credits: int,
    event_data: Mapping[str, Any] | None = None,
    organization_id: UUID | None = None,
) -> Settled:
    """Record what a reservation's event cost in the end, in the period in which it was reserved, and free the rest.

    What costs more than was reserved is charged as far as a hard limit leaves room; ``asked`` keeps the whole cost. A
    reservation that has timed out can be settled all the same, then all of it has to fit. Settling once more with the
    same cost and data answers the same; with another it raises Invalid. Raises Conflict for one that was released and
    for one that is older than an event may be (35 days): what its period came to is final. Raises LimitExceeded when
    a timed-out event of a limited type does not fit any more, NotFound for a stranger's.
    """
    actor.require(Permission.USAGE_RECORD)
    organization = target(actor, organization_id)
    if not is_count(credits):
        raise Invalid(f"Credits are a whole number from 0 to {MOST_CREDITS:,}.", field="credits")
    data = dict(event_data or {})
    with metering(actor) as db:
        held = _locked(db, organization, reservation_id)
        event = UsageEvent(
            held.event_type, held.idempotency_key, credits, held.user_id, held.session_id, data, held.reserved_at,
            held.source,
        )  # fmt: skip
        content = bytes.fromhex(row_of(event, None)["content_hash"])
        if held.status == "settled":
            if bytes(held.settled_hash) != content:
                raise Invalid("This reservation was settled already, with another cost.", field="credits")
            return Settled(held.id, held.asked, held.charged)
        if held.status == "released":
            raise Conflict("This reservation was released already.")
        if held.reserved_at < _now() - OLDEST:
            raise Conflict(f"This reservation is more than {OLDEST.days} days old and cannot be settled any more.")
        own = held.credits if held.status == "open" else 0
        charged = credits if credits <= own else own + _fitting(db, held, credits - own)
        row = row_of(event, None) | {"credits": charged}
        if charged < credits:
            row["event_data"] = json.dumps(data | {"credits_beyond_limit": credits - charged}, sort_keys=True)
        ingest(db, organization, [row], Own(own, 1, held.period_start.isoformat()) if held.status == "open" else Own())
        closing = {"id": held.id, "status": "settled", "hash": content, "asked": credits, "charged": charged}
        db.execute(_CLOSE, closing)
        return Settled(held.id, credits, charged)


def release(actor: Actor, *, reservation_id: UUID, organization_id: UUID | None = None) -> None:
    """Give back what was set aside: nothing happened. Giving it back again, or after it timed out, changes nothing.

    Raises Conflict for one that was settled, NotFound for a stranger's.
    """
    actor.require(Permission.USAGE_RECORD)
    organization = target(actor, organization_id)
    with metering(actor) as db:
        held = _locked(db, organization, reservation_id)
        if held.status == "settled":
            raise Conflict("This reservation was settled already.")
        if held.status == "open":
            _give_back(db, held, "released")


def expire_reservations(actor: Actor) -> int:
    """Give back what was reserved and neither settled nor released in time; how many reservations. For the job.

    Raises Forbidden without SYSTEM_READ.
    """
    actor.require(Permission.SYSTEM_READ)
    expired = 0
    with metering(actor) as db:
        overdue = db.execute(_OVERDUE).all()
    for row in overdue:
        with metering(actor) as db:  # each by itself: nobody waits for more than one of them
            held = _locked(db, row.organization_id, row.id)
            if held.status == "open":
                _give_back(db, held, "expired")
                expired += 1
    return expired


def _locked(db: Session, organization: UUID, reservation_id: UUID) -> Row[Any]:
    found = db.execute(_LOCK, {"id": reservation_id, "organization": organization}).one_or_none()
    if found is None:
        raise NotFound("There is no such reservation.")
    return found


def _give_back(db: Session, held: Row[Any], status: str) -> None:
    db.execute(_CLOSE, {"id": held.id, "status": status, "hash": None, "asked": None, "charged": None})
    db.execute(
        _GIVE_BACK,
        {
            "organization": held.organization_id, "period": held.period_start, "event_type": held.event_type,
            "credits": held.credits,
        },
    )  # fmt: skip


def _fitting(db: Session, held: Row[Any], wanted: int) -> int:
    """How many of the credits wanted beyond the reservation a hard limit leaves; held until the commit."""
    whose = {"organization": held.organization_id, "event_type": held.event_type}
    db.execute(_LOCK_DAY, whose | {"at": held.reserved_at})
    left = db.scalar(_LEFT, whose | {"period": held.period_start})
    return wanted if left is None else min(wanted, left)


def _hash(content: list[Any]) -> bytes:
    return hashlib.sha256(json.dumps(content).encode()).digest()


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
