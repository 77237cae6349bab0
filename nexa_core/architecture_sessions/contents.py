"""What of a session goes outside: one of its revisions, fixed, with whose it is and how they want to look."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session as Database

from nexa_core.actor import Actor
from nexa_core.architecture_sessions.edits import ALL_COLUMNS
from nexa_core.architecture_sessions.reach import SNAPSHOT, head, require_alive
from nexa_core.architecture_sessions.sections import digest_of
from nexa_core.db import metering, reading
from nexa_core.errors import NotFound
from nexa_core.permissions import Permission


@dataclass(frozen=True, slots=True)
class Branding:
    """How an organization wants to look: its name, the digest of its uploaded logo, colors by name."""

    name: str
    logo: str | None
    colors: Mapping[str, str]

    @classmethod
    def of(cls, organization_id: UUID, name: str, logo_url: str | None, colors: object) -> Branding:
        """A logo elsewhere on the Internet is left out: nobody outside shall be told who reads what."""
        prefix = f"/api/organizations/{organization_id}/logo/"
        logo = logo_url.removeprefix(prefix) if logo_url and logo_url.startswith(prefix) else None
        named = colors.items() if isinstance(colors, Mapping) else ()
        return cls(name, logo, {key: value for key, value in named if isinstance(value, str) and _is_color(value)})

    @property
    def accent(self) -> str:
        """The color of lines and marks; writing stays dark, whatever the color."""
        return self.colors.get("primary", "#334155")


@dataclass(frozen=True, slots=True)
class Content:
    """One revision of a session. ``digest`` is the SHA-256 of the five documents, however their keys are ordered."""

    session_id: int
    uuid: UUID
    organization_id: UUID
    title: str
    client: str | None
    session_type: str
    is_template: bool
    tags: tuple[str, ...]
    author_name: str
    revision: int
    revised_at: dt.datetime
    documents: Mapping[str, Any]
    digest: str
    branding: Branding
    readiness_gate: str


_CONTENT = text(f"""
    SELECT s.id, s.uuid, s.organization_id, s.title, s.client, s.session_type, s.is_template, s.tags,
           coalesce(a.full_name, '') AS author_name, o.name, o.logo_url, o.brand_colors, o.readiness_gate,
           coalesce(r.revision, 1) AS revision, coalesce(r.ended_at, s.updated_at) AS revised_at,
           r.session_id IS NOT NULL AS has, coalesce(r.documents, {SNAPSHOT}) AS documents
    FROM ai_architecture_sessions s
    JOIN organizations o ON o.id = s.organization_id
    LEFT JOIN users a ON a.id = s.user_id
    LEFT JOIN LATERAL (
        SELECT * FROM session_revisions r
        WHERE r.session_id = s.id AND (r.revision = :revision OR CAST(:revision AS integer) IS NULL)
        ORDER BY r.documents IS NULL DESC, r.version DESC, r.revision DESC LIMIT 1) r ON true
    WHERE s.uuid = :uuid
""")


def content(actor: Actor, *, uuid: UUID, revision: int | None = None) -> Content:
    """A revision of a session as it goes outside, the newest without a number.

    Raises Forbidden without SESSIONS_READ, ReasonNeeded for a customer's (see ``state_reason``), NotFound for a session
    or revision out of reach, Conflict for one in the trash.
    """
    actor.require(Permission.SESSIONS_READ)
    with reading(actor) as db:
        require_alive(head(db, actor, uuid))
        return fetch(db, uuid, revision)


def fetch(db: Database, uuid: UUID, revision: int | None = None) -> Content:
    """:func:`content` in the open transaction, whose role decides what is within reach."""
    row = db.execute(_CONTENT, {"uuid": uuid, "revision": revision}).one_or_none()
    if row is None:
        raise NotFound("There is no such session.")
    if revision is not None and not row.has and revision != 1:
        raise NotFound(f"This session has no revision {revision}.")
    documents = {name: row.documents.get(name) for name in ALL_COLUMNS}
    return Content(
        session_id=row.id,
        uuid=row.uuid,
        organization_id=row.organization_id,
        title=row.title,
        client=row.client,
        session_type=row.session_type,
        is_template=row.is_template,
        tags=tuple(tag for tag in row.tags if isinstance(tag, str)),
        author_name=row.author_name,
        revision=row.revision,
        revised_at=row.revised_at,
        documents=documents,
        digest=digest_of(documents),
        branding=Branding.of(row.organization_id, row.name, row.logo_url, row.brand_colors),
        readiness_gate=row.readiness_gate,
    )


# NO KEY: who charges usage of this session at the same moment holds its key, and must not wait for this in a circle.
_LOCK = text("SELECT id FROM ai_architecture_sessions WHERE uuid = :uuid FOR NO KEY UPDATE")
_CLOSE = text("""
    UPDATE session_revisions SET is_closed = true
    WHERE session_id = :session AND NOT is_closed AND revision = :revision
""")
_BEGIN = text("""
    INSERT INTO session_revisions
        (organization_id, session_id, user_id, revision, version, is_closed, started_at, ended_at)
    SELECT organization_id, id, user_id, 1, version, true, created_at, updated_at FROM ai_architecture_sessions s
    WHERE id = :session AND NOT EXISTS (SELECT FROM session_revisions r WHERE r.session_id = s.id)
""")


def fixed(actor: Actor, *, uuid: UUID, revision: int | None = None) -> Content:
    """:func:`content` that stays what it is: whoever goes on writing begins another revision. Raises as it does.

    A transaction of its own and a short one: what is made of the content may take its time while others type.
    """
    actor.require(Permission.SESSIONS_READ)
    with metering(actor) as db:
        row = head(db, actor, uuid)
        require_alive(row)
        db.execute(_LOCK, {"uuid": uuid})
        db.execute(_BEGIN, {"session": row.id})
        shown = fetch(db, uuid, revision)
        db.execute(_CLOSE, {"session": row.id, "revision": shown.revision})
        return shown


def _is_color(value: str) -> bool:
    return re.fullmatch(r"#[0-9a-fA-F]{6}", value) is not None
