"""Is a session ready for its client? Deterministic checks across the four documents, each finding with its place."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from nexa_core.architecture_sessions import diagrams
from nexa_core.architecture_sessions.documents import node
from nexa_core.architecture_sessions.effort import estimate
from nexa_core.architecture_sessions.foreign import names, number, parts, shown, words


class Severity(StrEnum):
    """How much a finding matters. A blocking policy is about errors alone."""

    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"


#: What a finding takes from the score of 100; one kind of finding never takes more than three times its own.
WEIGHTS: Final = {Severity.ERROR: 12, Severity.WARNING: 5, Severity.HINT: 1}
_MOST_OF_A_KIND: Final = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look after. ``page`` and ``part`` lead to its place; ``part`` is empty for the page as a whole."""

    check: str
    severity: Severity
    sentence: str
    page: str
    part: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Readiness:
    """What was found, worst first, and what it makes of 100."""

    score: int
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> int:
        return sum(finding.severity is Severity.ERROR for finding in self.findings)


def assess(documents: Mapping[str, Any], *, today: dt.date, draw: bool = True) -> Readiness:
    """Check the five documents, by column name and of any shape, as of a day. Never raises.

    ``draw=False`` leaves out the diagrams that were not drawn yet: then the answer takes milliseconds.
    """
    about = _Documents(documents, today, draw)
    found = [finding for check in CHECKS for finding in check(about)]
    order = list(Severity)
    found.sort(key=lambda finding: order.index(finding.severity))
    counts = Counter((finding.check, finding.severity) for finding in found)
    lost = sum(WEIGHTS[severity] * min(count, _MOST_OF_A_KIND) for (_, severity), count in counts.items())
    return Readiness(max(0, 100 - lost), tuple(found))


class _Documents:
    """The documents as the checks read them."""

    def __init__(self, documents: Mapping[str, Any], today: dt.date, draw: bool) -> None:
        self.today, self.draw = today, draw
        self.structuring = documents.get("session_objects")
        self.sow = documents.get("sow_objects")
        self.loe = documents.get("loe_objects")
        self.texts = documents.get("diagram_texts_json")
        self.assets = documents.get("visual_assets_json")
        self.objects = list(parts(self.structuring, "objects"))
        self.deliverables = list(parts(self.sow, "deliverables"))
        self.rows = list(parts(self.loe, "rows"))
        self.diagrams = list(parts(self.texts, "diagrams"))
        self.kinds = {words(part, "id"): words(part, "kind") for part in self.objects if words(part, "id")}
        self.titles = {words(part, "id"): words(part, "title") for part in self.deliverables if words(part, "id")}
        self.components = {part for part, kind in self.kinds.items() if kind == "component"}


Check = Callable[[_Documents], Iterator[Finding]]


def _empty_pages(about: _Documents) -> Iterator[Finding]:
    for page, has_something in (
        ("structuring", about.objects), ("sow", about.deliverables or list(parts(about.sow, "sections"))),
        ("loe", about.rows), ("visuals", about.diagrams),
    ):  # fmt: skip
        if not has_something:
            yield Finding("empty_page", Severity.WARNING, f"{_PAGES[page]} is still empty.", page)


def _deliverables_and_effort(about: _Documents) -> Iterator[Finding]:
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
                f"“{_task(row)}” is effort for no deliverable.", "loe", words(row, "id"),
            )  # fmt: skip


def _acceptance(about: _Documents) -> Iterator[Finding]:
    for part in about.deliverables:
        if not any(words(criterion, "text") for criterion in parts(part, "acceptance_criteria")):
            yield Finding(
                "no_acceptance_criteria", Severity.ERROR,
                f"“{_title(part)}” has no acceptance criteria: nobody can say when it is done.",
                "sow", words(part, "id"),
            )  # fmt: skip


