"""What a tab lets somebody change; a courtesy, for the verb decides."""

from __future__ import annotations

from nexa_core.actor import Actor
from nexa_core.organizations import OrganizationView
from nexa_core.permissions import Permission


def may_change(actor: Actor, organization: OrganizationView, *, own: Permission) -> bool:
    """Whether fields of this organization are open: never of a deleted one."""
    needed = own if organization.id == actor.organization_id else Permission.ORGANIZATIONS_MANAGE
    return organization.status != "deleted" and actor.may(needed)


def may_run(actor: Actor, organization: OrganizationView) -> bool:
    """Whether plan, limits and life of this organization are open: the platform's own has none."""
    return (
        organization.status != "deleted" and not organization.is_platform and actor.may(Permission.ORGANIZATIONS_MANAGE)
    )
