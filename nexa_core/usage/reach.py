"""Whose figures a person of the platform sees: every customer's or, by NEXA_ACCOUNT_MANAGERS_SEE, their own ones'."""

from __future__ import annotations

from uuid import UUID

from nexa_core.actor import Actor
from nexa_core.config import settings
from nexa_core.permissions import Permission

#: SQL on ``organizations o``: which customers those are, with :func:`only_of` as its parameter.
SEEN = "NOT o.is_platform AND (CAST(:only_of AS uuid) IS NULL OR o.account_manager_id = :only_of)"


def only_of(actor: Actor) -> UUID | None:
    """The account manager whose customers are all the actor sees; None for everybody's."""
    narrowed = settings().account_managers_see == "own" and not actor.may(Permission.ORGANIZATIONS_MANAGE)
    return actor.user_id if narrowed and actor.may(Permission.PORTFOLIO_READ) else None
