"""The people and customers these tests are about, and the links that their mails carry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import pytest

from nexa_core.actor import Actor
from tests.databases import TestDatabase
from tests.worlds import World


@dataclass
class Cast:
    """The platform's admin; Northwind with owner, admin, member and viewer; Contoso with its owner."""

    root: Actor
    ada: Actor
    adm: Actor
    ben: Actor
    vic: Actor
    eve: Actor

    @property
    def northwind(self) -> UUID:
        assert self.ada.organization_id is not None
        return self.ada.organization_id

    @property
    def contoso(self) -> UUID:
        assert self.eve.organization_id is not None
        return self.eve.organization_id


@pytest.fixture
def cast(world: World) -> Cast:
    nexa = world.organization("NEXA", is_platform=True)
    northwind = world.organization("Northwind", plan="professional")
    contoso = world.organization("Contoso", plan="professional")

    def actor(email: str, organization: UUID, role: str) -> Actor:
        return world.actor(world.person(email, organization, role=role), organization)

    return Cast(
        root=actor("root@nexa.example", nexa, "owner"),
        ada=actor("ada@northwind.example", northwind, "owner"),
        adm=actor("adm@northwind.example", northwind, "admin"),
        ben=actor("ben@northwind.example", northwind, "member"),
        vic=actor("vic@northwind.example", northwind, "viewer"),
        eve=actor("eve@contoso.example", contoso, "owner"),
    )


@pytest.fixture
def token_of(database: TestDatabase) -> Callable[[str], str]:
    """The token in the newest mail to an address."""

    def find(email: str) -> str:
        with database.superuser() as connection:
            row = connection.execute(
                "SELECT link FROM outbox_messages WHERE recipient = %s ORDER BY created_at DESC, id DESC LIMIT 1",
                [email],
            ).fetchone()
        assert row is not None, f"there is no mail to {email}"
        return str(row[0]).partition("token=")[2]

    return find


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
