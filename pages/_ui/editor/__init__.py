"""The editor of long text in the browser: saves by itself, keeps drafts, and asks when two people wrote the same text.

The four scripts are one module to the browser: drafts, differences, saving and the editor itself.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import streamlit as st

from nexa_core.actor import Actor
from pages._ui.sessions import drawing
from pages._ui.sessions.opening import FOREIGN, Opened

_FOLDER = Path(__file__).resolve().parent
_SCRIPTS = ("drafts.js", "differences.js", "saving.js", "editor.js")

_editor = st.components.v2.component(
    "nexa_editor",
    html=(_FOLDER / "editor.html").read_text(),
    css=(_FOLDER / "editor.css").read_text(),
    js="\n".join((_FOLDER / name).read_text() for name in _SCRIPTS),
)

Kind = Literal["markdown", "diagram", "json"]


def markdown(opened: Opened, label: str, steps: Sequence[str], *, height: int = 160) -> None:
    """A long text without a preview."""
    _alone(opened, label, tuple(steps), "markdown", height)


def with_preview(opened: Opened, label: str, steps: Sequence[str], *, height: int = 320) -> None:
    """A long text in Markdown, and beside it how it reads, half a second after the last key."""
    _with_preview(opened, label, tuple(steps), height)


def diagram(opened: Opened, label: str, steps: Sequence[str], language: str, title: str) -> None:
    """The text of a diagram, its picture beside it, and the line that cannot be read."""
    _diagram(opened, label, tuple(steps), language, title)


def json_document(opened: Opened, label: str, column: str, *, height: int = 560) -> None:
    """A whole document as JSON."""
    _alone(opened, label, (column,), "json", height)


@st.fragment
def _alone(opened: Opened, label: str, steps: tuple[str, ...], kind: Kind, height: int) -> None:
    _mount(opened, label, steps, kind, height)


@st.fragment
def _with_preview(opened: Opened, label: str, steps: tuple[str, ...], height: int) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        text = _mount(opened, label, steps, "markdown", height, preview=True)
    with right:
        st.caption("Preview")
        with st.container(border=True, height=height + 12):
            st.markdown(text or ":gray[Nothing is written here yet.]", anchors=False)


@st.fragment
def _diagram(opened: Opened, label: str, steps: tuple[str, ...], language: str, title: str) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        text = _mount(opened, label, steps, "diagram", 420, preview=True)
    with right:
        drawing.preview(language, text, title)


def _mount(
    opened: Opened, label: str, steps: tuple[str, ...], kind: Kind, height: int, *, preview: bool = False
) -> str:
    """The editor at one value of the session; answers what stands in it now, as far as the browser has said."""
    value = opened.value(steps)
    foreign = kind != "json" and value is not None and not isinstance(value, str)
    stored = json.dumps(value, indent=2, ensure_ascii=False) if kind == "json" else value
    text = stored if isinstance(stored, str) else ""
    found = _editor(
        data={
            "user": str(opened.actor.user_id),
            "session": str(opened.uuid),
            "url": f"/api/sessions/{opened.uuid}",
            "path": "/".join(steps),
            "steps": list(steps),
            "kind": kind,
            "label": label,
            "title": opened.view.title,
            "place": opened.place(),
            "text": text,
            "version": opened.version,
            "revision": opened.view.revision,
            "readonly": foreign or not opened.may_write,
            "placeholder": FOREIGN if foreign else "",
            "height": height,
            "preview": preview,
        },
        key=f"editor/{opened.uuid}/{'/'.join(steps)}",
        on_shown_change=_nothing,
    )
    shown = found.get("shown")
    return shown if isinstance(shown, str) else text


def _nothing() -> None:
    """State of a component needs a callback to be kept."""


_unsaved = st.components.v2.component(
    "nexa_unsaved",
    html=(_FOLDER / "unsaved.html").read_text(),
    css=(_FOLDER / "unsaved.css").read_text(),
    js=(_FOLDER / "unsaved.js").read_text(),
)


def unsaved_work(actor: Actor) -> None:
    """The drafts that this browser still holds for this person; nothing at all when there are none."""
    _unsaved(data={"user": str(actor.own.user_id)}, key="nexa_unsaved")
