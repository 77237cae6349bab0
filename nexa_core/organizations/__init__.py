"""Organizations and their members: find them, read them, change them."""

from nexa_core.organizations.acceptance import (
    Joined,
    Offer,
    accept_invitation,
    accept_invitation_with_password,
    open_invitation,
)
from nexa_core.organizations.access import (
    Change,
    Prospect,
    explain_access,
    resources,
    what_if,
)
from nexa_core.organizations.addresses import (
    Invitee,
)
from nexa_core.organizations.bulk import (
    AccountManager,
    Batch,
    Preview,
    Target,
    account_managers,
    apply_batch,
    batches,
    matching,
    preview_change,
    preview_undo,
    undo_batch,
)
from nexa_core.organizations.colors import (
    contrast_warnings,
    ink_on,
    is_color,
)
from nexa_core.organizations.countries import (
    COUNTRIES,
    is_tax_id_checked,
)
from nexa_core.organizations.creation import (
    SlugVerdict,
    check_slug,
    create,
    suggest_slug,
)
from nexa_core.organizations.departures import (
    WaysOut,
    remove_to_personal_organization,
    transfer_ownership,
    ways_out,
)
from nexa_core.organizations.export import (
    export,
)
from nexa_core.organizations.filters import (
    SUBSCRIPTION_STATUSES,
    Filter,
)
from nexa_core.organizations.health import (
    Health,
    health,
)
from nexa_core.organizations.home import (
    Attention,
    HomeSummary,
    RecentSession,
    summary,
)
from nexa_core.organizations.invitations import (
    STATES,
    InvitationView,
    copy_invitation_link,
    invitations,
    resend_invitation,
    revoke_invitation,
)
from nexa_core.organizations.inviting import (
    VERDICTS,
    Verdict,
    check_invitations,
    invite,
)
from nexa_core.organizations.lifecycle import (
    Consequences,
    consequences_of_deletion,
    delete,
    restore,
)
from nexa_core.organizations.limits import (
    EVENT_TYPES,
    FEATURE_MEANINGS,
    UNLIMITED,
    Limits,
    as_json,
    limits_of,
    update_limits,
)
from nexa_core.organizations.listing import (
    SORTS,
    OrganizationRow,
    Page,
    browse,
)
from nexa_core.organizations.logos import (
    MOST_BYTES,
    Logo,
    logo,
    store_logo,
)
from nexa_core.organizations.members import (
    MemberView,
    change_role,
    members,
    remove_member,
    resume_member,
    set_permissions,
    suspend_member,
)
from nexa_core.organizations.profile import (
    ADDRESS,
    BRAND_COLORS,
    update_branding,
    update_business,
    update_profile,
)
from nexa_core.organizations.service import (
    OrganizationState,
    OrganizationView,
    current,
    get,
    rename,
    resume,
    suspend,
)
from nexa_core.organizations.subscription import (
    PlanChange,
    Subscription,
    change_of_plan,
    change_plan,
    preview_plan,
    subscription_of,
    update_subscription,
)

__all__ = [
    "ADDRESS",
    "BRAND_COLORS",
    "COUNTRIES",
    "EVENT_TYPES",
    "FEATURE_MEANINGS",
    "MOST_BYTES",
    "SORTS",
    "STATES",
    "SUBSCRIPTION_STATUSES",
    "UNLIMITED",
    "VERDICTS",
    "AccountManager",
    "Attention",
    "Batch",
    "Change",
    "Consequences",
    "Filter",
    "Health",
    "HomeSummary",
    "InvitationView",
    "Invitee",
    "Joined",
    "Limits",
    "Logo",
    "MemberView",
    "Offer",
    "OrganizationRow",
    "OrganizationState",
    "OrganizationView",
    "Page",
    "PlanChange",
    "Preview",
    "Prospect",
    "RecentSession",
    "SlugVerdict",
    "Subscription",
    "Target",
    "Verdict",
    "WaysOut",
    "accept_invitation",
    "accept_invitation_with_password",
    "account_managers",
    "apply_batch",
    "as_json",
    "batches",
    "browse",
    "change_of_plan",
    "change_plan",
    "change_role",
    "check_invitations",
    "check_slug",
    "consequences_of_deletion",
    "contrast_warnings",
    "copy_invitation_link",
    "create",
    "current",
    "delete",
    "explain_access",
    "export",
    "get",
    "health",
    "ink_on",
    "invitations",
    "invite",
    "is_color",
    "is_tax_id_checked",
    "limits_of",
    "logo",
    "matching",
    "members",
    "open_invitation",
    "preview_change",
    "preview_plan",
    "preview_undo",
    "remove_member",
    "remove_to_personal_organization",
    "rename",
    "resend_invitation",
    "resources",
    "restore",
    "resume",
    "resume_member",
    "revoke_invitation",
    "set_permissions",
    "store_logo",
    "subscription_of",
    "suggest_slug",
    "summary",
    "suspend",
    "suspend_member",
    "transfer_ownership",
    "undo_batch",
    "update_branding",
    "update_business",
    "update_limits",
    "update_profile",
    "update_subscription",
    "ways_out",
    "what_if",
]
