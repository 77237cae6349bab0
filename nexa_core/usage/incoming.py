"""Events as programs send them, as JSON: each is read by itself, so that a bad one does not keep the others out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from nexa_core.errors import Invalid
from nexa_core.usage.events import UsageEvent, check_event, is_old, other_content, refusal, row_of, too_old

#: Most events one request may send.
MOST_SENT = 1_000
_MEMBERS = frozenset(
    {"event_type", "idempotency_key", "credits", "user_id", "session_id", "event_data", "occurred_at", "source"}
)


@dataclass(frozen=True, slots=True)
class Twice:
    """A JSON object that says something twice: neither an event nor data of one, for who knows which was meant."""

    member: str
    idempotency_key: object


@dataclass(frozen=True, slots=True)
class Rejected:
    """An event that was not stored: its place in the batch, its key where it has one, and why."""

    index: int
    idempotency_key: str | None
    reason: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of a batch that was sent. ``flagged`` are types the catalogue does not know: kept, for nothing."""

    inserted: int
    duplicates: int
    rejected: tuple[Rejected, ...]
    flagged: tuple[str, ...] = ()


@dataclass(slots=True)
class Batch:
    """The events of a batch that can be accepted, with their places, those too old to be new, and those that cannot."""

    events: list[tuple[int, UsageEvent]]
    rejected: list[Rejected]
    old: list[tuple[int, UsageEvent]]

    @classmethod
    def of(cls, sent: Sequence[object], *, now: datetime) -> Batch:
        """Read each event. Raises Invalid for an empty batch and for one of more than a thousand."""
        if not 0 < len(sent) <= MOST_SENT:
            raise Invalid(f"A batch has 1 to {MOST_SENT:,} usage events; this one has {len(sent):,}.", field="events")
        batch = cls([], [], [])
        for index, given in enumerate(sent):
            try:
                event = event_of(given)
                check_event(event, now=now)
                (batch.old if is_old(event, now=now) else batch.events).append((index, event))
            except Invalid as invalid:
                batch._reject(index, given, invalid)
        return batch

    def without(self, strangers: set[Any]) -> None:
        """Reject what names people and sessions of somebody else."""
        kept = []
        for index, event in self.events:
            if event.user_id in strangers:
                reason, name = f"{event.user_id} does not belong to this organization.", "user_id"
            elif event.session_id in strangers:
                reason, name = f"There is no session {event.session_id} in this organization.", "session_id"
            else:
                kept.append((index, event))
                continue
            self.rejected.append(Rejected(index, event.idempotency_key, reason, name))
        self.events = kept

    def take_retries(self, stored: set[tuple[str, str]]) -> None:
        """Of what is old take what was stored before, by source and key, and reject the rest."""
        for index, event in self.old:
            if (event.source, event.idempotency_key) in stored:
                self.events.append((index, event))
            else:
                invalid = too_old(event)
                self.rejected.append(Rejected(index, event.idempotency_key, invalid.sentence, invalid.field))

    def rows(self, reporter: UUID | None) -> tuple[list[dict[str, Any]], int]:
        """As :func:`nexa_core.usage.events.rows`; data that cannot be stored rejects its event only."""
        found: dict[tuple[str, str], dict[str, Any]] = {}
        repeats = 0
        for index, event in self.events:
            try:
                row = row_of(event, reporter)
            except Invalid as invalid:
                self.rejected.append(Rejected(index, event.idempotency_key, invalid.sentence, invalid.field))
                continue
            first = found.setdefault((event.source, event.idempotency_key), row)
            if first is not row:
                if first["content_hash"] != row["content_hash"]:
                    raise other_content(event.idempotency_key)
                repeats += 1
        return [found[key] for key in sorted(found)], repeats

    def _reject(self, index: int, given: object, invalid: Invalid) -> None:
        key = given.get("idempotency_key") if isinstance(given, dict) else getattr(given, "idempotency_key", None)
        shown = _shown(key, 255) if isinstance(key, str) else None
        self.rejected.append(Rejected(index, shown, invalid.sentence, invalid.field))


def event_of(given: object) -> UsageEvent:
    """One JSON object as an event; raises Invalid naming the member that has another form than it should."""
    if isinstance(given, Twice):
        name = _shown(given.member, 50)
        raise Invalid(f"A usage event says {name} once; this one says it twice.", field=name)
    if not isinstance(given, dict):
        raise Invalid("A usage event is a JSON object.")
    if not given.keys() <= _MEMBERS:
        unknown = _shown(str(min(given.keys() - _MEMBERS)), 50)
        raise Invalid(f"A usage event has no member called {unknown}.", field=unknown)
    for name in ("idempotency_key", "event_type"):
        if type(given.get(name)) is not str:
            raise Invalid(f"A usage event needs the text {name}.", field=name)
    source, user, at = given.get("source", "api"), given.get("user_id"), given.get("occurred_at")
    data = given.get("event_data") or {}
    if not isinstance(data, Mapping):
        raise _refusal(given, "its data must be a JSON object", "event_data")
    try:
        person = None if user is None else _uuid(user) if isinstance(user, str) and len(user) == 36 else _refuse()
    except ValueError:
        raise _refusal(given, "its user_id is no UUID", "user_id") from None
    try:
        moment = None if at is None else datetime.fromisoformat(at) if isinstance(at, str) else _refuse()
    except ValueError:
        why = "its time is no date and time as in 2026-01-31T23:59:00Z"
        raise _refusal(given, why, "occurred_at") from None
    return UsageEvent(
        given["event_type"],
        given["idempotency_key"],
        given.get("credits"),
        person,
        given.get("session_id"),
        data,
        moment,
        source if isinstance(source, str) else "",
    )


#: The same few people report again and again.
_uuid = lru_cache(maxsize=4096)(UUID)


def _shown(given: str, most: int) -> str:
    """What somebody else wrote, in an answer: as text that can be sent."""
    return given.encode("utf-8", "replace").decode()[:most]


def _refusal(given: Mapping[str, Any], why: str, field: str) -> Invalid:
    return refusal(UsageEvent(given["event_type"], given["idempotency_key"]), why, field)


def _refuse() -> Any:
    raise ValueError
