"""Architecture sessions, their revisions and what is kept beside them."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import Mapped, mapped_column

from nexa_core.orm import Base, Id, Object, Timestamp
from nexa_core.saved_views import ViewRow, one_of_a_name


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
        Index("ai_architecture_sessions_updated_at_id_idx", "updated_at", "id"),
        Index("ai_architecture_sessions_title_id_idx", "title", "id"),
        Index("ai_architecture_sessions_organization_id_title_id_idx", "organization_id", "title", "id"),
        Index(
            "ai_architecture_sessions_deleted_at_idx",
            "deleted_at",
            postgresql_where=text("deleted_at IS NOT NULL AND purged_at IS NULL"),
        ),
        ForeignKeyConstraint(
            ["organization_id", "template_id"],
            ["ai_architecture_sessions.organization_id", "ai_architecture_sessions.id"],
        ),
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
    template_id: Mapped[int | None] = mapped_column(Integer)
    template_revision: Mapped[int | None] = mapped_column(Integer)
    template_values: Mapped[Object]
    purged_at: Mapped[dt.datetime | None]


class SessionRevision(Base):
    """The documents as one burst of edits left them; a burst is one person, one session, gaps under five minutes.

    One without ``documents`` is the living one: it is what the session is now. ``version`` is the session's after the
    last save of the burst; one that is closed goes on with no further save.
    """

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
    documents: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    started_at: Mapped[Timestamp]
    ended_at: Mapped[Timestamp]
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    is_closed: Mapped[bool] = mapped_column(server_default="false")
    restored_from: Mapped[int | None] = mapped_column(Integer)


def _of_a_session() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["organization_id", "session_id"],
        ["ai_architecture_sessions.organization_id", "ai_architecture_sessions.id"],
        ondelete="CASCADE",
    )


class SessionSave(Base):
    """How to get from a version back to the one before (see ``values.back``): what a late save is merged with."""

    __tablename__ = "session_saves"
    __table_args__ = (
        PrimaryKeyConstraint("session_id", "version"),
        _of_a_session(),
        Index("session_saves_saved_at_idx", "saved_at"),
        Index("session_saves_user_id_idx", "user_id"),
    )

    organization_id: Mapped[UUID]
    session_id: Mapped[int] = mapped_column(Integer)
    version: Mapped[int] = mapped_column(Integer)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    saved_at: Mapped[Timestamp]
    back: Mapped[list[Any]] = mapped_column(JSONB)


class SessionPresence(Base):
    """Who has a session open, and on which page."""

    __tablename__ = "session_presence"
    __table_args__ = (
        PrimaryKeyConstraint("session_id", "user_id"),
        _of_a_session(),
        Index("session_presence_user_id_idx", "user_id"),
    )

    organization_id: Mapped[UUID]
    session_id: Mapped[int] = mapped_column(Integer)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    page: Mapped[str] = mapped_column(String(20), server_default="")
    seen_at: Mapped[Timestamp]


class SessionMark(Base):
    """What a session is to one person: when opened, whether pinned, and why staff may read a customer's."""

    __tablename__ = "session_marks"
    __table_args__ = (
        PrimaryKeyConstraint("session_id", "user_id"),
        _of_a_session(),
        Index("session_marks_user_id_opened_at_idx", "user_id", "opened_at"),
    )

    organization_id: Mapped[UUID]
    session_id: Mapped[int] = mapped_column(Integer)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    opened_at: Mapped[dt.datetime | None]
    pinned_at: Mapped[dt.datetime | None]
    access_reason: Mapped[str | None]
    access_until: Mapped[dt.datetime | None]
    noted_in: Mapped[UUID | None]


class SessionSavedView(ViewRow):
    """Filters of the list under a name."""

    __tablename__ = "session_views"
    __table_args__ = (one_of_a_name("session_views"),)


class SessionSearch(Base):
    """What a session says in words, and facts of it; written by the database alone."""

    __tablename__ = "session_search"
    __table_args__ = (_of_a_session(), Index("session_search_words_idx", "words", postgresql_using="gin"))

    session_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    organization_id: Mapped[UUID]
    version: Mapped[int] = mapped_column(Integer)
    plain: Mapped[str]
    markers: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    facts: Mapped[Object]
    broken_diagrams: Mapped[int | None] = mapped_column(Integer)
    checked_version: Mapped[int] = mapped_column(Integer, server_default="0")
    refreshed_at: Mapped[Timestamp]
    words: Mapped[Any] = mapped_column(
        TSVECTOR, Computed("nexa.session_words(organization_id, plain, markers)", persisted=True)
    )


class SessionImage(Base):
    """A picture of an organization's sessions, by the SHA-256 of what it holds."""

    __tablename__ = "session_images"
    __table_args__ = (
        PrimaryKeyConstraint("organization_id", "digest"),
        CheckConstraint(
            "media_type IN ('image/png', 'image/jpeg', 'image/svg+xml')",
            name="media_type",
            info={"sentence": "A picture is a PNG, JPEG or SVG."},
        ),
        CheckConstraint(
            "octet_length(content) <= 5242880", name="content", info={"sentence": "A picture has at most 5 MB."}
        ),
        CheckConstraint(
            "digest = encode(sha256(content), 'hex')",
            name="digest",
            info={"sentence": "A picture is known by what it holds."},
        ),
    )

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    digest: Mapped[str] = mapped_column(String(64))
    media_type: Mapped[str] = mapped_column(String(20))
    width: Mapped[int | None] = mapped_column(Integer)
    height: Mapped[int | None] = mapped_column(Integer)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[Timestamp]


class SessionDrawing(Base):
    """A diagram that was drawn once, by the digest of its text (see ``diagrams.digest_of``)."""

    __tablename__ = "session_drawings"
    __table_args__ = (PrimaryKeyConstraint("organization_id", "digest"),)

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    digest: Mapped[str] = mapped_column(String(64))
    svg: Mapped[str]
    created_at: Mapped[Timestamp]
