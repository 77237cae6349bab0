"""The matrix of one member's permissions: what the role gives, what differs from it, and what that would change."""

from __future__ import annotations

import streamlit as st

from nexa_core import organizations
from nexa_core.actor import Actor
from nexa_core.organizations import MemberView, OrganizationView
from nexa_core.permissions import Permission
from pages._ui import saved, shown_here
from pages._ui.organization import member_changes, words


def draw(actor: Actor, organization: OrganizationView, member: MemberView) -> None:
    """A checkbox for every permission; what differs from the role is an exception, and is shown as one."""
    is_platform = organization.id == actor.organization_id and actor.standing.is_platform
    by_role = words.of_role(member.role, is_platform=is_platform)
    may_change = (
        words.may_manage(actor, organization.id) and member.user_id != actor.user_id and member.status != "pending"
    )
    if member.user_id == actor.user_id:
        st.caption("These are your own permissions; another owner or administrator changes them.")
    allowed: set[Permission] = set()
    with st.grid(2, min_column_width=330):
        for which in words.reachable(member.role, is_platform=is_platform):
            with st.container(
                border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
            ):
                on = st.checkbox(
                    words.permission(which),
                    which in member.permissions,
                    disabled=not may_change,
                    # What was saved is in the key: after a change of role or exceptions the box begins anew.
                    key=f"may-{member.id}-{member.role}-{which.value}-{which in member.permissions}",
                    help=which.value,
                )
                st.markdown(_origin(which in by_role, on), width="content")
            if on:
                allowed.add(which)
    grant = {which.value for which in allowed - by_role}
    deny = {which.value for which in by_role - allowed}
    if (grant, deny) == (set(member.grant), set(member.deny)) or not may_change:
        return
    _save(actor, organization, member, grant, deny)


def _save(actor: Actor, organization: OrganizationView, member: MemberView, grant: set[str], deny: set[str]) -> None:
    """What the ticks would change, and the button that does it."""
    member_changes.prospect(
        organizations.what_if(actor, organization_id=organization.id, email=member.email, grant=grant, deny=deny),
        nothing="What they may do would not change, only the exceptions that are kept.",
    )
    with st.form("exceptions", border=False):
        reason = st.text_input("Reason", help="It is kept in the audit log.", max_chars=500)
        if st.form_submit_button("Save exceptions", type="primary"):
            with shown_here():
                organizations.set_permissions(
                    actor,
                    membership_id=member.id,
                    organization_id=organization.id,
                    grant=grant,
                    deny=deny,
                    reason=reason,
                )
                saved(f"What {member.full_name or member.email} may do is saved")


def _origin(by_role: bool, on: bool) -> str:
    if by_role:
        return ":gray-badge[From the role]" if on else ":red-badge[Denied]"
    return ":green-badge[Granted]" if on else ":gray-badge[Not in the role]"
