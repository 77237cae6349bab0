"""A name and the slug that follows from it, checked while one types."""

from __future__ import annotations

import streamlit as st

from nexa_core import organizations
from nexa_core.actor import Actor
from pages._ui.text import literal


def draw(actor: Actor) -> tuple[str, str, bool]:
    """The name, the slug, and whether the slug can be taken now. A new name suggests a new slug."""
    name = (st.text_input("Name", max_chars=255, live="400ms", key="new-name", autocomplete="off") or "").strip()
    suggested = organizations.suggest_slug(actor, name=name) if name else ""
    slug = st.text_input(
        "Slug",
        suggested,
        max_chars=100,
        live="400ms",
        key=f"new-slug-{suggested}",
        help="The short name in addresses. Lower-case letters, digits and single hyphens.",
        autocomplete="off",
    )
    slug = (slug or "").strip()
    if not slug:
        st.caption("A slug is suggested from the name.")
        return name, slug, False
    verdict = organizations.check_slug(actor, slug=slug)
    color, icon = ("green", "check_circle") if verdict.is_free else ("red", "block")
    st.markdown(f":{color}[:material/{icon}: {literal(verdict.sentence)}]")
    return name, slug, verdict.is_free
