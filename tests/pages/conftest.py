"""Runs the shell as Streamlit does, for somebody who is signed in or for nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from streamlit.testing.v1 import AppTest

from nexa_core.api.identity import header_value
from tests.pages.visits import OpenWindow, windows

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


@pytest.fixture
def open_window(browser: Any) -> Iterator[OpenWindow]:
    """``open_window(url)``: a window in a browser of its own."""
    with windows(browser) as make:
        yield make
