"""The list of sessions: as a table or as cards, with what was found in them, what is at hand, and the saved views."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from nexa_core import architecture_sessions
from nexa_core.actor import Actor, Scope
from nexa_core.architecture_sessions import Filter, SessionLine
from pages._ui import format, layout, menu, tables
from pages._ui.errors import shown_here
from pages._ui.notices import saved
from pages._ui.sessions import narrowing
from pages._ui.sessions.opening import SESSION
from pages._ui.text import literal

_AT_HAND = 6


def view() -> str:
    """Table or cards; the address says which."""
    chosen: str | None = st.segmented_control(
        "View", ["Table", "Cards"], default="Table", required=True, key="view", bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
    return chosen or "Table"


def open_session(line: SessionLine) -> None:
    """Go to a session's first page."""
    st.switch_page(menu.STRUCTURING.page(), query_params={SESSION: str(line.uuid)})


def rows(actor: Actor, lines: Sequence[SessionLine], *, cards: bool) -> tuple[SessionLine, ...]:
    """The sessions; those that are ticked. A click on a row opens it."""
    several = actor.scope is not Scope.TENANT
    if cards:
        _cards(actor, lines, several)
        return ()
    clicked, ticked = tables.sessions(actor, lines, several=several)
    if clicked is not None:
        open_session(clicked)
    return ticked


def _cards(actor: Actor, lines: Sequence[SessionLine], several: bool) -> None:
    with st.grid(3, min_column_width=290):
        for line in lines:
            with st.container(border=True, height="stretch", gap="xsmall"):
                pin = ":material/keep: " if line.is_pinned else ""
                st.page_link(
                    menu.STRUCTURING.page(), label=f"{pin}**{literal(line.title)}**",
                    query_params={SESSION: str(line.uuid)},
                )  # fmt: skip
                facts = [line.organization_name] if several else []
                facts += [line.client or "No client", line.author_name]
                st.caption(f"{' · '.join(literal(fact) for fact in facts)}  \n{format.ago(actor, line.updated_at)}")
                if line.snippet:
                    st.markdown(found_words(line))
                done, total = (sum(getattr(one, name) for one in line.progress) for name in ("done", "total"))
                if total:
                    st.progress(done / total, text=f":small[{done} of {total} parts complete]")
                marks = [":violet-badge[template]"] if line.is_template else []
                marks += [f":gray-badge[{literal(tag)}]" for tag in line.tags[:5]]
                if line.broken_diagrams:
                    marks.append(f":red-badge[{line.broken_diagrams} broken diagrams]")
                if marks:
                    st.markdown(" ".join(marks))


def found_words(line: SessionLine) -> str:
    """The words around a find, with the find marked."""
    return (
        ":small[…"
        + "".join(
            f":yellow-background[{literal(piece)}]" if is_find else literal(piece) for piece, is_find in line.snippet
        )
        + "…]"
    )


def at_hand(actor: Actor) -> None:
    """What the person opened last, and what they pinned."""
    recent = architecture_sessions.recent(actor, limit=_AT_HAND)
    pinned = architecture_sessions.pinned(actor, limit=_AT_HAND)
    if not recent and not pinned:
        return
    left, right = st.columns(2, gap="medium")
    for place, title, lines in ((left, "Opened last", recent), (right, "Pinned", pinned)):
        with place, st.container(border=True, gap="xsmall", height="stretch"):
            st.markdown(f"**{title}**")
            for line in lines:
                st.page_link(
                    menu.STRUCTURING.page(), label=f"{literal(line.title)} :gray[{literal(line.client or '')}]",
                    query_params={SESSION: str(line.uuid)},
                )  # fmt: skip
            if not lines:
                st.caption("Nothing yet.")


def saved_views(actor: Actor, wanted: Filter, sort: str) -> None:
    """Views under a name: one's own and those that colleagues share."""
    if actor.scope is Scope.PRESENTER:
        return
    views = architecture_sessions.saved_views(actor)
    with st.popover("Views", icon=":material/bookmarks:"):
        for one in views:
            with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
                with st.container():
                    narrowing.link(one.name, narrowing.address_of(actor, one.filters.wanted, one.filters.sort))
                if one.is_shared:
                    st.markdown(":blue-badge[shared]", width="content")
                if one.is_mine:
                    other = "Keep to myself" if one.is_shared else "Share"
                    if st.button(other, key=f"share-{one.id}", type="tertiary"):
                        architecture_sessions.share_view(actor, view_id=one.id, is_shared=not one.is_shared)
                        st.rerun()
                    if st.button("Remove", key=f"drop-{one.id}", type="tertiary"):
                        architecture_sessions.remove_view(actor, view_id=one.id)
                        saved("The view is removed")
        if not views:
            st.caption("No view yet: set filters or an order, then keep them under a name.")
        with st.form("save-view", border=False):
            name = st.text_input("Keep these filters and this order as", max_chars=100)
            shared_too = st.checkbox("For everybody in the organization")
            if st.form_submit_button("Keep"):
                with shown_here():
                    architecture_sessions.save_view(actor, name=name, wanted=wanted, sort=sort, is_shared=shared_too)
                    saved("The view is kept")


def nothing(wanted: Filter) -> None:
    """What stands where the list would be, and why."""
    if wanted.deleted:
        layout.nothing("delete", "The trash is empty", "What is moved there can be restored for 90 days.")
    elif wanted != Filter():
        layout.nothing("search_off", "No session fits", "Change the search or a filter above.")
    else:
        layout.nothing("draw", "There is no session yet", "Begin with “New session” above, or from a template.")
