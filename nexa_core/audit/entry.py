"""One entry in full: what changed where, value by value, as harmless text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Text, cast, column, select, table
from sqlalchemy.orm import Session

from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.audit.models import AuditLog
from nexa_core.audit.search import ENTRY, shortened
from nexa_core.audit.story import EntryView, label, sessions, views
from nexa_core.audit.values import Value, Words, is_content, is_identifier, words_of
from nexa_core.db import reading
from nexa_core.errors import NotFound
from nexa_core.permissions import Permission

_MOST_CHANGES = 200
_DEEPEST = 12
_UNTOLD = frozenset({"id", "uuid", "request"})

_revisions = table("session_revisions", column("session_id"), column("revision"), column("ended_at"))


@dataclass(frozen=True, slots=True)
class Change:
    """One place where old and new differ. ``path`` leads there from the entry's values; None is where nothing was."""

    path: tuple[str, ...]
    name: str
    before: Value | None
    after: Value | None


@dataclass(frozen=True, slots=True)
class EntryDetail:
    """An entry with its changes; ``revision`` is the session's revision that holds the content it speaks of."""

    entry: EntryView
    changes: tuple[Change, ...]
    are_all_changes: bool
    revision: int | None


def entry(actor: Actor, *, entry_id: UUID) -> EntryDetail:
    """One entry with what changed, place by place.

    Raises Forbidden without AUDIT_READ, NotFound for an entry the actor may not see.
    """
    actor.require(Permission.AUDIT_READ)
    with reading(actor) as db:
        row = row_of(db, entry_id)
        view = view_of(actor, db, entry_id)
        before, after = values_of(row)
        revision = _revision(db, row) if _content_of(before) or _content_of(after) else None
        words = words_of(actor, db, row, before, after)
    changes: list[Change] = []
    for change in _changes((), _told(row, before), _told(row, after), words):
        changes.append(change)
        if len(changes) > _MOST_CHANGES:
            break
    return EntryDetail(view, tuple(changes[:_MOST_CHANGES]), len(changes) <= _MOST_CHANGES, revision)


def whole_value(actor: Actor, *, entry_id: UUID, path: tuple[str, ...], after: bool) -> str:
    """All of one value of an entry, as text. Raises as ``entry`` does, and NotFound where there is no such value."""
    actor.require(Permission.AUDIT_READ)
    with reading(actor) as db:
        row = row_of(db, entry_id)
        sides = values_of(row)
        words = words_of(actor, db, row, *sides)
    value: Any = sides[after]
    for step in path:
        try:
            value = value[int(step)] if isinstance(value, list) else value[step]
        except (KeyError, IndexError, ValueError, TypeError) as missing:
            raise NotFound("The entry holds no such value.") from missing
    return words.text(path, value)


def value_before(db: Session, action: Action, resource_id: UUID, name: str) -> str | None:
    """What stood in a column before this was last done to it, as text; None where the log does not say (any more)."""
    found: str | None = db.scalar(
        select(AuditLog.old_values[name].astext)
        .where(AuditLog.resource_id == resource_id, AuditLog.action == action.value)
        .order_by(AuditLog.created_at.desc())
        .limit(1)
    )
    return found


def row_of(db: Session, entry_id: UUID) -> Row[Any]:
    """The entry as it is stored, its values as JSON text; NotFound where row-level security shows none."""
    columns = [one for one in ENTRY if one.key not in ("old_values", "new_values")]
    texts = (cast(one, Text).label(one.key) for one in (AuditLog.old_values, AuditLog.new_values))
    row = db.execute(select(*columns, *texts).where(AuditLog.id == entry_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such entry in the log.")
    return row


def view_of(actor: Actor, db: Session, entry_id: UUID) -> EntryView:
    """The entry as a list shows it."""
    (view,) = views(actor, db, [db.execute(shortened(select(*ENTRY).where(AuditLog.id == entry_id))).one()])
    return view


def values_of(row: Row[Any]) -> tuple[Any, Any]:
    """Old and new values; None where there are none. What nests too deeply to be read stays text."""
    return _parsed(row.old_values), _parsed(row.new_values)


def _told(row: Row[Any], side: Any) -> Any:
    """The values without what says nothing to a reader: what the entry says of itself elsewhere, and identifiers of
    its thing and of a request."""
    own = {"id": str(row.resource_id), "organization_id": str(row.organization_id)}
    return side and {
        key: value
        for key, value in side.items()
        if own.get(key) != value and not (key in _UNTOLD and is_identifier(value))
    }


def _parsed(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text)
    except RecursionError:
        return {"values": text}


def _changes(path: tuple[str, ...], before: Any, after: Any, words: Words) -> Iterator[Change]:
    """Every place where the two differ; what exists on one side only is one place, not one for each of its parts."""
    deep = len(path) < _DEEPEST and not is_content(before) and not is_content(after)
    nothing: dict[str, Any] = {}
    if not path:
        before, after = before or nothing, after or nothing
    if deep and isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            if key not in before:
                yield Change((*path, key), _name((*path, key)), None, words.shown((*path, key), after[key]))
            elif key not in after:
                yield Change((*path, key), _name((*path, key)), words.shown((*path, key), before[key]), None)
            elif before[key] != after[key]:
                yield from _changes((*path, key), before[key], after[key], words)
    elif deep and isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            if old != new:
                yield from _changes((*path, str(number)), old, new, words)
    else:
        yield Change(path, _name(path), words.shown(path, before), words.shown(path, after))


def _name(path: tuple[str, ...]) -> str:
    """A path as it is read: the column in plain words, keys as they are, places in a list counted from one."""
    words = [label(path[0]), *(f"{int(step) + 1}" if step.isdigit() else step for step in path[1:])]
    return " › ".join(word if len(word) <= 60 else word[:59] + "…" for word in words)


def _content_of(values: Any) -> bool:
    """Whether a document's digest is among the values."""
    return isinstance(values, dict) and any(is_content(value) for value in values.values())


def _revision(db: Session, row: Row[Any]) -> int | None:
    """The revision that was being written at that moment: the first that ended at or after it."""
    found: int | None = db.scalar(
        select(_revisions.c.revision)
        .join(sessions, sessions.c.id == _revisions.c.session_id)
        .where(sessions.c.uuid == row.resource_id, _revisions.c.ended_at >= row.created_at)
        .order_by(_revisions.c.ended_at)
        .limit(1)
    )
    return found
