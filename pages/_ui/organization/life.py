"""Suspend, resume, delete and restore: each says what it does and asks why."""

from __future__ import annotations

import streamlit as st

from nexa_core import organizations
from nexa_core.actor import Actor
from nexa_core.permissions import Permission
from pages._ui import current_actor
from pages._ui.errors import shown_here
from pages._ui.notices import saved
from pages._ui.reasons import KEPT, asked
from pages._ui.text import literal

View = organizations.OrganizationView


def draw(actor: Actor, organization: View) -> None:
    """The buttons that fit the state of a customer, for who may use them."""
    if organization.is_platform or not actor.may(Permission.ORGANIZATIONS_MANAGE):
        return
    with st.container(horizontal=True, gap="small"):
        if organization.status == "active" and st.button("Suspend …", icon=":material/pause_circle:"):
            suspend(organization)
        if organization.status == "suspended" and st.button("Resume …", icon=":material/play_circle:"):
            resume(organization)
        if organization.status == "deleted":
            if st.button("Restore …", icon=":material/restore_from_trash:"):
                restore(organization)
        elif st.button("Delete …", icon=":material/delete:"):
            delete(organization)


@st.dialog("Suspend this organization?", icon=":material/pause_circle:")
def suspend(organization: View) -> None:
    st.write(f"The people of **{literal(organization.name)}** are signed out at once and cannot sign in to it.")
    reason = asked("Suspend")
    if reason is not None:
        with shown_here():
            organizations.suspend(current_actor(), organization_id=organization.id, reason=reason)
            saved("The organization is suspended")


@st.dialog("Resume this organization?", icon=":material/play_circle:")
def resume(organization: View) -> None:
    st.write(f"The people of **{literal(organization.name)}** can sign in to it again.")
    reason = asked("Resume")
    if reason is not None:
        with shown_here():
            organizations.resume(current_actor(), organization_id=organization.id, reason=reason)
            saved("The organization is active again")


@st.dialog("Delete this organization?", icon=":material/delete:", width="medium")
def delete(organization: View) -> None:
    with shown_here():
        after = organizations.consequences_of_deletion(current_actor(), organization_id=organization.id)
        st.markdown("**What stops**  \n" + "  \n".join(f":material/block: {literal(line)}" for line in after.stops))
        st.markdown(
            "**What stays**  \n" + "  \n".join(f":material/inventory_2: {literal(line)}" for line in after.stays)
        )
        with st.form("delete", border=False):
            typed = st.text_input(f"Type {organization.slug} to confirm", autocomplete="off")
            reason = st.text_input("Reason", help=KEPT)
            if st.form_submit_button("Delete", type="primary", width="stretch"):
                organizations.delete(
                    current_actor(), organization_id=organization.id, confirmation=typed, reason=reason
                )
                saved("The organization is deleted")


@st.dialog("Restore this organization?", icon=":material/restore_from_trash:")
def restore(organization: View) -> None:
    st.write(f"**{literal(organization.name)}** comes back as it was, with its people, sessions and usage.")
    reason = asked("Restore")
    if reason is not None:
        with shown_here():
            organizations.restore(current_actor(), organization_id=organization.id, reason=reason)
            saved("The organization is restored")
