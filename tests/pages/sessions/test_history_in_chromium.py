"""Looking back in a real Chromium: older pages of the history, any two compared, one part brought back, a name."""

from __future__ import annotations

import re
from uuid import UUID

from playwright.sync_api import expect

from tests.pages.sessions import desk
from tests.serving import Served

_CLOSE = """
UPDATE session_revisions SET is_closed = true
WHERE session_id = (SELECT id FROM ai_architecture_sessions WHERE uuid = %s) RETURNING id
"""


def test_any_revision_is_found_compared_named_and_one_part_of_it_comes_back(
    visit: desk.Open, served: Served, uuid: UUID
) -> None:
    before = desk.document(served, uuid, "session_objects")["objects"][:2]
    page = visit(f"/structuring?session={uuid}")
    expect(page.get_by_label("Title", exact=True)).to_be_visible()
    for number in range(2, 19):
        path = ["session_objects", "objects", before[number % 2]["id"], "title"]
        desk.save(page, uuid, {"path": path, "value": f"Title of {number}"})
        desk.rows(served, _CLOSE, uuid)
    page.reload()
    expect(page.get_by_label("Title", exact=True)).to_have_value("Title of 18")

    dialog = desk.open_dialog(page, "History")
    expect(dialog.get_by_text("Revision 18", exact=True)).to_be_visible()
    expect(dialog.get_by_text("Revision 1", exact=True)).to_have_count(0)
    dialog.get_by_role("button", name="Older").click()
    expect(dialog.get_by_text("Revision 1", exact=True)).to_be_visible()
    dialog.get_by_role("button", name="Name", exact=True).nth(1).click()  # of revision 2
    dialog.page.get_by_label("Name of this revision").fill("Before the review")
    dialog.page.get_by_role("button", name="Save the name").click()
    expect(dialog.get_by_text("Before the review")).to_be_visible()
    desk.close_dialog(page)

    dialog = desk.open_dialog(page, "History")  # begins with the newest again
    dialog.get_by_role("radio", name="Compare").click()
    first = dialog.get_by_label("From revision")
    first.fill("2")
    first.press("Enter")
    expect(dialog.get_by_text("“Before the review”")).to_be_visible()
    expect(dialog.get_by_text("Title of 2 → Title of 18")).to_be_visible()
    dialog.get_by_role("radio", name="Revisions").click()
    dialog.get_by_role("button", name="Older").click()
    expect(dialog.get_by_text("Revision 1", exact=True)).to_be_visible()
    dialog.get_by_role("button", name="Bring back").last.click()
    expect(dialog.get_by_text("Bring back revision 1")).to_be_visible()
    desk.choose(dialog, "What to bring back", re.compile("“Title of 17”|" + re.escape(before[1]["title"])))
    dialog.get_by_role("button", name="Bring it back").click()
    expect(page.get_by_text("Back from revision 1")).to_be_visible()
    now = [one["title"] for one in desk.document(served, uuid, "session_objects")["objects"][:2]]
    assert now == ["Title of 18", before[1]["title"]], "one part alone is as it was"
