"""Two states of a session side by side, page by page: what is new, what is gone, what reads differently."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from typing import Any

import streamlit as st

from nexa_core.architecture_sessions import PAGE_TITLES, Difference
from pages._ui.text import literal

_WORDS = {
    "added": ":green-badge[new]",
    "removed": ":red-badge[gone]",
    "changed": ":blue-badge[changed]",
    "moved": ":gray-badge[moved]",
}
_MOST = 120


def draw(sentences: Sequence[str], differences: Sequence[Difference]) -> None:
    """What differs, in sentences first, then place by place."""
    if not differences:
        st.caption("Nothing differs.")
        return
    st.markdown("\n".join(f"- {literal(sentence)}" for sentence in sentences[:12]))
    pages = [page for page in PAGE_TITLES if any(one.page == page for one in differences)]
    only = (
        st.pills("Only", pages, selection_mode="multi", format_func=PAGE_TITLES.__getitem__, key="nexa-differing")
        if len(pages) > 1
        else []
    )
    for page in only or pages:
        here = [one for one in differences if one.page == page]
        title = PAGE_TITLES[page]
        with st.expander(f"{title}: {_places(len(here))}", expanded=bool(only) or len(differences) <= 12):
            for one in here[:_MOST]:
                _one(one)
            if len(here) > _MOST:
                st.caption(f"The first {_MOST} of {len(here):,}.")


def _places(count: int) -> str:
    return "1 place" if count == 1 else f"{count:,} places"


def _one(one: Difference) -> None:
    st.markdown(f"{_WORDS[one.what]} **{literal(one.label)}** :gray[{literal(' › '.join(one.path[1:]))}]")
    if one.what == "moved":
        return
    before, after = _text(one.before), _text(one.after)
    if len(before) + len(after) < 80 and "\n" not in before + after:
        st.markdown(f":small[{literal(before) or '–'} → {literal(after) or '–'}]")
    else:
        st.code(_lines(before, after), language="diff", wrap_lines=True)


def _lines(before: str, after: str) -> str:
    """Two texts as one in the notation of patches, which the browser colours."""
    found = difflib.unified_diff(before.splitlines(), after.splitlines(), n=2, lineterm="")
    return "\n".join(line for line in list(found)[2:] if not line.startswith("@@"))


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, indent=1, ensure_ascii=False)
