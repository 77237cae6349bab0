"""One change for many sessions of one's own organization: all of them, or none."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session as Database

from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.architecture_sessions.edits import ALL_COLUMNS
from nexa_core.architecture_sessions.fields import TAGS, tags_of
from nexa_core.architecture_sessions.reach import require_alive, require_write
from nexa_core.architecture_sessions.service import inserted
from nexa_core.architecture_sessions.views import SessionView
from nexa_core.db import recording
from nexa_core.errors import Invalid, NotFound

#: Most sessions one call changes, and copies.
MOST: Final = 500
COPIES: Final = 50

_TAGS = text("""
WITH wanted AS (
    SELECT w.id, w.tags, s.tags AS before, s.version, s.organization_id
    FROM jsonb_to_recordset(CAST(:wanted AS jsonb)) AS w(id integer, tags jsonb)
    JOIN ai_architecture_sessions s ON s.id = w.id
), way AS (
    INSERT INTO session_saves (organization_id, session_id, version, user_id, back)
    SELECT organization_id, id, version + 1, nexa.current_person(),
           jsonb_build_array(jsonb_build_array('set', jsonb_build_array('tags'), before)) FROM wanted
)
UPDATE ai_architecture_sessions s SET tags = w.tags, version = w.version + 1, updated_at = clock_timestamp()
FROM wanted w WHERE s.id = w.id
""")


@dataclass(frozen=True, slots=True)
class BulkResult:
    """How many sessions were changed, and how many were so already."""

    changed: int
    unchanged: int


def tag_many(actor: Actor, *, uuids: Sequence[UUID], add: Sequence[str] = (), remove: Sequence[str] = ()) -> BulkResult:
    """Add tags to sessions and take others away.

    Raises Forbidden without SESSIONS_WRITE, NotFound when one of them is not the organization's, Invalid for too many
    sessions or tags; then nothing is changed.
    """
    require_write(actor)
    added, removed = tags_of(add), set(tags_of(remove))
    with recording(actor, Action.SESSION_TAGGED) as db:
        wanted = []
        for row in (rows := _locked(db, actor, uuids)):
            tags = [tag for tag in row.tags if tag not in removed]
            tags += [tag for tag in added if tag not in tags]
            if len(tags) > TAGS and len(tags) > len(row.tags):
                raise Invalid(f"A session has at most {TAGS} tags; {row.title} would have more.", field="add")
            if tags != row.tags:
                wanted.append({"id": row.id, "tags": tags})
        if wanted:
            db.execute(_TAGS, {"wanted": json.dumps(wanted)})
    return BulkResult(len(wanted), len(rows) - len(wanted))


def trash_many(actor: Actor, *, uuids: Sequence[UUID]) -> BulkResult:
    """Move sessions to the trash. Raises as ``tag_many`` does."""
    return _moved(actor, uuids, Action.SESSION_DELETED, "now()", "deleted_at IS NULL")


def restore_many(actor: Actor, *, uuids: Sequence[UUID]) -> BulkResult:
    """Take sessions out of the trash. Raises as ``tag_many`` does."""
    return _moved(actor, uuids, Action.SESSION_RESTORED, "NULL", "deleted_at IS NOT NULL")


def duplicate_many(actor: Actor, *, uuids: Sequence[UUID]) -> tuple[SessionView, ...]:
    """A copy of each session, at most 50 at once. Raises as ``duplicate`` does, and then makes none."""
    require_write(actor)
    if len(set(uuids)) > COPIES:
        raise Invalid(f"At most {COPIES} sessions can be copied at once.", field="uuids")
    with recording(actor, Action.SESSION_DUPLICATED) as db:
        copies = []
        for row in _locked(db, actor, uuids):
            require_alive(row)
            documents = {column: getattr(row, column) for column in ALL_COLUMNS}
            copies.append(
                inserted(
                    db, actor, title=f"Copy of {row.title}"[:255], client=row.client, session_type=row.session_type,
                    tags=row.tags, documents=documents,
                    template=(row.template_id, row.template_revision, row.template_values),
                )
            )  # fmt: skip
    return tuple(copies)


def _moved(actor: Actor, uuids: Sequence[UUID], action: Action, deleted_at: str, changing: str) -> BulkResult:
    require_write(actor)
    with recording(actor, action) as db:
        ids = [row.id for row in _locked(db, actor, uuids)]
        change = f"UPDATE ai_architecture_sessions SET deleted_at = {deleted_at}, updated_at = clock_timestamp()"
        done = db.execute(text(f"{change} WHERE id = ANY (:ids) AND {changing}"), {"ids": ids})
        changed: int = done.rowcount  # type: ignore[attr-defined]
    return BulkResult(changed, len(ids) - changed)


def _locked(db: Database, actor: Actor, uuids: Sequence[UUID]) -> Sequence[Row[Any]]:
    """The sessions in one order, so that two such calls cannot wait for each other in a circle."""
    wanted = list(dict.fromkeys(uuids))
    if not 0 < len(wanted) <= MOST:
        raise Invalid(f"Choose 1 to {MOST} sessions.", field="uuids")
    statement = f"""
        SELECT id, uuid, title, client, session_type, tags, deleted_at, template_id, template_revision, template_values,
               {", ".join(ALL_COLUMNS)}
        FROM ai_architecture_sessions WHERE uuid = ANY (:uuids) AND organization_id = :own AND purged_at IS NULL
        ORDER BY id FOR UPDATE"""
    rows = db.execute(text(statement), {"uuids": wanted, "own": actor.organization_id}).all()
    if len(rows) < len(wanted):
        raise NotFound("One of these sessions is not there, or not your organization's. Nothing was changed.")
    return rows
