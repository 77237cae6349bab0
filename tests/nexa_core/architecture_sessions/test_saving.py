"""Saving: nothing is lost, nothing is saved twice, and who disagrees is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexa_core import architecture_sessions as sessions
from nexa_core.architecture_sessions import Edit, EditConflict, ReasonNeeded, Saved, saving
from nexa_core.architecture_sessions import remembered as remembering
from nexa_core.architecture_sessions.edits import edited
from nexa_core.errors import Conflict, Forbidden, Invalid, NotFound
from tests.databases import TestDatabase
from tests.nexa_core.architecture_sessions.conftest import Cast

SOW: dict[str, Any] = {
    "format": 1,
    "sections": [
        {"id": "sec-1", "title": "Scope", "markdown": "What we do."},
        {"id": "sec-2", "title": "Approach", "markdown": "How we do it."},
    ],
    "deliverables": [{"id": "dlv-1", "title": "Report", "acceptance_criteria": [], "covers": ["req-1"]}],
    "unknown": {"kept": [1, 2.5, None, True, {"deep": "er"}]},
}


def test_a_save_is_there(cast: Cast) -> None:
    made = sessions.create(cast.ada, title=" Platform  review ", client="Initech", tags=["cloud", "cloud", "data"])
    assert (made.title, made.client, made.tags, made.version, made.revision) == (
        "Platform review", "Initech", ("cloud", "data"), 1, 1,
    )  # fmt: skip
    saved = sessions.save(cast.ada, uuid=made.uuid, version=1, documents={"sow_objects": SOW})
    assert (saved.version, saved.revision, saved.changed, saved.merged, saved.documents) == (
        2, 1, ("sow_objects",), False, {},
    )  # fmt: skip
    found = sessions.get(cast.eve, uuid=made.uuid)
    assert found.documents["sow_objects"] == SOW and found.documents["loe_objects"] == {}
    assert found.version == 2 and found.author_name == "Ada Lovelace" and not found.may_write
    assert {p.page: (p.done, p.total) for p in found.progress}["sow"] == (2, 3)


def test_what_is_there_already_is_not_saved(cast: Cast, database: TestDatabase) -> None:
    made = sessions.create(cast.ada, title="Review", documents={"sow_objects": SOW})
    before = _counts(database)
    again = sessions.save(cast.ada, uuid=made.uuid, version=1, title="Review", documents={"sow_objects": SOW})
    assert again.changed == () and again.version == 1
    assert _counts(database) == before


def test_one_revision_and_one_entry_a_burst(cast: Cast, database: TestDatabase) -> None:
    made = sessions.create(cast.ada, title="Review")
    version = 1
    for number in range(5):
        version = sessions.save(
            cast.ada, uuid=made.uuid, version=version, documents={"sow_objects": {"n": number}}
        ).version
    assert _counts(database)[:2] == (1, 1), "the burst of the one who made it goes on"
    for number in range(5):
        for actor in (cast.bob, cast.ada):
            sessions.save(
                actor, uuid=made.uuid, version=None, documents={"loe_objects": {"by": actor.email, "n": number}}
            )
    assert _counts(database)[:2] == (2, 2), "two people at once have a burst each"
    with database.superuser() as connection:
        connection.execute("UPDATE session_revisions SET ended_at = ended_at - interval '6 minutes'")
    sessions.save(cast.ada, uuid=made.uuid, version=None, documents={"loe_objects": {"n": "later"}})
    assert _counts(database)[:2] == (3, 3)
    with database.superuser() as connection:
        documents = connection.execute(
            "SELECT revision, documents->'loe_objects'->>'n' FROM session_revisions ORDER BY revision"
        ).fetchall()
        left = connection.execute(
            "SELECT new_values->'loe_objects' FROM audit_logs WHERE action = 'session.edited' ORDER BY created_at"
        ).fetchall()
    assert documents == [(1, "4"), (2, "4"), (3, None)], "only the newest state lives in the session itself"
    assert all(set(value) == {"sha256", "bytes"} for (value,) in left), "the log holds no text"


def test_the_log_tells_details_and_tags_from_documents(cast: Cast, database: TestDatabase) -> None:
    made = sessions.create(cast.ada, title="Review")
    for change in ({"client": "Initech"}, {"tags": ["cloud"]}, {"tags": ["x"], "title": "Audit"}, {"client": "Globex"}):
        sessions.save(cast.ada, uuid=made.uuid, version=None, **change)
    sessions.save(cast.ada, uuid=made.uuid, version=None, title="Both", documents={"sow_objects": SOW})
    with database.superuser() as connection:
        actions = connection.execute(
            "SELECT action FROM audit_logs WHERE resource_type = 'session' ORDER BY created_at"
        )
        found = [action.removeprefix("session.") for (action,) in actions]
    said = ["created", "details_changed", "tagged", "details_changed", "details_changed", "edited"]
    assert found == said


def _counts(database: TestDatabase) -> tuple[int, int, int]:
    with database.superuser() as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM session_revisions),"
            " (SELECT count(*) FROM audit_logs WHERE resource_type = 'session'), (SELECT count(*) FROM session_saves)"
        ).fetchone()
    assert row is not None
    return row


def test_changes_of_different_values_merge(cast: Cast) -> None:
    made = sessions.create(cast.ada, title="Review", documents={"sow_objects": SOW})
    path = ("sow_objects", "sections")
    sessions.save(cast.ada, uuid=made.uuid, version=1, changes=[Edit((*path, "sec-1", "markdown"), "Ada's text.")])
    sessions.save(cast.bob, uuid=made.uuid, version=1, changes=[Edit((*path, "sec-1"), op="move", after="sec-2")])
    late = sessions.save(
        cast.bob, uuid=made.uuid, version=1, title="Bob's title",
        changes=[Edit((*path, "sec-2", "title"), "Bob's approach"), Edit((*path, "sec-3"), {"id": "sec-3"})],
    )  # fmt: skip
    assert late.merged and late.version == 4
    found = sessions.get(cast.ada, uuid=made.uuid)
    assert found.title == "Bob's title"
    assert found.documents["sow_objects"]["sections"] == [
        {"id": "sec-2", "title": "Bob's approach", "markdown": "How we do it."},
        {"id": "sec-3"},
        {"id": "sec-1", "title": "Scope", "markdown": "Ada's text."},
    ]
    assert late.documents["sow_objects"] == found.documents["sow_objects"], "the writer is told what is there now"
    assert found.documents["sow_objects"]["unknown"] == SOW["unknown"]


LONG = {"sow_objects": {"deliverables": [{"id": f"dlv-{n}", "title": f"Part {n}"} for n in range(20_000)]}}
WHERE = ("sow_objects", "deliverables")


@pytest.mark.parametrize(
    "changes",
    [
        [Edit((*WHERE, f"dlv-{19_999 - n}", "title"), "New") for n in range(1_000)],
        [Edit((*WHERE, f"new-{n}"), {"id": f"new-{n}"}, after="dlv-19999") for n in range(1_000)],
        [Edit((*WHERE, f"dlv-{19_999 - n}"), op="move", after=f"dlv-{18_000 - n}") for n in range(1_000)],
        [Edit((*WHERE, f"dlv-{19_999 - n}"), op="remove") for n in range(1_000)],
        [Edit((*WHERE, "nobody"), op="remove") for _ in range(1_000)],
    ],
    ids=["set", "add", "move", "remove", "nothing"],
)
def test_a_thousand_edits_of_a_long_list_take_no_look_at_each_part(changes: list[Edit]) -> None:
    looked = 0

    class Counted(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            nonlocal looked
            looked += 1
            return super().get(key, default)

    parts = [Counted(part) for part in LONG["sow_objects"]["deliverables"]]
    edited({"sow_objects": {"deliverables": parts}}, changes)
    assert looked < 25_000, "a list is looked through once, not once an edit"


steps = st.sampled_from(["a", "b", "c", "id", 0, 1])
items = st.recursive(
    st.sampled_from(["a", "b"]), lambda inner: st.fixed_dictionaries({"id": st.sampled_from(["a", "b", 1]), "c": inner})
)


@settings(max_examples=200, deadline=None)
@given(
    held=st.lists(items, max_size=5),
    changes=st.lists(
        st.tuples(steps, st.sampled_from(["set", "remove", "move"]), items, st.sampled_from([None, "a", "c"])),
        max_size=6,
    ),
)
def test_a_part_is_the_first_of_its_name_whatever_came_and_went(held: list[Any], changes: list[Any]) -> None:
    """Edits done together do what they do one by one, where each looks at the list as it is."""
    together: Any = {"sow_objects": {"x": held}}
    made = [Edit(("sow_objects", "x", step), value, op, after) for step, op, value, after in changes]
    one_by_one = together
    try:
        for edit in made:
            one_by_one = edited(one_by_one, [edit])
    except Invalid:
        with pytest.raises(Invalid):
            edited(together, made)
        return
    assert edited(together, made) == one_by_one


def test_the_same_value_asks_and_keeps_both(cast: Cast) -> None:
    made = sessions.create(cast.ada, title="Review", documents={"sow_objects": SOW})
    where = ("sow_objects", "sections", "sec-1", "markdown")
    sessions.save(cast.ada, uuid=made.uuid, version=1, changes=[Edit(where, "Ada's")])
    with pytest.raises(EditConflict) as refused:
        sessions.save(
            cast.bob, uuid=made.uuid, version=1, changes=[Edit(where, "Bob's"), Edit((*where[:-1], "title"), "Bob's")]
        )
    (clash,) = refused.value.clashes
    assert (clash.path, clash.kind, clash.base, clash.mine, clash.theirs) == (
        where, "edited", "What we do.", "Bob's", "Ada's",
    )  # fmt: skip
    assert refused.value.current_version == 2
    found = sessions.get(cast.ada, uuid=made.uuid).documents["sow_objects"]["sections"][0]
    assert found["markdown"] == "Ada's" and found["title"] == "Scope", "all of a save or nothing"
    sessions.save(cast.bob, uuid=made.uuid, version=2, changes=[Edit(where, "Bob's")])
    with pytest.raises(EditConflict) as gone:
        sessions.save(cast.ada, uuid=made.uuid, version=1, changes=[Edit(where[:-1], op="remove")])
    assert gone.value.clashes[0].kind == "removed_by_me"


def test_a_save_from_before_anybody_remembers_loses_nothing(cast: Cast, database: TestDatabase) -> None:
    made = sessions.create(cast.ada, title="Review")
    for number in range(3):
        sessions.save(cast.ada, uuid=made.uuid, version=None, documents={"sow_objects": {"n": number}})
    with database.superuser() as connection:
        connection.execute("DELETE FROM session_saves WHERE version < 4")
    with pytest.raises(EditConflict) as refused:
        sessions.save(cast.ada, uuid=made.uuid, version=1, documents={"sow_objects": {"n": "old"}})
    assert refused.value.clashes[0].mine == {"n": "old"} and refused.value.clashes[0].theirs == {"n": 2}
    assert sessions.save(cast.ada, uuid=made.uuid, version=3, documents={"loe_objects": {"m": 1}}).merged
    with pytest.raises(EditConflict):
        sessions.save(cast.ada, uuid=made.uuid, version=99, documents={"sow_objects": {}})


def _part(text: str, *, number: int = 1) -> Edit:
    return Edit(("sow_objects", "sections", f"sec-{number}", "markdown"), text)


def _texts(cast: Cast, uuid: UUID) -> list[str]:
    return [section["markdown"] for section in sessions.get(cast.ada, uuid=uuid).documents["sow_objects"]["sections"]]


@pytest.fixture
def remembered(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Saved:
    """A session that this process saved last; from here on, all it may do is save upon what it remembers."""
    made = sessions.create(cast.ada, title="Review", documents={"sow_objects": SOW})
    saved = sessions.save(cast.ada, uuid=made.uuid, version=1, changes=[_part("One.")])

    def opened(*_: object, **__: object) -> None:
        pytest.fail("a save that could go in one message opened a transaction")

    monkeypatch.setattr(saving, "recording", opened)
    return saved


def test_who_goes_on_saves_in_one_message(cast: Cast, remembered: Saved) -> None:
    uuid, version = remembered.uuid, remembered.version
    saved = sessions.save(cast.ada, uuid=uuid, version=version, changes=[_part("Two.", number=2)])
    assert (saved.version, saved.revision, saved.changed, saved.merged) == (3, 1, ("sow_objects",), False)
    whole = {**SOW, "sections": [{**SOW["sections"][0], "markdown": "Three."}]}
    assert sessions.save(cast.bob, uuid=uuid, version=3, documents={"sow_objects": whole}).revision == 2
    assert _texts(cast, uuid) == ["Three."]


def test_what_was_remembered_is_left_when_the_row_is_another(
    cast: Cast, remembered: Saved, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody changes a text where no version tells it, as erasing a person does: an edit of another text keeps it."""
    with database.superuser() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "UPDATE ai_architecture_sessions"
            " SET sow_objects = jsonb_set(sow_objects, '{sections,1,markdown}', '\"Erased.\"')"
        )
    monkeypatch.undo()
    uuid, version = remembered.uuid, remembered.version
    assert sessions.save(cast.ada, uuid=uuid, version=version, changes=[_part("Two.")]).version == 3
    assert _texts(cast, uuid) == ["Two.", "Erased."]


