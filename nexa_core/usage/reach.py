"""Whose figures a person of the platform sees: every customer's or, by NEXA_ACCOUNT_MANAGERS_SEE, their own ones'."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text

from nexa_core.actor import Actor
from nexa_core.db import reading
from nexa_core.errors import NotFound
from nexa_core.permissions import sees_own_customers_only

#: SQL on ``organizations o``: which customers those are, with :func:`only_of` as its parameter.
SEEN = "NOT o.is_platform AND (CAST(:only_of AS uuid) IS NULL OR o.account_manager_id = :only_of)"

_IS_SEEN = text(f"SELECT 1 FROM organizations o WHERE o.id = :organization AND {SEEN}")


def only_of(actor: Actor) -> UUID | None:
    """The account manager whose customers are all the actor sees; None for everybody's."""
    return actor.user_id if sees_own_customers_only(actor) else None


def require_seen(actor: Actor, organization_id: UUID) -> None:
    """Raise NotFound for a customer that somebody of the platform does not see; nobody else is asked."""
    manager = only_of(actor)
    if manager is None or organization_id == actor.organization_id:
        return
    with reading(actor) as db:
        if db.execute(_IS_SEEN, {"organization": organization_id, "only_of": manager}).one_or_none() is None:
            raise NotFound("There is no such organization.")
