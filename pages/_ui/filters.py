"""Filters whose values are in the address: a filtered list can be bookmarked, sent and come back to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import streamlit as st

from pages._ui.badges import word


@contextmanager
def row() -> Iterator[None]:
    """Filters side by side; they wrap on a narrow screen."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        yield


def search(label: str, *, key: str) -> str:
    """A search box that searches while one types."""
    return (
        st.text_input(label, key=key, type="search", icon=":material/search:", live="400ms", width=300, bind="query-params") or ""
    ).strip()


def choice(label: str, options: Sequence[str], *, key: str, every: str) -> str | None:
    """One of ``options``, or None for all of them."""
    chosen = st.selectbox(
        label, ["", *options], key=key, format_func=lambda option: word(option) if option else every, width=180, bind="query-params"
    )
    return chosen or None


def order(options: Mapping[str, str], *, key: str) -> str:
    """What to sort by; the first is the default."""
    names = list(options)
    chosen = st.selectbox("Sort by", names, key=key, format_func=lambda name: options[name], width=190, bind="query-params")
    return chosen if chosen in options else names[0]
