"""What is agreed about new sessions holds whichever way a session is made, and says so in words."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from nexa_core import architecture_sessions as sessions
from nexa_core.actor import Actor
from nexa_core.errors import LimitExceeded
from tests.databases import TestDatabase
from tests.worlds import World

MOST = 2


@pytest.fixture
def ada(world: World) -> Actor:
    northwind = world.organization("Northwind", usage_limits={"hard": True, "event_limits": {"session_create": MOST}})
    return world.actor(world.person("ada@northwind.example", northwind, role="owner"), northwind)


WAYS: dict[str, Callable[[Actor, UUID], object]] = {
    "new": lambda ada, _: sessions.create(ada, title="One more"),
    "copy": lambda ada, made: sessions.duplicate(ada, uuid=made),
    "copies": lambda ada, made: sessions.duplicate_many(ada, uuids=[made]),
    "template": lambda ada, made: sessions.from_template(ada, uuid=made, title="One more"),
    "import": lambda ada, _: sessions.import_sessions(ada, given=[{"title": "One more", "sow_objects": {}}]),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_limit_on_new_sessions_holds_whichever_way_one_is_made(
    ada: Actor, database: TestDatabase, way: str
) -> None:
    made = sessions.create(ada, title="First").uuid
    sessions.make_template(ada, uuid=made)
    WAYS[way](ada, made)  # the control: while the limit leaves one, this way makes it
    with pytest.raises(LimitExceeded) as refused:
        WAYS[way](ada, made)
    assert refused.value.sentence == "The limit of 2 a month for “New sessions” is reached. Nothing was stored."
    assert refused.value.retry_after
    with database.superuser() as connection:
        there = connection.execute("SELECT count(*) FROM ai_architecture_sessions").fetchone()
        counted = connection.execute("SELECT count(*) FROM usage_events WHERE event_type = 'session_create'").fetchone()
    assert there == counted == (MOST,)


def test_an_import_that_is_larger_than_what_is_left_makes_nothing(ada: Actor, database: TestDatabase) -> None:
    with pytest.raises(LimitExceeded, match="“New sessions” is reached"):
        sessions.import_sessions(ada, given=[{"title": f"Number {n}", "sow_objects": {}} for n in range(3)])
    assert not sessions.browse(ada).items
    assert len(sessions.import_sessions(ada, given=[{"title": "One", "sow_objects": {}}] * MOST)) == MOST


def test_credits_that_are_used_up_stop_new_sessions_too(world: World) -> None:
    poor = world.organization("Poor", usage_limits={"hard": True, "monthly_credits": 1})
    actor = world.actor(world.person("ada@poor.example", poor, role="owner"), poor)
    sessions.create(actor, title="First")
    with pytest.raises(LimitExceeded, match="limit of 1 credits"):
        sessions.create(actor, title="Second")
