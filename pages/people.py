"""People: everybody there is, to search, filter and open."""

import streamlit as st

from nexa_core import accounts
from pages._ui import badges, current_actor, filters, layout, menu, people
from pages._ui.pager import pager

actor = current_actor()
layout.title("People", "Everybody with an account, in whatever organization. Open somebody with a click on the row.")

left, second, third = filters.row(4, 2, 2)
text = filters.search(left, "Search by name or address", key="q")
status = filters.choice(second, "Status", badges.USER_STATUSES, key="status", every="Every status")
kind = filters.choice(third, "Only", list(accounts.KINDS), key="only", every="Everybody")

place = pager("people", text, status, kind)
found = accounts.find_people(actor, text=text, status=status, kind=kind, after=place.after)
if not found.items:
    layout.nothing("search_off", "Nobody fits", "Change the search or a filter above.")
else:
    chosen = people.table(actor, found.items)
    place.draw(shown=len(found.items), next_cursor=found.next_cursor)
    if chosen is not None:
        st.switch_page(menu.PERSON.page(), query_params={"person": str(chosen.id)})
