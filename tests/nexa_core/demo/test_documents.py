"""Every document of the demo has the described shape, and the pages of a session speak of the same things."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from itertools import chain

import pytest
from pydantic import TypeAdapter

from nexa_core.architecture_sessions import check_diagram
from nexa_core.architecture_sessions import documents as shape
from nexa_core.architecture_sessions.documents import Documents
from nexa_core.demo.blueprints import BLUEPRINTS
from nexa_core.demo.industries import INDUSTRIES
from nexa_core.demo.world import Session, build

DAY = date(2026, 11, 22)


@cache
def sessions() -> tuple[Session, ...]:
    return tuple(architecture_session for tenant in build(DAY).tenants for architecture_session in tenant.sessions)


def parts(documents: Documents) -> dict[str, list[str]]:
    """The ids of every list of parts, by the kind of part."""
    sow = documents["sow_objects"]
    lists = {
        "structuring": documents["session_objects"]["objects"],
        "sections": sow["sections"],
        "deliverables": sow["deliverables"],
        "criteria": [c for d in sow["deliverables"] for c in d["acceptance_criteria"]],
        "milestones": sow["milestones"],
        "assumptions": sow["assumptions"],
        "out_of_scope": sow["out_of_scope"],
        "rows": documents["loe_objects"]["rows"],
        "diagrams": documents["diagram_texts_json"]["diagrams"],
        "assets": documents["visual_assets_json"]["assets"],
    }
    return {name: [part["id"] for part in found] for name, found in lists.items()}


def dangling(documents: Documents) -> set[str]:
    """References that lead nowhere, or to the wrong kind of part."""
    ids = {name: set(found) for name, found in parts(documents).items()}
    components = {o["id"] for o in documents["session_objects"]["objects"] if o["kind"] == "component"}
    objects, sow = documents["session_objects"]["objects"], documents["sow_objects"]
    diagrams, assets = documents["diagram_texts_json"]["diagrams"], documents["visual_assets_json"]["assets"]
    return {
        *(
            set(chain.from_iterable([*o["depends_on"], *([o["parent"]] if o["parent"] else [])] for o in objects))
            - ids["structuring"]
        ),
        *(set(chain.from_iterable(d["covers"] for d in sow["deliverables"])) - ids["structuring"]),
        *(set(chain.from_iterable(m["deliverables"] for m in sow["milestones"])) - ids["deliverables"]),
        *({row["deliverable"] for row in documents["loe_objects"]["rows"]} - ids["deliverables"] - {None}),
        *(set(chain.from_iterable(d["depicts"] for d in diagrams)) - components),
        *(set(chain.from_iterable(a.get("depicts", []) for a in assets)) - components),
        *({a["diagram"] for a in assets if "diagram" in a} - ids["diagrams"]),
    }


def test_every_document_has_the_described_shape() -> None:
    adapter = TypeAdapter(Documents)
    for architecture_session in sessions():
        assert adapter.validate_python(architecture_session.documents, strict=True) == architecture_session.documents, (
            architecture_session.title
        )
        assert {document["format"] for document in architecture_session.documents.values()} == {shape.FORMAT}


def test_every_id_is_unique_in_its_session_and_says_what_it_is() -> None:
    for architecture_session in sessions():
        ids = list(chain.from_iterable(parts(architecture_session.documents).values()))
        assert len(ids) == len(set(ids))
        assert all(re.fullmatch(r"[a-z]{3}-[1-9][0-9]*", number) for number in ids)
        for item in architecture_session.documents["session_objects"]["objects"]:
            assert item["id"].startswith(shape.PREFIXES[item["kind"]])


def test_every_reference_between_the_pages_resolves() -> None:
    for architecture_session in sessions():
        assert dangling(architecture_session.documents) == set(), architecture_session.title


def test_the_diagrams_parse_as_the_seeding_takes_for_granted() -> None:
    for architecture_session in sessions()[::50]:  # each takes a second
        for part in architecture_session.documents["diagram_texts_json"]["diagrams"]:
            fault = check_diagram(part["text"], part["language"])
            assert fault is None, f"{architecture_session.title}, {part['title']}: {fault}"


def test_the_tree_is_a_tree_and_dependencies_of_components_run_in_no_circle() -> None:
    for architecture_session in sessions():
        objects = {o["id"]: o for o in architecture_session.documents["session_objects"]["objects"]}
        for item in objects.values():
            assert item["parent"] is None or objects[item["parent"]]["parent"] is None
        left = {number: set(o["depends_on"]) for number, o in objects.items() if o["kind"] == "component"}
        while free := [number for number, needs in left.items() if not needs & left.keys()]:
            for number in free:
                del left[number]
        assert not left, f"{architecture_session.title}: {sorted(left)}"


def test_all_four_pages_have_something_to_show() -> None:
    for architecture_session in sessions():
        kinds = {o["kind"] for o in architecture_session.documents["session_objects"]["objects"]}
        assert kinds == set(shape.KINDS)
        counts = {name: len(found) for name, found in parts(architecture_session.documents).items()}
        assert counts["sections"] >= 6
        assert counts["deliverables"] >= 3
        assert counts["rows"] >= 9
        assert counts["diagrams"] >= 3
        assert all(counts.values())


def test_every_component_is_delivered_and_every_deliverable_is_estimated_and_due() -> None:
    for architecture_session in sessions():
        sow = architecture_session.documents["sow_objects"]
        components = {
            o["id"] for o in architecture_session.documents["session_objects"]["objects"] if o["kind"] == "component"
        }
        assert components <= set(chain.from_iterable(d["covers"] for d in sow["deliverables"]))
        numbers = {d["id"] for d in sow["deliverables"]}
        assert numbers == {row["deliverable"] for row in architecture_session.documents["loe_objects"]["rows"]} - {None}
        assert numbers == set(chain.from_iterable(m["deliverables"] for m in sow["milestones"]))
        dues = [m["due"] for m in sow["milestones"]]
        assert dues == sorted(dues)
        assert all(date.fromisoformat(due).weekday() < 5 for due in dues)


def test_every_requirement_is_covered_by_a_deliverable_that_delivers_what_it_stands_on() -> None:
    for architecture_session in sessions():
        needs = {
            o["id"]: o
            for o in architecture_session.documents["session_objects"]["objects"]
            if o["kind"] == "requirement"
        }
        covered = set()
        for deliverable in architecture_session.documents["sow_objects"]["deliverables"]:
            own = set(deliverable["covers"])
            for number in own & needs.keys():
                assert own & set(needs[number]["depends_on"]), f"{architecture_session.title}: {number}"
            covered |= own & needs.keys()
        assert covered == needs.keys()


def test_estimates_have_three_points_in_order_and_a_rate() -> None:
    for architecture_session in sessions():
        for row in architecture_session.documents["loe_objects"]["rows"]:
            assert 0 < row["optimistic_hours"] < row["likely_hours"] < row["pessimistic_hours"]
            assert row["rate_minor"] > 0


def test_diagram_texts_name_exactly_the_components_they_depict() -> None:
    for architecture_session in sessions():
        names = {o["id"]: o["title"] for o in architecture_session.documents["session_objects"]["objects"]}
        for diagram in architecture_session.documents["diagram_texts_json"]["diagrams"]:
            found = set(re.findall(r"\bcmp_\d+\b", diagram["text"]))
            assert found == {shape.node(number) for number in diagram["depicts"]}
            assert all(names[number] in diagram["text"] for number in diagram["depicts"])
            start = {"mermaid": ("flowchart", "sequenceDiagram", "gantt"), "dot": ("digraph",)}[diagram["language"]]
            assert diagram["text"].startswith(start)
            assert diagram["text"].count('"') % 2 == 0


def test_no_placeholder_and_no_wrong_article_is_left() -> None:
    for architecture_session in sessions():
        text = repr(architecture_session.documents)
        assert not re.search(r"\{[A-Za-z_]+\}", text), architecture_session.title
        assert not re.search(r"\b[Aa] (?:[aei]\w+|o(?!ne|nce)\w+)", text), re.findall(r"\b[Aa] [aeio]\w+", text)


def test_sessions_differ_between_industries_and_within_a_customer() -> None:
    assert (
        len(
            {
                (architecture_session.title, architecture_session.client, architecture_session.created_at)
                for architecture_session in sessions()
            }
        )
        == 150
    )
    assert len({architecture_session.title for architecture_session in sessions()}) >= 100
    for tenant in build(DAY).tenants:
        pairs = [(architecture_session.title, architecture_session.client) for architecture_session in tenant.sessions]
        assert len(set(pairs)) == len(pairs)


@pytest.mark.parametrize("blueprint", BLUEPRINTS, ids=lambda blueprint: blueprint.key)
def test_a_blueprint_speaks_of_its_own_components_only(blueprint: object) -> None:
    keys = {component.key for component in blueprint.components}  # type: ignore[attr-defined]
    for group in ("needs", "constraints", "assumptions", "integrations", "risks", "packages"):
        for entry in getattr(blueprint, group):
            assert set(entry.on) <= keys
            assert group != "needs" or entry.on


def test_every_industry_has_clients_of_its_own() -> None:
    clients = list(chain.from_iterable(industry.clients for industry in INDUSTRIES.values()))
    assert len(set(clients)) == len(clients) >= 60


def test_a_broken_reference_would_be_seen() -> None:
    """The negative control of this page: a reference to nothing, and a key nobody described."""
    broken = build(DAY).tenants[0].sessions[0].documents
    broken["loe_objects"]["rows"][0]["deliverable"] = "dlv-99"
    broken["visual_assets_json"]["assets"][0]["depicts"] = ["req-1"]
    assert dangling(broken) == {"dlv-99", "req-1"}
    broken["session_objects"]["objects"][0]["colour"] = "red"  # type: ignore[typeddict-unknown-key]
    assert TypeAdapter(Documents).validate_python(broken, strict=True) != broken
