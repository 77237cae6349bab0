"""The forms of a session: what a person enters is kept, and what they did not touch stays as it is."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from nexa_core import architecture_sessions
from nexa_core.architecture_sessions import Edit
from nexa_core.errors import NexaError, Unauthenticated, Unavailable
from tests.pages.conftest import Shell
from tests.pages.sessions.forms import edit_grid, grid_id, opened

_ROWS = {
    "format": 1,
    "currency": "EUR",
    "rows": [
        {"id": f"row-{n}", "task": f"Task {n}", "role": "Engineer", "deliverable": "dlv-1", "optimistic_hours": 1.0,
         "likely_hours": 2.0, "pessimistic_hours": 3.0, "rate_minor": 10000}
        for n in (1, 2)
    ],
}  # fmt: skip
_SOW = {"format": 1, "deliverables": [{"id": "dlv-1", "title": "A plan"}]}


def test_a_row_that_was_added_stays_on_the_screen_when_a_cell_is_edited(stored: Any, shell: Shell) -> None:
    uuid, sign_in, actor = stored(("loe_objects",), _ROWS)
    app = opened(shell, sign_in, "loe", uuid, "Effort")
    before = grid_id(app)
    edit_grid(app, added_rows=[{"Task": "Three"}])
    edit_grid(app, added_rows=[{"Task": "Three"}, {"Task": "Four"}])
    assert grid_id(app) == before, "the browser forgets the rows that it has of a grid by another name"
    edit_grid(app, added_rows=[{"Task": "Three"}, {"Task": "Four"}], edited_rows={"0": {"Task": "One"}})
    rows = architecture_sessions.get(actor, uuid=uuid).documents["loe_objects"]["rows"]
    assert [row["task"] for row in rows] == ["One", "Task 2", "Three", "Four"]


@pytest.mark.parametrize(
    "other",
    [Edit(("sow_objects", "deliverables", "dlv-1", "title"), "Another name"), Edit(("loe_objects", "currency"), "JPY")],
)
def test_a_grid_that_is_drawn_with_something_else_begins_with_what_is_stored(
    stored: Any, shell: Shell, other: Edit
) -> None:
    uuid, sign_in, actor = stored(("loe_objects",), _ROWS)
    now = architecture_sessions.get(actor, uuid=uuid)
    now_saved = architecture_sessions.save(
        actor, uuid=uuid, version=now.version, changes=[Edit(("sow_objects",), _SOW)]
    )
    app = opened(shell, sign_in, "loe", uuid, "Effort")
    before = grid_id(app)
    edit_grid(app, edited_rows={"0": {"Task": "Edited"}})
    architecture_sessions.save(actor, uuid=uuid, version=now_saved.version, changes=[other])
    app.run()
    assert grid_id(app) != before
    edit_grid(app, edited_rows={"1": {"Task": "Edited too"}})
    rows = architecture_sessions.get(actor, uuid=uuid).documents["loe_objects"]["rows"]
    assert [row["task"] for row in rows] == ["Edited", "Edited too"]


_PLACES: dict[str, tuple[str, str, str, str]] = {
    "objects": ("structuring", "Objects", "session_objects", "objects"),
    "sections": ("sow", "Sections", "sow_objects", "sections"),
    "deliverables": ("sow", "Deliverables", "sow_objects", "deliverables"),
    "milestones": ("sow", "Milestones", "sow_objects", "milestones"),
    "assumptions": ("sow", "Scope", "sow_objects", "assumptions"),
    "diagrams": ("visuals", "Diagrams", "diagram_texts_json", "diagrams"),
    "assets": ("visuals", "Images", "visual_assets_json", "assets"),
}
_FOREIGN = {"by key": {"a": {"title": "By key"}}, "a number": 7, "a text": "words"}


@pytest.mark.parametrize("place", _PLACES)
@pytest.mark.parametrize("shape", _FOREIGN)
def test_nothing_can_be_added_where_it_would_take_the_place_of_something_foreign(
    stored: Any, shell: Shell, place: str, shape: str
) -> None:
    page, view, column, name = _PLACES[place]
    document = {"format": 1, name: _FOREIGN[shape]}
    uuid, sign_in, actor = stored((column,), document)
    app = opened(shell, sign_in, page, uuid, view)
    assert any("kept untouched" in caption.value for caption in app.caption)
    for box in app.text_input:
        if box.label in ("Title", "Another assumption"):
            box.set_value("Forged")
    for button in app.button:
        if button.label.startswith("Add") and "out_of_scope" not in str(button.key):
            button.click().run()
    assert architecture_sessions.get(actor, uuid=uuid).documents[column] == document


def test_a_grid_takes_no_rows_where_the_document_holds_something_else(stored: Any, shell: Shell) -> None:
    document = {"format": 1, "currency": "EUR", "rows": {"a": {"task": "By key"}}}
    uuid, sign_in, actor = stored(("loe_objects",), document)
    app = opened(shell, sign_in, "loe", uuid, "Effort")
    edit_grid(app, added_rows=[{"Task": "Forged"}])
    assert architecture_sessions.get(actor, uuid=uuid).documents["loe_objects"] == document


def test_what_is_no_text_stays_when_others_are_chosen(stored: Any, shell: Shell) -> None:
    document = {
        "format": 1,
        "objects": [
            {"id": "req-1", "kind": "requirement", "title": "One", "depends_on": [{"ref": 1}, "req-2", 5]},
            {"id": "req-2", "kind": "requirement", "title": "Two", "depends_on": []},
            {"id": "req-3", "kind": "requirement", "title": "Three", "depends_on": []},
        ],
    }
    uuid, sign_in, actor = stored(("session_objects",), document)
    app = opened(shell, sign_in, "structuring", uuid, "Objects")
    (box,) = [box for box in app.multiselect if box.label == "Depends on"]
    box.set_value(["req-2", "req-3"]).run()
    stored_now = architecture_sessions.get(actor, uuid=uuid).documents["session_objects"]["objects"][0]["depends_on"]
    assert stored_now == [{"ref": 1}, "req-2", 5, "req-3"]
    (box,) = [box for box in app.multiselect if box.label == "Depends on"]
    box.set_value([]).run()
    stored_now = architecture_sessions.get(actor, uuid=uuid).documents["session_objects"]["objects"][0]["depends_on"]
    assert stored_now == [{"ref": 1}, 5]


@pytest.mark.parametrize("value", [{"a": 1}, ["list"], 12, True])
def test_a_field_over_a_value_of_another_kind_is_greyed_out_and_says_why(
    stored: Any, shell: Shell, value: object
) -> None:
    one = {"id": "req-1", "title": value, "kind": value, "priority": value, "parent": value,
           "depends_on": {"a": 1}, "description": value}  # fmt: skip
    uuid, sign_in, _ = stored(("session_objects",), {"format": 1, "objects": [copy.deepcopy(one)]})
    app = opened(shell, sign_in, "structuring", uuid, "Objects")
    fields = [box for box in [*app.text_input, *app.selectbox, *app.multiselect]
              if box.key and str(box.key).startswith(str(uuid))]  # fmt: skip
    assert {box.label for box in fields} == {"Title", "Kind", "Priority", "Part of", "Depends on"}
    for box in fields:
        assert box.disabled and "JSON tab" in box.help, box.label


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Any:
    """``failing(error)``: saves fail with it; ``failing(None)``: they are done again."""
    really = architecture_sessions.save

    def make(error: NexaError | None) -> None:
        def save(*args: Any, **given: Any) -> Any:
            if error is not None:
                raise error
            return really(*args, **given)

        monkeypatch.setattr(architecture_sessions, "save", save)

    return make


def _title(app: Any) -> Any:
    return next(box for box in app.text_input if box.label == "Title")


@pytest.mark.parametrize("error", [Unavailable("The database is away."), Unauthenticated("Your sign-in has ended.")])
def test_what_could_not_be_saved_just_then_is_kept_and_saved_again(
    stored: Any, shell: Shell, failing: Any, error: NexaError
) -> None:
    document = {"format": 1, "sections": [{"id": "sec-1", "title": "Before", "markdown": ""}],
                "assumptions": [{"id": "sas-1", "text": "Said"}]}  # fmt: skip
    uuid, sign_in, actor = stored(("sow_objects",), document)
    app = opened(shell, sign_in, "sow", uuid, "Sections")
    failing(error)
    _title(app).set_value("Typed while it was away").run()
    assert any("Typed while it was away" in code.value for code in app.code)
    (again,) = [button for button in app.button if button.label == "Save again"]
    again.click().run()
    assert any("Typed while it was away" in code.value for code in app.code), "it failed again, and is kept again"
    failing(None)
    architecture_sessions.save(
        actor, uuid=uuid, version=None, changes=[Edit(("sow_objects", "assumptions", "sas-1", "text"), "By others")]
    )
    (again,) = [button for button in app.button if button.label == "Save again"]
    again.click().run()
    assert not any(button.label == "Save again" for button in app.button)
    now = architecture_sessions.get(actor, uuid=uuid).documents["sow_objects"]
    assert now["sections"][0]["title"] == "Typed while it was away" == _title(app).value
    assert now["assumptions"][0]["text"] == "By others"


def test_what_waits_does_not_go_over_what_others_wrote_meanwhile(stored: Any, shell: Shell, failing: Any) -> None:
    document = {"format": 1, "sections": [{"id": "sec-1", "title": "Before", "markdown": ""}]}
    uuid, sign_in, actor = stored(("sow_objects",), document)
    app = opened(shell, sign_in, "sow", uuid, "Sections")
    failing(Unavailable("The database is away."))
    _title(app).set_value("Mine").run()
    failing(None)
    theirs = Edit(("sow_objects", "sections", "sec-1", "title"), "Theirs")
    architecture_sessions.save(actor, uuid=uuid, version=None, changes=[theirs])
    next(button for button in app.button if button.label == "Save again").click().run()
    assert any(button.label == "Keep mine" for button in app.button), "the person is asked"
    now = architecture_sessions.get(actor, uuid=uuid).documents["sow_objects"]
    assert now["sections"][0]["title"] == "Theirs"


def test_cells_that_were_not_saved_do_not_look_saved(stored: Any, shell: Shell, failing: Any) -> None:
    uuid, sign_in, actor = stored(("loe_objects",), _ROWS)
    app = opened(shell, sign_in, "loe", uuid, "Effort")
    before = grid_id(app)
    failing(Unavailable("The database is away."))
    edit_grid(app, edited_rows={"0": {"Task": "Typed while it was away"}})
    assert grid_id(app) != before
    failing(None)
    next(button for button in app.button if button.label == "Save again").click().run()
    rows = architecture_sessions.get(actor, uuid=uuid).documents["loe_objects"]["rows"]
    assert [row["task"] for row in rows] == ["Typed while it was away", "Task 2"]


def test_a_value_that_is_sent_again_does_not_choose_between_mine_and_theirs(stored: Any, shell: Shell) -> None:
    uuid, sign_in, actor = stored(("sow_objects",), {"format": 1, "sections": [{"id": "sec-1", "title": "Before"}]})
    app = opened(shell, sign_in, "sow", uuid, "Sections")
    path = ("sow_objects", "sections", "sec-1", "title")
    now = architecture_sessions.get(actor, uuid=uuid)
    architecture_sessions.save(actor, uuid=uuid, version=now.version, changes=[Edit(path, "Theirs")])

    def title() -> str:
        (section,) = architecture_sessions.get(actor, uuid=uuid).documents["sow_objects"]["sections"]
        return str(section["title"])

    for _ in range(2):  # the second time as a browser does that asks for something else before it is answered
        next(box for box in app.text_input if box.label == "Title").set_value("Mine").run()
        assert any("Somebody changed the same value" in box.value for box in app.warning)
        assert title() == "Theirs"
    next(button for button in app.button if button.label == "Keep mine").click().run()
    assert title() == "Mine" and not app.warning
