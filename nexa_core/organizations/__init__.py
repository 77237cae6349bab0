"""Organizations and their members: find them, read them, change them."""

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
from nexa_core.organizations.colors import contrast_warnings, ink_on, is_color
from nexa_core.organizations.countries import COUNTRIES, is_tax_id_checked
from nexa_core.organizations.export import export
from nexa_core.organizations.filters import SUBSCRIPTION_STATUSES, Filter
from nexa_core.organizations.health import Health, health
from nexa_core.organizations.home import Attention, HomeSummary, RecentSession, summary
from nexa_core.organizations.lifecycle import Consequences, consequences_of_deletion, delete, restore
from nexa_core.organizations.limits import (
    EVENT_TYPES,
    FEATURE_MEANINGS,
    UNLIMITED,
    Limits,
    as_json,
    limits_of,
    update_limits,
)
from nexa_core.organizations.listing import SORTS, OrganizationRow, Page, browse
from nexa_core.organizations.logos import MOST_BYTES, Logo, logo, store_logo
from nexa_core.organizations.members import (
    MemberView,
    change_role,
    members,
    remove_member,
    resume_member,
    suspend_member,
)
from nexa_core.organizations.profile import ADDRESS, BRAND_COLORS, update_branding, update_business, update_profile
from nexa_core.organizations.service import OrganizationState, OrganizationView, current, get, rename, resume, suspend
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
    "SUBSCRIPTION_STATUSES",
    "UNLIMITED",
    "AccountManager",
    "Attention",
    "Batch",
    "Consequences",
    "Filter",
    "Health",
    "HomeSummary",
    "Limits",
    "Logo",
    "MemberView",
    "OrganizationRow",
    "OrganizationState",
    "OrganizationView",
    "Page",
    "PlanChange",
    "Preview",
    "RecentSession",
    "Subscription",
    "Target",
    "account_managers",
    "apply_batch",
    "as_json",
    "batches",
    "browse",
    "change_of_plan",
    "change_plan",
    "change_role",
    "consequences_of_deletion",
    "contrast_warnings",
    "current",
    "delete",
    "export",
    "get",
    "health",
    "ink_on",
    "is_color",
    "is_tax_id_checked",
    "limits_of",
    "logo",
    "matching",
    "members",
    "preview_change",
    "preview_plan",
    "preview_undo",
    "remove_member",
    "rename",
    "restore",
    "resume",
    "resume_member",
    "store_logo",
    "subscription_of",
    "summary",
    "suspend",
    "suspend_member",
    "undo_batch",
    "update_branding",
    "update_business",
    "update_limits",
    "update_profile",
    "update_subscription",
]
