"""The visuals page: diagrams as text with their picture beside it, and the images and other assets."""

from __future__ import annotations

import streamlit as st

from nexa_core.architecture_sessions.documents import LANGUAGES
from nexa_core.architecture_sessions.foreign import words
from pages._ui import editor, layout
from pages._ui.sessions import fields, parts, pictures, structuring
from pages._ui.sessions.opening import Opened

COLUMN, LIST, ASSETS = "diagram_texts_json", "diagrams", "visual_assets_json"
_LANGUAGES = {"mermaid": "Mermaid", "dot": "Graphviz (DOT)"}
_BEGINNINGS = {"mermaid": "flowchart LR\n  a[First] --> b[Second]\n", "dot": "digraph {\n  a -> b\n}\n"}


def diagrams(opened: Opened) -> None:
    """One diagram at a time: its text, its picture, and where the text cannot be read."""
    every = parts.readable(opened.document(COLUMN), LIST)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = parts.pick("Diagrams", [parts.Choice(part["id"], words(part, "title")) for part in every])
        if opened.may_add([COLUMN, LIST]):
            for language in LANGUAGES:
                part = {"title": "New diagram", "language": language, "text": _BEGINNINGS[language], "depicts": []}
                st.button(f"Add {_LANGUAGES[language]}", icon=":material/add:", key=f"add-{language}",
                          on_click=opened.add, args=([COLUMN, LIST], part, "diagram"))  # fmt: skip
    parts.unreadable(opened, COLUMN, LIST)
    one = next((part for part in every if part["id"] == chosen), None)
    if one is None:
        layout.nothing("schema", "There is no diagram yet", "Add the first one above.")
        return
    steps = [COLUMN, LIST, one["id"]]
    first, second, third = st.columns((3, 2, 4))
    with first:
        fields.text(opened, "Title", [*steps, "title"])
    with second:
        fields.choice(opened, "Language", [*steps, "language"], _LANGUAGES)
    with third:
        components = {o["id"]: parts.title_of(o) for o in structuring.objects(opened) if o.get("kind") == "component"}
        fields.choices(opened, "Shows", [*steps, "depicts"], components, placeholder="Components")
    editor.diagram(opened, "Text of the diagram", [*steps, "text"], words(one, "language"), words(one, "title"))
    parts.tools(opened, [COLUMN, LIST], [part["id"] for part in every], one["id"], "diagram")


def images(opened: Opened) -> None:
    """Images with captions, in their order, and the other assets by their names."""
    every = parts.readable(opened.document(ASSETS), "assets")
    if opened.may_add([ASSETS, "assets"]):
        pictures.uploading(opened)
    parts.unreadable(opened, ASSETS, "assets")
    if not every:
        layout.nothing("image", "There is no image yet")
        return
    among = [part["id"] for part in every]
    for asset in every:
        steps = [ASSETS, "assets", asset["id"]]
        with st.container(border=True):
            left, right = st.columns((1, 2), gap="medium", vertical_alignment="center")
            with left:
                pictures.show(opened, asset)
            with right:
                fields.text(opened, "Title", [*steps, "title"])
                fields.text(opened, "Caption", [*steps, "caption"], most=1_000)
                fields.text(opened, "What it shows, for those who cannot see it", [*steps, "alt"], most=1_000)
                parts.tools(opened, [ASSETS, "assets"], among, asset["id"], "asset")
