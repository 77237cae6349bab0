"""What a person is told after something went well."""

from __future__ import annotations

from typing import NoReturn

import streamlit as st

from pages._ui.text import literal

_WAITING = "nexa.notices"


def saved(sentence: str) -> NoReturn:
    """Draw the page again as it is now, and say once that it went well."""
    later(sentence)
    st.rerun()


def later(sentence: str) -> None:
    """Say once, on the screen that is opened next, that it went well; no sign in the sentence is Markdown."""
    st.session_state.setdefault(_WAITING, []).append(literal(sentence))


def deliver() -> None:
    """Show what was said before the rerun; the shell calls this."""
    for sentence in st.session_state.pop(_WAITING, ()):
        st.toast(sentence, icon=":material/check_circle:")
