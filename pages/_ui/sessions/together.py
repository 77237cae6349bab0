"""Changing many sessions together, with a question before and a way back after; and giving tags other names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import streamlit as st

from nexa_core import architecture_sessions
from nexa_core.actor import Actor, Scope
from nexa_core.architecture_sessions import SessionLine, TagCount, TagPlan
from pages._ui import current_actor, format, menu
from pages._ui.errors import shown_here
from pages._ui.notices import saved
from pages._ui.sessions import beginning
from pages._ui.text import literal

_UNDO = "nexa.sessions.undo"
_PLAN = "nexa.sessions.tags"
_SHOWN = 8
_ONE_BY_ONE = "Customers' sessions are changed one by one, with a reason."


@dataclass(frozen=True, slots=True)
class Undo:
    """What was done, and what sets it back."""

    sentence: str
    back: Callable[[Actor], object]


def bar(actor: Actor, ticked: Sequence[SessionLine], *, in_trash: bool) -> None:
    """What can be done with the ticked rows."""
    if not beginning.may(actor):
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if any(line.organization_id != actor.organization_id for line in ticked):
            st.caption(_ONE_BY_ONE)
            return
        if not ticked:
            own = "Tick rows to change them together."
            st.caption(own if actor.scope is Scope.TENANT else f"{own} {_ONE_BY_ONE}")
            return
        st.caption(f"The {len(ticked)} ticked:", width="content")
        if in_trash:
            if st.button("Restore", icon=":material/restore_from_trash:"):
                _restore(ticked)
            return
        if st.button("Tag …", icon=":material/label:"):
            _tag(ticked)
        if st.button("Duplicate …", icon=":material/content_copy:"):
            _duplicate(ticked)
        if st.button("Move to the trash …", icon=":material/delete:"):
            _trash(ticked)


def undo(actor: Actor) -> None:
    """What was done together last, with the way back, until something else is done."""
    last: Undo | None = st.session_state.get(_UNDO)
    if last is None or not beginning.may(actor):
        return
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.markdown(f":material/check_circle: {last.sentence}", width="stretch")
        with shown_here():
            if st.button("Undo", icon=":material/undo:"):
                st.session_state.pop(_UNDO)
                last.back(actor)
                saved("It is as it was")
        st.button("Fine", type="tertiary", on_click=st.session_state.pop, args=(_UNDO, None))


def _names(ticked: Sequence[SessionLine]) -> None:
    more = f"\n- and {len(ticked) - _SHOWN} more" if len(ticked) > _SHOWN else ""
    st.markdown("\n".join(f"- {literal(line.title)}" for line in ticked[:_SHOWN]) + more)


def _many(count: int) -> str:
    return "1 session" if count == 1 else f"{count:,} sessions"


@st.dialog("Move to the trash", icon=":material/delete:")
def _trash(ticked: Sequence[SessionLine]) -> None:
    st.markdown(f"**{_many(len(ticked))}** can be restored for 90 days, then their content is removed for good.")
    _names(ticked)
    if st.button("Move to the trash", type="primary"):
        with shown_here():
            uuids = _uuids(ticked)
            done = architecture_sessions.trash_many(current_actor(), uuids=uuids)
            _remember(
                f"{_many(done.changed)} moved to the trash",
                lambda actor: architecture_sessions.restore_many(actor, uuids=uuids),
            )


def _restore(ticked: Sequence[SessionLine]) -> None:
    with shown_here():
        uuids = _uuids(ticked)
        done = architecture_sessions.restore_many(current_actor(), uuids=uuids)
        _remember(f"{_many(done.changed)} restored", lambda actor: architecture_sessions.trash_many(actor, uuids=uuids))


@st.dialog("Duplicate", icon=":material/content_copy:")
def _duplicate(ticked: Sequence[SessionLine]) -> None:
    st.markdown(f"A copy of **{_many(len(ticked))}** is made. Each has its own history and counts as a new one.")
    _names(ticked)
    if st.button("Duplicate", type="primary"):
        with shown_here():
            copies = architecture_sessions.duplicate_many(current_actor(), uuids=_uuids(ticked))
            made = tuple(copy.uuid for copy in copies)
            _remember(f"{_many(len(made))} copied", lambda actor: architecture_sessions.trash_many(actor, uuids=made))


@st.dialog("Tag", icon=":material/label:")
def _tag(ticked: Sequence[SessionLine]) -> None:
    known = [tag.tag for tag in architecture_sessions.suggest_tags(current_actor(), limit=100)]
    here = list(dict.fromkeys(tag for line in ticked for tag in line.tags))
    add = st.multiselect("Add", known, accept_new_options=True, placeholder="Choose or type")
    remove = st.multiselect("Take away", here, placeholder="Tags of the ticked")
    changing = [line for line in ticked if set(add) - set(line.tags) or set(remove) & set(line.tags)]
    st.caption(f"{_many(len(changing))} of {len(ticked)} would change.")
    if st.button("Change the tags", type="primary", disabled=not changing):
        with shown_here():
            actor = current_actor()
            done = architecture_sessions.tag_many(actor, uuids=_uuids(ticked), add=add, remove=remove)
            _remember(f"Tags of {_many(done.changed)} changed", lambda actor: _tags_back(actor, ticked, add, remove))


def _tags_back(actor: Actor, before: Sequence[SessionLine], added: Sequence[str], removed: Sequence[str]) -> None:
    for tag in added:
        if uuids := [line.uuid for line in before if tag not in line.tags]:
            architecture_sessions.tag_many(actor, uuids=uuids, remove=[tag])
    for tag in removed:
        if uuids := [line.uuid for line in before if tag in line.tags]:
            architecture_sessions.tag_many(actor, uuids=uuids, add=[tag])


def _remember(sentence: str, back: Callable[[Actor], object]) -> None:
    st.session_state[_UNDO] = Undo(sentence, back)
    st.rerun()


def _uuids(ticked: Sequence[SessionLine]) -> list[UUID]:
    return [line.uuid for line in ticked]


def tags(actor: Actor) -> None:
    """A customer's ways to its links, and to renaming and merging its tags."""
    if actor.scope is not Scope.TENANT:
        return
    st.page_link(menu.SHARE_LINKS.page(), icon=menu.SHARE_LINKS.icon)
    if beginning.may(actor) and st.button("Tags", icon=":material/sell:", type="tertiary"):
        st.session_state.pop(_PLAN, None)
        _rename(architecture_sessions.suggest_tags(actor, limit=200))


