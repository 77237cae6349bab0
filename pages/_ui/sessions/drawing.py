"""A diagram's picture, and where its text cannot be read."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from nexa_core.architecture_sessions import diagrams
from pages._ui.text import literal


def preview(language: str, text: str, title: str) -> None:
    """The picture at once, and a second later, for a text that cannot be read, the line and what is wrong with it."""
    st.caption("Preview")
    with st.container(border=True):
        if not text.strip():
            st.markdown(":gray[Nothing is drawn yet.]")
            return
        place = st.empty()
        if language == "dot" or diagrams.is_drawn(text):
            _show(place, language, text, title, diagrams.check(text, language))
        else:
            place.mermaid_chart(text, alt=title or None)
            if (fault := diagrams.check(text, language)) is not None:
                _show(place, language, text, title, fault)


def _show(place: DeltaGenerator, language: str, text: str, title: str, fault: diagrams.DiagramFault | None) -> None:
    if fault is not None:
        with place.container():
            where = f"**Line {fault.line}.** " if fault.line else ""
            st.warning(f"{where}{literal(fault.sentence)}", icon=":material/error:")
            if fault.line:
                st.code("\n".join(text.splitlines()[max(0, fault.line - 2) : fault.line]), language=None)
    elif language == "dot":
        place.graphviz_chart(text, width="stretch", alt=title or None)
    else:
        place.mermaid_chart(text, alt=title or None)