def _coverage(about: _Documents) -> Iterator[Finding]:
    if not about.deliverables:
        return
    covered = {reference for part in about.deliverables for reference in names(part, "covers")}
    for part in about.objects:
        if words(part, "kind") == "requirement" and words(part, "id") and words(part, "id") not in covered:
            priority = words(part, "priority")
            if priority != "wont":
                severity = Severity.ERROR if priority == "must" else Severity.WARNING
                yield Finding(
                    "requirement_not_covered", severity, f"No deliverable covers the requirement “{_title(part)}”.",
                    "structuring", words(part, "id"),
                )  # fmt: skip


def _effort_rows(about: _Documents) -> Iterator[Finding]:
    for bad in estimate(about.loe).unread:
        yield Finding(
            "effort_not_countable", Severity.ERROR, f"“{shown(bad.task or bad.id or 'A row')}”: {bad.reason}.",
            "loe", bad.id,
        )  # fmt: skip
    for row in about.rows:
        if not words(row, "role"):
            yield Finding(
                "effort_without_role", Severity.WARNING, f"“{_task(row)}” names no role.", "loe", words(row, "id")
            )
        if not number(row, "rate_minor"):
            yield Finding("effort_without_rate", Severity.HINT, f"“{_task(row)}” has no rate.", "loe", words(row, "id"))


def _rates(about: _Documents) -> Iterator[Finding]:
    rates: dict[str, set[Any]] = {}
    for row in about.rows:
        if words(row, "role") and number(row, "rate_minor"):
            rates.setdefault(words(row, "role"), set()).add(number(row, "rate_minor"))
    for role, found in rates.items():
        if len(found) > 1:
            yield Finding(
                "role_with_two_rates", Severity.HINT, f"{shown(role)} has {len(found)} different rates.", "loe"
            )


def _roles(about: _Documents) -> Iterator[Finding]:
    """Roles that are declared, in documents that declare them, and used in no row."""
    declared = [
        words(role, "name") or words(role, "title") or words(role, "role") for role in parts(about.loe, "roles")
    ]
    used = {words(row, "role").casefold() for row in about.rows}
    for role in [*declared, *names(about.loe, "roles")]:
        if role and role.casefold() not in used:
            yield Finding("role_not_used", Severity.WARNING, f"The role {shown(role)} is used in no row.", "loe")


def _totals(about: _Documents) -> Iterator[Finding]:
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
                        f"{_PAGES[page]} says {float(written):,.0f} {unit}; the rows add up to {computed:,.0f}.", page,
                    )  # fmt: skip


def _diagram_texts(about: _Documents) -> Iterator[Finding]:
    for part in about.diagrams:
        text, language = words(part, "text"), words(part, "language") or "mermaid"
        if language == "mermaid" and not about.draw and not diagrams.is_drawn(text):
            continue
        # The text as it stands, not trimmed: the line must be the one on screen.
        fault = diagrams.check(str(part.get("text") or ""), language)
        if fault is not None:
            yield Finding(
                "diagram_does_not_parse", Severity.ERROR, f"The diagram “{_title(part)}”: {fault.sentence}",
                "visuals", words(part, "id"), fault.line,
            )  # fmt: skip


#: A node by our naming in a diagram's text: the id of a component with an underscore.
_NODE = re.compile(r"\bcmp_\d+\b")


def _diagram_nodes(about: _Documents) -> Iterator[Finding]:
    known = {node(part) for part in about.components}
    drawn: set[str] = set()
    for part in about.diagrams:
        nodes = set(_NODE.findall(words(part, "text")))
        drawn |= nodes
        for missing in sorted(nodes - known):
            yield Finding(
                "node_without_component", Severity.WARNING,
                f"The diagram “{_title(part)}” has the node {missing}, but there is no such component.",
                "visuals", words(part, "id"),
            )  # fmt: skip
    if not about.diagrams:
        return
    depicted = {reference for part in about.diagrams for reference in names(part, "depicts")}
    for component in about.objects:
        named = words(component, "id")
        if named in about.components and named not in depicted and node(named) not in drawn:
            yield Finding(
                "component_in_no_diagram", Severity.HINT, f"No diagram shows the component “{_title(component)}”.",
                "structuring", named,
            )  # fmt: skip


