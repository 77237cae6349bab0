"""What can be done with usage: record it, each event once and never beyond a hard limit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.orm import Session as Database

from nexa_core.actor import Actor
from nexa_core.db import metering
from nexa_core.errors import Invalid, NotFound
from nexa_core.permissions import Permission
from nexa_core.usage.events import Recorded, UsageEvent, check, rows
from nexa_core.usage.ingest import ingest, strangers


def record(actor: Actor, events: Sequence[UsageEvent], *, organization_id: UUID | None = None) -> Recorded:
    """Store what an organization used, and count it: by day, by period and against its limit, in one transaction.

    An event whose key and content are known is a duplicate and changes nothing, however often it comes. The
    organization is the actor's own; only the platform's own people may name another. Up to 10,000 events a call, at
    most 35 days old.

    Raises Forbidden without USAGE_RECORD; Invalid for an event that cannot be accepted and for a key that was used for
    a different event; NotFound for an organization out of reach; LimitExceeded when a hard monthly limit does not leave
    enough credits. Whatever is raised, nothing of the call is stored.
    """
    actor.require(Permission.USAGE_RECORD)
    organization = organization_id or actor.organization_id
    if organization is None or not (actor.is_staff or organization == actor.organization_id):
        raise NotFound("There is no such organization.")
    check(events, now=datetime.now(UTC))
    return store(actor, organization, events)


def store(actor: Actor, organization_id: UUID, events: Sequence[UsageEvent]) -> Recorded:
    """:func:`record` without its bounds on age and size: for the demo world and imports, never for a request."""
    reporter = None if actor.is_staff else actor.user_id
    batch, repeats = rows(events, reporter=reporter)
    if not batch:
        return Recorded(inserted=0, duplicates=0)
    with metering(actor) as db:
        named = {event.user_id for event in events if event.user_id is not None}
        if unknown := strangers(db, organization_id, named - {actor.user_id}):
            raise Invalid(f"{min(unknown)} does not belong to this organization.", field="user_id")
        recorded = ingest(db, organization_id, batch)
    return Recorded(inserted=recorded.inserted, duplicates=recorded.duplicates + repeats)


def charge(db: Database, actor: Actor, event: UsageEvent, *, organization_id: UUID) -> Recorded:
    """Count what a verb of NEXA itself uses, inside the verb's own transaction: both happen, or neither.

    The verb has asked for its permission already. Raises as :func:`record` does; a repeat of the same event is a
    duplicate and costs nothing.
    """
    check([event], now=datetime.now(UTC))
    batch, _ = rows([event], reporter=None if actor.is_staff else actor.user_id)
    return ingest(db, organization_id, batch)
