"""The list: what is found, in what order, and that nobody finds what is not theirs."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from nexa_core import architecture_sessions as sessions
from nexa_core import db
from nexa_core.actor import Actor
from nexa_core.architecture_sessions import Filter
from nexa_core.architecture_sessions.listing import _FIND
from nexa_core.errors import Conflict, Forbidden, Invalid, NotFound
from tests.databases import TestDatabase
from tests.nexa_core.architecture_sessions.conftest import Cast
from tests.nexa_core.architecture_sessions.test_merging import TEXTS
from tests.worlds import World

#: What people type, and what a search engine reads as its own.
PIECES = ("cloud", "on-premise", "or", "-", '"', " ", "\\", "'", "(", "!", ":*", "&")
TYPED = st.lists(TEXTS | st.sampled_from(PIECES)).map("".join)


def titles(actor: Actor, sort: str = "title", **wanted: Any) -> list[str]:
    return [line.title for line in sessions.browse(actor, wanted=Filter(**wanted), sort=sort).items]


@pytest.fixture
def shelf(cast: Cast, database: TestDatabase) -> Cast:
    loe = {"rows": [{"id": "row-1", "role": "Architect", "likely_hours": 48}, {"id": "row-2", "role": 7}]}
    criteria = [{"id": "acc-1", "text": "Accepted by the board"}]
    sessions.create(cast.ada, title="Alpha", client="Initech", tags=["cloud", "data"],
                    documents={"loe_objects": loe, "sow_objects": {"deliverables": [{"id": "dlv-1"}]}})  # fmt: skip
    sessions.create(cast.bob, title="Beta", client="Hooli", tags=["cloud"], documents={
        "sow_objects": {"deliverables": [{"id": "dlv-1", "acceptance_criteria": criteria}]},
        "diagram_texts_json": {"diagrams": [{"id": "dia-1", "language": "mermaid", "text": "flowchart nonsense["}]},
    })  # fmt: skip
    sessions.create(
        cast.bob, title="Gamma & Töchter", documents={"session_objects": [["a list", None, 3], "of Zürich"]}
    )
    sessions.create(cast.stranger, title="Alpha of Globex", tags=["cloud"])
    return cast


def test_words_are_found_wherever_they_stand(shelf: Cast) -> None:
    assert titles(shelf.ada) == ["Alpha", "Beta", "Gamma & Töchter"]
    for text, found in {
        "alpha": ["Alpha"], "INITECH": ["Alpha"], "accep": ["Beta"], '"by the board"': ["Beta"],
        "zürich": ["Gamma & Töchter"],

        "cloud -hooli": ["Alpha"], "alpha or beta": ["Alpha", "Beta"], "alpha beta": [], "töcht": ["Gamma & Töchter"],
        "'; drop table users; --": [], "&|!(": [], "~o": [], "%": [], "req-1": [],
    }.items():  # fmt: skip
        assert titles(shelf.eve, text=text) == found, text
    (line,) = sessions.browse(shelf.eve, wanted=Filter(text="board")).items
    assert ("board", True) in line.snippet and "Accepted by the " in line.snippet[0][0]


def test_a_negated_phrase_may_stand_last(shelf: Cast) -> None:
    for text in ("cloud -on-premise", 'cloud -"by the board"', 'cloud -"bar baz"'):
        assert "Alpha" in titles(shelf.ada, text=text), text
    assert titles(shelf.ada, text='cloud -"by the board"') == ["Alpha"]


def test_a_tag_or_role_of_any_characters_is_found(cast: Cast) -> None:
    for odd in ("a\\b", "\\", "o'clock", "''", "a & !b", "x:*", " tag "):
        loe = {"rows": [{"id": "row-1", "role": odd, "likely_hours": 8}]}
        made = sessions.create(cast.ada, title="Odd", tags=[odd], documents={"loe_objects": loe})
        assert titles(cast.ada, tags=(odd.strip(),)) == titles(cast.ada, role=odd, over_hours=7) == ["Odd"], odd
        sessions.trash(cast.ada, uuid=made.uuid)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=TYPED, tag=TYPED, role=TYPED)
@example(text="x -a-b", tag="", role="").via("a phrase at the end, negated")
def test_no_search_is_an_error(cast: Cast, text: str, tag: str, role: str) -> None:
    sessions.browse(cast.ada, wanted=Filter(text=text[:300]))
    sessions.browse(cast.ada, wanted=Filter(text=text[:300], tags=(tag[:300],), role=role[:300]))


def test_filters_narrow_and_combine(shelf: Cast) -> None:
    ada = shelf.ada
    assert titles(ada, tags=("cloud",)) == ["Alpha", "Beta"] and titles(ada, tags=("cloud", "data")) == ["Alpha"]
    assert titles(ada, author_id=shelf.bob.user_id) == ["Beta", "Gamma & Töchter"]
    assert titles(ada, client="hooli") == ["Beta"] and titles(ada, session_type="other") == []
    assert titles(ada, role="architect", over_hours=40) == ["Alpha"]
    assert titles(ada, role="Architect", over_hours=48) == [] and titles(ada, role="Tester") == []
    assert titles(ada, without_criteria=True) == ["Alpha"]
    assert titles(ada, text="alpha", without_criteria=True, tags=("data",), client="Initech") == ["Alpha"]
    now = dt.datetime.now(dt.UTC)
    assert titles(ada, edited_since=now - dt.timedelta(hours=1), edited_until=now + dt.timedelta(hours=1))
    assert titles(ada, edited_until=now - dt.timedelta(hours=1)) == []
    for wrong in ({"edited_since": now.replace(tzinfo=None)}, {"over_hours": float("nan")}, {"text": "x" * 400}):
        with pytest.raises(Invalid):
            sessions.browse(ada, wanted=Filter(**wrong))
    with pytest.raises(Invalid):
        sessions.browse(ada, sort="colour")


def test_a_filter_survives_an_address(shelf: Cast) -> None:
    wanted = Filter(text="a b", tags=("x", "y"), template=False, pinned=True, over_hours=4.5, role="Architect",
                    edited_since=dt.datetime.now(dt.UTC), author_id=shelf.bob.user_id)  # fmt: skip
    assert Filter.parse(wanted.words()) == wanted and Filter().words() == {}
    with pytest.raises(Invalid):
        Filter.parse({"colour": "red"})


def test_diagrams_that_do_not_parse_are_found_after_a_look(shelf: Cast, database: TestDatabase) -> None:
    with database.superuser() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE ai_architecture_sessions SET updated_at = now() - interval '2 minutes'")
    system = Actor.system()
    looked = sessions.check_diagrams(system, check=lambda text, language: "broken" if "nonsense" in text else None)
    assert looked == 4 and sessions.check_diagrams(system, check=lambda *_: None) == 0
    assert titles(shelf.ada, broken_diagram=True) == ["Beta"]
    assert sessions.browse(shelf.ada, wanted=Filter(broken_diagram=True)).items[0].broken_diagrams == 1


def test_pages_neither_repeat_nor_miss(cast: Cast) -> None:
    for number in range(7):
        sessions.create(cast.ada, title=f"Session {number % 3}")
    for sort in sessions.SORTS:
        seen, cursor = [], None
        while True:
            page = sessions.browse(cast.ada, sort=sort, after=cursor, limit=2)
            seen += [line.uuid for line in page.items]
            if (cursor := page.next_cursor) is None:
                break
        assert seen == [line.uuid for line in sessions.browse(cast.ada, sort=sort).items] and len(set(seen)) == 7
    other = sessions.browse(cast.ada, sort="title", limit=2).next_cursor
    for wrong in (other, "x", "bm9uc2Vuc2U"):
        with pytest.raises(Invalid):
            sessions.browse(cast.ada, sort="updated", after=wrong)


def test_everybody_sees_their_own_and_staff_sees_no_words_of_a_customer(shelf: Cast, world: World) -> None:
    assert titles(shelf.stranger) == ["Alpha of Globex"]
    assert titles(shelf.stranger, organization_id=shelf.stranger.organization_id) == ["Alpha of Globex"]
    with pytest.raises(NotFound, match="no such organization"):
        titles(shelf.stranger, organization_id=shelf.northwind)
    assert titles(shelf.presenter) == [], "no demo organization, nothing to present"
    assert len(titles(shelf.root)) == 4 and len(titles(shelf.root, organization_id=shelf.northwind)) == 3
    (line,) = sessions.browse(shelf.root, wanted=Filter(text="board")).items
    assert line.snippet == ()
    with pytest.raises(Forbidden):
        sessions.browse(shelf.manager)


def test_what_was_typed_is_found_after_a_while_and_at_once_in_titles(shelf: Cast, database: TestDatabase) -> None:
    made = sessions.create(shelf.ada, title="Delta")
    sessions.save(shelf.ada, uuid=made.uuid, version=1, documents={"sow_objects": {"t": "xylophone"}}, title="Epsilon")
    assert titles(shelf.ada, text="epsilon") == ["Epsilon"] == titles(shelf.ada, text="xylophone")
    sessions.save(shelf.ada, uuid=made.uuid, version=None, documents={"sow_objects": {"t": "trombone"}})
    sessions.refresh_search(Actor.system())
    assert titles(shelf.ada, text="trombone") == ["Epsilon"] and titles(shelf.ada, text="xylophone") == []


def _four_bytes(number: int, length: int) -> str:
    """A word of letters that take four bytes each, another one for each number."""
    return "".join(chr(0x20000 + number // 40_000**place % 40_000) for place in range(length))


@pytest.mark.parametrize("length", [1, 2, 7])
def test_a_document_of_nothing_but_different_words_is_stored_and_found(cast: Cast, length: int) -> None:
    """The search's words of one session are a megabyte at most: what is beyond is not found, and nothing fails."""
    words = " ".join(f"{_four_bytes(n, length)}-{_four_bytes(n * 7 + 1, length)}.de/{n}" for n in range(30_000))
    roles = [{"id": f"row-{n}", "role": f"{_four_bytes(n, 195)} {n}", "likely_hours": 8} for n in range(900)]
    made = sessions.create(cast.ada, title="Large", documents={"sow_objects": {"t": f"first {words}"}})
    sessions.save(cast.ada, uuid=made.uuid, version=1, documents={"loe_objects": {"rows": roles}}, title="Larger")
    assert titles(cast.ada, text="first") == ["Larger"]
    assert titles(cast.ada, role=roles[0]["role"], over_hours=7) == ["Larger"]


