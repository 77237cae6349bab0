"""The lock under which seats are counted; what a seat is, ``accounts`` below needs to know as well."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from nexa_core.accounts.seats import Seats, require_seat, seats_of
from nexa_core.organizations.models import Organization

__all__ = ["Seats", "locked", "require_seat", "seats_of"]


def locked(db: Session, organization_id: UUID) -> Organization:
    """The organization, locked until the transaction ends: whoever changes who belongs to it takes this lock first.

    Memberships and people are locked after it, in this order everywhere, so that two changes wait and never deadlock.
    """
    return db.get_one(Organization, organization_id, with_for_update={"key_share": True}, populate_existing=True)
