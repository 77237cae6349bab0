"""What can be done with a session as a whole: make it, open it, copy it, put it into the trash and take it out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, text
from sqlalchemy.orm import Session as Database

from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.architecture_sessions.edits import ALL_COLUMNS
from nexa_core.architecture_sessions.fields import client_of, tags_of, title_of, type_of, words
from nexa_core.architecture_sessions.progress import progress_of
from nexa_core.architecture_sessions.reach import found, head, may_write, require_alive, require_write
from nexa_core.architecture_sessions.values import check_document
from nexa_core.architecture_sessions.views import SessionView
from nexa_core.db import reading, recording
from nexa_core.errors import Invalid, NotFound
from nexa_core.permissions import Permission
from nexa_core.usage import UsageEvent, charge

_AROUND = text("""
SELECT o.name AS organization_name, o.slug AS organization_slug, u.full_name AS author_name, t.uuid AS template,
       (SELECT max(r.revision) FROM session_revisions r WHERE r.session_id = s.id) AS revision,
       nexa.session_facts(s.session_objects, s.sow_objects, s.loe_objects, s.diagram_texts_json) AS facts
FROM ai_architecture_sessions s
JOIN organizations o ON o.id = s.organization_id
LEFT JOIN users u ON u.id = s.user_id
LEFT JOIN ai_architecture_sessions t ON t.id = s.template_id AND t.purged_at IS NULL
WHERE s.id = :id
""")
_INSERT = text(f"""
INSERT INTO ai_architecture_sessions (uuid, user_id, organization_id, title, client, session_type, tags,
                                      template_id, template_revision, template_values, {", ".join(ALL_COLUMNS)})
VALUES (:uuid, :user, :organization, :title, :client, :session_type, CAST(:tags AS jsonb), :template_id,
        :template_revision, CAST(:template_values AS jsonb), {", ".join(f"CAST(:{c} AS jsonb)" for c in ALL_COLUMNS)})
