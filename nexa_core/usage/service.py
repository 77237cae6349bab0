"""What can be done with usage: record it, each event once and never beyond a hard limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.orm import Session as Database

from nexa_core.actor import Actor
from nexa_core.db import metering
from nexa_core.errors import Invalid, NotFound
from nexa_core.permissions import Permission
from nexa_core.usage.events import OWN_SOURCE, Recorded, UsageEvent, check, is_old, rows, too_old
from nexa_core.usage.incoming import Batch, Submitted
from nexa_core.usage.ingest import ingest, stored_keys, strangers
from nexa_core.usage.reach import require_seen


def record(actor: Actor, events: Sequence[UsageEvent], *, organization_id: UUID | None = None) -> Recorded:
    """Store what an organization used, and count it: by day, by period and against its limits, in one transaction.

    An event whose key and content are known is a duplicate and changes nothing, however often and late it comes. The
    organization is the actor's own; only the platform's own people may name another. Up to 10,000 events a call, new
    ones at most 35 days old.

    Raises Forbidden without USAGE_RECORD; Invalid for an event that cannot be accepted and for a key that was used for
    a different event; NotFound for an organization out of reach; LimitExceeded when a hard limit does not leave enough.
    Whatever is raised, nothing of the call is stored.
    """
    actor.require(Permission.USAGE_RECORD)
    organization = target(actor, organization_id)
    now = datetime.now(UTC)
    check(events, now=now)
    return store(actor, organization, events, retries=[event for event in events if is_old(event, now=now)])


def submit(actor: Actor, *, events: Sequence[object], organization_id: UUID | None = None) -> Submitted:
    """:func:`record` for what a program sends as JSON, up to 1,000 events: a bad event is rejected, the rest is stored.

    Raises as ``record`` does for what concerns the whole: a missing permission, an empty or too large batch, a key that
    was used for a different event, and a hard limit; then nothing of the call is stored.
    """
    actor.require(Permission.USAGE_RECORD)
    organization = target(actor, organization_id)
    batch = Batch.of(events, now=datetime.now(UTC))
    people = {event.user_id for _, event in batch.events if event.user_id is not None} - {actor.user_id}
    sessions = {event.session_id for _, event in batch.events if event.session_id is not None}
    recorded, repeats = Recorded(0, 0), 0
    if batch.events or batch.old:
        with metering(actor) as db:
            batch.without(strangers(db, organization, people, sessions))
            batch.take_retries(stored_keys(db, organization, [event for _, event in batch.old]))
            stored, repeats = batch.rows(reporter_of(actor))
            if stored:
                recorded = ingest(db, organization, stored)
    rejected = tuple(sorted(batch.rejected, key=lambda one: one.index))
    return Submitted(recorded.inserted, recorded.duplicates + repeats, rejected, recorded.flagged)


def store(
    actor: Actor, organization_id: UUID, events: Sequence[UsageEvent], *, retries: Sequence[UsageEvent] = ()
) -> Recorded:
    """:func:`record` without its bounds on age and size: for the demo world and imports, never for a request.

    Of the events, ``retries`` have to be stored already: raises Invalid for one that is not.
    """
    batch, repeats = rows(events, reporter=reporter_of(actor))
    if not batch:
        return Recorded(inserted=0, duplicates=0)
    with metering(actor) as db:
        known = stored_keys(db, organization_id, retries)
        if new := next((event for event in retries if (event.source, event.idempotency_key) not in known), None):
            raise too_old(new)
        named = {event.user_id for event in events if event.user_id is not None}
        if unknown := strangers(db, organization_id, named - {actor.user_id}, ()):
            raise Invalid(f"{min(unknown)} does not belong to this organization.", field="user_id")
        recorded = ingest(db, organization_id, batch)
    return Recorded(recorded.inserted, recorded.duplicates + repeats, recorded.flagged)


def charge(db: Database, actor: Actor, event: UsageEvent, *, organization_id: UUID) -> Recorded:
    """Count what a verb of NEXA itself uses, inside the verb's own transaction: both happen, or neither.

    The verb has asked for its permission already; the event's source is NEXA's own. Raises as :func:`record` does; a
    repeat of the same event is a duplicate and costs nothing.
    """
    check([event], now=datetime.now(UTC))
    batch, _ = rows([replace(event, source=OWN_SOURCE)], reporter=reporter_of(actor))
    return ingest(db, organization_id, batch)


def target(actor: Actor, organization_id: UUID | None) -> UUID:
    """Whose usage it is: the actor's own organization's, or the one that the platform's own people name."""
    organization = organization_id or actor.organization_id
    if organization is None or not (actor.is_staff or organization == actor.organization_id):
        raise NotFound("There is no such organization.")
    require_seen(actor, organization)
    return organization


def reporter_of(actor: Actor) -> UUID | None:
    """Who used what names nobody: whoever reports it, but for the platform's own people."""
    return None if actor.is_staff else actor.user_id
