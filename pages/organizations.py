"""Organizations: every customer the person can reach, to search, filter, sort and open."""

import streamlit as st

from nexa_core import organizations
from nexa_core.permissions import Permission
from pages._ui import badges, current_actor, filters, layout, menu, tables
from pages._ui.pager import pager

SORTS = {"name": "Name", "usage": "Most used", "activity": "Last active", "newest": "Newest"}

actor = current_actor()
layout.title(
    "Organizations", "Find a customer by name, see what it uses of its allowance, and open it with a click on its row."
)
if actor.may(Permission.ORGANIZATIONS_MANAGE):
    st.page_link(menu.NEW_ORGANIZATION.page(), icon=menu.NEW_ORGANIZATION.icon)

left, second, third, right = filters.row(4, 2, 2, 2)
text = filters.search(left, "Search by name", key="q")
status = filters.choice(second, "Status", badges.ORGANIZATION_STATUSES, key="status", every="Every status")
plan = filters.choice(third, "Plan", badges.PLANS, key="plan", every="Every plan")
sort = filters.order(right, SORTS, key="sort")

place = pager("organizations", text, status, plan, sort)
found = organizations.browse(actor, text=text, status=status, plan=plan, sort=sort, after=place.after, limit=50)
if not found.items:
    filtered = bool(text or status or plan)
    layout.nothing(
        "search_off" if filtered else "apartment",
        "No organization fits" if filtered else "There is no organization yet",
        "Change the search or a filter above." if filtered else "",
    )
else:
    chosen = tables.organizations(actor, found.items)
    place.draw(shown=len(found.items), next_cursor=found.next_cursor)
    if chosen is not None:
        st.switch_page(menu.ORGANIZATION.page(), query_params={"organization": chosen.slug})
