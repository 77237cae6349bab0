"""Choosing one of more than a list can hold: looked for among all there are while one types, never in a first page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import streamlit as st

from pages._ui.text import literal


@dataclass(frozen=True, slots=True)
class Option:
    """What can be chosen: its word in an address, its name, and what tells it from another of this name."""

    word: str
    name: str
    detail: str


def typeahead(
    label: str,
    find: Callable[[str], Iterable[Option]],
    choose: Callable[[str], None],
    *,
    key: str,
    nothing: str,
) -> None:
    """A field and, below it, what ``find`` has for what is typed; a click hands its word to ``choose``."""
    field = f"{key}-typed"
    typed = st.text_input(label, key=field, type="search", live="400ms", placeholder="", autocomplete="off")
    found = list(find(typed)) if typed else []

    def take(word: str) -> None:
        st.session_state[field] = ""
        choose(word)

    for one in found:
        st.button(
            f"{literal(one.name)} :small[:gray[{literal(one.detail)}]]",
            key=f"{key}-{one.word}",
            type="tertiary",
            on_click=take,
            args=(one.word,),
        )
    if typed and not found:
        st.caption(nothing)


def in_address(
    label: str, find: Callable[[str], Iterable[Option]], *, chosen: str | None, parameter: str, nothing: str
) -> None:
    """The choice that the address has under ``parameter``: the name of what is ``chosen``, which a click takes away,
    or the field to choose with."""
    if chosen is None:
        typeahead(label, find, lambda word: st.query_params.update({parameter: word}), key=parameter, nothing=nothing)
        return
    st.button(
        f"{label}: {literal(chosen)}",
        key=f"{parameter}-chosen",
        icon=":material/close:",
        icon_position="right",
        help="Take this choice away",
        on_click=st.query_params.pop,
        args=(parameter, None),
    )
