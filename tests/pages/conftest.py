"""Runs the shell as Streamlit does, for somebody who is signed in or for nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect
from streamlit.testing.v1 import AppTest

from nexa_core.api.identity import header_value
from tests.pages.visits import OpenPage, OpenWindow, windows
from tests.serving import Served, serve

SHELL = Path(__file__).resolve().parents[2] / "pages" / "_shell.py"
Shell = Callable[..., AppTest]


@pytest.fixture
def shell() -> Shell:
    """``shell(user_session_id=None)``: the shell with the header the guard would have written, to ``.run()``."""

    def make(user_session_id: UUID | None = None) -> AppTest:
        app = AppTest.from_file(str(SHELL), default_timeout=120)
        app.user = {"sign_in": header_value(user_session_id)} if user_session_id else {}
        return app

    return make


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """A NEXA of the module's own: its tests change what is in it."""
    with serve() as running:
        yield running


@pytest.fixture
def open_page(open_window: OpenWindow, served: Served) -> OpenPage:
    """``open_page(path, who=None)``: a window at an address of this NEXA, signed in by the demo's button ``who``."""

    def make(path: str = "/", *, who: str | None = None, **how: Any) -> Page:
        page = open_window(served.url + path, **{"height": 1000, **how})
        if who:
            page.get_by_role("button", name=who).click()
            expect(page.get_by_test_id("stSidebarNav")).to_be_attached()
        return page

    return make


@pytest.fixture
def open_window(browser: Any) -> Iterator[OpenWindow]:
    """``open_window(url)``: a window in a browser of its own."""
    with windows(browser) as make:
        yield make
