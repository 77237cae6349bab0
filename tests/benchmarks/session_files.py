"""What a PDF of a session costs: ours, against the same text set by another library in the same run.

The other side is WeasyPrint where it can be imported (it needs Pango), else ReportLab. Diagrams are drawn before the
clock starts, as in use: they are drawn once and kept; one that is not kept adds about a second to ours.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
import io
import time
from collections.abc import Callable, Iterator
from html import escape
from typing import Any
from uuid import uuid4

import pypdf

from nexa_core.architecture_sessions import PAGES, diagrams
from nexa_core.architecture_sessions.contents import Branding, Content
from nexa_core.architecture_sessions.printing import pdf
from nexa_core.architecture_sessions.prose import to_blocks, to_html
from nexa_core.architecture_sessions.sections import digest_of
from tests.benchmarks.harness import Bench, Row, figure

BOUND = 0.2
PAGES_WANTED = 20
_WORDS = (
    "The portal answers within one second, keeps what was typed and says in plain words what happens next. "
    "Every change has an author, a time and a reason; what is not needed any more is removed, and that is noted. "
)
FLOW = 'flowchart LR\n    a["Portal"] --> b["Gateway"]\n    b --> c["Store"]'


@figure("session-pdf")
def session_pdf(bench: Bench) -> Iterator[Row]:
    content = _content()
    assert diagrams.draw(FLOW).svg, "the diagram is drawn once, before anything is measured"
    made = _ours(content)
    pages = len(pypdf.PdfReader(io.BytesIO(made)).pages)
    assert pages >= PAGES_WANTED, pages
    weasyprint = importlib.util.find_spec("weasyprint") is not None
    theirs = _weasyprint if weasyprint else _reportlab

    weasy = "WeasyPrint, the same text" if weasyprint else "ReportLab, the same text (WeasyPrint is not here)"
    yield bench.compare(
        (f"a session of {pages} pages as PDF", lambda: _seconds(_ours, content)),
        (weasy, lambda: _seconds(theirs, content)),
        pairs=5,
        bound=BOUND,
    )


def _seconds(make: Callable[[Content], bytes], content: Content) -> float:
    began = time.perf_counter()
    make(content)
    return time.perf_counter() - began


def _ours(content: Content) -> bytes:
    return pdf(content, pages=PAGES, pictures={}, logo=None)


def _content() -> Content:
    sections = [
        {"id": f"sec-{n}", "title": f"Chapter {n}", "markdown": f"{_WORDS * 6}\n\n- one\n- two\n\n{_WORDS * 8}"}
        for n in range(1, 31)
    ]
    documents: dict[str, Any] = {
        "session_objects": {
            "objects": [
                {"id": f"req-{n}", "kind": "requirement", "title": f"Need {n}", "description": _WORDS}
                for n in range(1, 41)
            ]
        },
        "sow_objects": {"sections": sections},
        "loe_objects": {
            "rows": [
                {"id": f"row-{n}", "task": f"Task {n}", "role": f"Role {n % 5}", "optimistic_hours": 1,
                 "likely_hours": 2, "pessimistic_hours": 4, "rate_minor": 10_000}
                for n in range(1, 101)
            ]
        },
        "diagram_texts_json": {"diagrams": [{"id": "dia-1", "title": "Overview", "language": "mermaid", "text": FLOW}]},
        "visual_assets_json": {},
    }  # fmt: skip
    return Content(
        session_id=1, uuid=uuid4(), organization_id=uuid4(), title="A session of many pages", client="Fabrikam",
        session_type="solution", is_template=False, tags=(), author_name="Ada", revision=1,
        revised_at=dt.datetime(2026, 11, 29, tzinfo=dt.UTC), documents=documents, digest=digest_of(documents),
        branding=Branding("Northwind", None, {}), readiness_gate="warn",
    )  # fmt: skip


def _rows(content: Content) -> list[list[str]]:
    return [["Task", "Role", "Hours"], *(
        [row["task"], row["role"], str(row["likely_hours"])] for row in content.documents["loe_objects"]["rows"]
    )]  # fmt: skip


def _weasyprint(content: Content) -> bytes:
    from weasyprint import HTML

    parts = [f"<h1>{escape(content.title)}</h1>"]
    needs, sections = content.documents["session_objects"]["objects"], content.documents["sow_objects"]["sections"]
    parts += [f"<p><b>{escape(need['title'])}</b> {escape(need['description'])}</p>" for need in needs]
    parts += [f"<h2>{escape(section['title'])}</h2>{to_html(section['markdown'])}" for section in sections]
    cells = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in _rows(content))
    parts += [f"<table>{cells}</table>", str(diagrams.draw(FLOW).svg)]
    made: bytes = HTML(string="".join(parts)).write_pdf()
    return made


def _reportlab(content: Content) -> bytes:
    """The text and the table alone: ReportLab has no SVG of its own, so its side is lighter by the diagram."""
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Table

    styles, story = getSampleStyleSheet(), []
    story.append(Paragraph(escape(content.title), styles["Title"]))
    story += [
        Paragraph(f"<b>{escape(need['title'])}</b> {escape(need['description'])}", styles["Normal"])
        for need in content.documents["session_objects"]["objects"]
    ]
    for section in content.documents["sow_objects"]["sections"]:
        story.append(Paragraph(escape(section["title"]), styles["Heading2"]))
        for block in to_blocks(section["markdown"]):
            for line in block.blocks or (block,):
                inner = line.blocks[0] if line.blocks else line
                story.append(Paragraph(escape("".join(span.text for span in inner.spans)), styles["Normal"]))
    story.append(Table(_rows(content), repeatRows=1))
    sink = io.BytesIO()
    SimpleDocTemplate(sink).build(story)
    return sink.getvalue()
