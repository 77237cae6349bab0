"""Staff access: every time NEXA's own people were in the organization, what they did there, and why."""

from nexa_core import audit
from pages._ui import current_actor, filters, layout, proof
from pages._ui.audit import address
from pages._ui.pager import pager

actor = current_actor()
layout.title(
    "Staff access",
    "Every time NEXA's own people opened your documents, changed something or viewed as one of you, and why.",
)
left, right = filters.row(2, 3)
kind = filters.choice(
    left, "What they did", ["documents", "viewed_as", "exported", "changed"], key="kind", every="Everything"
)
wanted = {"staff_kind": kind} if kind else {"staff_only": "true"}
right.link_button("Export as CSV", address.file("csv", wanted), icon=":material/table_view:", width="content")

place = pager("staff-access", kind)
found = audit.staff_access(actor, kind=kind, after=place.after)
if found.items:
    proof.accesses(actor, found.items)
    place.draw(shown=len(found.items), next_cursor=found.next_cursor)
elif kind:
    layout.nothing("search_off", "Nothing of this kind happened")
else:
    layout.nothing("lock_person", "Nobody of NEXA has been here yet")
