"""The health strip: how the organization is doing, and what is wrong in a sentence each."""

from __future__ import annotations

import streamlit as st

from nexa_core import organizations
from nexa_core.actor import Actor
from nexa_core.permissions import Permission
from pages._ui import format
from pages._ui.text import literal


def draw(actor: Actor, organization: organizations.OrganizationView) -> None:
    """The figures, then the faults, most urgent first."""
    found = organizations.health(actor, organization=organization)
    figures: list[tuple[str, str, str, str]] = [
        ("Owners", format.number(actor, found.owners), "", "Owners who can sign in"),
        (
            "Seats", format.number(actor, found.seats_taken), _of(actor, found.seats),
            "Active members, of the seats there are",
        ),
        ("Last activity", format.ago(actor, organization.last_activity), "", "The last day something was used"),
        ("Invitations", format.number(actor, found.pending_invitations), "", "Waiting for an answer"),
        ("Domains", format.number(actor, found.unverified_domains), "", "Claimed, and not proven yet"),
    ]  # fmt: skip
    with st.grid(len(figures) + 1, min_column_width=125):
        if actor.may(Permission.USAGE_READ):
            st.metric(
                "Credits",
                format.number(actor, organization.credits_used),
                _of(actor, organization.credits_allowance),
                delta_color="off",
                delta_arrow="off",
                help="Used of the allowance of this period; the line is the last four weeks, a day a point",
                chart_data=list(found.trend) or None,
                border=True,
                height="stretch",
            )
        for label, value, of, meaning in figures:
            st.metric(
                label, value, of or None, delta_color="off", delta_arrow="off", help=meaning, border=True,
                height="stretch",
            )  # fmt: skip
    if found.faults:
        lines = [f":orange[:material/warning:] {literal(fault)}" for fault in found.faults]
        with st.container(border=True, gap="xsmall"):
            st.markdown("  \n".join(lines))
    else:
        st.markdown(":green[:material/check_circle:] Nothing is wrong with this organization.")


def _of(actor: Actor, limit: int | None) -> str:
    return "no limit" if limit is None else f"of {format.number(actor, limit)}"
