"""Dialogs over an entry: putting its change back, with a preview, and one value in full."""

from __future__ import annotations

from uuid import UUID

import streamlit as st

from nexa_core import audit
from nexa_core.actor import Actor
from nexa_core.audit import EntryView
from pages._ui import current_actor, saved, shown_here
from pages._ui.audit import words
from pages._ui.text import literal


def offer(actor: Actor, entry: EntryView, key: str) -> None:
    """The button, where the change can be put back; where not, why; nothing for somebody who may not."""
    if entry.old_values is None or entry.new_values is None:
        return
    plan = audit.plan(actor, entry_id=entry.id)
    if not plan.is_allowed:
        return
    if plan.refusal:
        st.caption(f":material/undo: {literal(plan.refusal)}", width="content")
    elif st.button("Put this back", icon=":material/undo:", key=f"{key}-undo-{entry.id}"):
        _put_back(entry.id)


@st.dialog("Put this change back?", icon=":material/undo:", width="large")
def _put_back(entry_id: UUID) -> None:
    plan = audit.plan(current_actor(), entry_id=entry_id)
    st.markdown(literal(plan.sentence))
    for change in plan.changes:
        name, now, then = st.columns([2, 4, 4], gap="small")
        name.markdown(literal(change.name))
        now.caption("Now")
        now.code(words.value(current_actor(), change.now), language=None, wrap_lines=True)
        then.caption("Put back to")
        then.code(words.value(current_actor(), change.then), language=None, wrap_lines=True)
    reason = st.text_input("Reason", max_chars=1000, placeholder="Kept in the audit log", autocomplete="off")
    if st.button("Put it back", type="primary", disabled=bool(plan.refusal)):
        with shown_here():
            audit.apply(current_actor(), entry_id=entry_id, reason=reason)
            saved("It is as it was before; the log says so")
    if plan.refusal:
        st.caption(literal(plan.refusal))


@st.dialog("The whole value", width="large")
def whole(entry_id: UUID, path: tuple[str, ...], name: str, after: bool) -> None:
    """One value from beginning to end."""
    text = audit.whole_value(current_actor(), entry_id=entry_id, path=path, after=after)
    st.caption(f"{literal(name)}, {'after' if after else 'before'}, {len(text):,} characters")
    st.code(text, language=None, wrap_lines=True, height=480)