def test_one_session_that_cannot_be_searched_keeps_no_other_one_from_it(shelf: Cast, database: TestDatabase) -> None:
    bad, good = (sessions.create(shelf.ada, title=title).uuid for title in ("Bad", "Good"))
    for made in (bad, good):
        sessions.save(shelf.ada, uuid=made, version=1, documents={"sow_objects": {"t": "trombone"}})
    with database.superuser() as connection:
        connection.execute("""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE program_limit_exceeded; END $$;
            CREATE TRIGGER refuse BEFORE UPDATE ON session_search FOR EACH ROW
                WHEN (NEW.plain LIKE 'Bad%') EXECUTE FUNCTION refuse()
        """)
    with capture_logs() as written:
        sessions.refresh_search(Actor.system())
    assert titles(shelf.ada, text="trombone") == ["Good"]
    assert [(line["event"], line["session"]) for line in written] == [("cannot_be_searched", str(bad))]


def test_the_function_that_finds_looks_only_where_its_caller_may(shelf: Cast, database: TestDatabase) -> None:
    """It looks past the policies, so whose sessions it looks at is its own to hold, whatever it is asked for."""
    foreign = shelf.stranger.organization_id

    def found(actor: Actor, **asked: str) -> set[object]:
        with db.reading(actor) as transaction:
            ids = list(transaction.scalars(_FIND, {"wanted": json.dumps(asked), "most": 100}))
        with database.superuser() as connection:
            whose = "SELECT DISTINCT organization_id FROM ai_architecture_sessions WHERE id = ANY (%s)"
            return {row[0] for row in connection.execute(whose, [ids])}

    assert found(shelf.ada) == found(shelf.ada, organization=str(foreign)) == {shelf.northwind}
    assert found(shelf.stranger, organization=str(shelf.northwind)) == {foreign}
    assert found(shelf.root) == {shelf.northwind, foreign} and found(shelf.root, organization=str(foreign)) == {foreign}
    assert found(shelf.presenter) == found(shelf.presenter, organization=str(foreign)) == set(), "none is a demo's"


