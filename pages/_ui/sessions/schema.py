"""What a document is made of, as hints beside its JSON: taken from the shapes the core writes."""

from __future__ import annotations

from typing import Any, get_args, get_origin, get_type_hints

import streamlit as st

from nexa_core.architecture_sessions import documents

_SHAPES = {
    "session_objects": documents.SessionObjects,
    "sow_objects": documents.SowObjects,
    "loe_objects": documents.LoeObjects,
    "diagram_texts_json": documents.DiagramTexts,
    "visual_assets_json": documents.VisualAssets,
}


def hints(column: str, document: object) -> None:
    """The keys that the forms know, and which of them this document has beyond those."""
    st.markdown("**What the forms know**")
    st.code("\n".join(_lines(_SHAPES[column], 0)), language=None)
    st.caption("Every other key is kept as it is, through every edit, merge, restore and copy.")
    known = get_type_hints(_SHAPES[column])
    if isinstance(document, dict) and (others := [key for key in document if key not in known]):
        st.markdown("**Keys of its own here**")
        st.code("\n".join(others[:40]), language=None)
    elif not isinstance(document, dict):
        st.caption(":material/data_object: This document is no object: only JSON can show it.")


def _lines(shape: Any, depth: int) -> list[str]:
    found = []
    for name, kind in get_type_hints(shape).items():
        inner = get_args(kind)[0] if get_origin(kind) is list else None
        found.append(f"{'  ' * depth}{name}: {_word(kind)}")
        if inner is not None and isinstance(inner, type) and hasattr(inner, "__total__"):
            found += _lines(inner, depth + 1)
    return found


def _word(kind: Any) -> str:
    if get_origin(kind) is list:
        inner = get_args(kind)[0]
        return "list of" if hasattr(inner, "__total__") else f"list of {_word(inner)}"
    if get_args(kind) and all(isinstance(value, str) for value in get_args(kind)):
        return " | ".join(get_args(kind))
    if get_args(kind):
        return " or ".join(_word(part) for part in get_args(kind))
    return {"str": "text", "int": "whole number", "float": "number", "NoneType": "null"}.get(
        getattr(kind, "__name__", ""), str(kind)
    )
