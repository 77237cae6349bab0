"""Edits: changes of single values, named by a path of keys and ids of parts, for writers that do not send documents."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from nexa_core.architecture_sessions.documents import COLUMNS
from nexa_core.errors import Invalid

#: The columns of all documents.
ALL_COLUMNS: tuple[str, ...] = tuple(column for columns in COLUMNS.values() for column in columns)


@dataclass(frozen=True, slots=True)
class Edit:
    """One change: ``path`` is the column, then keys, ids of parts or places in a list.

    ``set`` puts ``value`` there, and adds a part where the id is new; ``remove`` takes away what is there; ``move``
    puts the part behind the one whose id ``after`` names, or first. ``after`` places an added part too.
    """

    path: tuple[str | int, ...]
    value: Any = None
    op: Literal["set", "remove", "move"] = "set"
    after: str | None = None


def edited(documents: dict[str, Any], edits: Sequence[Edit]) -> dict[str, Any]:
    """The documents with the edits done, in their order; what was given stays as it is.

    Raises Invalid for a path that leads nowhere.
    """
    touched = {edit.path[0] for edit in edits if edit.path}
    found = {
        column: copy.deepcopy(document) if column in touched else document for column, document in documents.items()
    }
    places = _Places()
    for edit in edits:
        if not edit.path or edit.path[0] not in ALL_COLUMNS:
            raise Invalid("The path of an edit begins with the column of a document.", field="changes")
        if len(edit.path) == 1:
            if edit.op != "set":
                raise Invalid("A document can be set, not removed or moved.", field="changes")
            found[str(edit.path[0])] = edit.value
            continue
        holder: Any = found
        for step in edit.path[:-1]:
            holder = _child(holder, step, edit, places)
        _apply(holder, edit.path[-1], edit, places)
    return found


class _Places:
    """Where parts stand in the lists that edits go through: a list is looked through once for what its parts are known
    by, and is then asked, which a thousand edits of a list of tens of thousands have to be."""

    def __init__(self) -> None:
        # Each list beside its keys: while it is held here, no other can have its number.
        self._known: dict[int, tuple[list[Any], list[Any]]] = {}

    def of(self, holder: list[Any], step: str | int) -> int | None:
        if isinstance(step, int):
            return step if 0 <= step < len(holder) else None
        try:
            return self._keys(holder).index(step)
        except ValueError:
            return None

    def replace(self, holder: list[Any], place: int, value: Any) -> None:
        self._keys(holder)[place] = _key(value)
        holder[place] = value

    def remove(self, holder: list[Any], place: int) -> Any:
        del self._keys(holder)[place]
        return holder.pop(place)

    def insert(self, holder: list[Any], value: Any, after: str | None, *, at_end: bool) -> None:
        """Behind the part ``after`` names; without a name at the end or first; behind one that is gone, at the end."""
        place = len(holder) if at_end else 0
        if after is not None:
            before = self.of(holder, after)
            place = len(holder) if before is None else before + 1
        self._keys(holder).insert(place, _key(value))
        holder.insert(place, value)

    def forget(self) -> None:
        """A part got another id."""
        self._known.clear()

    def _keys(self, holder: list[Any]) -> list[Any]:
        if id(holder) not in self._known:
            self._known[id(holder)] = (holder, [_key(item) for item in holder])
        return self._known[id(holder)][1]


def _child(holder: Any, step: str | int, edit: Edit, places: _Places) -> Any:
    if isinstance(holder, dict):
        if edit.op == "set":
            return holder.setdefault(str(step), {})
        if str(step) in holder:
            return holder[str(step)]
    elif isinstance(holder, list) and (place := places.of(holder, step)) is not None:
        return holder[place]
    raise _nowhere(edit)


def _apply(holder: Any, step: str | int, edit: Edit, places: _Places) -> None:
    if isinstance(holder, dict) and edit.op in ("set", "remove"):
        if edit.op == "set":
            holder[str(step)] = edit.value
        else:
            holder.pop(str(step), None)
        if step == "id":
            places.forget()
    elif isinstance(holder, list):
        place = places.of(holder, step)
        if edit.op == "remove":
            if place is not None:
                places.remove(holder, place)
        elif edit.op == "set" and place is not None:
            places.replace(holder, place, edit.value)
        elif edit.op == "set" and isinstance(step, str):
            places.insert(holder, edit.value, edit.after, at_end=edit.after is None)
        elif edit.op == "move" and place is not None:
            places.insert(holder, places.remove(holder, place), edit.after, at_end=False)
        else:
            raise _nowhere(edit)
    else:
        raise _nowhere(edit)


def _key(item: Any) -> Any:
    return item.get("id") if isinstance(item, dict) else item


def _nowhere(edit: Edit) -> Invalid:
    return Invalid(f"The path {'/'.join(map(str, edit.path))[:200]} leads nowhere.", field="changes")
