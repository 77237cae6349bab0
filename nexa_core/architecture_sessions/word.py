"""The statement of work as DOCX: real headings, lists and tables, so that a client's lawyers can work on it."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any, Final

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from nexa_core.architecture_sessions.contents import Content
from nexa_core.architecture_sessions.prose import Block, Span, to_blocks
from nexa_core.architecture_sessions.sections import sections

#: What XML 1.0 cannot hold; everything else people write is text.
_UNWRITABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
#: Word's own list styles go three deep.
_DEEPEST: Final = 3


def docx(content: Content) -> bytes:
    """The statement of work of a content, with title, client, revision and digest."""
    document = Document()
    _prepare(document, content)
    document.add_heading(_clean(content.title), 0)
    if content.client:
        document.add_paragraph(_clean(f"Statement of work for {content.client}"), style="Subtitle")
    document.add_paragraph(
        _clean(f"{content.branding.name}. Revision {content.revision} of {content.revised_at:%d %B %Y, %H:%M} UTC.")
    )
    for section in sections(content.documents, ["sow"]):
        document.add_heading(_clean(section.title), 1)
        match section.kind:
            case "markdown":
                _blocks(document, to_blocks(section.data["markdown"]), 0)
            case "deliverables":
                for item in section.data:
                    _deliverable(document, item)
            case "milestones":
                rows = [
                    [item["title"] or item["id"], item["due"], ", ".join(item["deliverables"])] for item in section.data
                ]
                _table(document, ["Milestone", "Due", "Deliverables"], rows)
            case "statements":
                for statement in section.data:
                    document.add_paragraph(_clean(statement), style="List Bullet")
            case _:
                _code(document, section.data["text"])
    sink = io.BytesIO()
    document.save(sink)
    return sink.getvalue()


def _prepare(document: Any, content: Content) -> None:
    """Paper, fonts, properties, and the footer with page numbers, revision and digest."""
    page = document.sections[0]
    page.orientation, page.page_width, page.page_height = WD_ORIENT.PORTRAIT, Cm(21), Cm(29.7)
    page.left_margin = page.right_margin = Cm(2.3)
    document.styles["Normal"].font.size = Pt(10.5)
    properties = document.core_properties
    properties.title, properties.author = _clean(content.title)[:255], _clean(content.author_name)[:255]
    properties.comments = f"Revision {content.revision}, SHA-256 {content.digest}"
    properties.created = properties.modified = content.revised_at.replace(tzinfo=None)
    footer = page.footer.paragraphs[0]
    footer.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _run(footer, f"Revision {content.revision} · SHA-256 {content.digest} · Page ").font.size = Pt(7)
    field = footer.add_run()
    field.font.size = Pt(7)
    for kind, text in (("begin", None), (None, "PAGE"), ("end", None)):
        element = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            element.set(qn("w:fldCharType"), kind)
        else:
            element.text = text
        field._r.append(element)


def _deliverable(document: Any, item: dict[str, Any]) -> None:
    document.add_heading(_clean(item["title"] or item["id"] or "Untitled"), 2)
    if item["description"]:
        document.add_paragraph(_clean(item["description"]))
    if item["criteria"]:
        document.add_paragraph("It is done when")
        for criterion in item["criteria"]:
            document.add_paragraph(_clean(criterion), style="List Bullet")
    if item["covers"]:
        _run(document.add_paragraph(), f"Covers {', '.join(item['covers'])}").italic = True


def _blocks(document: Any, blocks: Sequence[Block], depth: int, style: str | None = None) -> None:
    for block in blocks:
        match block.kind:
            case "heading":
                _spans(document.add_heading(level=min(block.level + 1, 9)), block.spans)
            case "paragraph":
                _spans(document.add_paragraph(style=style), block.spans)
            case "bullets" | "numbers":
                name = "List Bullet" if block.kind == "bullets" else "List Number"
                level = min(depth + 1, _DEEPEST)
                for item in block.blocks:
                    _blocks(document, item.blocks, depth + 1, name if level == 1 else f"{name} {level}")
            case "quote":
                _blocks(document, block.blocks, depth, "Intense Quote")
            case "code":
                _code(document, block.text)
            case "rule":
                document.add_paragraph("―" * 12).alignment = WD_ALIGN_PARAGRAPH.CENTER
            case "table":
                rows = [["".join(span.text for span in cell.spans) for cell in row.blocks] for row in block.blocks]
                if rows and rows[0]:
                    _table(document, rows[0], rows[1:])


def _table(document: Any, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = document.add_table(rows=1, cols=len(head), style="Light Grid Accent 1")
    for at, text in enumerate(head):
        table.rows[0].cells[at].text = _clean(text)
    for row in rows:
        cells = table.add_row().cells
        for at, text in enumerate(row[: len(head)]):
            cells[at].text = _clean(text)
    document.add_paragraph()


def _code(document: Any, text: str) -> None:
    paragraph = document.add_paragraph()
    _run(paragraph, text).font.name = "Consolas"


def _spans(paragraph: Any, spans: Sequence[Span]) -> None:
    for span in spans:
        if span.href:
            _link(paragraph, span)
            continue
        run = _run(paragraph, span.text)
        run.bold, run.italic, run.font.strike = span.bold or None, span.italic or None, span.struck or None
        if span.code:
            run.font.name = "Consolas"


def _link(paragraph: Any, span: Span) -> None:
    """A hyperlink; python-docx reads them but has no way to write one."""
    relation = paragraph.part.relate_to(_clean(span.href), RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
    element = OxmlElement("w:hyperlink")
    element.set(qn("r:id"), relation)
    run = _run(paragraph, span.text)
    run.font.underline, run.font.color.rgb = True, RGBColor(0x05, 0x63, 0xC1)
    element.append(run._r)
    paragraph._p.append(element)


def _run(paragraph: Any, text: str) -> Any:
    return paragraph.add_run(_clean(text))


def _clean(text: str) -> str:
    return _UNWRITABLE.sub("", text)
