"""What an asset looks like, and how an image becomes one."""

from __future__ import annotations

from html import escape
from typing import Any
from urllib.parse import quote

import streamlit as st

from nexa_core import architecture_sessions
from nexa_core.architecture_sessions.foreign import words
from pages._ui import current_actor
from pages._ui.errors import shown_here
from pages._ui.notices import saved
from pages._ui.sessions import parts
from pages._ui.sessions.opening import Opened
from pages._ui.text import literal

#: How many images were added: the next one begins with empty fields.
_ADDED = "nexa.images.added"


def uploading(opened: Opened) -> None:
    """Choose an image: it is kept once by its content, and stands at the end of the list; the fields are empty then."""
    number = st.session_state.setdefault(_ADDED, 0)
    with st.popover("Add an image", icon=":material/add_photo_alternate:"):
        file = st.file_uploader(
            "PNG, JPEG or SVG, at most 5 MB", type=["png", "jpg", "jpeg", "svg"], max_upload_size=5,
            key=f"image-{number}",
        )  # fmt: skip
        caption = st.text_input("Caption of the new image", max_chars=1_000, key=f"image-caption-{number}")
        alt = st.text_input(
            "What the new image shows, for those who cannot see it", max_chars=1_000, key=f"image-alt-{number}"
        )
        if st.button("Add it", type="primary", disabled=file is None) and file is not None:
            with shown_here():
                stored = architecture_sessions.store_image(current_actor(), uuid=opened.uuid, content=file.getvalue())
                asset = {
                    "kind": "image",
                    "title": caption.strip()[:255] or file.name,
                    "caption": caption.strip(),
                    "alt": alt.strip(),
                    "digest": stored.digest,
                }
                if opened.add(["visual_assets_json", "assets"], asset, "asset", show=False):
                    st.session_state[_ADDED] = number + 1
                    saved("The image is added")


def show(opened: Opened, asset: dict[str, Any]) -> None:
    """A picture, a palette, an icon, a link, or the diagram it points at."""
    kind = words(asset, "kind")
    values = asset.get("values")
    values = values if isinstance(values, dict) else {}
    if kind == "image":
        address = f"/api/sessions/{opened.uuid}/images/{quote(words(asset, 'digest'))}"
        st.html(f'<img src="{escape(address)}" alt="{escape(words(asset, "alt"))}" style="max-width:100%">')
    elif kind == "icon":
        name = words(values, "material")
        icon = f":material/{name}:" if name.replace("_", "").isalnum() and name.isascii() else ":material/image:"
        st.markdown(f"## {icon}", anchors=False)
    elif kind == "palette":
        st.markdown("  \n".join(f"`{literal(value)}` {literal(name)}" for name, value in values.items()))
    elif kind == "diagram":
        texts = parts.readable(opened.document("diagram_texts_json"), "diagrams")
        titles = {part["id"]: parts.title_of(part) for part in texts}
        key = words(asset, "diagram")
        st.markdown(f":material/schema: The diagram “{literal(titles.get(key, key))}”")
    else:
        st.markdown(f":material/attachment: {literal(kind or 'Asset')}")
