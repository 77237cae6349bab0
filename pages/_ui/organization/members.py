"""Members: who belongs to the organization."""

from __future__ import annotations

from nexa_core import organizations
from nexa_core.actor import Actor
from pages._ui import layout, tables


def draw(actor: Actor, organization: organizations.OrganizationView) -> None:
    """Everybody, owners first."""
    members = organizations.members(actor, organization_id=organization.id)
    if members:
        tables.members(actor, members)
    else:
        layout.nothing("group_off", "Nobody is a member yet")
