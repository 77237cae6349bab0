"""Seats: how many people may be active members at once, counted under the organization's lock."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from nexa_core.errors import Conflict
from nexa_core.organizations.models import Organization, organization_members

_LIMIT = text("SELECT seats FROM nexa.plans_now WHERE organization_id = :organization")


@dataclass(frozen=True, slots=True)
class Seats:
    """Seats taken by active members, of how many; ``limit`` is None where there is no limit."""

    taken: int
    limit: int | None

    @property
    def left(self) -> int | None:
        return None if self.limit is None else max(self.limit - self.taken, 0)


def locked(db: Session, organization_id: UUID) -> Organization:
    """The organization, locked until the transaction ends: whoever changes who belongs to it takes this lock first.

    Memberships and people are locked after it, in this order everywhere, so that two changes wait and never deadlock.
    """
    return db.get_one(Organization, organization_id, with_for_update={"key_share": True}, populate_existing=True)


def seats_of(db: Session, organization: Organization) -> Seats:
    """The seats as this transaction sees them; exact where it holds the organization's lock."""
    active = select(func.count()).where(organization_members.c.organization_id == organization.id)
    limit = db.scalar(_LIMIT, {"organization": organization.id})
    return Seats(db.scalar(active) or 0, limit)


def require_seat(db: Session, organization: Organization) -> None:
    """Raise Conflict unless one more person may be active; the caller holds the organization's lock."""
    seats = seats_of(db, organization)
    if seats.left == 0:
        raise Conflict(
            f"All {seats.limit} seats of {organization.name} are taken. "
            "An owner can free one, or ask NEXA for a larger plan."
        )
