"""History and templates: what was done is told, compared, brought back, and made anew from a pattern."""

from __future__ import annotations

import datetime as dt
import tracemalloc
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings

from nexa_core import accounts, audit
from nexa_core import architecture_sessions as sessions
from nexa_core.actor import Actor, Origin
from nexa_core.architecture_sessions import Edit
from nexa_core.architecture_sessions.differences import sentences
from nexa_core.architecture_sessions.effort import estimate
from nexa_core.architecture_sessions.values import same
from nexa_core.errors import Conflict, Forbidden, Invalid, NotFound
from tests.databases import TestDatabase
from tests.nexa_core.architecture_sessions.conftest import Cast
from tests.nexa_core.architecture_sessions.test_merging import JSON
from tests.worlds import World

BEFORE: dict[str, Any] = {
    "session_objects": {"objects": [{"id": "cmp-1", "kind": "component", "title": "Hub"}]},
    "sow_objects": {"deliverables": [{"id": f"dlv-{n}", "title": t} for n, t in enumerate(["Data", "Report", "Plan"])]},
    "loe_objects": {"rows": [{"id": "row-1", "role": "Architect", "deliverable": "dlv-0", "likely_hours": 310}]},
    "diagram_texts_json": {
        "diagrams": [{"id": "dia-1", "text": "x"}, {"id": "dia-2", "text": "a[A] --> b[B] --> c[C]"}]
    },
}


def close_bursts(database: TestDatabase) -> None:
    with database.superuser() as connection:
        connection.execute("UPDATE session_revisions SET ended_at = ended_at - interval '6 minutes'")


def test_history_tells_what_each_burst_did(cast: Cast, database: TestDatabase) -> None:
    made = sessions.create(cast.ada, title="Review", documents=BEFORE)
    close_bursts(database)
    sessions.save(cast.bob, uuid=made.uuid, version=1, changes=[
        Edit(("loe_objects", "rows", "row-1", "likely_hours"), 342),
        Edit(("sow_objects", "deliverables", "dlv-2", "title"), "A better plan"),
        Edit(("diagram_texts_json", "diagrams", "dia-2", "text"), "a[A] --> b[B]"),
        Edit(("session_objects", "objects", "req-9"), {"id": "req-9", "kind": "requirement", "title": "Fast"}),
    ])  # fmt: skip
    newest, first = sessions.revisions(cast.eve, uuid=made.uuid).items
    assert newest.sentences == (
        "LOE 310 h to 342 h, +32 h in Data",
        "Requirement “Fast” added",
        "Deliverable 3 reworded",
        "Diagram 2: node removed",
        "1 row of the level of effort changed",
    )
    assert (newest.author_name, newest.is_current, first.author_name) == ("Bob Moran", True, "Ada Lovelace")
    compared = sessions.compare(cast.eve, uuid=made.uuid, before=1, after=2)
    assert {d.page for d in compared.differences} == {"structuring", "sow", "loe", "visuals"}
    assert compared.sentences == newest.sentences
    page = sessions.revisions(cast.eve, uuid=made.uuid, limit=1)
    assert page.items == (newest,)
    assert sessions.revisions(cast.eve, uuid=made.uuid, after=page.next_cursor).items == (first,)


def test_the_history_counts_the_hours_that_the_page_shows(cast: Cast) -> None:
    row = {"role": "Architect", "optimistic_hours": 10, "likely_hours": 12, "pessimistic_hours": 20}
    loe = {"rows": [{"id": f"row-{n}", **row} for n in range(3)]}
    told = sentences({}, {"loe_objects": loe})
    assert estimate(loe).mean_hours == 39
    assert told[0] == "LOE 0 h to 39 h, +39 h in Architect"


