"""Who is here and what others saved is told at the very next pulse."""

from __future__ import annotations

from nexa_core import architecture_sessions as sessions
from tests.nexa_core.architecture_sessions.conftest import Cast


def test_the_next_pulse_tells_who_came_and_what_they_saved(cast: Cast) -> None:
    made = sessions.create(cast.ada, title="Review", documents={"sow_objects": {"n": 1}})
    before = sessions.here(cast.ada, made.uuid, page="sow")
    assert (before.version, [p.user_id for p in before.people]) == (1, [cast.ada.user_id])
    sessions.here(cast.bob, made.uuid, page="loe")
    sessions.save(cast.bob, uuid=made.uuid, version=1, documents={"sow_objects": {"n": 2}})
    after = sessions.here(cast.ada, made.uuid, page="sow")
    assert (after.version, after.last_editor_id) == (2, cast.bob.user_id)
    assert [(p.user_id, p.page) for p in after.people if p.user_id != cast.ada.user_id] == [(cast.bob.user_id, "loe")]