def test_pins_recent_and_saved_views_are_ones_own(shelf: Cast) -> None:
    alpha, beta, _ = (line.uuid for line in sessions.browse(shelf.ada, sort="title").items)
    sessions.pin(shelf.eve, uuid=beta)
    sessions.opened(shelf.eve, uuid=alpha)
    assert [line.title for line in sessions.pinned(shelf.eve)] == ["Beta"] and not sessions.pinned(shelf.ada)
    assert [line.title for line in sessions.recent(shelf.eve)] == ["Alpha"] and not sessions.recent(shelf.ada)
    assert sessions.get(shelf.eve, uuid=beta).is_pinned
    sessions.unpin(shelf.eve, uuid=beta)
    assert not sessions.pinned(shelf.eve)
    view = sessions.save_view(shelf.ada, name=" Cloud  work ", wanted=Filter(tags=("cloud",)))
    with pytest.raises(Conflict, match="view of this name"):
        sessions.save_view(shelf.ada, name="Cloud work", wanted=Filter(tags=("x",)))
    assert not sessions.saved_views(shelf.bob)
    sessions.share_view(shelf.ada, view_id=view.id, is_shared=True)
    (seen,) = sessions.saved_views(shelf.bob)
    assert (seen.name, seen.filters.wanted.tags, seen.is_mine) == ("Cloud work", ("cloud",), False)
    with pytest.raises(NotFound):
        sessions.remove_view(shelf.bob, view_id=view.id)
    assert not sessions.saved_views(shelf.stranger)
    sessions.remove_view(shelf.ada, view_id=view.id)
    assert not sessions.saved_views(shelf.ada)


