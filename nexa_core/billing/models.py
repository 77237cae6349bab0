"""The catalogue of plans by date, what each organization had subscribed to by date, and credit notes."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    UniqueConstraint,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from nexa_core.orm import Base, Id, Object, Timestamp


class PlanVersion(Base):
    """What a plan is from an instant on. What has begun never changes; a trigger holds it."""

    __tablename__ = "plan_versions"
    __table_args__ = (
        UniqueConstraint(
            "plan", "effective_from", info={"sentence": "A version of this plan begins at this moment already."}
        ),
        CheckConstraint(
            "plan ~ '^[a-z][a-z0-9_]{0,49}$'",
            name="plan",
            info={"sentence": "A plan's key has lower-case letters, digits and underscores."},
        ),
        CheckConstraint("btrim(name) <> ''", name="name", info={"sentence": "A plan needs a name."}),
        CheckConstraint(
            "currency ~ '^[A-Z]{3}$'", name="currency", info={"sentence": "A currency has three capital letters."}
        ),
        CheckConstraint(
            "price_minor >= 0 AND monthly_credits >= 0 AND overage_minor >= 0"
            " AND overage_credits > 0 AND coalesce(seats, 0) >= 0 AND coalesce(seat_minor, 0) >= 0",
            name="amounts",
            info={"sentence": "Prices, credits and seats are not negative."},
        ),
        CheckConstraint(
            "jsonb_typeof(prices) = 'object' AND jsonb_typeof(limits) = 'object' AND jsonb_typeof(features) = 'object'",
            name="documents",
            info={"sentence": "Prices, limits and features have names."},
        ),
    )

    id: Mapped[Id]
    plan: Mapped[str] = mapped_column(String(50))
    effective_from: Mapped[dt.datetime]
    name: Mapped[str] = mapped_column(String(100))
    currency: Mapped[str] = mapped_column(String(3), server_default="EUR")
    price_minor: Mapped[int] = mapped_column(BigInteger)
    monthly_credits: Mapped[int] = mapped_column(BigInteger)
    overage_minor: Mapped[int] = mapped_column(BigInteger)
    overage_credits: Mapped[int] = mapped_column(BigInteger)
    seats: Mapped[int | None] = mapped_column(Integer)
    seat_minor: Mapped[int | None] = mapped_column(BigInteger)
    prices: Mapped[Object]
    limits: Mapped[Object]
    features: Mapped[Object]
    created_at: Mapped[Timestamp]


class PlanAssignment(Base):
    """What an organization had subscribed to from an instant on, until its next one; written by a trigger alone."""

    __tablename__ = "plan_assignments"
    __table_args__ = (PrimaryKeyConstraint("organization_id", "effective_from"),)

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    effective_from: Mapped[dt.datetime]
    plan_type: Mapped[str] = mapped_column(String(50))
    subscription_status: Mapped[str] = mapped_column(String(50))
    usage_limits: Mapped[Object] = mapped_column(server_default=None)
    currency: Mapped[str] = mapped_column(String(3))
    agreed_prices: Mapped[Object] = mapped_column(server_default=None)


class CreditNote(Base):
    """Money given back for one period, in minor units: a negative line of its invoice."""

    __tablename__ = "credit_notes"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('credit', 'refund')", name="kind", info={"sentence": "It is either a credit or a refund."}
        ),
        CheckConstraint("amount_minor > 0", name="amount", info={"sentence": "A credit note gives something back."}),
        CheckConstraint("btrim(reason) <> ''", name="reason", info={"sentence": "A credit note needs its reason."}),
        Index("credit_notes_organization_id_period_start_idx", "organization_id", "period_start"),
        UniqueConstraint(
            "organization_id", "idempotency_key", info={"sentence": "This idempotency key was used before."}
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.nexa.uuid_v7())
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    period_start: Mapped[dt.datetime]
    kind: Mapped[str] = mapped_column(String(10), server_default="credit")
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    reason: Mapped[str]
    issued_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[Timestamp]
    idempotency_key: Mapped[str | None] = mapped_column(String(255))
