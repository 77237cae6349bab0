"""Every actor, verb and route, in their own, another and a deleted organization: exactly what the table says."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from nexa_core import api, db, organizations
from nexa_core.actor import Actor, Origin
from nexa_core.config import settings
from nexa_core.errors import Conflict, Forbidden, Invalid, LimitExceeded, NotFound, Unauthenticated
from nexa_core.permissions import Permission, granted
from tests.databases import Cluster, TestDatabase
from tests.nexa_core.organizations.domains.dns_server import dns_server
from tests.promises.matrix import DOMAINS, ROUTES, VERBS
from tests.promises.matrix_public import PUBLIC
from tests.promises.matrix_rows import ACTORS, PLACES, Place, Row
from tests.promises.matrix_stage import Stage, build
from tests.worlds import World

ROOT = Path(__file__).parents[2]
OUTCOMES = {Forbidden: "forbidden", NotFound: "hidden", Unauthenticated: "nobody", Invalid: "invalid"}
STATUSES = {"forbidden": 403, "hidden": 404, "nobody": 401, "invalid": 422}


@pytest.fixture(scope="module")
def built(cluster: Cluster) -> Iterator[Stage]:
    database = TestDatabase(cluster, cluster.create(cluster.template))
    database.configure()
    with dns_server() as zone:  # a domain is looked for in a DNS that has no record of it
        yield build(database, zone.address)
    db.dispose()
    cluster.drop(database.name)


@pytest.fixture
def stage(built: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The stage, with commits that check everything and then undo it."""
    built.database.configure()
    monkeypatch.setenv("NEXA_DNS_RESOLVER", built.resolver)

    sends = db._send

    def check_and_undo(connection: Any, statements: str) -> None:
        sends(connection, "SET CONSTRAINTS ALL IMMEDIATE; ROLLBACK" if statements == "COMMIT" else statements)

    monkeypatch.setattr(db, "_send", check_and_undo)
    return built


def outcome(row: Row, stage: Stage, who: str, where: str) -> str:
    """What calling the verb came to; a refusal of the input or of the moment is none of the actor."""
    place = stage.place(who, where)
    try:
        found = row.call(stage.actors[who], place)
    except (Conflict, LimitExceeded):
        return "conflict"
    except tuple(OUTCOMES) as refused:
        return next(came for kind, came in OUTCOMES.items() if isinstance(refused, kind))
    if row.check:
        row.check(stage, who, where, place, found)
    return "ok"


def came_to(call: Callable[[], object]) -> str:
    """What a call before there is an actor came to."""
    try:
        call()
    except tuple(OUTCOMES) as refused:
        return next(came for kind, came in OUTCOMES.items() if isinstance(refused, kind))
    return "ok"


def fits(came: str, expected: str) -> bool:
    return came in ("ok", "conflict", "invalid") if expected == "may" else came == expected


def verbs_with(first: type) -> set[str]:
    """Every public verb whose first parameter is an actor, or an origin, asked of the domains' front doors."""
    found = set()
    for domain in DOMAINS:
        for name in domain.__all__:
            verb = getattr(domain, name)
            if inspect.isfunction(verb):
                parameters = list(inspect.signature(verb).parameters.values())
                if parameters and parameters[0].annotation in (first.__name__, first):
                    found.add(f"{domain.__name__.rpartition('.')[2]}.{name}")
    return found


def test_every_verb_and_every_route_is_in_the_table() -> None:
    assert set(VERBS) == verbs_with(Actor)
    assert set(PUBLIC) == verbs_with(Origin)
    assert set(ROUTES) == {f"{endpoint.method} {endpoint.path}" for endpoint in api.endpoints()}
    assert {route.verb for route in ROUTES.values() if not route.public} <= set(VERBS)


def _for_an_actor(actor: Actor) -> None: ...


def _for_anybody(origin: Origin) -> None: ...


@pytest.mark.parametrize("forgotten", [_for_an_actor, _for_anybody])
def test_a_verb_that_is_not_in_the_table_turns_it_red(monkeypatch: pytest.MonkeyPatch, forgotten: Any) -> None:
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


@pytest.mark.parametrize("verb", PUBLIC)
def test_a_verb_for_anybody_does_what_the_table_says(stage: Stage, verb: str) -> None:
    row = PUBLIC[verb]
    assert came_to(row.stranger) == row.strangers
    if row.bearer is None:
        assert verb.partition(".")[2] in (ROOT / row.elsewhere).read_text("utf-8"), "told in a test of its own"
    else:
        bearer = row.bearer
        assert {where: came_to(lambda at=where: bearer(stage.places[at])) for where in PLACES} == row.bearers


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
                good = (
                    status in (200, 201, 204, 409, 422, 428)
                    if expected == "may"
                    else status == STATUSES.get(expected, 200)
                )
                if not good:
                    wrong.append(f"{who} in {where}: {status} instead of {expected}: {answer.text[:200]}")
                if spec.listed is not None and status == 200:
                    listed = answer.json()[spec.listed] if spec.listed else answer.json()
                    found = VERBS[spec.verb].call(stage.actors[who], stage.place(who, where))
                    things = getattr(found, spec.listed) if spec.listed else found
                    assert [one["id"] for one in listed] == [str(one.id) for one in things]
                if status >= 400:
                    assert answer.headers["content-type"] == "application/problem+json"
    assert wrong == []