def test_what_others_saved_meanwhile_is_merged(
    cast: Cast, remembered: Saved, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    uuid, version = remembered.uuid, remembered.version
    known = dict(remembering._remembered)
    sessions.save(cast.bob, uuid=uuid, version=version, changes=[_part("Bob's.", number=2)])
    remembering._remembered.update(known)  # Bob saved in another process
    saved = sessions.save(cast.ada, uuid=uuid, version=version, changes=[_part("Ada's.")])
    assert saved.merged and _texts(cast, uuid) == ["Ada's.", "Bob's."]


def test_what_was_given_may_change_after_it_was_saved(cast: Cast, remembered: Saved) -> None:
    document: dict[str, Any] = {"sections": [{"id": "sec-1", "markdown": "One."}]}
    uuid = remembered.uuid
    sessions.save(cast.ada, uuid=uuid, version=2, documents={"sow_objects": document})
    document["sections"][0]["markdown"] = "Two."
    assert sessions.save(cast.ada, uuid=uuid, version=3, documents={"sow_objects": document}).changed
    assert _texts(cast, uuid) == ["Two."]


def test_nobody_learns_from_what_is_remembered(cast: Cast, remembered: Saved, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a path leads anywhere in a document that was just saved is told to who may read it."""
    monkeypatch.undo()
    astray = [Edit(("sow_objects", "format", "deeper"), 1)]
    uuid, version = remembered.uuid, remembered.version
    with pytest.raises(Invalid, match="leads nowhere"):
        sessions.save(cast.bob, uuid=uuid, version=version, changes=astray)
    for outsider, refusal in ((cast.stranger, NotFound), (cast.root, ReasonNeeded)):
        with pytest.raises(refusal):
            sessions.save(outsider, uuid=uuid, version=version, changes=astray)
    sessions.trash(cast.ada, uuid=uuid)
    with pytest.raises(Conflict, match="trash"):
        sessions.save(cast.ada, uuid=uuid, version=version, changes=[_part("Two.")])


def test_a_number_that_postgresql_writes_out_is_not_remembered(cast: Cast) -> None:
    """1e22 comes back as a whole number, and one more than that is another number, but not another float."""
    made = sessions.create(cast.ada, title="Numbers")
    saved = sessions.save(
        cast.ada, uuid=made.uuid, version=1, documents={"sow_objects": {"n": 1e22}, "loe_objects": {"n": 1}}
    )
    more = {"sow_objects": {"n": 10**22 + 1}, "loe_objects": {"n": 2}}
    saved = sessions.save(cast.ada, uuid=made.uuid, version=saved.version, documents=more)
    assert set(saved.changed) == {"sow_objects", "loe_objects"}
    assert sessions.get(cast.ada, uuid=made.uuid).documents["sow_objects"] == {"n": 10**22 + 1}


def test_only_the_row_says_that_a_path_leads_nowhere(
    cast: Cast, remembered: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is remembered may have been rolled back, while another process committed a version of the same number."""
    monkeypatch.undo()
    uuid = remembered.uuid
    known = remembering._remembered[uuid]
    rolled_back = replace(known, stamp="7", texts={"sow_objects": "{}"})
    remembering._remembered[uuid] = rolled_back
    assert sessions.save(cast.ada, uuid=uuid, version=remembered.version, changes=[_part("Two.")]).version == 3
    assert _texts(cast, uuid) == ["Two.", "How we do it."]


def test_only_what_is_edited_is_read_of_what_is_remembered(remembered: Saved) -> None:
    known = replace(remembering._remembered[remembered.uuid], texts={"sow_objects": "{}", "loe_objects": "not read"})
    assert known.values({"sow_objects"}) == {"sow_objects": {}}


def test_who_may_not_write_writes_nothing(cast: Cast) -> None:
    made = sessions.create(cast.ada, title="Review")
    for actor in (cast.eve, cast.manager, cast.presenter):
        with pytest.raises(Forbidden):
            sessions.save(actor, uuid=made.uuid, version=1, documents={"sow_objects": {}})
    with pytest.raises(NotFound):
        sessions.save(cast.stranger, uuid=made.uuid, version=1, documents={"sow_objects": {}})
    with pytest.raises(NotFound):
        sessions.get(cast.stranger, uuid=made.uuid)
    with pytest.raises(sessions.ReasonNeeded):
        sessions.get(cast.root, uuid=made.uuid)
    with pytest.raises(NotFound):
        sessions.get(cast.presenter, uuid=made.uuid)
    sessions.trash(cast.ada, uuid=made.uuid)
    with pytest.raises(Conflict, match="trash"):
        sessions.save(cast.ada, uuid=made.uuid, version=1, documents={"sow_objects": {"a": 1}})
    assert sessions.restore(cast.ada, uuid=made.uuid).deleted_at is None


@pytest.mark.parametrize(
    ("documents", "said"),
    [
        ({"sow": {}}, "no document"),
        ({"sow_objects": {"n": float("nan")}}, "NaN"),
        ({"sow_objects": {"t": "a\x00"}}, "NUL"),
        ({"sow_objects": {"t": "\ud800"}}, "half"),
        ({"sow_objects": {"t": "x" * 3_000_000}}, "bytes"),
        ({"sow_objects": {"t": object()}}, "no JSON"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_a_sentence(cast: Cast, documents: dict[str, Any], said: str) -> None:
    made = sessions.create(cast.ada, title="Review")
    with pytest.raises(Invalid, match=said):
        sessions.save(cast.ada, uuid=made.uuid, version=1, documents=documents)
    deep: Any = 1
    for _ in range(9_000):
        deep = [deep]
    with pytest.raises(Invalid, match="deep"):
        sessions.save(cast.ada, uuid=made.uuid, version=1, documents={"loe_objects": deep})
