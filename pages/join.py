"""Join an organization by the domain of one's address: ask for a link, or follow it."""

import streamlit as st

from nexa_core import organizations
from pages._ui import gate, layout, shown_here
from pages._ui.text import literal

token = st.query_params.get("token", "")

with layout.card():
    layout.brand("Join your organization")
    if not token:
        st.write("Enter your work address. If your organization takes people by it, a link to join is on its way.")
        with st.form("ask-to-join"):
            email = st.text_input("Work e-mail address", autocomplete="email", max_chars=320)
            asked = st.form_submit_button("Send the link", type="primary", width="stretch")
        if asked:
            with shown_here():
                organizations.request_domain_join(gate.origin(), email=email)
                st.success("If it does, the link is on its way.", icon=":material/mark_email_read:")
    else:
        with shown_here():
            offer = organizations.domain_invitation(gate.origin(), token=token)
            waits = ", once an owner has let you in" if offer.approval_required else ""
            st.markdown(
                f"Join **{literal(offer.organization_name)}** as {offer.role}{waits}, with **{literal(offer.email)}**."
            )
            first_name = last_name = password = ""
            with st.form("join"):
                if not offer.has_account:
                    first_name = st.text_input("First name", max_chars=100, autocomplete="given-name")
                    last_name = st.text_input("Last name", max_chars=100, autocomplete="family-name")
                    password = st.text_input(
                        "Password", type="password", autocomplete="new-password", help=layout.PASSWORD_ADVICE
                    )
                agreed = st.form_submit_button("Join", type="primary", width="stretch")
            if agreed:
                joined = organizations.join_by_domain(
                    gate.origin(), token=token, first_name=first_name, last_name=last_name, password=password
                )
                says = "You asked to join. An owner lets you in." if joined.waiting else "You have joined. Sign in now."
                st.success(says, icon=":material/check_circle:")
    layout.way_to_sign_in()
