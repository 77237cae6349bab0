"""Exports as somebody else's programs open them: pages of the PDF, formulas of the workbook after a change."""

from __future__ import annotations

import io
import math
import re
from statistics import NormalDist
from typing import Any

import numpy
import openpyxl
import pypdf
import pypdfium2
import pytest
import typst

from nexa_core import architecture_sessions as sessions
from tests.nexa_core.architecture_sessions.conftest import Cast
from tests.nexa_core.architecture_sessions.documents import documents

_WIDE = "flowchart LR\n" + "".join(f'  n{n}["Component {n}"] --> n{n + 1}["Component {n + 1}"]\n' for n in range(9))
_TALL = "flowchart TD\n" + "".join(f'  n{n}["Step {n}"] --> n{n + 1}["Step {n + 1}"]\n' for n in range(20))


def _large() -> dict[str, Any]:
    made = documents()
    made["diagram_texts_json"]["diagrams"] = [
        {"id": "dia-w", "title": "A wide one", "language": "mermaid", "text": _WIDE},
        {"id": "dia-t", "title": "A tall one", "language": "mermaid", "text": _TALL},
    ]
    made["loe_objects"]["rows"] = [
        {"id": f"row-{n}", "task": f"Task {n} of a long table", "role": f"Role {n % 3}", "deliverable": "dlv-1",
         "optimistic_hours": n, "likely_hours": 2 * n + 0.5, "pessimistic_hours": 4 * n, "rate_minor": 10_000 + n}
        for n in range(1, 91)
    ]  # fmt: skip
    made["sow_objects"]["sections"][0]["markdown"] = "受注から出荷まで **一日以内** に完了する。 주문 관리."
    return made


def test_wide_and_tall_diagrams_and_a_long_table_leave_no_page_empty(cast: Cast) -> None:
    uuid = sessions.create(cast.ada, title="Large", documents=_large()).uuid
    pages = pypdf.PdfReader(io.BytesIO(sessions.export(cast.ada, uuid=uuid, form="pdf").content)).pages
    texts = [page.extract_text() for page in pages]
    lying = [number for number, page in enumerate(pages) if page.mediabox.width > page.mediabox.height]
    assert len(lying) == 1 and "A wide one" in texts[lying[0]] and "Component 9" in texts[lying[0]]
    assert "Visuals" in texts[lying[0]], "the page's title is on it too, and not alone before it"
    assert all(len(text) > 150 for text in texts), "a page is empty"
    assert sum("Expected work" in text for text in texts) == 1, "a total stands once, not on every page of its table"
    assert sum("Task" in text and "Role" in text for text in texts) > 1, "the head of a table is on each of its pages"
    whole = " ".join("".join(texts).split())
    assert ("一日以内" in whole) != ("stands here as boxes" in whole), "what cannot be shown is said, and only then"


# Looked at ------------------------------------------------------------------------------------------------------------

#: Points of the margins in printing.typ, a little less for what a letter leans out by; header and footer stand in them.
_SIDE, _TOP, _BOTTOM = 62.0, 30.0, 30.0
_SCALE = 1.0


def _ink(page: Any) -> Any:
    """The page as a picture: how dark each point is, from 0 to 1, by row and column."""
    picture = page.render(scale=_SCALE, grayscale=True).to_numpy()
    return 1 - numpy.asarray(picture, dtype=float).reshape(picture.shape[0], picture.shape[1]) / 255


def _looked_at(content: bytes) -> list[tuple[str, Any]]:
    """The text and the picture of each page. Nothing is on a margin, neither as ink nor as text."""
    document = pypdfium2.PdfDocument(content)
    found = []
    for number, page in enumerate(document, start=1):
        ink, (width, height) = _ink(page), page.get_size()
        margins = {"top": ink[: int(_TOP)], "bottom": ink[-int(_BOTTOM) :], "left": ink[:, : int(_SIDE)],
                   "right": ink[:, -int(_SIDE) :]}  # fmt: skip
        for side, margin in margins.items():
            assert margin.max() < 0.1, f"there is something on the {side} margin of page {number}"
        text = page.get_textpage()
        for at in range(text.count_rects()):
            left, bottom, right, top = text.get_rect(at)
            assert _SIDE <= left <= right <= width - _SIDE, (
                f"page {number}: {text.get_text_bounded(left, bottom, right, top)}"
            )
            assert _BOTTOM <= bottom <= top <= height - _TOP, (
                f"page {number}: {text.get_text_bounded(left, bottom, right, top)}"
            )
        found.append((text.get_text_range(), ink))
    return found