RETURNING id
""")
_FIRST_REVISION = text("""
INSERT INTO session_revisions (organization_id, session_id, user_id, revision, version)
VALUES (:organization, :id, :user, 1, 1)
""")


def get(actor: Actor, *, uuid: UUID) -> SessionView:
    """One session with its documents; one in the trash too.

    Raises Forbidden without SESSIONS_READ, ReasonNeeded for a customer's (see ``state_reason``), NotFound.
    """
    actor.require(Permission.SESSIONS_READ)
    with reading(actor) as db:
        return view_of(db, actor, head(db, actor, uuid, documents=ALL_COLUMNS))


def create(
    actor: Actor,
    *,
    title: str,
    client: str | None = None,
    session_type: str = "solution",
    tags: Sequence[str] = (),
    documents: Mapping[str, Any] | None = None,
) -> SessionView:
    """A new session of the actor's organization; documents that are not given are empty.

    Counted as a ``session_create``. Raises Forbidden without SESSIONS_WRITE, Invalid for what cannot be stored,
    LimitExceeded.
    """
    require_write(actor)
    given = checked(documents or {})
    with recording(actor, Action.SESSION_CREATED) as db:
        return inserted(
            db, actor, title=title_of(title), client=client_of(client), session_type=type_of(session_type),
            tags=tags_of(tags), documents=given,
        )  # fmt: skip


def duplicate(actor: Actor, *, uuid: UUID, title: str | None = None) -> SessionView:
    """A copy of a session, the actor's own: the documents as they are, with a history that begins now.

    Raises Forbidden without SESSIONS_WRITE, NotFound for one of another organization, LimitExceeded.
    """
    require_write(actor)
    with recording(actor, Action.SESSION_DUPLICATED) as db:
        row = head(db, actor, uuid, documents=ALL_COLUMNS)
        if row.organization_id != actor.organization_id:
            raise NotFound("Only a session of your own organization can be copied.")
        require_alive(row)
        return inserted(
            db, actor, title=title_of(title if title is not None else f"Copy of {row.title}"[:255]), client=row.client,
            session_type=row.session_type, tags=row.tags, documents={c: getattr(row, c) for c in ALL_COLUMNS},
            template=(row.template_id, row.template_revision, row.template_values),
        )  # fmt: skip


def trash(actor: Actor, *, uuid: UUID) -> SessionView:
    """Move a session to the trash, where it waits 90 days; one that is there stays there.

    Raises Forbidden without SESSIONS_WRITE, ReasonNeeded, NotFound.
    """
    return _moved(actor, uuid, Action.SESSION_DELETED, "now()")


def restore(actor: Actor, *, uuid: UUID) -> SessionView:
    """Take a session out of the trash. Raises as ``trash`` does."""
    return _moved(actor, uuid, Action.SESSION_RESTORED, "NULL")


def _moved(actor: Actor, uuid: UUID, action: Action, deleted_at: str) -> SessionView:
    require_write(actor)
    with recording(actor, action) as db:
        row = head(db, actor, uuid, lock=True)
        if (row.deleted_at is None) == (deleted_at != "NULL"):
            change = f"UPDATE ai_architecture_sessions SET deleted_at = {deleted_at}, updated_at = clock_timestamp()"
            db.execute(text(f"{change} WHERE id = :id"), {"id": row.id})
        return view_of(db, actor, found(db, uuid, documents=ALL_COLUMNS))


def checked(documents: Mapping[str, Any]) -> dict[str, Any]:
    """Documents for a new session, all five. Raises Invalid for what is none or cannot be stored."""
    if unknown := documents.keys() - set(ALL_COLUMNS):
        raise Invalid(f"There is no document “{min(unknown)[:60]}”.", field="documents")
    for column, document in documents.items():
        check_document(column, document)
    return {column: documents.get(column, {}) for column in ALL_COLUMNS}


def inserted(
    db: Database,
    actor: Actor,
    *,
    title: str,
    client: str | None,
    session_type: str,
    tags: Any,
    documents: Mapping[str, Any],
    template: tuple[int | None, int | None, Any] = (None, None, {}),
) -> SessionView:
    """A new session with its first revision, counted as used, within the caller's transaction."""
    if actor.organization_id is None or actor.user_id is None:
        raise NotFound("Only somebody who is signed in has sessions.")
    uuid = uuid4()
    template_id, template_revision, template_values = template
    identifier = db.execute(
        _INSERT,
        {
            "uuid": uuid,
            "user": actor.user_id,
            "organization": actor.organization_id,
            "title": title,
            "client": client,
            "session_type": session_type,
            "tags": json.dumps(tags),
            "template_id": template_id,
            "template_revision": template_revision,
            "template_values": json.dumps(template_values),
            **{column: json.dumps(documents[column]) for column in ALL_COLUMNS},
        },
    ).scalar_one()
    db.execute(_FIRST_REVISION, {"organization": actor.organization_id, "id": identifier, "user": actor.user_id})
    event = UsageEvent("session_create", f"session_create:{uuid}", session_id=identifier)
    charge(db, actor, event, organization_id=actor.organization_id)
    return view_of(db, actor, found(db, uuid, documents=ALL_COLUMNS))


def view_of(db: Database, actor: Actor, row: Row[Any]) -> SessionView:
    """The view of a row of ``reach`` with all its documents."""
    around = db.execute(_AROUND, {"id": row.id}).one()
    return SessionView(
        uuid=row.uuid,
        organization_id=row.organization_id,
        organization_name=around.organization_name,
        organization_slug=around.organization_slug,
        author_id=row.user_id,
        author_name=around.author_name or FORMER,
        title=row.title,
        client=row.client,
        session_type=row.session_type,
        is_template=row.is_template,
        tags=words(row.tags),
        version=row.version,
        revision=around.revision or 1,
        created_at=row.created_at,
        updated_at=row.updated_at,
        deleted_at=row.deleted_at,
        documents={column: getattr(row, column) for column in ALL_COLUMNS},
        progress=progress_of(around.facts),
        may_write=may_write(actor) and row.deleted_at is None,
        is_pinned=row.is_pinned,
        template=around.template,
        template_revision=row.template_revision,
    )


#: Who wrote something and does not belong to the organization any more.
FORMER = "A former member"
