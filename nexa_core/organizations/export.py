"""The list of organizations as a file: exactly what a filter shows, as CSV or XLSX, written row by row."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any, Literal

import xlsxwriter
from sqlalchemy import Row

from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.audit import note
from nexa_core.billing.cells import neutral
from nexa_core.db import recording
from nexa_core.organizations.filters import Filter
from nexa_core.organizations.listing import listed, row_of
from nexa_core.organizations.models import Organization

Form = Literal["csv", "xlsx"]
COLUMNS = (
    "Name", "Slug", "Status", "Plan", "Subscription", "Members", "Credits used", "Allowance", "Last activity",
    "Account manager", "Domain", "Billing address", "Tax id", "Country", "Time zone", "Demo", "Created",
)  # fmt: skip
_ROWS_AT_ONCE = 500
_IN_MEMORY = 1_048_576


def export(actor: Actor, *, wanted: Filter, sort: str = "name", form: Form = "csv") -> IO[bytes]:
    """The organizations a filter shows, in the order of the list, as a file to read from its beginning.

    Texts that a spreadsheet would run as a formula are neutralised: in CSV by an apostrophe before them, in XLSX by
    being stored as text. Raises Forbidden without ORGANIZATIONS_BROWSE and Invalid for what no list can show. The audit
    log keeps who exported how many.
    """
    extra = (
        Organization.domain, Organization.billing_email, Organization.tax_id, Organization.address,
        Organization.time_zone,
    )  # fmt: skip
    found = listed(actor, wanted, sort=sort, extra=extra).execution_options(yield_per=_ROWS_AT_ONCE)
    sink: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  the caller reads and closes it
    try:
        with recording(actor, Action.ORGANIZATIONS_EXPORTED) as db:
            count = _WRITERS[form](sink, _cells(db.execute(found)))
            note(db, "organization", None, {"organizations": count, "form": form})
        sink.seek(0)
    except BaseException:
        sink.close()
        raise
    return sink


def _cells(found: Iterable[Row[*tuple[Any, ...]]]) -> Iterator[list[Any]]:
    for row in found:
        listing = row_of(row)
        country = row.address.get("country") if isinstance(row.address, dict) else None
        yield [
            listing.name, listing.slug, listing.status, listing.plan, listing.subscription_status, listing.members,
            listing.credits_used, listing.credits_allowance, listing.last_activity, listing.account_manager, row.domain,
            row.billing_email, row.tax_id, country, row.time_zone, "yes" if listing.is_demo else "no",
            listing.created_at.date(),
        ]  # fmt: skip


def _csv(sink: IO[bytes], rows: Iterable[list[Any]]) -> int:
    count = 0
    lines = io.TextIOWrapper(sink, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(lines)
    writer.writerow(COLUMNS)
    for cells in rows:
        writer.writerow(["" if cell is None else neutral(cell) for cell in cells])
        count += 1
    lines.detach()  # the file is the caller's to read: the wrapper must not close it
    return count


def _xlsx(sink: IO[bytes], rows: Iterable[list[Any]]) -> int:
    count = 0
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "in_memory": False}
    with xlsxwriter.Workbook(sink, options) as workbook:
        sheet = workbook.add_worksheet("Organizations")
        heading, day = workbook.add_format({"bold": True}), workbook.add_format({"num_format": "yyyy-mm-dd"})
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(COLUMNS) - 1, 18)
        for column, name in enumerate(COLUMNS):
            sheet.write_string(0, column, name, heading)
        for cells in rows:
            count += 1
            for column, cell in enumerate(cells):
                if isinstance(cell, str):
                    sheet.write_string(count, column, cell)
                elif isinstance(cell, int):
                    sheet.write_number(count, column, cell)
                elif cell is not None:
                    sheet.write_datetime(count, column, cell, day)
    return count


_WRITERS: dict[Form, Callable[[IO[bytes], Iterable[list[Any]]], int]] = {"csv": _csv, "xlsx": _xlsx}
