"""A usage event as it is handed in, what makes one acceptable, and what it looks like on its way to the database."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

from nexa_core.errors import Invalid

#: Most events one call takes.
BATCH = 10_000
#: How far back and ahead the clock of an event may be.
OLDEST = timedelta(days=35)
AHEAD = timedelta(minutes=5)
#: Most bytes of ``event_data`` as JSON.
DATA_BYTES = 16_384
#: Credits are ``integer`` in the database.
MOST_CREDITS = 2**31 - 1

#: The counter named credits holds what was spent; refunds are made by their verb.
RESERVED = frozenset({"credits", "refund"})
#: What NEXA's own verbs report as. Their keys can be guessed, so nobody else may use one up: not this, nor "nexa.x".
OWN_SOURCE = "nexa"

# Equal data has equal text. Made once: json.dumps would make one for each event.
_AS_TEXT = json.JSONEncoder(sort_keys=True, allow_nan=False, separators=(",", ":"), ensure_ascii=False).encode
_EVENT_TYPE = re.compile(r"[a-z][a-z0-9_.]{0,49}")
_NULL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class UsageEvent:
    """Something that was used once. ``source`` and ``idempotency_key`` together name it for ever.

    ``credits`` is what it costs; without it, what the catalogue of event types says, and nothing for a type that is
    not in it. ``occurred_at`` is when it happened, with a time zone; without it, the moment it is stored. ``user_id``
    is who used it; without it, whoever reports it. A ``source`` that is NEXA's own is no reporter's.
    """

    event_type: str
    idempotency_key: str
    credits: int | None = None
    user_id: UUID | None = None
    session_id: int | None = None
    event_data: Mapping[str, Any] = field(default_factory=dict)
    occurred_at: datetime | None = None
    source: str = "api"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a batch: events stored now, and events that had been stored before.

    ``flagged`` are the types among those stored now that the catalogue does not know.
    """

    inserted: int
    duplicates: int
    flagged: tuple[str, ...] = ()


def check(events: Sequence[UsageEvent], *, now: datetime) -> None:
    """Raise Invalid for the first event that cannot be accepted, naming its key."""
    if len(events) > BATCH:
        raise Invalid(f"At most {BATCH:,} usage events fit into one call; this one has {len(events):,}.")
    for event in events:
        check_event(event, now=now)


def check_event(event: UsageEvent, *, now: datetime) -> None:
    """Raise Invalid for an event that cannot be accepted, naming its key and the field; its age is not asked here."""
    _check_names(event)
    if event.credits is not None and not is_count(event.credits):
        raise refusal(event, f"its credits must be a whole number from 0 to {MOST_CREDITS:,}", "credits")
    if event.session_id is not None and not (is_count(event.session_id) and event.session_id):
        raise refusal(event, "there is no such session", "session_id")
    _check_time(event, now)


def is_old(event: UsageEvent, *, now: datetime) -> bool:
    """Whether it happened too long ago to be stored now: a retry of what was stored in time is a duplicate for ever."""
    return event.occurred_at is not None and event.occurred_at < now - OLDEST


def too_old(event: UsageEvent) -> Invalid:
    return refusal(event, f"it happened more than {OLDEST.days} days ago", "occurred_at")


def is_count(value: object) -> bool:
    """Whether this is a whole number that fits a column of credits; True is none, and neither is 1.0."""
    return type(value) is int and 0 <= value <= MOST_CREDITS


def _check_names(event: UsageEvent) -> None:
    key = event.idempotency_key
    if not 0 < len(key) <= 255 or _CONTROL.search(key):
        raise Invalid("An idempotency key has 1 to 255 printable characters.", field="idempotency_key")
    if not 0 < len(event.source) <= 50 or _CONTROL.search(event.source):
        raise refusal(event, "its source must have 1 to 50 printable characters", "source")
    if event.source.partition(".")[0] == OWN_SOURCE:
        raise refusal(event, f"the source {event.source} is NEXA's own", "source")
    if not _EVENT_TYPE.fullmatch(event.event_type):
        raise refusal(
            event,
            "its type must have 1 to 50 lower-case letters, digits, dots or underscores, a letter first",
            "event_type",
        )
    if event.event_type in RESERVED:
        raise refusal(event, f"its type cannot be called {event.event_type}", "event_type")


