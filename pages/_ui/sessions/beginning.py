"""Ways to begin: an empty session, one from a template, one from a file."""

from __future__ import annotations

import streamlit as st

from nexa_core import architecture_sessions
from nexa_core.actor import Actor, Scope
from nexa_core.permissions import Permission
from pages._ui import menu
from pages._ui.errors import shown_here
from pages._ui.notices import later
from pages._ui.sessions import importing
from pages._ui.sessions.details import TYPES
from pages._ui.sessions.opening import SESSION


def may(actor: Actor) -> bool:
    """A courtesy: whether the person begins sessions at all."""
    return actor.may(Permission.SESSIONS_WRITE) and actor.scope is not Scope.PRESENTER and actor.viewing_as is None


def bar(actor: Actor) -> None:
    """The buttons above the list."""
    if not may(actor):
        return
    with st.popover("New session", icon=":material/add:", type="primary"), st.form("new-session", border=False):
        title = st.text_input("Title", max_chars=255)
        client = st.text_input("Client", max_chars=255)
        kind = st.selectbox("Type", TYPES, accept_new_options=True)
        if st.form_submit_button("Begin", type="primary", width="stretch"):
            with shown_here():
                made = architecture_sessions.create(
                    actor, title=title, client=client.strip() or None, session_type=kind or "solution"
                )
                later(f"{made.title} is begun")
                st.switch_page(menu.STRUCTURING.page(), query_params={SESSION: str(made.uuid)})
    if st.button("Import", icon=":material/upload_file:", type="tertiary"):
        importing.dialog()
    st.page_link(menu.TEMPLATES.page(), label="From a template", icon=menu.TEMPLATES.icon)