#: What account managers are held out of. Who is granted the log, sessions or people, is granted all customers'.
HELD = ("organizations.", "billing.", "reports.", "usage.")


def held(stage: Stage, role: str) -> Actor:
    """An account manager: by the role alone, denied the portfolio, or granted all but what sees every customer."""
    everything = frozenset(Permission) - {Permission.ORGANIZATIONS_MANAGE, Permission.SYSTEM_READ}
    grant = frozenset(p.value for p in everything) if role == "granted" else frozenset()
    deny = frozenset({Permission.PORTFOLIO_READ.value}) if role == "denied" else frozenset()
    manager = stage.actors["account manager"]
    return replace(
        manager,
        permissions=granted(manager.role, is_platform=True, grant=grant, deny=deny),
        standing=replace(manager.standing, grant=grant, deny=deny),
    )


@pytest.fixture
def own_customers_only(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The account manager's other place, which is none of theirs."""
    monkeypatch.setenv("NEXA_ACCOUNT_MANAGERS_SEE", "own")
    settings.cache_clear()
    return stage.place("account manager", "other")


def outsiders(stage: Stage, manager: Actor, place: Place) -> list[str]:
    """What the verbs tell the manager, or do for them, about customers of nobody's."""
    customers = {str(name) for name in stage.ids("SELECT name FROM organizations WHERE NOT is_platform")}
    told = []
    for verb, row in VERBS.items():
        if not verb.startswith(HELD):
            continue
        try:
            found = row.call(manager, place)
        except (Forbidden, NotFound, Invalid):
            continue
        except (Conflict, LimitExceeded) as refused:
            told.append(f"{verb}: {refused}")
            continue
        shown = str(list(found) if isinstance(found, Iterator) else found)
        if not row.everywhere or any(name in shown for name in customers):
            told.append(f"{verb}: {shown[:100]}")
    return told


@pytest.mark.parametrize("role", ["by role", "denied", "granted"])
def test_an_account_manager_held_to_their_own_customers_finds_no_other(
    stage: Stage, own_customers_only: Place, role: str
) -> None:
    assert outsiders(stage, held(stage, role), own_customers_only) == []


def test_an_account_manager_held_to_their_own_customers_finds_those(stage: Stage, own_customers_only: Place) -> None:
    """The control: the same verbs tell of the same customer once it is theirs."""
    manager, theirs = stage.actors["account manager"], "UPDATE organizations SET account_manager_id = %s WHERE id = %s"
    with stage.database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        connection.execute(theirs, [manager.user_id, own_customers_only.organization])
    try:
        told = {line.partition(":")[0] for line in outsiders(stage, manager, own_customers_only)}
    finally:
        with stage.database.superuser() as connection, connection.transaction():
            World.name_the_change(connection)
            connection.execute(theirs, [None, own_customers_only.organization])
    assert told >= {
        verb
        for verb, row in VERBS.items()
        if verb.startswith("organizations.")
        and not row.everywhere
        and row.expected("account manager", "other") == "may"
    }


def test_the_routes_hold_an_account_manager_as_the_verbs_do(stage: Stage, own_customers_only: Place) -> None:
    application = Starlette(routes=api.routes(), middleware=[Middleware(api.Guard)])
    opened = []
    with TestClient(
        application, base_url="http://localhost", cookies={"nexa": stage.cookies["account manager"]}
    ) as client:
        for route, spec in ROUTES.items():
            if not spec.public and spec.verb.startswith(HELD) and not VERBS[spec.verb].everywhere:
                method = route.partition(" ")[0]
                headers = {"origin": "http://localhost", "x-request-id": str(uuid4())}
                answer = client.request(method, f"/api{spec.path(own_customers_only)}", json=spec.body, headers=headers)
                if answer.status_code not in (403, 404, 422):
                    opened.append(f"{route}: {answer.status_code} {answer.text[:100]}")
    assert opened == []


def test_the_stage_is_as_it_was(stage: Stage) -> None:
    """The control of the undoing: after all of the above not one row is new."""
    names = stage.ids("SELECT name FROM organizations")
    assert names == {"NEXA", "Northwind", "Contoso", "Tailspin", "Fabrikam"}
    assert stage.ids("SELECT count(*) FROM outbox_messages") == {0}
