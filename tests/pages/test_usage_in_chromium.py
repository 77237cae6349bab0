"""The screens of usage in a real Chromium: drill down, filters that survive, files, the brief, and one's own alone."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import openpyxl
import pytest
from playwright.sync_api import Download, Page, expect

from nexa_core.demo import PASSWORD
from tests.serving import Served

SECONDS = 60_000


@pytest.fixture
def visit(browser: Any, nexa_server: Served) -> Iterator[Any]:
    """``visit(email, path)``: somebody of the demo world, signed in, at a screen."""
    contexts = []

    def go(email: str, path: str) -> Page:
        context = browser.new_context(viewport={"width": 1440, "height": 1300}, accept_downloads=True)
        contexts.append(context)
        page: Page = context.new_page()
        page.set_default_timeout(SECONDS)
        page.goto(f"{nexa_server.url}{path}")
        page.get_by_label("E-mail address", exact=True).fill(email)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_label("Password", exact=True).press("Enter")
        return page

    yield go
    for context in contexts:
        context.close()


def _bytes(download: Download) -> bytes:
    return download.path().read_bytes()


def _figure(page: Page, label: str) -> int:
    metric = page.get_by_test_id("stMetric").filter(has=page.get_by_text(label, exact=True))
    return int(re.sub(r"\D", "", metric.get_by_test_id("stMetricValue").inner_text()))  # grouped as the person does


def _file(page: Page, link: str) -> bytes:
    """What a link to a file of the data leads to, with the browser's own cookie."""
    address = page.get_by_role("link", name=link, exact=True).last.get_attribute("href")
    assert address
    answer = page.request.get(urljoin(page.url, address))
    assert answer.status == 200
    assert "attachment" in answer.headers["content-disposition"]
    return bytes(answer.body())


def _click_bar(page: Page, number: int) -> None:
    bar = page.locator(".js-plotly-plot .bars .point").nth(number)
    bar.wait_for(state="attached")
    box = bar.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_a_portfolio_is_filtered_exported_and_drilled_into(visit: Any) -> None:
    page = visit("manager@nexa.example", "/portfolio")
    expect(page.get_by_role("heading", name="Portfolio")).to_be_visible()
    everything = _figure(page, "Credits")
    page.get_by_role("combobox", name="Plan").click()
    page.get_by_role("option", name="Professional", exact=True).click()
    expect(page).to_have_url(re.compile("plan=Professional"))
    expect(page.get_by_test_id("stMetric").first).not_to_contain_text(f"{everything:,}")
    some = _figure(page, "Credits")
    page.reload()
    expect(page.get_by_test_id("stMetric").first).to_contain_text(f"{some:,}")
    expect(page).to_have_url(re.compile("plan=Professional"))

    rows = list(csv.DictReader(io.StringIO(_file(page, "Export CSV").decode("utf-8-sig"))))
    assert {row["Plan"] for row in rows} == {"professional"}
    assert sum(int(row["Credits"]) for row in rows) == some
    book = openpyxl.load_workbook(io.BytesIO(_file(page, "Export XLSX")))
    head, *lines = book["Customers"].iter_rows(values_only=True)
    assert sum(line[head.index("Credits")] for line in lines) == some
    assert "Definitions" in book.sheetnames

    for form, beginning in (("PNG", b"\x89PNG"), ("SVG", b"<svg")):
        if form == "SVG":
            page.get_by_role("button", name="Export", exact=True).click()
            page.get_by_text("SVG", exact=True).click()
            page.keyboard.press("Escape")
        with page.expect_download() as waiting:
            page.locator(".js-plotly-plot .modebar-btn").first.dispatch_event("click")
        assert _bytes(waiting.value).startswith(beginning)
    page.get_by_text("Table", exact=True).click()
    expect(page.get_by_test_id("stDataFrame")).to_have_count(2)
    page.get_by_text("Table", exact=True).click()

    page.get_by_role("button", name="Customer", exact=True).or_(page.get_by_role("radio", name="Customer")).click()
    expect(page).to_have_url(re.compile("split=Customer"))
    expect(page.get_by_text("Credits by day and customer")).to_be_visible()
    page.wait_for_timeout(1_500)
    _click_bar(page, 3)
    expect(page).to_have_url(re.compile("/usage.*organization=[a-z]+"))
    expect(page.get_by_text("Credits against the allowance")).to_be_visible()


def test_a_customer_is_followed_down_to_the_single_event(visit: Any) -> None:
    page = visit("manager@nexa.example", "/usage?organization=quarrowby&tab=Events&type=pdf_export")
    expect(page.get_by_role("button", name="Type: PDF exports")).to_be_visible()
    rows = list(csv.DictReader(io.StringIO(_file(page, "Export CSV").decode("utf-8-sig"))))
    assert rows and {row["Type"] for row in rows} == {"pdf_export"}
    page.reload()
    expect(page.get_by_role("button", name="Type: PDF exports")).to_be_visible()
    page.get_by_role("button", name="Type: PDF exports").click()
    expect(page.get_by_text("to narrow it")).to_be_visible()
    whole = list(csv.DictReader(io.StringIO(_file(page, "Export CSV").decode("utf-8-sig"))))
    assert sum(int(row["Credits"]) for row in whole) == _figure(page, "Credits")
    for tab, shown in (
        ("What for", "Credits by type"), ("When", "Credits by hour of the week"),
        ("Track record", "What was predicted, and what happened"), ("Months", "Compare with"),
    ):  # fmt: skip
        page.get_by_role("tab", name=tab).click()
        expect(page.get_by_text(shown).first).to_be_visible()


def test_a_reason_of_the_brief_is_put_off_and_taken_up(visit: Any) -> None:
    page = visit("manager@nexa.example", "/brief")
    card = page.locator(".st-key-call-sorrelby")
    expect(card.get_by_text("Payment past due")).to_be_visible()
    card.get_by_text("Message to copy").click()
    expect(card.get_by_text("Could you look into it").first).to_be_visible()
    card.get_by_role("button", name="Later").click()
    page.get_by_role("menuitem", name="For a week").or_(page.get_by_text("For a week", exact=True)).first.click()
    expect(page.get_by_text("Put off (1)")).to_be_visible()
    expect(card).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(card.get_by_text("Payment past due")).to_be_visible()


def test_a_billing_contact_sees_its_own_usage_and_nobody_elses(visit: Any, nexa_server: Served) -> None:
    page = visit("billing@quarrowby.example", "/usage")
    expect(page.get_by_role("heading", name="Quarrowby Freight")).to_be_visible()
    expect(page.get_by_text("Credits against the allowance")).to_be_visible()
    own = _figure(page, "Credits")
    assert page.request.get(f"{nexa_server.url}/api/usage/summary").json()["credits"] == own
    assert page.request.get(f"{nexa_server.url}/api/usage/portfolio").status == 403
    page.goto(f"{nexa_server.url}/usage?organization=lumenfold")
    expect(page.get_by_text("There is no such organization.").first).to_be_visible()
