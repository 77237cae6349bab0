"""JSON values: when two are the same, which can be stored, and the way back from one to the one before."""

from __future__ import annotations

import json
import math
from typing import Any, Final

from nexa_core.errors import Invalid

#: Most bytes of one document as JSON, and how deep it may be nested.
DOCUMENT_BYTES: Final = 2 * 1024 * 1024
DEEPEST: Final = 100


class _Missing:
    """There is no value, which is not the same as null."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON: true is not 1, and 1.0 is 1, as they are in the database."""
    if one is other:
        return True
    kind = type(one)
    if kind is not type(other):
        is_number = {kind, type(other)} == {int, float}
        return is_number and (one == other or _as_float(one) == _as_float(other))
    if kind is dict:
        return one.keys() == other.keys() and all(map(same, one.values(), map(other.get, one)))
    if kind is list:
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def _as_float(number: int | float) -> float:
    """PostgreSQL writes 2.5e16 as a whole number, and then has digits that a float does not."""
    try:
        return float(number)
    except OverflowError:
        return math.inf


def check_document(column: str, document: Any) -> None:
    """Raise Invalid for what PostgreSQL cannot keep as JSON, or not whole: NaN, NUL, half a character, depth, size."""
    deep, most = _looked_through(column, document)
    if deep > DEEPEST:
        raise Invalid(f"The document is nested {deep:,} levels deep; at most {DEEPEST} can be kept.", field=column)
    if most <= DOCUMENT_BYTES:
        return
    size = len(json.dumps(document, ensure_ascii=False).encode())
    if size > DOCUMENT_BYTES:
        raise Invalid(f"The document has {size:,} bytes; at most {DOCUMENT_BYTES:,} can be kept.", field=column)


def _looked_through(column: str, document: Any) -> tuple[int, int]:
    """How deep a document is nested and how many bytes it has at most, after a look at each of its values.

    Level by level, because it may be deeper than a stack. A character takes up to six bytes.
    """
    level, depth, most = [document], 0, 0
    texts: list[str] = []
    while level and depth <= 10_000:
        depth += 1
        most += 8 * len(level)  # brackets or null, a comma and a blank; with those of a text
        below: list[Any] = []
        for item in level:
            if isinstance(item, str):
                texts.append(item)
            elif isinstance(item, dict):
                texts += item
                most += 4 * len(item)
                below += item.values()
            elif isinstance(item, list):
                below += item
            elif isinstance(item, float):
                most += 32
                if not math.isfinite(item):
                    raise Invalid("A number is not a number: JSON knows neither NaN nor infinity.", field=column)
            elif isinstance(item, bool | int):
                most += 8 + int(item).bit_length()
            elif item is not None:
                raise Invalid(f"A {type(item).__name__} is no JSON.", field=column)
        level = below
    return depth, most + 6 * _characters(column, texts)


def _characters(column: str, texts: list[str]) -> int:
    """How many characters these texts have together; raises Invalid for what cannot be stored."""
    try:
        together = "".join(texts)
    except TypeError:
        raise Invalid("The keys of an object are texts.", field=column) from None
    if "\x00" in together:
        raise Invalid("A text contains a NUL character, which cannot be stored.", field=column)
    if not together.isascii():
        try:
            together.encode()
        except UnicodeEncodeError:
            raise Invalid("A text contains half a surrogate pair, which cannot be stored.", field=column) from None
    return len(together)


# The way back ---------------------------------------------------------------------------------------------------------

#: One step: ``["set", path, value]``, ``["del", path]`` or ``["splice", path, start, how many, values]``. Steps of one
#: way touch different places, so their order does not matter.
Step = list[Any]


def way_back(now: Any, before: Any) -> list[Step]:
    """The steps that make ``before`` of ``now``: of the size of the change, not of the documents."""
    steps: list[Step] = []
    _walk(now, before, [], steps)
    return steps


def _walk(now: Any, before: Any, path: list[str | int], steps: list[Step]) -> None:
    if isinstance(now, dict) and isinstance(before, dict):  # compared part by part, so that no part is twice
        for key in now.keys() | before.keys():
            if key not in before:
                steps.append(["del", [*path, key]])
            elif key not in now:
                steps.append(["set", [*path, key], before[key]])
            else:
                _walk(now[key], before[key], [*path, key], steps)
    elif same(now, before):
        return
    elif isinstance(now, list) and isinstance(before, list):
        start = 0
        while start < min(len(now), len(before)) and same(now[start], before[start]):
            start += 1
        end = 0
        while end < min(len(now), len(before)) - start and same(now[-1 - end], before[-1 - end]):
            end += 1
        if len(now) == len(before):
            for place in range(start, len(now) - end):
                _walk(now[place], before[place], [*path, place], steps)
        else:
            steps.append(["splice", path, start, len(now) - end - start, before[start : len(before) - end]])
    else:
        steps.append(["set", path, before])


def walked_back(now: Any, steps: list[Step]) -> Any:
    """What was before: ``now`` itself is left as it is."""
    for step in steps:
        now = _stepped(now, step[1], step)
    return now


def _stepped(value: Any, path: list[str | int], step: Step) -> Any:
    if not path:
        if step[0] == "set":
            return step[2]
        start, many, values = step[2:]
        return [*value[:start], *values, *value[start + many :]]
    key, rest = path[0], path[1:]
    if isinstance(value, list):
        return [_stepped(item, rest, step) if place == key else item for place, item in enumerate(value)]
    if step[0] == "del" and not rest:
        return {name: item for name, item in value.items() if name != key}
    if not rest and step[0] == "set":
        return {**value, key: step[2]}
    return {**value, key: _stepped(value[key], rest, step)}
