"""Finding and keeping sessions in a real Chromium: trash, tags, views, templates, a file brought in, the home page."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import UUID

from playwright.sync_api import Locator, Page, expect

from tests.pages.sessions import desk
from tests.serving import Served


def _tick(page: Page, table: Locator, *rows: int) -> None:
    """Tick rows of the list: it is a canvas, so by their place."""
    expect(table.locator("canvas").first).to_be_visible()
    box = table.bounding_box()
    assert box
    for row in rows:
        page.mouse.click(box["x"] + 17, box["y"] + 35 * row + 17)


def _title(served: Served, uuid: UUID, title: str) -> None:
    change = "UPDATE ai_architecture_sessions SET title = %s WHERE uuid = %s RETURNING id"
    desk.rows(served, change, title, uuid)


def test_to_the_trash_and_back_with_a_tag(visit: desk.Open, served: Served, uuid: UUID) -> None:
    _title(served, uuid, "Zephyrine estimate")
    page = visit("/sessions?q=zephyrine")
    table = page.get_by_test_id("stDataFrame").first
    _tick(page, table, 1)
    page.get_by_role("button", name="Tag …").click()
    dialog = page.get_by_role("dialog")
    add = dialog.get_by_role("combobox", name=re.compile("Add"))
    add.fill("zephyr")
    add.press("Enter")
    page.keyboard.press("Escape")
    dialog.get_by_role("button", name="Change the tags").click()
    expect(page.get_by_text("Tags of 1 session changed")).to_be_visible()
    (row,) = desk.rows(served, "SELECT tags FROM ai_architecture_sessions WHERE uuid = %s", uuid)
    assert "zephyr" in row[0]

    page.goto(f"{served.url}/structuring?session={uuid}")
    dialog = desk.open_dialog(page, "Details")
    dialog.get_by_role("button", name="Move to the trash").click()
    page.get_by_role("button", name="Move it to the trash").click()
    expect(page.get_by_text("is in the trash")).to_be_visible()
    page.goto(f"{served.url}/sessions?q=zephyrine&only=In+the+trash")
    table = page.get_by_test_id("stDataFrame").first
    _tick(page, table, 1)
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("1 session restored")).to_be_visible()
    expect(page.get_by_text("The trash is empty")).to_be_visible()


def test_a_saved_view_brings_its_filters_back(visit: desk.Open, served: Served) -> None:
    page = visit("/sessions?q=orders&kind=Sessions")
    page.get_by_role("button", name="Views").click()
    page.get_by_label("Keep these filters and this order as").fill("Orders only")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.get_by_text("The view is kept")).to_be_visible()
    page.goto(f"{served.url}/sessions")
    page.get_by_role("button", name="Views").click()
    page.get_by_test_id("stPopoverBody").get_by_role("link", name="Orders only").click()
    search = page.get_by_label(re.compile("^Search in titles"))
    expect(search).to_have_value("orders")
    expect(page).to_have_url(re.compile("q=orders.*kind=Sessions"))
    # From one view to another while widgets hold the filters of the first, and back to everything.
    page.get_by_text("Diagram that does not parse").click()
    expect(page).to_have_url(re.compile("only="))
    page.get_by_role("button", name="Views").click()
    page.get_by_test_id("stPopoverBody").get_by_role("link", name="Orders only").click()
    expect(page).not_to_have_url(re.compile("only="))
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible()
    page.get_by_role("link", name="Clear", exact=True).click()
    expect(search).to_have_value("")
    expect(page).not_to_have_url(re.compile("q="))


def test_a_template_asks_for_its_placeholders_once(visit: desk.Open, served: Served, uuid: UUID) -> None:
    page = visit("/templates")
    section = desk.document(served, uuid, "sow_objects")["sections"][0]["id"]
    for path, value in (("markdown", "Dear {{contact}}, {{contact}} again."), ("title", "For {{contact}}")):
        desk.save(page, uuid, {"path": ["sow_objects", "sections", section, path], "value": value})
    _title(served, uuid, "Aquamarine template")
    page.goto(f"{served.url}/structuring?session={uuid}")
    dialog = desk.open_dialog(page, "Details")
    dialog.get_by_role("button", name="Make a template of it").click()
    expect(page.get_by_text("It is a template now")).to_be_visible()

    page.goto(f"{served.url}/templates?q=aquamarine")
    page.get_by_role("button", name="Look and use").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Title of the new session").fill("Made of aquamarine")
    dialog.get_by_label("contact", exact=True).fill("Maria")
    dialog.get_by_role("button", name="Begin with it").click()
    expect(page.get_by_role("heading", name="Made of aquamarine")).to_be_visible()
    made = UUID(re.findall(r"session=([0-9a-f-]+)", page.url)[0])
    first = desk.document(served, made, "sow_objects")["sections"][0]
    assert (first["title"], first["markdown"]) == ("For Maria", "Dear Maria, Maria again.")


def test_a_file_is_looked_at_before_it_is_brought_in(visit: desk.Open, served: Served, uuid: UUID) -> None:
    page = visit("/sessions")
    exported = page.context.request.get(f"{served.url}/api/sessions/{uuid}/export.json").json()
    broken: Any = {"name": "broken.json", "mimeType": "application/json", "buffer": b'{"title": '}
    page.get_by_role("button", name="Import").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("input[type=file]").set_input_files(broken)
    expect(dialog.get_by_text("This file is no JSON that can be read.")).to_be_visible()
    file: Any = {"name": "session.json", "mimeType": "application/json", "buffer": json.dumps(exported).encode()}
    dialog.locator("input[type=file]").set_input_files(file)
    count = "SELECT count(*) FROM ai_architecture_sessions"
    (before,) = desk.rows(served, count)
    button = dialog.get_by_role("button", name="Import 1")
    expect(button).to_be_enabled()
    assert desk.rows(served, count) == [before], "looking at a file makes nothing"
    button.click()
    expect(page.get_by_text("1 imported")).to_be_visible()
    assert desk.rows(served, count)[0][0] == before[0] + 1


def test_home_leads_to_recent_and_pinned_sessions(visit: desk.Open, served: Served, uuid: UUID) -> None:
    _title(served, uuid, "Pinned here")
    page = visit(f"/sow?session={uuid}")
    page.get_by_role("button", name="Pin", exact=True).click()
    expect(page.get_by_role("button", name="Unpin", exact=True)).to_be_visible()
    page.goto(served.url)
    expect(page.get_by_role("heading", name="Pinned")).to_be_visible()
    page.get_by_role("link", name=re.compile("Pinned here")).last.click()
    expect(page.get_by_role("heading", name="Pinned here")).to_be_visible()
    assert f"session={uuid}" in page.url
