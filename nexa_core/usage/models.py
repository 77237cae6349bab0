"""Usage events, the keys that count them once, the counters that hold limits, and the rollups."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from nexa_core.orm import Base, Object, Timestamp


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
