"""Usage events, the keys that count them once, the counters that hold limits, and the rollups."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Computed,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    UniqueConstraint,
    false,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from nexa_core.orm import Base, Id, Object, Timestamp


class UsageEvent(Base):
    """Something that happened and may cost credits. Append-only, by month of ``occurred_at``."""

    __tablename__ = "usage_events"
    __table_args__ = (
        PrimaryKeyConstraint("id", "occurred_at"),
        ForeignKeyConstraint(
            ["organization_id", "session_id"],
            ["ai_architecture_sessions.organization_id", "ai_architecture_sessions.id"],
        ),
        Index("usage_events_organization_id_occurred_at_id_idx", "organization_id", "occurred_at", "id"),
        Index("usage_events_flagged_idx", "organization_id", "occurred_at", postgresql_where=text("is_flagged")),
        {"postgresql_partition_by": "RANGE (occurred_at)"},
    )

    id: Mapped[UUID] = mapped_column(server_default=func.nexa.uuid_v7())
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    event_type: Mapped[str] = mapped_column(String(50))
    event_data: Mapped[Object]
    credits_consumed: Mapped[int] = mapped_column(Integer, server_default="0")
    session_id: Mapped[int | None] = mapped_column(Integer)
    source: Mapped[str] = mapped_column(String(50), server_default="nexa")
    idempotency_key: Mapped[str] = mapped_column(String(255))
    occurred_at: Mapped[Timestamp]
    created_at: Mapped[Timestamp]
    is_flagged: Mapped[bool] = mapped_column(Boolean, server_default=false())


class UsageIdempotencyKey(Base):
    """A key an organization's source has used, for ever: same content, same answer; other content, refused."""

    __tablename__ = "usage_idempotency_keys"
    __table_args__ = (PrimaryKeyConstraint("organization_id", "source", "idempotency_key"),)

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    source: Mapped[str] = mapped_column(String(50))
    idempotency_key: Mapped[str] = mapped_column(String(255))
    content_hash: Mapped[bytes] = mapped_column(LargeBinary)
    event_id: Mapped[UUID]


class UsageCounter(Base):
    """What an organization used of one metric (``credits`` or an event type) in one period; limits hold here."""

    __tablename__ = "usage_counters"
    __table_args__ = (
        PrimaryKeyConstraint("organization_id", "period_start", "metric"),
        CheckConstraint("reserved >= 0", name="reserved", info={"sentence": "A reservation was released twice."}),
        Index("usage_counters_credits_idx", "period_start", postgresql_where=text("metric = 'credits'")),
    )

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    period_start: Mapped[dt.datetime]
    metric: Mapped[str] = mapped_column(String(50))
    used: Mapped[int] = mapped_column(BigInteger, server_default="0")
    reserved: Mapped[int] = mapped_column(BigInteger, server_default="0")
    most: Mapped[int | None] = mapped_column(BigInteger)
    overage: Mapped[int] = mapped_column(
        BigInteger, Computed("greatest(used - coalesce(most, used), 0)", persisted=True)
    )


class FormerTimeZone(Base):
    """The zone of an organization's months before ``until_month``; written by a trigger alone."""

    __tablename__ = "former_time_zones"
    __table_args__ = (
        PrimaryKeyConstraint("organization_id", "until_month"),
        CheckConstraint(
            "extract(day FROM until_month) = 1",
            name="until_month",
            info={"sentence": "A month begins with its first day."},
        ),
    )

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    until_month: Mapped[dt.date] = mapped_column(Date)
    time_zone: Mapped[str] = mapped_column(String(64))


class UsageByDay(Base):
    """Events and credits of an organization by type and day, in the organization's own time zone."""

    __tablename__ = "usage_by_day"
    __table_args__ = (PrimaryKeyConstraint("organization_id", "day", "event_type"),)

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    day: Mapped[dt.date] = mapped_column(Date)
    event_type: Mapped[str] = mapped_column(String(50))
    events: Mapped[int] = mapped_column(BigInteger, server_default="0")
    credits: Mapped[int] = mapped_column(BigInteger, server_default="0")


class UsageByMonth(Base):
    """Events and credits of an organization by month; rolled up by a job."""

    __tablename__ = "usage_by_month"
    __table_args__ = (PrimaryKeyConstraint("organization_id", "month"),)

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    month: Mapped[dt.date] = mapped_column(Date)
    events: Mapped[int] = mapped_column(BigInteger, server_default="0")
    credits: Mapped[int] = mapped_column(BigInteger, server_default="0")


