"""The level of effort as XLSX: formulas that live, figures that agree with ours, and no text that runs as a formula."""

from __future__ import annotations

import datetime as dt
import io
from collections import Counter
from typing import Any, Final

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell

from nexa_core.architecture_sessions.contents import Content
from nexa_core.architecture_sessions.effort import EffortTotal, Estimate, estimate, money

_COLUMNS: Final = (
    "Task", "Role", "Deliverable", "Optimistic h", "Likely h", "Pessimistic h", "Rate an hour", "PERT mean h",
    "Deviation h", "Cost",
)  # fmt: skip
_HEAD: Final = 4  # rows above the table's first
_D, _E, _F, _G, _H, _I, _J = range(3, 10)


def xlsx(content: Content) -> bytes:
    """Three sheets: the rows, the totals by role and deliverable, and where it comes from. Amounts in whole currency.

    A spreadsheet computes in binary floating point; its ROUND is half away from zero like ours, so a cost can differ
    from the PDF's by one minor unit a row at most, where the exact amount lies on half a unit.
    """
    found = estimate(content.documents.get("loe_objects"), content.documents.get("sow_objects"))
    names = Counter(total.title for total in found.by_deliverable)
    titles = {  # a total goes by the name, so no two may share one
        total.key: (total.title if names[total.title] == 1 else f"{total.title} ({total.key})") or "No deliverable"
        for total in found.by_deliverable
    }
    sink = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    with xlsxwriter.Workbook(sink, options) as workbook:
        workbook.set_properties(
            {"title": content.title, "author": content.author_name, "company": content.branding.name}
        )
        workbook.set_properties({"created": content.revised_at.astimezone(dt.UTC).replace(tzinfo=None)})
        formats = _Formats(workbook, found, content.branding.accent)
        last = _rows(workbook, formats, content, found, titles)
        _totals(workbook, formats, found, titles, last)
        _origin(workbook, formats, content)
    return sink.getvalue()


class _Formats:
    """How cells look."""

    def __init__(self, workbook: Any, found: Estimate, accent: str) -> None:
        decimals = "." + "0" * found.currency_digits if found.currency_digits else ""
        self.title = workbook.add_format({"bold": True, "font_size": 16})
        self.soft = workbook.add_format({"font_color": "#51636b"})
        self.head = workbook.add_format({"bold": True, "bottom": 2, "bottom_color": accent, "text_wrap": True})
        self.text = workbook.add_format({"text_wrap": True, "valign": "top"})
        self.hours = workbook.add_format({"num_format": "#,##0.0", "valign": "top"})
        self.money = workbook.add_format({"num_format": f"#,##0{decimals}", "valign": "top"})
        self.percent = workbook.add_format({"num_format": '0.##" %"'})
        self.bold = workbook.add_format({"bold": True, "top": 1})
        self.bold_hours = workbook.add_format({"bold": True, "top": 1, "num_format": "#,##0.0"})
        self.bold_money = workbook.add_format({"bold": True, "top": 1, "num_format": f"#,##0{decimals}"})


def _rows(workbook: Any, formats: _Formats, content: Content, found: Estimate, titles: dict[str, str]) -> int:
    """The sheet of the rows; answers the last row of the table, from 0."""
    sheet = workbook.add_worksheet("Effort")
    sheet.write_string(0, 0, content.title, formats.title)
    sheet.write_string(1, 0, f"Revision {content.revision}, amounts in {found.currency}", formats.soft)
    sheet.write_string(2, 0, "Contingency", formats.soft)
    sheet.write_number(2, 1, found.contingency_percent, formats.percent)
    sheet.freeze_panes(_HEAD, 1)
    sheet.set_column(0, 0, 42)
    sheet.set_column(1, 2, 24)
    sheet.set_column(3, 9, 13)
    for column, name in enumerate(_COLUMNS):
        sheet.write_string(_HEAD - 1, column, name, formats.head)
    digits = found.currency_digits
    for at, task in enumerate(found.tasks, _HEAD):
        sheet.write_string(at, 0, task.task, formats.text)
        sheet.write_string(at, 1, task.role, formats.text)
        sheet.write_string(at, 2, titles[task.deliverable], formats.text)
        for column, value in ((_D, task.optimistic_hours), (_E, task.likely_hours), (_F, task.pessimistic_hours)):
            sheet.write_number(at, column, value, formats.hours)
        sheet.write_number(at, _G, float(money(task.rate_minor, found.currency)), formats.money)
        low, likely, high, rate, mean = (xl_rowcol_to_cell(at, column) for column in (_D, _E, _F, _G, _H))
        sheet.write_formula(at, _H, f"=({low}+4*{likely}+{high})/6", formats.hours, task.mean_hours)
        sheet.write_formula(at, _I, f"=({high}-{low})/6", formats.hours, task.deviation_hours)
        cost = float(money(task.cost_minor, found.currency))
        sheet.write_formula(at, _J, f"=ROUND({mean}*{rate},{digits})", formats.money, cost)
    last = _HEAD + max(len(found.tasks), 1) - 1
    _sums(sheet, formats, found, last)
    if found.tasks:
        sheet.autofilter(_HEAD - 1, 0, last, len(_COLUMNS) - 1)
    return last


