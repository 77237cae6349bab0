"""The tab of members: who they are, and for the one that is chosen, what can be changed and why."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from nexa_core import organizations
from nexa_core.actor import Actor
from nexa_core.organizations import MemberView, OrganizationView
from pages._ui import badges, filters, format, layout, tables
from pages._ui.audit import address
from pages._ui.organization import access, member_changes, permission_matrix, words
from pages._ui.text import literal

_TABLE, CHOSEN, PART = "members", "member-chosen", "member-part"
PARTS = ["Role and state", "Permissions", "Why can or can't"]


def draw(actor: Actor, organization: OrganizationView) -> None:
    """The list with its filters, and the person that was clicked."""
    left, middle, right = filters.row(4, 2, 2)
    text = filters.search(left, "Search members by name or address", key="member")
    role = filters.choice(middle, "Role", badges.ROLES, key="role", every="Every role")
    status = filters.choice(right, "Member status", badges.MEMBER_STATUSES, key="member-status", every="Every status")
    found = organizations.members(actor, organization_id=organization.id, text=text, role=role, status=status)
    if not found:
        filtered = bool(text or role or status)
        layout.nothing(
            "search_off" if filtered else "group_off",
            "No member fits" if filtered else "Nobody is a member yet",
            "Change the search or a filter above." if filtered else "Invite people on the tab beside this one.",
        )
        return
    _table(actor, found)
    member = _chosen(found)
    if member is None:
        st.caption("Click a row, or choose a person, to see and change what they may do.")
    else:
        _member(actor, organization, member)


def _table(actor: Actor, found: Sequence[MemberView]) -> None:
    st.dataframe(
        {
            "Name": [row.full_name or "–" for row in found],
            "E-mail address": [row.email for row in found],
            "Role": [[badges.word(row.role)] for row in found],
            "Status": [[badges.word(row.status)] for row in found],
            "Rights": [len(row.permissions) if row.status == "active" else 0 for row in found],
            "Exceptions": [len(row.grant | row.deny) or None for row in found],
            "Joined": [row.joined_at.date() if row.joined_at else None for row in found],
            "Last active": [format.ago(actor, row.last_active_at) for row in found],
        },
        column_config={
            "Name": st.column_config.TextColumn(width=145),
            "E-mail address": st.column_config.TextColumn(width=200),
            "Role": badges.column("Role", badges.ROLES),
            "Status": badges.column("Status", badges.MEMBER_STATUSES),
            "Rights": st.column_config.NumberColumn(help="Permissions in effect", width=60),
            "Exceptions": st.column_config.NumberColumn(help="Granted or denied beside the role", width=80),
            "Joined": st.column_config.DateColumn(format=format.day_pattern(actor), width=100),
        },
        key=_TABLE,
        hide_index=True,
        height="content" if len(found) < 12 else 423,
        placeholder="–",
        alt="Members with role, status, permissions in effect, exceptions and last activity",
        on_select=lambda: _clicked([row.email for row in found]),
        selection_mode="single-cell",
    )


def _clicked(addresses: Sequence[str]) -> None:
    address = tables.clicked(st.session_state[_TABLE].selection.cells, addresses)
    if address is not None:
        st.session_state[CHOSEN] = address


def _chosen(found: Sequence[MemberView]) -> MemberView | None:
    """The person below the table; chosen by address, because a row's place changes with what is changed."""
    people = {row.email: row for row in found}
    email = st.selectbox(
        "Person",
        list(people),
        index=None,
        key=CHOSEN,
        format_func=lambda address: (
            f"{people[address].full_name} ({address})" if address in people and people[address].full_name else address
        ),
        placeholder="Choose a person",
    )
    return people.get(email) if email else None


def _member(actor: Actor, organization: OrganizationView, member: MemberView) -> None:
    with st.container(border=True):
        states = [member.role, member.status]
        states += [member.account_status] if member.account_status not in (member.status, "active") else []
        with st.container(gap="xxsmall"):
            st.subheader(literal(member.full_name or member.email), anchor=False)
            st.markdown(" ".join(badges.badge(state) for state in states))
        part = st.segmented_control(
            "Part", PARTS, default=PARTS[0], required=True, key=PART, label_visibility="collapsed"
        )
        if part == PARTS[1]:
            permission_matrix.draw(actor, organization, member)
        elif part == PARTS[2]:
            access.draw(actor, organization, member)
        else:
            member_changes.draw(actor, organization, member)
        address.everything_about("membership", member.id, "Everything about this membership")
    if not words.may_manage(actor, organization.id):
        st.caption(f"You may look, not change. {literal(_who_may(organization))}")


def _who_may(organization: OrganizationView) -> str:
    return f"An owner or administrator of {organization.name} may."
