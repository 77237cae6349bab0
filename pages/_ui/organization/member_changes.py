"""What can be done with a member: another role, suspend, resume, remove, hand over; and the ways around what cannot."""

from __future__ import annotations

import streamlit as st

from nexa_core import organizations
from nexa_core.actor import Actor
from nexa_core.organizations import MemberView, OrganizationView, Prospect, WaysOut
from pages._ui import badges, current_actor, saved, shown_here
from pages._ui.organization import words
from pages._ui.text import literal

_REASON = "Reason"
_KEPT = "It is kept in the audit log."


def draw(actor: Actor, organization: OrganizationView, member: MemberView) -> None:
    """The role, with what another one would change, and the buttons for everything else."""
    if member.asks_to_join:
        st.info("Asks to be let in. Let in or decline on the tab Domains.", icon=":material/person_raised_hand:")
        return
    if member.status == "pending":
        st.info(
            "Invited, and has not accepted yet. Send again or withdraw on the tab Invitations.", icon=":material/mail:"
        )
        return
    if not words.may_manage(actor, organization.id):
        st.markdown(f"Role: {badges.badge(member.role)}")
        return
    ways = organizations.ways_out(actor, membership_id=member.id, organization_id=organization.id)
    _role(actor, organization, member, ways)
    with st.container(horizontal=True):
        if member.status == "active":
            if member.role == "owner" and st.button("Transfer ownership", icon=":material/swap_horiz:"):
                _transfer(organization, ways)
            if st.button("Suspend", icon=":material/pause_circle:"):
                _suspend(organization, ways)
        elif st.button("Resume", icon=":material/play_circle:"):
            _resume(organization, member)
        if st.button("Remove", icon=":material/person_remove:"):
            _remove(organization, ways)


def prospect(found: Prospect, *, nothing: str = "Nothing would change.") -> None:
    """What would change, before it is done."""
    for icon, color, label, which in (
        ("add_circle", "green", "Gains", found.gained),
        ("remove_circle", "red", "Loses", found.lost),
    ):
        if which:
            names = ", ".join(literal(words.permission(one)) for one in which)
            st.markdown(f":{color}[:material/{icon}:] **{label}:** {names}")
    for note in found.notes:
        st.markdown(f":material/info: {literal(note)}")
    if not (found.gained or found.lost or found.notes):
        st.caption(nothing)


def _role(actor: Actor, organization: OrganizationView, member: MemberView, ways: WaysOut) -> None:
    role = st.selectbox(
        "Role",
        badges.ROLES,
        index=badges.ROLES.index(member.role),
        format_func=badges.word,
        key=f"role-of-{member.id}-{member.role}",
    )
    if role == member.role:
        return
    if ways.is_last_owner:
        _last_owner(organization, ways, "Before the role can change")
        return
    prospect(organizations.what_if(actor, organization_id=organization.id, email=member.email, role=role))
    reason = st.text_input(
        _REASON, help=f"{_KEPT} Needed where an owner or administrator loses rights.", max_chars=1000, key="role-reason"
    )
    if st.button(f"Make {literal(member.full_name or member.email)} {_article(role)}", type="primary"):
        with shown_here():
            organizations.change_role(
                actor, membership_id=member.id, organization_id=organization.id, role=role, reason=reason
            )
            saved(f"The role is {role} now")


def _last_owner(organization: OrganizationView, ways: WaysOut, when: str) -> None:
    """The guide for the last owner, with the transfer in it: dialogs cannot open one another."""
    who = literal(ways.member.full_name or ways.member.email)
    st.warning(
        f"{who} is the only owner of {literal(organization.name)}. {when}, somebody else has to be an owner.",
        icon=":material/key:",
    )
    if not ways.heirs:
        st.markdown("There is no other active member yet: invite the next owner first, on the tab Invitations.")
        return
    _transfer_form(organization, ways)


@st.dialog("Transfer ownership", icon=":material/swap_horiz:")
def _transfer(organization: OrganizationView, ways: WaysOut) -> None:
    if not ways.heirs:
        st.markdown("There is no other active member yet: invite the next owner first, on the tab Invitations.")
        return
    _transfer_form(organization, ways)


def _transfer_form(organization: OrganizationView, ways: WaysOut) -> None:
    people = {heir.email: heir for heir in ways.heirs}
    with st.form("transfer", border=False):
        email = st.selectbox(
            "The new owner", list(people), format_func=lambda address: people[address].full_name or address
        )
        reason = st.text_input(_REASON, help=_KEPT, max_chars=500)
        st.caption(f"{literal(ways.member.full_name or ways.member.email)} becomes an administrator.")
        if st.form_submit_button("Transfer", type="primary"):
            with shown_here():
                organizations.transfer_ownership(
                    current_actor(),
                    from_membership_id=ways.member.id,
                    to_membership_id=people[email].id,
                    organization_id=organization.id,
                    reason=reason,
                )
                saved(f"{people[email].full_name or email} is the owner now")


@st.dialog("Suspend this member?", icon=":material/pause_circle:")
def _suspend(organization: OrganizationView, ways: WaysOut) -> None:
    if ways.is_last_owner:
        _last_owner(organization, ways, "Before they can be suspended")
        return
    st.write("They are signed out of this organization at once, and come back when the membership is resumed.")
    _ask("Suspend", organization, ways.member, organizations.suspend_member, "The membership is suspended")


@st.dialog("Resume this member?", icon=":material/play_circle:")
def _resume(organization: OrganizationView, member: MemberView) -> None:
    st.write("They can sign in to this organization again, with the role they had. It takes one seat.")
    _ask("Resume", organization, member, organizations.resume_member, "The membership is active again")


@st.dialog("Remove this member?", icon=":material/person_remove:", width="medium")
def _remove(organization: OrganizationView, ways: WaysOut) -> None:
    who = literal(ways.member.full_name or ways.member.email)
    if ways.is_last_owner:
        _last_owner(organization, ways, "Before they can be removed")
        return
    if not ways.is_only_organization:
        st.write(f"{who} is signed out of {literal(organization.name)} at once. What they wrote stays.")
        _ask("Remove", organization, ways.member, organizations.remove_member, "The member is removed")
        return
    st.write(f"{who} belongs to no other organization, and everybody belongs to one. What shall become of them?")
    home, pause = "Keep them in a personal organization", "Suspend them here instead"
    choices = [home, pause] if ways.member.status == "active" else [home]
    way = st.radio(
        "Instead",
        choices,
        captions=["Free plan, theirs alone; here they are removed.", "They keep their place and cannot enter."][
            : len(choices)
        ],
        label_visibility="collapsed",
    )
    if way == home:
        _ask(
            "Remove", organization, ways.member, organizations.remove_to_personal_organization, "The member is removed"
        )
    else:
        _ask("Suspend", organization, ways.member, organizations.suspend_member, "The membership is suspended")


def _ask(label: str, organization: OrganizationView, member: MemberView, verb, done: str) -> None:  # type: ignore[no-untyped-def]
    """Ask for the reason, and do it."""
    with st.form("reason", border=False):
        reason = st.text_input(_REASON, help=_KEPT, max_chars=500)
        if st.form_submit_button(label, type="primary", width="stretch"):
            with shown_here():
                verb(current_actor(), membership_id=member.id, organization_id=organization.id, reason=reason)
                saved(done)


def _article(role: str) -> str:
    words_for = {"owner": "an owner", "admin": "an administrator", "billing": "a billing contact"}
    return words_for.get(role, f"a {role}")
