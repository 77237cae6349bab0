"""One NEXA for all that is written in a browser into sessions: these tests change it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from nexa_core import architecture_sessions
from tests.databases import TestDatabase
from tests.pages.sessions import desk
from tests.serving import Served, serve
from tests.worlds import World


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


@pytest.fixture
def stored(world: World, database: TestDatabase) -> Any:
    """``stored(columns, value)``: a session in which these documents are ``value``, and its writer's sign-in."""

    def make(columns: tuple[str, ...], value: Any) -> tuple[UUID, UUID, Any]:
        organization = world.organization("Northwind", plan="enterprise")
        person = world.person("ada.lovelace@northwind.example", organization, role="owner")
        actor = world.actor(person, organization)
        made = architecture_sessions.create(actor, title="Foreign", client=None, session_type="solution")
        with database.superuser() as connection, connection.transaction():
            World.name_the_change(connection)
            for column in columns:
                connection.execute(
                    f"UPDATE ai_architecture_sessions SET {column} = %s WHERE uuid = %s".encode(),
                    [json.dumps(value), made.uuid],
                )
        return made.uuid, world.sign_in(person, organization), actor

    return make
