"""Filters whose values are in the address: a filtered list can be bookmarked, sent and come back to.

Streamlit writes a choice into the address as it reads on screen: ``?status=Past due``, not ``past_due``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages._ui.badges import word


def row(*widths: int) -> Sequence[DeltaGenerator]:
    """Places for filters side by side; on a narrow screen one below the other."""
    return st.columns(widths, vertical_alignment="bottom", gap="small")


def search(place: DeltaGenerator, label: str, *, key: str) -> str:
    """A search box that searches while one types."""
    typed = place.text_input(
        label, key=key, type="search", icon=":material/search:", placeholder="", live="400ms", bind="query-params"
    )
    return (typed or "").strip()


def choice(place: DeltaGenerator, label: str, options: Sequence[str], *, key: str, every: str) -> str | None:
    """One of ``options``, or None for all of them."""
    chosen = place.selectbox(
        label,
        ["", *options],
        key=key,
        format_func=lambda option: word(option) if option else every,
        bind="query-params",
    )
    return chosen if chosen in options else None


def named(place: DeltaGenerator, label: str, options: Mapping[str, str], *, key: str, every: str) -> str | None:
    """One of ``options``, which have names of their own, or None for all of them."""
    chosen = place.selectbox(
        label,
        ["", *options],
        key=key,
        format_func=lambda option: options.get(option, every) if option else every,
        bind="query-params",
    )
    return chosen if chosen in options else None


def flags(place: DeltaGenerator, label: str, options: Mapping[str, str], *, key: str) -> frozenset[str]:
    """Those of ``options`` that are asked for; none asks for nothing."""
    chosen = place.pills(
        label, list(options), selection_mode="multi", key=key, format_func=lambda option: options[option],
        bind="query-params",
    )  # fmt: skip
    return frozenset(chosen) & frozenset(options)


def order(place: DeltaGenerator, options: Mapping[str, str], *, key: str) -> str:
    """What to sort by; the first is the default."""
    names = list(options)
    chosen = place.selectbox("Sort by", names, key=key, format_func=lambda name: options[name], bind="query-params")
    return chosen if chosen in options else names[0]
