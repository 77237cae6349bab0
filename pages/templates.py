"""Templates: look at one, fill in its placeholders once, and begin a session with it."""

import streamlit as st

from nexa_core import architecture_sessions
from nexa_core.architecture_sessions import Filter
from pages._ui import current_actor, layout
from pages._ui.pager import pager
from pages._ui.sessions import gallery

actor = current_actor()
layout.title("Templates", "What new sessions can begin from. Any session can be made a template, in its details.")
differs = st.query_params.get("differs")
if differs:
    gallery.differs(actor, differs)
else:
    wanted = Filter(text=gallery.search(), template=True)
    place = pager("templates", wanted)
    found = architecture_sessions.browse(actor, wanted=wanted, sort="title", after=place.after, limit=24)
    gallery.draw(actor, found.items, searched=bool(wanted.text))
    place.draw(shown=len(found.items), next_cursor=found.next_cursor)
