"""Whether sessions may be shared and exported before they are ready: a decision of the organization."""

from __future__ import annotations

import streamlit as st

from nexa_core import architecture_sessions
from nexa_core.actor import Actor
from nexa_core.organizations import OrganizationView
from nexa_core.permissions import Permission
from pages._ui import layout
from pages._ui.errors import shown_here
from pages._ui.notices import saved

_GATES = {
    "off": ("Say nothing", "Sessions are shared and exported as they are."),
    "warn": ("Warn", "Who shares or exports sees first what is not ready."),
    "block": ("Block", "Nothing that has an error is shared or exported; one's own data as JSON always is."),
}


def draw(actor: Actor, organization: OrganizationView) -> None:
    """The choice, for the people of the organization; what it is now for who may not decide it."""
    if organization.id != actor.organization_id or not actor.may(Permission.SESSIONS_READ):
        return
    now = architecture_sessions.readiness_gate(actor)
    if not actor.may(Permission.ORGANIZATION_MANAGE):
        with st.container(border=True):
            st.subheader("Before a session goes out", anchor=False)
            layout.facts({"When it is not ready": _GATES[now][0], "So": _GATES[now][1]})
        return
    with st.form("going-out"):
        st.subheader("Before a session goes out", anchor=False)
        gate = st.radio(
            "When it is not ready for its client",
            list(_GATES),
            index=list(_GATES).index(now),
            format_func=lambda name: _GATES[name][0],
            captions=[meaning for _, meaning in _GATES.values()],
        )
        if st.form_submit_button("Save"):
            with shown_here():
                architecture_sessions.set_readiness_gate(actor, gate=gate)
                saved("The choice is saved")
