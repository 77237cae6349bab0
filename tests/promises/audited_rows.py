"""What the tables of audited verbs are made of: the stage they play on, a case, an endpoint's case, a client.

A domain writes ``audited_<domain>.py`` with what of these it needs, and is named in ``audited_verbs.py``:

- ``DOMAIN``: its front door, whose verbs must each have a case; ``NO_VERBS``: what stands there besides verbs;
- ``CASES``: verb -> Case; ``SYNONYMS``: a second name of a verb -> the verb;
- ``ENDPOINTS``: "METHOD /path" -> EndpointCase;
- ``STATEMENTS``: audited table -> what the program may do to it in raw SQL, each as (role, statement); every statement
  touches one row at least. %(org)s, %(me)s and %(bob)s are of the stage. ``BEFORE``: what must be there before, as
  nexa_tenant, so that each statement finds one row to change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware

from nexa_core import accounts, api, organizations
from nexa_core.actor import Actor, Origin
from tests.stories import play
from tests.worlds import PASSWORD, World

ORIGIN = Origin(ip_address="203.0.113.7", user_agent="tests")
NEW_PASSWORD = "an entirely new phrase to remember"
SAME_ORIGIN = {"origin": "http://localhost"}

Entry = tuple[str, str]
"""What is recorded of an entry here: its action and its resource type."""
SIGNED_IN: Entry = ("user.signed_in", "user_session")


@dataclass(frozen=True)
class Stage:
    """Who the cases are about: an owner, an internal admin, a member (elsewhere too), and the owner elsewhere."""

    world: World
    northwind: UUID
    ada: Actor
    root: Actor
    adas_membership: UUID
    bob: UUID
    bobs_membership: UUID
    elsewhere: UUID
    eve: UUID

    @property
    def of_bob(self) -> dict[str, UUID]:
        return {"membership_id": self.bobs_membership, "organization_id": self.northwind}


def make_stage(world: World) -> Stage:
    northwind = world.organization("Northwind", plan="professional")
    elsewhere = world.organization("Elsewhere", plan="professional")
    platform = world.organization("NEXA", is_platform=True)
    root = world.person("root@nexa.example", platform, role="owner")
    ada = world.person("ada@northwind.example", northwind, role="owner")
    bob = world.person("bob@northwind.example", northwind, role="member")
    world.membership(bob, elsewhere)
    eve = world.person("eve@elsewhere.example", elsewhere, role="owner")
    admin = world.actor(root, platform, user_session_id=world.sign_in(root, platform))
    memberships = {m.user_id: m.id for m in organizations.members(admin, organization_id=northwind)}
    living = world.sign_in(ada, northwind)
    return Stage(
        world, northwind, world.actor(ada, northwind, user_session_id=living), admin, memberships[ada],
        bob, memberships[bob], elsewhere, eve,
    )  # fmt: skip


@dataclass(frozen=True)
class Case:
    """``call`` is given the stage and what ``before`` returned; ``entries`` are what the call leaves, in any order.

    ``before`` may leave entries of its own.
    """

    call: Callable[[Stage, Any], object]
    entries: tuple[Entry, ...] = ()
    before: Callable[[Stage], Any] | None = None

    @property
    def changes_nothing(self) -> bool:
        """Whether it can be played on a stage that others play on."""
        return not self.entries and self.before is None


class Client:
    """A program or browser on this machine, straight at the application."""

    def __init__(self) -> None:
        self._application = Starlette(routes=api.routes(), middleware=[Middleware(api.Guard)])

    def get(self, path: str, **options: Any) -> httpx.Response:
        return play(self._send("GET", path, **options))

    def post(self, path: str, **options: Any) -> httpx.Response:
        return play(self._send("POST", path, **options))

    async def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self._application, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, **options)


@dataclass(frozen=True)
class EndpointCase:
    """Like ``Case``, through the API: ``call`` answers with the response. Signing in to ask belongs into ``before``."""

    call: Callable[[Client, Stage, Any], httpx.Response]
    entries: tuple[Entry, ...] = ()
    before: Callable[[Stage], Any] = lambda stage: None


def bearer(stage: Stage, email: str = "ada@northwind.example") -> dict[str, str]:
    """The header of somebody who signed in as a program; leaves an entry of that."""
    return {"authorization": f"Bearer {tokens(stage, email).access_token}"}


def reads(path: str, *entries: Entry, email: str = "ada@northwind.example") -> EndpointCase:
    """The case of a GET by one of the stage's people; ``{northwind}`` and ``{bob}`` may stand in the path."""
    return EndpointCase(
        lambda client, stage, header: client.get(
            path.format(northwind=stage.northwind, bob=stage.bob, membership=stage.bobs_membership), headers=header
        ),
        entries,
        lambda stage: bearer(stage, email),
    )


def ticket(stage: Stage) -> str:
    return accounts.sign_in(ORIGIN, email="ada@northwind.example", password=PASSWORD).ticket


def tokens(stage: Stage, email: str = "ada@northwind.example") -> accounts.TokenPair:
    return accounts.issue_tokens(ORIGIN, email=email, password=PASSWORD)


def cookie(stage: Stage) -> str:
    return accounts.open_browser_sign_in(ORIGIN, ticket=ticket(stage)).cookie
