"""Files of a session: PDF, DOCX, XLSX and JSON, from the API; diagrams are drawn first, with progress."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from nexa_core import architecture_sessions
from pages._ui import current_actor
from pages._ui.errors import shown_here
from pages._ui.sessions import sharing
from pages._ui.sessions.opening import Opened

_FORMS = {
    "pdf": ("PDF", ":material/picture_as_pdf:", "All chosen pages, with cover, page numbers and a check sum"),
    "docx": ("Word", ":material/description:", "The statement of work"),
    "xlsx": ("Excel", ":material/table_view:", "The level of effort, with living formulas"),
    "json": ("JSON", ":material/data_object:", "The documents as they are kept"),
}


@st.dialog("Export", width="medium", icon=":material/download:")
def dialog(opened: Opened) -> None:
    actor = current_actor()
    with shown_here():
        going = architecture_sessions.check_readiness(actor, uuid=opened.uuid, draw=False)
        sharing.warn(going)
        if going.blocked is not None:
            return
        pages = st.pills(
            "Pages of the PDF", list(sharing.PAGES), selection_mode="multi", default=list(sharing.PAGES),
            format_func=lambda page: sharing.PAGES[page],
        )  # fmt: skip
        ready = _draw(opened, going.revision) if "visuals" in pages else True
        for form, (label, icon, meaning) in _FORMS.items():
            query = {"revision": going.revision, **({"pages": ",".join(pages)} if form == "pdf" else {})}
            with st.container(horizontal=True, vertical_alignment="center"):
                st.link_button(
                    label, f"/api/sessions/{opened.uuid}/export.{form}?{urlencode(query)}", icon=icon,
                    disabled=form == "pdf" and not (pages and ready), type="primary" if form == "pdf" else "secondary",
                )  # fmt: skip
                st.caption(meaning)
        st.caption(
            f"Revision {going.revision}. An export is counted once for each revision and choice of pages: "
            "fetching the same file again costs nothing."
        )


def _draw(opened: Opened, revision: int) -> bool:
    """Draw what is not drawn yet, one by one, and say how far it is."""
    progress = architecture_sessions.draw_next(opened.actor, uuid=opened.uuid, revision=revision)
    if progress.done >= progress.total:
        return True
    bar = st.progress(0.0)
    while progress.done < progress.total:
        bar.progress(progress.done / progress.total, progress.sentence)
        before = progress.done
        progress = architecture_sessions.draw_next(opened.actor, uuid=opened.uuid, revision=revision)
        if progress.done == before:
            break
    bar.empty()
    return True
