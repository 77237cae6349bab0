"""What goes out of a session, in a real Chromium: the gate, a link with a passcode, approval, what changed since."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from tests.pages.sessions import desk
from tests.serving import Served

_PASSCODE = "a good passcode"


@pytest.fixture
def gate(visit: desk.Open, served: Served) -> Iterator[Page]:
    """The owner on the organization's page; the gate warns again afterwards."""
    yield visit("/organization")
    warn = "UPDATE organizations SET readiness_gate = 'warn' WHERE slug = %s RETURNING id"
    desk.rows(served, warn, desk.SLUG)


def test_a_gate_that_blocks_names_what_to_mend_and_leads_there(gate: Page, served: Served, uuid: UUID) -> None:
    page = gate
    milestone = {"id": "mil-late", "title": "Handover {{date}}", "due": "2099-01-01", "deliverables": []}
    desk.save(page, uuid, {"path": ["sow_objects", "milestones", "mil-late"], "value": milestone})
    page.get_by_text("Block", exact=True).click()
    page.get_by_test_id("stForm").filter(has_text="Before a session goes out").get_by_role("button").click()
    expect(page.get_by_text("The choice is saved")).to_be_visible()

    page.goto(f"{served.url}/structuring?session={uuid}")
    dialog = desk.open_dialog(page, "Export")
    expect(dialog.get_by_text("Your organization lets nothing out that has errors")).to_be_visible()
    expect(dialog.get_by_role("link", name="JSON")).to_be_visible()
    expect(dialog.get_by_role("link", name="PDF")).to_have_count(0)
    desk.close_dialog(page)
    dialog = desk.open_dialog(page, "Share")
    expect(dialog.get_by_text("Your organization lets nothing out that has errors")).to_be_visible()
    expect(dialog.get_by_role("button", name="Make the link")).to_have_count(0)
    finding = dialog.get_by_test_id("stHorizontalBlock").filter(has_text="{{date}}")
    finding.get_by_role("link", name="Statement of work").last.click()
    expect(page.get_by_role("tab", name="Milestones")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_label("Milestone", exact=True).last).to_have_value("Handover {{date}}")


def test_a_client_unlocks_comments_and_approves_and_reads_what_was_shared(
    visit: desk.Open, browser: Any, served: Served, uuid: UUID
) -> None:
    page = visit(f"/sow?session={uuid}")
    dialog = desk.open_dialog(page, "Share")
    dialog.get_by_label("For whom").fill("Maria")
    dialog.get_by_label("Passcode, if you want one", exact=True).fill(_PASSCODE)
    dialog.get_by_role("button", name="Make the link").click()
    expect(dialog.get_by_text("It is shown this once")).to_be_visible()
    address = served.url + urlsplit(dialog.get_by_test_id("stCode").inner_text().strip()).path
    desk.close_dialog(page)

    context = browser.new_context()
    visitor = context.new_page()
    visitor.goto(address)
    expect(visitor.get_by_text("passcode").first).to_be_visible()
    visitor.locator("input[name=passcode]").fill("a wrong passcode")
    visitor.get_by_role("button").click()
    expect(visitor.get_by_role("alert")).to_be_visible()
    visitor.locator("input[name=passcode]").fill(_PASSCODE)
    visitor.get_by_role("button").click()
    title = desk.document(served, uuid, "sow_objects")["sections"][0]["title"]
    _answer(visitor, title, "Is the date fixed?", "Send comment")
    expect(visitor.get_by_text("Is the date fixed?")).to_be_visible()
    _answer(visitor, title, "", f"Approve “{title}”")
    expect(visitor.get_by_text(re.compile("Approved by Maria"))).to_be_visible()

    # Written on afterwards: the visitor still reads what was shared, and the approval is said to be of another text.
    area = desk.section(page)
    area.press("Control+End")
    area.type(" One more promise.")
    desk.saved(page)
    dialog = desk.open_dialog(page, "Share")
    expect(dialog.get_by_text("Is the date fixed?")).to_be_visible()
    expect(dialog.get_by_text("changed since").first).to_be_visible()
    visitor.reload()
    expect(visitor.get_by_text("One more promise.")).to_have_count(0)

    dialog.get_by_role("button", name="End", exact=True).first.click()
    page.get_by_role("button", name="End this link").click()
    expect(page.get_by_text("The link is ended")).to_be_visible()
    visitor.reload()
    expect(visitor.get_by_role("heading", name=title)).to_have_count(0)
    context.close()


def _answer(visitor: Page, title: str, comment: str, button: str) -> None:
    part = visitor.locator("section.part").filter(has=visitor.get_by_role("heading", name=title, exact=True)).first
    part.get_by_text("Approve or comment").click()
    part.get_by_label("Your name").fill("Maria Client")
    part.get_by_label("Your e-mail address").fill("maria@client.example")
    part.get_by_label(re.compile("^Comment")).fill(comment)
    part.get_by_role("button", name=button).click()
    expect(visitor.get_by_text("Your answer was recorded")).to_be_visible()
