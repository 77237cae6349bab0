"""Every actor, verb and route, in their own, another and a deleted organization: exactly what the table says."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from nexa_core import accounts, api, audit, db, organizations, system
from nexa_core.accounts import tokens
from nexa_core.actor import Actor, Scope, Standing
from nexa_core.errors import Conflict, Forbidden, Invalid, LimitExceeded, NotFound, Unauthenticated
from tests.conftest import Cluster, TestDatabase, World
from tests.promises.matrix import ACTORS, OWED, OWED_ROUTES, PLACES, ROUTES, VERBS, Place, Row

ROLES = {"viewer": "viewer", "billing": "billing", "member": "member", "admin": "admin", "owner": "owner"}
OUTCOMES = {Forbidden: "forbidden", NotFound: "hidden", Unauthenticated: "nobody", Invalid: "invalid"}
STATUSES = {"forbidden": 403, "hidden": 404, "nobody": 401, "invalid": 422}


@dataclass
class Stage:
    """The world the table is played in; nothing that is done on it stays."""

    database: TestDatabase
    actors: dict[str, Actor] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)

    def place(self, who: str, where: str) -> Place:
        at_platform = where == "own" and who in ("account manager", "internal admin")
        return self.places["platform" if at_platform else where]

    def ids(self, query: str, *values: object) -> set[UUID]:
        with self.database.superuser() as connection:
            return {row[0] for row in connection.execute(query.encode(), values).fetchall()}


@pytest.fixture(scope="module")
def built(cluster: Cluster) -> Iterator[Stage]:
    database = TestDatabase(cluster, cluster.create(cluster.template))
    database.configure()
    yield _build(database)
    db.dispose()
    cluster.drop(database.name)


@pytest.fixture
def stage(built: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The stage, with commits that check everything and then undo it."""
    built.database.configure()

    sends = db._send

    def check_and_undo(connection: Any, statements: str) -> None:
        sends(connection, "SET CONSTRAINTS ALL IMMEDIATE; ROLLBACK" if statements == "COMMIT" else statements)

    monkeypatch.setattr(db, "_send", check_and_undo)
    return built


def _build(database: TestDatabase) -> Stage:
    world, stage = World(database), Stage(database)
    nexa = world.organization("NEXA", is_platform=True, plan="enterprise")
    homes = {"platform": nexa}
    for name, where in (("Northwind", "own"), ("Contoso", "other"), ("Tailspin", "deleted"), ("Fabrikam", "away")):
        homes[where] = world.organization(name, plan="enterprise")
    for where, organization in homes.items():
        stage.places[where] = _place(world, organization, where)
    for who, role in ROLES.items():
        _actor(stage, world, who, homes["own"], role)
    _actor(stage, world, "pending", homes["own"], "member", membership_status="pending")
    _actor(stage, world, "suspended", homes["own"], "member", membership_status="suspended")
    _actor(stage, world, "ex-member", homes["away"], "member")
    _actor(stage, world, "account manager", nexa, "billing")
    _actor(stage, world, "internal admin", nexa, "owner")
    stage.actors["anonymous"] = Actor(
        None, homes["own"], None, Scope.TENANT, frozenset(), Standing(signed_in=False, membership_status=None)
    )
    with database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        connection.execute(
            "UPDATE organizations SET status = 'deleted', deleted_at = now() WHERE id = %s", [homes["deleted"]]
        )
    return stage


def _place(world: World, organization: UUID, where: str) -> Place:
    domain, token = f"{where}.example", tokens.new_secret()
    world.person(f"first@{domain}", organization, role="owner")
    world.person(f"second@{domain}", organization, role="owner")
    viewer = world.person(f"tim@{domain}", organization, role="viewer")
    world.person(f"sue@{domain}", organization, role="viewer", membership_status="suspended")
    world.person(f"ina@{domain}", organization, role="viewer", membership_status="pending", status="pending")
    with world.database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        connection.execute(
            "UPDATE organization_memberships m SET invited_at = now(), joined_at = NULL, invitation_token = %s,"
            " invitation_expires_at = now() + interval '7 days' FROM users u"
            " WHERE u.id = m.user_id AND u.email = %s",
            [tokens.digest(token), f"ina@{domain}"],
        )
        found = dict(
            connection.execute(
                "SELECT split_part(u.email, '@', 1), m.id FROM organization_memberships m"
                " JOIN users u ON u.id = m.user_id WHERE m.organization_id = %s",
                [organization],
            ).fetchall()
        )
        row = connection.execute("SELECT slug FROM organizations WHERE id = %s", [organization]).fetchone()
    assert row
    return Place(
        organization, row[0], found["first"], found["tim"], found["sue"], found["ina"], token, viewer,
        f"tim@{domain}", world.sign_in(viewer, organization),
    )  # fmt: skip


