"""The structuring page: a tree of objects, one of them to edit, and the picture of what depends on what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from nexa_core.architecture_sessions.documents import KINDS, PRIORITIES
from nexa_core.architecture_sessions.foreign import names, words
from pages._ui import editor, layout
from pages._ui.sessions import fields, parts
from pages._ui.sessions.opening import Opened
from pages._ui.text import literal

COLUMN, LIST = "session_objects", "objects"
ICONS = {
    "requirement": "task_alt",
    "constraint": "block",
    "assumption": "lightbulb",
    "component": "deployed_code",
    "integration": "cable",
    "risk": "warning",
}
_PRIORITIES = {"must": "Must have", "should": "Should have", "could": "Could have", "wont": "Won't have"}
_FILLS = {"requirement": "#dbeafe", "constraint": "#fde2e0", "assumption": "#fdf3d0", "component": "#d9f0f1",
          "integration": "#e8e0f7", "risk": "#fde5cf"}  # fmt: skip

Object = dict[str, Any]


def kind_word(kind: str) -> str:
    """A kind as it is read on screen."""
    return kind.capitalize() if kind else "Other"


def objects(opened: Opened) -> list[Object]:
    """The objects that the form can show."""
    return parts.readable(opened.document(COLUMN), LIST)


def draw(opened: Opened) -> None:
    """The tree beside the chosen object."""
    every = objects(opened)
    left, right = st.columns((2, 3), gap="medium")
    with left:
        kinds = st.pills(
            "Kinds", [kind for kind in KINDS if any(o.get("kind") == kind for o in every)], selection_mode="multi",
            format_func=lambda kind: f":material/{ICONS[kind]}: {kind_word(kind)}", label_visibility="collapsed",
            key="nexa-kinds", wrap=True,
        )  # fmt: skip
        shown = [o for o in every if not kinds or o.get("kind") in kinds]
        depths = _tree(shown)
        chosen = parts.choose(
            "Objects",
            [parts.Choice(o["id"], words(o, "title"), depth, ICONS.get(words(o, "kind"), "data_object"))
             for o, depth in depths],
        )  # fmt: skip
        if opened.may_add([COLUMN, LIST]):
            _adding(opened, every)
        parts.unreadable(opened, COLUMN, LIST)
    with right:
        if chosen is None:
            layout.nothing("account_tree", "Nothing is structured yet", "Add the first requirement on the left.")
        else:
            _one(opened, every, next(o for o in every if o["id"] == chosen))


def _one(opened: Opened, every: Sequence[Object], one: Object) -> None:
    steps = [COLUMN, LIST, one["id"]]
    titles = {o["id"]: parts.title_of(o) for o in every if o["id"] != one["id"]}
    fields.text(opened, "Title", [*steps, "title"])
    first, second = st.columns(2)
    with first:
        fields.choice(opened, "Kind", [*steps, "kind"], {kind: kind_word(kind) for kind in KINDS})
    with second:
        fields.choice(opened, "Priority", [*steps, "priority"], {p: _PRIORITIES[p] for p in PRIORITIES})
    below = _below(every, one["id"])
    fields.choice(
        opened, "Part of", [*steps, "parent"], {key: title for key, title in titles.items() if key not in below},
        none="Nothing: it stands at the top",
    )  # fmt: skip
    fields.choices(opened, "Depends on", [*steps, "depends_on"], titles, placeholder="Nothing")
    editor.markdown(opened, "Description", [*steps, "description"], height=150)
    siblings = [o["id"] for o in every if o.get("parent") == one.get("parent")]
    parts.tools(opened, [COLUMN, LIST], siblings, one["id"], kind_word(words(one, "kind")).lower())
    needed = [o for o in every if one["id"] in names(o, "depends_on")]
    if needed:
        st.caption("Needed by " + ", ".join(literal(parts.title_of(o)) for o in needed))


def _adding(opened: Opened, every: Sequence[Object]) -> None:
    with (
        st.popover("Add", icon=":material/add:", width="stretch"),
        st.form("add-object", border=False, clear_on_submit=True),
    ):
        kind = st.selectbox("Kind", KINDS, format_func=kind_word)
        title = st.text_input("Title", max_chars=255)
        names_of = {o["id"]: parts.title_of(o) for o in every}
        parent = st.selectbox(
            "Part of", ["", *names_of], format_func=lambda key: names_of.get(key, "Nothing: it stands at the top")
        )
        if st.form_submit_button("Add it", type="primary", width="stretch") and title.strip():
            part = {
                "kind": kind, "title": title.strip(), "description": "", "priority": "should",
                "parent": parent or None, "depends_on": [],
            }  # fmt: skip
            opened.add([COLUMN, LIST], part, kind)
            st.rerun()


def _tree(every: Sequence[Object]) -> list[tuple[Object, int]]:
    """Objects depth first with their depth; a loop, or a parent that is gone or filtered away, is a top of its own."""
    ids = {o["id"] for o in every}
    children: dict[str | None, list[Object]] = {}
    for o in every:
        parent = o.get("parent")
        children.setdefault(parent if isinstance(parent, str) and parent in ids else None, []).append(o)
    found: list[tuple[Object, int]] = []
    seen: set[str] = set()

    def walk(o: Object, depth: int) -> None:
        if o["id"] in seen or depth > 12:
            return
        seen.add(o["id"])
        found.append((o, depth))
        for child in children.get(o["id"], ()):
            walk(child, depth + 1)

    for o in children.get(None, ()):
        walk(o, 0)
    for o in every:
        walk(o, 0)
    return found


def _below(every: Sequence[Object], part_id: str) -> set[str]:
    """The part itself and all that stands below it: what it cannot be part of."""
    found = {part_id}
    parents = {o["id"]: o["parent"] for o in every if isinstance(o.get("parent"), str)}
    while grown := {key for key, parent in parents.items() if parent in found} - found:
        found |= grown
    return found


def picture(opened: Opened) -> None:
    """What depends on what, as a graph."""
    every = objects(opened)
    linked = [o for o in every if names(o, "depends_on")]
    if not linked:
        layout.nothing("account_tree", "Nothing depends on anything yet", "Set “Depends on” at an object.")
        return
    st.caption("An arrow leads from what needs to what is needed. Colours are kinds.")
    st.graphviz_chart(_dot(every), width="stretch", alt="Which objects depend on which")


def _dot(every: Sequence[Mapping[str, Any]]) -> str:
    ids = {o["id"] for o in every}
    edges = [(o["id"], to) for o in every for to in names(o, "depends_on") if to in ids]
    used = {end for edge in edges for end in edge}
    lines = [
        "digraph {",
        'bgcolor="transparent"; rankdir=LR; ranksep=0.9; nodesep=0.18;',
        'node [shape=box, style="rounded,filled", fontname="sans-serif", fontsize=11];',
        'node [color="#7d9196", fontcolor="#14242a"];',
        'edge [color="#7d9196", arrowsize=0.7];',
    ]
    for o in every:
        if o["id"] in used:
            fill = _FILLS.get(words(o, "kind"), "#eeeeee")
            lines.append(f'{_quoted(o["id"])} [label={_quoted(parts.title_of(o)[:60])}, fillcolor="{fill}"];')
    lines += [f"{_quoted(one)} -> {_quoted(to)};" for one, to in edges]
    return "\n".join([*lines, "}"])


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
