"""The audit log: what happened, who did it, and the proof that nobody changed the record since."""

from nexa_core.audit.service import EntryView, Fault, Verification, note, recent, verify

__all__ = ["EntryView", "Fault", "Verification", "note", "recent", "verify"]
