"""Somebody of the demo world in a real Chromium: a browser of their own, signed in, at a screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page

from nexa_core.demo import PASSWORD
from tests.serving import Served

#: ``visit(email, path)``; a browser's window is ``width`` by ``height``, and it may do what ``permissions`` name.
Visit = Callable[..., Page]


@contextmanager
def visits(browser: Any, served: Served, *, timeout: int) -> Iterator[Visit]:
    """Browsers that are closed at the end; each waits up to ``timeout`` milliseconds for what it is asked to find."""
    contexts: list[Any] = []

    def visit(email: str, path: str, *, width: int = 1440, height: int = 1300, permissions: Sequence[str] = ()) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
        if permissions:  # granting none would take those away that every page has
            context.grant_permissions(permissions, origin=served.url)
        contexts.append(context)
        page: Page = context.new_page()
        page.set_default_timeout(timeout)
        page.goto(f"{served.url}{path}")
        sign_in(page, email)
        return page

    yield visit
    for context in contexts:
        context.close()


def sign_in(page: Page, email: str) -> None:
    """Fill in the form that is there and send it."""
    page.get_by_label("E-mail address", exact=True).fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password", exact=True).press("Enter")
