"""The ways from an organization into the screens of what it does there, already narrowed to it."""

from __future__ import annotations

import streamlit as st

from nexa_core.actor import Actor
from nexa_core.organizations import OrganizationView
from pages._ui import menu

_PATHS = ("sessions", "usage", "billing")


def draw(actor: Actor, organization: OrganizationView) -> None:
    """A link to each of them that this person has."""
    screens = [screen for screen in menu.SCREENS if screen.path in _PATHS]
    if not (mine := [one for one in screens if one.is_open_to(actor)]):
        return
    with st.container(horizontal=True):
        for screen in mine:
            st.page_link(
                screen.page(), label=screen.title, icon=screen.icon, query_params={"organization": organization.slug}
            )
