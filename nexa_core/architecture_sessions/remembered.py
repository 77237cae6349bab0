"""What this process stored last of sessions, so that the next save of the same need not read it from the database.

A save calculates with it, and PostgreSQL stores the result only while the row is still the very one that is remembered,
whoever else writes it and wherever (``nexa.save_session``). It is remembered for who belongs to the session's
organization alone: nobody can learn from an answer what they may not read.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any, Final
from uuid import UUID

from cachetools import TTLCache
from pydantic_core import from_json

from nexa_core.actor import Actor

#: Characters of JSON that are remembered at most, and for how many seconds: as long as a burst may pause.
MOST: Final = 16 * 1024 * 1024
SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class Remembered:
    """A session as a save left it: the values it wrote, as JSON, because what was given to it may change meanwhile."""

    organization_id: UUID
    version: int
    stamp: str
    texts: Mapping[str, str]

    def values(self, names: Set[str]) -> dict[str, Any]:
        """Those of these names, in the order in which they were stored."""
        return {name: from_json(text) for name, text in self.texts.items() if name in names}

    @property
    def size(self) -> int:
        return sum(map(len, self.texts.values()))


_remembered: TTLCache[UUID, Remembered] = TTLCache(MOST, SECONDS, getsizeof=lambda one: one.size)
_lock = Lock()


def remember(uuid: UUID, stored: Remembered) -> None:
    """Remember what a save wrote. Before it is committed, too: nothing is ever stored upon what was rolled back.

    Not a value in which a float may be so large that PostgreSQL gives it back as a whole number with digits of its own.
    """
    stored = replace(stored, texts={name: text for name, text in stored.texts.items() if "e+" not in text})
    with _lock:
        if stored.size <= MOST:
            _remembered[uuid] = stored
        else:
            _remembered.pop(uuid, None)


def remembered(actor: Actor, uuid: UUID, version: int | None, names: Set[str]) -> Remembered | None:
    """The session at this version with all values of these names, or None."""
    with _lock:
        stored = _remembered.get(uuid)
    if stored is None or stored.version != version or stored.organization_id != actor.organization_id:
        return None
    return stored if names <= stored.texts.keys() else None
