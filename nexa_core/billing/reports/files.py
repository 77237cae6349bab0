"""Tables as files: CSV in pieces, XLSX row by row with a sheet of definitions. Memory does not grow with the rows."""

from __future__ import annotations

import csv
import datetime as dt
import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

import xlsxwriter

from nexa_core.billing.cells import neutral

_ROWS_AT_ONCE = 1_000
_CHUNK = 1 << 16
#: Rows of a sheet, its heading apart; what is more goes on in another one (ECMA-376).
_SHEET_ROWS = 1_048_575


@dataclass(frozen=True, slots=True)
class Column:
    """A heading and what stands below it, for the sheet of definitions."""

    name: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table for a file; ``about`` is what it shows, said once: of whom, when, in which time zone, by whom."""

    name: str
    columns: Sequence[Column]
    rows: Iterable[Sequence[Any]]
    about: Sequence[tuple[str, str]]


def as_csv(sheet: Sheet) -> Iterator[bytes]:
    """The table as CSV (RFC 4180, UTF-8 with a byte order mark), in pieces."""
    lines = io.StringIO()
    writer = csv.writer(lines)
    lines.write("\ufeff")
    writer.writerow([column.name for column in sheet.columns])
    for count, cells in enumerate(sheet.rows, start=1):
        writer.writerow([_text(cell) for cell in cells])
        if count % _ROWS_AT_ONCE == 0:
            yield lines.getvalue().encode()
            lines.seek(0)
            lines.truncate()
    yield lines.getvalue().encode()


def as_xlsx(sheet: Sheet) -> Iterator[bytes]:
    """The table as a workbook, in pieces; it is written to a temporary file before the first of them."""
    with tempfile.TemporaryFile() as file:
        _write(file, sheet)
        file.seek(0)
        while piece := file.read(_CHUNK):
            yield piece


def _write(file: IO[bytes], sheet: Sheet) -> None:
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as book:
        bold = book.add_format({"bold": True})
        formats = {
            dt.date: book.add_format({"num_format": "yyyy-mm-dd"}),
            dt.datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
            int: book.add_format({"num_format": "#,##0"}),
        }
        rows, number = iter(sheet.rows), 0
        more = True
        while more:
            number += 1
            page = book.add_worksheet(sheet.name if number == 1 else f"{sheet.name} {number}")
            page.freeze_panes(1, 0)
            page.set_column(0, len(sheet.columns) - 1, 20)
            for place, column in enumerate(sheet.columns):
                page.write_string(0, place, column.name, bold)
            more = _fill(page, rows, formats)
        _define(book.add_worksheet("Definitions"), sheet, bold)


def _fill(page: Any, rows: Iterator[Sequence[Any]], formats: dict[type, Any]) -> bool:
    """Fill one sheet; whether it is full."""
    for line in range(1, _SHEET_ROWS + 1):
        cells = next(rows, None)
        if cells is None:
            return False
        for place, cell in enumerate(cells):
            if isinstance(cell, str):
                page.write_string(line, place, cell)
            elif isinstance(cell, int):
                page.write_number(line, place, cell, formats[int])
            elif isinstance(cell, dt.datetime):
                page.write_datetime(line, place, cell.replace(tzinfo=None), formats[dt.datetime])
            elif isinstance(cell, dt.date):
                page.write_datetime(line, place, cell, formats[dt.date])
            elif cell is not None:
                page.write_string(line, place, str(cell))
    return True


def _define(page: Any, sheet: Sheet, bold: Any) -> None:
    page.set_column(0, 0, 28)
    page.set_column(1, 1, 110)
    line = 0
    for name, value in sheet.about:
        page.write_string(line, 0, name, bold)
        page.write_string(line, 1, value)
        line += 1
    line += 1
    page.write_string(line, 0, "Column", bold)
    page.write_string(line, 1, "What it means", bold)
    for column in sheet.columns:
        line += 1
        page.write_string(line, 0, column.name)
        page.write_string(line, 1, column.meaning)


def _text(cell: object) -> object:
    if cell is None:
        return ""
    if isinstance(cell, dt.datetime):
        return cell.replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")
    return neutral(cell)
