"""Pages of a long list by keyset: forward by the cursor of the last row, back by the cursors already seen."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

_AFTER = "after"


@dataclass(frozen=True, slots=True)
class Pager:
    """Where a list is. The cursor is in the address, so a page of a list can be sent to somebody; not in a dialog."""

    key: str
    trail: tuple[str | None, ...]
    in_address: bool = True

    @property
    def after(self) -> str | None:
        return self.trail[-1]

    def draw(self, *, shown: int, next_cursor: str | None, back: str = "Previous", on: str = "Next") -> None:
        """The two buttons, and which page this is; nothing when everything is on one page."""
        if next_cursor is None and self.after is None:
            return
        with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
            st.caption(f"Page {len(self.trail)}, {shown} shown", width="content")
            st.button(
                back,
                icon=":material/chevron_left:",
                disabled=len(self.trail) < 2,
                on_click=_go,
                args=(self, self.trail[:-1]),
            )
            st.button(
                on,
                icon=":material/chevron_right:",
                icon_position="right",
                disabled=next_cursor is None,
                on_click=_go,
                args=(self, (*self.trail, next_cursor)),
            )


def pager(key: str, *filters: object, in_address: bool = True) -> Pager:
    """Where the list ``key`` is; a change of its ``filters`` starts again at the first page.

    A list in a dialog stands on a screen whose address is about something else: ``in_address=False``.
    """
    state = f"nexa.pager.{key}"
    known, trail = st.session_state.get(state, (filters, (None,)))
    if known != filters:
        trail = (None,)
    if in_address:
        if known != filters:
            st.query_params.pop(_AFTER, None)
        # The address decides: it may have been opened from a link, or been left and come back to.
        after = st.query_params.get(_AFTER) or None
        if after != trail[-1]:
            trail = trail[: trail.index(after) + 1] if after in trail else (None, after)
    st.session_state[state] = (filters, trail)
    return Pager(key, trail, in_address)


def _go(pager: Pager, trail: tuple[str | None, ...]) -> None:
    state = f"nexa.pager.{pager.key}"
    st.session_state[state] = (st.session_state[state][0], trail)
    if not pager.in_address:
        return
    if trail[-1]:
        st.query_params[_AFTER] = trail[-1]
    else:
        st.query_params.pop(_AFTER, None)
