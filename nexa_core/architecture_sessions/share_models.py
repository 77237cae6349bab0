"""The links that share a session, and what clients said to what those showed."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, deferred, mapped_column

from nexa_core.orm import Base, Id, Timestamp, secret


class ShareLink(Base):
    """A link that shows one revision to somebody without an account; the token is kept as SHA-256 hex."""

    __tablename__ = "share_links"
    __table_args__ = (
        UniqueConstraint("token"),
        UniqueConstraint("organization_id", "id"),
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
    label: Mapped[str | None] = mapped_column(String(255))
    is_protected: Mapped[bool] = mapped_column(Computed("passcode_hash IS NOT NULL", persisted=True), nullable=True)
    failed_attempts: Mapped[int] = deferred(mapped_column(Integer, server_default="0", nullable=False), raiseload=True)
    last_failed_at: Mapped[dt.datetime | None] = deferred(mapped_column(), raiseload=True)
    locked_until: Mapped[dt.datetime | None]
    lock_count: Mapped[int] = deferred(mapped_column(Integer, server_default="0", nullable=False), raiseload=True)


class ShareResponse(Base):
    """What a client without an account said to one part of what a link showed them."""

    __tablename__ = "share_responses"
    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "share_link_id"], ["share_links.organization_id", "share_links.id"], ondelete="CASCADE"
        ),
        CheckConstraint(
            "kind IN ('approval', 'comment')", name="kind", info={"sentence": "A client approves or comments."}
        ),
        Index("share_responses_organization_id_share_link_id_idx", "organization_id", "share_link_id", "created_at"),
    )

    id: Mapped[Id]
    organization_id: Mapped[UUID]
    share_link_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(String(10))
    page: Mapped[str] = mapped_column(String(20))
    part: Mapped[str] = mapped_column(String(100))
    title: Mapped[str] = mapped_column(String(255))
    content_digest: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(255))
    email: Mapped[str] = mapped_column(String(320))
    comment: Mapped[str | None]
    created_at: Mapped[Timestamp]
