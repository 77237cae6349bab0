"""What an asset looks like, and how an image becomes one."""

from __future__ import annotations

from typing import Any

import streamlit as st

from nexa_core.architecture_sessions.foreign import words
from pages._ui.sessions import parts
from pages._ui.sessions.opening import Opened
from pages._ui.text import literal


def show(opened: Opened, asset: dict[str, Any]) -> None:
    """A picture, a palette, an icon, a link, or the diagram it points at."""
    kind = words(asset, "kind")
    values = asset.get("values")
    values = values if isinstance(values, dict) else {}
    if kind == "icon":
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
