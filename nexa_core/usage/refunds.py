"""Refunds: a correction is an event of its own, with negative credits, so every sum stays a sum of events."""

from __future__ import annotations

import hashlib
import json
from uuid import UUID

from sqlalchemy import text

from nexa_core import audit
from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.db import recording
from nexa_core.errors import Invalid, NotFound
from nexa_core.permissions import Permission
from nexa_core.usage.events import OWN_SOURCE, Recorded, is_count, new_id
from nexa_core.usage.ingest import ingest

SOURCE = f"{OWN_SOURCE}.refund"

_EVENT = text("""
SELECT event_type, credits_consumed, user_id, session_id FROM usage_events
WHERE organization_id = :organization AND id = :id
""")
_GIVEN = text("""
SELECT -e.credits_consumed FROM usage_idempotency_keys k
JOIN usage_events e ON e.organization_id = k.organization_id AND e.id = k.event_id
WHERE k.organization_id = :organization AND k.source = :source AND k.idempotency_key = :key
""")


def refund(actor: Actor, *, organization_id: UUID, event_id: UUID, reason: str, credits: int | None = None) -> Recorded:
    """Give back the credits of one event, all of them or fewer, in the period that runs now.

    An event is refunded once: the same amount again is a duplicate and changes nothing, another raises Invalid. Raises
    Forbidden without ORGANIZATIONS_MANAGE, NotFound for an event that is not the organization's, Invalid without a
    reason, for more credits than the event cost and for one that cost none.
    """
    actor.require(Permission.ORGANIZATIONS_MANAGE)
    if not (reason := reason.strip()):
        raise Invalid("Please give a reason; it is kept in the audit log.", field="reason")
    with recording(actor, Action.USAGE_REFUNDED, reason=reason[:1000]) as db:
        event = db.execute(_EVENT, {"organization": organization_id, "id": event_id}).one_or_none()
        if event is None:
            raise NotFound("There is no such usage event.")
        if event.credits_consumed <= 0:
            raise Invalid("This event cost no credits, so there is nothing to give back.", field="credits")
        given = event.credits_consumed if credits is None else credits
        if not is_count(given) or not 0 < given <= event.credits_consumed:
            raise Invalid(f"This event cost {event.credits_consumed:,} credits; refund 1 up to all.", field="credits")
        data = json.dumps({"event_id": str(event_id), "event_type": event.event_type}, sort_keys=True)
        row = {
            "event_id": new_id(), "source": SOURCE, "idempotency_key": str(event_id), "event_type": "refund",
            "event_data": data,
            "content_hash": hashlib.sha256(f"{event_id} {given}".encode()).hexdigest(), "credits": -given,
            "user_id": str(event.user_id) if event.user_id else None, "session_id": event.session_id,
            "occurred_at": None,
        }  # fmt: skip
        try:
            done = ingest(db, organization_id, [row])
        except Invalid as other:
            if other.field != "idempotency_key":
                raise
            # Of one event there is one refund, and it was of another amount.
            whose = {"organization": organization_id, "source": SOURCE, "key": str(event_id)}
            before = db.scalar(_GIVEN, whose)
            cost = event.credits_consumed
            sentence = f"This event was refunded before: {before:,} of its {cost:,} credits were given back."
            raise Invalid(f"{sentence} Nothing was changed.", field="credits") from None
        if done.inserted:
            values = {"event_id": str(event_id), "credits": given}
            audit.note(db, "usage_event", event_id, values, organization_id=organization_id)
        return done