class UsageOfAllByDay(Base):
    """Events and credits of all organizations by type and day; rolled up by a job."""

    __tablename__ = "usage_of_all_by_day"
    __table_args__ = (PrimaryKeyConstraint("day", "event_type"),)

    day: Mapped[dt.date] = mapped_column(Date)
    event_type: Mapped[str] = mapped_column(String(50))
    events: Mapped[int] = mapped_column(BigInteger, server_default="0")
    credits: Mapped[int] = mapped_column(BigInteger, server_default="0")


class UsageEventType(Base):
    """What can be used, by name; ``credits`` is what an event costs that does not say so itself."""

    __tablename__ = "usage_event_types"
    __table_args__ = (
        CheckConstraint("credits >= 0", name="credits", info={"sentence": "A price in credits is not negative."}),
    )

    event_type: Mapped[str] = mapped_column(String(50), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    credits: Mapped[int] = mapped_column(Integer, server_default="0")


class UsageShadowRefusal(Base):
    """What a hard limit would have refused while it only watched."""

    __tablename__ = "usage_shadow_refusals"
    __table_args__ = (Index("usage_shadow_refusals_organization_id_idx", "organization_id", "refused_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.nexa.uuid_v7())
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    period_start: Mapped[dt.datetime]
    metric: Mapped[str] = mapped_column(String(50))
    amount: Mapped[int] = mapped_column(BigInteger)
    total: Mapped[int] = mapped_column(BigInteger)
    most: Mapped[int] = mapped_column(BigInteger)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    refused_at: Mapped[Timestamp]


class UsageReservation(Base):
    """Credits set aside for something whose cost is known afterwards; an open one is part of a counter's ``reserved``.

    ``asked`` is what it cost in the end, ``charged`` what the limit left of that.
    """

    __tablename__ = "usage_reservations"
    __table_args__ = (
        UniqueConstraint("organization_id", "source", "idempotency_key"),
        ForeignKeyConstraint(
            ["organization_id", "session_id"],
            ["ai_architecture_sessions.organization_id", "ai_architecture_sessions.id"],
        ),
        CheckConstraint(
            "status IN ('open', 'settled', 'released', 'expired')",
            name="status",
            info={"sentence": "A reservation is open, settled, released or expired."},
        ),
        CheckConstraint("credits >= 0", name="credits", info={"sentence": "A reservation is not negative."}),
        Index("usage_reservations_expires_at_idx", "expires_at", postgresql_where=text("status = 'open'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.nexa.uuid_v7())
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    session_id: Mapped[int | None] = mapped_column(Integer)
    event_type: Mapped[str] = mapped_column(String(50))
    source: Mapped[str] = mapped_column(String(50))
    idempotency_key: Mapped[str] = mapped_column(String(255))
    content_hash: Mapped[bytes] = mapped_column(LargeBinary)
    credits: Mapped[int] = mapped_column(Integer)
    period_start: Mapped[dt.datetime]
    status: Mapped[str] = mapped_column(String(10), server_default="open")
    reserved_at: Mapped[Timestamp]
    expires_at: Mapped[dt.datetime]
    closed_at: Mapped[dt.datetime | None]
    settled_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    asked: Mapped[int | None] = mapped_column(Integer)
    charged: Mapped[int | None] = mapped_column(Integer)


class UsageAlert(Base):
    """A threshold of the monthly credits, in percent, that was crossed in a period."""

    __tablename__ = "usage_alerts"
    __table_args__ = (UniqueConstraint("organization_id", "period_start", "threshold"),)

    id: Mapped[Id]
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    period_start: Mapped[dt.datetime]
    threshold: Mapped[int] = mapped_column(Integer)
    used: Mapped[int] = mapped_column(BigInteger)
    most: Mapped[int] = mapped_column(BigInteger)
    projected_on: Mapped[dt.date | None] = mapped_column(Date)
    cause: Mapped[str] = mapped_column(server_default="")
    crossed_at: Mapped[Timestamp]


class UsageProof(Base):
    """What one proof of the sums came to."""

    __tablename__ = "usage_proofs"

    proven_at: Mapped[dt.datetime] = mapped_column(primary_key=True, server_default=func.now())
    differences: Mapped[int] = mapped_column(Integer)
    first_difference: Mapped[str | None]


class UsageExpiry(Base):
    """A month whose single events have expired; their sums stay."""

    __tablename__ = "usage_expiries"

    month: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    expired_at: Mapped[Timestamp]
