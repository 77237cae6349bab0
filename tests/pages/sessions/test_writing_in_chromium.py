"""Writing a session in a real Chromium: what was typed is there, whatever happens to network, sign-in and tab."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from playwright.sync_api import Dialog, Locator, Page, expect

from tests.pages.sessions.desk import (
    Open,
    document,
    email_of,
    no_draft_left,
    open_first_cell,
    rows,
    save,
    saved,
    section,
    sign_in,
    status,
    until,
)
from tests.serving import Served


def _type_into_first_cell(page: Page, grid: Locator, text: str) -> None:
    cell = open_first_cell(page, grid)
    cell.fill(text)
    cell.press("Enter")
    expect(cell).to_have_count(0)


def test_what_was_typed_is_there_after_a_reload_and_read_beside_it_meanwhile(
    visit: Open, served: Served, uuid: UUID
) -> None:
    page = visit(f"/sow?session={uuid}")
    area = section(page)
    area.press("Control+End")
    area.type("\n\nA **bold** promise")
    expect(status(page)).to_have_text("Not saved yet")
    expect(page.locator("strong").get_by_text("bold", exact=True)).to_be_visible()
    saved(page)
    page.reload()
    expect(section(page)).to_have_value(re.compile(r"A \*\*bold\*\* promise$"))
    assert document(served, uuid, "sow_objects")["sections"][0]["markdown"].endswith("A **bold** promise")
    assert page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('nexa.draft|')).length") == 0


def test_two_browsers_edit_at_once_and_both_see_both(visit: Open, uuid: UUID) -> None:
    one, two = visit(f"/sow?session={uuid}"), visit(f"/sow?session={uuid}", who="admin")
    title = two.get_by_label("Title", exact=True)
    expect(title).to_be_visible()
    area = section(one)
    area.press("Control+End")
    area.type(" From the first.")
    title.fill("From the second")
    title.press("Enter")
    saved(one)
    expect(one.get_by_label("Title", exact=True)).to_have_value("From the second")
    expect(section(two)).to_have_value(re.compile(r"From the first\.$"))
    expect(one.get_by_text("Here now:")).to_be_visible()
    # The same text at once: nothing is thrown away, and the two are put together.
    area.press("Control+End")
    area.type("\nmine")
    other = section(two)
    other.press("Control+End")
    other.type("\ntheirs")
    other.press("Control+s")
    saved(two)
    area.press("Control+s")
    conflict = one.get_by_label("Two versions of this text")
    expect(conflict).to_be_visible()
    expect(conflict.locator(".mine")).to_contain_text("mine")
    expect(conflict.locator(".theirs")).to_contain_text("theirs")
    conflict.get_by_role("button", name="Use both together").click()
    saved(one)
    expect(other).to_have_value(re.compile(r"theirs\nmine$"))


def test_text_outlives_a_cut_network_and_a_lost_sign_in(visit: Open, served: Served, uuid: UUID) -> None:
    page = visit(f"/sow?session={uuid}")
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", answer)
    area = section(page)
    page.context.set_offline(True)
    area.press("Control+End")
    area.type(" Written offline.")
    expect(status(page)).to_have_text("Offline, kept on this device")
    page.context.set_offline(False)
    saved(page)
    assert document(served, uuid, "sow_objects")["sections"][0]["markdown"].endswith("Written offline.")
    # The sign-in ends elsewhere while somebody types; after signing in again the text is saved by itself.
    rows(served, "UPDATE user_sessions SET revoked_at = now() WHERE revoked_at IS NULL RETURNING id")
    area.fill(area.input_value() + " Written after.")  # at once: the screen goes away under slower hands
    expect(page.get_by_label("Password", exact=True)).to_be_visible()
    assert asked == [], "NEXA's own reload asks nobody"
    sign_in(page, email_of(served, "owner"))
    expect(section(page)).to_have_value(re.compile(r"Written after\.$"))
    no_draft_left(page)
    assert document(served, uuid, "sow_objects")["sections"][0]["markdown"].endswith("Written after.")
    # Leaving with unsaved text asks; whoever leaves all the same finds it on the home screen.
    page.route("**/api/sessions/**", lambda route: route.abort())
    section(page).press("Control+End")
    section(page).type(" Left behind.")
    expect(status(page)).to_have_text("Offline, kept on this device")
    page.goto(served.url)
    assert asked == ["beforeunload"]
    page.unroute("**/api/sessions/**")
    waiting = page.get_by_label("Unsaved work")
    expect(waiting).to_be_visible()
    waiting.get_by_role("link").click()
    expect(section(page)).to_have_value(re.compile(r"Left behind\.$"))
    no_draft_left(page)


def test_each_page_is_opened_and_edited(visit: Open, served: Served, uuid: UUID) -> None:
    page = visit(f"/structuring?session={uuid}")
    page.get_by_label("Title", exact=True).fill("Renamed here")
    page.get_by_label("Title", exact=True).press("Enter")
    expect(page.get_by_text("Renamed here").first).to_be_visible()
    page.get_by_role("button", name="Add", exact=True).click()
    popover = page.get_by_test_id("stPopoverBody")
    popover.get_by_label("Title", exact=True).fill("A new requirement")
    popover.get_by_role("button", name="Add it").click()
    title = page.get_by_test_id("stMain").get_by_label("Title", exact=True)
    expect(title.and_(page.locator("[value='A new requirement']"))).to_be_visible()  # for a moment there are two
    page.keyboard.press("Escape")
    objects = document(served, uuid, "session_objects")["objects"]
    assert objects[0]["title"] == "Renamed here" and objects[-1]["title"] == "A new requirement"

    page.get_by_test_id("stMain").get_by_role("link", name=re.compile("Level of effort")).click()
    grid = page.get_by_test_id("stDataFrame").first
    expect(page.get_by_label("Contingency, %", exact=True)).to_be_visible()  # what is fetched late moves the grid
    expect(page.get_by_test_id("stDataFrame")).to_have_count(3)
    expect(grid.locator("canvas").first).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_be_visible()
    _type_into_first_cell(page, grid, "Typed into the grid")
    until(page, lambda: document(served, uuid, "loe_objects")["rows"][0]["task"] == "Typed into the grid")

    page.get_by_test_id("stMain").get_by_role("link", name=re.compile("Visuals")).click()
    area = page.get_by_label("Text of the diagram")
    expect(area).to_be_visible()
    area.fill("flowchart LR\n  a[One] --> b[Two]")
    saved(page)
    assert document(served, uuid, "diagram_texts_json")["diagrams"][0]["text"].endswith("b[Two]")
    page.get_by_role("tab", name="JSON").click()
    expect(page.get_by_label("The whole document")).to_have_value(re.compile(r"b\[Two\]"))


def test_rows_that_were_added_stay_while_cells_are_edited(visit: Open, served: Served, uuid: UUID) -> None:
    page = visit(f"/loe?session={uuid}")
    stored = document(served, uuid, "loe_objects")["rows"][:2]
    save(page, uuid, {"path": ["loe_objects", "rows"], "value": stored})
    page.reload()
    grid = page.get_by_test_id("stDataFrame").first
    expect(page.locator(".js-plotly-plot")).to_be_visible()  # what is fetched late moves the grid
    shown = grid.locator("table tbody tr")
    for count in (3, 4):
        grid.scroll_into_view_if_needed()
        box = grid.bounding_box()
        assert box
        page.mouse.click(box["x"] + 120, box["y"] + 35 * count + 17)  # the line under the rows adds one
        until(page, lambda: len(document(served, uuid, "loe_objects")["rows"]) == count)  # noqa: B023
        page.keyboard.press("Escape")  # its first cell is open already
        page.wait_for_timeout(1_000)
        expect(shown).to_have_count(count)
    _type_into_first_cell(page, grid, "Typed when two were added")
    until(page, lambda: document(served, uuid, "loe_objects")["rows"][0]["task"] == "Typed when two were added")
    assert len(document(served, uuid, "loe_objects")["rows"]) == 4


def test_numbers_that_nobody_edited_stay_as_they_are_in_the_json_tab(visit: Open, served: Served, uuid: UUID) -> None:
    page = visit(f"/sow?session={uuid}&view=JSON")
    other = visit(f"/sow?session={uuid}", who="admin")
    expect(section(other)).to_be_visible()
    save(page, uuid, {"path": ["sow_objects", "own"], "value": 0})
    exact = {"large": 12345678901234567890, "small": 1.5, "whole": 1.0}
    rows(
        served,
        "UPDATE ai_architecture_sessions SET sow_objects = sow_objects || %s::jsonb WHERE uuid = %s RETURNING id",
        json.dumps({"own": exact}),
        uuid,
    )
    page.reload()
    area = page.get_by_label("The whole document")
    expect(area).to_have_value(re.compile('"large": 12345678901234567890,'))
    area.fill(area.input_value().replace('"format": 1', '"format": 1, "mine": 9007199254740993'))
    area.press("Control+s")
    saved(page)
    now = document(served, uuid, "sow_objects")
    assert now["own"] == exact and now["mine"] == 9007199254740993
    # Both sides of a clash show the numbers as they are, too.
    page.context.set_offline(True)
    area.fill(area.input_value().replace("9007199254740993", "9007199254740995"))
    save(other, uuid, {"path": ["sow_objects", "mine"], "value": 1})
    page.context.set_offline(False)
    conflict = page.get_by_label("Two versions of this text")
    expect(conflict).to_be_visible()
    expect(conflict.locator(".theirs")).to_contain_text('"large": 12345678901234567890')
    conflict.get_by_role("button", name="Keep mine").click()
    saved(page)
    now = document(served, uuid, "sow_objects")
    assert now["own"] == exact and now["mine"] == 9007199254740995


def test_a_text_with_other_ends_of_lines_is_not_edited_by_being_opened(visit: Open, served: Served, uuid: UUID) -> None:
    text = "First\r\n\r\nSecond\rThird"
    page = visit("/")
    path = ["sow_objects", "sections", document(served, uuid, "sow_objects")["sections"][0]["id"], "markdown"]
    save(page, uuid, {"path": path, "value": text})
    page.goto(f"{served.url}/sow?session={uuid}")
    expect(section(page)).to_have_value("First\n\nSecond\nThird")
    page.wait_for_timeout(4_000)  # longer than a draft waits
    expect(status(page)).to_have_text(re.compile(r"^Revision \d+$"))
    no_draft_left(page)
    page.get_by_test_id("stMain").get_by_role("link", name=re.compile("Level of effort")).click()
    expect(page.get_by_label("Contingency, %", exact=True)).to_be_visible()
    page.wait_for_timeout(1_000)
    assert document(served, uuid, "sow_objects")["sections"][0]["markdown"] == text


def test_a_share_link_opens_in_a_clean_browser_and_each_export_is_a_file(
    visit: Open, browser: Any, served: Served, uuid: UUID
) -> None:
    page = visit(f"/sow?session={uuid}")
    title = page.get_by_role("heading", level=1).inner_text()
    page.get_by_role("button", name="Share", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("For whom").fill("Maria")
    dialog.get_by_role("button", name="Make the link").click()
    expect(dialog.get_by_text("It is shown this once")).to_be_visible()
    address = dialog.get_by_test_id("stCode").inner_text().strip()
    context = browser.new_context()
    visitor = context.new_page()
    visitor.goto(served.url + urlsplit(address).path)
    expect(visitor.get_by_text(title).first).to_be_visible()
    assert visitor.get_by_role("button", name="Details").count() == 0
    context.close()
    for form, begins in (("json", b"{"), ("xlsx", b"PK"), ("docx", b"PK"), ("pdf", b"%PDF")):
        answer = page.context.request.get(f"{served.url}/api/sessions/{uuid}/export.{form}", timeout=120_000)
        assert answer.status == 200 and answer.body().startswith(begins), form


def test_a_viewer_reads_and_cannot_write(visit: Open, served: Served, uuid: UUID) -> None:
    page = visit(f"/sow?session={uuid}", who="viewer")
    expect(section(page)).to_have_attribute("readonly", "")
    expect(page.get_by_text("read only").first).to_be_visible()
    expect(page.get_by_label("Title", exact=True)).to_be_disabled()
    tried = page.evaluate(
        """async (url) => (await fetch(url, { method: "PATCH",
            headers: { "Content-Type": "application/json", "If-Match": '"1"' },
            body: JSON.stringify({ changes: [{ path: ["sow_objects", "format"], value: 9 }] }) })).status""",
        f"/api/sessions/{uuid}",
    )
    assert tried == 403
    assert document(served, uuid, "sow_objects")["format"] == 1
    # What a browser does to a field that is read only is no edit: no draft of it is left behind, and nothing is sent.
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method) if "/api/sessions/" in request.url else None)
    section(page).evaluate("area => { area.value = 'Spelled otherwise by an extension' }")
    page.wait_for_timeout(4_000)  # longer than a draft waits
    page.get_by_test_id("stMain").get_by_role("link", name=re.compile("Level of effort")).click()
    expect(page.get_by_label("Contingency, %", exact=True)).to_be_visible()
    page.wait_for_timeout(1_000)
    no_draft_left(page)
    assert "PATCH" not in sent


def test_many_are_changed_together_and_set_back(visit: Open, served: Served) -> None:
    page = visit("/sessions?q=orders&kind=Sessions")
    table = page.get_by_test_id("stDataFrame").first
    expect(table).to_be_visible()
    box = table.bounding_box()
    assert box
    page.mouse.click(box["x"] + 17, box["y"] + 17)
    page.get_by_role("button", name="Move to the trash …").click()
    page.get_by_role("dialog").get_by_role("button", name="Move to the trash").click()
    expect(page.get_by_text(re.compile("moved to the trash$"))).to_be_visible()
    expect(page.get_by_text("No session fits")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible()
    expect(page.get_by_text("No session fits")).to_have_count(0)
