"""Documents of foreign or older shapes: every page opens, says what its form cannot show, and JSON can mend it."""

from __future__ import annotations

from typing import Any

import pytest

from nexa_core import architecture_sessions
from nexa_core.architecture_sessions import Edit
from tests.pages.conftest import Shell
from tests.pages.sessions.forms import opened

#: The columns of each page.
_PAGES = {
    "structuring": ("session_objects",),
    "sow": ("sow_objects",),
    "loe": ("loe_objects",),
    "visuals": ("diagram_texts_json", "visual_assets_json"),
}
_LISTS = {
    "session_objects": ("objects",),
    "sow_objects": ("sections", "deliverables", "milestones", "assumptions", "out_of_scope"),
    "loe_objects": ("rows",),
    "diagram_texts_json": ("diagrams",),
    "visual_assets_json": ("assets",),
}
_TABS = {
    "structuring": ("Objects", "Dependencies"),
    "sow": ("Sections", "Deliverables", "Milestones", "Scope", "Reading"),
    "loe": ("Effort",),
    "visuals": ("Diagrams", "Images"),
}


def _nested(depth: int) -> Any:
    value: Any = "the bottom"
    for _ in range(depth):
        value = {"inner": [value]}
    return value


def _parts(part: Any) -> dict[str, Any]:
    """A document whose every list holds this."""
    return {name: part for names in _LISTS.values() for name in names}


_SHAPES: dict[str, Any] = {
    "a list": [{"id": "a", "title": "In a list"}],
    "a text": "only a text",
    "a number": 42,
    "null": None,
    "lists that are objects": _parts({"a": {"title": "By key"}}),
    "lists that are numbers": _parts(7),
    "parts that are texts": _parts(["one", None, 3.5, ["nested"]]),
    "parts without ids": _parts([{"title": "No id"}, {"id": 5, "title": "A number as id"}]),
    "parts of wrong values": _parts(
        [
            {"id": "x", "title": 12, "kind": ["list"], "priority": {}, "parent": 7, "depends_on": "x", "text": None,
             "markdown": 3, "acceptance_criteria": {"a": 1}, "deliverables": 9, "due": 20260101, "covers": [None, {}],
             "optimistic_hours": "ten", "likely_hours": None, "rate_minor": [], "role": {}, "deliverable": [],
             "language": 5, "values": [], "digest": None, "alt": {}, "task": ["t"]},
        ]
    ),
    "the same id twice": _parts([{"id": "x", "title": "First"}, {"id": "x", "title": "Second"}]),
    "nested deeply": {**_parts([{"id": "x", "title": "Deep", "more": _nested(20)}]), "own": _nested(40)},
    "a megabyte": {**_parts([{"id": "x", "title": "Large"}]), "own": "x" * 1_000_000},
}  # fmt: skip


@pytest.mark.parametrize("shape", _SHAPES)
@pytest.mark.parametrize("page", _PAGES)
def test_a_page_opens_whatever_its_document_is_and_loses_nothing(
    stored: Any, shell: Shell, page: str, shape: str
) -> None:
    value, columns = _SHAPES[shape], _PAGES[page]
    uuid, sign_in, actor = stored(columns, value)
    for view in (*_TABS[page], "JSON"):
        app = opened(shell, sign_in, page, uuid, view)
        assert not app.exception, view
        assert not app.error, (view, [box.value for box in app.error])
        assert app.title[0].value == "Foreign"
    now = architecture_sessions.get(actor, uuid=uuid)
    assert [now.documents[column] for column in columns] == [value] * len(columns), "opening changes nothing"
    # What the JSON tab sends: the whole document, with a key more.
    mended = {**value, "mended": True} if isinstance(value, dict) else {"was": value, "mended": True}
    architecture_sessions.save(actor, uuid=uuid, version=now.version, changes=[Edit((columns[0],), mended)])
    assert architecture_sessions.get(actor, uuid=uuid).documents[columns[0]] == mended
    assert not opened(shell, sign_in, page, uuid, _TABS[page][0]).error
