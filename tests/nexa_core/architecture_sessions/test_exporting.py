"""Exports: what is in the files, and that each is billed once, whatever happens."""

from __future__ import annotations

import io
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import docx
import openpyxl
import pypdf
import pytest

from nexa_core import architecture_sessions as sessions
from nexa_core.architecture_sessions import printing
from nexa_core.errors import Conflict, Forbidden, Invalid, LimitExceeded, NotFound
from tests.databases import TestDatabase
from tests.nexa_core.architecture_sessions.conftest import Cast
from tests.nexa_core.architecture_sessions.documents import documents
from tests.worlds import World

HOSTILE = '#panic("x") #set page(fill: red) $a$ *b* @ref <label> =1+1'


def hostile() -> dict[str, Any]:
    """Documents that try to be code to typst, XML, Markdown and a spreadsheet."""
    made = documents()
    made["sow_objects"]["sections"].append(
        {
            "id": "sec-3",
            "title": HOSTILE,
            "markdown": f"{HOSTILE}\n\n<script>alert(1)</script> ]]> \x0b\n\n```\n#x\n```",
        }
    )
    made["sow_objects"]["deliverables"][0]["title"] = HOSTILE
    made["session_objects"]["objects"][0]["title"] = HOSTILE
    made["loe_objects"]["rows"][0] |= {"task": "=HYPERLINK(1)", "role": "+cmd|' /C calc'!A0"}
    made["diagram_texts_json"]["diagrams"] += [
        {"id": "dia-2", "title": "Deployment", "language": "dot", "text": "digraph { a -> b }"},
        {"id": "dia-3", "title": "Broken", "language": "mermaid", "text": "flowchart LR\n a ]] b"},
    ]
    return made


@pytest.fixture
def uuid(cast: Cast) -> UUID:
    return sessions.create(cast.ada, title="Portal: #1 <Fabrikam>", client="Fabrikam", documents=hostile()).uuid


def text_of(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)


def test_the_pdf_has_everything_with_revision_and_digest_and_runs_nothing(cast: Cast, uuid: UUID) -> None:
    made = sessions.export(cast.ada, uuid=uuid, form="pdf")
    assert (made.name, made.media_type) == ("portal-1-fabrikam-r1.pdf", "application/pdf")
    text = text_of(made.content)
    flat = " ".join(text.split())
    for wanted in (
        "Portal: #1 <Fabrikam>", "For Fabrikam", "Northwind", '#panic("x") #set page(fill: red) $a$ *b* @ref',
        "<script>alert(1)</script>", "Server-rendered pages.", "Week", "=HYPERLINK(1)", "11,374.00",
        "Identity provider",
        "HTTPS",
        "DOT is drawn on screen only", "digraph { a -> b }", "Mermaid cannot read line 2", "Page 1 of",
        made.digest[:40],
    ):  # fmt: skip
        assert wanted in flat, wanted
    assert "Revision 1" in flat
    pages = pypdf.PdfReader(io.BytesIO(made.content)).pages
    assert all(made.digest in page.extract_text().replace("\n", "") for page in pages)
    assert not [name for page in pages for name in page.images if page.images], "a diagram became pixels"
    assert all(len(page.extract_text()) > 100 for page in pages), "a page is empty"


def test_only_the_chosen_pages_are_printed(cast: Cast, uuid: UUID) -> None:
    text = text_of(sessions.export(cast.ada, uuid=uuid, form="pdf", pages=["loe"]).content)
    assert "Level of effort" in text
    assert "We build a portal" not in text
    with pytest.raises(Invalid):
        sessions.export(cast.ada, uuid=uuid, form="pdf", pages=["audit"])
    with pytest.raises(Invalid):
        sessions.export(cast.ada, uuid=uuid, form="odt")


