"""Links for clients: make one, see what was said through it, end it; and all living links of the organization."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from nexa_core import architecture_sessions
from nexa_core.actor import Actor
from nexa_core.architecture_sessions import PAGE_TITLES, NewShareLink, ShareLinkView, ShareResponseView
from pages._ui import current_actor, format, layout, menu
from pages._ui.errors import shown_here
from pages._ui.notices import saved
from pages._ui.sessions import beginning, readiness
from pages._ui.sessions.opening import SESSION, Opened
from pages._ui.text import literal

_MADE = "nexa.share.made"
_STATES = {"active": "green", "expired": "gray", "revoked": "red"}


def open_dialog(opened: Opened) -> None:
    """The dialog, without what an earlier one has made."""
    st.session_state.pop(_MADE, None)
    _dialog(opened)


@st.dialog("Share with a client", width="large", icon=":material/share:")
def _dialog(opened: Opened) -> None:
    actor = current_actor()
    with shown_here():
        if opened.may_write:
            going = architecture_sessions.check_readiness(actor, uuid=opened.uuid, draw=False)
            readiness.before_going_out(opened, going)
            if going.blocked is None:
                _making(actor, opened)
        made: NewShareLink | None = st.session_state.get(_MADE)
        if made is not None:
            st.success("The link is made. It is shown this once: copy it now.", icon=":material/link:")
            st.code(made.address, language=None, wrap_lines=True)
        links = architecture_sessions.share_links(actor, uuid=opened.uuid, state=None)
        answers = architecture_sessions.share_responses(actor, uuid=opened.uuid)
        if links:
            st.markdown("**Links of this session**")
        for link in links:
            _line(actor, link, of_session=False)
        _answers(actor, answers)


def _making(actor: Actor, opened: Opened) -> None:
    with st.form("share", border=True):
        label = st.text_input("For whom", max_chars=255, placeholder="Maria, for the review on Friday")
        pages = st.pills(
            "Pages", list(PAGE_TITLES), selection_mode="multi", default=list(PAGE_TITLES),
            format_func=PAGE_TITLES.__getitem__,
        )  # fmt: skip
        left, right = st.columns(2)
        days = left.number_input("Days it lives", 1, 365, 7)
        passcode = right.text_input("Passcode, if you want one", type="password", help="6 characters or more")
        if st.form_submit_button("Make the link", type="primary"):
            st.session_state[_MADE] = architecture_sessions.share(
                actor, uuid=opened.uuid, pages=pages, days=int(days), passcode=passcode or None, label=label
            )
    st.caption(
        f"It shows revision {opened.view.revision} as it is now, whatever is written afterwards. No account is needed."
    )


def _line(actor: Actor, link: ShareLinkView, *, of_session: bool) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        name = link.session_title if of_session else link.label or "Without a name"
        facts = [link.label] if of_session and link.label else []
        facts += [
            f"revision {link.revision}",
            ", ".join(PAGE_TITLES[page] for page in link.pages if page in PAGE_TITLES),
            f"until {format.moment(actor, link.expires_at)}",
            f"{format.number(actor, link.view_count)} views",
            f"{link.approvals} approvals, {link.comments} comments",
            f"by {link.created_by}",
        ]
        lock = " :material/lock:" if link.is_protected else ""
        st.markdown(
            f"**{literal(name)}**{lock} :{_STATES[link.state]}-badge[{link.state}]  \n"
            f":small[:gray[{literal(' · '.join(facts))}]]",
            width="stretch",
        )
        if of_session:
            st.page_link(menu.SOW.page(), label="Open", query_params={SESSION: str(link.session_uuid)})
        if link.state == "active" and beginning.may(actor):
            with st.popover("End", icon=":material/link_off:", type="tertiary"):
                st.markdown("Whoever has the link sees nothing any more, at once.")
                if st.button("End this link", key=f"end-{link.id}", type="primary"):
                    architecture_sessions.revoke_share(current_actor(), link_id=link.id)
                    saved("The link is ended")


def _answers(actor: Actor, answers: Sequence[ShareResponseView]) -> None:
    if not answers:
        return
    st.markdown("**What clients said**")
    for one in answers:
        icon = ":green[:material/check_circle:]" if one.kind == "approval" else ":material/comment:"
        changed = " :orange-badge[changed since]" if one.changed else ""
        st.markdown(
            f"{icon} **{literal(one.title or PAGE_TITLES.get(one.page, one.page))}**{changed}  \n"
            f"{literal(one.comment or '')}  \n:small[:gray[{literal(one.name or one.email or 'A client')} · "
            f"revision {one.revision} · {format.moment(actor, one.created_at)}]]"
        )


def everywhere(actor: Actor) -> None:
    """All links of the organization that a client can follow now."""
    links = architecture_sessions.share_links(actor)
    if not links:
        layout.nothing("link", "No link is alive", "Open a session, then Share.")
    for link in links:
        _line(actor, link, of_session=True)


def way_back() -> None:
    """To the list of sessions."""
    st.page_link(menu.SESSIONS.page(), label="Sessions", icon=":material/arrow_back:")
