"""One organization: how it is doing, and everything about it in tabs."""

import streamlit as st

from nexa_core import organizations
from nexa_core.permissions import Permission
from pages._ui import badges, current_actor, layout, menu
from pages._ui.organization import elsewhere, life, strip, tabs
from pages._ui.text import literal

actor = current_actor()
slug = st.query_params.get("organization")
organization = organizations.get(actor, slug=slug) if slug else organizations.current(actor)

if actor.may(Permission.ORGANIZATIONS_BROWSE):
    st.page_link(menu.ORGANIZATIONS.page(), label="Organizations", icon=":material/arrow_back:")
states = dict.fromkeys((organization.status, organization.plan, organization.subscription_status))
with layout.header(literal(organization.name), organization.slug, picture=organization.logo_url):
    st.markdown(" ".join(badges.badge(state) for state in states))
life.draw(actor, organization)

strip.draw(actor, organization)
elsewhere.draw(actor, organization)
tabs.draw(actor, organization)
