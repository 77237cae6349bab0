"""Checks of readiness that hold documents against each other: does what one says agree with the others?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from nexa_core.architecture_sessions.documents import node
from nexa_core.architecture_sessions.effort import estimate
from nexa_core.architecture_sessions.findings import PAGES, Documents, Finding, Severity, task_of, title_of
from nexa_core.architecture_sessions.foreign import names, number, parts, shown, words


def coverage(about: Documents) -> Iterator[Finding]:
    if not about.deliverables:
        return
    covered = {reference for part in about.deliverables for reference in names(part, "covers")}
    for part in about.objects:
        if words(part, "kind") == "requirement" and words(part, "id") and words(part, "id") not in covered:
            priority = words(part, "priority")
            if priority != "wont":
                severity = Severity.ERROR if priority == "must" else Severity.WARNING
                yield Finding(
                    "requirement_not_covered", severity, f"No deliverable covers the requirement “{title_of(part)}”.",
                    "structuring", words(part, "id"),
                )  # fmt: skip


def deliverables_and_effort(about: Documents) -> Iterator[Finding]:
    estimated = {words(row, "deliverable") for row in about.rows}
    for part, title in about.titles.items():
        if about.rows and part not in estimated:
            yield Finding(
                "deliverable_without_effort", Severity.ERROR,
                f"No row of the effort is for the deliverable “{shown(title or part)}”.", "sow", part,
            )  # fmt: skip
    for row in about.rows:
        if about.titles and not words(row, "deliverable"):
            yield Finding(
                "effort_without_deliverable", Severity.WARNING,
                f"“{task_of(row)}” is effort for no deliverable.", "loe", words(row, "id"),
            )  # fmt: skip


def totals(about: Documents) -> Iterator[Finding]:
    """A total that is written down must be the one that is computed."""
    found = estimate(about.loe)
    for document, page in ((about.loe, "loe"), (about.sow, "sow")):
        if not isinstance(document, Mapping):
            continue
        totals = document.get("totals")
        for place in (document, totals if isinstance(totals, Mapping) else {}):
            for key, computed, unit in (
                ("total_hours", found.mean_hours, "hours"), ("hours", found.mean_hours, "hours"),
                ("total_minor", found.cost_minor, "minor units"), ("cost_minor", found.cost_minor, "minor units"),
            ):  # fmt: skip
                written = number(place, key)
                with_contingency = found.total_hours if unit == "hours" else found.total_minor
                if written is not None and min(abs(written - c) for c in (computed, with_contingency)) > 0.5:
                    yield Finding(
                        "totals_disagree", Severity.ERROR,
                        f"{PAGES[page]} says {float(written):,.0f} {unit}; the rows add up to {computed:,.0f}.", page,
                    )  # fmt: skip


#: A node by our naming in a diagram's text: the id of a component, counted or new, with an underscore.
_NODE = re.compile(r"\bcmp_\w+\b")


def diagram_nodes(about: Documents) -> Iterator[Finding]:
    known = {node(part) for part in about.components}
    drawn: set[str] = set()
    for part in about.diagrams:
        nodes = set(_NODE.findall(words(part, "text")))
        drawn |= nodes
        for missing in sorted(nodes - known):
            yield Finding(
                "node_without_component", Severity.WARNING,
                f"The diagram “{title_of(part)}” has the node {missing}, but there is no such component.",
                "visuals", words(part, "id"),
            )  # fmt: skip
    if not about.diagrams:
        return
    depicted = {reference for part in about.diagrams for reference in names(part, "depicts")}
    for component in about.objects:
        named = words(component, "id")
        if named in about.components and named not in depicted and node(named) not in drawn:
            yield Finding(
                "component_in_no_diagram", Severity.HINT, f"No diagram shows the component “{title_of(component)}”.",
                "structuring", named,
            )  # fmt: skip


def references(about: Documents) -> Iterator[Finding]:
    objects, deliverables = set(about.kinds), set(about.titles)
    texts = {words(part, "id") for part in about.diagrams}
    for page, items, key, targets in (
        ("structuring", about.objects, "depends_on", objects), ("structuring", about.objects, "parent", objects),
        ("sow", about.deliverables, "covers", objects),
        ("sow", list(parts(about.sow, "milestones")), "deliverables", deliverables),
        ("loe", about.rows, "deliverable", deliverables), ("visuals", about.diagrams, "depicts", objects),
        ("visuals", list(parts(about.assets, "assets")), "depicts", objects),
        ("visuals", list(parts(about.assets, "assets")), "diagram", texts),
    ):  # fmt: skip
        for part in items:
            for reference in names(part, key) or filter(None, (words(part, key),)):
                if reference not in targets:
                    yield Finding(
                        "dangling_reference", Severity.ERROR,
                        f"“{title_of(part)}” refers to {shown(reference)}, which does not exist.",
                        page, words(part, "id"),
                    )  # fmt: skip
