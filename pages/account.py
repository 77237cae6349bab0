"""My account: who you are, how NEXA writes to you, your password, and where you are signed in."""

from uuid import UUID

import streamlit as st

from nexa_core import accounts
from pages._ui import current_actor, format, layout, saved, shown_here, tables
from pages._ui.audit import address

actor = current_actor()
profile = accounts.my_profile(actor)


@st.dialog("End this sign-in?", icon=":material/logout:")
def end_one(user_session_id: UUID, device: str) -> None:
    st.write(f"**{device}** is signed out at once. Whoever uses it needs the password to come back.")
    if st.button("End this sign-in", type="primary", width="stretch"):
        with shown_here():
            accounts.end_sign_in(current_actor(), user_session_id=user_session_id)
            saved("The sign-in has ended")


@st.dialog("End all other sign-ins?", icon=":material/logout:")
def end_others() -> None:
    st.write("Every device and program but this one is signed out at once.")
    if st.button("End all others", type="primary", width="stretch"):
        with shown_here():
            ended = accounts.end_other_sign_ins(current_actor())
            saved(f"{ended} other sign-in{'' if ended == 1 else 's'} ended")


with layout.header(
    "My account", "Who you are, your password, and where you are signed in.", picture=profile.avatar_url
):
    pass

if actor.user_id:
    address.everything_about("user", actor.user_id, "My history in the audit log")

with st.form("profile"):
    st.subheader("Profile", anchor=False)
    st.text_input("E-mail address", profile.email, disabled=True)
    left, right = st.columns(2)
    first_name = left.text_input("First name", profile.first_name, max_chars=100, autocomplete="given-name")
    last_name = right.text_input("Last name", profile.last_name, max_chars=100, autocomplete="family-name")
    left, right = st.columns(2)
    timezone = left.selectbox(
        "Time zone",
        layout.including(format.zones(), profile.timezone),
        layout.index_of(format.zones(), profile.timezone),
    )
    locale = right.selectbox(
        "Language of dates and numbers",
        layout.including(tuple(format.LOCALES), profile.locale),
        layout.index_of(tuple(format.LOCALES), profile.locale),
        format_func=lambda name: format.LOCALES.get(name, name),
    )
    avatar_url = st.text_input(
        "Address of a picture", profile.avatar_url or "", placeholder="https://", autocomplete="off", type="url"
    )
    st.markdown("**Write to me when**")
    usage = st.checkbox(
        "My organization comes near its limit of credits", profile.notification_settings.get("usage", True),
        help="Owners, billing contacts and the account manager are written to.",
    )  # fmt: skip
    if st.form_submit_button("Save", type="primary"):
        with shown_here():
            accounts.update_profile(
                actor, first_name=first_name, last_name=last_name, timezone=timezone, locale=locale,
                avatar_url=avatar_url.strip() or None,
                notification_settings={**profile.notification_settings, "usage": usage},
            )  # fmt: skip
            saved("Your account is saved")

with st.form("password", clear_on_submit=False):
    st.subheader("Password", anchor=False)
    current = st.text_input("Current password", type="password", autocomplete="current-password")
    left, right = st.columns(2)
    new = left.text_input("New password", type="password", autocomplete="new-password", help=layout.PASSWORD_ADVICE)
    again = right.text_input("New password again", type="password", autocomplete="new-password")
    asked = st.form_submit_button("Change password")
    st.caption("Your other sign-ins end when it changes.")
    if asked and new != again:
        layout.not_the_same()
    elif asked:
        with shown_here():
            accounts.change_password(actor, current=current, new=new)
            saved("Your password is changed, and your other sign-ins have ended")

with st.container(border=True):
    sign_ins = accounts.my_sign_ins(actor)
    st.subheader("Where I am signed in", anchor=False)
    for sign_in in sign_ins:
        if tables.sign_in(actor, sign_in):
            end_one(sign_in.id, sign_in.device)
    if len(sign_ins) > 1 and st.button("End all others", icon=":material/logout:"):
        end_others()
