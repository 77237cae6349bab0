"""What the platform's people call a customer by: a few short words to find it with."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.db import recording
from nexa_core.errors import Conflict, Invalid, NotFound
from nexa_core.organizations import fields
from nexa_core.organizations.models import Organization
from nexa_core.organizations.reach import customers_of
from nexa_core.permissions import Permission

_MOST = 20


def set_tags(actor: Actor, *, organization_id: UUID, tags: Sequence[str]) -> tuple[str, ...]:
    """Give a customer these tags and no others; they can be put back from the audit log.

    A tag is a line of at most 50 characters, in lower case; each counts once, at most 20. Raises Forbidden without
    PORTFOLIO_READ, NotFound for a customer out of reach, Invalid, and Conflict for a deleted organization.
    """
    actor.require(Permission.PORTFOLIO_READ)
    given = (fields.line(tag, "A tag", field="tags", most=50).lower() for tag in tags)
    wanted = sorted({tag for tag in given if tag})
    if len(wanted) > _MOST:
        raise Invalid(f"A customer has at most {_MOST} tags.", field="tags")
    with recording(actor, Action.ORGANIZATION_TAGGED) as db:
        mine = select(Organization).where(Organization.id == organization_id, customers_of(actor)).with_for_update()
        organization = db.scalar(mine)
        if organization is None:
            raise NotFound("There is no such organization.")
        if organization.status == "deleted":
            raise Conflict(f"{organization.name} is deleted; restore it first.")
        if organization.tags != wanted:
            organization.tags, organization.updated_at = wanted, func.now()
    return tuple(wanted)