def _check_time(event: UsageEvent, now: datetime) -> None:
    at = event.occurred_at
    if at is None:
        return
    if at.utcoffset() is None:
        raise refusal(event, "its time needs a time zone", "occurred_at")
    if at > now + AHEAD:
        raise refusal(event, "it happened in the future", "occurred_at")
    if not isinstance(at.tzinfo, timezone) and not _exists(at):
        raise refusal(event, "the clocks of its time zone skipped that time", "occurred_at")


def _exists(at: datetime) -> bool:
    """Whether clocks ever showed this local time: in spring an hour of them is skipped."""
    return at.astimezone(UTC).astimezone(at.tzinfo).replace(tzinfo=None) == at.replace(tzinfo=None)


def refusal(event: UsageEvent, why: str, field_name: str) -> Invalid:
    return Invalid(f"The usage event {event.idempotency_key} was not accepted: {why}.", field=field_name)


def rows(events: Sequence[UsageEvent], *, reporter: UUID | None) -> tuple[list[dict[str, Any]], int]:
    """The batch as rows in key order, each key once, and how many repeats were left out.

    Raises Invalid when one key stands for two different contents.
    """
    found: dict[tuple[str, str], dict[str, Any]] = {}
    repeats = 0
    for event in events:
        row = row_of(event, reporter)
        first = found.setdefault((event.source, event.idempotency_key), row)
        if first is not row:
            if first["content_hash"] != row["content_hash"]:
                raise other_content(event.idempotency_key)
            repeats += 1
    return [found[key] for key in sorted(found)], repeats


def row_of(event: UsageEvent, reporter: UUID | None) -> dict[str, Any]:
    """One event as a row; raises Invalid for data that cannot be stored."""
    data = _data(event)
    at = event.occurred_at.astimezone(UTC).isoformat() if event.occurred_at else None
    given_user = str(event.user_id) if event.user_id else None
    # What was handed in, not what it was filled up with: a retry by somebody else, or later, is still the same event.
    content = json.dumps([event.event_type, data, event.credits, given_user, event.session_id, at])
    user_id = event.user_id or reporter
    return {
        "event_id": new_id(),
        "source": event.source,
        "idempotency_key": event.idempotency_key,
        "content_hash": hashlib.sha256(content.encode()).hexdigest(),
        "user_id": str(user_id) if user_id else None,
        "event_type": event.event_type,
        "event_data": data,
        "credits": event.credits,
        "session_id": event.session_id,
        "occurred_at": at,
    }


def new_id() -> str:
    """A version 7 UUID (RFC 9562) in hexadecimal digits, as ``nexa.uuid_v7`` makes them: a thousand of them here cost a
    tenth of what they cost there."""
    milliseconds, luck = time.time_ns() // 1_000_000, int.from_bytes(os.urandom(10))
    return f"{milliseconds << 80 | 7 << 76 | (luck >> 68) << 64 | 2 << 62 | luck & (1 << 62) - 1:032x}"


def _data(event: UsageEvent) -> str:
    """``event_data`` as JSON text."""
    try:
        data = _AS_TEXT(dict(event.event_data))
        size = len(data.encode())
    except (TypeError, ValueError, RecursionError) as problem:
        raise refusal(event, "its data cannot be written as JSON", "event_data") from problem
    if size > DATA_BYTES:
        raise refusal(event, f"its data has {size:,} bytes as JSON, more than {DATA_BYTES:,}", "event_data")
    if _NULL.search(data):
        raise refusal(event, "its data holds a null character", "event_data")
    return data


def other_content(key: str) -> Invalid:
    return Invalid(
        f"The idempotency key {key} was used before for a different event. Nothing of this call was stored.",
        field="idempotency_key",
    )
