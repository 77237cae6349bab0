"""What an invited person sees: the offer, and the way in that fits who they are."""

from __future__ import annotations

import streamlit as st

from nexa_core import accounts, organizations
from nexa_core.actor import Actor
from nexa_core.organizations import Offer
from pages._ui import badges, browser, gate, layout, menu, notices, shown_here
from pages._ui.sign_in_form import SignInForm, accept, carry_ticket
from pages._ui.text import literal

_OFFER = "nexa.offer"


def draw(actor: Actor | None, token: str) -> None:
    """The offer and one way to take it; for the wrong person, both addresses and no way."""
    if carry_ticket(then="" if actor is None and st.session_state.get(_OFFER) else "/"):
        st.session_state.pop(_OFFER, None)
        return
    with shown_here():
        offer = organizations.open_invitation(gate.origin(), token=token)
        _offer(offer)
        if actor is not None and actor.email != offer.email:
            _somebody_else(actor, offer)
        elif actor is not None:
            _join(actor, offer, token)
        elif offer.needs_password:
            _first_password(offer, token)
        else:
            st.markdown(f"Sign in as **{literal(offer.email)}** to join.", text_alignment="center")
            st.session_state[_OFFER] = True  # after signing in, back to this invitation
            SignInForm().draw()
        return
    layout.way_to_sign_in()


def _offer(offer: Offer) -> None:
    with st.container(border=True):
        st.markdown(
            f"{literal(offer.inviter or 'NEXA')} invites **{literal(offer.email)}** to "
            f"**{literal(offer.organization_name)}** as {badges.badge(offer.role)}"
        )
        if offer.message:
            st.markdown("\n".join(f"> {literal(line)}  " for line in offer.message.splitlines()))
        st.caption(f"Good until {offer.expires_at:%-d %B %Y}. Nothing happens until you press the button.")


def _somebody_else(actor: Actor, offer: Offer) -> None:
    st.warning(
        f"This invitation is for **{literal(offer.email)}**, and you are signed in as **{literal(actor.email)}**. "
        "Neither is changed. Sign out to go on as the person who is invited, or ask for an invitation to your own "
        "address.",
        icon=":material/group:",
    )
    if st.button("Sign out and come back here", width="stretch"):
        browser.post("/api/auth/sign-out", {}, failure="Signing out did not work. Reload the page and try again.")
        st.stop()
    st.page_link(menu.HOME.page(), label="Stay signed in and leave the invitation", icon=":material/home:")


def _join(actor: Actor, offer: Offer, token: str) -> None:
    if st.button(f"Join {literal(offer.organization_name)}", type="primary", width="stretch"):
        joined = organizations.accept_invitation(actor, token=token)
        accounts.switch_organization(actor, organization_id=joined.organization_id)
        notices.later(f"Welcome to {joined.organization_name}")
        st.switch_page(menu.HOME.page())


def _first_password(offer: Offer, token: str) -> None:
    """A name and a password make the account; then the person is signed in."""
    with st.form("join"):
        left, right = st.columns(2)
        first_name = left.text_input("First name", max_chars=100, autocomplete="given-name")
        last_name = right.text_input("Last name", max_chars=100, autocomplete="family-name")
        password = st.text_input(
            "New password", type="password", autocomplete="new-password", help=layout.PASSWORD_ADVICE
        )
        again = st.text_input("New password again", type="password", autocomplete="new-password")
        asked = st.form_submit_button(f"Join {literal(offer.organization_name)}", type="primary", width="stretch")
    if asked and password != again:
        layout.not_the_same()
    elif asked:
        organizations.accept_invitation_with_password(
            gate.origin(), token=token, first_name=first_name, last_name=last_name, password=password
        )
        accept(accounts.sign_in(gate.origin(), email=offer.email, password=password))
