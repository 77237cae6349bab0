"""Import: a dry run tells all, nothing is made by halves, and what went out comes in unchanged."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nexa_core import architecture_sessions as sessions
from nexa_core.errors import Forbidden, Invalid
from tests.databases import TestDatabase
from tests.nexa_core.architecture_sessions.conftest import Cast
from tests.nexa_core.architecture_sessions.documents import documents
from tests.worlds import World


def exported(cast: Cast, uuid: UUID) -> Any:
    return json.loads(sessions.export(cast.ada, uuid=uuid, form="json").content)


def test_what_was_exported_comes_in_unchanged_and_the_dry_run_makes_nothing(cast: Cast) -> None:
    made = sessions.create(cast.ada, title="Portal", client="Fabrikam", tags=["web"], documents=documents())
    travelling = exported(cast, made.uuid)
    plan = sessions.plan_import(cast.bob, given=travelling)
    assert [(item.title, item.verdict) for item in plan.items] == [("Portal", "create")]
    assert "has the same content already" in plan.items[0].sentences[0]
    assert len(sessions.browse(cast.ada).items) == 1, "the dry run made something"
    (arrived,) = sessions.import_sessions(cast.bob, given=travelling)
    assert arrived.documents == made.documents
    assert (arrived.title, arrived.client, arrived.tags) == ("Portal", "Fabrikam", ("web",))
    assert arrived.uuid != made.uuid
    travelling["sessions"][0]["documents"]["loe_objects"]["currency"] = "USD"
    assert "changed it on the way" in sessions.plan_import(cast.bob, given=travelling).items[0].sentences[0]


def test_a_plan_reads_no_document_of_what_is_there(cast: Cast, database: TestDatabase) -> None:
    with database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        connection.execute(
            "INSERT INTO ai_architecture_sessions (organization_id, user_id, title, sow_objects)"
            " SELECT %s, %s, 'Large ' || n, jsonb_build_object('note', repeat(chr(64 + n), 2000000), 'share', 1.50)"
            " FROM generate_series(1, 20) n",
            [cast.northwind, cast.ada.user_id],
        )
    same = {"title": "Again", "sow_objects": {"share": 1.5, "note": "B" * 2_000_000}}
    tracemalloc.start()
    try:
        plan = sessions.plan_import(cast.ada, given=[same, documents()])
        assert tracemalloc.get_traced_memory()[1] < 25_000_000
    finally:
        tracemalloc.stop()
    assert "“Large 2” has the same content already" in plan.items[0].sentences[0]
    assert not any("same content" in sentence for sentence in plan.items[1].sentences)


def test_bare_documents_and_lists_of_them_are_sessions_too(cast: Cast) -> None:
    given_ = [{"title": "One", **documents()}, documents(), {"documents": {"sow_objects": {}}, "session_type": 7}]
    plan = sessions.plan_import(cast.ada, given=given_)
    assert [item.title for item in plan.items] == ["One", "Imported session 2", "Imported session 3"]
    assert plan.creates == 3
    assert len(sessions.import_sessions(cast.ada, given=given_)) == 3


def test_one_bad_session_stops_the_whole_import(cast: Cast, database: TestDatabase) -> None:
    bad = [documents(), {"title": "Nothing in it"}, {"documents": {"sow_objects": {"a": "\x00"}}}, 5]
    plan = sessions.plan_import(cast.ada, given=bad)
    assert [item.verdict for item in plan.items] == ["create", "refuse", "refuse", "refuse"]
    assert all(item.sentences for item in plan.items[1:])
    with pytest.raises(Invalid, match=r"Session 2.*Nothing was imported"):
        sessions.import_sessions(cast.ada, given=bad)
    for nothing in ([], {}, "text", None, {"format": "nexa.sessions", "version": 9}, [{}] * 201):
        with pytest.raises(Invalid):
            sessions.import_sessions(cast.ada, given=nothing)
    with database.superuser() as connection:
        assert connection.execute("SELECT count(*) FROM ai_architecture_sessions").fetchone() == (0,)


def test_a_viewer_imports_nothing(cast: Cast) -> None:
    for refused in (sessions.plan_import, sessions.import_sessions):
        with pytest.raises(Forbidden):
            refused(cast.eve, given=documents())


texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=15,
)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(held=st.fixed_dictionaries(dict.fromkeys(documents(), anything)))
def test_any_documents_go_out_and_come_in_unchanged(cast: Cast, held: dict[str, Any]) -> None:
    made = sessions.create(cast.ada, title="Anything", documents=held)
    travelling = exported(cast, made.uuid)
    (arrived,) = sessions.import_sessions(cast.ada, given=travelling)
    assert arrived.documents == sessions.get(cast.ada, uuid=made.uuid).documents
    assert exported(cast, arrived.uuid)["sessions"][0]["sha256"] == travelling["sessions"][0]["sha256"]
    for form in ("pdf", "docx", "xlsx"):
        assert sessions.export(cast.ada, uuid=made.uuid, form=form).content
