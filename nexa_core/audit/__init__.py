"""The audit log: what happened, who did it, and the proof that nobody changed the record since."""

from nexa_core.audit.activity import Activity, Bar, activity
from nexa_core.audit.entry import Change, EntryDetail, Value, entry, whole_value
from nexa_core.audit.filters import EVERYTHING, Filters, Subject
from nexa_core.audit.people import Found, names_in, organizations_named, people_named
from nexa_core.audit.saved_views import SavedViewView, remove_view, save_view, saved_views, share_view
from nexa_core.audit.search import TEXT_BUDGET, Page, cursor, find, recent, timeline
from nexa_core.audit.service import Fault, Verification, note, verify
from nexa_core.audit.story import EntryView, Group, grouped
from nexa_core.audit.undo import UndoChange, UndoPlan, apply, plan

__all__ = [
    "EVERYTHING",
    "TEXT_BUDGET",
    "Activity",
    "Bar",
    "Change",
    "EntryDetail",
    "EntryView",
    "Fault",
    "Filters",
    "Found",
    "Group",
    "Page",
    "SavedViewView",
    "Subject",
    "UndoChange",
    "UndoPlan",
    "Value",
    "Verification",
    "activity",
    "apply",
    "cursor",
    "entry",
    "find",
    "grouped",
    "names_in",
    "note",
    "organizations_named",
    "people_named",
    "plan",
    "recent",
    "remove_view",
    "save_view",
    "saved_views",
    "share_view",
    "timeline",
    "verify",
    "whole_value",
]
