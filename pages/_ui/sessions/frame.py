"""One of the four pages from top to bottom; without a session in the address the way to one."""

from __future__ import annotations

import streamlit as st

from nexa_core import architecture_sessions
from nexa_core.actor import Actor
from pages._ui import current_actor, format, layout, menu
from pages._ui.sessions import header, tabs
from pages._ui.sessions.opening import SESSION, opened
from pages._ui.text import literal


def draw(page: str) -> None:
    """The page of the session that the address names."""
    here = opened(page)
    if here is not None:
        header.draw(here)
        tabs.draw(here)
    elif not st.query_params.get(SESSION):
        _choose(current_actor(), page)


def _choose(actor: Actor, page: str) -> None:
    screen = menu.SESSION_PAGES[page]
    layout.title(screen.title, "Choose the session whose page you want to open.")
    opened = architecture_sessions.recent(actor, limit=12)
    found = opened or architecture_sessions.browse(actor, limit=12).items  # who has opened none yet sees the newest
    if not found:
        layout.nothing("draw", "There is no session yet", "Make one on the list of sessions.")
    with st.container(border=bool(found), gap="xsmall"):
        for line in found:
            st.page_link(
                screen.page(), icon=screen.icon, query_params={SESSION: str(line.uuid)},
                label=f"{literal(line.title)} :gray[{literal(line.client or 'No client')} · "
                f"{format.ago(actor, line.updated_at)}]",
            )  # fmt: skip
    st.page_link(menu.SESSIONS.page(), label="All sessions", icon=menu.SESSIONS.icon)
