"""The tab of an organization that shows what happened in it last."""

from __future__ import annotations

from nexa_core import audit
from nexa_core.actor import Actor
from nexa_core.audit import Subject
from nexa_core.organizations import OrganizationView
from pages._ui import layout
from pages._ui.audit import address, entries


def draw(actor: Actor, organization: OrganizationView) -> None:
    """The newest entries, and the way to all of them."""
    filters = audit.Filters(about=Subject("organization", organization.id))
    found = audit.find(actor, filters=filters, limit=20)
    if not found.items:
        layout.nothing("history", "Nothing has happened yet")
        return
    entries.draw(actor, found.items, filters, key="organization-audit")
    address.everything_about("organization", organization.id, "All of it in the audit log")
