"""Save: merge what the writer changed into what is there, once, in one transaction, or say where both disagree.

A *burst* is one person's work on one session with gaps under five minutes: one revision and one entry of the audit log.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import Row, text
from sqlalchemy.orm import Session as Database

from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.architecture_sessions.edits import ALL_COLUMNS, Edit, edited
from nexa_core.architecture_sessions.fields import client_of, tags_of, title_of, type_of
from nexa_core.architecture_sessions.merging import merge
from nexa_core.architecture_sessions.reach import head, require_alive, require_write
from nexa_core.architecture_sessions.remembered import Remembered, remember, remembered
from nexa_core.architecture_sessions.values import MISSING, check_document, same, walked_back, way_back
from nexa_core.architecture_sessions.views import Clash, EditConflict, Saved
from nexa_core.db import fetched, recorded, recording
from nexa_core.errors import Invalid

#: Words of the documents are found this long after they were typed, or once a job has looked.
SEARCH_FOLLOWS: Final = dt.timedelta(seconds=10)
_DETAILS: Final = ("title", "client", "session_type", "tags")

_WAYS_BACK = text(
    "SELECT version, back FROM session_saves WHERE session_id = :id AND version > :version ORDER BY version"
)

_SAVE = text(
    "SELECT * FROM nexa.save_session(true, target => :target, started_from => :started_from, changed => :changed,"
    " way => :way, search_follows => :search_follows, brought_back => :brought_back)"
)
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
    action = _action_for(wanted, changes)
    if saved := _saved_at_once(actor, action, uuid, version, wanted, changes):
        return saved
    with recording(actor, action) as db:
        return merged_and_stored(db, actor, uuid, version, wanted, changes)


def _saved_at_once(
    actor: Actor, action: Action, uuid: UUID, version: int | None, wanted: dict[str, Any], changes: Sequence[Edit]
) -> Saved | None:
    """A save in one message, of who goes on from what was stored last; None, and nothing is saved, for any other."""
    touched = _touched(wanted, changes)
    known = remembered(actor, uuid, version, touched)
    if known is None:
        return None
    before = known.values(touched)
    try:
        mine = _mine(before, wanted, changes)
    except Invalid:  # which is for the row to say: what is remembered may never have been committed
        return None
    way = way_back(mine, before)
    if not way:
        return None
    changed = {step[1][0] for step in way}
    new = {name: mine[name] for name in before if name in changed}
    asked, texts = _asked(uuid, known.version, new, way)
    for stored in recorded(actor, action, "nexa.save_session", seen=known.stamp, **asked):
        remember(uuid, Remembered(known.organization_id, known.version + 1, stored.stamp, {**known.texts, **texts}))
        return Saved(uuid, known.version + 1, stored.revision, stored.saved_at, tuple(new), merged=False)
    return None


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
    touched = _touched(wanted, changes)
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
    mine = _mine(base, wanted, changes)
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
    new = {name: result[name] for name in changed}
    way = way_back(new, {name: theirs[name] for name in new})
    asked, texts = _asked(uuid, row.version, new, way, brought_back=restored_from)
    (stored,) = fetched(db, _SAVE, asked)
    remember(uuid, Remembered(row.organization_id, row.version + 1, stored.stamp, texts))
    return Saved(uuid, row.version + 1, stored.revision, stored.saved_at, changed, bool(steps), news)


def _touched(wanted: Mapping[str, Any], changes: Sequence[Edit]) -> set[str]:
    return set(wanted) | {str(edit.path[0]) for edit in changes if edit.path}


def _mine(base: Mapping[str, Any], wanted: Mapping[str, Any], changes: Sequence[Edit]) -> dict[str, Any]:
    """What the writer wants the session to be, who started from ``base``. Raises Invalid."""
    mine = {**base, **wanted}
    if changes:
        mine |= edited({column: mine[column] for column in ALL_COLUMNS if column in mine}, changes)
        for column in {str(edit.path[0]) for edit in changes}:
            check_document(column, mine[column])
    return mine


def _asked(
    uuid: UUID, version: int, new: Mapping[str, Any], way: list[Any], *, brought_back: int | None = None
) -> tuple[dict[str, Any], dict[str, str]]:
    """What ``nexa.save_session`` is asked to write upon ``version``, and the new values as JSON."""
    texts = {name: to_json(value).decode() for name, value in new.items()}
    asked = {
        "target": uuid,
        "started_from": version,
        "changed": "{" + ", ".join(f'"{name}": {text}' for name, text in texts.items()) + "}",
        "way": to_json(way).decode(),
        "search_follows": SEARCH_FOLLOWS,
        "brought_back": brought_back,
    }
    return asked, texts


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
