"""The people and customers these tests are about."""

from __future__ import annotations

import pytest

from nexa_core.actor import Actor
from tests.conftest import World


@pytest.fixture
def platform(world: World) -> dict[str, Actor]:
    """The platform's own people: an internal admin, an account manager, a presenter."""
    nexa = world.organization("NEXA", is_platform=True, is_demo=True)
    people = {"root": "owner", "manager": "billing", "presenter": "viewer"}
    return {
        name: world.actor(world.person(f"{name}@nexa.example", nexa, role=role), nexa) for name, role in people.items()
    }


@pytest.fixture
def customers(world: World) -> dict[str, Actor]:
    """Three customers' owners; Contoso is a demo."""
    made = {}
    for name in ("Northwind", "Contoso", "Tailspin"):
        organization = world.organization(name, is_demo=name == "Contoso", plan="starter")
        made[name] = world.actor(world.person(f"ada@{name.lower()}.example", organization, role="owner"), organization)
    return made


@pytest.fixture
def root(platform: dict[str, Actor]) -> Actor:
    return platform["root"]


@pytest.fixture
def ada(customers: dict[str, Actor]) -> Actor:
    """The owner of Northwind."""
    return customers["Northwind"]
