"""Organizations and their members: find them, read them, change them."""

from nexa_core.organizations.home import Attention, HomeSummary, RecentSession, summary
from nexa_core.organizations.listing import SORTS, OrganizationRow, Page, browse
from nexa_core.organizations.members import (
    MemberView,
    change_role,
    members,
    remove_member,
    resume_member,
    suspend_member,
)
from nexa_core.organizations.service import OrganizationState, OrganizationView, current, get, rename, resume, suspend

__all__ = [
    "SORTS",
    "Attention",
    "HomeSummary",
    "MemberView",
    "OrganizationRow",
    "OrganizationState",
    "OrganizationView",
    "Page",
    "RecentSession",
    "browse",
    "change_role",
    "current",
    "get",
    "members",
    "remove_member",
    "rename",
    "resume",
    "resume_member",
    "summary",
    "suspend",
    "suspend_member",
]
