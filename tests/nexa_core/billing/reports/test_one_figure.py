"""One number has one definition: screen, API, CSV, XLSX, invoice and the events themselves say the same integer."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import openpyxl
import pytest

from nexa_core import billing
from nexa_core.billing import reports
from nexa_core.billing.reports import periods
from pages._ui import menu
from tests.nexa_core.billing.reports.conftest import Used, make_used
from tests.pages.conftest import Shell, shell  # noqa: F401 - a fixture
from tests.pages.test_gate import _open
from tests.promises.audited_rows import ORIGIN, Client
from tests.worlds import PASSWORD, World

_RAW = """
SELECT coalesce(sum(e.credits_consumed), 0)::bigint FROM organizations o LEFT JOIN usage_events e
    ON e.organization_id = o.id AND (e.occurred_at AT TIME ZONE o.time_zone)::date >= %(since)s
    AND (e.occurred_at AT TIME ZONE o.time_zone)::date < %(until)s
WHERE o.id = %(organization)s
"""
_INVOICED = """
SELECT coalesce(sum(l.quantity), 0)::bigint FROM organizations o
CROSS JOIN nexa.invoice_lines(o.id, %(since)s::timestamp AT TIME ZONE o.time_zone) l
WHERE o.id = %(organization)s AND l.kind IN ('included', 'overage')
"""
_CHARGED = """
SELECT sum(l.amount_minor)::bigint FROM organizations o
CROSS JOIN nexa.invoice_lines(o.id, %(since)s::timestamp AT TIME ZONE o.time_zone) l WHERE o.id = %(organization)s
"""


class Asking:
    """The API as one person."""

    def __init__(self, email: str) -> None:
        from nexa_core import accounts

        pair = accounts.issue_tokens(ORIGIN, email=email, password=PASSWORD)
        self._header, self._client = {"authorization": f"Bearer {pair.access_token}"}, Client()

    def json(self, path: str) -> Any:
        return self.get(path).json()

    def csv(self, path: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.get(path).content.decode("utf-8-sig"))))

    def xlsx(self, path: str) -> tuple[list[dict[str, Any]], str]:
        """The rows of the first sheet, and all that stands on the sheet of definitions."""
        book = openpyxl.load_workbook(io.BytesIO(self.get(path).content), read_only=True)
        head, *rows = book.worksheets[0].iter_rows(values_only=True)
        words = " ".join(str(cell) for row in book["Definitions"].iter_rows(values_only=True) for cell in row)
        return [dict(zip(map(str, head), row, strict=True)) for row in rows], words

    def get(self, path: str) -> Any:
        address = path if path.startswith("/") else f"/api/usage/{path}"
        answer = self._client.get(address, headers=self._header)
        assert answer.status_code == 200, answer.text
        return answer


def _pages(asking: Asking, path: str) -> Iterator[dict[str, Any]]:
    after = ""
    while True:
        page = asking.json(f"{path}&limit=97" + (f"&after={after}" if after else ""))
        yield from page["items"]
        if (after := (page["next_cursor"] or "").replace("+", "%2B")) == "":
            return


def said_of(asking: Asking, organization: UUID, period: str) -> dict[str, int]:
    """The credits of an organization's month, wherever they are told."""
    of = f"organization={organization}&period={period}"
    sheet, definitions = asking.xlsx(f"events.xlsx?{of}")
    assert "Credits" in definitions and "Time zone" in definitions
    days, _ = asking.xlsx(f"days.xlsx?{of}")
    return {
        "summary": asking.json(f"summary?{of}")["credits"],
        "its days": sum(asking.json(f"summary?{of}")["days"]),
        "types": sum(part["credits"] for part in asking.json(f"breakdown?{of}&by=type")),
        "people": sum(part["credits"] for part in asking.json(f"breakdown?{of}&by=person")),
        "sessions": sum(part["credits"] for part in asking.json(f"breakdown?{of}&by=session")),
        "hours": sum(hour["credits"] for hour in asking.json(f"hours?{of}")),
        "events": sum(event["credits"] for event in _pages(asking, f"events?{of}")),
        "events.csv": sum(int(row["Credits"]) for row in asking.csv(f"events.csv?{of}")),
        "events.xlsx": sum(row["Credits"] for row in sheet),
        "days.csv": sum(int(row["Credits"]) for row in asking.csv(f"days.csv?{of}")),
        "days.xlsx": sum(row["Credits"] for row in days),
    }


