"""The five documents of an architecture session, as the core writes them: one place for their shape and vocabulary.

Every document is an object with ``format`` (this page describes format 1) and lists of parts. A part has an ``id`` that
is unique within its session, never changes and is never given again: editors, merges and references between the pages
go by it. Lists are ordered as shown. An empty document is ``{}``.

How the pages refer to each other::

    structuring   parent, depends_on        -> structuring
    sow           deliverables[].covers     -> structuring      milestones[].deliverables -> sow deliverables
    loe           rows[].deliverable        -> sow deliverables
    diagrams      depicts                   -> structuring components; in the text their nodes are named node(id)
    assets        diagram                   -> diagrams         depicts                   -> structuring components
"""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict  # pydantic checks documents against these and needs this one below Python 3.12

FORMAT = 1

#: Column of each document, by the page that edits it; visuals edits two.
COLUMNS: dict[str, tuple[str, ...]] = {
    "structuring": ("session_objects",),
    "sow": ("sow_objects",),
    "loe": ("loe_objects",),
    "visuals": ("diagram_texts_json", "visual_assets_json"),
}

Kind = Literal["requirement", "constraint", "assumption", "component", "integration", "risk"]
Priority = Literal["must", "should", "could", "wont"]
Language = Literal["mermaid", "dot"]
AssetKind = Literal["diagram", "icon", "palette", "link", "image"]

KINDS: tuple[Kind, ...] = ("requirement", "constraint", "assumption", "component", "integration", "risk")
PRIORITIES: tuple[Priority, ...] = ("must", "should", "could", "wont")  # MoSCoW
LANGUAGES: tuple[Language, ...] = ("mermaid", "dot")

#: How the id of a part begins, by what it is; a dash and a number follow: ``req-3``.
PREFIXES: dict[str, str] = {
    "requirement": "req",
    "constraint": "con",
    "assumption": "asm",
    "component": "cmp",
    "integration": "int",
    "risk": "rsk",
    "section": "sec",
    "deliverable": "dlv",
    "criterion": "acc",
    "milestone": "mil",
    "sow_assumption": "sas",
    "out_of_scope": "out",
    "row": "row",
    "diagram": "dia",
    "asset": "ast",
}


class StructuringObject(TypedDict):
    """One node of the structuring tree. ``parent`` is None at the top; siblings keep the order of the list."""

    id: str
    kind: Kind
    title: str
    description: str
    priority: Priority
    parent: str | None
    depends_on: list[str]


class SessionObjects(TypedDict):
    """``session_objects``: the structuring page."""

    format: int
    objects: list[StructuringObject]


class Section(TypedDict):
    """A chapter of the statement of work; ``markdown`` has no heading of its own."""

    id: str
    title: str
    markdown: str


class Criterion(TypedDict):
    id: str
    text: str


class Deliverable(TypedDict):
    """What is handed over, and how both sides know that it is done."""

    id: str
    title: str
    description: str
    acceptance_criteria: list[Criterion]
    covers: list[str]


class Milestone(TypedDict):
    """``due`` is a day, ISO 8601."""

    id: str
    title: str
    due: str
    deliverables: list[str]


class Statement(TypedDict):
    """One sentence with an id: an assumption, or something left out."""

    id: str
    text: str


class SowObjects(TypedDict):
    """``sow_objects``: the statement of work."""

    format: int
    sections: list[Section]
    deliverables: list[Deliverable]
    milestones: list[Milestone]
    assumptions: list[Statement]
    out_of_scope: list[Statement]


class EffortRow(TypedDict):
    """One task by one role. Hours are the three points of an estimate; ``rate_minor`` is minor units an hour."""

    id: str
    task: str
    role: str
    deliverable: str | None
    optimistic_hours: float
    likely_hours: float
    pessimistic_hours: float
    rate_minor: int


class LoeObjects(TypedDict):
    """``loe_objects``: the level of effort. One currency (ISO 4217); the contingency comes on top of all rows."""

    format: int
    currency: str
    contingency_percent: float
    rows: list[EffortRow]


class Diagram(TypedDict):
    """A diagram as text in its language; ``depicts`` lists the components whose nodes it has."""

    id: str
    title: str
    language: Language
    text: str
    depicts: list[str]


class DiagramTexts(TypedDict):
    """``diagram_texts_json``: the texts of the visuals page."""

    format: int
    diagrams: list[Diagram]


class Asset(TypedDict):
    """Something to show beside the diagrams. A ``diagram`` points at its text, an icon or palette has values.

    An ``image`` is a stored picture by its ``digest`` (see ``images``), with the caption that stands below it.
    """

    id: str
    kind: AssetKind
    title: str
    alt: str
    diagram: NotRequired[str]
    depicts: NotRequired[list[str]]
    values: NotRequired[dict[str, str]]
    url: NotRequired[str]
    digest: NotRequired[str]
    caption: NotRequired[str]


class VisualAssets(TypedDict):
    """``visual_assets_json``: the assets of the visuals page."""

    format: int
    assets: list[Asset]


class Documents(TypedDict):
    """All five, under the names of their columns."""

    session_objects: SessionObjects
    sow_objects: SowObjects
    loe_objects: LoeObjects
    diagram_texts_json: DiagramTexts
    visual_assets_json: VisualAssets


def node(component_id: str) -> str:
    """The name of a component's node in a diagram text: neither Mermaid nor DOT takes a dash there."""
    return component_id.replace("-", "_")
