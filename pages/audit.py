"""Audit log: find what happened, read it like a story, and put it back where that is possible."""

import streamlit as st

from nexa_core import audit
from pages._ui import current_actor, layout
from pages._ui.audit import address, chart, controls, entries
from pages._ui.pager import pager

actor = current_actor()
layout.title("Audit log", "Who did what, when, from where and why. Open an entry to see what changed.")

filters = address.filters()
controls.draw(actor, filters)
place = pager("audit", filters)
found = audit.find(actor, filters=filters, after=place.after)
chart.draw(actor, audit.activity(actor, filters=filters), filters)
if found.items:
    entries.draw(actor, found.items, filters)
elif found.next_cursor is None:
    layout.nothing("search_off", "No entry fits", "Remove a filter above." if filters.words() else "")
if found.looked_back_to:
    st.caption(entries.how_far(actor, found))
place.draw(shown=len(found.items), next_cursor=found.next_cursor)