def test_a_revision_comes_back_whole_or_in_part_as_a_new_one(cast: Cast, database: TestDatabase) -> None:
    made = sessions.create(cast.ada, title="Review", documents=BEFORE)
    close_bursts(database)
    sessions.save(cast.ada, uuid=made.uuid, version=1, documents={"sow_objects": {}, "loe_objects": {"rows": []}})
    part = sessions.restore_revision(cast.bob, uuid=made.uuid, revision=1, path=["loe_objects", "rows", "row-1"])
    assert (part.revision, part.changed) == (3, ("loe_objects",))
    assert sessions.get(cast.ada, uuid=made.uuid).documents["sow_objects"] == {}
    whole = sessions.restore_revision(cast.bob, uuid=made.uuid, revision=1)
    assert whole.revision == 4, "bringing back is a revision of its own, whoever did it and when"
    assert sessions.get(cast.ada, uuid=made.uuid).documents == {**BEFORE, "visual_assets_json": {}}
    assert sessions.revisions(cast.ada, uuid=made.uuid).items[0].restored_from == 1
    assert sessions.revision(cast.ada, uuid=made.uuid, revision=2).documents["sow_objects"] == {}
    for wrong in (99, 0):
        with pytest.raises(NotFound):
            sessions.restore_revision(cast.bob, uuid=made.uuid, revision=wrong)
    with pytest.raises(Invalid):
        sessions.restore_revision(cast.bob, uuid=made.uuid, revision=1, path=["colour"])
    with pytest.raises(Forbidden):
        sessions.restore_revision(cast.eve, uuid=made.uuid, revision=1)
    assert audit.verify(Actor.system()).verified


def test_a_named_revision_is_not_written_on(cast: Cast) -> None:
    made = sessions.create(cast.ada, title="Review", documents=BEFORE)
    assert sessions.name_revision(cast.ada, uuid=made.uuid, revision=1, name=" As  offered ").name == "As offered"
    saved = sessions.save(cast.ada, uuid=made.uuid, version=1, documents={"sow_objects": {}})
    assert saved.revision == 2
    assert sessions.revision(cast.ada, uuid=made.uuid, revision=1).documents["sow_objects"] == BEFORE["sow_objects"]


def test_a_template_is_filled_once_and_remembered(cast: Cast) -> None:
    text = "Dear {{ client }}, we start on {{start}}. {{{odd}}} {{}}"
    made = sessions.create(cast.ada, title="Offer for {{client}}", documents={"sow_objects": {"{{client}}": [text]}})
    with pytest.raises(NotFound):
        sessions.from_template(cast.bob, uuid=made.uuid)
    sessions.make_template(cast.ada, uuid=made.uuid)
    asked = {p.name: (p.count, p.pages) for p in sessions.placeholders(cast.bob, uuid=made.uuid)}
    assert asked == {"client": (2, ("sow",)), "start": (1, ("sow",)), "odd": (1, ("sow",))}
    used = sessions.from_template(cast.bob, uuid=made.uuid, values={"client": "Initech", "start": "{{client}}"})
    assert used.title == "Offer for Initech" and not used.is_template and used.template == made.uuid
    assert used.documents["sow_objects"] == {"{{client}}": ["Dear Initech, we start on {{client}}. {{{odd}}} {{}}"]}, (
        "filled once: what a value says is no placeholder, and keys stay"
    )
    assert sessions.template_differences(cast.bob, uuid=used.uuid).differences == ()
    edited = sessions.from_template(
        cast.bob, uuid=made.uuid, title="An offer for {{client}}", client="{{client}} Ltd", values={"client": "Initech"}
    )
    assert (edited.title, edited.client) == ("An offer for Initech", "Initech Ltd"), (
        "as a screen offers it to be edited"
    )
    with pytest.raises(Invalid):
        sessions.from_template(cast.bob, uuid=made.uuid, title="x {{client}}", values={"client": "y" * 255})
    sessions.save(cast.ada, uuid=made.uuid, version=None, documents={"loe_objects": {"rows": []}})
    told = sessions.template_differences(cast.bob, uuid=used.uuid)
    assert (told.made_from_revision, told.newest_revision) == (1, 2) and [d.page for d in told.differences] == ["loe"]
    with pytest.raises(NotFound):
        sessions.from_template(cast.stranger, uuid=made.uuid)
    with pytest.raises(Conflict):
        sessions.template_differences(cast.ada, uuid=made.uuid)
    assert not sessions.unmake_template(cast.ada, uuid=made.uuid).is_template


