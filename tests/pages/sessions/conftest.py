"""One NEXA for all that is written in a browser into sessions: these tests change it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from tests.pages.sessions import desk
from tests.serving import Served, serve


@pytest.fixture(scope="package")
def served() -> Iterator[Served]:
    """A NEXA of these tests' own: they write into its sessions."""
    with serve() as running:
        yield running


@pytest.fixture
def visit(browser: Any, served: Served) -> Iterator[desk.Open]:
    """``visit(path, who="owner")``: somebody of Lumenfold in a browser of their own, at this address."""
    with desk.visiting(browser, served) as make:
        yield make


@pytest.fixture
def uuid(served: Served, request: pytest.FixtureRequest) -> UUID:
    """A session that no other test writes into."""
    return desk.untouched(served, request.node.name)
