"""Documents of any shape, read without trust: what is not as it should be is left out, never raised about."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import isfinite
from typing import Any

#: Numbers beyond this are typing mistakes; nothing is computed with them.
_MOST = 10**12
_NUMBER = re.compile(r"[+-]?(\d{1,13}(\.\d{0,12})?|\.\d{1,12})")


def parts(document: object, key: str) -> Iterator[Mapping[str, Any]]:
    """The objects in one list of a document, in order; nothing where there is no such list."""
    found = document.get(key) if isinstance(document, Mapping) else None
    if isinstance(found, list):
        yield from (part for part in found if isinstance(part, Mapping))


def words(part: object, key: str) -> str:
    """A text, trimmed; the empty text for anything else. A number reads as it is written."""
    value = part.get(key) if isinstance(part, Mapping) else None
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def names(part: object, key: str) -> tuple[str, ...]:
    """The texts in a list, such as references to other parts."""
    value = part.get(key) if isinstance(part, Mapping) else None
    return tuple(item for item in value if isinstance(item, str) and item) if isinstance(value, list) else ()


def number(part: object, key: str) -> Fraction | None:
    """An exact number: 1.1 is eleven tenths, as it was typed. None for what is no finite, sensible number."""
    value = part.get(key) if isinstance(part, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, float) and not isfinite(value):
        return None
    if isinstance(value, int) and abs(value) > _MOST:
        return None
    written = repr(value) if isinstance(value, float) else str(value).strip()
    if isinstance(value, str) and not _NUMBER.fullmatch(written):
        return None
    exact = Fraction(written)
    return exact if abs(exact) <= _MOST else None


def shown(value: object, most: int = 80) -> str:
    """A text short enough for a sentence."""
    text = " ".join(str(value).split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