def test_a_template_that_would_grow_too_large_is_refused_before_it_grows(cast: Cast) -> None:
    made = sessions.create(cast.ada, title="Offer", documents={"sow_objects": {"notes": ["{{a}} " * 10_000]}})
    sessions.make_template(cast.ada, uuid=made.uuid)
    used = sessions.from_template(cast.ada, uuid=made.uuid, values={"a": "x" * 200, "b": "\u20ac" * 10_000})
    assert used.documents["sow_objects"] == {"notes": [f"{'x' * 200} " * 10_000]}, "what fits is filled"
    sessions.save(cast.ada, uuid=made.uuid, version=None, documents={"sow_objects": {"notes": ["{{b}} " * 10_000]}})
    tracemalloc.start()
    try:
        for verb in (
            lambda: sessions.from_template(cast.ada, uuid=made.uuid, values={"b": "\u20ac" * 10_000}),
            lambda: sessions.template_differences(cast.ada, uuid=used.uuid),
        ):
            with pytest.raises(Invalid, match="Filled, the document would have 300,0"):
                verb()
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()


def test_a_page_of_large_revisions_is_read_in_part(cast: Cast, database: TestDatabase) -> None:
    """As many as are reasonable are told, the others are a large change; each alone is told still."""
    made = sessions.create(cast.ada, title="Large", documents=BEFORE)
    with database.superuser() as connection:
        connection.execute(
            "INSERT INTO session_revisions (organization_id, session_id, user_id, revision, version, documents)"
            " SELECT s.organization_id, s.id, s.user_id, 1 + n, 1 + n, jsonb_build_object('sow_objects',"
            " jsonb_build_object('note', repeat(n::text, 1800000), 'number', n)) FROM ai_architecture_sessions s,"
            " generate_series(1, 30) n"
        )
    tracemalloc.start()
    try:
        page = sessions.revisions(cast.ada, uuid=made.uuid, limit=50)
        assert tracemalloc.get_traced_memory()[1] < 80_000_000
    finally:
        tracemalloc.stop()
    assert len(page.items) == 31
    told = [one.sentences != ("a large change",) for one in page.items]
    assert any(told) and not all(told) and told == sorted(told, reverse=True), "the newest are told"
    assert sessions.revision(cast.ada, uuid=made.uuid, revision=3).revision.sentences != ("a large change",)


def test_staff_says_why_and_the_customer_reads_it(cast: Cast) -> None:
    made = sessions.create(cast.ada, title="Review", documents=BEFORE)
    assert sessions.needs_reason(cast.root, uuid=made.uuid) and not sessions.needs_reason(cast.ada, uuid=made.uuid)
    for verb in (sessions.get, sessions.revisions, sessions.placeholders, sessions.opened):
        with pytest.raises(sessions.ReasonNeeded):
            verb(cast.root, uuid=made.uuid)
    with pytest.raises(Invalid):
        sessions.state_reason(cast.root, uuid=made.uuid, reason="  ")
    sessions.state_reason(cast.root, uuid=made.uuid, reason="ticket 4711")
    assert sessions.get(cast.root, uuid=made.uuid).documents["loe_objects"] == BEFORE["loe_objects"]
    (access,) = (one for one in audit.staff_access(cast.ada, kind="documents").items if one.reason)
    assert access.reason == "ticket 4711"
    until = f"{dt.datetime.now(dt.UTC) + dt.timedelta(hours=8):%Y-%m-%d %H:}"
    assert f"gave a reason to read the documents of the session Review until {until}" in access.sentence
    with pytest.raises(Forbidden):
        sessions.state_reason(cast.manager, uuid=made.uuid, reason="curious")


