"""What a person is told after something went well."""

from __future__ import annotations

from typing import NoReturn

import streamlit as st

_WAITING = "nexa.notices"


def saved(sentence: str) -> NoReturn:
    """Draw the page again as it is now, and say once that it went well."""
    tell(sentence)
    st.rerun()


def tell(sentence: str) -> None:
    """Say once that it went well, on whatever page comes next."""
    st.session_state.setdefault(_WAITING, []).append(sentence)


def deliver() -> None:
    """Show what was said before the rerun; the shell calls this."""
    for sentence in st.session_state.pop(_WAITING, ()):
        st.toast(sentence, icon=":material/check_circle:")
