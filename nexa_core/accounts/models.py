"""People, their sign-ins and the single-use secrets that lead to one."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import CIDR, INET, JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import Mapped, mapped_column

from nexa_core.orm import ORGANIZATION_STATUS, USER_STATUS, VIEWS, Base, Id, Object, Timestamp, secret


class User(Base):
    """A person. ``password_hash`` is readable by the entry door alone."""

    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("email", info={"sentence": "There is an account with this e-mail address already."}),
        CheckConstraint(
            "email = lower(email) AND email LIKE '_%@_%'",
            name="email",
            info={"sentence": "This is not an e-mail address NEXA can use."},
        ),
        Index("users_full_name_id_idx", "full_name", "id"),
    )

    id: Mapped[Id]
    email: Mapped[str] = mapped_column(String(255))
    password_hash: Mapped[str | None] = secret(255)
    first_name: Mapped[str] = mapped_column(String(100), server_default="")
    last_name: Mapped[str] = mapped_column(String(100), server_default="")
    full_name: Mapped[str] = mapped_column(String(255), server_default="")
    avatar_url: Mapped[str | None] = mapped_column(String(500))
    timezone: Mapped[str] = mapped_column(String(64), server_default="UTC")
    locale: Mapped[str] = mapped_column(String(35), server_default="en")
    profile_data: Mapped[Object]
    notification_settings: Mapped[Object]
    status: Mapped[str] = mapped_column(USER_STATUS, server_default="pending")
    email_verified_at: Mapped[dt.datetime | None]
    last_login_at: Mapped[dt.datetime | None]
    last_login_ip: Mapped[str | None] = mapped_column(INET)
    login_count: Mapped[int] = mapped_column(Integer, server_default="0")
    failed_login_attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    last_failed_login_at: Mapped[dt.datetime | None]
    locked_until: Mapped[dt.datetime | None]
    lock_count: Mapped[int] = mapped_column(Integer, server_default="0")
    password_changed_at: Mapped[dt.datetime | None]
    created_at: Mapped[Timestamp]
    updated_at: Mapped[Timestamp]
    deleted_at: Mapped[dt.datetime | None]
    erased_at: Mapped[dt.datetime | None]


class UserSession(Base):
    """A sign-in: a browser's, or a program's with its family of refresh tokens. Tokens are kept as SHA-256 hex."""

    __tablename__ = "user_sessions"
    __table_args__ = (
        UniqueConstraint("session_token"),
        UniqueConstraint("refresh_token"),
        CheckConstraint("kind IN ('browser', 'api')", name="kind"),
        Index("user_sessions_user_id_idx", "user_id", "created_at"),
        Index("user_sessions_organization_id_idx", "organization_id"),
    )

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    kind: Mapped[str] = mapped_column(String(10), server_default="browser")
    session_token: Mapped[str] = secret(nullable=False)
    refresh_token: Mapped[str | None] = secret()
    expires_at: Mapped[dt.datetime]
    ip_address: Mapped[str | None] = mapped_column(INET)
    user_agent: Mapped[str | None]
    last_seen_at: Mapped[Timestamp]
    created_at: Mapped[Timestamp]
    revoked_at: Mapped[dt.datetime | None]
    revoked_reason: Mapped[str | None] = mapped_column(String(50))


class SpentRefreshToken(Base):
    """A refresh token that was rotated away: meeting it again ends the family."""

    __tablename__ = "spent_refresh_tokens"

    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_session_id: Mapped[UUID] = mapped_column(ForeignKey("user_sessions.id", ondelete="CASCADE"), index=True)
    spent_at: Mapped[Timestamp]


class ApiKey(Base):
    """What a program of an organization signs its requests with, kept as SHA-256 hex; ``prefix`` tells keys apart."""

    __tablename__ = "api_keys"
    __table_args__ = (
        UniqueConstraint("key_hash"),
        CheckConstraint("btrim(name) <> ''", name="name", info={"sentence": "An API key needs a name."}),
        Index("api_keys_organization_id_idx", "organization_id"),
    )

    id: Mapped[Id]
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    name: Mapped[str] = mapped_column(String(100))
    prefix: Mapped[str] = mapped_column(String(12))
    key_hash: Mapped[str] = secret(nullable=False)
    permissions: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[Timestamp]
    last_used_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]


class OneTimeToken(Base):
    """A single-use secret that travels outside a sign-in, kept as SHA-256 hex."""

    __tablename__ = "one_time_tokens"
    __table_args__ = (CheckConstraint("purpose IN ('sign_in', 'set_password')", name="purpose"),)

    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(20))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    organization_id: Mapped[UUID | None] = mapped_column(ForeignKey("organizations.id"))
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]
    created_at: Mapped[Timestamp]


class UnknownSignIn(Base):
    """Failed sign-ins of an address nobody has, counted and locked as if somebody had it."""

    __tablename__ = "unknown_sign_ins"

    address_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    failed_login_attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    last_failed_login_at: Mapped[dt.datetime | None]
    locked_until: Mapped[dt.datetime | None]
    lock_count: Mapped[int] = mapped_column(Integer, server_default="0")


class NetworkSignIn(Base):
    """What a network's failed sign-ins have used up of those it may have: the time until which that lasts."""

    __tablename__ = "network_sign_ins"

    network: Mapped[str] = mapped_column(CIDR, primary_key=True)
    spent_until: Mapped[dt.datetime]


class Viewing(Base):
    """An internal admin looking at one organization with a member's eyes, in one sign-in, for an hour at most."""

    __tablename__ = "viewings"
    __table_args__ = (
        CheckConstraint(
            "expires_at <= started_at + interval '60 minutes'",
            name="expires_at",
            info={"sentence": "Viewing as somebody ends after 60 minutes."},
        ),
        CheckConstraint("btrim(reason) <> ''", name="reason", info={"sentence": "Viewing as somebody needs a reason."}),
        Index("viewings_user_session_id_idx", "user_session_id"),
        Index("viewings_organization_id_idx", "organization_id"),
        Index("viewings_expires_at_idx", "expires_at", postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[Id]
    user_session_id: Mapped[UUID]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    viewed_user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    reason: Mapped[str]
    started_at: Mapped[Timestamp]
    expires_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]


#: Living sign-ins with their person and organization (a view: not expired, not revoked, active people only).
active_user_sessions = Table(
    "active_user_sessions",
    VIEWS,
    Column("id", PG_UUID(as_uuid=True), primary_key=True),
    Column("user_id", PG_UUID(as_uuid=True)),
    Column("organization_id", PG_UUID(as_uuid=True)),
    Column("kind", String(10)),
    Column("session_token", String(64)),
    Column("expires_at", DateTime(timezone=True)),
    Column("ip_address", INET),
    Column("user_agent", Text),
    Column("last_seen_at", DateTime(timezone=True)),
    Column("created_at", DateTime(timezone=True)),
    Column("email", String(255)),
    Column("full_name", String(255)),
    Column("avatar_url", String(500)),
    Column("timezone", String(64)),
    Column("locale", String(35)),
    Column("organization_name", String(255)),
    Column("organization_slug", String(100)),
    Column("organization_status", ORGANIZATION_STATUS),
    Column("is_platform", Boolean),
    Column("is_demo", Boolean),
    Column("plan_type", String(50)),
    Column("usage_limits", JSONB),
)
