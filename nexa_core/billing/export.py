"""An invoice as PDF, CSV and XLSX: the same lines and the same integers, and what each word means."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import typst
import xlsxwriter

from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.audit import note
from nexa_core.billing.cells import neutral
from nexa_core.billing.invoices import ROUNDING, Invoice, invoice
from nexa_core.billing.line_events import LineEvent, all_line_events
from nexa_core.billing.lines import Line, named_event
from nexa_core.billing.money import decimal, digits, written
from nexa_core.db import recording
from nexa_core.errors import Invalid

Form = Literal["pdf", "csv", "xlsx"]
#: The columns of the lines, and what each holds.
DEFINITIONS = {
    "Invoice": "The organization's slug and the month.",
    "Line": "Names the line; the running period's lines may still change.",
    "Kind": "base: fee of a plan; seats: seats over the plan's; included: credits within the allowance; "
    "overage: credits over it; credit, refund: money given back.",
    "Description": "What is charged.",
    "Derivation": "What the amount follows from.",
    "From": "Beginning of what the line covers, in the organization's time zone.",
    "Until": "End of it, itself not covered.",
    "Quantity": "Months, seats or credits.",
    "Unit price": "Price of as many units as stand in the next column.",
    "Per": "How many units the unit price buys.",
    "Amount": "What the line adds to the total; negative where money is given back. No tax.",
    "Amount (minor units)": "The same as a whole number of the currency's smallest unit.",
    "Currency": "ISO 4217.",
    "Events": "How many usage events stand behind the line.",
}
_EVENT_COLUMNS = (
    "Time (UTC)", "Type", "Credits", "Credits of this line", "Person", "Session", "Session title", "Revision", "Event",
)  # fmt: skip
_IN_MEMORY = 1_048_576
_TEMPLATE = (Path(__file__).parent / "invoice.typ").read_bytes()


def export_invoice(actor: Actor, *, organization_id: UUID, period: str | None = None, form: Form = "pdf") -> IO[bytes]:
    """The invoice of a period as a file to read from its beginning. The audit log keeps who exported it.

    Raises as ``invoice`` does, Invalid for a form that is none.
    """
    if form not in _WRITERS:
        raise Invalid("An invoice comes as PDF, CSV or XLSX.", field="form")
    found = invoice(actor, organization_id=organization_id, period=period)
    sink: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  the caller reads and closes it
    try:
        _WRITERS[form](sink, found)
        _record(actor, found, {"invoice": found.number, "form": form, "total_minor": found.total_minor})
        sink.seek(0)
    except BaseException:
        sink.close()
        raise
    return sink


def export_events(actor: Actor, *, organization_id: UUID, period: str | None, line: str) -> IO[bytes]:
    """Every event of a line as CSV. Raises as ``line_events`` does."""
    found = invoice(actor, organization_id=organization_id, period=period)
    found.line(line)
    sink: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  the caller reads and closes it
    try:
        events = all_line_events(actor, organization_id=organization_id, period=found.period.name, line=line)
        _write_csv(sink, _EVENT_COLUMNS, (_event_cells(event) for event in events))
        _record(actor, found, {"invoice": found.number, "form": "csv", "line": line})
        sink.seek(0)
    except BaseException:
        sink.close()
        raise
    return sink


def _record(actor: Actor, found: Invoice, values: dict[str, Any]) -> None:
    with recording(actor, Action.INVOICE_EXPORTED) as db:
        note(db, "invoice", None, values, organization_id=found.organization_id)


def _csv(sink: IO[bytes], found: Invoice) -> None:
    _write_csv(sink, tuple(DEFINITIONS), (_cells(found, line) for line in found.lines))


def _write_csv(sink: IO[bytes], columns: Iterable[str], rows: Iterable[list[Any]]) -> None:
    lines = io.TextIOWrapper(sink, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(lines)
    writer.writerow(columns)
    for cells in rows:
        writer.writerow(["" if cell is None else neutral(cell) for cell in cells])
    lines.detach()  # the file is the caller's to read: the wrapper must not close it


def _xlsx(sink: IO[bytes], found: Invoice) -> None:
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "in_memory": False}
    with xlsxwriter.Workbook(sink, options) as workbook:
        bold = workbook.add_format({"bold": True})
        places = digits(found.currency)
        money = workbook.add_format({"num_format": "#,##0" + ("." + "0" * places if places else "")})
        sheet = workbook.add_worksheet("Invoice")
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(DEFINITIONS) - 1, 16)
        sheet.set_column(3, 4, 48)
        for column, name in enumerate(DEFINITIONS):
            sheet.write_string(0, column, name, bold)
        rows = [_cells(found, line) for line in found.lines]
        total = [found.number, "total", "total", "Total", "The sum of the lines", *[None] * 5,
                 decimal(found.total_minor, found.currency), found.total_minor, found.currency, None]  # fmt: skip
        for number, cells in enumerate([*rows, total], start=1):
            for column, cell in enumerate(cells):
                if isinstance(cell, str):
                    sheet.write_string(number, column, cell)
                elif cell is not None:
                    sheet.write_number(number, column, cell, money if column in (8, 10) else None)
        words = workbook.add_worksheet("Definitions")
        words.set_column(0, 0, 24)
        words.set_column(1, 1, 110)
        facts = {
            "Organization": found.name,
            "Period": f"{found.period.name}, calendar month in {found.period.time_zone}, its end not included",
            "State": "running: a preview" if found.period.is_running else "ended",
            "Rounding": ROUNDING,
        }
        for number, (name, meaning) in enumerate({**facts, **DEFINITIONS}.items()):
            words.write_string(number, 0, name, bold)
            words.write_string(number, 1, meaning)


def _pdf(sink: IO[bytes], found: Invoice) -> None:
    """By typst, from a template that takes the invoice as JSON: what stands in it is shown, never run."""
    zone = ZoneInfo(found.period.time_zone)
    first, last = found.period.starts.astimezone(zone), found.period.ends.astimezone(zone)
    address = [
        str(found.address[key]) for key in ("street", "postal_code", "city", "country") if found.address.get(key)
    ]
    data = {
        "number": found.number, "name": found.name, "address": address, "tax_id": found.tax_id or "",
        "mail": found.billing_email or "",
        "period": f"{first:%Y-%m-%d} until {last:%Y-%m-%d}, {found.period.time_zone}",
        "preview": found.period.is_running, "rounding": ROUNDING,
        "total": written(found.total_minor, found.currency),
        "lines": [
            {"title": line.title, "derivation": line.derivation, "amount": written(line.amount_minor, found.currency)}
            for line in found.lines
        ],
    }  # fmt: skip
    sink.write(typst.compile(_TEMPLATE, sys_inputs={"invoice": json.dumps(data)}, ignore_system_fonts=True))


def _cells(found: Invoice, line: Line) -> list[Any]:
    zone = ZoneInfo(found.period.time_zone)
    since, until = (f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}" for at in (line.since, line.until))
    return [
        found.number, line.key, line.kind, line.title, line.derivation, since, until, line.quantity,
        decimal(line.unit_minor, found.currency), line.unit_quantity, decimal(line.amount_minor, found.currency),
        line.amount_minor, found.currency, line.events,
    ]  # fmt: skip


def _event_cells(event: LineEvent) -> list[Any]:
    return [
        event.occurred_at.isoformat(), named_event(event.event_type), event.credits, event.billed, event.person,
        event.session_uuid and str(event.session_uuid), event.session_title, event.revision, str(event.id),
    ]  # fmt: skip


_WRITERS = {"pdf": _pdf, "csv": _csv, "xlsx": _xlsx}
