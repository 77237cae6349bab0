"""Organizations, who belongs to them, and the e-mail domains that lead to them."""

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
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import Mapped, mapped_column

from nexa_core.orm import (
    MEMBERSHIP_ROLE,
    MEMBERSHIP_STATUS,
    ORGANIZATION_STATUS,
    USER_STATUS,
    VIEWS,
    Base,
    Id,
    Object,
    Timestamp,
    secret,
)


class Organization(Base):
    """A tenant: a customer, or the platform's own organization (``is_platform``, at most one)."""

    __tablename__ = "organizations"
    __table_args__ = (
        UniqueConstraint("slug", info={"sentence": "This slug is taken; choose another one."}),
        CheckConstraint(
            "slug ~ '^[a-z0-9](-?[a-z0-9])*$'",
            name="slug",
            info={"sentence": "A slug consists of lower-case letters, digits and single hyphens."},
        ),
        CheckConstraint("btrim(name) <> ''", name="name", info={"sentence": "An organization needs a name."}),
        CheckConstraint(
            "subscription_status IN ('trialing', 'active', 'past_due', 'canceled', 'paused')",
            name="subscription_status",
            info={"sentence": "This is not a subscription status."},
        ),
        CheckConstraint(
            "jsonb_typeof(tags) = 'array'", name="tags", info={"sentence": "The tags of a customer are a list."}
        ),
        CheckConstraint(
            "currency ~ '^[A-Z]{3}$'", name="currency", info={"sentence": "A currency has three capital letters."}
        ),
        CheckConstraint(
            "jsonb_typeof(agreed_prices) = 'object'",
            name="agreed_prices",
            info={"sentence": "Agreed prices have names."},
        ),
        CheckConstraint(
            "readiness_gate IN ('off', 'warn', 'block')",
            name="readiness_gate",
            info={"sentence": "What is not ready goes out, goes out with a warning, or does not."},
        ),
        Index(
            "organizations_is_platform_idx",
            "is_platform",
            unique=True,
            postgresql_where=text("is_platform"),
            info={"sentence": "There is a platform organization already."},
        ),
        Index("organizations_name_id_idx", "name", "id"),
        Index("organizations_lower_name_id_idx", text("lower(name)"), "id"),
        Index("organizations_account_manager_id_idx", "account_manager_id"),
    )

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(255))
    slug: Mapped[str] = mapped_column(String(100))
    domain: Mapped[str | None] = mapped_column(String(255))
    logo_url: Mapped[str | None] = mapped_column(String(500))
    brand_colors: Mapped[Object]
    address: Mapped[Object]
    tax_id: Mapped[str | None] = mapped_column(String(100))
    billing_email: Mapped[str | None] = mapped_column(String(255))
    plan_type: Mapped[str] = mapped_column(String(50), server_default="free")
    subscription_status: Mapped[str] = mapped_column(String(50), server_default="active")
    subscription_data: Mapped[Object]
    usage_limits: Mapped[Object]
    tags: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    currency: Mapped[str] = mapped_column(String(3), server_default="EUR")
    agreed_prices: Mapped[Object]
    status: Mapped[str] = mapped_column(ORGANIZATION_STATUS, server_default="pending")
    time_zone: Mapped[str] = mapped_column(String(64), server_default="UTC")
    is_platform: Mapped[bool] = mapped_column(server_default="false")
    is_demo: Mapped[bool] = mapped_column(server_default="false")
    account_manager_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[Timestamp]
    updated_at: Mapped[Timestamp]
    deleted_at: Mapped[dt.datetime | None]
    readiness_gate: Mapped[str] = mapped_column(String(10), server_default="warn")


class OrganizationMembership(Base):
    """A person in an organization, from the invitation on. ``permissions`` is ``{"grant": [...], "deny": [...]}``."""

    __tablename__ = "organization_memberships"
    __table_args__ = (
        UniqueConstraint(
            "organization_id", "user_id", info={"sentence": "This person belongs to the organization already."}
        ),
        UniqueConstraint("invitation_token"),
        Index("organization_memberships_user_id_idx", "user_id"),
    )

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    role: Mapped[str] = mapped_column(MEMBERSHIP_ROLE, server_default="member")
    permissions: Mapped[Object]
    status: Mapped[str] = mapped_column(MEMBERSHIP_STATUS, server_default="pending")
    invited_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    invited_at: Mapped[dt.datetime | None]
    invitation_token: Mapped[str | None] = secret()
    invitation_expires_at: Mapped[dt.datetime | None]
    invitation_opened_at: Mapped[dt.datetime | None]
    invitation_message: Mapped[str | None]
    invitation_revoked_at: Mapped[dt.datetime | None]
    invitation_by_mail: Mapped[bool] = mapped_column(server_default="true")
    requested_at: Mapped[dt.datetime | None]
    joined_at: Mapped[dt.datetime | None]
    last_active_at: Mapped[dt.datetime | None]
    created_at: Mapped[Timestamp]
    updated_at: Mapped[Timestamp]