def _sums(sheet: Any, formats: _Formats, found: Estimate, last: int) -> None:
    def span(column: int) -> str:
        return f"{xl_rowcol_to_cell(_HEAD, column)}:{xl_rowcol_to_cell(last, column)}"

    def amount(minor: int) -> float:
        return float(money(minor, found.currency))

    work, extra, total = last + 1, last + 2, last + 3
    hours_at, cost_at = xl_col_to_name(_H), xl_col_to_name(_J)
    for at, name in ((work, "Expected work"), (extra, "Contingency"), (total, "Total")):
        sheet.write_string(at, 0, name, formats.bold)
    sheet.write_formula(work, _H, f"=SUM({span(_H)})", formats.bold_hours, found.mean_hours)
    sheet.write_formula(work, _I, f"=SQRT(SUMSQ({span(_I)}))", formats.bold_hours, found.deviation_hours)
    sheet.write_formula(work, _J, f"=SUM({span(_J)})", formats.bold_money, amount(found.cost_minor))
    sheet.write_formula(extra, _H, f"={hours_at}{work + 1}*$B$3/100", formats.bold_hours, found.contingency_hours)
    sheet.write_formula(
        extra, _J, f"=ROUND({cost_at}{work + 1}*$B$3/100,{found.currency_digits})", formats.bold_money,
        amount(found.contingency_minor),
    )  # fmt: skip
    sheet.write_formula(
        total, _H, f"={hours_at}{work + 1}+{hours_at}{extra + 1}", formats.bold_hours, found.total_hours
    )
    sheet.write_formula(
        total, _J, f"={cost_at}{work + 1}+{cost_at}{extra + 1}", formats.bold_money, amount(found.total_minor)
    )
    for at, likely in enumerate(found.ranges, total + 2):
        z = f"NORM.S.INV({0.5 + likely.confidence / 2})"
        mean, deviation = f"{hours_at}{work + 1}", f"{xl_col_to_name(_I)}{work + 1}"
        lowest, highest = f"SUM({span(_D)})", f"SUM({span(_F)})"
        sheet.write_string(at, 0, f"With {likely.confidence:.0%} likelihood between", formats.soft)
        low = f"=MAX({mean}-_xlfn.{z}*{deviation},{lowest})"
        high = f"=MIN({mean}+_xlfn.{z}*{deviation},{highest})"
        sheet.write_formula(at, _H, low, formats.hours, likely.low_hours)
        sheet.write_formula(at, _I, high, formats.hours, likely.high_hours)


def _totals(workbook: Any, formats: _Formats, found: Estimate, titles: dict[str, str], last: int) -> None:
    sheet = workbook.add_worksheet("Totals")
    sheet.set_column(0, 0, 42)
    sheet.set_column(1, 2, 16)
    at = 0
    for name, column, totals in (("Role", 1, found.by_role), ("Deliverable", 2, found.by_deliverable)):
        for place, heading in enumerate((name, "PERT mean h", f"Cost, {found.currency}")):
            sheet.write_string(at, place, heading, formats.head)
        keys = f"Effort!${xl_col_to_name(column)}${_HEAD + 1}:${xl_col_to_name(column)}${last + 1}"
        for total in totals:
            at += 1
            title = titles[total.key] if column == 2 else total.title
            sheet.write_string(at, 0, title, formats.text)
            _total(sheet, formats, found, total, at, keys, last)
        at += 3


def _total(sheet: Any, formats: _Formats, found: Estimate, total: EffortTotal, at: int, keys: str, last: int) -> None:
    """One total as SUMPRODUCT of an exact comparison: SUMIF would take ``*`` and ``>5`` in a name for a pattern."""
    cost = float(money(total.cost_minor, found.currency))
    for place, column, shape, value in ((1, _H, formats.hours, total.mean_hours), (2, _J, formats.money, cost)):
        name = xl_col_to_name(column)
        values = f"Effort!${name}${_HEAD + 1}:${name}${last + 1}"
        sheet.write_formula(at, place, f"=SUMPRODUCT(--EXACT({keys},A{at + 1}),{values})", shape, value)


def _origin(workbook: Any, formats: _Formats, content: Content) -> None:
    sheet = workbook.add_worksheet("About")
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 70)
    facts = (
        ("Session", content.title), ("Client", content.client or ""), ("Organization", content.branding.name),
        ("Author", content.author_name), ("Revision", str(content.revision)),
        ("Saved", f"{content.revised_at:%Y-%m-%d %H:%M} UTC"), ("SHA-256", content.digest),
        ("Method", "PERT: (o + 4m + p) / 6; tasks independent; costs rounded half up, once a row"),
    )  # fmt: skip
    for at, (name, value) in enumerate(facts):
        sheet.write_string(at, 0, name, formats.soft)
        sheet.write_string(at, 1, value, formats.text)
