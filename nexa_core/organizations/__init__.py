"""Organizations and their members: find them, read them, change them."""

from nexa_core.organizations.acceptance import (
    Joined,
    Offer,
    accept_invitation,
    accept_invitation_with_password,
    open_invitation,
)
from nexa_core.organizations.access import Change, Prospect, explain_access, resources, what_if
from nexa_core.organizations.addresses import Invitee
from nexa_core.organizations.creation import SlugVerdict, check_slug, create, suggest_slug
from nexa_core.organizations.departures import (
    WaysOut,
    remove_to_personal_organization,
    transfer_ownership,
    ways_out,
)
from nexa_core.organizations.home import Attention, HomeSummary, RecentSession, summary
from nexa_core.organizations.invitations import (
    STATES,
    InvitationView,
    copy_invitation_link,
    invitations,
    resend_invitation,
    revoke_invitation,
)
from nexa_core.organizations.inviting import VERDICTS, Verdict, check_invitations, invite
from nexa_core.organizations.listing import SORTS, OrganizationRow, Page, browse
from nexa_core.organizations.members import (
    MemberView,
    change_role,
    members,
    remove_member,
    resume_member,
    set_permissions,
    suspend_member,
)
from nexa_core.organizations.service import OrganizationState, OrganizationView, current, get, rename, resume, suspend

__all__ = [
    "SORTS",
    "STATES",
    "VERDICTS",
    "Attention",
    "Change",
    "HomeSummary",
    "InvitationView",
    "Invitee",
    "Joined",
    "MemberView",
    "Offer",
    "OrganizationRow",
    "OrganizationState",
    "OrganizationView",
    "Page",
    "Prospect",
    "RecentSession",
    "SlugVerdict",
    "Verdict",
    "WaysOut",
    "accept_invitation",
    "accept_invitation_with_password",
    "browse",
    "change_role",
    "check_invitations",
    "check_slug",
    "copy_invitation_link",
    "create",
    "current",
    "explain_access",
    "get",
    "invitations",
    "invite",
    "members",
    "open_invitation",
    "remove_member",
    "remove_to_personal_organization",
    "rename",
    "resend_invitation",
    "resources",
    "resume",
    "resume_member",
    "revoke_invitation",
    "set_permissions",
    "suggest_slug",
    "summary",
    "suspend",
    "suspend_member",
    "transfer_ownership",
    "ways_out",
    "what_if",
]
