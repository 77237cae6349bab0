"""The audit log and the chain that proves it; written by the database alone."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import INET, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from nexa_core.audit.filters import BY_STAFF
from nexa_core.orm import Base, Id, Timestamp
from nexa_core.saved_views import ViewRow, one_of_a_name

#: What the log is filtered by, each with two indexes in the order it is read in: one behind the organization for
#: tenants, whose policy comes first, and one by itself for the platform's people.
FILTERED = ("user_id", "action", "resource_type", "ip_address")
_BY_STAFF = text(BY_STAFF)


class AuditLog(Base):
    """One change to one row, or one noted event: who, what, from where, why, and the values that changed."""

    __tablename__ = "audit_logs"
    __table_args__ = (
        PrimaryKeyConstraint("id", "created_at"),
        Index("audit_logs_organization_id_created_at_id_idx", "organization_id", "created_at", "id"),
        Index("audit_logs_resource_id_created_at_idx", "resource_id", "created_at"),
        Index("audit_logs_request_id_idx", "request_id"),
        Index("audit_logs_created_at_id_idx", "created_at", "id"),
        *(Index(f"audit_logs_{name}_created_at_id_idx", name, "created_at", "id") for name in FILTERED),
        *(
            Index(f"audit_logs_organization_id_{name}_created_at_id_idx", "organization_id", name, "created_at", "id")
            for name in FILTERED
        ),
        Index("audit_logs_staff_idx", "created_at", "id", postgresql_where=_BY_STAFF),
        Index(
            "audit_logs_organization_id_staff_idx", "organization_id", "created_at", "id", postgresql_where=_BY_STAFF
        ),
        {"postgresql_partition_by": "RANGE (created_at)"},
    )

    id: Mapped[UUID] = mapped_column(server_default=func.nexa.uuid_v7())
    created_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    organization_id: Mapped[UUID | None] = mapped_column(ForeignKey("organizations.id"))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    action: Mapped[str] = mapped_column(String(100))
    resource_type: Mapped[str] = mapped_column(String(50))
    resource_id: Mapped[UUID | None]
    old_values: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    new_values: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    ip_address: Mapped[str | None] = mapped_column(INET)
    user_agent: Mapped[str | None]
    request_id: Mapped[UUID]
    reason: Mapped[str | None]
    actor_scope: Mapped[str] = mapped_column(String(20))
    salt: Mapped[bytes] = mapped_column(LargeBinary, server_default=func.uuid_send(func.gen_random_uuid()))


class AuditHead(Base):
    """The last link of a chain; locked while a link is appended."""

    __tablename__ = "audit_heads"

    chain_id: Mapped[UUID] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, server_default="0")
    hash: Mapped[bytes] = mapped_column(LargeBinary, server_default="nexa audit chain")


class AuditLink(Base):
    """One link: it covers its entry, a digest of the entry's values, and the link before."""

    __tablename__ = "audit_chain"
    __table_args__ = (PrimaryKeyConstraint("chain_id", "sequence"),)

    chain_id: Mapped[UUID]
    sequence: Mapped[int] = mapped_column(BigInteger)
    audit_log_id: Mapped[UUID]
    logged_at: Mapped[dt.datetime]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class AuditSavedView(ViewRow):
    """A person's own way of looking at the log: filters under a name, for themselves or for the organization."""

    __tablename__ = "audit_views"
    __table_args__ = (
        CheckConstraint("btrim(name) <> ''", name="name", info={"sentence": "A view needs a name."}),
        one_of_a_name("audit_views"),
        Index("audit_views_user_id_idx", "user_id"),
    )


class AuditSeal(Base):
    """The head of a chain at a moment, signed; ``previous`` is the signature of the seal before."""

    __tablename__ = "audit_seals"
    __table_args__ = (PrimaryKeyConstraint("chain_id", "sequence"),)

    chain_id: Mapped[UUID]
    sequence: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_at: Mapped[dt.datetime]
    previous: Mapped[bytes | None] = mapped_column(LargeBinary)
    kid: Mapped[str] = mapped_column(String(50))
    signature: Mapped[bytes] = mapped_column(LargeBinary)


class AuditVerification(Base):
    """What the last walk along a chain found; ``sequence`` is how far it went at most."""

    __tablename__ = "audit_verifications"

    chain_id: Mapped[UUID] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger)
    verified_at: Mapped[dt.datetime]
    faults: Mapped[int] = mapped_column(Integer)
    first_fault: Mapped[str | None]


class AuditArchive(Base):
    """A stretch of a chain as it was exported; once ``expired_at`` is set, the stub that stands for its entries."""

    __tablename__ = "audit_archives"
    __table_args__ = (PrimaryKeyConstraint("chain_id", "last_sequence"),)

    chain_id: Mapped[UUID]
    first_sequence: Mapped[int] = mapped_column(BigInteger)
    last_sequence: Mapped[int] = mapped_column(BigInteger)
    last_hash: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    location: Mapped[str]
    archived_at: Mapped[dt.datetime]
    kid: Mapped[str] = mapped_column(String(50))
    signature: Mapped[bytes] = mapped_column(LargeBinary)
    expired_at: Mapped[dt.datetime | None]


class AuditRetention(Base):
    """How long an organization's entries are kept; for ever without ``keep_months``, or under a legal hold."""

    __tablename__ = "audit_retentions"
    __table_args__ = (
        UniqueConstraint("organization_id"),
        CheckConstraint(
            "keep_months BETWEEN 12 AND 240",
            name="keep_months",
            info={"sentence": "Entries are kept for 12 to 240 months, or for ever."},
        ),
    )

    id: Mapped[Id]
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    keep_months: Mapped[int | None] = mapped_column(Integer)
    legal_hold: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[Timestamp]
    updated_at: Mapped[Timestamp]
