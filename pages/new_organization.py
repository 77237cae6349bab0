"""A new organization: its name, its slug, its plan and its first owner, all of it or nothing."""

import streamlit as st

from nexa_core import organizations
from pages._ui import badges, current_actor, layout, menu, notices, shown_here
from pages._ui.organization import naming

actor = current_actor()
st.page_link(menu.ORGANIZATIONS.page(), label="Organizations", icon=":material/arrow_back:")
layout.title("New organization", "It is pending until its first owner accepts the invitation.")

with st.container(border=True, width=640):
    name, slug, is_free = naming.draw(actor)
    left, right = st.columns(2)
    plan = left.selectbox("Plan", badges.PLANS, index=1, format_func=badges.word)
    owner_email = right.text_input("E-mail address of the first owner", type="email", autocomplete="off", max_chars=255)
    message = st.text_area("Message (optional)", max_chars=1000, help="Stands in the mail to the first owner.")
    ready = bool(name and is_free and owner_email)
    if st.button("Create and invite the owner", type="primary", disabled=not ready, icon=":material/add_business:"):
        with shown_here():
            made = organizations.create(
                actor, name=name, slug=slug, plan=plan, owner_email=owner_email, message=message
            )
            notices.later(f"{made.name} is made, and its owner is invited")
            st.switch_page(menu.ORGANIZATION.page(), query_params={"organization": made.slug})
