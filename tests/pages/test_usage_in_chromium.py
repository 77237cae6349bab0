"""The screens of usage in a real Chromium: drill down, filters that survive, files, the brief, and one's own alone."""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import openpyxl
import pytest
from playwright.sync_api import Download, Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.pages.visits import Visit, visits
from tests.serving import Served


@pytest.fixture
def visit(browser: Any, nexa_server: Served) -> Iterator[Visit]:
    """``visit(email, path)``: somebody of the demo world, signed in, at a screen."""
    with visits(browser, nexa_server) as visit:
        yield visit


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


def test_a_portfolio_is_filtered_and_exported_as_table_and_picture(visit: Any) -> None:
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

    with page.expect_download() as waiting:
        page.locator(".js-plotly-plot .modebar-btn").first.dispatch_event("click")
    assert _bytes(waiting.value).startswith(b"\x89PNG")


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


def _click_bar(page: Page, chart: Locator, number: int) -> None:
    """Click the middle of a bar, which listens a moment after it is drawn."""
    bar = chart.locator(".bars .point path").nth(number)
    expect(bar).to_be_visible()
    page.wait_for_timeout(1_000)
    box = bar.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=3)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_a_chart_is_shown_as_table_and_saved_as_svg_and_png(visit: Any) -> None:
    page = visit("manager@nexa.example", "/usage?organization=quarrowby")
    chart = page.locator("[class*='st-key-nexa-chart-burn']")
    expect(chart.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    for form, start in (("SVG", b"<svg"), ("PNG", b"\x89PNG")):
        chart.get_by_role("button", name="Export").click()
        page.get_by_text(form, exact=True).click()
        page.keyboard.press("Escape")
        expect(page.get_by_text("The camera above the chart saves")).to_have_count(0)
        camera = chart.locator(f"[class*='-chart-light-{form.lower()}'] .modebar-btn").first
        expect(camera).to_be_attached()
        with page.expect_download() as waiting:
            camera.dispatch_event("click")
        saved = _bytes(waiting.value)
        assert saved.startswith(start), form
        assert waiting.value.suggested_filename == f"nexa-credits-against-the-allowance.{form.lower()}"
        if form == "SVG":
            assert b"Europe/Berlin" in saved and b"Allowance 1,000" in saved
    chart.get_by_text("Table", exact=True).click()
    expect(chart.get_by_test_id("stDataFrame")).to_be_visible()
    expect(chart.locator(".js-plotly-plot")).to_have_count(0)
    rows = list(csv.DictReader(io.StringIO(_days(page).decode("utf-8-sig"))))
    assert sum(int(row["Credits"]) for row in rows) == _figure(page, "Credits")
    chart.get_by_text("Table", exact=True).click()
    expect(chart.locator(".js-plotly-plot .main-svg").first).to_be_visible()


def _days(page: Page) -> bytes:
    """The data behind the burn, from the link in the chart's own menu."""
    page.locator("[class*='st-key-nexa-chart-burn']").get_by_role("button", name="Export").click()
    found = _file(page, "Data as CSV")
    page.keyboard.press("Escape")
    return found


def test_a_click_on_a_bar_and_on_a_row_leads_to_what_is_behind_it(visit: Any) -> None:
    page = visit("manager@nexa.example", "/portfolio?split=Customer&plan=Starter")
    expect(page.get_by_text("Credits by day and customer")).to_be_visible()
    _click_bar(page, page.locator("[class*='st-key-nexa-chart-portfolio']"), 20)
    expect(page).to_have_url(re.compile(r"/usage\?organization="))
    expect(page.get_by_text("Credits against the allowance")).to_be_visible()

    page.goto(page.url.split("/usage")[0] + "/portfolio?plan=Enterprise")
    table = page.get_by_test_id("stDataFrame")
    expect(table).to_be_visible()
    for _ in range(5):  # the table listens a moment after it is drawn
        table.locator(".dvn-scroller").click(position={"x": 60, "y": 52})
        with contextlib.suppress(PlaywrightTimeout):
            page.wait_for_url(re.compile("organization=brindlemoor"), timeout=6_000)
            break
    expect(page.get_by_role("heading", name="Brindlemoor Health")).to_be_visible()

    _click_bar(page, page.locator("[class*='st-key-nexa-chart-by-type']"), -1)
    expect(page).to_have_url(re.compile("type=ai_call"))
    page.get_by_role("tab", name="Events").click()
    expect(page.get_by_role("button", name="Type: AI calls")).to_be_visible()


def test_a_link_with_filters_shows_another_person_the_same(visit: Any) -> None:
    page = visit("manager@nexa.example", "/portfolio?plan=Starter&split=Plan&span=3 months&sort=Name")
    expect(page.get_by_role("combobox", name="Sort by")).to_have_value("Name")
    figure, address = _figure(page, "Credits"), page.url
    page.reload()
    expect(page.get_by_role("combobox", name="Plan")).to_have_value("Starter")
    assert _figure(page, "Credits") == figure
    other = visit("admin@nexa.example", address[address.index("/portfolio") :])
    expect(other.get_by_role("combobox", name="Plan")).to_have_value("Starter")
    expect(other.get_by_role("combobox", name="Sort by")).to_have_value("Name")
    expect(other.get_by_text("Credits by day and plan")).to_be_visible()
    assert _figure(other, "Credits") == figure


def test_the_message_of_a_call_is_copied(visit: Any, nexa_server: Served) -> None:
    page = visit("manager@nexa.example", "/brief")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=nexa_server.url)
    card = page.locator(".st-key-call-quarrowby")
    card.get_by_text("Message to copy").click()
    code = card.get_by_test_id("stCode")
    expect(code).to_be_visible()
    copied = ""
    for _ in range(10):  # a click in the moment in which the page is drawn anew is lost
        code.hover()
        card.get_by_role("button", name=re.compile("^Cop(y to clipboard|ied)$")).first.click()
        page.wait_for_timeout(500)
        if copied := page.evaluate("navigator.clipboard.readText()"):
            break
    assert copied.startswith("Hello ") and "1,000 credits" in copied
    assert " ".join(copied.split()) == " ".join(code.inner_text().split())


