"""A desk at Lumenfold: somebody of this customer of the demo in a real Chromium, and what the database holds."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
from playwright.sync_api import Locator, Page, expect

from nexa_core.embedded import EmbeddedServer
from tests.browser import PATIENCE
from tests.pages import visits
from tests.serving import Served
from tests.worlds import World

SLUG = "lumenfold"
#: ``visit(path, who="owner")``: a browser of their own, signed in, at this address.
Open = Callable[..., Page]


@contextmanager
def visiting(browser: Any, served: Served) -> Iterator[Open]:
    """Browsers of Lumenfold's people, closed at the end."""
    with visits.visits(browser, served) as visit:

        def make(path: str, *, who: str = "owner", width: int = 1440) -> Page:
            page = visit(email_of(served, who), path, width=width, height=1000)
            expect(page.get_by_test_id("stSidebarNav")).to_be_visible()
            return page

        yield make


def email_of(served: Served, role: str) -> str:
    """Somebody of Lumenfold with this role."""
    (first, *_) = rows(
        served,
        "SELECT u.email FROM organization_memberships m JOIN users u ON u.id = m.user_id"
        " JOIN organizations o ON o.id = m.organization_id WHERE o.slug = %s AND m.role::text = %s"
        " AND m.status = 'active' AND u.status = 'active' ORDER BY u.email",
        SLUG,
        role,
    )
    return str(first[0])


def sign_in(page: Page, email: str) -> None:
    visits.sign_in(page, email)
    expect(page.get_by_test_id("stSidebarNav")).to_be_visible()


def rows(served: Served, statement: str, *values: object) -> list[Any]:
    url = EmbeddedServer(served.data_dir).url()
    with psycopg.connect(url, autocommit=True) as connection, connection.transaction():
        World.name_the_change(connection)
        return connection.execute(statement.encode(), values).fetchall()


def untouched(served: Served, name: str) -> UUID:
    """A session that no other test of these writes into: the test's ``name`` chooses among those never saved."""
    number = sum(map(ord, name))
    found = rows(
        served,
        "SELECT s.uuid FROM ai_architecture_sessions s JOIN organizations o ON o.id = s.organization_id"
        " WHERE o.slug = %s AND s.deleted_at IS NULL AND NOT s.is_template AND s.version = 1 ORDER BY s.id",
        SLUG,
    )
    return UUID(str(found[number % len(found)][0]))


def document(served: Served, uuid: UUID, column: str) -> dict[str, Any]:
    (row,) = rows(served, f"SELECT {column} FROM ai_architecture_sessions WHERE uuid = %s", uuid)
    found = row[0]
    return found if isinstance(found, dict) else json.loads(found)


def save(page: Page, uuid: UUID, *changes: Mapping[str, Any]) -> None:
    """Save changes as the person of this browser does, through the API and by the newest version."""
    answer = page.evaluate(
        """async ([url, changes]) => {
            const now = await (await fetch(url)).json()
            const answer = await fetch(url, { method: "PATCH", body: JSON.stringify({ changes }),
                headers: { "Content-Type": "application/json", "If-Match": `"${now.version}"` } })
            return answer.ok ? "saved" : answer.text() }""",
        [f"/api/sessions/{uuid}", list(changes)],
    )
    assert answer == "saved"


def until(page: Page, holds: Callable[[], bool]) -> None:
    """Wait for something in the database."""
    for _ in range(PATIENCE // 250):
        if holds():
            return
        page.wait_for_timeout(250)
    raise AssertionError("it never came to hold")


def open_first_cell(page: Page, grid: Locator) -> Locator:
    """Open the first cell of a grid: a canvas, so by its place, and again when the page moved it meanwhile."""
    cell = page.locator(".gdg-input").first

    def is_open() -> bool:
        grid.scroll_into_view_if_needed()
        box = grid.bounding_box()
        assert box
        if not cell.is_visible():
            page.mouse.dblclick(box["x"] + 120, box["y"] + 35 + 17)
            page.wait_for_timeout(500)
        return cell.is_visible()

    until(page, is_open)
    cell.focus()  # a drawing of the page may have taken it away again
    expect(cell).to_be_focused()  # before it is, what is typed goes to the grid, which takes only the first letter
    return cell


def section(page: Page) -> Locator:
    """The editor of a section of the statement of work."""
    found = page.get_by_label("Text, in Markdown")
    expect(found).to_be_visible()
    return found


def status(page: Page) -> Locator:
    return page.locator(".editor .status").first


def saved(page: Page) -> None:
    expect(status(page)).to_have_text(re.compile(r"^Saved \d\d:\d\d:\d\d, revision \d+$"))


def no_draft_left(page: Page) -> None:
    page.wait_for_function("Object.keys(localStorage).every(key => !key.startsWith('nexa.draft|'))")


def open_dialog(page: Page, button: str) -> Locator:
    """Press a button of the session's head and wait for its dialog."""
    page.get_by_role("button", name=button, exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    return dialog


def close_dialog(page: Page) -> None:
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def choose(place: Locator, label: str, option: str | re.Pattern[str]) -> None:
    """Choose an option of a select box."""
    place.get_by_role("combobox", name=re.compile(re.escape(label))).click()
    place.page.get_by_role("option", name=option).click()
