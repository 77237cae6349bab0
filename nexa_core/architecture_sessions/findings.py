"""What a check of readiness is given and what it finds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias

from nexa_core.architecture_sessions.foreign import parts, shown, words

#: The pages as a sentence begins with them.
PAGES: Final = {
    "structuring": "The structuring", "sow": "The statement of work", "loe": "The effort", "visuals": "The visuals"
}  # fmt: skip


class Severity(StrEnum):
    """How much a finding matters. A blocking policy is about errors alone."""

    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look after. ``page`` and ``part`` lead to its place; ``part`` is empty for the page as a whole."""

    check: str
    severity: Severity
    sentence: str
    page: str
    part: str = ""
    line: int | None = None


class Documents:
    """The documents as the checks read them."""

    def __init__(self, documents: Mapping[str, Any], today: dt.date, draw: bool) -> None:
        self.today, self.draw = today, draw
        self.structuring = documents.get("session_objects")
        self.sow = documents.get("sow_objects")
        self.loe = documents.get("loe_objects")
        self.texts = documents.get("diagram_texts_json")
        self.assets = documents.get("visual_assets_json")
        self.objects = list(parts(self.structuring, "objects"))
        self.deliverables = list(parts(self.sow, "deliverables"))
        self.rows = list(parts(self.loe, "rows"))
        self.diagrams = list(parts(self.texts, "diagrams"))
        self.kinds = {words(part, "id"): words(part, "kind") for part in self.objects if words(part, "id")}
        self.titles = {words(part, "id"): words(part, "title") for part in self.deliverables if words(part, "id")}
        self.components = {part for part, kind in self.kinds.items() if kind == "component"}


Check: TypeAlias = Callable[[Documents], Iterator[Finding]]


def title_of(part: Mapping[str, Any]) -> str:
    """What a sentence calls a part."""
    return shown(words(part, "title") or words(part, "task") or words(part, "id") or "untitled")


def task_of(row: Mapping[str, Any]) -> str:
    """What a sentence calls a row of effort."""
    return shown(words(row, "task") or words(row, "id") or "A row")