_PLACEHOLDER = re.compile(
    r"\{\{\s*[\w .-]{1,60}\s*\}\}|\[\s*(?:tbd|todo|insert|placeholder|your |client name)[^\]]{0,60}\]"
    r"|\b(?:TBD|TODO|FIXME|XXX)\b|\blorem ipsum\b",
    re.IGNORECASE,
)


def _placeholders(about: _Documents) -> Iterator[Finding]:
    documents = (
        ("structuring", about.structuring), ("sow", about.sow), ("loe", about.loe), ("visuals", about.texts),
        ("visuals", about.assets),
    )  # fmt: skip
    for page, document in documents:
        seen: set[tuple[str, str]] = set()
        for part, text in _texts(document, ""):
            found = _PLACEHOLDER.search(text)
            if found and (part, found[0]) not in seen:
                seen.add((part, found[0]))
                yield Finding(
                    "placeholder_left", Severity.ERROR, f"The placeholder “{shown(found[0])}” is still there.", page,
                    part,
                )  # fmt: skip


def _texts(value: object, part: str) -> Iterator[tuple[str, str]]:
    """Every text in a document with the id of the nearest part around it."""
    pending: list[tuple[object, str]] = [(value, part)]
    while pending:
        item, within = pending.pop(0)
        if isinstance(item, str):
            yield within, item
        elif isinstance(item, Mapping):
            named = words(item, "id") or within
            pending.extend((inner, named) for key, inner in item.items() if key != "id")
        elif isinstance(item, list):
            pending.extend((inner, within) for inner in item)


def _milestones(about: _Documents) -> Iterator[Finding]:
    for part in parts(about.sow, "milestones"):
        written, page_part = words(part, "due"), words(part, "id")
        try:
            due = dt.date.fromisoformat(written[:10])
        except ValueError:
            sentence = f"“{_title(part)}” has no date." if not written else f"“{shown(written)}” is no date."
            yield Finding("milestone_without_date", Severity.WARNING, sentence, "sow", page_part)
            continue
        if due < about.today:
            yield Finding(
                "date_before_today", Severity.WARNING,
                f"“{_title(part)}” is due on {due.isoformat()}, which has passed.", "sow", page_part,
            )  # fmt: skip


def _references(about: _Documents) -> Iterator[Finding]:
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
                        f"“{_title(part)}” refers to {shown(reference)}, which does not exist.",
                        page, words(part, "id"),
                    )  # fmt: skip


def _same_ids(about: _Documents) -> Iterator[Finding]:
    for page, items in (
        ("structuring", about.objects), ("sow", about.deliverables), ("loe", about.rows), ("visuals", about.diagrams),
    ):  # fmt: skip
        for part, count in Counter(words(item, "id") for item in items).items():
            if part and count > 1:
                yield Finding("same_id_twice", Severity.ERROR, f"{count} parts have the id {shown(part)}.", page, part)


#: Every check, in the order of the pages.
CHECKS: Final[tuple[Check, ...]] = (
    _empty_pages, _coverage, _acceptance, _deliverables_and_effort, _milestones, _effort_rows, _rates, _roles, _totals,
    _diagram_texts, _diagram_nodes, _references, _same_ids, _placeholders,
)  # fmt: skip
_PAGES: Final = {
    "structuring": "The structuring", "sow": "The statement of work", "loe": "The effort", "visuals": "The visuals"
}  # fmt: skip


def _title(part: Mapping[str, Any]) -> str:
    return shown(words(part, "title") or words(part, "task") or words(part, "id") or "untitled")


def _task(row: Mapping[str, Any]) -> str:
    return shown(words(row, "task") or words(row, "id") or "A row")
