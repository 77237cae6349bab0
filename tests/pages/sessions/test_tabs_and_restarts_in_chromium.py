"""Two tabs of one person, the others who are here, and a server that ends in the middle of a sentence."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID

from playwright.sync_api import expect

from pages._ui.sessions import presence
from tests.pages.sessions import desk
from tests.pages.visits import OpenWindow
from tests.serving import Served, serve


def test_two_tabs_of_one_person_do_not_take_from_each_other(visit: desk.Open, uuid: UUID) -> None:
    one = visit(f"/sow?session={uuid}")
    two = one.context.new_page()
    two.goto(one.url)
    first, second = desk.section(one), desk.section(two)
    second.press("Control+End")
    second.type("\nFrom the second tab.")
    desk.saved(two)
    expect(first).to_have_value(re.compile(r"From the second tab\.$"))  # without a reload
    first.press("Control+Home")
    first.type("From the first tab. ")
    second.press("Control+End")
    second.type(" At once.")
    two.keyboard.press("Control+s")
    desk.saved(two)
    one.keyboard.press("Control+s")
    conflict = one.get_by_label("Two versions of this text")
    expect(conflict).to_be_visible()
    conflict.get_by_role("button", name="Use both together").click()
    desk.saved(one)
    expect(second).to_have_value(re.compile(r"^From the first tab\..*At once\.$", re.DOTALL))
    desk.no_draft_left(one)


def test_somebody_who_comes_is_seen_without_a_reload(visit: desk.Open, uuid: UUID) -> None:
    one = visit(f"/sow?session={uuid}")
    desk.section(one)
    two = visit("/", who="admin")
    expect(two.get_by_role("heading", level=1)).to_be_visible()
    two.goto(one.url)
    desk.section(two)
    expect(one.get_by_text("Here now:")).to_be_visible()
    expect(one.get_by_text("(Statement of work)")).to_be_visible()
    two.close()
    expect(one.get_by_text("Here now:")).to_have_count(0)


def test_what_others_save_waits_while_somebody_is_in_the_middle_of_a_field_a_cell_or_a_dialog(
    visit: desk.Open, served: Served, uuid: UUID
) -> None:
    one, two = visit(f"/sow?session={uuid}"), visit("/", who="admin")
    long = 3_000 * presence.SECONDS  # milliseconds in which the page is drawn anew when nothing holds it back

    def saves(number: int, *more: dict[str, object]) -> None:
        desk.save(two, uuid, {"path": ["sow_objects", "others"], "value": number}, *more)
        one.wait_for_timeout(long)

    title = one.get_by_label("Title", exact=True)
    expect(title).to_be_visible()
    before = desk.document(served, uuid, "sow_objects")["sections"][0]["title"]
    title.press("End")
    title.press_sequentially(" and half")
    saves(1)
    expect(title).to_be_focused()
    expect(title).to_have_value(f"{before} and half")
    title.press_sequentially(" a word")
    title.press("Enter")
    desk.until(
        one,
        lambda: desk.document(served, uuid, "sow_objects")["sections"][0]["title"] == f"{before} and half a word",
    )
    assert desk.document(served, uuid, "sow_objects")["others"] == 1, "and nothing of the others was lost"
    # The same field: were the page drawn anew in the middle, what they saved would be overwritten without a question.
    path = ["sow_objects", "sections", desk.document(served, uuid, "sow_objects")["sections"][0]["id"], "title"]
    title.press("End")
    title.press_sequentially(" and one m")
    saves(1, {"path": path, "value": "Theirs"})
    expect(title).to_be_focused()
    expect(title).to_have_value(f"{before} and half a word and one m")
    title.press_sequentially("ore")
    title.press("Enter")
    asked = one.get_by_text("Somebody changed the same value while you did")
    expect(asked).to_be_visible()
    assert desk.document(served, uuid, "sow_objects")["sections"][0]["title"] == "Theirs"
    one.get_by_role("button", name="Take theirs").click()
    expect(asked).to_have_count(0)
    expect(title).to_have_value("Theirs")

    dialog = desk.open_dialog(one, "Details")
    dialog.get_by_label("Client").fill("Not saved yet")
    saves(2)
    expect(dialog.get_by_label("Client")).to_have_value("Not saved yet")
    desk.close_dialog(one)
    one.get_by_role("tab", name="JSON").click()
    expect(one.get_by_label("The whole document")).to_have_value(re.compile('"others": 2'))

    one.goto(f"{served.url}/loe?session={uuid}")
    expect(one.locator(".js-plotly-plot")).to_be_visible()  # what is fetched late moves the grid
    cell = desk.open_first_cell(one, one.get_by_test_id("stDataFrame").first)
    cell.fill("Half a cell")
    saves(3)
    expect(cell).to_have_value("Half a cell")
    cell.press("Enter")
    desk.until(one, lambda: desk.document(served, uuid, "loe_objects")["rows"][0]["task"] == "Half a cell")


def test_a_restart_in_the_middle_of_a_sentence_loses_nothing(open_window: OpenWindow, data_dir: Path) -> None:
    with serve(data_dir) as running:
        uuid = desk.untouched(running, "restart")
        page = open_window(f"{running.url}/sow?session={uuid}")
        desk.sign_in(page, desk.email_of(running, "owner"))
        area = desk.section(page)
        area.press("Control+End")
        area.type(" Before the end")
        running.process.kill()
        running.process.wait(30)
        area.type(" and after it.")
        expect(desk.status(page)).to_have_text("Offline, kept on this device")
    with serve(data_dir, port=running.port) as again:
        desk.saved(page)
        expect(desk.section(page)).to_have_value(re.compile(r"Before the end and after it\.$"))
        stored = desk.document(again, uuid, "sow_objects")["sections"][0]["markdown"]
        assert stored.endswith("Before the end and after it.")
        desk.no_draft_left(page)
