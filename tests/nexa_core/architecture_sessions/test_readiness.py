"""Readiness: each check finds what it is for, leads to its place, and no shape of document breaks it."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexa_core.architecture_sessions.blanks import asked, blank_in
from nexa_core.architecture_sessions.documents import node
from nexa_core.architecture_sessions.findings import Severity
from nexa_core.architecture_sessions.parts import new_id
from nexa_core.architecture_sessions.readiness import assess

TODAY = dt.date(2026, 11, 29)
GOOD: dict[str, Any] = {
    "session_objects": {"objects": [
        {"id": "req-1", "kind": "requirement", "title": "Sign in", "priority": "must", "parent": None,
         "depends_on": []},
        {"id": "cmp-1", "kind": "component", "title": "Portal", "depends_on": ["req-1"]},
    ]},
    "sow_objects": {
        "sections": [{"id": "sec-1", "title": "Scope", "markdown": "All of it."}],
        "deliverables": [{"id": "dlv-1", "title": "Portal", "covers": ["req-1"],
                          "acceptance_criteria": [{"id": "acc-1", "text": "One can sign in."}]}],
        "milestones": [{"id": "mil-1", "title": "Live", "due": "2026-12-24", "deliverables": ["dlv-1"]}],
    },
    "loe_objects": {"rows": [
        {"id": "row-1", "task": "Build", "role": "Engineer", "deliverable": "dlv-1", "optimistic_hours": 1,
         "likely_hours": 2, "pessimistic_hours": 3, "rate_minor": 100},
    ]},
    "diagram_texts_json": {"diagrams": [
        {"id": "dia-1", "title": "Overview", "language": "dot", "text": "digraph { cmp_1 }", "depicts": ["cmp-1"]},
    ]},
    "visual_assets_json": {"assets": [{"id": "ast-1", "title": "Overview", "diagram": "dia-1"}]},
}  # fmt: skip


def test_a_finished_session_has_no_findings_and_a_hundred_points() -> None:
    found = assess(GOOD, today=TODAY)
    assert (found.score, found.findings) == (100, ())


def _set(*path: Any) -> Callable[[dict[str, Any]], None]:
    *way, last, value = path

    def change(documents: dict[str, Any]) -> None:
        place: Any = documents
        for step in way:
            place = place[step]
        if isinstance(place, list):
            place.append(value) if last == "+" else place.__setitem__(last, value)
        else:
            place[last] = value

    return change


OBJECT, SOW, ROW, DIAGRAM = (
    ("session_objects", "objects", 0), ("sow_objects",), ("loe_objects", "rows", 0),
    ("diagram_texts_json", "diagrams", 0),
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "check", "severity", "page", "part"),
    [
        (_set(*ROW, "deliverable", None), "deliverable_without_effort", "error", "sow", "dlv-1"),
        (_set(*ROW, "deliverable", None), "effort_without_deliverable", "warning", "loe", "row-1"),
        (_set(*SOW, "deliverables", 0, "acceptance_criteria", []), "no_acceptance_criteria", "error", "sow", "dlv-1"),
        (_set(*SOW, "deliverables", 0, "covers", []), "requirement_not_covered", "error", "structuring", "req-1"),
        (_set(*ROW, "likely_hours", 9), "effort_not_countable", "error", "loe", "row-1"),
        (_set(*ROW, "role", ""), "effort_without_role", "warning", "loe", "row-1"),
        (_set("loe_objects", "roles", ["Engineer", "Architect"]), "role_not_used", "warning", "loe", ""),
        (_set("loe_objects", "total_hours", 400), "totals_disagree", "error", "loe", ""),
        (_set("sow_objects", "totals", {"cost_minor": 999}), "totals_disagree", "error", "sow", ""),
        (_set(*DIAGRAM, "text", "digraph {\n cmp_1 ]\n}"), "diagram_does_not_parse", "error", "visuals", "dia-1"),
        (_set(*DIAGRAM, "text", "digraph { cmp_9 }"), "node_without_component", "warning", "visuals", "dia-1"),
        (_set(*DIAGRAM, "depicts", ["cmp-9"]), "dangling_reference", "error", "visuals", "dia-1"),
        (_set(*OBJECT, "depends_on", ["req-7"]), "dangling_reference", "error", "structuring", "req-1"),
        (_set(*SOW, "milestones", 0, "due", "2026-11-28"), "date_before_today", "warning", "sow", "mil-1"),
        (_set(*SOW, "milestones", 0, "due", "soon"), "milestone_without_date", "warning", "sow", "mil-1"),
        (_set(*SOW, "sections", 0, "markdown", "For {{client}}."), "placeholder_left", "error", "sow", "sec-1"),
        (_set(*OBJECT, "title", "TBD"), "placeholder_left", "error", "structuring", "req-1"),
        (_set("diagram_texts_json", "diagrams", []), "empty_page", "warning", "visuals", ""),
        (_set("loe_objects", "rows", "+", GOOD["loe_objects"]["rows"][0]), "same_id_twice", "error", "loe", "row-1"),
    ],
)
def test_each_check_finds_what_it_is_for_and_leads_there(
    change: Callable[[dict[str, Any]], None], check: str, severity: str, page: str, part: str
) -> None:
    documents = copy.deepcopy(GOOD)
    change(documents)
    found = assess(documents, today=TODAY)
    assert (check, severity, page, part) in [(f.check, f.severity, f.page, f.part) for f in found.findings]
    assert found.score < 100


MARKDOWN = (*SOW, "sections", 0, "markdown")
FLOW_OF = (*DIAGRAM, "text")


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        (MARKDOWN, "For {{Client's name}}.", "{{Client's name}}"),
        (MARKDOWN, "From {{start/end}}.", "{{start/end}}"),
        (MARKDOWN, "[Insert date here]", "[Insert date here]"),
        (MARKDOWN, "[todo: ask]", "[todo: ask]"),
        (MARKDOWN, "Lorem ipsum", "Lorem ipsum"),
        (MARKDOWN, "TODO", "TODO"),
        (MARKDOWN, "Vale para todo el equipo, y todo.", None),
        (MARKDOWN, "[todo el equipo]", None),
        (MARKDOWN, "See [your account](https://northwind.example).", None),
        (FLOW_OF, 'flowchart LR\n  a{{Prepare}} --> b1{{"Go on"}}', None),
        (FLOW_OF, "flowchart LR\n  a[Insert card] --> b[Your account]", None),
        (FLOW_OF, 'digraph { a [label="{{in|out}|name}"] }', None),
        (FLOW_OF, "flowchart LR\n  a[{{client}}] --> b", "{{client}}"),
        (FLOW_OF, 'flowchart LR\n  a{{"Portal of {{client}}"}} --> b', "{{client}}"),
        (FLOW_OF, "flowchart LR\n  a[TBD] --> b", "TBD"),
    ],
)
def test_a_placeholder_is_what_a_template_asks_for_and_nothing_that_means_what_it_says(
    path: tuple[Any, ...], text: str, found: str | None
) -> None:
    documents = copy.deepcopy(GOOD)
    _set(*path, text)(documents)
    told = [
        one.sentence for one in assess(documents, today=TODAY, draw=False).findings if "placeholder" in one.sentence
    ]
    assert told == ([f"The placeholder “{found}” is still there."] if found else [])
    if found is None or found.startswith("{{"):
        column = str(path[0])
        assert list(asked(documents[column], blank_in(column))) == ([found.strip("{}")] if found else [])


def test_a_node_of_a_component_made_on_screen_is_known_and_one_of_no_component_is_found() -> None:
    documents = copy.deepcopy(GOOD)
    made, removed = new_id("component"), new_id("component")
    component = {"id": made, "kind": "component", "title": "Queue", "description": "Holds what waits.", "parent": None}
    _set("session_objects", "objects", "+", component)(documents)
    _set(*FLOW_OF, f"digraph {{ cmp_1 -> {node(made)} -> {node(removed)} }}")(documents)
    told = [one.sentence for one in assess(documents, today=TODAY).findings if one.check == "node_without_component"]
    assert len(told) == 1 and node(removed) in told[0]


def test_the_place_of_a_diagrams_fault_has_its_line_and_the_worst_comes_first() -> None:
    documents = copy.deepcopy(GOOD)
    _set(*SOW, "milestones", 0, "due", "2020-01-01")(documents)
    _set(*DIAGRAM, "text", "digraph {\n cmp_1 ]\n}")(documents)
    found = assess(documents, today=TODAY).findings
    assert (found[0].severity, found[0].line) == (Severity.ERROR, 2)
    assert found[-1].severity is Severity.WARNING


def test_one_kind_of_finding_does_not_use_up_the_whole_score() -> None:
    documents = copy.deepcopy(GOOD)
    rows = [{**GOOD["loe_objects"]["rows"][0], "id": f"row-{n}", "role": ""} for n in range(500)]
    _set("loe_objects", "rows", rows)(documents)
    assert assess(documents, today=TODAY).score == 85


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["id", "objects", "deliverables", "rows", "diagrams", "assets", "milestones", "covers", "due",
                         "title", "text", "language", "totals", "hours", "roles", "kind", "depends_on"]),
        inner, max_size=4,
    ),
    max_leaves=20,
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from([*GOOD]), anything))
def test_documents_of_any_shape_are_assessed(documents: dict[str, Any]) -> None:
    found = assess(documents, today=TODAY, draw=False)
    assert 0 <= found.score <= 100
    assert assess(documents, today=TODAY, draw=False) == found
