"""What permissions and gates are called on screen, and who may change whom."""

from __future__ import annotations

import re
from uuid import UUID

from nexa_core.actor import Actor
from nexa_core.permissions import MEMBERSHIP_ROLES, PLATFORM_ROLES, Permission, grantable

PERMISSIONS: dict[Permission, str] = {
    Permission.ORGANIZATION_READ: "See the organization",
    Permission.ORGANIZATION_MANAGE: "Change the organization",
    Permission.MEMBERS_READ: "See its members",
    Permission.MEMBERS_MANAGE: "Invite, change and remove members",
    Permission.SESSIONS_READ: "Read sessions",
    Permission.SESSIONS_WRITE: "Write sessions",
    Permission.USAGE_READ: "See what is used",
    Permission.USAGE_RECORD: "Use credits",
    Permission.BILLING_READ: "See billing",
    Permission.BILLING_MANAGE: "Change billing",
    Permission.AUDIT_READ: "Read the audit log",
    Permission.STAFF_ACCESS_READ: "See when NEXA's people had access",
    Permission.ORGANIZATIONS_BROWSE: "See every customer",
    Permission.ORGANIZATIONS_MANAGE: "Change every customer",
    Permission.USERS_MANAGE: "Change every account",
    Permission.PORTFOLIO_READ: "See the portfolio",
    Permission.DEMO_PRESENT: "Present the portfolio of the demo",
    Permission.SYSTEM_READ: "See the system's state",
}
# The longer names first, where one begins with another.
_NAMES = re.compile("|".join(re.escape(which.value) for which in sorted(Permission, key=len, reverse=True)))
GATES = {
    "account": "Account",
    "sign_in": "Sign-in",
    "organization": "Organization",
    "membership": "Membership",
    "role": "Role",
    "override": "Personal exception",
    "customers": "Customers",
    "feature": "Plan feature",
    "limit": "Limit",
    "tenant": "Whose it is",
    "deleted": "Trash",
}


def permission(which: Permission) -> str:
    """A permission as it is read on screen; one this page has no words for, by its name."""
    return PERMISSIONS.get(which, which.value)


def spoken(sentence: str) -> str:
    """A sentence of the core, which calls permissions by their names, as the screens call them."""
    return _NAMES.sub(lambda name: f"“{permission(Permission(name[0]))}”", sentence)


def may_manage(actor: Actor, organization_id: UUID) -> bool:
    """Whether buttons that change members are worth a click; the verb decides."""
    own = organization_id == actor.organization_id
    return actor.may(Permission.MEMBERS_MANAGE if own else Permission.ORGANIZATIONS_MANAGE)


def of_role(role: str, *, is_platform: bool) -> frozenset[Permission]:
    """What a role gives by itself."""
    return (PLATFORM_ROLES if is_platform else MEMBERSHIP_ROLES).get(role, frozenset())


def reachable(role: str = "owner", *, is_platform: bool) -> list[Permission]:
    """The permissions a member of this role there can have, in the order of the page."""
    most = grantable(role, is_platform=is_platform)
    return [which for which in Permission if which in most]