def test_a_view_keeps_the_order_too(shelf: Cast) -> None:
    sessions.save_view(shelf.ada, name="Cloud by title", wanted=Filter(tags=("cloud",)), sort="title")
    sessions.save_view(shelf.ada, name="Newest", wanted=Filter(), sort="created")
    kept = [(one.filters.wanted, one.filters.sort) for one in sessions.saved_views(shelf.ada)]
    assert kept == [(Filter(tags=("cloud",)), "title"), (Filter(), "created")]
    with pytest.raises(Invalid, match="sorted"):
        sessions.save_view(shelf.ada, name="Odd", wanted=Filter(text="x"), sort="odd")
    with pytest.raises(Invalid, match="the list itself"):
        sessions.save_view(shelf.ada, name="All", wanted=Filter(), sort="updated")


def test_types_and_tags_are_offered_of_all_that_is_within_reach_and_no_more(shelf: Cast) -> None:
    assert shelf.stranger.organization_id
    sessions.create(shelf.ada, title="Ours", session_type="proof of concept", tags=["ours"])
    for number in range(2):
        sessions.create(shelf.stranger, title=f"Theirs {number}", session_type="secret", tags=["theirs"])
    theirs = shelf.stranger.organization_id
    assert {"secret", "proof of concept"} <= set(sessions.suggest_types(shelf.root, everywhere=True))
    assert sessions.suggest_types(shelf.root, organization_id=theirs)[0] == "secret"
    assert {"theirs", "ours"} <= {one.tag for one in sessions.suggest_tags(shelf.root, everywhere=True)}
    assert sessions.suggest_types(shelf.root) == sessions.suggest_types(shelf.presenter, everywhere=True) == ()
    for whose in ({"everywhere": True}, {}):
        assert "proof of concept" in sessions.suggest_types(shelf.ada, **whose)
        assert "secret" not in sessions.suggest_types(shelf.ada, **whose), "whatever is asked, a customer's are theirs"
        assert "theirs" not in [one.tag for one in sessions.suggest_tags(shelf.ada, **whose)]
    assert sessions.suggest_types(shelf.ada, organization_id=theirs) == ()


