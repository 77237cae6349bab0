"""The tab of invitations: invite one or many, and the board of what became of every invitation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from nexa_core import organizations
from nexa_core.actor import Actor
from nexa_core.organizations import InvitationView, OrganizationView, Verdict
from pages._ui import badges, current_actor, filters, format, layout, saved, shown_here
from pages._ui.organization import words
from pages._ui.text import literal

_LINES = 50
_STATE_WORDS = {
    "sent": "Sent",
    "opened": "Opened",
    "accepted": "Accepted",
    "expired": "Expired",
    "revoked": "Withdrawn",
}
#: What somebody has to look after comes first.
_URGENT = ("expired", "opened", "sent")
_VERDICT_COLORS = {
    "new": "green",
    "invited": "blue",
    "asks to join": "blue",
    "member": "gray",
    "suspended": "orange",
    "over limit": "red",
    "twice": "gray",
    "bad address": "red",
}
_FORM, _STATE = "nexa.invite.form", "invitation-state"


def draw(actor: Actor, organization: OrganizationView) -> None:
    """The form for those who may invite, and the board."""
    may_manage = words.may_manage(actor, organization.id)
    if may_manage:
        with st.expander("Invite people", icon=":material/person_add:", expanded=False):
            _invite(actor, organization)
    _board(actor, organization, may_manage)


def _invite(actor: Actor, organization: OrganizationView) -> None:
    """Paste or upload, see a verdict for every line, then send. A new form stands here after it was sent."""
    number = st.session_state.get(_FORM, 0)
    left, right = st.columns([3, 2])
    text = left.text_area(
        "E-mail addresses",
        placeholder="ada@example.com\nGrace Hopper <grace@example.com>, viewer",
        help="One or several a line; a role beside an address goes before the one chosen here.",
        height=150,
        key=f"invite-text-{number}",
    )
    uploaded = left.file_uploader("Or a CSV file", type=["csv", "txt"], max_upload_size=1, key=f"invite-file-{number}")
    role = right.selectbox(
        "Role of those without one", badges.ROLES, index=badges.ROLES.index("member"), format_func=badges.word
    )
    message = right.text_area(
        "Message (optional)", max_chars=1000, height=110, key=f"invite-message-{number}", help="Stands in the mail."
    )
    right.caption("The mail has a link that is good for seven days and works once, for this address alone.")
    if uploaded is not None:
        # A spreadsheet marks the beginning of its file; and alone, its lines are numbered as they are in it.
        lines = uploaded.getvalue().decode("utf-8-sig", "replace")
        text = f"{text}\n{lines}" if text.strip() else lines
    if not text.strip():
        return
    with shown_here():
        verdicts = organizations.check_invitations(actor, organization_id=organization.id, people=text, role=role)
        _verdicts(verdicts)
        count = sum(verdict.verdict == "new" for verdict in verdicts)
        people = "1 person" if count == 1 else f"{count} people"
        if st.button(f"Invite {people}", type="primary", disabled=not count, icon=":material/send:"):
            sent = organizations.invite(
                actor, organization_id=organization.id, people=text, role=role, message=message or ""
            )
            st.session_state[_FORM] = number + 1
            st.session_state[_STATE] = "sent"  # the board below, not drawn yet, shows what was just sent
            done = sum(verdict.invitation_id is not None for verdict in sent)
            saved(f"{done} invitation{'' if done == 1 else 's'} on the way")


def _verdicts(verdicts: Sequence[Verdict]) -> None:
    options = [badges.word(verdict) for verdict in organizations.VERDICTS]
    st.dataframe(
        {
            "Line": [verdict.line for verdict in verdicts],
            "Address": [verdict.email or verdict.text for verdict in verdicts],
            "Role": [[badges.word(verdict.role)] for verdict in verdicts],
            "Verdict": [[badges.word(verdict.verdict)] for verdict in verdicts],
            "What happens": [verdict.sentence for verdict in verdicts],
        },
        column_config={
            "Line": st.column_config.NumberColumn(width=55),
            "Role": badges.column("Role", badges.ROLES),
            "Verdict": st.column_config.MultiselectColumn(
                options=options, color=[_VERDICT_COLORS[verdict] for verdict in organizations.VERDICTS], width=115
            ),
        },
        hide_index=True,
        height="content" if len(verdicts) < 9 else 318,
        alt="What inviting each line would do",
    )


def _board(actor: Actor, organization: OrganizationView, may_manage: bool) -> None:
    """How many are where, and the ones of the chosen state."""
    every = organizations.invitations(actor, organization_id=organization.id)
    if not every:
        layout.nothing("mail", "Nobody has been invited yet")
        return
    counts = Counter(invitation.state for invitation in every)
    left, right = filters.row(3, 2)
    with left:
        state = st.segmented_control(
            "State",
            organizations.STATES,
            format_func=lambda one: f"{_STATE_WORDS[one]} {counts[one]}",
            default=next((one for one in _URGENT if counts[one]), "accepted"),
            required=True,
            key=_STATE,
            wrap=True,
        )
    text = filters.search(right, "Search invitations by address", key="invited").lower()
    found = [one for one in every if one.state == state and text in one.email]
    if not found:
        layout.nothing("search_off" if text else "inbox", "No invitation is here")
        return
    for invitation in found[:_LINES]:
        _line(actor, organization, invitation, may_manage)
    if len(found) > _LINES:
        st.caption(f"The newest {_LINES} of {len(found)}; search to see others.")


def _line(actor: Actor, organization: OrganizationView, invitation: InvitationView, may_manage: bool) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(
            f"**{literal(invitation.email)}** {badges.badge(invitation.role)}  \n"
            f":small[:gray[{_story(actor, invitation)}]]",
            width="content",
        )
        if not may_manage or invitation.state in ("accepted", "revoked"):
            return
        with st.container(horizontal=True, width="content"):
            if st.button("Send again", key=f"resend-{invitation.id}", icon=":material/forward_to_inbox:"):
                with shown_here():
                    organizations.resend_invitation(actor, organization_id=organization.id, invitation_id=invitation.id)
                    saved("A new link is on its way; the one before no longer works")
            if st.button("Copy link", key=f"copy-{invitation.id}", icon=":material/link:"):
                _copy(organization, invitation)
            if st.button("Withdraw", key=f"revoke-{invitation.id}", icon=":material/undo:"):
                _withdraw(organization, invitation)


def _story(actor: Actor, one: InvitationView) -> str:
    parts = [f"invited by {literal(one.invited_by or 'NEXA')} {format.ago(actor, one.invited_at)}"]
    if one.opened_at and one.state in ("opened", "expired"):
        parts.append(f"opened {format.ago(actor, one.opened_at)}")
    if one.state in ("sent", "opened"):
        parts.append(f"good until {format.moment(actor, one.expires_at)}")
    elif one.state == "expired":
        parts.append(f"expired {format.ago(actor, one.expires_at)}")
    elif one.state == "accepted":
        parts.append(f"accepted {format.ago(actor, one.accepted_at)}")
    else:
        parts.append(f"withdrawn {format.ago(actor, one.revoked_at)}")
    return " · ".join(parts)


@st.dialog("A link to hand over", icon=":material/link:", width="medium")
def _copy(organization: OrganizationView, invitation: InvitationView) -> None:
    """A dialog reruns by itself: the link is made by a click in it, not by its being open."""
    st.write(
        f"This makes a new link for {literal(invitation.email)}. The one that was mailed stops working. "
        "Whoever has the link can accept in their name, so hand it to nobody else."
    )
    if st.button("Make the link", type="primary"):
        with shown_here():
            link = organizations.copy_invitation_link(
                current_actor(), organization_id=organization.id, invitation_id=invitation.id
            )
            st.code(link, language=None, wrap_lines=True)


@st.dialog("Withdraw this invitation?", icon=":material/undo:")
def _withdraw(organization: OrganizationView, invitation: InvitationView) -> None:
    st.write(f"The link {literal(invitation.email)} has stops working at once. They can be invited anew.")
    if st.button("Withdraw the invitation", type="primary", width="stretch"):
        with shown_here():
            organizations.revoke_invitation(
                current_actor(), organization_id=organization.id, invitation_id=invitation.id
            )
            saved("The invitation is withdrawn")
