"""Mail that waits to leave: written in the transaction that wants it, sent by a job."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Integer, String, func, text
from sqlalchemy.orm import Mapped, mapped_column

from nexa_core.orm import Base, Timestamp


class OutboxMessage(Base):
    """A mail. Body and link are blanked once it is sent: a link can hold a secret."""

    __tablename__ = "outbox_messages"
    __table_args__ = (
        Index("outbox_messages_waiting_idx", "created_at", postgresql_where=text("sent_at IS NULL")),
        Index("outbox_messages_organization_id_idx", "organization_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.nexa.uuid_v7())
    organization_id: Mapped[UUID | None] = mapped_column(ForeignKey("organizations.id"))
    recipient: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(String(255))
    body: Mapped[str | None]
    link: Mapped[str | None]
    created_at: Mapped[Timestamp]
    sent_at: Mapped[dt.datetime | None]
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    last_error: Mapped[str | None]
