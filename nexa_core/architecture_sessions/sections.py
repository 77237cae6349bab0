"""A session as somebody outside reads it: its pages cut into sections, each with a title and a digest of its content.

PDF, shared page and a client's approvals go by the same sections, so what was approved is what is shown and printed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from nexa_core.architecture_sessions.documents import COLUMNS
from nexa_core.architecture_sessions.foreign import names, parts, words

PAGES: Final = tuple(COLUMNS)
PAGE_TITLES: Final = {
    "structuring": "Structuring", "sow": "Statement of work", "loe": "Level of effort", "visuals": "Visuals"
}  # fmt: skip
#: Deeper than this the tree of objects is drawn flat.
_DEEPEST: Final = 12


@dataclass(frozen=True, slots=True)
class Section:
    """One piece of a page. ``part`` is an id within the page, ``data`` what its ``kind`` needs to be shown.

    ``digest`` is the SHA-256 of the content as it is stored, and where it shows the titles of other parts, of these,
    too: of equal digests one may say that nothing has changed. ``stored`` is then the one without those titles, which
    approvals were bound to before; else it is empty.
    """

    page: str
    part: str
    title: str
    kind: str
    data: Any
    digest: str
    stored: str = ""


def sections(documents: Mapping[str, Any], pages: Sequence[str] = PAGES) -> tuple[Section, ...]:
    """The sections of the chosen pages, in order, from documents of any shape. Never raises.

    A page with something in it that has no form here is one section of kind ``json``.
    """
    found: list[Section] = []
    for page in PAGES:
        if page not in pages:
            continue
        on_page = list(_WAYS[page](documents))
        found += on_page or _as_json(page, documents)
    return tuple(found)


def digest_of(content: Any) -> str:
    """SHA-256 of JSON, whatever the order of its keys."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _structuring(documents: Mapping[str, Any]) -> Iterator[Section]:
    objects = list(parts(documents.get("session_objects"), "objects"))
    if not objects:
        return
    titles = {words(part, "id"): words(part, "title") for part in objects}
    shown = [
        {
            "id": words(part, "id"),
            "depth": depth,
            "kind": words(part, "kind"),
            "title": words(part, "title"),
            "description": words(part, "description"),
            "priority": words(part, "priority"),
            "depends_on": [titles[other] for other in names(part, "depends_on") if titles.get(other)],
        }
        for depth, part in _tree(objects)
    ]
    yield Section("structuring", "objects", "Requirements and components", "objects", shown, digest_of(objects))


def _tree(objects: list[Mapping[str, Any]]) -> list[tuple[int, Mapping[str, Any]]]:
    """Every object once, children after their parent, siblings as they stand; a circle of parents stands at the top."""
    known = {words(part, "id") for part in objects}
    children: dict[str, list[Mapping[str, Any]]] = {}
    for part in objects:
        parent = words(part, "parent")
        children.setdefault(parent if parent in known else "", []).append(part)
    ordered: list[tuple[int, Mapping[str, Any]]] = []
    seen: set[int] = set()

    def visit(parent: str) -> None:
        pending = [(0, part) for part in reversed(children.get(parent, []))]
        while pending:
            depth, part = pending.pop()
            if id(part) in seen:
                continue
            seen.add(id(part))
            ordered.append((min(depth, _DEEPEST), part))
            if words(part, "id"):
                pending += [(depth + 1, child) for child in reversed(children.get(words(part, "id"), []))]

    visit("")
    ordered += [(0, part) for part in objects if id(part) not in seen]
    return ordered


def _sow(documents: Mapping[str, Any]) -> Iterator[Section]:
    sow = documents.get("sow_objects")
    objects = {words(p, "id"): words(p, "title") for p in parts(documents.get("session_objects"), "objects")}
    deliverables = list(parts(sow, "deliverables"))
    titles = {words(part, "id"): words(part, "title") for part in deliverables}
    for number, part in enumerate(parts(sow, "sections"), 1):
        data = {"markdown": str(part.get("markdown") or "") if isinstance(part.get("markdown"), str) else ""}
        title = words(part, "title") or f"Section {number}"
        yield Section("sow", words(part, "id") or f"section-{number}", title, "markdown", data, digest_of(part))
    if deliverables:
        shown = [
            {
                "id": words(part, "id"),
                "title": words(part, "title"),
                "description": words(part, "description"),
                "criteria": [words(item, "text") for item in parts(part, "acceptance_criteria") if words(item, "text")],
                "covers": [objects[other] for other in names(part, "covers") if objects.get(other)],
            }
            for part in deliverables
        ]
        digests = digest_of([deliverables, shown]), digest_of(deliverables)
        yield Section("sow", "deliverables", "Deliverables", "deliverables", shown, *digests)
    if milestones := list(parts(sow, "milestones")):
        dated = [
            {
                "id": words(part, "id"),
                "title": words(part, "title"),
                "due": words(part, "due"),
                "deliverables": [titles[other] for other in names(part, "deliverables") if titles.get(other)],
            }
            for part in milestones
        ]
        digests = digest_of([milestones, dated]), digest_of(milestones)
        yield Section("sow", "milestones", "Milestones", "milestones", dated, *digests)
    for key, title in (("assumptions", "Assumptions"), ("out_of_scope", "Out of scope")):
        if statements := list(parts(sow, key)):
            texts = [words(part, "text") for part in statements if words(part, "text")]
            yield Section("sow", key, title, "statements", texts, digest_of(statements))


def _loe(documents: Mapping[str, Any]) -> Iterator[Section]:
    loe = documents.get("loe_objects")
    if any(parts(loe, "rows")):
        yield Section("loe", "effort", "Effort", "effort", loe, digest_of(loe))


def _visuals(documents: Mapping[str, Any]) -> Iterator[Section]:
    for number, part in enumerate(parts(documents.get("diagram_texts_json"), "diagrams"), 1):
        data = {"language": words(part, "language") or "mermaid", "text": str(part.get("text") or "")}
        title = words(part, "title") or f"Diagram {number}"
        yield Section("visuals", words(part, "id") or f"diagram-{number}", title, "diagram", data, digest_of(part))
    for number, part in enumerate(parts(documents.get("visual_assets_json"), "assets"), 1):
        if words(part, "kind") == "image" and words(part, "digest"):
            data = {key: words(part, key) for key in ("digest", "alt", "caption")}
            title = words(part, "title") or f"Picture {number}"
            yield Section("visuals", words(part, "id") or f"image-{number}", title, "image", data, digest_of(part))


_WAYS = {"structuring": _structuring, "sow": _sow, "loe": _loe, "visuals": _visuals}


def _as_json(page: str, documents: Mapping[str, Any]) -> list[Section]:
    held = {column: documents.get(column) for column in COLUMNS[page]}
    if not any(_says_something(document) for document in held.values()):
        return []
    content: Any = held if len(held) > 1 else next(iter(held.values()))
    text = json.dumps(content, indent=2, ensure_ascii=False)
    return [Section(page, "document", f"{PAGE_TITLES[page]} as data", "json", {"text": text}, digest_of(content))]


def _says_something(document: Any) -> bool:
    if isinstance(document, Mapping):
        return any(key != "format" and value not in (None, "", [], {}) for key, value in document.items())
    return document not in (None, "", [])
