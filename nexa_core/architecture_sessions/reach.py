"""Which session an actor may see or write: found through the policies, a customer's opened with a reason."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, TextClause, text
from sqlalchemy.orm import Session as Database

from nexa_core.actor import Actor, Scope
from nexa_core.architecture_sessions.edits import ALL_COLUMNS
from nexa_core.architecture_sessions.views import ReasonNeeded
from nexa_core.db import fetched_one
from nexa_core.errors import Conflict, NotFound
from nexa_core.permissions import Permission

#: How long a reason that was stated opens a session.
ACCESS: Final = dt.timedelta(hours=8)

_HEAD = """
SELECT s.id, s.uuid, s.organization_id, s.user_id, s.title, s.client, s.session_type, s.is_template, s.tags, s.version,
       s.created_at, s.updated_at, s.deleted_at, s.template_id, s.template_revision, s.template_values,
       m.pinned_at IS NOT NULL AS is_pinned, coalesce(m.access_until > now(), false) AS has_reason,
       m.access_reason{columns}
FROM ai_architecture_sessions s
LEFT JOIN session_marks m ON m.session_id = s.id AND m.user_id = nexa.current_person()
WHERE s.uuid = :uuid AND s.purged_at IS NULL
"""
_GONE = "There is no such session."

#: All documents of a row ``s`` in one, as the history keeps them.
SNAPSHOT: Final = "jsonb_build_object(" + ", ".join(f"'{column}', s.{column}" for column in ALL_COLUMNS) + ")"


def may_write(actor: Actor) -> bool:
    """Whether the actor writes sessions at all; presenters and who looks with other eyes never do."""
    return actor.scope is not Scope.PRESENTER and actor.viewing_as is None and actor.may(Permission.SESSIONS_WRITE)


def require_write(actor: Actor) -> None:
    """Raise Forbidden unless the actor writes sessions."""
    actor.require(Permission.SESSIONS_WRITE)
    actor.require_own_eyes()


def needs_a_reason(actor: Actor, organization_id: UUID) -> bool:
    """Whether the documents are a customer's and the actor one of the platform's people."""
    return actor.is_staff and actor.user_id is not None and organization_id != actor.organization_id


def head(db: Database, actor: Actor, uuid: UUID, *, documents: tuple[str, ...] = (), lock: bool = False) -> Any:
    """The row of a session whose documents the actor may read, with these columns of documents; locked for a change.

    Raises NotFound, ReasonNeeded.
    """
    row = found(db, uuid, documents=documents, lock=lock)
    if needs_a_reason(actor, row.organization_id) and not row.has_reason:
        raise ReasonNeeded("These documents are a customer's. Say why you open them; the customer can read it.")
    return row


def found(db: Database, uuid: UUID, *, documents: tuple[str, ...] = (), lock: bool = False) -> Any:
    """The row of a session within reach, whether or not its documents may be opened. Raises NotFound."""
    row = fetched_one(db, _statement(documents, lock), {"uuid": uuid})
    if row is None:
        raise NotFound(_GONE)
    return row


@lru_cache(maxsize=128)
def _statement(documents: tuple[str, ...], lock: bool) -> TextClause:
    columns = "".join(f", s.{column}" for column in documents)
    return text(_HEAD.format(columns=columns) + ("FOR UPDATE OF s" if lock else ""))


def require_alive(row: Row[Any]) -> None:
    """Raise Conflict for a session in the trash."""
    if row.deleted_at is not None:
        raise Conflict("This session is in the trash; restore it first.")
