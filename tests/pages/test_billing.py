"""Billing in the program and in a real Chromium: an invoice, its events, its files, a rehearsal and the catalogue."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pypdf
import pytest
from playwright.sync_api import Download, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from nexa_core import billing
from pages._ui import menu
from pages._ui.billing import whose
from tests.databases import TestDatabase
from tests.nexa_core.billing.conftest import Ledger
from tests.pages.conftest import Shell
from tests.pages.test_gate import _open
from tests.pages.test_screens import _press
from tests.pages.visits import Visit, visits
from tests.serving import Served
from tests.worlds import World


def _last_month() -> str:
    first = dt.datetime.now(dt.UTC).date().replace(day=1)
    return f"{first - dt.timedelta(days=1):%Y-%m}"


@pytest.fixture
def visit(browser: Any, nexa_server: Served) -> Iterator[Visit]:
    """``visit(email, path)``: somebody of the demo world, signed in, at a screen of Quarrowby's."""
    with visits(browser, nexa_server) as make:

        def visit(email: str, path: str, **how: Any) -> Page:
            page = make(email, path, **how)
            expect(page.get_by_role("heading", name="Quarrowby Freight")).to_be_visible()
            return page

        yield visit


def _read(download: Download) -> bytes:
    return Path(download.path()).read_bytes()


def test_an_account_manager_opens_an_invoice_to_its_events_and_compares_its_files(
    visit: Visit, nexa_server: Served
) -> None:
    month = _last_month()
    address = f"/billing?organization=quarrowby&period={whose.month(month).replace(' ', '%20')}"
    page = visit("manager@nexa.example", address, height=1200)
    total = page.get_by_test_id("stMetric").filter(has_text="Total").get_by_test_id("stMetricValue")
    minor = int(re.sub(r"\D", "", total.inner_text()))
    files = {}
    for form in ("PDF", "CSV", "XLSX"):
        with page.expect_download() as waiting:
            page.get_by_role("link", name=f"Export {form}").click()
        files[form] = _read(waiting.value)
    rows = list(csv.DictReader(io.StringIO(files["CSV"].decode("utf-8-sig"))))
    assert sum(int(row["Amount (minor units)"]) for row in rows) == minor
    assert {row["Kind"] for row in rows} == {"base", "included", "overage", "credit"}
    book = openpyxl.load_workbook(io.BytesIO(files["XLSX"]))
    assert list(book["Invoice"].iter_rows(values_only=True))[-1][11] == minor
    text = " ".join(page_.extract_text() for page_ in pypdf.PdfReader(io.BytesIO(files["PDF"])).pages)
    assert f"QUARROWBY-{month}" in text and billing.written(minor, "EUR") in text
    # The third line is the first of the overage: a heading, then rows of 62 pixels.
    page.bring_to_front()  # a download may have opened a tab
    table = page.get_by_test_id("stDataFrame").first.locator(".dvn-scroller")
    for _ in range(5):  # the table listens a moment after it is drawn
        table.click(position={"x": 60, "y": 34 + 2 * 62 + 31})
        with contextlib.suppress(PlaywrightTimeout):
            page.wait_for_url(re.compile("line="), timeout=5_000)
            break
    expect(page.get_by_role("heading", name="AI calls, over the allowance")).to_be_visible()
    expect(page).to_have_url(re.compile(r"line=overage-ai_call"))
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Export all of them as CSV").click()
    events = list(csv.DictReader(io.StringIO(_read(waiting.value).decode("utf-8-sig"))))
    line = next(row for row in rows if row["Line"] == "overage-ai_call")
    assert sum(int(event["Credits of this line"]) for event in events) == int(line["Quantity"])
    assert len(events) == int(line["Events"]) > 50
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("Page 2,")).to_be_visible()
    page.goto(f"{nexa_server.url}/rehearsal?organization=quarrowby&credits=100")
    expect(page.get_by_text("is the cheapest plan that would have blocked nothing")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_be_visible()


def test_a_customers_owner_sees_its_own_invoice_and_no_other(visit: Visit, nexa_server: Served) -> None:
    page = visit("billing@quarrowby.example", "/billing", width=400, height=900, color_scheme="dark")
    expect(page.get_by_role("button", name="Give money back")).to_have_count(0)
    page.goto(f"{nexa_server.url}/billing?organization=brindlemoor")
    expect(page.get_by_text("There is no such organization.")).to_be_visible()
    page.goto(f"{nexa_server.url}/plans")
    expect(page.get_by_text("You may not do this.")).to_be_visible()


@pytest.mark.parametrize("screen", [menu.BILLING, menu.REHEARSAL])
def test_who_may_open_the_screens_of_money(world: World, shell: Shell, screen: menu.Screen) -> None:
    ledger = Ledger(world)
    organization = ledger.customer("Northwind", plan="starter")
    for role, allowed in (("owner", True), ("billing", True), ("admin", False), ("viewer", False)):
        person = world.person(f"{role}@northwind.example", organization, role=role)
        app = _open(shell(world.sign_in(person, organization)), screen.path)
        assert not app.exception
        assert bool(app.metric or app.dataframe) is allowed, role
        refused = any("You may not" in element.value for element in [*app.warning, *app.error])
        assert refused is not allowed, role


def test_an_amount_is_given_back_as_the_person_writes_numbers(world: World, shell: Shell) -> None:
    ledger = Ledger(world)
    nexa = world.organization("NEXA", is_platform=True)
    northwind = ledger.customer(
        "Northwind", plan="starter", subscription_status="active", agreed_prices={"price_minor": 250_000}
    )
    world.person("owner@northwind.example", northwind, role="owner")
    world.person("root@nexa.example", nexa, role="owner")
    erika = world.person("erika@nexa.example", nexa, role="billing", locale="de")
    app = shell(world.sign_in(erika, nexa))
    app.query_params["organization"] = "northwind"
    _press(_open(app, menu.BILLING.path), "Give money back …")
    amount = next(box for box in app.text_input if box.label.startswith("Amount in"))
    assert re.search(r"\d\.\d{3},\d\d", amount.help), "the most is written so, too"
    amount.set_value("1.234,56")
    next(box for box in app.text_input if box.label == "Reason").set_value("An outage")
    # A dialog is drawn anew by itself in a browser; here its button is pressed once more.
    next(button for button in app.button if button.label == "Give money back …").click()
    _press(app, "Give back")
    assert not app.exception and not app.error
    with world.database.superuser() as connection:
        assert connection.execute("SELECT amount_minor FROM credit_notes").fetchall() == [(123_456,)]


def test_an_internal_admin_sees_whom_a_version_affects_before_it_is_scheduled(
    database: TestDatabase, world: World, shell: Shell
) -> None:
    Ledger(world).customer("Northwind", plan="free")
    nexa = world.organization("NEXA", is_platform=True)
    admin = world.person("root@nexa.example", nexa, role="owner")
    app = _open(shell(world.sign_in(admin, nexa)), menu.PLANS.path)

    def schedule() -> Any:
        next(button for button in app.button if button.label == "Who is affected …").click().run()
        return next(button for button in app.button if button.label == "Schedule")

    assert schedule().disabled, "nothing is different yet"
    next(box for box in app.number_input if box.label == "Credits a month").set_value(150)
    assert not schedule().disabled
    assert not app.exception and not app.error
    assert "for 1 customer." in " ".join(str(element.value) for element in app.markdown)
    assert not [version for version in billing.plan_versions(world.actor(admin, nexa)) if version.is_ahead]
