"""The trash is emptied with everything that only what was in it had; what others use stays."""

from __future__ import annotations

from uuid import UUID

import pytest

from nexa_core import architecture_sessions as sessions
from nexa_core.actor import Actor, Origin
from tests.databases import TestDatabase
from tests.nexa_core.architecture_sessions.conftest import Cast
from tests.nexa_core.architecture_sessions.documents import FLOW, documents
from tests.nexa_core.architecture_sessions.test_images import png, shown

OTHER_FLOW = 'flowchart LR\n    cmp_1["Portal"] --> cmp_3["Archive"]'


def emptied(database: TestDatabase, actor: Actor, *uuids: UUID) -> int:
    """Put sessions into the trash 91 days ago, with pictures as old, and empty it."""
    sessions.trash_many(actor, uuids=list(uuids))
    with database.superuser() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE session_images SET created_at = now() - interval '91 days'")
        connection.execute(
            "UPDATE ai_architecture_sessions SET deleted_at = now() - interval '91 days' WHERE uuid = ANY (%s)",
            [list(uuids)],
        )
    return sessions.purge_trash(Actor.system())


def kept(database: TestDatabase, table: str) -> int:
    with database.superuser() as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    assert row is not None
    return int(str(row[0]))


@pytest.fixture
def pair(cast: Cast, database: TestDatabase) -> tuple[UUID, UUID]:
    """Two sessions with a picture each, and one that both show."""
    made = [sessions.create(cast.ada, title=title, documents=documents()).uuid for title in ("First", "Second")]
    both = png(60)
    for uuid, own in zip(made, (80, 100), strict=True):
        stored = [sessions.store_image(cast.ada, uuid=uuid, content=content) for content in (both, png(own))]
        sessions.save(cast.ada, uuid=uuid, version=1, documents=shown(*stored))
    assert kept(database, "session_images") == 3
    return made[0], made[1]


def test_a_picture_goes_with_the_last_session_that_shows_it(
    cast: Cast, database: TestDatabase, pair: tuple[UUID, UUID]
) -> None:
    assert emptied(database, cast.ada, pair[0]) == 1
    assert kept(database, "session_images") == 2
    for part in sessions.get(cast.ada, uuid=pair[1]).documents["visual_assets_json"]["assets"]:
        assert sessions.image(cast.ada, uuid=pair[1], digest=part["digest"])
    assert emptied(database, cast.ada, pair[1]) == 1
    assert kept(database, "session_images") == 0


def test_a_picture_stays_while_a_revision_shows_it(cast: Cast, database: TestDatabase, pair: tuple[UUID, UUID]) -> None:
    """Everybody's picture is taken off the second session; whoever restores the revision before needs it."""
    sessions.name_revision(cast.ada, uuid=pair[1], revision=1, name="With pictures")
    sessions.save(cast.ada, uuid=pair[1], version=None, documents=documents())
    with database.superuser() as connection:
        connection.execute("DELETE FROM session_saves")
    assert emptied(database, cast.ada, pair[0]) == 1
    assert kept(database, "session_images") == 2
    sessions.restore_revision(cast.ada, uuid=pair[1], revision=1)
    assert len(sessions.get(cast.ada, uuid=pair[1]).documents["visual_assets_json"]["assets"]) == 2


def test_a_picture_that_was_just_put_in_waits_for_its_document(
    cast: Cast, database: TestDatabase, pair: tuple[UUID, UUID]
) -> None:
    third = sessions.create(cast.ada, title="Third", documents=documents()).uuid
    sessions.trash(cast.ada, uuid=pair[0])
    with database.superuser() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE session_images SET created_at = now() - interval '91 days'")
        connection.execute("UPDATE ai_architecture_sessions SET deleted_at = now() - interval '91 days'"
                           " WHERE deleted_at IS NOT NULL")  # fmt: skip
    again = sessions.store_image(cast.ada, uuid=third, content=png(80))
    assert sessions.purge_trash(Actor.system()) == 1
    assert sessions.image(cast.ada, uuid=third, digest=again.digest)


def test_drawings_and_answers_go_with_their_session(cast: Cast, database: TestDatabase) -> None:
    first, second = (sessions.create(cast.ada, title=t, documents=documents()).uuid for t in ("First", "Second"))
    own = documents()
    own["diagram_texts_json"]["diagrams"].append({"id": "dia-2", "title": "Other", "text": OTHER_FLOW})
    sessions.save(cast.ada, uuid=first, version=1, documents=own)
    tokens = [sessions.share(cast.ada, uuid=uuid).address.rpartition("/")[2] for uuid in (first, second)]
    for token in tokens:
        there = sessions.visit(Origin(), token=token)
        part = there.sections[0]
        sessions.respond(
            Origin(), token=token, key=None, form_key=there.form_key, kind="approval", page=part.page, part=part.part,
            digest=part.digest, name="Jo", email="jo@fabrikam.example",
        )  # fmt: skip
    with database.superuser() as connection:
        for drawn in (FLOW, OTHER_FLOW):  # sharing keeps a drawing where another test had it drawn in this process
            connection.execute(
                "INSERT INTO session_drawings (organization_id, digest, svg) VALUES (%s, %s, %s)"
                " ON CONFLICT (organization_id, digest) DO UPDATE SET svg = excluded.svg",
                [cast.northwind, sessions.diagram_digest(drawn), f"<svg>{'Archive' in drawn}</svg>"],
            )
    assert (kept(database, "session_drawings"), kept(database, "share_responses")) == (2, 2)
    assert emptied(database, cast.ada, first) == 1
    assert (kept(database, "session_drawings"), kept(database, "share_responses")) == (1, 1)
    with database.superuser() as connection:
        left = connection.execute("SELECT count(*) FROM session_drawings WHERE svg LIKE '%True%'").fetchone()
    assert left == (0,), "the drawing that stays is the one the second session has"
    assert sessions.visit(Origin(), token=tokens[1]).documents == documents()
