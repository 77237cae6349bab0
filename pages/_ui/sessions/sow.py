"""The statement of work: sections with a live preview, deliverables, milestones, assumptions, and the whole to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from nexa_core.architecture_sessions.foreign import names, words
from pages._ui import editor, format, layout
from pages._ui.sessions import fields, parts, structuring
from pages._ui.sessions.opening import FOREIGN, Opened
from pages._ui.text import literal

COLUMN = "sow_objects"


def sections(opened: Opened) -> None:
    """One section at a time: its text, and how it reads."""
    every = parts.readable(opened.document(COLUMN), "sections")
    chosen = _list(opened, every, "sections", "section", "Sections", {"title": "", "markdown": ""})
    if chosen is None:
        layout.nothing("article", "There is no section yet", "Add the first one above.")
        return
    steps = [COLUMN, "sections", chosen["id"]]
    fields.text(opened, "Title", [*steps, "title"])
    editor.with_preview(opened, "Text, in Markdown", [*steps, "markdown"], height=420)
    parts.tools(opened, [COLUMN, "sections"], [part["id"] for part in every], chosen["id"], "section")


def deliverables(opened: Opened) -> None:
    """What is handed over, how both sides know that it is done, and which objects it covers."""
    every = parts.readable(opened.document(COLUMN), "deliverables")
    empty = {"title": "", "description": "", "acceptance_criteria": [], "covers": []}
    chosen = _list(opened, every, "deliverables", "deliverable", "Deliverables", empty)
    if chosen is None:
        layout.nothing("inventory_2", "There is no deliverable yet", "Add the first one above.")
        return
    steps = [COLUMN, "deliverables", chosen["id"]]
    left, right = st.columns(2, gap="medium")
    with left:
        fields.text(opened, "Title", [*steps, "title"])
        editor.markdown(opened, "Description", [*steps, "description"], height=150)
        covered = {o["id"]: f"{structuring.kind_word(words(o, 'kind'))}: {parts.title_of(o)}"
                   for o in structuring.objects(opened)}  # fmt: skip
        fields.choices(opened, "Covers", [*steps, "covers"], covered, placeholder="Objects of the structuring page")
    with right:
        st.markdown("**Acceptance criteria**")
        criteria = parts.readable(chosen, "acceptance_criteria")
        if not opened.takes([*steps, "acceptance_criteria"]):
            st.caption(f":material/data_object: {FOREIGN}")
        elif not criteria:
            st.caption("None yet. Without one, nobody can say that it is done.")
        _statements(opened, [*steps, "acceptance_criteria"], criteria, "criterion", "Criterion")
    parts.tools(opened, [COLUMN, "deliverables"], [part["id"] for part in every], chosen["id"], "deliverable")


def milestones(opened: Opened) -> None:
    """When what is handed over."""
    every = parts.readable(opened.document(COLUMN), "milestones")
    handed = {part["id"]: parts.title_of(part) for part in parts.readable(opened.document(COLUMN), "deliverables")}
    among = [part["id"] for part in every]
    if not every:
        layout.nothing("flag", "There is no milestone yet", "Add the first one below.")
    for milestone in every:
        steps = [COLUMN, "milestones", milestone["id"]]
        with st.container(border=True):
            first, second, third = st.columns((3, 2, 4))
            with first:
                fields.text(opened, "Milestone", [*steps, "title"])
            with second:
                fields.day(opened, "Due", [*steps, "due"], pattern=format.picker_pattern(opened.actor))
            with third:
                fields.choices(opened, "Hands over", [*steps, "deliverables"], handed, placeholder="Deliverables")
            parts.tools(opened, [COLUMN, "milestones"], among, milestone["id"], "milestone")
    if opened.may_add([COLUMN, "milestones"]):
        part: dict[str, Any] = {"title": "New milestone", "due": "", "deliverables": []}
        st.button("Add a milestone", icon=":material/add:", on_click=opened.add,
                  args=([COLUMN, "milestones"], part, "milestone"))  # fmt: skip
    parts.unreadable(opened, COLUMN, "milestones")


def scope(opened: Opened) -> None:
    """What is taken for granted, and what is left out."""
    left, right = st.columns(2, gap="medium")
    for place, name, what, title, label in (
        (left, "assumptions", "sow_assumption", "Assumptions", "Assumption"),
        (right, "out_of_scope", "out_of_scope", "Out of scope", "Left out"),
    ):
        with place:
            st.subheader(title, anchor=False)
            _statements(opened, [COLUMN, name], parts.readable(opened.document(COLUMN), name), what, label)
            parts.unreadable(opened, COLUMN, name)


def reading(opened: Opened) -> None:
    """The statement of work as the client reads it."""
    document = opened.document(COLUMN)
    with st.container(border=True):
        for section in parts.readable(document, "sections"):
            st.subheader(literal(words(section, "title")), anchor=False)
            st.markdown(words(section, "markdown") or ":gray[Nothing is written here yet.]", anchors=False)
        handed = parts.readable(document, "deliverables")
        if handed:
            st.subheader("Deliverables", anchor=False)
        for number, part in enumerate(handed, start=1):
            criteria = [f"- {literal(words(c, 'text'))}" for c in parts.readable(part, "acceptance_criteria")]
            lines = [f"**{number}. {literal(parts.title_of(part))}**", literal(words(part, "description"))]
            st.markdown("\n\n".join([*lines, "\n".join(criteria)]))
        due = parts.readable(document, "milestones")
        if due:
            titles = {part["id"]: parts.title_of(part) for part in handed}
            st.subheader("Milestones", anchor=False)
            st.table(
                {
                    "Milestone": [literal(parts.title_of(part)) for part in due],
                    "Due": [literal(words(part, "due")) or "–" for part in due],
                    "Hands over": [
                        literal(", ".join(titles.get(key, key) for key in names(part, "deliverables"))) or "–"
                        for part in due
                    ],
                },
                border="horizontal",
            )  # fmt: skip
        for name, title in (("assumptions", "Assumptions"), ("out_of_scope", "Out of scope")):
            said = [f"- {literal(words(part, 'text'))}" for part in parts.readable(document, name)]
            if said:
                st.subheader(title, anchor=False)
                st.markdown("\n".join(said))


def _list(
    opened: Opened, every: Sequence[dict[str, Any]], name: str, what: str, label: str, empty: dict[str, Any]
) -> dict[str, Any] | None:
    """The parts side by side with their number, and a way to add one; the chosen one, or None."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = parts.pick(label, [parts.Choice(part["id"], words(part, "title")) for part in every])
        if opened.may_add([COLUMN, name]):
            st.button("Add", icon=":material/add:", key=f"add-{name}", on_click=opened.add,
                      args=([COLUMN, name], {**empty, "title": f"New {what}"}, what))  # fmt: skip
    parts.unreadable(opened, COLUMN, name)
    return next((part for part in every if part["id"] == chosen), None)


def _statements(opened: Opened, steps: list[str], every: Sequence[dict[str, Any]], what: str, label: str) -> None:
    """Sentences, each with an id: change one by leaving its field, remove it with the cross, add one below."""
    for number, statement in enumerate(every, start=1):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
            with st.container():
                fields.area(opened, f"{label} {number}", [*steps, statement["id"], "text"], height=72)
            if opened.may_write:
                place = [*steps, statement["id"]]
                st.button(
                    "", icon=":material/close:", key=f"remove-{'-'.join(place)}", type="tertiary",
                    help=f"Remove {label.lower()} {number}", on_click=opened.remove, args=(place,),
                )  # fmt: skip
    if opened.may_add(steps):
        with st.form(f"add-{'-'.join(steps)}", border=False, clear_on_submit=True):
            typed = st.text_input(f"Another {label.lower()}", max_chars=2_000, placeholder="One sentence")
            if st.form_submit_button("Add", icon=":material/add:") and typed.strip():
                opened.add(steps, {"text": typed.strip()}, what, show=False)
                st.rerun()