@st.dialog("Tags", width="medium", icon=":material/sell:")
def _rename(known: Sequence[TagCount]) -> None:
    """``known`` are the tags as they were when the dialog was opened: another count would undo the choice."""
    actor = current_actor()
    if not known:
        st.caption("No session has a tag yet.")
        return
    counts = {tag.tag: tag.sessions for tag in known}
    chosen = st.multiselect(
        "Tags to rename or merge", list(counts), format_func=lambda tag: f"{tag} ({format.number(actor, counts[tag])})",
        placeholder="One to rename, several to merge",
    )  # fmt: skip
    into = st.selectbox("New name", list(counts), index=None, accept_new_options=True, placeholder="Choose or type")
    if not chosen or not into:
        return
    with shown_here():
        plan = _frozen(actor, tuple(chosen), into)
        st.markdown(f"**{_many(len(plan.sessions))}** would change:")
        more = f"\n- and {len(plan.sessions) - _SHOWN:,} more" if len(plan.sessions) > _SHOWN else ""
        st.markdown("\n".join(f"- {literal(title)}" for _, title in plan.sessions[:_SHOWN]) + more)
        if st.button(f"Change {_many(len(plan.sessions))}", type="primary", disabled=not plan.sessions):
            with shown_here():
                done = architecture_sessions.apply_tag_plan(actor, plan=plan)
                st.session_state.pop(_PLAN)
                saved(f"{_many(done)} changed")
            st.button(
                "Make the preview anew", icon=":material/refresh:", on_click=st.session_state.pop, args=(_PLAN, None)
            )


def _frozen(actor: Actor, tags: tuple[str, ...], into: str) -> TagPlan:
    """The plan as it was made first: what is applied is what was shown, until something else is chosen."""
    known: tuple[object, TagPlan] | None = st.session_state.get(_PLAN)
    if known is None or known[0] != (tags, into):
        plan = architecture_sessions.merge_tags(actor, tags=tags, into=into)
        known = st.session_state[_PLAN] = ((tags, into), plan)
    return known[1]
