"""The audit log: what happened, who did it, and the proof that nobody changed the record since."""

from nexa_core.audit.access import AccessPage, StaffAccess, staff_access
from nexa_core.audit.export import ExportFilter, export_entries
from nexa_core.audit.retention import (
    RetentionView,
    expire_old_entries,
    hold,
    release,
    retention,
    retentions,
    set_retention,
)
from nexa_core.audit.seals import SealKey, seal_heads, seal_keys
from nexa_core.audit.service import EntryView, note, recent
from nexa_core.audit.verification import ChainState, Fault, Verification, chain_states, verify, verify_due

__all__ = [
    "AccessPage",
    "ChainState",
    "EntryView",
    "ExportFilter",
    "Fault",
    "RetentionView",
    "SealKey",
    "StaffAccess",
    "Verification",
    "chain_states",
    "expire_old_entries",
    "export_entries",
    "hold",
    "note",
    "recent",
    "release",
    "retention",
    "retentions",
    "seal_heads",
    "seal_keys",
    "set_retention",
    "staff_access",
    "verify",
    "verify_due",
]
