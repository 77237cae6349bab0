"""One session as a screen has opened it: what it is now, whether the person may write, and every way to change it.

A change is made at once, from a widget's callback, by the version that was on screen: the verb merges it with what
others have saved meanwhile, or says that it cannot. What went wrong is shown at the top of the next draw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import streamlit as st

from nexa_core import architecture_sessions
from nexa_core.actor import Actor
from nexa_core.architecture_sessions import Edit, EditConflict, SessionView
from nexa_core.errors import Invalid, NexaError, Unauthenticated, Unavailable
from pages._ui import current_actor
from pages._ui.errors import shown_here

#: The parameter of the address that names the session.
SESSION = "session"
_REFUSED = "nexa.session.refused"
_WAITING = "nexa.session.waiting"
_VISITED = "nexa.session.visited"
#: Said wherever a form cannot take an edit without losing what stands there.
FOREIGN = "This has a shape that the form cannot show. It is kept untouched; the JSON tab shows and changes it."


@dataclass(frozen=True)
class Refused:
    """A change that was not saved: why, and what it would take to save it after all, by the version it began from."""

    uuid: UUID
    error: NexaError
    edits: tuple[Edit, ...] = ()
    version: int = 0

    @property
    def saves_again(self) -> bool:
        """Whether nothing is wrong with the change itself: it could only not be saved just then."""
        return bool(self.edits) and isinstance(self.error, Unavailable | Unauthenticated)

    def behind(self, earlier: Refused | None) -> Refused:
        """This change and the earlier one that waits already, as one."""
        if earlier is None:
            return self
        return replace(self, edits=(*earlier.edits, *self.edits), version=min(earlier.version, self.version))


@dataclass(frozen=True)
class Opened:
    """A session on one of its pages."""

    actor: Actor
    view: SessionView
    page: str

    @property
    def uuid(self) -> UUID:
        return self.view.uuid

    @property
    def version(self) -> int:
        return self.view.version

    @property
    def may_write(self) -> bool:
        """A courtesy to the person; the verb decides."""
        return self.view.may_write and self.view.deleted_at is None

    def document(self, column: str) -> Mapping[str, Any]:
        """One of the five documents; an empty one where it has no object at its top."""
        found = self.view.documents.get(column)
        return found if isinstance(found, Mapping) else {}

    def value(self, steps: Sequence[str]) -> Any:
        """The value at a path of keys and stable ids; None where there is nothing."""
        here: Any = self.view.documents
        for step in steps:
            if isinstance(here, Mapping):
                here = here.get(step)
            elif isinstance(here, list):
                here = next((part for part in here if isinstance(part, dict) and part.get("id") == step), None)
            else:
                return None
        return here

    def takes(self, steps: Sequence[str]) -> bool:
        """Whether a part can be added to this list: nothing else stands in its place, or in the document's."""
        found = self.value(steps)
        return isinstance(self.view.documents.get(steps[0]), Mapping) and (found is None or isinstance(found, list))

    def may_add(self, steps: Sequence[str]) -> bool:
        """Whether to offer the person to add a part to this list; a courtesy, as ``may_write`` is."""
        return self.may_write and self.takes(steps)

    def place(self) -> str:
        """The address of what is on screen now, to come back to."""
        return f"/{self.page}?{urlencode(st.query_params.to_dict())}"

    def put(self, steps: Sequence[str], value: Any) -> None:
        """Change one value."""
        self.save(Edit(tuple(steps), value))

    def add(self, steps: Sequence[str], part: Mapping[str, Any], what: str, *, show: bool = True) -> bool:
        """Add a part with a new id at the end of a list, and choose it; whether it is there."""
        if not self.takes(steps):
            st.session_state[_REFUSED] = Refused(self.uuid, Invalid(FOREIGN))
            return False
        new = architecture_sessions.new_id(what)
        edits = [Edit((*steps, new), {"id": new, **part})]
        if not isinstance(self.value(steps), list):
            edits.insert(0, Edit(tuple(steps), []))
        if not self.view.documents.get(steps[0]):
            edits.insert(0, Edit((steps[0], "format"), 1))
        if not self.save(*edits):
            return False
        if show:
            st.query_params["item"] = new
        return True

    def remove(self, steps: Sequence[str]) -> None:
        """Take a part away."""
        self.save(Edit(tuple(steps), op="remove"))

    def move(self, steps: Sequence[str], part_id: str, *, after: str | None) -> None:
        """Put a part behind another one, or first."""
        self.save(Edit((*steps, part_id), op="move", after=after))

    def save(self, *edits: Edit, version: int | None = None) -> bool:
        """Save edits, as one; whether they are."""
        refused: Refused | None = st.session_state.get(_REFUSED)
        if refused and (refused.uuid, refused.edits) == (self.uuid, edits):
            # A browser that has not drawn the choice yet sends the field again, with whatever rerun it asks for. By
            # then theirs is the version on screen, and would be gone without anybody having chosen.
            return False
        began = version or self.version
        return self.attempt(
            lambda actor: architecture_sessions.save(actor, uuid=self.uuid, version=began, changes=edits), edits, began
        )

    def attempt(self, work: Callable[[Actor], object], edits: tuple[Edit, ...] = (), version: int = 0) -> bool:
        """Do something from a callback; what it refuses is shown at the top of the next draw."""
        try:
            work(current_actor())
        except NexaError as error:
            refused = Refused(self.uuid, error, edits, version)
            if refused.saves_again:
                place = f"{_WAITING}.{self.uuid}"
                st.session_state[place] = refused.behind(st.session_state.get(place))
            else:
                st.session_state[_REFUSED] = refused
            return False
        return True


