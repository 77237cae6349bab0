"""People around one customer's sessions."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import pytest

from nexa_core.actor import Actor
from tests.worlds import World


@dataclass(frozen=True)
class Cast:
    """Northwind's owner, member and viewer; another customer's owner; the platform's own people."""

    northwind: UUID
    ada: Actor
    bob: Actor
    eve: Actor
    stranger: Actor
    root: Actor
    manager: Actor
    presenter: Actor


@pytest.fixture
def cast(world: World) -> Cast:
    northwind = world.organization("Northwind")
    globex = world.organization("Globex")
    platform = world.organization("NEXA", is_platform=True)

    def person(email: str, organization: UUID, role: str) -> Actor:
        return world.actor(world.person(email, organization, role=role), organization)

    return Cast(
        northwind,
        person("ada.lovelace@northwind.example", northwind, "owner"),
        person("bob.moran@northwind.example", northwind, "member"),
        person("eve.stone@northwind.example", northwind, "viewer"),
        person("sam.park@globex.example", globex, "owner"),
        person("root@nexa.example", platform, "owner"),
        person("manager@nexa.example", platform, "member"),
        person("presenter@nexa.example", platform, "viewer"),
    )
