"""Three-way merge of documents: changes of different values merge by themselves, the same value is a clash.

Parts are known by their ``id``, so that a list can be reordered on one side and edited on the other; lists of words,
such as tags, merge as sets in an order; every other list is one value.
"""

from __future__ import annotations

from typing import Any

from nexa_core.architecture_sessions.values import MISSING, same
from nexa_core.architecture_sessions.views import Clash

Path = tuple[str, ...]


def merge(base: Any, mine: Any, theirs: Any, path: Path = ()) -> tuple[Any, tuple[Clash, ...]]:
    """What both sides want of a value that was ``base``, and where they disagree; there, ``theirs`` stands."""
    clashes: list[Clash] = []
    return _merged(base, mine, theirs, path, clashes), tuple(clashes)


def _merged(base: Any, mine: Any, theirs: Any, path: Path, clashes: list[Clash]) -> Any:
    if base is theirs:  # nobody saved meanwhile: nothing to look for
        return mine
    if same(mine, theirs) or same(base, mine):
        return theirs
    if same(base, theirs):
        return mine
    if isinstance(mine, dict) and isinstance(theirs, dict):
        return _objects(base if isinstance(base, dict) else {}, mine, theirs, path, clashes)
    if isinstance(mine, list) and isinstance(theirs, list):
        before = base if isinstance(base, list) else []
        olds, ours, others = by_key(before), by_key(mine), by_key(theirs)
        if olds is not None and ours is not None and others is not None:
            return _lists(olds, ours, others, path, clashes)
    return _clash(base, mine, theirs, path, clashes)


def _objects(base: Any, mine: Any, theirs: Any, path: Path, clashes: list[Clash]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in dict.fromkeys([*theirs, *mine, *base]):
        value = _merged(base.get(key, MISSING), mine.get(key, MISSING), theirs.get(key, MISSING), (*path, key), clashes)
        if value is not MISSING:
            found[key] = value
    return found


def _lists(base: Any, mine: Any, theirs: Any, path: Path, clashes: list[Clash]) -> list[Any]:
    """Lists whose items are known by a key: who is in it, what each is, and in which order they stand."""
    found = _objects(base, mine, theirs, path, clashes)
    return [found[key] for key in _order(list(base), list(mine), list(theirs), set(found), path, clashes)]


def _order(
    base: list[str], mine: list[str], theirs: list[str], kept: set[str], path: Path, clashes: list[Clash]
) -> list[str]:
    common = set(base) & set(mine) & set(theirs)
    orders = [[key for key in side if key in common] for side in (base, mine, theirs)]
    leading, following = (theirs, mine) if orders[0] == orders[1] else (mine, theirs)
    if orders[0] not in orders[1:] and orders[1] != orders[2]:
        clashes.append(Clash(path, "order", orders[0], orders[1], orders[2]))
    order = [key for key in leading if key in kept]
    standing = set(order)
    follows: dict[str | None, str | None] = dict(zip([None, *order], [*order, None], strict=True))
    before: str | None = None  # what stands last of what was looked at; None is the beginning
    for key in following:
        if key in kept and key not in standing:  # only they have it: beside what stands beside it with them
            if before is None:
                behind = next((k for k in following if k in standing), None)
                place = order.index(behind) if behind is not None else len(order)
                before = order[place - 1] if place else None
            follows[key], follows[before] = follows[before], key
            standing.add(key)
        if key in standing:
            before = key
    found: list[str] = []
    at = follows[None]
    while at is not None:
        found.append(at)
        at = follows[at]
    return found


def by_key(items: list[Any]) -> dict[str, Any] | None:
    """The items by what they are known by: the ``id`` of parts, words by themselves; None for any other list."""
    found: dict[str, Any] = {}
    for item in items:
        key = item.get("id") if isinstance(item, dict) else item
        if not isinstance(key, str) or key in found:
            return None
        found[key] = item
    return found


def _clash(base: Any, mine: Any, theirs: Any, path: Path, clashes: list[Clash]) -> Any:
    kind = "removed_by_me" if mine is MISSING else "removed_by_them" if theirs is MISSING else "edited"
    shown = [None if side is MISSING else side for side in (base, mine, theirs)]
    clashes.append(Clash(path, kind, *shown))
    return theirs
