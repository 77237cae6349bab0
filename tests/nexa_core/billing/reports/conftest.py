"""A small world of use: two customers of two account managers, a demo organization, and a platform with its people."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from uuid import UUID

import pytest

from nexa_core import usage
from nexa_core.actor import Actor
from nexa_core.billing import reports
from nexa_core.usage.service import store
from tests.databases import TestDatabase
from tests.worlds import World

DAYS = 75


@dataclass(frozen=True)
class Used:
    """Who there is. ``berlin`` is Mara's customer, ``tokyo`` is Ravi's, ``demo`` is nobody's."""

    database: TestDatabase
    berlin: UUID
    tokyo: UUID
    demo: UUID
    platform: UUID
    admin: Actor
    mara: Actor
    ravi: Actor
    presenter: Actor
    owner: Actor
    billing: Actor
    viewer: Actor


@pytest.fixture
def used(database: TestDatabase, world: World) -> Used:
    return make_used(database, world, 0)


def make_used(database: TestDatabase, world: World, seed: int) -> Used:
    """The world of a seed."""
    platform = world.organization("NEXA", is_platform=True)
    people = {
        name: world.person(f"{name}@nexa.example", platform, role=role)
        for name, role in (("admin", "owner"), ("mara", "member"), ("ravi", "billing"), ("presenter", "viewer"))
    }
    places = {
        "berlin": world.organization(
            "Berlin Works", plan="starter", time_zone="Europe/Berlin", account_manager_id=people["mara"]
        ),
        "tokyo": world.organization(
            "Tokyo Works", plan="professional", time_zone="Asia/Tokyo", account_manager_id=people["ravi"]
        ),
        "demo": world.organization("Demo Works", plan="starter", is_demo=True),
    }
    mine: dict[str, UUID] = {}
    for name, organization in places.items():
        mine[name] = world.person(f"owner@{name}.example", organization, role="owner")
        world.session(organization, mine[name], "=HYPERLINK(1)", tags=["core", name])
    roles = {r: world.person(f"{r}@berlin.example", places["berlin"], role=r) for r in ("billing", "viewer")}
    for number, (name, organization) in enumerate(places.items()):
        _use(organization, mine[name], random.Random(10 * seed + number))
    reports.refresh_outlooks(Actor.system())
    with database.superuser() as connection:
        connection.execute("SELECT nexa.roll_up_usage('2020-01-01')")
    staff = {name: world.actor(person, platform) for name, person in people.items()}
    return Used(
        database, *places.values(), platform, *staff.values(), world.actor(mine["berlin"], places["berlin"]),
        *(world.actor(roles[role], places["berlin"]) for role in ("billing", "viewer")),
    )  # fmt: skip


def _use(organization: UUID, person: UUID, rng: random.Random) -> None:
    """Ten weeks of use: weekdays more than weekends, some events without a person, some that cost nothing."""
    now = dt.datetime.now(dt.UTC)
    events = []
    for ago in range(DAYS):
        day = now - dt.timedelta(days=ago)
        for number in range(rng.randrange(2, 9) if day.weekday() < 5 else 1):
            at = day - dt.timedelta(minutes=rng.randrange(1, 600))
            kind = rng.choice(("ai_call", "pdf_export", "session_save"))
            events.append(
                usage.UsageEvent(
                    kind,
                    f"+{ago}-{number}",
                    credits=0 if kind == "session_save" else rng.randrange(1, 12),
                    user_id=person if rng.random() < 0.8 else None,
                    occurred_at=at,
                )
            )
    store(Actor.system(), organization, events)