def _actor(stage: Stage, world: World, who: str, organization: UUID, role: str, **values: Any) -> None:
    person = world.person(f"{who.replace(' ', '.')}@actors.example", organization, role=role, **values)
    stage.cookies[who] = tokens.new_secret()
    sign_in = world.sign_in(person, organization, tokens.digest(stage.cookies[who]))
    stage.actors[who] = world.actor(person, organization, user_session_id=sign_in)


def outcome(row: Row, stage: Stage, who: str, where: str) -> str:
    """What calling the verb came to; a refusal of the input or of the moment is none of the actor."""
    place = stage.place(who, where)
    try:
        found = row.call(stage.actors[who], place)
    except (Conflict, LimitExceeded):
        return "conflict"
    except tuple(OUTCOMES) as refused:
        return OUTCOMES[type(refused)]
    if row.check:
        row.check(stage, who, where, place, found)
    return "ok"


def fits(came: str, expected: str) -> bool:
    return came in ("ok", "conflict", "invalid") if expected == "may" else came == expected


def verbs_with_an_actor() -> set[str]:
    """Every public verb whose first parameter is an actor, asked of the domains' front doors."""
    found = set()
    for domain in (accounts, audit, organizations, system):
        for name in domain.__all__:
            verb = getattr(domain, name)
            if inspect.isfunction(verb):
                parameters = list(inspect.signature(verb).parameters.values())
                if parameters and parameters[0].annotation in ("Actor", Actor):
                    found.add(f"{domain.__name__.rpartition('.')[2]}.{name}")
    return found


def test_every_verb_and_every_route_is_in_the_table() -> None:
    assert set(VERBS) | OWED == verbs_with_an_actor()
    assert not OWED & set(VERBS), "what is written is not owed any more"
    assert set(ROUTES) | OWED_ROUTES == {f"{endpoint.method} {endpoint.path}" for endpoint in api.endpoints()}
    assert not OWED_ROUTES & set(ROUTES), "what is written is not owed any more"
    assert {route.verb for route in ROUTES.values() if not route.public} <= set(VERBS)


def test_a_verb_that_is_not_in_the_table_turns_it_red(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgotten(actor: Actor) -> None: ...

    monkeypatch.setattr(organizations, "forgotten", forgotten, raising=False)
    monkeypatch.setattr(organizations, "__all__", [*organizations.__all__, "forgotten"])
    with pytest.raises(AssertionError):
        test_every_verb_and_every_route_is_in_the_table()


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_does_what_the_table_says(stage: Stage, verb: str) -> None:
    row, wrong = VERBS[verb], []
    for who in ACTORS:
        for where in PLACES:
            expected = row.expected(who, where)
            if expected is not None and not fits(came := outcome(row, stage, who, where), expected):
                wrong.append(f"{who} in {where}: {came} instead of {expected}")
    assert wrong == []


@pytest.mark.parametrize("route", [name for name, route in ROUTES.items() if not route.public])
def test_a_route_answers_as_its_verb_does(stage: Stage, route: str) -> None:
    method, spec, wrong = route.partition(" ")[0], ROUTES[route], []
    application = Starlette(routes=api.routes(), middleware=[Middleware(api.Guard)])
    for who in ACTORS:
        cookies = {"nexa": stage.cookies[who]} if who in stage.cookies else {}
        with TestClient(application, base_url="http://localhost", cookies=cookies) as client:
            for where in PLACES:
                expected = VERBS[spec.verb].expected(who, where)
                if who in ("anonymous", "pending", "suspended"):
                    expected = "nobody"
                if expected is None:
                    continue
                answer = client.request(
                    method,
                    f"/api{spec.path(stage.place(who, where))}",
                    json=spec.body,
                    headers={"origin": "http://localhost", "x-request-id": str(uuid4())},
                )
                status = answer.status_code
                good = status in (200, 204, 409, 422) if expected == "may" else status == STATUSES.get(expected, 200)
                if not good:
                    wrong.append(f"{who} in {where}: {status} instead of {expected}: {answer.text[:200]}")
                if status >= 400:
                    assert answer.headers["content-type"] == "application/problem+json"
    assert wrong == []


def test_the_stage_is_as_it_was(stage: Stage) -> None:
    """The control of the undoing: after all of the above not one row is new."""
    names = stage.ids("SELECT name FROM organizations")
    assert names == {"NEXA", "Northwind", "Contoso", "Tailspin", "Fabrikam"}
    assert stage.ids("SELECT count(*) FROM outbox_messages") == {0}
