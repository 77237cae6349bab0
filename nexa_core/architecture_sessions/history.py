"""History: the bursts of work on a session, what each did, comparing any two, and bringing one back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session as Database

from nexa_core import audit, paging
from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.architecture_sessions.differences import Difference, differences, sentences
from nexa_core.architecture_sessions.documents import COLUMNS
from nexa_core.architecture_sessions.edits import ALL_COLUMNS
from nexa_core.architecture_sessions.merging import by_key
from nexa_core.architecture_sessions.reach import SNAPSHOT, head, require_write
from nexa_core.architecture_sessions.saving import merged_and_stored
from nexa_core.architecture_sessions.service import FORMER
from nexa_core.architecture_sessions.views import RevisionDetail, RevisionPage, RevisionView, Saved
from nexa_core.db import reading, recording
from nexa_core.errors import Invalid, NotFound
from nexa_core.permissions import Permission

# A session that was written before there was a history is its own first revision.
_REVISIONS = f"""
SELECT r.revision, r.version, r.user_id, coalesce(u.full_name, :former) AS full_name, r.started_at, r.ended_at, r.name,
       r.documents IS NULL AS is_current, r.restored_from, coalesce(r.documents, {SNAPSHOT}) AS documents
FROM ai_architecture_sessions s
CROSS JOIN LATERAL (
    SELECT h.revision, h.version, h.user_id, h.started_at, h.ended_at, h.name, h.documents, h.restored_from
    FROM session_revisions h WHERE h.session_id = s.id
    UNION ALL
    SELECT 1, s.version, s.user_id, s.created_at, s.updated_at, NULL, NULL, NULL
    WHERE NOT EXISTS (SELECT FROM session_revisions h WHERE h.session_id = s.id)
) r
LEFT JOIN users u ON u.id = r.user_id
WHERE s.id = :id {{narrowed}}
ORDER BY r.version DESC, r.revision DESC LIMIT :most
"""
# A revision has up to 10 MB, and a page of history 51 of them: only as many are read as have TOLD_BYTES together.
_TOLD = f"""
SELECT t.revision, t.version, t.user_id, t.full_name, t.started_at, t.ended_at, t.name, t.is_current, t.restored_from,
       CASE WHEN sum(octet_length(t.documents::text)) OVER (ORDER BY t.version DESC, t.revision DESC) <= :bytes
            THEN t.documents END AS documents
FROM ({_REVISIONS}) t ORDER BY t.version DESC, t.revision DESC
"""
TOLD_BYTES: Final = 16 * 1024 * 1024
_LARGE = "a large change"
_BEFORE = "AND (r.version, r.revision) < (:version, :revision)"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two revisions, older and newer as asked for, what differs, and the same in sentences."""

    before: RevisionView
    after: RevisionView
    differences: tuple[Difference, ...]
    sentences: tuple[str, ...]


def revisions(actor: Actor, *, uuid: UUID, after: str | None = None, limit: int = 20) -> RevisionPage:
    """The history, newest first, at most 50 at once, each with what it did in sentences.

    Of large documents only the newest are told: see TOLD_BYTES; ``revision`` tells each.
    Raises Forbidden without SESSIONS_READ, ReasonNeeded, NotFound, Invalid for a cursor that is none.
    """
    actor.require(Permission.SESSIONS_READ)
    limit = max(1, min(limit, 50))
    with reading(actor) as db:
        row = head(db, actor, uuid)
        rows = _rows(db, row.id, _BEFORE if after else "", limit + 1, _place(after), query=_TOLD, bytes=TOLD_BYTES)
    told = []
    for number, one in enumerate(rows[:limit]):
        older = rows[number + 1].documents if number + 1 < len(rows) else {}
        is_small = older is not None and one.documents is not None
        told.append(_view(one, sentences(older, one.documents) if is_small else (_LARGE,)))
    more = len(rows) > limit
    return RevisionPage(tuple(told), paging.cursor(told[-1].version, told[-1].revision) if more and told else None)


def revision(actor: Actor, *, uuid: UUID, revision: int) -> RevisionDetail:
    """One revision with its documents. Raises Forbidden without SESSIONS_READ, ReasonNeeded, NotFound."""
    actor.require(Permission.SESSIONS_READ)
    with reading(actor) as db:
        session_id = head(db, actor, uuid).id
        row = _one(db, session_id, revision)
        older = _rows(db, session_id, _BEFORE, 1, {"version": row.version, "revision": row.revision})
    return RevisionDetail(_view(row, sentences(older[0].documents if older else {}, row.documents)), row.documents)


def compare(actor: Actor, *, uuid: UUID, before: int, after: int) -> Comparison:
    """What is different in revision ``after`` from revision ``before``; either may be the older one.

    Raises Forbidden without SESSIONS_READ, ReasonNeeded, NotFound.
    """
    actor.require(Permission.SESSIONS_READ)
    with reading(actor) as db:
        row = head(db, actor, uuid)
        old, new = _one(db, row.id, before), _one(db, row.id, after)
    return Comparison(
        _view(old),
        _view(new),
        differences(old.documents, new.documents),
        sentences(old.documents, new.documents, most=50),
    )


