"""Organizations that claim domains, and a DNS server that knows their records."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

from nexa_core import organizations
from nexa_core.actor import Actor
from nexa_core.config import settings
from nexa_core.organizations import DomainView
from tests.databases import TestDatabase
from tests.nexa_core.organizations.domains.dns_server import Zone, dns_server
from tests.worlds import World


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Zone]:
    with dns_server() as zone:
        monkeypatch.setenv("NEXA_DNS_RESOLVER", zone.address)
        settings.cache_clear()
        yield zone


@pytest.fixture
def owners(world: World) -> dict[str, Actor]:
    made = {}
    for name in ("Northwind", "Contoso"):
        organization = world.organization(name, plan="professional")
        made[name] = world.actor(world.person(f"ada@{name.lower()}.test", organization, role="owner"), organization)
    return made


@pytest.fixture
def ada(owners: dict[str, Actor]) -> Actor:
    return owners["Northwind"]


@pytest.fixture
def root(world: World) -> Actor:
    platform = world.organization("NEXA", is_platform=True)
    return world.actor(world.person("root@nexa.test", platform, role="owner"), platform)


def own(actor: Actor) -> UUID:
    assert actor.organization_id
    return actor.organization_id


def claim(actor: Actor, domain: str = "northwind.com") -> DomainView:
    return organizations.add_domain(actor, organization_id=own(actor), domain=domain)


def prove(zone: Zone, actor: Actor, claimed: DomainView) -> organizations.Check:
    zone.records.setdefault(claimed.record_name, []).append(claimed.record_value)
    return organizations.check_domain(actor, organization_id=own(actor), domain_id=claimed.id)


def only(actor: Actor) -> DomainView:
    (found,) = organizations.domains(actor, organization_id=own(actor))
    return found


def verified(world: World, email: str, organization: UUID, **values: object) -> UUID:
    return world.person(email, organization, email_verified_at="2026-01-01", **values)  # type: ignore[arg-type]


def links(database: TestDatabase) -> list[str]:
    with database.superuser() as connection:
        rows = connection.execute(
            "SELECT link FROM outbox_messages WHERE link LIKE '%/join?%' ORDER BY created_at"
        ).fetchall()
    return [row[0].partition("token=")[2] for row in rows]


@pytest.fixture
def proven(zone: Zone, ada: Actor) -> DomainView:
    claimed = claim(ada)
    assert prove(zone, ada, claimed).proven
    return only(ada)