def opened(page: str) -> Opened | None:
    """The session that the address names, on this page; None where it names none, or none that may be opened yet."""
    actor = current_actor()
    named = st.query_params.get(SESSION)
    if not named:
        return None
    try:
        uuid = UUID(named)
    except ValueError:
        raise Invalid("This address does not name a session. Open one from the list.") from None
    if architecture_sessions.needs_reason(actor, uuid=uuid):
        _ask_why(actor, uuid)
        return None
    here = Opened(actor, architecture_sessions.get(actor, uuid=uuid), page)
    _remember(here)
    _refusal(here)
    _waiting(here)
    return here


def _remember(here: Opened) -> None:
    """Once a visit, not at every rerun: this is what the person opened last."""
    if st.session_state.get(_VISITED) != here.uuid:
        architecture_sessions.opened(here.actor, uuid=here.uuid)
        st.session_state[_VISITED] = here.uuid


def _refusal(here: Opened) -> None:
    """What was not saved, once; for a value that two people changed, both sides and the choice."""
    refused: Refused | None = st.session_state.get(_REFUSED)
    if refused is None:
        return
    if refused.uuid != here.uuid or not isinstance(refused.error, EditConflict):
        st.session_state.pop(_REFUSED)
        with shown_here():
            raise refused.error
        return
    with st.container(border=True):
        st.warning(
            "Somebody changed the same value while you did. Nothing is lost: choose.", icon=":material/sync_problem:"
        )
        for clash in refused.error.clashes:
            mine, theirs = st.columns(2)
            mine.caption("Yours")
            mine.code(_shown(clash.mine), language=None, wrap_lines=True)
            theirs.caption("Theirs, saved already")
            theirs.code(_shown(clash.theirs), language=None, wrap_lines=True)
        with st.container(horizontal=True):
            st.button("Keep mine", type="primary", on_click=_keep_mine, args=(here, refused))
            st.button("Take theirs", on_click=st.session_state.pop, args=(_REFUSED, None))


def _waiting(here: Opened) -> None:
    """What only could not be saved when it was made, until it is saved or given up."""
    waiting: Refused | None = st.session_state.get(place := f"{_WAITING}.{here.uuid}")
    if waiting is None:
        return
    with st.container(border=True):
        st.warning("This could not be saved when you entered it. It is kept here.", icon=":material/cloud_off:")
        st.code("\n".join(map(_said, waiting.edits)), language=None, wrap_lines=True)
        with st.container(horizontal=True):
            st.button("Save again", type="primary", on_click=_save_again, args=(here, place))
            st.button("Give it up", on_click=st.session_state.pop, args=(place, None))


def _save_again(here: Opened, place: str) -> None:
    waiting: Refused = st.session_state.pop(place)
    here.save(*waiting.edits, version=waiting.version)


def _said(edit: Edit) -> str:
    value = {"set": _shown(edit.value), "remove": "removed", "move": "moved"}[edit.op]
    return f"{' / '.join(map(str, edit.path[1:]))}: {value}"


def _keep_mine(here: Opened, refused: Refused) -> None:
    st.session_state.pop(_REFUSED, None)
    assert isinstance(refused.error, EditConflict)
    here.save(*refused.edits, version=refused.error.current_version)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else "Nothing" if value is None else str(value)


def _ask_why(actor: Actor, uuid: UUID) -> None:
    """Somebody of the platform says why they open a customer's documents; the customer can read it."""
    st.title("Why do you open this session?", anchor=False)
    st.caption(
        "These are a customer's documents. Your reason is kept, and the customer can read it. "
        "It opens the session for eight hours."
    )
    with st.form("reason", width=560):
        reason = st.text_input("Reason", max_chars=500, placeholder="Ticket 4711: export fails")
        if st.form_submit_button("Open the session", type="primary"):
            with shown_here():
                architecture_sessions.state_reason(actor, uuid=uuid, reason=reason)
                st.rerun()