class OrganizationDomain(Base):
    """An e-mail domain an organization claims; exclusive only once it is proven."""

    __tablename__ = "organization_domains"
    __table_args__ = (
        UniqueConstraint("organization_id", "domain", info={"sentence": "This domain is in the list already."}),
        CheckConstraint(
            "domain = lower(domain)", name="domain", info={"sentence": "A domain is written in lower case."}
        ),
        Index(
            "organization_domains_verified_idx",
            "domain",
            unique=True,
            postgresql_where=text("verified_at IS NOT NULL"),
            info={"sentence": "Another organization has proven this domain."},
        ),
    )

    id: Mapped[Id]
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    domain: Mapped[str] = mapped_column(String(255))
    auto_join_role: Mapped[str] = mapped_column(MEMBERSHIP_ROLE, server_default="viewer")
    auto_join_enabled: Mapped[bool] = mapped_column(server_default="false")
    verification_required: Mapped[bool] = mapped_column(server_default="true")
    verification_token: Mapped[str | None] = mapped_column(String(64))
    verification_checked_at: Mapped[dt.datetime | None]
    verified_at: Mapped[dt.datetime | None]
    verified_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    approval_required: Mapped[bool] = mapped_column(server_default="false")
    missing_since: Mapped[dt.datetime | None]
    created_at: Mapped[Timestamp]
    updated_at: Mapped[Timestamp]


class OrganizationLogo(Base):
    """A small picture, named by the SHA-256 of its bytes; ``organizations.logo_url`` says which one is shown."""

    __tablename__ = "organization_logos"
    __table_args__ = (
        PrimaryKeyConstraint("organization_id", "digest"),
        CheckConstraint(
            "media_type IN ('image/png', 'image/jpeg', 'image/svg+xml')",
            name="media_type",
            info={"sentence": "A logo is a PNG, JPEG or SVG picture."},
        ),
        CheckConstraint(
            "octet_length(content) <= 262144",
            name="content",
            info={"sentence": "A logo has at most 256 kB."},
        ),
        CheckConstraint(
            "digest = encode(sha256(content), 'hex')",
            name="digest",
            info={"sentence": "The picture is not the one its address names."},
        ),
    )

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    digest: Mapped[str] = mapped_column(String(64))
    media_type: Mapped[str] = mapped_column(String(20))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[Timestamp]


class FormerMember(Base):
    """Who was removed: a domain does not bring them back. Written by a trigger."""

    __tablename__ = "former_members"
    __table_args__ = (
        PrimaryKeyConstraint("organization_id", "user_id"),
        Index("former_members_user_id_idx", "user_id"),
    )

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    removed_at: Mapped[Timestamp]


class DomainSignUp(Base):
    """A mailed link with which an address of a proven domain joins; kept as SHA-256 hex."""

    __tablename__ = "domain_sign_ups"
    __table_args__ = (
        Index("domain_sign_ups_organization_id_idx", "organization_id"),
        Index("domain_sign_ups_email_idx", "email"),
    )

    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    domain: Mapped[str] = mapped_column(String(255))
    email: Mapped[str] = mapped_column(String(255))
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]
    created_at: Mapped[Timestamp]


#: Active memberships with their person and organization (a view: non-deleted people and organizations only).
organization_members = Table(
    "organization_members",
    VIEWS,
    Column("membership_id", PG_UUID(as_uuid=True), primary_key=True),
    Column("organization_id", PG_UUID(as_uuid=True)),
    Column("user_id", PG_UUID(as_uuid=True)),
    Column("role", MEMBERSHIP_ROLE),
    Column("permissions", JSONB),
    Column("joined_at", DateTime(timezone=True)),
    Column("last_active_at", DateTime(timezone=True)),
    Column("email", String(255)),
    Column("full_name", String(255)),
    Column("avatar_url", String(500)),
    Column("user_status", USER_STATUS),
    Column("last_login_at", DateTime(timezone=True)),
    Column("organization_name", String(255)),
    Column("organization_slug", String(100)),
    Column("organization_status", ORGANIZATION_STATUS),
    Column("is_platform", Boolean),
    Column("is_demo", Boolean),
)
