"""Sign in, ask for a new password, and in demo mode continue as somebody of the demo world."""

import streamlit as st

from nexa_core import accounts, demo
from nexa_core.config import settings
from pages._ui import gate, layout, menu, shown_here
from pages._ui.sign_in_form import SignInForm, accept, carry_ticket


@st.dialog("Forgot your password?", icon=":material/key:")
def forgot_password() -> None:
    st.write("Enter the address you sign in with. If NEXA knows it, a link to set a new password is on its way.")
    with st.form("forgot", border=False):
        email = st.text_input("Your e-mail address", autocomplete="username")
        asked = st.form_submit_button("Send the link", type="primary")
    if asked:
        with shown_here():
            accounts.request_password_reset(gate.origin(), email=email)
            st.success(
                "If there is an account with this address, the link is on its way.", icon=":material/mark_email_read:"
            )


with layout.card():
    layout.brand("The dashboard of your architecture sessions")
    if not carry_ticket():
        SignInForm().draw()
        if st.button("Forgot password?", type="tertiary", width="stretch"):
            forgot_password()
        st.page_link(menu.JOIN.page(), label="Join your organization by your work address", width="stretch")
        if settings().demo_mode:
            st.caption("This is the demo world. Continue without a password as", text_alignment="center")
            with st.grid(2, min_column_width=195):
                for email, title, description in demo.ACCOUNTS:
                    offer = st.button(
                        title, icon=layout.person_icon(email), help=description, width="stretch", key=f"demo-{email}"
                    )
                    if offer:
                        accept(accounts.sign_in_as_demo(gate.origin(), email=email))
