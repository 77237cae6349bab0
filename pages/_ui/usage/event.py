"""One usage event: all that is known about it and, for who may, its credits given back."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from nexa_core import usage
from nexa_core.actor import Actor
from nexa_core.billing.reports import Burn, Event
from nexa_core.permissions import Permission
from pages._ui import current_actor, format, layout, saved, shown_here
from pages._ui.usage import words

_OPENED = "nexa.event"
_REFUND = "nexa.refund"


def key_of(event: Event) -> str:
    """What names an event, as a person reads it: a refund carries the identifier of what it gives back."""
    return "An event that was given back" if event.source == _REFUND else event.idempotency_key


def open_next(event: Event) -> None:
    """For a callback: the event is opened when the screen is drawn again, once."""
    st.session_state[_OPENED] = event.id


def open_clicked(actor: Actor, seen: Burn, rows: Sequence[Event]) -> None:
    """Open the event that was clicked, if one was."""
    wanted = st.session_state.pop(_OPENED, None)
    found = next((row for row in rows if row.id == wanted), None)
    if found is not None:
        _event(actor, seen, found)


@st.dialog("Usage event", icon=":material/receipt_long:", width="medium")
def _event(actor: Actor, seen: Burn, event: Event) -> None:
    at = event.occurred_at.astimezone(format.zone(seen.time_zone))
    layout.facts(
        {
            f"Time ({seen.time_zone})": f"{format.day(actor, at.date())}, {at:%H:%M:%S}",
            "Type": words.event_type(event.event_type),
            "Credits": format.number(actor, event.credits),
            "Person": event.person or "A program",
            "Session": event.title or (f"Session {event.session_id}" if event.session_id else None),
            "Source": event.source,
            "Key": key_of(event),
        }
    )
    if actor.may(Permission.ORGANIZATIONS_MANAGE) and event.credits > 0:
        _refund(actor, seen, event)


def _refund(actor: Actor, seen: Burn, event: Event) -> None:
    with st.expander("Give credits back", icon=":material/undo:"):
        st.caption(
            "It becomes an event of its own with negative credits in the month that runs now, and stays in the audit "
            "log. An event is given back once; it cannot be taken back."
        )
        with st.form("refund", border=False):
            given = st.number_input(
                "Credits", 1, event.credits, event.credits, step=1,
                help=f"All {format.number(actor, event.credits)} or fewer",
            )  # fmt: skip
            reason = st.text_input("Reason", help="It is kept in the audit log.")
            if st.form_submit_button("Give back", type="primary", width="stretch"):
                with shown_here():
                    done = usage.refund(
                        current_actor(), organization_id=seen.organization_id, event_id=event.id, reason=reason,
                        credits=int(given),
                    )  # fmt: skip
                    saved(
                        f"{format.number(actor, int(given))} credits are given back"
                        if done.inserted
                        else "These credits were given back before"
                    )
