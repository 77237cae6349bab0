"""Whatever JSON a session holds, everything that can be done to it changes what was edited and nothing else."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nexa_core import architecture_sessions as sessions
from nexa_core.architecture_sessions import Edit
from nexa_core.architecture_sessions.values import same
from tests.nexa_core.architecture_sessions.conftest import Cast
from tests.nexa_core.architecture_sessions.documents import documents
from tests.nexa_core.architecture_sessions.test_merging import JSON
from tests.nexa_core.architecture_sessions.test_transfer import exported

COLUMN = "sow_objects"


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(held=st.fixed_dictionaries(dict.fromkeys(documents(), JSON)), inside=JSON, mine=JSON, theirs=JSON)
def test_any_json_survives_everything_unchanged_outside_what_was_edited(
    cast: Cast, held: dict[str, Any], inside: Any, mine: Any, theirs: Any
) -> None:
    """Open, edit, merge, restore, duplicate, export, import: a session of any shape, and the same two values edited."""
    held[COLUMN] = {"inside": inside, "mine": "was", "theirs": "was"}
    edited = held | {COLUMN: {"inside": inside, "mine": mine, "theirs": theirs}}
    made = sessions.create(cast.ada, title="Anything", documents=held)
    assert same(sessions.get(cast.ada, uuid=made.uuid).documents, held), "opened"
    sessions.name_revision(cast.ada, uuid=made.uuid, revision=1, name="As it came")

    sessions.save(cast.ada, uuid=made.uuid, version=1, changes=[Edit((COLUMN, "mine"), mine)])
    sessions.save(cast.bob, uuid=made.uuid, version=1, changes=[Edit((COLUMN, "theirs"), theirs)])
    assert same(sessions.get(cast.ada, uuid=made.uuid).documents, edited), "edited and merged"

    copy = sessions.duplicate(cast.ada, uuid=made.uuid)
    assert same(copy.documents, edited), "duplicated"
    (arrived,) = sessions.import_sessions(cast.bob, given=exported(cast, made.uuid))
    assert same(arrived.documents, edited), "exported and imported"

    sessions.restore_revision(cast.ada, uuid=made.uuid, revision=1)
    assert same(sessions.get(cast.ada, uuid=made.uuid).documents, held), "restored"
    assert same(sessions.get(cast.ada, uuid=copy.uuid).documents, edited), "and nothing that was made of it"
