"""The head of every page of a session: what it is, the four pages, how far they are, who is here, what can be done."""

from __future__ import annotations

import streamlit as st

from nexa_core import architecture_sessions
from pages._ui import format, layout, menu
from pages._ui.sessions import details, exporting, history, presence, readiness, sharing
from pages._ui.sessions.opening import SESSION, Opened
from pages._ui.text import literal


def draw(opened: Opened) -> None:
    """Title and facts, buttons, and the way to the other pages."""
    view, actor = opened.view, opened.actor
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.page_link(menu.SESSIONS.page(), label="Sessions", icon=":material/arrow_back:")
        presence.draw(opened)
    facts = [literal(view.client or "No client"), f"by {literal(view.author_name)}"]
    if actor.organization_id != view.organization_id:
        facts.insert(0, literal(view.organization_name))
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(gap="xxsmall", width="content"):
            layout.title(literal(view.title), f"{' · '.join(facts)} · changed {format.ago(actor, view.updated_at)}")
        with st.container(horizontal=True, gap="xsmall", width="content"):
            _buttons(opened)
    marks = [f":blue-badge[{literal(view.session_type)}]"]
    marks += [":violet-badge[template]"] if view.is_template else []
    marks += [f":gray-badge[{literal(tag)}]" for tag in view.tags]
    marks += [":red-badge[in the trash]"] if view.deleted_at else []
    marks += [] if opened.may_write else [":orange-badge[read only]"]
    st.markdown(" ".join(marks))
    _switcher(opened)


def _buttons(opened: Opened) -> None:
    if st.button("Readiness", icon=":material/checklist:"):
        readiness.dialog(opened)
    if st.button("History", icon=":material/history:"):
        history.open_dialog(opened)
    if st.button("Share", icon=":material/share:"):
        sharing.open_dialog(opened)
    if st.button("Export", icon=":material/download:"):
        exporting.dialog(opened)
    if st.button("Details", icon=":material/edit:"):
        details.dialog(opened)
    pinned = opened.view.is_pinned
    st.button(
        "Unpin" if pinned else "Pin", icon=":material/keep_off:" if pinned else ":material/keep:", type="tertiary",
        on_click=_pin, args=(opened,),
    )  # fmt: skip


def _pin(opened: Opened) -> None:
    verb = architecture_sessions.unpin if opened.view.is_pinned else architecture_sessions.pin
    opened.attempt(lambda actor: verb(actor, uuid=opened.uuid))


def _switcher(opened: Opened) -> None:
    """The four pages as links, so that each can be opened in a tab of its own."""
    shares = {progress.page: progress for progress in opened.view.progress}
    with st.container(horizontal=True, gap="medium", key="nexa-session-pages"):
        for page, screen in menu.SESSION_PAGES.items():
            progress = shares.get(page)
            done = f" · {progress.done} of {progress.total}" if progress and progress.total else ""
            label = f"**{screen.title}**{done}" if page == opened.page else f"{screen.title}{done}"
            st.page_link(screen.page(), label=label, icon=screen.icon, query_params={SESSION: str(opened.uuid)})
