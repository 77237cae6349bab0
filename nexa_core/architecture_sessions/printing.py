"""A session as PDF: typst draws it from data, diagrams stay vectors, and no text of anybody is read as code."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import typst

from nexa_core.architecture_sessions import diagrams, fonts
from nexa_core.architecture_sessions.contents import Content
from nexa_core.architecture_sessions.effort import EffortTotal, Estimate, estimate, likelihood, money
from nexa_core.architecture_sessions.foreign import shown
from nexa_core.architecture_sessions.prose import to_blocks
from nexa_core.architecture_sessions.sections import PAGE_TITLES, Section, sections

_TEMPLATE: Final = Path(__file__).with_name("printing.typ")
_VIEW_BOX: Final = re.compile(r'viewBox="[-\d.eE]+[ ,]+[-\d.eE]+[ ,]+([\d.]+)[ ,]+([\d.]+)"')
_SUFFIXES: Final = {"image/png": "png", "image/jpeg": "jpg", "image/svg+xml": "svg"}
#: Points a pixel of a picture takes on paper.
_POINTS: Final = 0.75


@dataclass(frozen=True, slots=True)
class Picture:
    """A stored picture: media type, content, and size in pixels where it is known."""

    media_type: str
    content: bytes
    width: int | None = None
    height: int | None = None


def pdf(content: Content, *, pages: Sequence[str], pictures: Mapping[str, Picture], logo: Picture | None) -> bytes:
    """The chosen pages of a content. ``pictures`` are by digest; one that cannot be drawn says so in its place."""
    with tempfile.TemporaryDirectory(prefix="nexa-print-") as folder:
        desk = _Desk(Path(folder), pictures)
        data = _data(content, pages, desk)
        data["logo"] = desk.place(logo, content.branding.name) if logo else None
        written = json.dumps(data, ensure_ascii=False)
        data["not_shown"] = _not_shown(written)
        (desk.folder / "data.json").write_text(json.dumps(data))
        (desk.folder / "main.typ").write_bytes(_TEMPLATE.read_bytes())
        made = typst.compile(
            str(desk.folder / "main.typ"),
            root=folder,
            font_paths=list(fonts.folders()),
            timestamp=content.revised_at.replace(microsecond=0),
        )
    assert isinstance(made, bytes)
    return made


def _not_shown(written: str) -> str:
    """What a reader of this paper should know about characters that no font here has."""
    scripts = fonts.not_shown(written)
    if not scripts:
        return ""
    return (
        f"Some of this text is in a script that no font of this server has ({', '.join(scripts)}) and stands here as "
        "boxes. On screen and in the Word and Excel files it is whole."
    )


class _Desk:
    """The folder a PDF is set in: its pictures as files."""

    def __init__(self, folder: Path, pictures: Mapping[str, Picture]) -> None:
        self.folder, self.pictures = folder, pictures
        self._placed = 0

    def place(self, picture: Picture | None, alt: str) -> dict[str, Any] | None:
        """The picture as a file and its size in points, or None for one that typst cannot draw."""
        if picture is None or not _drawable(picture.media_type, picture.content):
            return None
        self._placed += 1
        name = f"picture-{self._placed}.{_SUFFIXES[picture.media_type]}"
        content = picture.content
        if picture.media_type == "image/svg+xml":
            content = content.replace(b'"trebuchet ms",verdana,arial,sans-serif', b'"DejaVu Sans"')
        (self.folder / name).write_bytes(content)
        width, height = picture.width, picture.height
        if not width or not height:
            width, height = _size(picture.content)
        return {"file": name, "alt": alt, "width": width * _POINTS, "height": height * _POINTS}


def _size(svg: bytes) -> tuple[int, int]:
    """The size of an SVG in pixels, from its view box."""
    found = _VIEW_BOX.search(svg[:4096].decode("utf-8", "replace"))
    return (max(1, round(float(found[1]))), max(1, round(float(found[2])))) if found else (600, 400)


@lru_cache(maxsize=256)
def _drawable(media_type: str, content: bytes) -> bool:
    """Whether typst can draw a picture: one that is broken must not take the whole document with it."""
    with tempfile.TemporaryDirectory(prefix="nexa-print-") as folder:
        name = f"picture.{_SUFFIXES[media_type]}"
        (Path(folder) / name).write_bytes(content)
        (Path(folder) / "main.typ").write_text(f'#image("{name}", width: 1cm)')
        try:
            typst.compile(str(Path(folder) / "main.typ"), root=folder, ignore_system_fonts=True)
        except typst.TypstError:
            return False
    return True


def _data(content: Content, pages: Sequence[str], desk: _Desk) -> dict[str, Any]:
    figures = estimate(content.documents.get("loe_objects"), content.documents.get("sow_objects"))
    found = sections(content.documents, pages)
    contents = [
        {
            "title": PAGE_TITLES[page],
            "sections": [_section(section, figures, desk) for section in found if section.page == page],
        }
        for page in PAGE_TITLES
        if page in pages
    ]
    facts = [
        ("Revision", f"{content.revision}, {content.revised_at:%d %B %Y, %H:%M} UTC"),
        ("Author", content.author_name),
        ("Kind", content.session_type),
        ("Tags", ", ".join(content.tags)),
    ]
    return {
        "title": content.title,
        "short_title": shown(content.title, 70),
        "client": content.client or "",
        "organization": content.branding.name,
        "author": content.author_name,
        "accent": content.branding.accent,
        "revision": content.revision,
        "digest": content.digest,
        "facts": [fact for fact in facts if fact[1]],
        "contents": contents,
    }


def _section(section: Section, figures: Estimate, desk: _Desk) -> dict[str, Any]:
    """A section as the template draws it."""
    base = {"title": section.title, "caption": ""}
    data = section.data
    match section.kind:
        case "markdown":
            return base | {"kind": "markdown", "blocks": [block.as_json() for block in to_blocks(data["markdown"])]}
        case "objects":
            return base | {"kind": "objects", "items": [_object(item) for item in data]}
        case "deliverables":
            return base | {"kind": "deliverables", "items": [_titled(item) | _joined(item, "covers") for item in data]}
        case "milestones":
            return base | {
                "kind": "milestones", "items": [_titled(item) | _joined(item, "deliverables") for item in data]
            }  # fmt: skip
        case "statements":
            return base | {"kind": "statements", "items": data}
        case "effort":
            return base | {"kind": "effort", "effort": _effort(figures)}
        case "image":
            placed = desk.place(desk.pictures.get(data["digest"]), data["alt"] or section.title)
            if placed is None:
                return base | _text("", "This picture is not there any more, or cannot be drawn.")
            return base | {"kind": "picture", "picture": placed, "caption": data["caption"]}
        case "diagram":
            return base | _diagram(section, desk)
    return base | _text(data["text"], "This page has a form of its own; here is what it holds.")


def _diagram(section: Section, desk: _Desk) -> dict[str, Any]:
    language, source = section.data["language"], section.data["text"]
    drawing = diagrams.draw(source, language)
    if drawing.svg is not None:
        placed = desk.place(Picture("image/svg+xml", drawing.svg.encode()), f"Diagram: {section.title}")
        if placed is not None:
            return {"kind": "picture", "picture": placed}
    if language == "dot":
        return _text(source, "DOT is drawn on screen only; this is the diagram's text.")
    why = drawing.fault.sentence if drawing.fault else "It cannot be drawn on paper."
    return _text(source, f"This diagram could not be drawn. {why} This is its text.")


def _text(text: str, note: str) -> dict[str, Any]:
    return {"kind": "text", "text": text, "note": note}


def _object(item: Mapping[str, Any]) -> dict[str, Any]:
    tags = [name for name in (item["kind"], item["priority"]) if name]
    return _titled(item) | _joined(item, "depends_on") | {"tags": tags}


def _titled(item: Mapping[str, Any]) -> dict[str, Any]:
    return {**item, "title": item["title"] or item["id"] or "Untitled"}


def _joined(item: Mapping[str, Any], key: str) -> dict[str, str]:
    return {key: ", ".join(item[key])}


def _effort(found: Estimate) -> dict[str, Any]:
    def cost(amount_minor: int) -> str:
        return f"{money(amount_minor, found.currency):,}"

    def grouped(title: str, by: str, totals: Iterable[EffortTotal]) -> dict[str, Any]:
        rows = [[shown(t.title or "none", 60), hours(t.mean_hours), cost(t.cost_minor)] for t in totals]
        return {"title": title, "by": by, "rows": rows}

    percent = hours(found.contingency_percent)
    sentences = [
        f"With {one.confidence:.0%} likelihood the work takes {hours(one.low_hours)} to {hours(one.high_hours)} hours"
        f" and costs {cost(one.low_minor)} to {cost(one.high_minor)} {found.currency}, contingency not included."
        for one in found.ranges
    ]
    if found.contingency_covers is not None and found.contingency_percent:
        sentences.append(f"The contingency is enough in {likelihood(found.contingency_covers)} of all cases.")
    sentences += [f"Not counted: {shown(row.task or row.id or 'a row')}, because {row.reason}." for row in found.unread]
    return {
        "currency": found.currency,
        "rows": [
            [
                row.task, row.role, hours(row.optimistic_hours), hours(row.likely_hours), hours(row.pessimistic_hours),
                cost(row.cost_minor),
            ]
            for row in found.tasks
        ],
        "totals": [
            ["Expected work", "", "", hours(found.mean_hours), "", cost(found.cost_minor)],
            [f"Contingency, {percent} %", "", "", hours(found.contingency_hours), "", cost(found.contingency_minor)],
            ["Total", "", "", hours(found.total_hours), "", cost(found.total_minor)],
        ],
        "groups": [
            grouped("By role", "Role", found.by_role),
            grouped("By deliverable", "Deliverable", found.by_deliverable),
        ],
        "sentences": sentences,
    }  # fmt: skip


def hours(value: float) -> str:
    """Hours for people: thousands separated, one decimal where there is one."""
    return f"{value:,.1f}".removesuffix(".0")
