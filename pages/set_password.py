"""Set a new password: where the mailed link leads, signed in or not."""

import streamlit as st

from nexa_core import accounts
from pages._ui import gate, layout, shown_here

token = st.query_params.get("token", "")

with layout.card():
    layout.brand("Set a new password")
    if not token:
        st.warning("This address is not complete. Open the link in the message again.", icon=":material/link_off:")
    else:
        with st.form("set-password"):
            new = st.text_input(
                "New password", type="password", autocomplete="new-password", help=layout.PASSWORD_ADVICE
            )
            again = st.text_input("New password again", type="password", autocomplete="new-password")
            asked = st.form_submit_button("Set password", type="primary", width="stretch")
        if asked and new != again:
            layout.not_the_same()
        elif asked:
            with shown_here():
                accounts.set_password(gate.origin(), token=token, password=new)
                st.success("Your password is set, and every earlier sign-in has ended.", icon=":material/check_circle:")
    layout.way_to_sign_in()
