"""Save: merge what the writer changed into what is there, once, in one transaction, or say where both disagree.

A *burst* is one person's work on one session with gaps under five minutes: one revision and one entry of the audit log.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, TextClause, text
from sqlalchemy.orm import Session as Database

from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.architecture_sessions.edits import ALL_COLUMNS, Edit, edited
from nexa_core.architecture_sessions.fields import client_of, tags_of, title_of, type_of
from nexa_core.architecture_sessions.merging import merge
from nexa_core.architecture_sessions.reach import SNAPSHOT, head, require_alive, require_write
from nexa_core.architecture_sessions.values import MISSING, check_document, same, walked_back, way_back
from nexa_core.architecture_sessions.views import Clash, EditConflict, Saved
from nexa_core.db import fetched, recording
from nexa_core.errors import Invalid

#: Words of the documents are found this long after they were typed, or once a job has looked.
SEARCH_FOLLOWS: Final = dt.timedelta(seconds=10)
_DETAILS: Final = ("title", "client", "session_type", "tags")

_WAYS_BACK = text(
    "SELECT version, back FROM session_saves WHERE session_id = :id AND version > :version ORDER BY version"
)

# One statement: it begins after the row was locked, so it sees what the one before has committed. A session written
# before there was a history gets what it was as its first revision.
_SAVE = f"""
WITH standing AS MATERIALIZED (
    SELECT (SELECT max(r.revision) FROM session_revisions r WHERE r.session_id = :id) AS newest, own.id AS own,
           own.revision AS own_revision, coalesce(x.refreshed_at < clock_timestamp() - :follows, true) AS is_stale
    FROM (SELECT) AS one
    LEFT JOIN LATERAL (
        SELECT r.id, r.revision FROM session_revisions r
        WHERE r.session_id = :id AND r.user_id = nexa.current_person() AND NOT r.is_closed
          AND r.ended_at > clock_timestamp() - interval '4 minutes 59 seconds'
          AND CAST(:restored_from AS integer) IS NULL
        ORDER BY r.revision DESC LIMIT 1) own ON true
    LEFT JOIN session_search x ON x.session_id = :id
), baseline AS (
    INSERT INTO session_revisions
        (organization_id, session_id, user_id, revision, version, documents, started_at, ended_at)
    SELECT s.organization_id, s.id, s.user_id, 1, s.version, {SNAPSHOT}, s.created_at, s.updated_at
    FROM ai_architecture_sessions s, standing WHERE s.id = :id AND standing.newest IS NULL
), living AS (
    UPDATE session_revisions r SET documents = {SNAPSHOT} FROM ai_architecture_sessions s, standing
    WHERE s.id = :id AND r.session_id = :id AND r.documents IS NULL AND r.id IS DISTINCT FROM standing.own
), way AS (
    INSERT INTO session_saves (organization_id, session_id, version, user_id, back)
    VALUES (:organization, :id, :version, nexa.current_person(), CAST(:back AS jsonb))
), goes_on AS (
    UPDATE session_revisions r SET documents = NULL, version = :version, ended_at = clock_timestamp()
    FROM standing WHERE r.id = standing.own
), begins AS (
    INSERT INTO session_revisions
        (organization_id, session_id, user_id, revision, version, started_at, ended_at, restored_from)
    SELECT :organization, :id, coalesce(nexa.current_person(), :author), coalesce(newest, 1) + 1, :version,
           clock_timestamp(), clock_timestamp(), :restored_from
    FROM standing WHERE own IS NULL
)
UPDATE ai_architecture_sessions SET {{values}}, version = :version, updated_at = clock_timestamp()
FROM (SELECT coalesce(own_revision, newest + 1, 2) AS revision, is_stale,
             set_config('nexa.burst',
                        CASE WHEN own IS NOT NULL AND :only_documents THEN 'goes on' ELSE '' END, true) AS burst
      FROM standing) AS of
