"""The history of a session: who, when, how long, what; compare any two revisions, bring one back, give one a name."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from nexa_core import architecture_sessions
from nexa_core.architecture_sessions import RevisionView
from pages._ui import current_actor, format
from pages._ui.errors import shown_here
from pages._ui.pager import pager
from pages._ui.sessions import differing, restoring
from pages._ui.sessions.opening import Opened
from pages._ui.text import literal

_LIMIT = 15
_SENTENCES = 8
_MODES = ["Revisions", "Compare"]
#: What the dialog is showing, forgotten when it is opened anew: which view, which two, which one to bring back.
_MODE, _FROM, _TO, _BACK = (f"nexa.history.{name}" for name in ("mode", "from", "to", "back"))


def open_dialog(opened: Opened) -> None:
    """The dialog, at the newest revisions, whatever an earlier one was showing."""
    for key in (_MODE, _FROM, _TO, _BACK, "nexa.pager.history"):
        st.session_state.pop(key, None)
    _dialog(opened)


@st.dialog("History", width="large", icon=":material/history:")
def _dialog(opened: Opened) -> None:
    with shown_here():
        back = st.session_state.get(_BACK)
        if back is not None:
            st.button("All revisions", icon=":material/arrow_back:", type="tertiary", on_click=_forget)
            restoring.draw(opened, back)
            return
        st.session_state.setdefault(_MODE, _MODES[0])
        mode = st.segmented_control("Show", _MODES, key=_MODE, required=True, label_visibility="collapsed")
        if mode == "Compare":
            _compare(opened)
        else:
            _revisions(opened)


def _revisions(opened: Opened) -> None:
    place = pager("history", opened.uuid, in_address=False)
    page = architecture_sessions.revisions(current_actor(), uuid=opened.uuid, after=place.after, limit=_LIMIT)
    for one in page.items:
        _line(opened, one)
    place.draw(shown=len(page.items), next_cursor=page.next_cursor, back="Newer", on="Older")


def _line(opened: Opened, one: RevisionView) -> None:
    took = f", {length}" if (length := _length(one.duration)) else ""
    marks = " :green-badge[now]" if one.is_current else ""
    marks += f" :violet-badge[{literal(one.name)}]" if one.name else ""
    marks += f" :gray-badge[brought back {one.restored_from}]" if one.restored_from else ""
    with st.container(border=True, gap="xsmall"):
        st.markdown(
            f"**Revision {one.revision}**{marks}  \n:small[:gray[{literal(one.author_name)} · "
            f"{format.moment(opened.actor, one.ended_at)}{took}]]"
        )
        if one.sentences:
            st.markdown("\n".join(f"- {literal(sentence)}" for sentence in one.sentences[:_SENTENCES]))
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            if opened.may_write:
                _naming(opened, one)
            if not one.is_current:
                st.button(
                    "Compare with now", icon=":material/difference:", type="tertiary", key=f"since-{one.revision}",
                    on_click=_since, args=(one.revision, opened.view.revision),
                )  # fmt: skip
                if opened.may_write:
                    st.button("Bring back …", icon=":material/settings_backup_restore:", type="tertiary",
                              key=f"back-{one.revision}", on_click=_remember, args=(one.revision,))  # fmt: skip


def _length(duration: dt.timedelta) -> str:
    """How long a burst was, in its largest unit; nothing for less than a minute."""
    minutes = int(duration.total_seconds() // 60)
    if minutes < 60:
        return f"{minutes} min" if minutes else ""
    hours = minutes // 60
    return f"{hours} h" if hours < 48 else f"{hours // 24} days"


def _naming(opened: Opened, one: RevisionView) -> None:
    with st.popover("Name", icon=":material/label:", type="tertiary"):
        name = st.text_input("Name of this revision", one.name or "", max_chars=255, key=f"name-{one.revision}")
        if st.button("Save the name", key=f"save-name-{one.revision}"):
            architecture_sessions.name_revision(
                current_actor(), uuid=opened.uuid, revision=one.revision, name=name.strip() or None
            )
            st.rerun(scope="fragment")


def _compare(opened: Opened) -> None:
    newest = opened.view.revision
    if newest < 2:
        st.caption("There is only one revision so far.")
        return
    st.session_state.setdefault(_FROM, newest - 1)
    st.session_state.setdefault(_TO, newest)
    left, right = st.columns(2, gap="medium")
    older = left.number_input("From revision", 1, newest, key=_FROM, step=1)
    newer = right.number_input("To revision", 1, newest, key=_TO, step=1)
    found = architecture_sessions.compare(current_actor(), uuid=opened.uuid, before=int(older), after=int(newer))
    for place, one in ((left, found.before), (right, found.after)):
        named = f"“{literal(one.name)}”, " if one.name else ""
        place.caption(f"{named}{literal(one.author_name)}, {format.moment(opened.actor, one.ended_at)}")
    differing.draw(found.sentences, found.differences)


def _since(revision: int, newest: int) -> None:
    st.session_state.update({_MODE: "Compare", _FROM: revision, _TO: newest})


def _remember(revision: int) -> None:
    st.session_state[_BACK] = revision


def _forget() -> None:
    st.session_state.pop(_BACK, None)
