"""Windows of a real Chromium: browsers of their own, closed at the end, and people of the demo world in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from playwright.sync_api import Locator, Page, expect

from nexa_core.demo import PASSWORD
from nexa_core.embedded import EmbeddedServer
from tests.browser import PATIENCE
from tests.serving import Served
from tests.worlds import World

#: ``open_window(url)``; a window is ``width`` by ``height``, and of the same browser as the one it is ``beside``.
OpenWindow = Callable[..., Page]
#: ``open_page(path)``: the same at an address of the module's own NEXA; ``who`` is the demo's button that is pressed.
OpenPage = Callable[..., Page]
#: ``visit(email, path)``: the same, signed in; the browser may do what ``permissions`` name.
Visit = Callable[..., Page]


@contextmanager
def windows(browser: Any) -> Iterator[OpenWindow]:
    """Windows without anybody signed in, unless somebody is in the browser of the one they are ``beside``."""
    contexts: list[Any] = []

    def open_window(
        url: str, *, beside: Page | None = None, width: int = 1280, height: int = 900, color_scheme: str = "light"
    ) -> Page:
        if beside is None:
            size = {"width": width, "height": height}
            contexts.append(browser.new_context(viewport=size, accept_downloads=True, color_scheme=color_scheme))
        page: Page = (beside.context if beside else contexts[-1]).new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(url)
        return page

    yield open_window
    for context in contexts:
        context.close()


@contextmanager
def visits(browser: Any, served: Served) -> Iterator[Visit]:
    """Windows of somebody who signs in with the demo's password."""
    with windows(browser) as open_window:

        def visit(
            email: str, path: str, *, width: int = 1440, height: int = 1300, color_scheme: str = "light",
            permissions: Sequence[str] = (),
        ) -> Page:  # fmt: skip
            page = open_window(f"{served.url}{path}", width=width, height=height, color_scheme=color_scheme)
            if permissions:  # granting none would take those away that every page has
                page.context.grant_permissions(permissions, origin=served.url)
            sign_in(page, email)
            return page

        yield visit


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Fill in the form that is there and send it."""
    page.get_by_label("E-mail address", exact=True).fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_label("Password", exact=True).press("Enter")


def press(button: Locator, *, until: Locator) -> None:
    """Press a button until it answers."""
    insist(button.click, until=until)


def insist(act: Callable[[], None], *, until: Locator) -> None:
    """Do something until it is answered: what is done in the moment in which the page is drawn anew is lost."""
    for _ in range(4):
        act()
        with suppress(AssertionError):
            expect(until).to_be_visible(timeout=15_000)
            return
    expect(until).to_be_visible()


def said(page: Page, sentence: str) -> Locator:
    """What the page says once, that it went well."""
    return page.get_by_test_id("stToast").filter(has_text=sentence).first


@dataclass(frozen=True)
class ServedDatabase:
    """The side door to the database of a served NEXA, as far as a world needs it."""

    served: Served

    def superuser(self) -> psycopg.Connection:
        """A new superuser connection in autocommit."""
        return psycopg.connect(EmbeddedServer(self.served.data_dir).url(), autocommit=True)


def in_database(served: Served) -> World:
    """What makes organizations and people in a served NEXA's own database, without asking the code under test."""
    return World(ServedDatabase(served))  # type: ignore[arg-type]
