"""The audit log: what happened, who did it, and the proof that nobody changed the record since."""

from nexa_core.audit.access import (
    AccessPage,
    StaffAccess,
    staff_access,
)
from nexa_core.audit.activity import (
    Activity,
    Bar,
    activity,
)
from nexa_core.audit.entry import (
    Change,
    EntryDetail,
    entry,
    whole_value,
)
from nexa_core.audit.export import (
    ExportFilter,
    export_entries,
)
from nexa_core.audit.filters import (
    EVERYTHING,
    Filters,
    Subject,
)
from nexa_core.audit.people import (
    Found,
    names_in,
    organizations_named,
    people_named,
)
from nexa_core.audit.retention import (
    RetentionView,
    expire_old_entries,
    hold,
    release,
    retention,
    retentions,
    set_retention,
)
from nexa_core.audit.saved_views import (
    SavedViewView,
    remove_view,
    save_view,
    saved_views,
    share_view,
)
from nexa_core.audit.seals import (
    SealKey,
    seal_heads,
    seal_keys,
)
from nexa_core.audit.search import (
    TEXT_BUDGET,
    Page,
    find,
    recent,
    timeline,
)
from nexa_core.audit.service import note
from nexa_core.audit.story import (
    EntryView,
    Group,
    grouped,
)
from nexa_core.audit.undo import (
    UndoChange,
    UndoPlan,
    apply,
    plan,
)
from nexa_core.audit.values import Value
from nexa_core.audit.verification import (
    ChainState,
    ChainTotals,
    Fault,
    Verification,
    chain_states,
    chain_totals,
    verify,
    verify_due,
)

__all__ = [
    "EVERYTHING",
    "TEXT_BUDGET",
    "AccessPage",
    "Activity",
    "Bar",
    "ChainState",
    "ChainTotals",
    "Change",
    "EntryDetail",
    "EntryView",
    "ExportFilter",
    "Fault",
    "Filters",
    "Found",
    "Group",
    "Page",
    "RetentionView",
    "SavedViewView",
    "SealKey",
    "StaffAccess",
    "Subject",
    "UndoChange",
    "UndoPlan",
    "Value",
    "Verification",
    "activity",
    "apply",
    "chain_states",
    "chain_totals",
    "entry",
    "expire_old_entries",
    "export_entries",
    "find",
    "grouped",
    "hold",
    "names_in",
    "note",
    "organizations_named",
    "people_named",
    "plan",
    "recent",
    "release",
    "remove_view",
    "retention",
    "retentions",
    "save_view",
    "saved_views",
    "seal_heads",
    "seal_keys",
    "set_retention",
    "share_view",
    "staff_access",
    "timeline",
    "verify",
    "verify_due",
    "whole_value",
]