def test_the_docx_is_the_statement_of_work(cast: Cast, uuid: UUID) -> None:
    opened = docx.Document(io.BytesIO(sessions.export(cast.ada, uuid=uuid, form="docx").content))
    styles = [(p.style.name, p.text) for p in opened.paragraphs if p.style]
    assert ("Title", "Portal: #1 <Fabrikam>") in styles
    assert ("Heading 1", "Scope") in styles
    assert ("List Bullet", "A customer signs in within 10 s.") in styles
    assert any("<script>alert(1)</script>" in text for _, text in styles)
    assert [cell.text for cell in opened.tables[0].rows[1].cells] == ["1", "Start"]
    assert "SHA-256" in opened.sections[0].footer.paragraphs[0].text


def test_the_xlsx_computes_what_we_compute_and_runs_no_text(cast: Cast, uuid: UUID) -> None:
    content = sessions.export(cast.ada, uuid=uuid, form="xlsx").content
    formulas, values = (openpyxl.load_workbook(io.BytesIO(content), data_only=only)["Effort"] for only in (False, True))
    assert (formulas["A5"].value, formulas["A5"].data_type) == ("=HYPERLINK(1)", "s")
    assert (formulas["B5"].value, formulas["B5"].data_type) == ("+cmd|' /C calc'!A0", "s")
    assert (formulas["H5"].value, formulas["J5"].value) == ("=(D5+4*E5+F5)/6", "=ROUND(H5*G5,2)")
    found = sessions.estimate(hostile()["loe_objects"])
    total = next(row for row in values.iter_rows(values_only=True) if row[0] == "Total")
    assert (total[7], total[9]) == (pytest.approx(found.total_hours), found.total_minor / 100)
    kinds = {cell.data_type for row in formulas.iter_rows() for cell in row if isinstance(cell.value, str)}
    assert kinds == {"s", "f"}
    assert not [
        cell for row in formulas.iter_rows() for cell in row if cell.data_type == "f" and "HYPERLINK" in cell.value
    ]


def test_a_revision_of_the_past_is_exported_as_it_was(cast: Cast, uuid: UUID) -> None:
    before = sessions.export(cast.ada, uuid=uuid, form="json")
    view = sessions.get(cast.ada, uuid=uuid)
    sessions.save(cast.ada, uuid=uuid, version=view.version, documents={"sow_objects": {"sections": []}})
    now = sessions.export(cast.ada, uuid=uuid, form="json")
    again = sessions.export(cast.ada, uuid=uuid, form="json", revision=before.revision)
    assert (again.revision, again.digest) == (before.revision, before.digest)
    assert (now.revision, now.digest != before.digest) == (before.revision + 1, True)
    exported = json.loads(again.content)["sessions"][0]
    assert exported["documents"] == hostile()
    assert exported["sha256"] == again.digest
    with pytest.raises(NotFound):
        sessions.export(cast.ada, uuid=uuid, form="json", revision=99)


def test_a_hundred_parallel_retries_are_one_bill(cast: Cast, uuid: UUID, database: TestDatabase) -> None:
    def retry(_number: int) -> bool:
        return sessions.export(cast.ada, uuid=uuid, form="xlsx").billed

    with ThreadPoolExecutor(8) as pool:
        assert Counter(pool.map(retry, range(100))) == {True: 1, False: 99}
    with database.superuser() as connection:
        billed = connection.execute(
            "SELECT count(*), sum(credits_consumed), min(session_id) FROM usage_events WHERE event_type = 'xlsx_export'"
        ).fetchone()
        counted = connection.execute("SELECT used FROM usage_counters WHERE metric = 'xlsx_export'").fetchone()
        noted = connection.execute(
            "SELECT count(*), count(*) FILTER (WHERE new_values->>'billed' = 'true') FROM audit_logs"
            " WHERE action = 'session.exported'"
        ).fetchone()
        billed_to = connection.execute("SELECT id FROM ai_architecture_sessions").fetchone()
    assert billed_to is not None
    assert billed == (1, 1, billed_to[0])
    assert counted == (1,)
    assert noted == (100, 1)
    assert sessions.export(cast.bob, uuid=uuid, form="xlsx").billed is False, (
        "a colleague's repeat costs nothing either"
    )


