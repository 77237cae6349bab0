"""The frame around every screen: tab, logo, and in the sidebar who you are, where you are, and the way out."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from uuid import UUID

import streamlit as st

from nexa_core import accounts
from nexa_core.actor import Actor
from pages._ui import browser, finder, format, gate, marks, menu
from pages._ui.text import literal

_ABOUT = "**NEXA**, the dashboard of your architecture sessions."
_ORGANIZATIONS = "nexa.organizations"
_STYLE = Path(__file__).with_name("style.css")


def configure(actor: Actor | None) -> None:
    """The browser tab, the width and the logo."""
    st.set_page_config(
        page_title="NEXA",
        page_icon=marks.tab_icon(),
        layout="wide" if actor else "centered",
        initial_sidebar_state="auto" if actor else "collapsed",
        menu_items={"About": _ABOUT},
    )
    st.html(_STYLE)
    if actor:
        theme = st.context.theme.type
        st.logo(marks.logo(theme), size="large", icon_image=marks.mark(theme))


def sidebar(actor: Actor) -> None:
    """Below the navigation: the person, the organization or the choice of one, the account, and sign out."""
    with st.sidebar, st.container(key="nexa-person", gap="xsmall"):
        finder.button()
        st.markdown(f"**{literal(actor.full_name or actor.email)}**")
        _organization(actor)
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.page_link(menu.ACCOUNT.page(), label="My account")
            if st.button("Sign out", icon=":material/logout:", type="tertiary"):
                sign_out()
        browser.watch_sign_in()


def viewing(actor: Actor) -> None:
    """On every screen, while an admin looks with somebody else's eyes: whose, until when, and the way back."""
    if actor.viewing_as is None:
        return
    seen = actor.viewing_as
    with (
        st.container(key="nexa-viewing"),
        st.container(horizontal=True, vertical_alignment="center", border=True, horizontal_alignment="distribute"),
    ):
        st.markdown(
            f":material/visibility: :orange-badge[Read only] {literal(actor.full_name)}, you are viewing "
            f"**{literal(seen.organization_name)}** as **{literal(seen.full_name)}** until "
            f"**{format.clock(actor, seen.expires_at)}**.",
            width="stretch",
        )
        st.button("End viewing", type="primary", icon=":material/visibility_off:", on_click=_end_viewing)
    _watch_viewing(seen.expires_at)


def _end_viewing() -> None:
    accounts.stop_viewing(gate.current_actor())


@st.fragment(run_every="15s")
def _watch_viewing(until: dt.datetime) -> None:
    """When the time is over, the screen is drawn anew with one's own eyes; nobody has to click."""
    if dt.datetime.now(dt.UTC) >= until:
        st.rerun()


def sign_out() -> None:
    """End this sign-in, in the database and in the browser, and go to the sign-in screen."""
    browser.post("/api/auth/sign-out", {}, then="/", failure="Signing out did not work. Reload the page and try again.")
    st.stop()


def _organization(actor: Actor) -> None:
    choices = _memberships(actor)
    if len(choices) < 2 or actor.organization_id is None or actor.viewing_as is not None:
        st.markdown(f":material/domain: {literal(actor.organization_name)}")
        return
    ids = list(choices)
    here = str(actor.organization_id)
    # The key names the organization: when another tab switches, this one does not switch back.
    chosen = st.selectbox(
        "Organization",
        ids,
        index=ids.index(here) if here in ids else 0,
        format_func=lambda value: choices[value][1],
        label_visibility="collapsed",
        icon=":material/domain:",
        key=f"nexa-organization-{here}",
    )
    if chosen in choices and chosen != here:
        accounts.switch_organization(actor, organization_id=choices[chosen][0])
        st.session_state.pop(_ORGANIZATIONS, None)
        st.switch_page(menu.HOME.page())


def _memberships(actor: Actor) -> dict[str, tuple[UUID, str]]:
    """The organizations the person can switch to, asked once per sign-in and place, not at every rerun."""
    known = st.session_state.get(_ORGANIZATIONS)
    key = (actor.user_session_id, actor.organization_id)
    if known is None or known[0] != key:
        found = {
            str(m.organization_id): (m.organization_id, m.organization_name) for m in accounts.my_organizations(actor)
        }
        known = st.session_state[_ORGANIZATIONS] = (key, found)
    memberships: dict[str, tuple[UUID, str]] = known[1]
    return memberships