WHERE id = :id AND of.burst IS NOT NULL RETURNING updated_at, of.revision, of.is_stale
"""
_NEWEST = text("SELECT max(revision) FROM session_revisions WHERE session_id = :id")


def save(
    actor: Actor,
    *,
    uuid: UUID,
    version: int | None,
    documents: Mapping[str, Any] | None = None,
    changes: Sequence[Edit] = (),
    title: str | None = None,
    client: Any = MISSING,
    session_type: str | None = None,
    tags: Sequence[str] | None = None,
) -> Saved:
    """Save what the writer changed since ``version``, merged with what others saved meanwhile.

    ``documents`` maps a column (``documents.COLUMNS``) to its whole new content; ``changes`` are edits of single values
    on top of it. ``version`` is the one the writer started from; None means the current one, whatever it is. What is
    not named stays as it is, ``client=None`` removes the client. Saving what is there already changes nothing.

    Raises Forbidden without SESSIONS_WRITE, ReasonNeeded, NotFound, Invalid for what cannot be stored, Conflict for a
    session in the trash, EditConflict where somebody changed the same value: then nothing at all is saved.
    """
    require_write(actor)
    wanted: dict[str, Any] = dict(documents or {})
    if unknown := wanted.keys() - set(ALL_COLUMNS):
        raise Invalid(f"There is no document “{min(unknown)[:60]}”.", field="documents")
    for column, document in wanted.items():
        check_document(column, document)
    wanted |= _details(title=title, client=client, session_type=session_type, tags=tags)
    with recording(actor, _action_for(wanted, changes)) as db:
        return merged_and_stored(db, actor, uuid, version, wanted, changes)


def _action_for(wanted: Mapping[str, Any], changes: Sequence[Edit]) -> Action:
    """What the log calls a save: by its documents, when it has any."""
    if changes or not wanted or wanted.keys() & set(ALL_COLUMNS):
        return Action.SESSION_EDITED
    return Action.SESSION_TAGGED if wanted.keys() == {"tags"} else Action.SESSION_DETAILS_CHANGED


def _details(*, title: str | None, client: Any, session_type: str | None, tags: Sequence[str] | None) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    if title is not None:
        wanted["title"] = title_of(title)
    if client is not MISSING:
        wanted["client"] = client_of(client)
    if session_type is not None:
        wanted["session_type"] = type_of(session_type)
    if tags is not None:
        wanted["tags"] = tags_of(tags)
    return wanted


def merged_and_stored(
    db: Database,
    actor: Actor,
    uuid: UUID,
    version: int | None,
    wanted: dict[str, Any],
    changes: Sequence[Edit] = (),
    *,
    restored_from: int | None = None,
) -> Saved:
    """The whole of a save within the caller's transaction, on a locked row."""
    touched = set(wanted) | {str(edit.path[0]) for edit in changes if edit.path}
    columns = tuple(column for column in ALL_COLUMNS if column in touched)
    row = head(db, actor, uuid, documents=columns, lock=True)
    require_alive(row)
    steps = _steps(db, row, version)
    theirs = _state(row, columns)
    if steps:
        others = {str(step[1][0]) for step in steps} & set(ALL_COLUMNS) - touched
        if others:
            theirs |= _state(head(db, actor, uuid, documents=tuple(sorted(others))), tuple(others))
    base = walked_back(theirs, [step for step in steps or () if step[1][0] in theirs])
    mine = {**base, **wanted}
    if changes:
        mine |= edited({column: mine[column] for column in ALL_COLUMNS if column in mine}, changes)
        for column in {str(edit.path[0]) for edit in changes}:
            check_document(column, mine[column])
    if steps is None:
        _too_late(row, mine, theirs)
        base = mine = theirs
    result, clashes = merge(base, mine, theirs)
    if clashes:
        raise EditConflict(
            "Somebody changed the same thing meanwhile. Nothing was saved yet: both texts are kept; please choose.",
            current_version=row.version,
            clashes=clashes,
        )
    changed = tuple(name for name in theirs if not same(result[name], theirs[name]))
    news = {name: result[name] for name in ALL_COLUMNS if name in result and not same(result[name], mine[name])}
    if not changed:
        newest = db.scalar(_NEWEST, {"id": row.id})
        return Saved(uuid, row.version, newest or 1, row.updated_at, (), bool(steps), news)
    revision, saved_at = store(db, row, {name: result[name] for name in changed}, theirs, restored_from=restored_from)
    return Saved(uuid, row.version + 1, revision, saved_at, changed, bool(steps), news)


def store(
    db: Database,
    row: Row[Any],
    values: dict[str, Any],
    before: Mapping[str, Any],
    *,
    restored_from: int | None = None,
) -> tuple[int, dt.datetime]:
    """Write the new values of a locked row as one version; answers the revision it belongs to and when."""
    only_documents = not set(values) & set(_DETAILS)
    parameters = {
        "id": row.id,
        "organization": row.organization_id,
        "author": row.user_id,
        "version": row.version + 1,
        "restored_from": restored_from,
        "back": json.dumps(way_back(values, {name: before[name] for name in values})),
        "only_documents": only_documents,
        "follows": SEARCH_FOLLOWS,
        **{f"value_{name}": _stored(name, value) for name, value in values.items()},
    }
    (saved,) = fetched(db, _statement(tuple(values)), parameters)
    if saved.is_stale and only_documents:
        db.execute(text("SELECT nexa.refresh_session_search(ARRAY[:id])"), {"id": row.id})
    return saved.revision, saved.updated_at


@lru_cache(maxsize=256)
def _statement(names: tuple[str, ...]) -> TextClause:
    values = ", ".join(
        f"{name} = CAST(:value_{name} AS jsonb)" if _is_json(name) else f"{name} = :value_{name}" for name in names
    )
    return text(_SAVE.format(values=values))


def _stored(name: str, value: Any) -> Any:
    return json.dumps(value) if _is_json(name) else value


def _is_json(name: str) -> bool:
    return name in ALL_COLUMNS or name == "tags"


def _state(row: Row[Any], columns: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in (*_DETAILS, *columns)}


def _steps(db: Database, row: Row[Any], version: int | None) -> list[Any] | None:
    """The way back from the row to ``version``, newest first; None when it is not known any more."""
    if version is None or version == row.version:
        return []
    if version > row.version or version < 1:
        raise EditConflict(f"There is no version {version:,} of this session.", current_version=row.version)
    saves = db.execute(_WAYS_BACK, {"id": row.id, "version": version}).all()
    # Versions without a way back changed no document; but what is older than the oldest way was removed.
    if not saves or not _reaches(db, row, version, saves[0].version):
        return None
    return [step for one in reversed(saves) for step in one.back]


def _reaches(db: Database, row: Row[Any], version: int, oldest: int) -> bool:
    if oldest == version + 1:
        return True
    earlier = text("SELECT EXISTS (SELECT FROM session_saves WHERE session_id = :id AND version <= :version)")
    return bool(db.scalar(earlier, {"id": row.id, "version": version}))


def _too_late(row: Row[Any], mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> None:
    """Nobody knows any more what the writer started from: everything that differs is for the writer to decide."""
    clashes = tuple(
        Clash((name,), "edited", None, mine[name], theirs[name]) for name in mine if not same(mine[name], theirs[name])
    )
    if clashes:
        raise EditConflict(
            "This was started from a version that is too old to be merged. Nothing was saved yet: please compare.",
            current_version=row.version,
            clashes=clashes,
        )
