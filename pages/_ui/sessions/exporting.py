"""Files of a session: PDF, DOCX, XLSX and JSON, from the API; diagrams are drawn first, with progress."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

import streamlit as st

from nexa_core import architecture_sessions
from nexa_core.architecture_sessions import PAGE_TITLES
from pages._ui import current_actor
from pages._ui.errors import shown_here
from pages._ui.sessions import readiness
from pages._ui.sessions.opening import Opened

_FORMS = {
    "pdf": ("PDF", ":material/picture_as_pdf:", "All chosen pages, with cover, page numbers and a check sum"),
    "docx": ("Word", ":material/description:", "The statement of work"),
    "xlsx": ("Excel", ":material/table_view:", "The level of effort, with living formulas"),
    "json": ("JSON", ":material/data_object:", "The documents as they are kept"),
}


@st.dialog("Export", width="medium", icon=":material/download:")
def dialog(opened: Opened) -> None:
    with shown_here():
        going = architecture_sessions.check_readiness(current_actor(), uuid=opened.uuid, draw=False)
        readiness.before_going_out(opened, going)
        if going.blocked is not None:
            _file(opened, going.revision, "json")
            st.caption("These are your own documents: as JSON they can always be fetched.")
            return
        pages = st.pills(
            "Pages of the PDF", list(PAGE_TITLES), selection_mode="multi", default=list(PAGE_TITLES),
            format_func=PAGE_TITLES.__getitem__,
        )  # fmt: skip
        place = st.container()
        for form in _FORMS:
            if form != "pdf":
                _file(opened, going.revision, form)
        with place:  # the other files need not wait for the pictures
            if "visuals" in pages:
                _draw(opened, going.revision)
            _file(opened, going.revision, "pdf", pages)
        st.caption(
            f"Revision {going.revision}. An export is counted once for each revision and choice of pages: "
            "fetching the same file again costs nothing."
        )


def _file(opened: Opened, revision: int, form: str, pages: Sequence[str] = ()) -> None:
    """The button of one form, and what it holds."""
    label, icon, meaning = _FORMS[form]
    query = {"revision": revision, **({"pages": ",".join(pages)} if form == "pdf" else {})}
    with st.container(horizontal=True, vertical_alignment="center"):
        st.link_button(
            label, f"/api/sessions/{opened.uuid}/export.{form}?{urlencode(query)}", icon=icon, width=110,
            disabled=form == "pdf" and not pages, type="primary" if form == "pdf" else "secondary",
        )  # fmt: skip
        st.caption(meaning, width="stretch")


def _draw(opened: Opened, revision: int) -> None:
    """Draw what is not drawn yet, one by one, and say how far it is."""
    progress = architecture_sessions.draw_next(opened.actor, uuid=opened.uuid, revision=revision)
    if progress.done >= progress.total:
        return
    bar = st.progress(0.0)
    while progress.done < progress.total:
        bar.progress(progress.done / progress.total, progress.sentence)
        before = progress.done
        progress = architecture_sessions.draw_next(opened.actor, uuid=opened.uuid, revision=revision)
        if progress.done == before:
            break
    bar.empty()
