"""Bringing back what a revision held: all, a page, a document or one part, and seeing first what that changes."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from nexa_core import architecture_sessions
from nexa_core.architecture_sessions import PAGE_TITLES, Difference
from pages._ui import current_actor
from pages._ui.notices import saved
from pages._ui.sessions import differing
from pages._ui.sessions.opening import Opened

Path = tuple[str, ...]

#: The page that has two documents is offered as each of them, too.
_DOCUMENTS = {"diagram_texts_json": "Diagrams", "visual_assets_json": "Images and assets"}
#: A part of a list is named by column, list and id.
_DEPTH = 3
_WHAT = {"added": "comes back", "removed": "goes away", "changed": "as it was"}


def draw(opened: Opened, revision: int) -> None:
    """Choose what comes back; only what is not as it was then is offered."""
    found = architecture_sessions.compare(
        current_actor(), uuid=opened.uuid, before=opened.view.revision, after=revision
    )
    st.markdown(f"**Bring back revision {revision}**")
    if not found.differences:
        st.caption("Everything is as it was then.")
        return
    offered = _offered(found.differences)
    chosen = st.selectbox("What to bring back", list(offered), format_func=lambda path: offered[path])
    st.caption("What is there now stays in the history, and what you are writing is saved first.")
    if st.button("Bring it back", type="primary"):
        architecture_sessions.restore_revision(current_actor(), uuid=opened.uuid, revision=revision, path=chosen)
        saved(f"Revision {revision} is back" if not chosen else f"Back from revision {revision}: {offered[chosen]}")
    whole = not chosen
    differing.draw(
        found.sentences if whole else (),
        [one for one in found.differences if whole or chosen in (_page(one), one.path[: len(chosen)])],
    )


def _offered(differences: Sequence[Difference]) -> dict[Path, str]:
    """Each choice by its path, the largest first."""
    offered: dict[Path, str] = {(): "All four pages"}
    pages = {one.page for one in differences}
    offered |= {(page,): title for page, title in PAGE_TITLES.items() if page in pages}
    columns = {one.column for one in differences}
    offered |= {(column,): title for column, title in _DOCUMENTS.items() if column in columns}
    for one in differences:
        path = one.path[:_DEPTH]
        if len(path) > 1 and one.what != "moved":
            whole = one.path == path
            offered.setdefault(path, f"{one.label}: {_WHAT[one.what] if whole else _WHAT['changed']}")
    return offered


def _page(one: Difference) -> Path:
    return (one.page,)