@pytest.mark.parametrize("role", ["owner", "billing"])
def test_a_customers_own_people_see_their_own_money_and_nobody_elses(
    visit: Any, nexa_server: Served, role: str
) -> None:
    page = visit(f"{role}@quarrowby.example", "/usage")
    expect(page.get_by_role("heading", name="Quarrowby Freight")).to_be_visible()
    for path in ("/billing", "/rehearsal"):
        page.goto(f"{nexa_server.url}{path}")
        expect(page.get_by_role("heading", name=re.compile("Quarrowby Freight"))).to_be_visible()
    for path in ("/usage", "/billing", "/rehearsal"):
        page.goto(f"{nexa_server.url}{path}?organization=brindlemoor")
        expect(page.get_by_text("There is no such organization.").first).to_be_visible()
        expect(page.get_by_text("Brindlemoor")).to_have_count(0)
    for path in ("/portfolio", "/brief", "/plans"):
        page.goto(f"{nexa_server.url}{path}")
        expect(page.get_by_text("You may not do this.").first).to_be_visible()
    for path in ("portfolio", "revenue", "customers", "by-day", "customers.csv"):
        assert page.request.get(f"{nexa_server.url}/api/usage/{path}").status == 403, path


def test_an_owner_follows_the_running_invoice_from_a_line_to_the_session_behind_it(
    visit: Any, nexa_server: Served
) -> None:
    page = visit("owner@quarrowby.example", "/billing?line=overage-ai_call")
    expect(page.get_by_role("heading", name="AI calls, over the allowance")).to_be_visible()
    table = page.get_by_test_id("stDataFrame").first.locator(".dvn-scroller")
    width = table.evaluate("e => e.clientWidth")
    for _ in range(5):
        table.click(position={"x": width - 230, "y": 52})
        with contextlib.suppress(PlaywrightTimeout):
            page.wait_for_url(re.compile("/structuring"), timeout=6_000)
            break
    expect(page).to_have_url(re.compile(r"/structuring\?session="))
    expect(page.get_by_role("heading").first).to_be_visible()
    page.goto(f"{nexa_server.url}/billing")
    expect(page.get_by_text("is running: this is a preview")).to_be_visible()


def test_no_screen_of_usage_and_money_is_wider_than_a_phone(visit: Any, nexa_server: Served) -> None:
    page = visit("admin@nexa.example", "/portfolio")
    expect(page.get_by_role("heading", name="Portfolio")).to_be_visible()
    page.set_viewport_size({"width": 400, "height": 900})
    of = "?organization=quarrowby"
    paths = (
        "/portfolio", "/brief", f"/usage{of}", f"/billing{of}", f"/billing{of}&line=included", f"/rehearsal{of}",
        f"/organization{of}&tab=Subscription", "/plans", "/audit",
    )  # fmt: skip
    for path in paths:
        page.goto(f"{nexa_server.url}{path}")
        expect(page.locator("h1").first).to_be_visible()
        expect(page.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_be_visible()
        assert page.get_by_test_id("stMain").evaluate("e => e.scrollWidth <= e.clientWidth"), path
