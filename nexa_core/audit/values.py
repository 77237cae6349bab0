"""Values of an entry as people read them: names for identifiers, lists as words, moments and amounts for the screen."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from nexa_core.actor import Actor
from nexa_core.audit.story import (
    IDENTIFIER,
    STATES,
    in_words,
    label,
    moment_of,
    names_of,
    organizations,
    unnamed,
    utc,
)

#: What of a value is shown before somebody asks for the rest of it.
SHOWN = 500
_MOST_NAMES = 200
_DEEPEST_NAME = 3
_MOST_PARTS = 12

#: An identifier by itself, or with its kind as the subject of a timeline.
_NAMED = re.compile(rf"(?:([a-z_]+):)?({IDENTIFIER.pattern})")
#: Columns that hold a person, besides those that say by whom.
_PEOPLE = frozenset({"user_id", "viewed_user_id", "person", "user"})


@dataclass(frozen=True, slots=True)
class Value:
    """One value as text; ``is_whole`` says whether that is all of it, ``size`` how many characters it has.

    A ``moment``, and an ``amount`` in minor units of a currency, are the reader's to write.
    """

    text: str
    size: int
    moment: dt.datetime | None = None
    amount: tuple[int, str] | None = None

    @property
    def is_whole(self) -> bool:
        return self.size <= SHOWN


@dataclass(frozen=True, slots=True)
class Words:
    """How the values of one entry read: what its identifiers are called, and who acted."""

    names: Mapping[UUID, str]
    actor_id: UUID | None = None
    actor_name: str = ""
    currency: str | None = None

    def shown(self, path: tuple[str, ...], value: Any) -> Value:
        """The value at a path, cut to what is shown at first."""
        text = self.text(path, value)
        is_minor = type(value) is int and bool(path) and path[-1].endswith("_minor")
        amount = (value, self.currency) if self.currency and is_minor else None
        return Value(text[:SHOWN], len(text), moment=moment_of(value), amount=amount)

    def text(self, path: tuple[str, ...], value: Any) -> str:
        """All of the value at a path, as text."""
        name = path[-1] if path else ""
        if is_content(value):
            return f"content of {value['bytes']:,} bytes, SHA-256 {value['sha256'][:16]}…"
        if value is None or value in ("", [], {}):
            return "nothing"
        if isinstance(value, bool) or (isinstance(value, str) and path == (name,) and name in STATES):
            return in_words(name, value)
        if moment := moment_of(value):
            return utc(moment)
        if isinstance(value, str):
            return self._called(name, value)
        if isinstance(value, list) and all(_is_short(one) for one in value):
            return ", ".join(self.text((*path, name), one) for one in value)
        if isinstance(value, dict) and len(value) <= _MOST_PARTS and all(_is_listed(one) for one in value.values()):
            parts = ((key, self.text((*path, key), one)) for key, one in value.items())
            return "; ".join(f"{label(key)}: {words}" for key, words in parts)
        return json.dumps(value, ensure_ascii=False, indent=2)

    def _called(self, name: str, value: str) -> str:
        """A text; of an identifier the name, or as much as the story says of whom the reader may not know."""
        found = _NAMED.fullmatch(value)
        if found is None:
            return value
        kind, which = found[1], UUID(found[2])
        words = self.names.get(which)
        if not words and name == "account_manager_id":
            words = "NEXA staff"
        elif not words and (name in _PEOPLE or name.endswith("_by") or kind == "user"):
            words = self.actor_name if which == self.actor_id else "Somebody"
        return " ".join(filter(None, (kind, words or f"{found[2][:8]}…")))


def words_of(actor: Actor, db: Session, row: Row[Any], *sides: Any) -> Words:
    """How the values of an entry read to the actor, with every name asked for at once."""
    ids = set(islice(_identifiers(sides, _DEEPEST_NAME + 1), _MOST_NAMES))
    names = dict[UUID, str]()
    if ids:
        named = select(organizations.c.id, organizations.c.name).where(organizations.c.id.in_(ids))
        names = {one.id: one.name for one in db.execute(named)}
        names |= names_of(actor, db, people=ids, memberships=set(), titled=ids)
    currency = next((side["currency"] for side in sides if side and isinstance(side.get("currency"), str)), None)
    return Words(names, row.user_id, unnamed(row), currency)


def is_content(value: Any) -> bool:
    """Whether a value stands for a document: its digest and size."""
    return isinstance(value, dict) and value.keys() == {"sha256", "bytes"} and isinstance(value["bytes"], int)


def is_identifier(value: Any) -> bool:
    return isinstance(value, str) and IDENTIFIER.fullmatch(value) is not None


def _identifiers(value: Any, depth: int) -> Iterator[UUID]:
    if isinstance(value, str):
        if found := _NAMED.fullmatch(value):
            yield UUID(found[2])
    elif depth and isinstance(value, dict | list | tuple):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _identifiers(one, depth - 1)


def _is_short(value: Any) -> bool:
    """Whether a value goes into a list of words."""
    return not isinstance(value, dict | list) and not (isinstance(value, str) and ("\n" in value or ", " in value))


def _is_listed(value: Any) -> bool:
    return not value or _is_short(value) or (isinstance(value, list) and all(_is_short(one) for one in value))