def test_the_customer_reads_of_every_opening_once_a_sign_in(cast: Cast, world: World) -> None:
    made, other = (sessions.create(cast.ada, title=title, documents=BEFORE) for title in ("Review", "Other"))

    def signed_in() -> Actor:
        assert cast.root.user_id and cast.root.organization_id
        return replace(cast.root, user_session_id=world.sign_in(cast.root.user_id, cast.root.organization_id))

    def told() -> list[tuple[str, str | None]]:
        found = audit.staff_access(cast.ada, kind="documents").items
        return [(one.sentence.partition(" the documents of the session ")[2][:6], one.reason) for one in found]

    first, second = signed_in(), signed_in()
    sessions.state_reason(first, uuid=made.uuid, reason="ticket 1")
    for _ in range(2):
        sessions.opened(first, uuid=made.uuid)
    assert told() == [("Review", "ticket 1")], "with the reason"
    for _ in range(2):
        sessions.opened(second, uuid=made.uuid)
    assert told() == [("Review", "ticket 1")] * 2, "the reason still stands, and it is another sign-in"
    sessions.opened(cast.ada, uuid=made.uuid)
    assert cast.ada.user_id and cast.ada.organization_id
    accounts.view_as(first, user_id=cast.ada.user_id, organization_id=cast.ada.organization_id, reason="ticket 2")
    assert first.user_session_id
    looking = accounts.actor_of_user_session(Origin(), user_session_id=first.user_session_id)
    for _ in range(2):
        sessions.opened(looking, uuid=other.uuid)
    assert told() == [("Other", "ticket 2"), *[("Review", "ticket 1")] * 2]
    assert audit.staff_access(cast.ada, kind="documents").items[0].sentence.startswith("NEXA staff opened")
    with pytest.raises(NotFound):
        sessions.opened(looking, uuid=uuid4())


def test_who_is_here_is_seen_by_the_others_only_while_they_are(cast: Cast, database: TestDatabase) -> None:
    made = sessions.create(cast.ada, title="Review")
    sessions.here(cast.ada, made.uuid, page="sow")
    seen = sessions.here(cast.eve, made.uuid, page="nowhere")
    assert [(p.full_name, p.page) for p in seen.people] == [("Ada Lovelace", "sow"), ("Eve Stone", "")]
    sessions.save(cast.bob, uuid=made.uuid, version=1, documents={"sow_objects": {"n": 1}})
    pulse = sessions.pulse(cast.ada, made.uuid)
    assert (pulse.version, pulse.revision, pulse.last_editor) == (2, 2, "Bob Moran")
    with database.superuser() as connection:
        connection.execute("UPDATE session_presence SET seen_at = now() - interval '20 seconds'")
    assert sessions.pulse(cast.bob, made.uuid).people == ()
    with pytest.raises(NotFound):
        sessions.here(cast.stranger, made.uuid)


@given(document=JSON)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_comes_through_every_verb_unchanged(cast: Cast, document: Any) -> None:
    """Open, edit beside it, merge, restore and duplicate: what nobody edited is what it was."""
    whole = {"kept": document, "edited": 0}
    made = sessions.create(cast.ada, title="Any", documents={"sow_objects": whole, "loe_objects": document})
    sessions.save(cast.ada, uuid=made.uuid, version=1, changes=[Edit(("sow_objects", "edited"), 1)])
    sessions.name_revision(cast.ada, uuid=made.uuid, revision=1, name="one")
    merged = sessions.save(cast.bob, uuid=made.uuid, version=1, changes=[Edit(("sow_objects", "more"), 2)])
    assert merged.merged
    found = sessions.get(cast.eve, uuid=made.uuid).documents
    assert same(found["sow_objects"], {"kept": document, "edited": 1, "more": 2}) and same(
        found["loe_objects"], document
    )
    copy = sessions.duplicate(cast.bob, uuid=made.uuid)
    assert copy.documents == found
    sessions.restore_revision(cast.ada, uuid=made.uuid, revision=1)
    found = sessions.get(cast.eve, uuid=made.uuid).documents
    assert same(found["sow_objects"], {"kept": document, "edited": 1}) and same(found["loe_objects"], document)
    sessions.compare(cast.ada, uuid=made.uuid, before=1, after=2)
