"""The list of sessions: found, narrowed, sorted and paged in the database, with the words around a find."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session as Database

from nexa_core import paging
from nexa_core.actor import Actor, Scope
from nexa_core.architecture_sessions.fields import words
from nexa_core.architecture_sessions.filters import Filter
from nexa_core.architecture_sessions.progress import progress_of
from nexa_core.architecture_sessions.reach import needs_a_reason
from nexa_core.architecture_sessions.service import FORMER
from nexa_core.architecture_sessions.views import Page, SessionLine
from nexa_core.db import reading
from nexa_core.errors import Invalid, NotFound
from nexa_core.permissions import Permission

#: How a list can be sorted: last edited or oldest edit first, newest first, by title.
SORTS: Final = ("updated", "oldest", "created", "title")
#: Characters of a document shown around a find.
_AROUND: Final = 180

_FIND = text("SELECT session_id FROM nexa.find_sessions(CAST(:wanted AS jsonb), :most)")
_LINES = text("""
SELECT s.id, s.uuid, s.organization_id, o.name AS organization_name, s.user_id, u.full_name AS author_name, s.title,
       s.client, s.session_type, s.is_template, s.tags, s.version, s.created_at, s.updated_at, s.deleted_at,
       x.facts, x.broken_diagrams, m.pinned_at IS NOT NULL AS is_pinned,
       CASE WHEN CAST(:word AS text) <> '' THEN
           substring(x.plain FROM greatest(1, strpos(lower(x.plain), :word) - 60) FOR :around) END AS around
FROM unnest(CAST(:ids AS integer[])) WITH ORDINALITY AS page(id, place)
JOIN ai_architecture_sessions s ON s.id = page.id
JOIN organizations o ON o.id = s.organization_id
LEFT JOIN users u ON u.id = s.user_id
LEFT JOIN session_search x ON x.session_id = s.id
LEFT JOIN session_marks m ON m.session_id = s.id AND m.user_id = nexa.current_person()
ORDER BY page.place
""")
_RECENT = text("""
SELECT s.id FROM session_marks m JOIN ai_architecture_sessions s ON s.id = m.session_id
WHERE m.user_id = nexa.current_person() AND m.opened_at IS NOT NULL AND s.deleted_at IS NULL AND s.purged_at IS NULL
ORDER BY m.opened_at DESC LIMIT :most
""")


def browse(
    actor: Actor, *, wanted: Filter | None = None, sort: str = "updated", after: str | None = None, limit: int = 50
) -> Page:
    """A page of the sessions the actor can reach, at most 200 at once, narrowed by ``wanted``.

    ``after`` is the ``next_cursor`` of the page before, of the same sort. Snippets hold words of the documents, so
    staff see none of a customer's. Raises Forbidden without SESSIONS_READ, NotFound for an organization out of reach,
    Invalid for a filter, sort or cursor that cannot be.
    """
    actor.require(Permission.SESSIONS_READ)
    narrowed = wanted or Filter()
    narrowed.check()
    if narrowed.organization_id not in (None, actor.organization_id) and actor.scope is Scope.TENANT:
        raise NotFound("There is no such organization.")
    require_sort(sort)
    limit = max(1, min(limit, 200))
    asked = narrowed.asked() | {"sort": sort} | _place(after, sort)
    with reading(actor) as db:
        ids = list(db.scalars(_FIND, {"wanted": json.dumps(asked), "most": limit + 1}))
        items = lines(db, actor, ids[:limit], narrowed.text)
        cursor = _cursor(db, ids[limit - 1], sort) if len(ids) > limit else None
    return Page(items, cursor)


def require_sort(sort: str) -> None:
    """Raise Invalid for an order that the list cannot have."""
    if sort not in SORTS:
        raise Invalid(f"Sessions cannot be sorted by “{str(sort)[:40]}”.", field="sort")


def recent(actor: Actor, *, limit: int = 10) -> tuple[SessionLine, ...]:
    """The sessions the actor opened last, those in the trash left out. Raises Forbidden without SESSIONS_READ."""
    actor.require(Permission.SESSIONS_READ)
    with reading(actor) as db:
        return lines(db, actor, list(db.scalars(_RECENT, {"most": max(1, min(limit, 50))})))


def pinned(actor: Actor, *, limit: int = 50) -> tuple[SessionLine, ...]:
    """The sessions the actor pinned, last edited first. Raises Forbidden without SESSIONS_READ."""
    return browse(actor, wanted=Filter(pinned=True), limit=limit).items


def lines(db: Database, actor: Actor, ids: Sequence[int], searched: str = "") -> tuple[SessionLine, ...]:
    """Sessions by their internal ids, in this order, as a list shows them."""
    if not ids:
        return ()
    terms = _terms(searched)
    rows = db.execute(_LINES, {"ids": list(ids), "word": terms[0] if terms else "", "around": _AROUND}).all()
    return tuple(_line(actor, row, terms) for row in rows)


def _line(actor: Actor, row: Row[Any], terms: Sequence[str]) -> SessionLine:
    readable = row.around is not None and not needs_a_reason(actor, row.organization_id)
    return SessionLine(
        uuid=row.uuid,
        organization_id=row.organization_id,
        organization_name=row.organization_name,
        author_id=row.user_id,
        author_name=row.author_name or FORMER,
        title=row.title,
        client=row.client,
        session_type=row.session_type,
        is_template=row.is_template,
        tags=words(row.tags),
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        deleted_at=row.deleted_at,
        progress=progress_of(row.facts),
        is_pinned=row.is_pinned,
        broken_diagrams=row.broken_diagrams,
        snippet=highlighted(row.around, terms) if readable else (),
    )


def highlighted(around: str, terms: Sequence[str]) -> tuple[tuple[str, bool], ...]:
    """A text in pieces: (text, whether it is one of the words searched for)."""
    pattern = re.compile(f"({'|'.join(re.escape(term) for term in terms)})", re.IGNORECASE)
    line = " ".join(around.split())
    return tuple((piece, number % 2 == 1) for number, piece in enumerate(pattern.split(line)) if piece)


def _terms(searched: str) -> list[str]:
    """The words of a search that a find contains, the first one first; operators and unwanted words are none."""
    found = re.findall(r'(?<!\S)-\S+|[^\s"]+', searched.lower())
    return [word for word in found if not word.startswith("-") and word not in ("or", "and")]


def _cursor(db: Database, session_id: int, sort: str) -> str:
    column = {"title": "title", "created": "created_at"}.get(sort, "updated_at")
    statement = f"SELECT {column} FROM ai_architecture_sessions WHERE id = :id"
    return paging.cursor(sort, db.execute(text(statement), {"id": session_id}).scalar_one(), session_id)


def _place(after: str | None, sort: str) -> dict[str, Any]:
    if not after:
        return {}
    of_sort, value, session_id = paging.place(after, str, str if sort == "title" else dt.datetime, int)
    if of_sort != sort or not 0 < session_id < 2**31:
        raise paging.lost()
    return {"after": value if sort == "title" else value.isoformat(), "after_id": session_id}
