"""Seats: how many people may be active members of an organization at once, counted under its lock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from nexa_core.accounts.memberships import organization_members
from nexa_core.errors import Conflict

_LIMIT = text("SELECT seats FROM nexa.plans_now WHERE organization_id = :organization")


class Seated(Protocol):
    """An organization, as far as its seats need to know it."""

    @property
    def id(self) -> UUID: ...
    @property
    def name(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Seats:
    """Seats taken by active members, of how many; ``limit`` is None where there is no limit."""

    taken: int
    limit: int | None

    @property
    def left(self) -> int | None:
        return None if self.limit is None else max(self.limit - self.taken, 0)


def seats_of(db: Session, organization: Seated) -> Seats:
    """The seats as this transaction sees them; exact where it holds the organization's lock."""
    active = select(func.count()).where(organization_members.c.organization_id == organization.id)
    limit = db.scalar(_LIMIT, {"organization": organization.id})
    return Seats(db.scalar(active) or 0, limit)


def require_seat(db: Session, organization: Seated) -> None:
    """Raise Conflict unless one more person may be active; the caller holds the organization's lock."""
    seats = seats_of(db, organization)
    if seats.left == 0:
        raise Conflict(
            f"All {seats.limit} seats of {organization.name} are taken. "
            "An owner can free one, or ask NEXA for a larger plan."
        )
