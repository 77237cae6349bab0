"""Organizations: every customer the person can reach, to search, filter, sort, open, change together and export."""

import streamlit as st

from nexa_core import organizations
from nexa_core.permissions import Permission
from pages._ui import bulk, current_actor, layout, listing, menu, tables
from pages._ui.pager import pager

actor = current_actor()
layout.title(
    "Organizations", "Find a customer by name, see what it uses of its allowance, and open it with a click on its row."
)
if actor.may(Permission.ORGANIZATIONS_MANAGE):
    st.page_link(menu.NEW_ORGANIZATION.page(), icon=menu.NEW_ORGANIZATION.icon)

wanted, sort = listing.filters_of(actor)
place = pager("organizations", wanted, sort)
found = organizations.browse(actor, wanted=wanted, sort=sort, after=place.after, limit=50)
if not found.items:
    filtered = wanted != organizations.Filter()
    layout.nothing(
        "search_off" if filtered else "apartment",
        "No organization fits" if filtered else "There is no organization yet",
        "Change the search or a filter above." if filtered else "",
    )
    bulk.recent(actor)
else:
    chosen, ticked = tables.organizations(actor, found.items, selectable=bulk.may(actor))
    place.draw(shown=len(found.items), next_cursor=found.next_cursor)
    bulk.bar(actor, wanted, ticked)
    with st.container(horizontal=True):
        listing.exports(wanted, sort)
        bulk.recent(actor)
    if chosen is not None:
        st.switch_page(menu.ORGANIZATION.page(), query_params={"organization": chosen.slug})
