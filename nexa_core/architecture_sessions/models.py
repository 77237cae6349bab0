"""Architecture sessions, their revisions and the links that share them."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import Mapped, mapped_column

from nexa_core.orm import Base, Id, Object, Timestamp, secret


class ArchitectureSession(Base):
    """A session: four pages in five documents. ``uuid`` is what the outside knows, ``version`` counts saves."""

    __tablename__ = "ai_architecture_sessions"
    __table_args__ = (
        UniqueConstraint("uuid"),
        UniqueConstraint("organization_id", "id"),
        CheckConstraint("btrim(title) <> ''", name="title", info={"sentence": "A session needs a title."}),
        CheckConstraint("jsonb_typeof(tags) = 'array'", name="tags", info={"sentence": "Tags are a list."}),
        Index("ai_architecture_sessions_organization_id_updated_at_id_idx", "organization_id", "updated_at", "id"),
        Index("ai_architecture_sessions_user_id_idx", "user_id"),
    )

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    uuid: Mapped[UUID] = mapped_column(PG_UUID(as_uuid=True), server_default=text("gen_random_uuid()"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    title: Mapped[str] = mapped_column(String(255))
    client: Mapped[str | None] = mapped_column(String(255))
    session_objects: Mapped[Object]
    sow_objects: Mapped[Object]
    loe_objects: Mapped[Object]
    diagram_texts_json: Mapped[Object]
    visual_assets_json: Mapped[Object]
    session_type: Mapped[str] = mapped_column(String(50), server_default="solution")
    is_template: Mapped[bool] = mapped_column(server_default="false")
    tags: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    created_at: Mapped[Timestamp]
    updated_at: Mapped[Timestamp]
    deleted_at: Mapped[dt.datetime | None]


class SessionRevision(Base):
    """The documents as one burst of edits left them; a burst is one person, one session, gaps under five minutes."""

    __tablename__ = "session_revisions"
    __table_args__ = (
        UniqueConstraint("session_id", "revision"),
        ForeignKeyConstraint(
            ["organization_id", "session_id"],
            ["ai_architecture_sessions.organization_id", "ai_architecture_sessions.id"],
            ondelete="CASCADE",
        ),
        Index("session_revisions_organization_id_session_id_idx", "organization_id", "session_id"),
    )

    id: Mapped[Id]
    organization_id: Mapped[UUID]
    session_id: Mapped[int] = mapped_column(Integer)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    revision: Mapped[int] = mapped_column(Integer)
    name: Mapped[str | None] = mapped_column(String(255))
    documents: Mapped[dict[str, Any]] = mapped_column(JSONB)
    started_at: Mapped[Timestamp]
    ended_at: Mapped[Timestamp]


class ShareLink(Base):
    """A link that shows one revision to somebody without an account; the token is kept as SHA-256 hex."""

    __tablename__ = "share_links"
    __table_args__ = (
        UniqueConstraint("token"),
        ForeignKeyConstraint(
            ["organization_id", "session_id"],
            ["ai_architecture_sessions.organization_id", "ai_architecture_sessions.id"],
            ondelete="CASCADE",
        ),
        Index("share_links_organization_id_session_id_idx", "organization_id", "session_id"),
    )

    id: Mapped[Id]
    organization_id: Mapped[UUID]
    session_id: Mapped[int] = mapped_column(Integer)
    revision: Mapped[int] = mapped_column(Integer)
    token: Mapped[str] = secret(nullable=False)
    passcode_hash: Mapped[str | None] = secret(255)
    pages: Mapped[list[Any]] = mapped_column(
        JSONB, server_default=text("""'["structuring", "sow", "loe", "visuals"]'""")
    )
    created_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[Timestamp]
    expires_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]
    view_count: Mapped[int] = mapped_column(Integer, server_default="0")
    last_viewed_at: Mapped[dt.datetime | None]
