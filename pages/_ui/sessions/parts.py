"""The parts of a document: choosing one (the address says which), adding, moving and removing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from nexa_core.architecture_sessions.foreign import words
from pages._ui.sessions.opening import Opened
from pages._ui.text import literal

#: The parameter of the address that names the chosen part: a finding, a link or a notice lead to it.
ITEM = "item"


@dataclass(frozen=True, slots=True)
class Choice:
    """A part to choose from: what it is called, how deep it stands, and an icon."""

    id: str
    title: str
    depth: int = 0
    icon: str = ""


def readable(document: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The parts that a form can show: those of a list that have an id of their own; of two with the same, the first."""
    value = document.get(name)
    if not isinstance(value, list):
        return []
    found: dict[str, dict[str, Any]] = {}
    for part in value:
        if isinstance(part, dict) and isinstance(part.get("id"), str):
            found.setdefault(part["id"], part)
    return list(found.values())


def unreadable(opened: Opened, column: str, name: str) -> None:
    """Say that there is more than the form shows, where the document has another shape."""
    document = opened.view.documents.get(column)
    value = document.get(name, []) if isinstance(document, Mapping) else None
    hidden = 1 if not isinstance(value, list) else len(value) - len(readable(opened.document(column), name))
    if hidden:
        st.caption(
            ":material/data_object: Some of this has a shape that the form cannot show. It is kept untouched, and the "
            "JSON tab shows it."
        )


def choose(label: str, choices: Sequence[Choice], *, height: int = 460) -> str | None:
    """One of the parts, by the keyboard too; the first, unless the address names another."""
    ids = [choice.id for choice in choices]
    if not ids:
        return None
    by_id = {choice.id: choice for choice in choices}
    key = f"nexa-{ITEM}-{label}"
    wanted = st.query_params.get(ITEM)
    st.session_state[key] = wanted if wanted in by_id else ids[0]
    with st.container(border=True, height=height if len(ids) > 9 else "content"):
        chosen: str = st.radio(
            label,
            ids,
            key=key,
            format_func=lambda part_id: _line(by_id[part_id]) if part_id in by_id else part_id,
            on_change=_take,
            args=(key,),
            label_visibility="collapsed",
        )
    return chosen


def _line(choice: Choice) -> str:
    icon = f":material/{choice.icon}: " if choice.icon else ""
    return f"{'&emsp;' * choice.depth}{icon}{literal(choice.title or 'Without a title')}"


def _take(key: str) -> None:
    st.query_params[ITEM] = st.session_state[key]


def tools(opened: Opened, steps: Sequence[str], among: Sequence[str], part_id: str, what: str) -> None:
    """Up, down and away, for the part ``part_id`` of the list at ``steps``; ``among`` are its siblings in order."""
    if not opened.may_write:
        return
    where = among.index(part_id)
    with st.container(horizontal=True, gap="xsmall"):
        st.button(
            "Up", icon=":material/arrow_upward:", key=f"up-{part_id}", type="tertiary", on_click=opened.move,
            disabled=where == 0,
            args=(steps, part_id), kwargs={"after": among[where - 2] if where > 1 else None},
        )  # fmt: skip
        st.button(
            "Down", icon=":material/arrow_downward:", key=f"down-{part_id}", type="tertiary", on_click=opened.move,
            disabled=where == len(among) - 1,
            args=(steps, part_id), kwargs={"after": among[min(where + 1, len(among) - 1)]},
        )  # fmt: skip
        with st.popover("Remove", icon=":material/delete:", type="tertiary"):
            st.markdown(f"Remove this {what}? The history keeps it, and can bring it back.")
            st.button(
                "Remove it", key=f"remove-{part_id}", type="primary", on_click=opened.remove, args=([*steps, part_id],)
            )


def title_of(part: Mapping[str, Any], *, name: str = "title") -> str:
    """What a part is called, whatever its shape."""
    return words(part, name) or words(part, "id")


def pick(label: str, choices: Sequence[Choice]) -> str | None:
    """One of a few parts in a row of buttons; the first, unless the address names another."""
    by_id = {choice.id: choice for choice in choices}
    if not by_id:
        return None
    key = f"nexa-{ITEM}-{label}"
    wanted = st.query_params.get(ITEM)
    st.session_state[key] = wanted if wanted in by_id else choices[0].id
    chosen: str = st.selectbox(
        label, list(by_id), key=key, on_change=_take, args=(key,), width="stretch",
        format_func=lambda part_id: _plain(by_id, part_id),
    )  # fmt: skip
    return chosen


def _plain(by_id: Mapping[str, Choice], part_id: str) -> str:
    number = list(by_id).index(part_id) + 1 if part_id in by_id else 0
    return f"{number}. {by_id[part_id].title or 'Without a title'}" if number else part_id