@pytest.mark.parametrize("seed", [11, 12])
def test_every_door_says_the_same_number(world: World, shell: Shell, seed: int) -> None:  # noqa: F811
    used = make_used(world.database, world, seed)
    asking = Asking("mara@nexa.example")
    months = reports.latest(3)
    for month in months:
        period, whole = reports.word(month), {}
        for organization in (used.berlin, used.tokyo, used.demo):
            names = {"organization": organization, "since": month, "until": periods.after(month)}
            with used.database.superuser() as connection:
                raw = connection.execute(_RAW, names).fetchone()
                invoiced = connection.execute(_INVOICED, names).fetchone()
            assert raw and invoiced
            whole[str(organization)] = raw[0]
            said = {**said_of(asking, organization, period), "invoice": invoiced[0]}
            assert said == dict.fromkeys(said, raw[0])
        listed, _ = asking.xlsx(f"customers.xlsx?period={period}")
        days = asking.json(f"by-day?period={period}&split=customer")
        across = {
            "portfolio": asking.json(f"portfolio?period={period}")["credits"],
            "customers": sum(one["used"] for one in _pages(asking, f"customers?period={period}")),
            "customers.csv": sum(int(row["Credits"]) for row in asking.csv(f"customers.csv?period={period}")),
            "customers.xlsx": sum(row["Credits"] for row in listed),
            "by day": sum(point["credits"] for point in days),
            "by plan": sum(p["credits"] for p in asking.json(f"by-day?period={period}&split=plan")),
            "by-day.csv": sum(int(row["Credits"]) for row in asking.csv(f"by-day.csv?period={period}")),
        }
        assert across == dict.fromkeys(across, sum(whole.values()))
        if month == months[0]:
            _screens_say(shell, world, used, whole)


def _screens_say(shell: Shell, world: World, used: Used, whole: dict[str, int]) -> None:  # noqa: F811
    app = _open(shell(world.sign_in(used.mara.user_id, used.platform)), menu.PORTFOLIO.path)
    assert not app.exception and not app.error
    assert _number(app, "Credits") == sum(whole.values())
    listed = next(table.value for table in app.dataframe if "Customer" in table.value)
    assert dict(zip(listed["Customer"], listed["Credits"], strict=True)) == {
        name: whole[str(organization)]
        for name, organization in (
            ("Berlin Works", used.berlin),
            ("Tokyo Works", used.tokyo),
            ("Demo Works", used.demo),
        )
    }
    owner = world.sign_in(used.owner.user_id, used.berlin)
    app = _open(shell(owner), menu.USAGE.path)
    assert not app.exception and not app.error
    assert _number(app, "Credits") == whole[str(used.berlin)]
    app = _open(shell(owner), menu.BILLING.path)
    assert not app.exception and not app.error
    assert _number(app, "Credits used") == whole[str(used.berlin)]
    lines, months = (table.value for table in app.dataframe)
    assert months["Credits used"][0] == whole[str(used.berlin)]
    assert lines["Amount"][0] and months["Total"][0] == next(m.value for m in app.metric if m.label == "Total")


def test_every_door_says_the_same_money(used: Used, world: World, shell: Shell) -> None:  # noqa: F811
    asking, of = Asking("mara@nexa.example"), f"/api/billing/invoices/{used.berlin}"
    period = reports.word(reports.month(None))
    names = {"organization": used.berlin, "since": reports.month(None)}
    with used.database.superuser() as connection:
        raw = connection.execute(_CHARGED, names).fetchone()
    assert raw and raw[0] > 0
    rows = asking.csv(f"{of}/file?form=csv&period={period}")
    book = openpyxl.load_workbook(io.BytesIO(asking.get(f"{of}/file?form=xlsx&period={period}").content))
    head, *lines = book["Invoice"].iter_rows(values_only=True)
    app = _open(shell(world.sign_in(used.owner.user_id, used.berlin)), menu.BILLING.path)
    assert not app.exception and not app.error
    revenue = asking.json(f"revenue?period={period}&manager={used.mara.user_id}")
    screen = next(metric.value for metric in app.metric if metric.label == "Total")
    said = {
        "invoice": asking.get(f"{of}/invoice?period={period}").json()["total_minor"],
        "list of invoices": asking.get(of).json()[0]["total_minor"],
        "invoice.csv": sum(int(row["Amount (minor units)"]) for row in rows),
        "invoice.xlsx": lines[-1][head.index("Amount (minor units)")],
        "screen": billing.parsed(screen.removesuffix(" EUR"), "EUR"),
        "revenue": sum(one["minor"] for one in revenue),
    }
    assert said == dict.fromkeys(said, raw[0])


def _number(app: Any, label: str) -> int:
    return int(next(metric.value for metric in app.metric if metric.label == label).replace(",", ""))


def test_the_control_an_event_behind_the_counters_back_is_noticed(used: Used) -> None:
    with used.database.superuser() as connection:
        connection.execute(
            "INSERT INTO usage_events (organization_id, event_type, credits_consumed, idempotency_key)"
            " VALUES (%s, 'ai_call', 5, 'smuggled')",
            [used.berlin],
        )
    said = said_of(Asking("mara@nexa.example"), used.berlin, reports.word(reports.month(None)))
    assert said["events"] == said["summary"] + 5
    assert len(set(said.values())) == 2


def test_a_formula_is_text_in_every_file(used: Used) -> None:
    with used.database.superuser() as connection:
        connection.execute("UPDATE usage_events SET source = '=1+1'")
    asking = Asking("mara@nexa.example")
    of = f"organization={used.berlin}"
    rows = asking.csv(f"events.csv?{of}")
    assert {row["Source"] for row in rows} == {"'=1+1"}
    assert all(row["Idempotency key"].startswith("'+") for row in rows)
    sheet, _ = asking.xlsx(f"events.xlsx?{of}")
    assert {row["Source"] for row in sheet} == {"=1+1"}
    book = openpyxl.load_workbook(io.BytesIO(asking.get(f"events.xlsx?{of}").content))
    assert {cell.data_type for row in book.worksheets[0].iter_rows(min_row=2) for cell in row} <= {"s", "n", "d"}