def restore_revision(actor: Actor, *, uuid: UUID, revision: int, path: Sequence[str] = ()) -> Saved:
    """Bring back what a revision held, as a new revision: all of it, one page or column, or one part of a document.

    ``path`` is empty for all documents, a page (``sow``), or a column followed by keys and ids of parts. A part that
    was removed comes back where it stood; one that did not exist yet is removed.

    Raises Forbidden without SESSIONS_WRITE, ReasonNeeded, NotFound, Conflict for a session in the trash.
    """
    require_write(actor)
    if path and path[0] not in (*COLUMNS, *ALL_COLUMNS):
        raise Invalid(f"There is no document “{path[0][:60]}”.", field="path")
    told = f"revision {revision}{': ' if path else ''}{'/'.join(path)[:200]}"
    with recording(actor, Action.SESSION_REVISION_RESTORED, reason=told) as db:
        row = head(db, actor, uuid, documents=ALL_COLUMNS, lock=True)
        old = _one(db, row.id, revision)
        columns: Sequence[str] = COLUMNS.get(path[0], (path[0],)) if path else ALL_COLUMNS
        now = {column: getattr(row, column) for column in columns}
        then = {column: old.documents.get(column, {}) for column in columns}
        if len(path) > 1:
            then = {path[0]: put_back(now[path[0]], then[path[0]], path[1:])}
        return merged_and_stored(db, actor, uuid, row.version, then, restored_from=revision)


def name_revision(actor: Actor, *, uuid: UUID, revision: int, name: str | None) -> RevisionView:
    """Give a revision a name, or take it away; what is written from now on is another revision.

    Raises Forbidden without SESSIONS_WRITE, ReasonNeeded, NotFound, Invalid for a name over 255 characters.
    """
    require_write(actor)
    name = " ".join((name or "").split()) or None
    if name and (len(name) > 255 or "\x00" in name):
        raise Invalid("A name has at most 255 characters.", field="name")
    with recording(actor, Action.SESSION_REVISION_NAMED) as db:
        row = head(db, actor, uuid, lock=True)
        found = _one(db, row.id, revision)
        if found.name != name:
            if found.is_current:
                settled_revision(db, row.id)
            change = "UPDATE session_revisions SET name = :name, is_closed = true WHERE session_id = :id"
            db.execute(text(f"{change} AND revision = :revision"), {"name": name, "id": row.id, "revision": revision})
            audit.note(db, "session", uuid, {"revision": revision, "name": name}, organization_id=row.organization_id)
        return _view(_one(db, row.id, revision))


def settled_revision(db: Database, session_id: int) -> int:
    """The number of the newest state, which from now on does not change any more: for what is pinned to a revision.

    Within the caller's transaction, on a session it has locked.
    """
    settle = """UPDATE session_revisions SET is_closed = true WHERE session_id = :id AND documents IS NULL
                RETURNING revision"""
    number: int | None = db.scalar(text(settle), {"id": session_id})
    if number is None:  # written before there was a history
        begin = """INSERT INTO session_revisions (organization_id, session_id, user_id, revision, version, is_closed,
                        started_at, ended_at)
                    SELECT s.organization_id, s.id, s.user_id, coalesce((SELECT max(r.revision) + 1
                        FROM session_revisions r WHERE r.session_id = s.id), 1), s.version, true, s.created_at,
                        s.updated_at FROM ai_architecture_sessions s WHERE s.id = :id RETURNING revision"""
        number = db.execute(text(begin), {"id": session_id}).scalar_one()
    return number


def documents_of(db: Database, session_id: int, revision: int) -> Mapping[str, Any]:
    """The documents of a revision, within the caller's transaction. Raises NotFound."""
    found: Mapping[str, Any] = _one(db, session_id, revision).documents
    return found


def put_back(now: Any, then: Any, path: Sequence[str]) -> Any:
    """``now`` with what ``then`` holds at ``path``; where ``then`` holds nothing, nothing is left there."""
    key, rest = path[0], path[1:]
    if isinstance(now, list):
        olds = by_key(then) if isinstance(then, list) else {}
        news = by_key(now)
        if news is None or olds is None:
            raise Invalid("This list has no parts that could be told apart.", field="path")
        if rest and key in news and key in olds:
            return [put_back(item, olds[key], rest) if k == key else item for k, item in news.items()]
        kept = [item for k, item in news.items() if k != key]
        if key not in olds:
            return kept
        if key in news:
            return [olds[key] if k == key else item for k, item in news.items()]
        before = [k for k in list(olds)[: list(olds).index(key)] if k in news]
        place = list(news).index(before[-1]) + 1 if before else 0
        return [*kept[:place], olds[key], *kept[place:]]
    inner = then.get(key) if isinstance(then, dict) else None
    there = isinstance(then, dict) and key in then
    if not isinstance(now, dict):
        raise Invalid("There is no such part.", field="path")
    if rest and key in now and there:
        return {**now, key: put_back(now[key], inner, rest)}
    if rest and there and key not in now:
        return {**now, key: inner}
    return {**now, key: inner} if there else {name: value for name, value in now.items() if name != key}


def _rows(
    db: Database,
    session_id: int,
    narrowed: str,
    most: int,
    values: Mapping[str, Any],
    *,
    query: str = _REVISIONS,
    **more: int,
) -> Sequence[Row[Any]]:
    parameters = {"id": session_id, "most": most, "former": FORMER, **values, **more}
    return db.execute(text(query.format(narrowed=narrowed)), parameters).all()


def _one(db: Database, session_id: int, number: int) -> Row[Any]:
    if not 0 < number < 2**31:
        raise NotFound("There is no such revision.")
    rows = _rows(db, session_id, "AND r.revision = :revision", 1, {"revision": number})
    if not rows:
        raise NotFound("There is no such revision.")
    return rows[0]


def _view(row: Row[Any], told: tuple[str, ...] = ()) -> RevisionView:
    return RevisionView(
        revision=row.revision,
        version=row.version,
        author_id=row.user_id,
        author_name=row.full_name,
        started_at=row.started_at,
        ended_at=row.ended_at,
        name=row.name,
        is_current=row.is_current,
        restored_from=row.restored_from,
        sentences=told,
    )


def _place(after: str | None) -> dict[str, int]:
    if not after:
        return {}
    version, number = paging.place(after, int, int)
    return {"version": version, "revision": number}
