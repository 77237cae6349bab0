"""Runs the shell as Streamlit does, for somebody who is signed in or for nobody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex
from uuid import UUID

import pytest
from streamlit.testing.v1 import AppTest

from nexa_core.api.identity import header_value
from tests.conftest import World

SHELL = Path(__file__).resolve().parents[2] / "pages" / "_shell.py"
Shell = Callable[..., AppTest]


def sign_in(world: World, person: UUID, organization: UUID) -> UUID:
    """A living sign-in that ends some day: Python has no date for the fixture's "infinity"."""
    ends = dt.datetime.now(dt.UTC) + dt.timedelta(hours=12)
    return world._insert(
        "user_sessions", user_id=person, organization_id=organization, session_token=token_hex(32), expires_at=ends
    )


@pytest.fixture
def shell() -> Shell:
    """``shell(user_session_id=None)``: the shell with the header the guard would have written, to ``.run()``."""

    def make(user_session_id: UUID | None = None) -> AppTest:
        app = AppTest.from_file(str(SHELL), default_timeout=30)
        app.user = {"sign_in": header_value(user_session_id)} if user_session_id else {}
        return app

    return make
