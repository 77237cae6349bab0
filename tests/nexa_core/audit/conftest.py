"""Whose log it is, and who looks at it from the platform."""

from __future__ import annotations

import pytest

from nexa_core.actor import Actor
from tests.worlds import World


@pytest.fixture
def ada(world: World) -> Actor:
    """Northwind's owner."""
    northwind = world.organization("Northwind")
    return world.actor(world.person("ada@northwind.example", northwind, role="owner"), northwind)


@pytest.fixture
def root(world: World) -> Actor:
    """An admin of the platform."""
    platform = world.organization("NEXA", is_platform=True)
    return world.actor(world.person("root@nexa.example", platform, role="owner"), platform)
