"""What is different between two states of the documents: as data that a screen can draw, and in sentences.

LOE 310 h to 342 h, +32 h in Data
Deliverable 3 reworded
Diagram 2: node removed
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from nexa_core.architecture_sessions.documents import COLUMNS
from nexa_core.architecture_sessions.effort import tasks
from nexa_core.architecture_sessions.merging import by_key
from nexa_core.architecture_sessions.values import MISSING, same

What = Literal["added", "removed", "changed", "moved"]

#: The page of each column, and what the parts of its lists are called.
PAGES: Final = {column: page for page, columns in COLUMNS.items() for column in columns}
_PAGE_NAMES: Final = {
    "session_objects": "Structuring",
    "sow_objects": "Statement of work",
    "loe_objects": "Level of effort",
    "diagram_texts_json": "Diagrams",
    "visual_assets_json": "Assets",
}
_NOUNS: Final = {
    ("session_objects", "objects"): "object",
    ("sow_objects", "sections"): "section",
    ("sow_objects", "deliverables"): "deliverable",
    ("sow_objects", "milestones"): "milestone",
    ("sow_objects", "assumptions"): "assumption",
    ("sow_objects", "out_of_scope"): "exclusion",
    ("loe_objects", "rows"): "row",
    ("diagram_texts_json", "diagrams"): "diagram",
    ("visual_assets_json", "assets"): "asset",
}
_WORDS: Final = frozenset({"title", "description", "markdown", "text", "task", "acceptance_criteria", "alt"})
_NODE: Final = re.compile(r"\b([A-Za-z_]\w*)\s*(?:\[|\(|\{|>)")


@dataclass(frozen=True, slots=True)
class Difference:
    """One place that differs. ``path`` is column, keys and ids of parts; ``label`` names the part for people.

    ``before`` and ``after`` are JSON values; None where there is nothing, or where something moved in its list.
    """

    column: str
    path: tuple[str, ...]
    what: What
    label: str
    before: Any
    after: Any

    @property
    def page(self) -> str:
        return PAGES[self.column]


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Every place where two states of the documents differ, in the order of the pages; columns not given are empty."""
    return tuple(
        difference
        for column in PAGES
        for difference in _between(before.get(column, {}), after.get(column, {}), (column,), _PAGE_NAMES[column])
    )