def test_a_hard_limit_refuses_before_anything_is_drawn(
    cast: Cast, uuid: UUID, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions.export(cast.ada, uuid=uuid, form="docx")
    with database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        connection.execute("""UPDATE organizations SET usage_limits = '{"monthly_credits": 1, "hard": true}'""")
    monkeypatch.setattr("nexa_core.architecture_sessions.printing.pdf", lambda *_a, **_k: pytest.fail("it was drawn"))
    with pytest.raises(LimitExceeded):
        sessions.export(cast.ada, uuid=uuid, form="pdf")
    assert sessions.export(cast.ada, uuid=uuid, form="docx").billed is False, "what was paid for stays to be had"
    assert sessions.export(cast.ada, uuid=uuid, form="json").content


def test_who_types_while_a_file_is_made_is_in_nobodys_way(
    cast: Cast, uuid: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = printing.pdf

    def typed_meanwhile(*arguments: Any, **values: Any) -> bytes:
        sessions.save(cast.bob, uuid=uuid, version=None, documents={"sow_objects": {"sections": []}})
        return draw(*arguments, **values)

    sessions.save(cast.bob, uuid=uuid, version=1, changes=[sessions.Edit(("loe_objects", "currency"), "CHF")])
    monkeypatch.setattr(printing, "pdf", typed_meanwhile)
    made = sessions.export(cast.ada, uuid=uuid, form="pdf")
    assert made.billed and "We build a portal" in text_of(made.content)
    assert sessions.get(cast.ada, uuid=uuid).documents["sow_objects"] == {"sections": []}
    again = sessions.export(cast.ada, uuid=uuid, form="pdf", revision=made.revision)
    assert (again.digest, again.billed) == (made.digest, False), "a retry never bills twice"


def test_what_could_not_be_drawn_is_not_billed(
    cast: Cast, uuid: UUID, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: Any, **_values: Any) -> bytes:
        raise RuntimeError("the pen is broken")

    monkeypatch.setattr(printing, "pdf", broken)
    with pytest.raises(RuntimeError):
        sessions.export(cast.ada, uuid=uuid, form="pdf")
    with database.superuser() as connection:
        billed = "SELECT count(*) FROM usage_events WHERE event_type = 'pdf_export'"
        assert connection.execute(billed.encode()).fetchone() == (0,)
    monkeypatch.undo()
    assert sessions.export(cast.ada, uuid=uuid, form="pdf").billed


def test_a_bill_and_its_record_come_together_or_not_at_all(
    cast: Cast, uuid: UUID, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_arguments: Any, **_values: Any) -> None:
        raise RuntimeError("the record is lost")

    monkeypatch.setattr("nexa_core.audit.note", lost)
    with pytest.raises(RuntimeError):
        sessions.export(cast.ada, uuid=uuid, form="xlsx")
    with database.superuser() as connection:
        assert connection.execute("SELECT count(*) FROM usage_events WHERE event_type = 'xlsx_export'").fetchone() == (
            0,
        )


def test_who_may_export(cast: Cast, uuid: UUID) -> None:
    assert sessions.export(cast.eve, uuid=uuid, form="json").content  # a viewer reads, and takes what they read
    with pytest.raises(NotFound):
        sessions.export(cast.stranger, uuid=uuid, form="json")
    with pytest.raises(Forbidden):
        sessions.export(cast.manager, uuid=uuid, form="json")
    with pytest.raises(sessions.ReasonNeeded):
        sessions.export(cast.root, uuid=uuid, form="json")
    sessions.state_reason(cast.root, uuid=uuid, reason="ticket 7")
    assert sessions.export(cast.root, uuid=uuid, form="json").content
    sessions.trash(cast.ada, uuid=uuid)
    with pytest.raises(Conflict):
        sessions.export(cast.ada, uuid=uuid, form="json")


def test_progress_counts_the_diagrams_until_all_are_drawn(cast: Cast, uuid: UUID) -> None:
    steps = [sessions.draw_next(cast.ada, uuid=uuid)]
    while steps[-1].done < steps[-1].total:
        steps.append(sessions.draw_next(cast.ada, uuid=uuid))
        assert len(steps) < 5
    assert steps[-1].total == 2
    assert steps[-1].sentence == "Everything is drawn."