def test_tags_are_suggested_renamed_and_merged_as_previewed(shelf: Cast) -> None:
    assert [(t.tag, t.sessions) for t in sessions.suggest_tags(shelf.ada)] == [("cloud", 2), ("data", 1)]
    assert [t.tag for t in sessions.suggest_tags(shelf.ada, prefix="DA")] == ["data"]
    plan = sessions.merge_tags(shelf.ada, tags=["cloud", "data"], into="platform")
    assert [title for _, title in plan.sessions] == ["Alpha", "Beta"]
    assert titles(shelf.ada, tags=("platform",)) == []
    assert sessions.apply_tag_plan(shelf.ada, plan=plan) == 2
    assert titles(shelf.ada, tags=("platform",)) == ["Alpha", "Beta"] and titles(shelf.stranger, tags=("cloud",))
    assert sessions.browse(shelf.ada, sort="title").items[0].tags == ("platform",), "once, not twice"
    with pytest.raises(Conflict):
        sessions.apply_tag_plan(shelf.ada, plan=plan)
    alpha = sessions.browse(shelf.ada, sort="title").items[0]
    late = sessions.save(shelf.ada, uuid=alpha.uuid, tags=["cloud", "data", "new"], version=1)
    assert late.merged and sessions.get(shelf.ada, uuid=alpha.uuid).tags == ("platform", "new")
    with pytest.raises(Forbidden):
        sessions.merge_tags(shelf.eve, tags=["platform"], into="x")


def test_bulk_is_all_or_nothing(shelf: Cast) -> None:
    mine = [line.uuid for line in sessions.browse(shelf.ada).items]
    theirs = sessions.browse(shelf.stranger).items[0].uuid
    for verb in (sessions.trash_many, sessions.restore_many, sessions.duplicate_many):
        with pytest.raises(NotFound):
            verb(shelf.ada, uuids=[*mine, theirs])
    assert len(titles(shelf.ada)) == 3
    assert sessions.tag_many(shelf.ada, uuids=mine, add=["q3"], remove=["cloud"]).changed == 3
    assert sessions.tag_many(shelf.ada, uuids=mine, add=["q3"]) == sessions.BulkResult(0, 3)
    assert len(sessions.duplicate_many(shelf.ada, uuids=mine)) == 3
    assert sessions.trash_many(shelf.ada, uuids=mine).changed == 3
    assert sorted(titles(shelf.ada)) == ["Copy of Alpha", "Copy of Beta", "Copy of Gamma & Töchter"]
    assert sessions.restore_many(shelf.ada, uuids=mine[:1]).changed == 1
    with pytest.raises(Invalid):
        sessions.trash_many(shelf.ada, uuids=[])


def test_the_trash_is_emptied_after_ninety_days_and_what_was_used_stays(shelf: Cast, database: TestDatabase) -> None:
    old, new, _ = (line.uuid for line in sessions.browse(shelf.ada, sort="title").items)
    sessions.trash_many(shelf.ada, uuids=[old, new])
    with database.superuser() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "UPDATE ai_architecture_sessions SET deleted_at = now() - interval '91 days' WHERE uuid = %s", [old]
        )
    assert sessions.purge_trash(Actor.system()) == 1 and sessions.purge_trash(Actor.system()) == 0
    assert titles(shelf.ada, deleted=True) == ["Beta"]
    with pytest.raises(NotFound):
        sessions.get(shelf.ada, uuid=old)
    with database.superuser() as connection:
        left = connection.execute(
            "SELECT title, client, tags, sow_objects, loe_objects FROM ai_architecture_sessions WHERE uuid = %s", [old]
        ).fetchone()
        counted = connection.execute("SELECT count(*) FROM usage_events WHERE event_type = 'session_create'").fetchone()
        words = connection.execute("SELECT count(*) FROM session_search WHERE plain LIKE '%Initech%'").fetchone()
    assert left == ("Removed session", None, [], {}, {}) and counted == (4,) and words == (0,)
