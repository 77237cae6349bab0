"""What changes money and limits, in a real Chromium: API keys, thresholds, refunds, agreed prices, plans."""

from __future__ import annotations

import contextlib
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from nexa_core.embedded import EmbeddedServer
from tests.pages.visits import Visit, press, visits
from tests.serving import Served
from tests.worlds import World


@pytest.fixture
def visit(browser: Any, served: Served) -> Iterator[Visit]:
    """``visit(email, path)``: somebody of the demo world, signed in, at a screen; the clipboard is theirs."""
    with visits(browser, served) as visit:
        yield partial(visit, permissions=("clipboard-read", "clipboard-write"))


def _said(page: Page, sentence: str) -> None:
    expect(page.get_by_test_id("stToast").filter(has_text=sentence)).to_be_visible()


def _click_cell(page: Page, table: Locator, *, x: int, row: int, height: int = 34, until: Locator) -> None:
    """Click a cell of a table, which is a picture, until it leads there: it listens a moment after it is drawn."""
    for _ in range(5):
        table.locator(".dvn-scroller").click(position={"x": x, "y": 35 + row * height + height // 2})
        with contextlib.suppress(AssertionError, PlaywrightTimeout):
            expect(until).to_be_visible(timeout=6_000)
            return
    expect(until).to_be_visible()


def _type_into_cell(page: Page, table: Locator, *, x: int, row: int, text: str) -> None:
    """Open the editor of a cell, which is a place in a picture, and replace what is in it."""
    editor = page.locator(".gdg-input").first
    for _ in range(5):
        table.locator(".dvn-scroller").dblclick(position={"x": x, "y": 35 + row * 34 + 17})
        with contextlib.suppress(AssertionError, PlaywrightTimeout):
            expect(editor).to_be_visible(timeout=3_000)
            break
    editor.fill(text)
    editor.press("Enter")
    expect(editor).to_have_count(0)


def _report(served: Served, secret: str, key: str) -> tuple[int, dict[str, Any]]:
    """What a program that reports one event with an API key is answered."""
    body = json.dumps({"events": [{"event_type": "ai_call", "idempotency_key": key, "credits": 1}]}).encode()
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{served.url}/api/usage/events", data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_an_api_key_is_shown_once_copied_used_and_revoked(served: Served, visit: Visit) -> None:
    page = visit("owner@lumenfold.example", "/organization?tab=API keys")
    page.get_by_role("button", name="New API key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill("Exporter of the story")
    dialog.get_by_label("Name", exact=True).press("Tab")
    dialog.get_by_role("button", name="Make the key").click()
    expect(dialog.get_by_text("it is shown this once")).to_be_visible()
    secret = dialog.get_by_test_id("stCode").inner_text().strip()
    assert re.fullmatch(r"nexa_\S{30,}", secret)
    dialog.get_by_test_id("stCode").hover()
    dialog.get_by_role("button", name="Copy to clipboard").click()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("Exporter of the story")).to_be_visible()
    expect(page.get_by_text("never used")).to_be_visible()
    expect(page.get_by_text(secret)).to_have_count(0)

    assert _report(served, secret, "of the story") == (
        200,
        {"inserted": 1, "duplicates": 0, "rejected": [], "flagged": []},
    )
    page.reload()
    expect(page.get_by_text("last used")).to_be_visible()
    expect(page.get_by_text(secret)).to_have_count(0)
    page.get_by_role("button", name="Revoke").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    _said(page, "Exporter of the story is revoked")
    expect(page.get_by_text("Revoked", exact=True)).to_be_visible()
    assert _report(served, secret, "too late")[0] == 401


def test_thresholds_of_alerts_are_edited_and_kept(visit: Visit) -> None:
    page = visit("admin@nexa.example", "/organization?organization=ostrevale&tab=Limits")
    page.get_by_role("combobox", name="Alerts at (percent of the credits)").click()
    page.get_by_role("option", name="90", exact=True).click()
    page.keyboard.press("Escape")
    page.get_by_label("Reason", exact=True).fill("They asked to hear earlier")
    page.get_by_label("Reason", exact=True).press("Tab")
    page.get_by_role("button", name="Save limits").click()
    _said(page, "The limits are saved")
    page.reload()
    expect(page.get_by_test_id("stMultiSelect").get_by_text("90", exact=True)).to_be_visible()


def test_a_hard_limit_that_only_watches_lets_through_and_says_what_it_would_have_refused(
    served: Served, visit: Visit
) -> None:
    page = visit("admin@nexa.example", "/usage?organization=aldermist&tab=Would be refused")
    expect(page.get_by_text("Enforced")).to_be_visible()
    expect(page.get_by_text("Nothing would have been refused")).to_be_visible()
    page.get_by_role("button", name="Only watch …").click()
    page.get_by_role("dialog").get_by_label("Reason", exact=True).fill("To see what it would cost them")
    page.get_by_role("dialog").get_by_role("button", name="Only watch").click()
    _said(page, "The limits only watch now")
    expect(page.get_by_text("Only watching")).to_be_visible()

    owner = visit("owner@aldermist.example", "/organization?tab=API keys")
    owner.get_by_role("button", name="New API key").click()
    owner.get_by_role("dialog").get_by_label("Name", exact=True).fill("Watched")
    owner.get_by_role("dialog").get_by_label("Name", exact=True).press("Tab")
    owner.get_by_role("dialog").get_by_role("button", name="Make the key").click()
    secret = owner.get_by_role("dialog").get_by_test_id("stCode").inner_text().strip()
    body = {"event_type": "ai_call", "idempotency_key": "beyond", "credits": 5_000}
    with psycopg.connect(EmbeddedServer(served.data_dir).url(), autocommit=True) as connection:
        before = connection.execute("SELECT count(*) FROM usage_shadow_refusals").fetchone()
        answer = owner.request.post(
            f"{served.url}/api/usage/events", data={"events": [body]}, headers={"Authorization": f"Bearer {secret}"}
        )
        assert answer.status == 200 and answer.json()["inserted"] == 1
        after = connection.execute("SELECT count(*) FROM usage_shadow_refusals").fetchone()
    assert before and after and after[0] == before[0] + 1

    owner.goto(f"{served.url}/usage?tab=Would%20be%20refused")
    expect(owner.get_by_text("Credits refused")).to_be_visible()
    metric = owner.get_by_test_id("stMetric").filter(has_text="Credits refused")
    expect(metric.get_by_test_id("stMetricValue")).to_have_text("5,000")
    expect(owner.get_by_role("button", name="Let it hold …")).to_have_count(0)
    page.reload()
    page.get_by_role("button", name="Let it hold …").click()
    page.get_by_role("dialog").get_by_label("Reason", exact=True).fill("Seen enough")
    page.get_by_role("dialog").get_by_role("button", name="Let it hold").click()
    _said(page, "The limits hold now")
    assert _report(served, secret, "refused")[0] == 429


def test_an_event_is_opened_and_its_credits_are_given_back_once(visit: Visit) -> None:
    page = visit("admin@nexa.example", "/usage?organization=lumenfold&tab=Events&type=pdf_export")
    expect(page.get_by_role("button", name="Type: PDF exports")).to_be_visible()
    dialog = page.get_by_role("dialog")
    table = page.get_by_test_id("stDataFrame").last
    _click_cell(page, table, x=60, row=0, until=dialog)  # the time: any cell that narrows nothing
    expect(dialog.get_by_text("PDF exports")).to_be_visible()
    for outcome in ("credits are given back", "were given back before"):
        dialog.get_by_text("Give credits back").click()
        dialog.get_by_label("Reason", exact=True).fill("The export was broken")
        dialog.get_by_role("button", name="Give back", exact=True).click()
        _said(page, outcome)
        if "before" not in outcome:
            expect(dialog).to_have_count(0)
            page.reload()
            expect(page.get_by_role("button", name="Type: PDF exports")).to_be_visible()
            _click_cell(page, table, x=60, row=0, until=dialog)
    page.goto(page.url.replace("type=pdf_export", "type=refund"))
    expect(page.get_by_role("button", name="Type: Refunds")).to_be_visible()
    _click_cell(page, page.get_by_test_id("stDataFrame").last, x=60, row=0, until=page.get_by_role("dialog"))
    expect(page.get_by_role("dialog").get_by_text("An event that was given back")).to_be_visible()
    expect(page.get_by_role("dialog").get_by_text("Give credits back")).to_have_count(0)


def test_money_is_given_back_with_a_reason_and_the_invoice_says_so(visit: Visit) -> None:
    page = visit("manager@nexa.example", "/billing?organization=brindlemoor")
    total = page.get_by_test_id("stMetric").filter(has_text="Total").get_by_test_id("stMetricValue")
    before = int(re.sub(r"\D", "", total.inner_text()))
    page.get_by_role("button", name="Give money back …").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Amount in GBP", exact=True).fill("12.34")
    dialog.get_by_role("button", name="Give back", exact=True).click()
    expect(dialog.get_by_text("Say why")).to_be_visible()
    dialog.get_by_label("Reason", exact=True).fill("An outage on Monday")
    dialog.get_by_role("button", name="Give back", exact=True).click()
    _said(page, "It is a line of the invoice now")
    expect(total).to_contain_text(f"{(before - 1_234) // 100:,}")
    assert int(re.sub(r"\D", "", total.inner_text())) == before - 1_234


def test_prices_are_agreed_in_the_customers_own_currency(visit: Visit) -> None:
    page = visit("admin@nexa.example", "/organization?organization=pellidan&tab=Subscription")
    expect(page.get_by_role("heading", name="Prices")).to_be_visible()
    page.get_by_text("Agree on other prices").click()
    form = page.get_by_test_id("stForm").filter(has_text="For how many credits")
    agree = form.get_by_role("button", name="Agree", exact=True)
    form.get_by_label("Fee a month, JPY", exact=True).fill("30000.5")
    press(agree, until=page.get_by_text("JPY has no digits after the point"))
    form.get_by_label("Fee a month, JPY", exact=True).fill("30,500")
    form.get_by_label("Credits over the allowance, JPY", exact=True).fill("900")
    press(agree, until=page.get_by_text("Say why"))
    form.get_by_label("Reason", exact=True).fill("Two more years")
    agree.click()
    _said(page, "The prices are agreed")
    expect(page.get_by_text("30,500 JPY, as agreed; 42,500 JPY in the list")).to_be_visible()
    expect(page.get_by_text("900 JPY for 100, as agreed")).to_be_visible()


def test_a_version_of_a_plan_is_drafted_with_prices_limits_and_features_previewed_and_withdrawn(visit: Visit) -> None:
    page = visit("admin@nexa.example", "/plans")
    page.get_by_role("combobox", name="Plan", exact=True).click()
    page.get_by_role("option", name="Starter", exact=True).click()
    expect(page.locator("input[aria-label='Name'][value='Starter']")).to_be_visible()
    expect(page.locator("input[aria-label='Name']")).to_have_count(1)  # the fields of the plan before are gone
    _type_into_cell(page, page.get_by_test_id("stDataFrame").nth(1), x=330, row=0, text="59.50")
    for label, value in (("Credits a month", "1300"), ("PDF exports", "50")):
        page.get_by_label(label, exact=True).fill(value)
        page.get_by_label(label, exact=True).press("Tab")
    page.get_by_text("Auto join", exact=True).click()
    page.get_by_role("button", name="Who is affected …").click()
    dialog = page.get_by_role("dialog")
    for change in ("1,000 → 1,300", "49.00 EUR → 59.50 EUR", "no limit → 50", "off → on"):
        expect(dialog.get_by_text(change)).to_be_visible()
    expect(dialog.get_by_test_id("stDataFrame")).to_be_visible()
    dialog.get_by_label("Reason", exact=True).fill("Costs rose")
    dialog.get_by_role("button", name="Schedule", exact=True).click()
    _said(page, "The version is scheduled")
    page.get_by_role("button", name="Withdraw …").click()
    page.get_by_role("dialog").get_by_label("Reason", exact=True).fill("Not yet")
    page.get_by_role("dialog").get_by_role("button", name="Withdraw", exact=True).click()
    _said(page, "The version is withdrawn")
    expect(page.get_by_role("button", name="Withdraw …")).to_have_count(0)


def test_a_presenter_sees_demo_customers_alone(served: Served, visit: Visit) -> None:
    with psycopg.connect(EmbeddedServer(served.data_dir).url()) as connection, connection.transaction():
        World.name_the_change(connection)
        connection.execute("UPDATE organizations SET is_demo = false WHERE slug = 'kestrane'")
    manager = visit("admin@nexa.example", "/usage?organization=kestrane")
    expect(manager.get_by_role("heading", name="Kestrane Telecom")).to_be_visible()
    page = visit("presenter@nexa.example", "/portfolio")
    expect(page.get_by_role("heading", name="Portfolio")).to_be_visible()
    listed = page.request.get(f"{served.url}/api/usage/customers?limit=200").json()["items"]
    assert len(listed) == 11 and "kestrane" not in {one["slug"] for one in listed}
    for screen in ("usage", "billing", "rehearsal"):
        page.goto(f"{served.url}/{screen}?organization=kestrane")
        expect(page.get_by_text("There is no such organization.").first).to_be_visible()
        expect(page.get_by_text("Kestrane")).to_have_count(0)
    page.goto(f"{served.url}/billing?organization=quarrowby")
    expect(page.get_by_role("heading", name="Quarrowby Freight")).to_be_visible()
    expect(page.get_by_role("button", name="Give money back …")).to_have_count(0)
    page.goto(f"{served.url}/plans")
    expect(page.get_by_text("You may not do this.")).to_be_visible()
