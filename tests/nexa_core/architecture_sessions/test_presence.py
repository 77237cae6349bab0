"""Who is here and what others saved is told at the very next pulse, and pulses are taken often enough for 3 seconds."""

from __future__ import annotations

import time
from statistics import median

from nexa_core import architecture_sessions as sessions
from pages._ui.sessions import presence
from tests.nexa_core.architecture_sessions.conftest import Cast

WITHIN = 3.0


def test_the_next_pulse_tells_who_came_and_what_they_saved(cast: Cast) -> None:
    made = sessions.create(cast.ada, title="Review", documents={"sow_objects": {"n": 1}})
    before = sessions.here(cast.ada, made.uuid, page="sow")
    assert (before.version, [p.user_id for p in before.people]) == (1, [cast.ada.user_id])
    sessions.here(cast.bob, made.uuid, page="loe")
    sessions.save(cast.bob, uuid=made.uuid, version=1, documents={"sow_objects": {"n": 2}})
    after = sessions.here(cast.ada, made.uuid, page="sow")
    assert (after.version, after.last_editor_id) == (2, cast.bob.user_id)
    assert [(p.user_id, p.page) for p in after.people if p.user_id != cast.ada.user_id] == [(cast.bob.user_id, "loe")]


def test_two_pulses_are_close_enough_for_three_seconds(cast: Cast) -> None:
    """The longest wait is one interval of the screen's fragment and one pulse."""
    made = sessions.create(cast.ada, title="Review")
    took = []
    for _ in range(9):
        began = time.perf_counter()
        sessions.here(cast.ada, made.uuid, page="sow")
        took.append(time.perf_counter() - began)
    assert presence.SECONDS + median(took) <= WITHIN
