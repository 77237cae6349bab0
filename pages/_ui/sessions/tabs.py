"""The tabs of a session's page: only the open one runs; the address says which, or names a part that is in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from pages._ui import editor
from pages._ui.sessions import effort, parts, schema, sow, structuring, visuals
from pages._ui.sessions.opening import Opened

_VIEW = "view"


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab; ``list_of`` is the column and the list whose parts it shows."""

    title: str
    draw: Callable[[Opened], None]
    list_of: tuple[str, str] | None = None


def _json(*columns: str) -> Callable[[Opened], None]:
    def draw(opened: Opened) -> None:
        column = columns[0]
        if len(columns) > 1:
            names = {"diagram_texts_json": "Diagram texts", "visual_assets_json": "Assets"}
            column = st.segmented_control(
                "Document", list(columns), default=columns[0], required=True, format_func=lambda name: names[name]
            ) or columns[0]  # fmt: skip
        left, right = st.columns((5, 2), gap="medium")
        with left:
            editor.json_document(opened, "The whole document", column)
        with right:
            schema.hints(column, opened.view.documents.get(column))

    return draw


TABS = {
    "structuring": (
        Tab("Objects", structuring.draw, ("session_objects", "objects")),
        Tab("Dependencies", structuring.picture),
        Tab("JSON", _json("session_objects")),
    ),
    "sow": (
        Tab("Sections", sow.sections, ("sow_objects", "sections")),
        Tab("Deliverables", sow.deliverables, ("sow_objects", "deliverables")),
        Tab("Milestones", sow.milestones, ("sow_objects", "milestones")),
        Tab("Scope", sow.scope, ("sow_objects", "assumptions")),
        Tab("Reading", sow.reading),
        Tab("JSON", _json("sow_objects")),
    ),
    "loe": (Tab("Effort", effort.draw, ("loe_objects", "rows")), Tab("JSON", _json("loe_objects"))),
    "visuals": (
        Tab("Diagrams", visuals.diagrams, ("diagram_texts_json", "diagrams")),
        Tab("Images", visuals.images, ("visual_assets_json", "assets")),
        Tab("JSON", _json("diagram_texts_json", "visual_assets_json")),
    ),
}


def draw(opened: Opened) -> None:
    """The tabs of the page that is open."""
    mine = TABS[opened.page]
    titles = [tab.title for tab in mine]
    item = st.query_params.get(parts.ITEM)
    if item and st.query_params.get(_VIEW) not in titles:
        holder = next((tab.title for tab in mine if tab.list_of and _holds(opened, tab.list_of, item)), None)
        if holder and holder != titles[0]:
            st.session_state[_VIEW] = st.query_params[_VIEW] = holder
    places = st.tabs(titles, key=_VIEW, bind="query-params")
    for place, tab in zip(places, mine, strict=True):
        if place.open:
            with place:
                tab.draw(opened)


def _holds(opened: Opened, list_of: tuple[str, str], item: str) -> bool:
    column, name = list_of
    part_ids = {part["id"] for part in parts.readable(opened.document(column), name)}
    return item in part_ids or f'"{item}"' in json.dumps(opened.document(column).get(name))
