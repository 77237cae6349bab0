"""Architecture sessions: find them, write them so that nothing is lost, look back, make one from another."""

from nexa_core.architecture_sessions.bulk import (
    BulkResult,
    duplicate_many,
    restore_many,
    tag_many,
    trash_many,
)

# What goes out of a session and comes in.
from nexa_core.architecture_sessions.contents import Branding
from nexa_core.architecture_sessions.diagrams import DiagramFault
from nexa_core.architecture_sessions.diagrams import check as check_diagram
from nexa_core.architecture_sessions.diagrams import digest_of as diagram_digest
from nexa_core.architecture_sessions.differences import (
    Difference,
    differences,
    sentences,
)
from nexa_core.architecture_sessions.drawings import DrawingProgress, draw_next
from nexa_core.architecture_sessions.edits import Edit
from nexa_core.architecture_sessions.effort import (
    EffortRange,
    EffortTask,
    EffortTotal,
    Estimate,
    UnreadRow,
    estimate,
    money,
)
from nexa_core.architecture_sessions.exporting import FORMS, ExportedFile, export
from nexa_core.architecture_sessions.filters import Filter
from nexa_core.architecture_sessions.findings import Finding, Severity
from nexa_core.architecture_sessions.going_out import (
    GATES,
    GoingOut,
    check_readiness,
    readiness_gate,
    set_readiness_gate,
)
from nexa_core.architecture_sessions.history import (
    Comparison,
    compare,
    name_revision,
    restore_revision,
    revision,
    revisions,
)
from nexa_core.architecture_sessions.images import StoredImage, image, store_image
from nexa_core.architecture_sessions.listing import (
    SORTS,
    browse,
    pinned,
    recent,
)
from nexa_core.architecture_sessions.marks import (
    needs_reason,
    opened,
    pin,
    state_reason,
    unpin,
)
from nexa_core.architecture_sessions.parts import new_id
from nexa_core.architecture_sessions.presence import (
    here,
    pulse,
)
from nexa_core.architecture_sessions.prose import to_html
from nexa_core.architecture_sessions.purging import purge_trash
from nexa_core.architecture_sessions.readiness import Readiness, assess
from nexa_core.architecture_sessions.saved_views import (
    Look,
    SavedViewView,
    remove_view,
    save_view,
    saved_views,
    share_view,
)
from nexa_core.architecture_sessions.saving import (
    save,
)
from nexa_core.architecture_sessions.sections import PAGE_TITLES, PAGES, Section
from nexa_core.architecture_sessions.service import (
    create,
    duplicate,
    get,
    restore,
    trash,
)
from nexa_core.architecture_sessions.share_links import (
    NewShareLink,
    ShareLinkView,
    ShareResponseView,
    revoke_share,
    share,
    share_links,
    share_responses,
)
from nexa_core.architecture_sessions.tagging import (
    TagCount,
    TagPlan,
    apply_tag_plan,
    merge_tags,
    suggest_tags,
    suggest_types,
)
from nexa_core.architecture_sessions.templates import (
    Placeholder,
    from_template,
    make_template,
    placeholders,
    template_differences,
    unmake_template,
)
from nexa_core.architecture_sessions.transfer import ImportItem, ImportPlan, import_sessions, plan_import
from nexa_core.architecture_sessions.upkeep import (
    check_diagrams,
    refresh_search,
    remove_old_saves,
)
from nexa_core.architecture_sessions.views import (
    Clash,
    EditConflict,
    Page,
    Presence,
    Progress,
    Pulse,
    ReasonNeeded,
    RevisionDetail,
    RevisionPage,
    RevisionView,
    Saved,
    SessionLine,
    SessionView,
)
from nexa_core.architecture_sessions.visiting import NotDrawn, PasscodeNeeded, Shared, picture, respond, unlock, visit

__all__ = [
    "FORMS",
    "GATES",
    "PAGES",
    "PAGE_TITLES",
    "SORTS",
    "Branding",
    "BulkResult",
    "Clash",
    "Comparison",
    "DiagramFault",
    "Difference",
    "DrawingProgress",
    "Edit",
    "EditConflict",
    "EffortRange",
    "EffortTask",
    "EffortTotal",
    "Estimate",
    "ExportedFile",
    "Filter",
    "Finding",
    "GoingOut",
    "ImportItem",
    "ImportPlan",
    "Look",
    "NewShareLink",
    "NotDrawn",
    "Page",
    "PasscodeNeeded",
    "Placeholder",
    "Presence",
    "Progress",
    "Pulse",
    "Readiness",
    "ReasonNeeded",
    "RevisionDetail",
    "RevisionPage",
    "RevisionView",
    "Saved",
    "SavedViewView",
    "Section",
    "SessionLine",
    "SessionView",
    "Severity",
    "ShareLinkView",
    "ShareResponseView",
    "Shared",
    "StoredImage",
    "TagCount",
    "TagPlan",
    "UnreadRow",
    "apply_tag_plan",
    "assess",
    "browse",
    "check_diagram",
    "check_diagrams",
    "check_readiness",
    "compare",
    "create",
    "diagram_digest",
    "differences",
    "draw_next",
    "duplicate",
    "duplicate_many",
    "estimate",
    "export",
    "from_template",
    "get",
    "here",
    "image",
    "import_sessions",
    "make_template",
    "merge_tags",
    "money",
    "name_revision",
    "needs_reason",
    "new_id",
    "opened",
    "picture",
    "pin",
    "pinned",
    "placeholders",
    "plan_import",
    "pulse",
    "purge_trash",
    "readiness_gate",
    "recent",
    "refresh_search",
    "remove_old_saves",
    "remove_view",
    "respond",
    "restore",
    "restore_many",
    "restore_revision",
    "revision",
    "revisions",
    "revoke_share",
    "save",
    "save_view",
    "saved_views",
    "sentences",
    "set_readiness_gate",
    "share",
    "share_links",
    "share_responses",
    "share_view",
    "state_reason",
    "store_image",
    "suggest_tags",
    "suggest_types",
    "tag_many",
    "template_differences",
    "to_html",
    "trash",
    "trash_many",
    "unlock",
    "unmake_template",
    "unpin",
    "visit",
]
