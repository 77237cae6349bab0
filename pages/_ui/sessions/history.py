"""The history of a session: who, when, how long, what; compare any two revisions, bring one back, give one a name."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from nexa_core import architecture_sessions
from nexa_core.architecture_sessions import RevisionView
from pages._ui import current_actor, format
from pages._ui.errors import shown_here
from pages._ui.notices import saved
from pages._ui.sessions import differing
from pages._ui.sessions.opening import Opened
from pages._ui.text import literal

#: What can be brought back by itself: a page, or one of its documents.
_PARTS = {
    "": "All four pages",
    "structuring": "Structuring",
    "sow": "Statement of work",
    "loe": "Level of effort",
    "diagram_texts_json": "Diagrams",
    "visual_assets_json": "Images and assets",
}
_LIMIT = 30


@st.dialog("History", width="large", icon=":material/history:")
def dialog(opened: Opened) -> None:
    actor = current_actor()
    with shown_here():
        page = architecture_sessions.revisions(actor, uuid=opened.uuid, limit=_LIMIT)
        if not page.items:
            st.caption("Nothing was changed yet.")
            return
        mode = st.segmented_control("Show", ["Revisions", "Compare"], default="Revisions", required=True,
                                    label_visibility="collapsed")  # fmt: skip
        if mode == "Compare":
            _compare(opened, page.items)
        else:
            for one in page.items:
                _line(opened, one)
            if page.next_cursor:
                st.caption(f"The newest {_LIMIT} revisions.")


def _line(opened: Opened, one: RevisionView) -> None:
    actor = opened.actor
    minutes = int(one.duration.total_seconds() // 60)
    took = f", {minutes} min" if minutes else ""
    marks = " :green-badge[now]" if one.is_current else ""
    marks += f" :violet-badge[{literal(one.name)}]" if one.name else ""
    marks += f" :gray-badge[brought back {one.restored_from}]" if one.restored_from else ""
    with st.container(border=True, gap="xsmall"):
        st.markdown(
            f"**Revision {one.revision}**{marks}  \n:small[:gray[{literal(one.author_name)} · "
            f"{format.moment(actor, one.ended_at)}{took}]]"
        )
        if one.sentences:
            st.markdown("\n".join(f"- {literal(sentence)}" for sentence in one.sentences[:8]))
        if not opened.may_write:
            return
        with st.container(horizontal=True, gap="small"):
            with st.popover("Name", icon=":material/label:", type="tertiary"):
                name = st.text_input("Name of this revision", one.name or "", max_chars=255, key=f"name-{one.revision}")
                if st.button("Save the name", key=f"save-name-{one.revision}"):
                    architecture_sessions.name_revision(
                        current_actor(), uuid=opened.uuid, revision=one.revision, name=name.strip() or None
                    )
                    st.rerun(scope="fragment")
            if not one.is_current:
                with st.popover("Bring back", icon=":material/settings_backup_restore:", type="tertiary"):
                    _restore(opened, one)


def _restore(opened: Opened, one: RevisionView) -> None:
    st.markdown("What is there now stays in the history. Texts that are not saved yet are kept on this device.")
    chosen = st.selectbox(
        "What to bring back", list(_PARTS), format_func=lambda part: _PARTS[part], key=f"restore-{one.revision}"
    )
    if st.button("Bring it back", type="primary", key=f"restore-it-{one.revision}"):
        path = (chosen,) if chosen else ()
        architecture_sessions.restore_revision(current_actor(), uuid=opened.uuid, revision=one.revision, path=path)
        saved(f"Revision {one.revision} is back")


def _compare(opened: Opened, items: Sequence[RevisionView]) -> None:
    numbers = [one.revision for one in items]
    actor = opened.actor
    names = {
        one.revision: f"{one.revision} · {one.name or one.author_name} · {format.moment(actor, one.ended_at)}"
        for one in items
    }
    if len(numbers) < 2:
        st.caption("There is only one revision so far.")
        return
    left, right = st.columns(2)
    older = left.selectbox("From", numbers, index=1, format_func=lambda number: names[number])
    newer = right.selectbox("To", numbers, index=0, format_func=lambda number: names[number])
    found = architecture_sessions.compare(current_actor(), uuid=opened.uuid, before=older, after=newer)
    differing.draw(found.sentences, found.differences)
