"""Outlooks of customers, the forecasts that were made, and what somebody put off in the morning brief."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from nexa_core.orm import Base, Id, Timestamp


class UsageOutlook(Base):
    """What the complete days of a customer say about its running period; replaced, never added to."""

    __tablename__ = "usage_outlooks"
    __table_args__ = (
        CheckConstraint(
            "jsonb_typeof(recent) = 'array' AND jsonb_typeof(reasons) = 'array'",
            name="recent",
            info={"sentence": "An outlook lists days and reasons."},
        ),
        Index("usage_outlooks_score_idx", text("score DESC"), "organization_id", postgresql_where=text("score > 0")),
    )

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    period: Mapped[dt.date] = mapped_column(Date)
    made_on: Mapped[dt.date] = mapped_column(Date)
    made_at: Mapped[Timestamp]
    used: Mapped[int] = mapped_column(BigInteger)
    used_before: Mapped[int] = mapped_column(BigInteger)
    expected: Mapped[int | None] = mapped_column(BigInteger)
    low: Mapped[int | None] = mapped_column(BigInteger)
    high: Mapped[int | None] = mapped_column(BigInteger)
    depletes_on: Mapped[dt.date | None] = mapped_column(Date)
    trend: Mapped[int | None] = mapped_column(Integer)
    last_activity: Mapped[dt.date | None] = mapped_column(Date)
    recent: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    score: Mapped[int] = mapped_column(Integer, server_default="0")
    reasons: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))


class UsageForecast(Base):
    """What was predicted for a whole period on a day of it."""

    __tablename__ = "usage_forecasts"
    __table_args__ = (PrimaryKeyConstraint("organization_id", "made_on"),)

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    made_on: Mapped[dt.date] = mapped_column(Date)
    period: Mapped[dt.date] = mapped_column(Date)
    expected: Mapped[int] = mapped_column(BigInteger)
    low: Mapped[int] = mapped_column(BigInteger)
    high: Mapped[int] = mapped_column(BigInteger)


class BriefPause(Base):
    """A reason to call a customer that somebody does not want to see until a day."""

    __tablename__ = "brief_pauses"
    __table_args__ = (
        UniqueConstraint("user_id", "organization_id", "kind", info={"sentence": "This is put off already."}),
        Index("brief_pauses_organization_id_idx", "organization_id"),
    )

    id: Mapped[Id]
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[str] = mapped_column(String(30))
    paused_until: Mapped[dt.date] = mapped_column(Date)
    created_at: Mapped[Timestamp]
