"""Blanks: what a text leaves open as ``{{name}}``, for a template to fill and for readiness to find."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

BLANK: Final = re.compile(r"\{\{\s*([^{}\n]{1,60}?)\s*\}\}")
#: In a diagram two braces may be its own: Mermaid's hexagon begins right after the name of its node, and a record of
#: DOT has fields between bars. What a label says is left.
_BLANK_OF_A_DIAGRAM: Final = re.compile(r"(?<![\w-])\{\{\s*([^{}|\n]{1,60}?)\s*\}\}")


def blank_in(column: str) -> re.Pattern[str]:
    """How a blank is written in the documents of a column; its first group is the name."""
    return _BLANK_OF_A_DIAGRAM if column == "diagram_texts_json" else BLANK


def asked(value: Any, blank: re.Pattern[str] = BLANK) -> Iterator[str]:
    """The names of the blanks in the texts of a JSON value, in their order."""
    if isinstance(value, str):
        yield from blank.findall(value)
    elif isinstance(value, dict):
        for item in value.values():
            yield from asked(item, blank)
    elif isinstance(value, list):
        for item in value:
            yield from asked(item, blank)