def _between(before: Any, after: Any, path: tuple[str, ...], label: str) -> Iterator[Difference]:
    if same(before, after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys([*before, *after]):
            inner = label if len(path) > 1 else f"{label}: {key.replace('_', ' ')}"
            yield from _between(before.get(key, MISSING), after.get(key, MISSING), (*path, key), inner)
        return
    if isinstance(before, list | _Missing) and isinstance(after, list | _Missing):
        olds, news = (by_key(side if isinstance(side, list) else []) for side in (before, after))
        if olds is not None and news is not None and (olds or news):
            yield from _between_lists(olds, news, path)
            return
    what: What = "added" if before is MISSING else "removed" if after is MISSING else "changed"
    yield Difference(path[0], path, what, label, *(None if side is MISSING else side for side in (before, after)))


_Missing: Final = type(MISSING)


def _between_lists(olds: dict[str, Any], news: dict[str, Any], path: tuple[str, ...]) -> Iterator[Difference]:
    places = {key: place for place, key in enumerate(olds)}
    stayed = _longest_run([places[key] for key in news if key in places])
    for number, (key, value) in enumerate(news.items(), start=1):
        label = _name(path, number, value)
        if key not in olds:
            yield Difference(path[0], (*path, key), "added", label, None, value)
            continue
        if places[key] not in stayed:
            yield Difference(path[0], (*path, key), "moved", label, None, None)
        yield from _between(olds[key], value, (*path, key), label)
    for number, (key, value) in enumerate(olds.items(), start=1):
        if key not in news:
            yield Difference(path[0], (*path, key), "removed", _name(path, number, value), value, None)


def _longest_run(places: list[int]) -> set[int]:
    """The longest rising subsequence: those that kept their order, so that as few as possible count as moved.

    By patience sorting, as documents may have lists of tens of thousands.
    """
    tops: list[int] = []  # the lowest place a run of each length ends with
    before: dict[int, int | None] = {}  # what stands before each place in the longest run that ends there
    for place in places:
        length = bisect_left(tops, place)
        before[place] = tops[length - 1] if length else None
        tops[length : length + 1] = [place]
    run: set[int] = set()
    last = tops[-1] if tops else None
    while last is not None:
        run.add(last)
        last = before[last]
    return run


def _name(path: tuple[str, ...], number: int, value: Any) -> str:
    noun = _NOUNS.get((path[0], path[-1]), path[-1].replace("_", " ").removesuffix("s"))
    if isinstance(value, dict):
        kind = value.get("kind")
        if path[0] == "session_objects" and isinstance(kind, str) and kind:
            noun = kind[:30]
        title = value.get("title")
        if noun == kind and isinstance(title, str) and title.strip():
            return f"{noun.capitalize()} “{title.strip()[:60]}”"
    elif isinstance(value, str):
        return f"{noun.capitalize()} “{value[:60]}”"
    return f"{noun.capitalize()} {number}"


# Sentences ------------------------------------------------------------------------------------------------------------


def sentences(before: Mapping[str, Any], after: Mapping[str, Any], *, most: int = 12) -> tuple[str, ...]:
    """The differences as a person would tell them, the most telling ones first; what is beyond ``most`` is counted."""
    found = list(dict.fromkeys(_told(before, after)))
    if len(found) > most:
        rest = len(found) - most
        found = [*found[:most], f"and {rest} more change{'s' if rest > 1 else ''}"]
    return tuple(found)


def _told(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    yield from _hours(before, after)
    told = differences(before, after)
    added_rows = sum(d.what == "added" and d.path[1:2] == ("rows",) for d in told)
    for difference in told:
        if difference.path[:2] == ("loe_objects", "rows"):
            continue
        yield _sentence(difference)
    rows = [d for d in told if d.path[:2] == ("loe_objects", "rows")]
    removed = sum(d.what == "removed" and len(d.path) == 3 for d in rows)
    changed = len({d.path[2] for d in rows if len(d.path) > 2 and (d.what == "changed" or len(d.path) > 3)})
    for count, what in ((added_rows, "added"), (removed, "removed"), (changed, "changed")):
        if count:
            yield f"{count} row{'s' if count > 1 else ''} of the level of effort {what}"


def _sentence(difference: Difference) -> str:
    key, label = difference.path[-1], difference.label
    is_part = len(difference.path) == 3
    if difference.what == "moved":
        return f"{label} moved"
    if is_part and difference.what in ("added", "removed"):
        return f"{label} {difference.what}"
    if difference.column == "diagram_texts_json" and key == "text":
        return f"{label}: {_of_nodes(difference.before, difference.after)}"
    if key == "due":
        return f"{label}: due {difference.before or 'never'} to {difference.after or 'never'}"
    if len(difference.path) > 2 and (_WORDS & set(difference.path[2:])):
        return f"{label} reworded"
    if len(difference.path) > 2:
        name = difference.path[3] if len(difference.path) > 3 else key
        return f"{label}: {name.replace('_', ' ')} changed"
    return f"{label} {difference.what}"


def _of_nodes(before: Any, after: Any) -> str:
    """What happened to the nodes of a diagram; text that names none is only reworded."""
    olds, news = (set(_NODE.findall(side)) if isinstance(side, str) else set() for side in (before, after))
    gained, lost = len(news - olds), len(olds - news)
    told = [
        f"{'node' if count == 1 else f'{count} nodes'} {what}"
        for count, what in ((gained, "added"), (lost, "removed"))
        if count
    ]
    return " and ".join(told) or "redrawn"


def _hours(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    if same(before.get("loe_objects"), after.get("loe_objects")):
        return
    olds, news = _hours_by_place(before), _hours_by_place(after)
    old, new = sum(olds.values()), sum(news.values())
    moved = {name: news.get(name, 0) - olds.get(name, 0) for name in olds.keys() | news.keys()}
    moved = {name: hours for name, hours in moved.items() if round(hours, 1)}
    if not moved:
        return
    told = f"LOE {_shown(old)} h to {_shown(new)} h"
    most = sorted(moved.items(), key=lambda item: (-abs(item[1]), item[0]))[:2]
    yield ", ".join([told, *(f"{'+' if hours > 0 else '−'}{_shown(abs(hours))} h in {name}" for name, hours in most)])


def _hours_by_place(documents: Mapping[str, Any]) -> dict[str, float]:
    """Mean hours, as the page counts them, by the title of the deliverable they are for, else by role."""
    titles = {
        part.get("id"): part.get("title")
        for part in _parts(documents.get("sow_objects"), "deliverables")
        if isinstance(part.get("id"), str)
    }
    found: dict[str, float] = {}
    for task in tasks(documents.get("loe_objects")):
        title = titles.get(task.deliverable)
        place = title if isinstance(title, str) and title else task.role
        name = place[:60] or "no role"
        found[name] = found.get(name, 0) + task.mean_hours
    return found


def _parts(document: Any, name: str) -> Iterator[dict[str, Any]]:
    parts = document.get(name) if isinstance(document, dict) else None
    yield from (part for part in (parts if isinstance(parts, list) else []) if isinstance(part, dict))


def _shown(hours: float) -> str:
    return f"{hours:,.1f}".removesuffix(".0")
