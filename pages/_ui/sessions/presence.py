"""Who else is here, and what they have saved: asked every two seconds, drawn without disturbing anybody.

The browser's part decides when to draw the page anew: never while somebody types in a field or a cell. The editor of
long text looks after itself.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from nexa_core import architecture_sessions
from nexa_core.architecture_sessions import PAGE_TITLES
from pages._ui import current_actor
from pages._ui.errors import shown_here
from pages._ui.sessions.opening import Opened
from pages._ui.text import literal

#: Who comes and what they saved is seen within three seconds, issue 4: a change is told by a pulse, asks for a new
#: drawing, and is drawn.
SECONDS = 2.0
_watch = st.components.v2.component(
    "nexa_pulse", js=(Path(__file__).resolve().parent / "pulse.js").read_text(), html="<i hidden></i>\n"
)


@st.fragment(run_every=SECONDS)
def draw(opened: Opened) -> None:
    """The others who have this session open, and the watch over what they save."""
    actor = current_actor()
    with shown_here():
        pulse = architecture_sessions.here(actor, opened.uuid, page=opened.page)
        others = [person for person in pulse.people if person.user_id != actor.user_id]
        if others:
            words = ", ".join(
                f"{literal(person.full_name)} ({PAGE_TITLES.get(person.page, 'somewhere')})" for person in others[:4]
            )
            more = f" and {len(others) - 4} more" if len(others) > 4 else ""
            st.markdown(f":green[:material/circle:] :small[Here now: {words}{more}]", width="content")
        found = _watch(
            data={"version": pulse.version, "drawn": opened.version, "session": str(opened.uuid)},
            key="nexa_pulse",
            on_newer_change=_nothing,
        )
        if found.get("newer"):
            st.rerun()


def _nothing() -> None:
    """A trigger needs a callback to be heard."""