def test_every_page_of_the_pdf_looks_like_one(cast: Cast) -> None:
    made = _large()
    made["sow_objects"]["deliverables"][0]["title"] = "Unbreakable" * 30
    made["sow_objects"]["sections"][1]["markdown"] = (
        "| " + " | ".join(["Wide column"] * 9) + " |\n" + "|---" * 9 + "|\n"
    )
    made["sow_objects"]["sections"][0]["markdown"] += f"\n\n{'k3y' * 60}\n\n```\n{'c0de' * 60}\n```"
    made["loe_objects"]["rows"][4] |= {"task": "x" * 300, "role": "y" * 120}
    uuid = sessions.create(cast.ada, title="Pneumonoultramicroscopic" * 4, documents=made).uuid
    pages = _looked_at(sessions.export(cast.ada, uuid=uuid, form="pdf").content)
    for number, (_, ink) in enumerate(pages, start=1):
        dark = (ink > 0.2).mean()
        assert 0.002 < dark < 0.3, f"page {number} is empty or black: {dark:.2%}"
        body = ink[int(len(ink) * 0.09) : -int(len(ink) * 0.1)]
        assert (body > 0.2).any(axis=1).mean() > 0.03, f"page {number} has a header and a footer alone"
    (wide,) = [ink for text, ink in pages if "A wide one" in text and ink.shape[1] > ink.shape[0]]
    assert _spread(wide, axis=0) > 0.8, "the wide diagram is as wide as its page allows"
    tall = next(ink for text, ink in pages if "Step 20" in text)
    assert _spread(tall, axis=1) > 0.7, "the tall diagram is as high as its page allows"


def _spread(ink: Any, axis: int) -> float:
    """Which part of the body's width (0) or height (1) lies between its first and its last ink."""
    height, width = ink.shape
    body = ink[int(height * 0.09) : -int(height * 0.1), int(_SIDE) : -int(_SIDE)]
    marked = numpy.flatnonzero((body > 0.2).any(axis=axis))
    return float((marked[-1] - marked[0]) / len((body > 0.2).any(axis=axis)))


def test_looking_at_a_page_finds_what_runs_off_it() -> None:
    """The control: the same text on a page with a margin and on one without."""
    source = '#set page(paper: "a4", margin: (x: 2.3cm, y: 2.4cm))\n'
    assert _looked_at(typst.compile((source + "Within the margins. " * 40).encode()))
    for faulty in (
        "#place(dx: -2cm)[On the margin]",
        "#box(width: 30cm, line(length: 30cm))",
        "#place(dy: 26cm)[Below]",
    ):
        with pytest.raises(AssertionError, match=r"margin|page 1"):
            _looked_at(typst.compile((source + "Within. " + faulty).encode()))


# Computed -------------------------------------------------------------------------------------------------------------


class _Workbook:
    """Computes the formulas that the export writes, as a spreadsheet does."""

    def __init__(self, content: bytes) -> None:
        self.book = openpyxl.load_workbook(io.BytesIO(content))

    def cell(self, sheet: str, first: str, last: str | None = None) -> Any:
        if last is not None:
            return [self.cell(sheet, one.coordinate) for row in self.book[sheet][f"{first}:{last}"] for one in row]
        found = self.book[sheet][first]
        if found.data_type != "f":
            return found.value
        formula = found.value[1:].replace("$", "").replace("_xlfn.NORM.S.INV", "INVERSE").replace("--EXACT", "EXACT")
        reference = r"(?:(\w+)!)?\b([A-Z]{1,2}\d+)(?::([A-Z]{1,2}\d+))?"
        python = re.sub(reference, lambda m: f"cell({m[1] or sheet!r}, {m[2]!r}, {m[3]!r})", formula)
        return eval(python, {"__builtins__": {}}, _FUNCTIONS | {"cell": self.cell})


_FUNCTIONS = {
    "SUM": sum, "MAX": max, "MIN": min, "SQRT": math.sqrt, "INVERSE": NormalDist().inv_cdf,
    "SUMSQ": lambda values: sum(value**2 for value in values),
    "ROUND": lambda value, places: math.floor(value * 10**places + 0.5) / 10**places,
    "EXACT": lambda values, wanted: [value == wanted for value in values],
    "SUMPRODUCT": lambda chosen, values: sum(value for take, value in zip(chosen, values, strict=True) if take),
}  # fmt: skip


def test_the_formulas_follow_a_change_as_our_own_figures_do(cast: Cast) -> None:
    made = _large()
    uuid = sessions.create(cast.ada, title="Large", documents=made).uuid
    opened = _Workbook(sessions.export(cast.ada, uuid=uuid, form="xlsx").content)
    effort = opened.book["Effort"]
    effort["E5"].value, effort["F7"].value = 77.5, 321  # somebody types other hours into the file
    made["loe_objects"]["rows"][0] |= {"likely_hours": 77.5, "pessimistic_hours": 80}
    effort["F5"].value = 80
    made["loe_objects"]["rows"][2]["pessimistic_hours"] = 321
    found = sessions.estimate(made["loe_objects"], made["sow_objects"])
    rows = {row[0].value: row[0].row for row in effort.iter_rows()}
    total = rows["Total"]
    assert opened.cell("Effort", f"H{total}") == pytest.approx(found.total_hours)
    assert opened.cell("Effort", f"J{total}") == pytest.approx(found.total_minor / 100, abs=0.02 * len(rows))
    second = opened.book.worksheets[1]
    by_role = {row[0].value: row[1].coordinate for row in second.iter_rows() if row[1].data_type == "f"}
    for role in found.by_role:
        assert opened.cell(second.title, by_role[role.title]) == pytest.approx(role.mean_hours)
