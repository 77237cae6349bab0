"""One change for many organizations: frozen targets, a preview row by row, a reason; and its undoing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import streamlit as st

from nexa_core import organizations
from nexa_core.actor import Actor
from nexa_core.permissions import Permission
from pages._ui import badges, current_actor, format
from pages._ui.errors import shown_here
from pages._ui.notices import saved

_TARGETS, _PREVIEW = "nexa.bulk.targets", "nexa.bulk.preview"
_KINDS = {
    "account_manager": ("Account manager", ":material/support_agent:"),
    "plan": ("Plan", ":material/swap_horiz:"),
    "suspend": ("Suspend", ":material/pause_circle:"),
    "resume": ("Resume", ":material/play_circle:"),
}
_DONE = {
    "account_manager": "Another account manager", "plan": "Another plan", "suspend": "Suspended", "resume": "Resumed",
}  # fmt: skip
_NOBODY = "nobody"


def may(actor: Actor) -> bool:
    """Whether the person changes organizations at all."""
    return actor.may(Permission.ORGANIZATIONS_MANAGE)


def bar(actor: Actor, wanted: organizations.Filter, ticked: Sequence[Any]) -> None:
    """What can be done with the ticked rows, or with all that the filters show."""
    if not may(actor):
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        everything = st.toggle(
            "All that the filters show", key="nexa-bulk-all", help="Every page of the list, not the ticked rows alone."
        )
        what = "all that is shown" if everything else f"the {len(ticked)} ticked"
        st.caption(f"Change {what}:" if everything or ticked else "Tick rows to change them together.",
                   width="content")  # fmt: skip
        if everything or ticked:
            for kind, (label, icon) in _KINDS.items():
                if st.button(f"{label} …", icon=icon, key=f"bulk-{kind}"):
                    ids = organizations.matching(actor, wanted) if everything else tuple(row.id for row in ticked)
                    st.session_state[_TARGETS] = (kind, ids)
                    st.session_state.pop(_PREVIEW, None)
                    change()


def recent(actor: Actor) -> None:
    """The way to what was changed together lately."""
    if may(actor) and st.button("Recent bulk changes", icon=":material/history:", type="tertiary"):
        st.session_state.pop(_PREVIEW, None)
        undo()


@st.dialog("Change organizations together", width="large", icon=":material/checklist:")
def change() -> None:
    actor = current_actor()
    kind, ids = st.session_state[_TARGETS]
    managers = {str(manager.id): manager.name for manager in organizations.account_managers(actor)}
    value = None
    if kind == "plan":
        value = st.selectbox("New plan", badges.PLANS, index=None, format_func=badges.word, placeholder="Choose a plan")
    elif kind == "account_manager":
        value = st.selectbox(
            "New account manager",
            [*managers, _NOBODY],
            index=None,
            format_func=lambda choice: managers.get(choice, "Nobody"),
            placeholder="Choose a person",
        )
    if kind in ("plan", "account_manager") and value is None:
        st.caption(f"{len(ids):,} organizations are chosen. What would happen to each is shown before it does.")
        return
    value = None if value == _NOBODY else value
    with shown_here():
        preview = _frozen(actor, kind, ids, value)
        _table(actor, preview, managers)
        _apply(preview, _KINDS[kind][0] if kind in ("suspend", "resume") else "Change", "changed")


@st.dialog("Recent bulk changes", width="large", icon=":material/history:")
def undo() -> None:
    actor = current_actor()
    with shown_here():
        found = {str(batch.id): batch for batch in organizations.batches(actor)}
        if not found:
            st.caption("Nothing was changed in bulk yet.")
            return
        chosen = st.selectbox(
            "Bulk change",
            list(found),
            index=None,
            format_func=lambda key: _line(actor, found[key]),
            placeholder="Choose one to undo it",
        )
        if chosen is None:
            return
        batch = found[chosen]
        st.text(f"By {batch.actor_name}. Reason: {batch.reason}")
        managers = {str(manager.id): manager.name for manager in organizations.account_managers(actor)}
        preview = _frozen(actor, "undo", (batch.id,), None)
        _table(actor, preview, managers)
        _apply(preview, "Undo", "set back")


def _frozen(actor: Actor, kind: str, ids: tuple[UUID, ...], value: str | None) -> organizations.Preview:
    """The preview as it was made first: what is applied is what was shown, until something else is chosen."""
    known = st.session_state.get(_PREVIEW)
    if known is None or known[0] != (kind, ids, value):
        if kind == "undo":
            preview = organizations.preview_undo(actor, batch_id=ids[0])
        else:
            preview = organizations.preview_change(actor, kind=kind, organization_ids=ids, value=value)  # type: ignore[arg-type]
        known = st.session_state[_PREVIEW] = ((kind, ids, value), preview)
    frozen: organizations.Preview = known[1]
    return frozen


def _table(actor: Actor, preview: organizations.Preview, managers: Mapping[str, str]) -> None:
    changing = len(preview.changing)
    st.markdown(
        f"**{format.number(actor, changing)} of {format.number(actor, len(preview.targets))} organizations change.**"
    )

    def word(value: str | None) -> str:
        if preview.kind == "account_manager":
            return "Nobody" if value is None else managers.get(value, "Somebody who left")
        return "–" if value is None else badges.word(value)

    rows = sorted(preview.targets, key=lambda target: (target.obstacle is not None, target.name.lower()))
    st.dataframe(
        {
            "Name": [row.name for row in rows],
            "Now": [word(row.before) for row in rows],
            "Then": [word(row.before if row.obstacle else row.after) for row in rows],
            **({"Stays because": [row.obstacle or "" for row in rows]} if changing < len(rows) else {}),
        },
        hide_index=True,
        height="content" if len(rows) < 9 else 320,
        alt="What would happen to each organization",
    )


def _apply(preview: organizations.Preview, verb: str, done: str) -> None:
    count = len(preview.changing)
    with st.form("bulk", border=False):
        reason = st.text_input("Reason", help="It is kept in the audit log, with one batch number for all.")
        pressed = st.form_submit_button(f"{verb} {count:,}", type="primary", disabled=not count, width="stretch")
    if pressed:
        with shown_here():
            batch = organizations.apply_batch(current_actor(), preview=preview, reason=reason)
            st.session_state.pop(_PREVIEW, None)
            st.session_state.pop(_TARGETS, None)
            saved(f"{batch.changed:,} organizations {done}" if batch.changed != 1 else f"1 organization {done}")
        st.button(
            "Make the preview anew", icon=":material/refresh:", on_click=st.session_state.pop, args=(_PREVIEW, None)
        )


def _line(actor: Actor, batch: organizations.Batch) -> str:
    what = f"{_DONE[batch.kind]}: {batch.changed:,}"
    return f"{format.moment(actor, batch.at)} · {what}{' (an undoing)' if batch.undoes else ''}"
