"""Sessions: find one by what is written in it, open it, begin a new one, and change many together."""

import streamlit as st

from nexa_core import architecture_sessions
from nexa_core.architecture_sessions import Filter
from pages._ui import current_actor, layout
from pages._ui.pager import pager
from pages._ui.sessions import beginning, listing, narrowing, together

actor = current_actor()
layout.title("Sessions", "Search in everything that is written, and open a session with a click on its row.")
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    beginning.bar(actor)
    together.tags(actor)

wanted, sort = narrowing.filter_of(actor)
place = pager("sessions", wanted, sort)
if wanted == Filter() and place.after is None:
    listing.at_hand(actor)
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    cards = listing.view() == "Cards"
    listing.saved_views(actor, wanted, sort)
found = architecture_sessions.browse(actor, wanted=wanted, sort=sort, after=place.after, limit=50)
together.undo(actor)
if not found.items:
    listing.nothing(wanted)
else:
    ticked = listing.rows(actor, found.items, cards=cards)
    place.draw(shown=len(found.items), next_cursor=found.next_cursor)
    if not cards:
        together.bar(actor, ticked, in_trash=wanted.deleted)
