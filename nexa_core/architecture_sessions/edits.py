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
            holder = _child(holder, step, edit)
        _apply(holder, edit.path[-1], edit)
    return found


def _child(holder: Any, step: str | int, edit: Edit) -> Any:
    if isinstance(holder, dict):
        if edit.op == "set":
            return holder.setdefault(str(step), {})
        if str(step) in holder:
            return holder[str(step)]
    elif isinstance(holder, list) and (place := _place(holder, step)) is not None:
        return holder[place]
    raise _nowhere(edit)


def _apply(holder: Any, step: str | int, edit: Edit) -> None:
    if isinstance(holder, dict) and edit.op == "set":
        holder[str(step)] = edit.value
    elif isinstance(holder, dict) and edit.op == "remove":
        holder.pop(str(step), None)
    elif isinstance(holder, list):
        place = _place(holder, step)
        if edit.op == "remove":
            if place is not None:
                del holder[place]
        elif edit.op == "set" and place is not None:
            holder[place] = edit.value
        elif edit.op == "set" and isinstance(step, str):
            _insert(holder, edit.value, edit.after, at_end=edit.after is None)
        elif edit.op == "move" and place is not None:
            _insert(holder, holder.pop(place), edit.after, at_end=False)
        else:
            raise _nowhere(edit)
    else:
        raise _nowhere(edit)


def _insert(holder: list[Any], value: Any, after: str | None, *, at_end: bool) -> None:
    """Behind the part ``after`` names; without a name at the end or first; behind one that is gone, at the end."""
    if after is None:
        holder.insert(len(holder) if at_end else 0, value)
        return
    place = _place(holder, after)
    holder.insert(len(holder) if place is None else place + 1, value)


def _place(holder: list[Any], step: str | int | None) -> int | None:
    if isinstance(step, int):
        return step if 0 <= step < len(holder) else None
    return next((n for n, item in enumerate(holder) if item == step or _id(item) == step), None)


def _id(item: Any) -> Any:
    return item.get("id") if isinstance(item, dict) else None


def _nowhere(edit: Edit) -> Invalid:
    return Invalid(f"The path {'/'.join(map(str, edit.path))[:200]} leads nowhere.", field="changes")
