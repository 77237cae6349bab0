"""The question why: asked the same way before everything that could hurt."""

from __future__ import annotations

import streamlit as st

from nexa_core.actor import Actor

KEPT = "It is kept in the audit log."


def asked(button: str, *, who_reads: str = KEPT) -> str | None:
    """The reason, once ``button`` was pressed; whether it is one is for the verb to say."""
    with st.form(button, border=False):
        reason = st.text_input("Reason", help=who_reads, max_chars=1000)
        with st.container(horizontal=True):
            pressed = st.form_submit_button(button, type="primary")
            if st.form_submit_button("Cancel", type="tertiary"):
                st.rerun()  # closes the dialog
    return reason if pressed else None


def of_export(actor: Actor, *, key: str) -> tuple[str, bool]:
    """Why one of the platform's people exports a log, and whether that is said; nobody else is asked."""
    if not actor.is_staff:
        return "", True
    reason = st.text_input(
        "Reason for exporting", key=key, max_chars=500, help="Every customer whose log it is can read it."
    )
    return reason, bool(reason.strip())
