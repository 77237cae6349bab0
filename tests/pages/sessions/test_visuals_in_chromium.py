"""Diagrams and images in a real Chromium: the line that cannot be read, and pictures that arrive harmless."""

from __future__ import annotations

import io
import re
from typing import Any
from uuid import UUID

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.pages.sessions import desk
from tests.serving import Served

_HOSTILE = b"""<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="40" height="30"
onload="document.title='taken'"><script>document.title='taken'</script><image xlink:href="http://elsewhere.example/x"/>
<rect width="40" height="30" fill="#0b6b74" onclick="document.title='taken'"/></svg>"""


def _drawn(form: str) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(content, form)
    return content.getvalue()


_PICTURES: dict[str, tuple[str, bytes]] = {
    "first.png": ("image/png", _drawn("PNG")),
    "second.jpg": ("image/jpeg", _drawn("JPEG")),
    "third.svg": ("image/svg+xml", _HOSTILE),
}


def test_a_diagram_that_cannot_be_read_says_in_which_line(visit: desk.Open, uuid: UUID) -> None:
    page = visit(f"/visuals?session={uuid}")
    area = page.get_by_label("Text of the diagram")
    expect(area).to_be_visible()
    area.fill("flowchart LR\n  a[One] --> b[Two]\n  b ==>> ]c[")
    desk.saved(page)  # a text that cannot be drawn yet is kept as any other
    expect(page.get_by_text("Line 3.")).to_be_visible()
    area.fill("flowchart LR\n  a[One] --> b[Two]")
    expect(page.get_by_text("Line 3.")).to_have_count(0)
    title = page.get_by_label("Title", exact=True).input_value()
    expect(page.get_by_role("img", name=title)).to_be_visible()


def test_images_arrive_harmless_with_caption_and_in_order(visit: desk.Open, served: Served, uuid: UUID) -> None:
    page = visit(f"/visuals?session={uuid}&view=Images")
    had = len(desk.document(served, uuid, "visual_assets_json").get("assets", []))
    page.get_by_role("button", name="Add an image").click()
    popover = page.get_by_test_id("stPopoverBody")  # it stays open for the next one, with empty fields
    for number, (name, (media_type, content)) in enumerate(_PICTURES.items(), start=1):
        file: Any = {"name": name, "mimeType": media_type, "buffer": content}
        popover.locator("input[type=file]").set_input_files(file)
        expect(popover.get_by_text(name)).to_be_visible()
        popover.get_by_label("Caption of the new image").fill(f"Caption {number}")
        popover.get_by_label("Caption of the new image").press("Enter")
        popover.get_by_role("button", name="Add it").click()
        expect(page.get_by_text("The image is added").first).to_be_visible()
        expect(page.get_by_test_id("stMain").get_by_label("Caption", exact=True)).to_have_count(had + number)

    def captions() -> list[str]:
        return [one["caption"] for one in desk.document(served, uuid, "visual_assets_json")["assets"][had:]]

    assert captions() == ["Caption 1", "Caption 2", "Caption 3"]
    page.keyboard.press("Escape")
    caption, title = (
        page.get_by_test_id("stMain").get_by_label(name, exact=True).last for name in ("Caption", "Title")
    )
    expect(title).to_have_value("Caption 3")
    caption.fill("Below the picture")
    caption.press("Enter")
    desk.until(page, lambda: captions()[-1] == "Below the picture")
    caption.fill("Caption 3")
    caption.press("Enter")
    desk.until(page, lambda: captions()[-1] == "Caption 3")
    page.get_by_role("button", name="Up", exact=True).last.click()
    desk.until(page, lambda: captions() == ["Caption 1", "Caption 3", "Caption 2"])
    pictures = page.get_by_test_id("stMain").locator("img[src^='/api/sessions/']")
    expect(pictures).to_have_count(3)
    for number in range(3):
        assert pictures.nth(number).evaluate("image => image.complete && image.naturalWidth > 0")
    svg = page.evaluate("async (url) => (await fetch(url)).text()", pictures.nth(1).get_attribute("src"))
    assert "<rect" in svg, "what it shows is kept"
    assert not re.search("script|onload|onclick|elsewhere", svg)


def test_a_picture_that_is_none_is_refused_in_a_sentence(visit: desk.Open, uuid: UUID) -> None:
    page = visit(f"/visuals?session={uuid}&view=Images")
    page.get_by_role("button", name="Add an image").click()
    popover = page.get_by_test_id("stPopoverBody")
    file: Any = {"name": "text.png", "mimeType": "image/png", "buffer": b"no picture at all"}
    popover.locator("input[type=file]").set_input_files(file)
    popover.get_by_role("button", name="Add it").click()
    expect(popover.get_by_test_id("stAlert")).to_be_visible()


@pytest.mark.parametrize("width", [400, 1440])
def test_no_page_of_a_session_is_wider_than_its_window(
    visit: desk.Open, served: Served, uuid: UUID, width: int
) -> None:
    page = visit(f"/structuring?session={uuid}")
    page.set_viewport_size({"width": width, "height": 900})
    for path in ("structuring", "sow", "loe", "visuals"):
        page.goto(f"{served.url}/{path}?session={uuid}")
        expect(page.get_by_role("tab", name="JSON")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
