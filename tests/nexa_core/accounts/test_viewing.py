"""View as: somebody else's eyes, one's own name, nothing changed, an hour at most, and the customer can read it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from uuid import UUID

import pytest

from nexa_core import accounts, audit, db, organizations, usage
from nexa_core.actions import Action
from nexa_core.actor import Actor, Origin, Scope
from nexa_core.errors import Conflict, Forbidden, Invalid, NexaError, NotFound
from nexa_core.permissions import READING, Permission
from tests.databases import TestDatabase
from tests.worlds import PASSWORD, World

WHY = "Ticket 4711: the list is empty for them"


@pytest.fixture
def ids(world: World) -> dict[str, UUID]:
    platform, northwind = world.organization("NEXA", is_platform=True), world.organization("Northwind", plan="starter")
    return {
        "platform": platform,
        "northwind": northwind,
        "root": world.person("root@nexa.example", platform, role="owner"),
        "ada": world.person("ada@northwind.example", northwind, role="owner", full_name="Ada Lovelace"),
        "vic": world.person("vic@northwind.example", northwind, role="viewer"),
    }


@pytest.fixture
def root(world: World, ids: dict[str, UUID]) -> Actor:
    ends = dt.datetime.now(dt.UTC) + dt.timedelta(hours=12)  # Python has no date for the fixture's "infinity"
    living = world._insert(
        "user_sessions", user_id=ids["root"], organization_id=ids["platform"], session_token="0" * 64, expires_at=ends
    )
    return world.actor(ids["root"], ids["platform"], user_session_id=living)


def now(actor: Actor) -> Actor:
    assert actor.user_session_id
    return accounts.actor_of_user_session(Origin(), user_session_id=actor.user_session_id)


@pytest.fixture
def viewing(root: Actor, ids: dict[str, UUID]) -> Actor:
    accounts.view_as(root, user_id=ids["ada"], organization_id=ids["northwind"], reason=WHY)
    return now(root)


def test_one_sees_what_the_member_sees_and_stays_oneself(viewing: Actor, ids: dict[str, UUID]) -> None:
    assert (viewing.user_id, viewing.organization_id, viewing.role) == (ids["root"], ids["northwind"], "owner")
    assert viewing.scope is Scope.TENANT and viewing.viewing_as
    assert (viewing.viewing_as.user_id, viewing.viewing_as.full_name) == (ids["ada"], "Ada Lovelace")
    assert organizations.current(viewing).name == "Northwind"
    assert {p for p in Permission if viewing.may(p)} == set(READING)
    assert accounts.my_profile(viewing).email == "root@nexa.example"
    assert [one.is_current for one in accounts.my_sign_ins(viewing)] == [True]
    with pytest.raises(Forbidden, match="not include"):
        organizations.browse(viewing)


def test_a_viewers_eyes_see_no_more_than_the_viewer(root: Actor, ids: dict[str, UUID]) -> None:
    accounts.view_as(root, user_id=ids["vic"], organization_id=ids["northwind"], reason=WHY)
    with pytest.raises(Forbidden):
        organizations.members(now(root), organization_id=ids["northwind"])


def invited_by_contoso(world: World, database: TestDatabase) -> str:
    """The token of an invitation to another organization, for the admin's own address."""
    contoso = world.organization("Contoso")
    eve = world.actor(world.person("eve@contoso.example", contoso, role="owner"), contoso)
    organizations.invite(eve, organization_id=contoso, people="root@nexa.example")
    with database.superuser() as connection:
        row = connection.execute(
            "SELECT link FROM outbox_messages WHERE recipient = 'root@nexa.example' AND link LIKE '%token=%'"
        ).fetchone()
    assert row
    return str(row[0]).partition("token=")[2]


def test_every_door_that_writes_is_closed(viewing: Actor, database: TestDatabase, world: World) -> None:
    for action in Action:
        with pytest.raises(Forbidden, match="viewing Northwind as Ada"), db.recording(viewing, action):
            pytest.fail("the door opened")
    with pytest.raises(Forbidden), db.metering(viewing):
        pytest.fail("the door opened")
    with pytest.raises(NexaError):
        usage.record(viewing, [usage.UsageEvent(event_type="ai_call", credits=7, idempotency_key="one")])
    with pytest.raises(Forbidden):
        organizations.rename(viewing, name="Southwind")
    with pytest.raises(Forbidden):
        accounts.change_password(viewing, current=PASSWORD, new="an entirely new phrase to remember")
    assert viewing.viewing_as
    with pytest.raises(Forbidden):
        accounts.switch_organization(viewing, organization_id=viewing.viewing_as.real.organization_id)  # type: ignore[arg-type]
    with pytest.raises(Forbidden):
        accounts.view_as(
            viewing, user_id=viewing.viewing_as.user_id, organization_id=viewing.organization_id, reason="x"
        )  # type: ignore[arg-type]
    with pytest.raises(Forbidden, match="viewing Northwind as Ada"):
        organizations.accept_invitation(viewing, token=invited_by_contoso(world, database))
    with database.superuser() as connection:
        assert connection.execute("SELECT name FROM organizations WHERE slug = 'northwind'").fetchone() == (
            "Northwind",
        )


def test_the_customer_reads_who_looked_and_why(world: World, viewing: Actor, ids: dict[str, UUID]) -> None:
    accounts.stop_viewing(viewing)
    found = audit.recent(world.actor(ids["ada"], ids["northwind"]))
    assert [entry.action for entry in found[:2]] == ["user.viewing_ended", "user.viewing_started"]
    assert found[1].sentence == "NEXA staff began to view Northwind as Ada Lovelace" and found[1].reason == WHY
    with world.database.superuser() as connection:
        actors = connection.execute(
            "SELECT DISTINCT user_id FROM audit_logs WHERE action LIKE 'user.viewing%'"
        ).fetchall()
    assert actors == [(ids["root"],)]


def test_the_customer_reads_when_a_viewing_ended_that_nobody_ended(
    world: World, viewing: Actor, ids: dict[str, UUID]
) -> None:
    system = Actor.system()
    assert accounts.expire_viewings(system) == 0, "it lasts"
    with world.database.superuser() as connection, connection.transaction():
        world.name_the_change(connection)
        connection.execute("UPDATE viewings SET started_at = now() - interval '1 hour', expires_at = now()")
    assert accounts.expire_viewings(system) == 1 and accounts.expire_viewings(system) == 0
    ada = world.actor(ids["ada"], ids["northwind"])
    ended = audit.staff_access(ada, kind="viewed_as").items[0]
    assert ended.sentence == "The viewing of Northwind as Ada Lovelace ended by itself" and ended.by_itself
    with pytest.raises(Forbidden):
        accounts.expire_viewings(ada)
    accounts.stop_viewing(viewing)
    assert len(audit.staff_access(ada, kind="viewed_as").items) == 2, "it has ended once"


def test_it_ends_by_the_button_by_the_clock_and_with_the_sign_in(
    world: World, root: Actor, viewing: Actor, ids: dict[str, UUID]
) -> None:
    accounts.stop_viewing(viewing)
    accounts.stop_viewing(viewing)
    assert now(root).viewing_as is None and now(root).scope is Scope.STAFF
    accounts.view_as(root, user_id=ids["ada"], organization_id=ids["northwind"], reason=WHY)
    with world.database.superuser() as connection, connection.transaction():
        world.name_the_change(connection)
        connection.execute(
            "UPDATE viewings SET started_at = now() - interval '60 minutes', expires_at = now() WHERE ended_at IS NULL"
        )
    assert now(root).viewing_as is None, "by the clock"
    accounts.view_as(root, user_id=ids["ada"], organization_id=ids["northwind"], reason=WHY)
    accounts.sign_out(now(root))
    with pytest.raises(NexaError):
        now(root)


@pytest.mark.parametrize(
    "event",
    [
        "UPDATE organization_memberships SET status = 'suspended' WHERE user_id = %(vic)s",
        "UPDATE users SET status = 'suspended' WHERE id = %(vic)s",
        "UPDATE organizations SET status = 'suspended' WHERE id = %(northwind)s",
        "UPDATE organization_memberships SET role = 'viewer' WHERE user_id = %(root)s",
    ],
)
def test_it_ends_when_one_side_may_no_longer(world: World, root: Actor, ids: dict[str, UUID], event: str) -> None:
    world.person("second@nexa.example", ids["platform"], role="owner")
    accounts.view_as(root, user_id=ids["vic"], organization_id=ids["northwind"], reason=WHY)
    assert now(root).viewing_as
    with world.database.superuser() as connection, connection.transaction():
        world.name_the_change(connection)
        connection.execute(event.encode(), ids)
    assert now(root).viewing_as is None


def test_it_lasts_an_hour_at_most_whatever_the_program_says(world: World, viewing: Actor) -> None:
    import psycopg

    with world.database.superuser() as connection, connection.transaction():
        world.name_the_change(connection)
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute("UPDATE viewings SET expires_at = started_at + interval '61 minutes'")


def test_it_is_for_internal_admins_with_a_reason_and_customers_only(
    world: World, root: Actor, ids: dict[str, UUID]
) -> None:
    wanted = {"user_id": ids["ada"], "organization_id": ids["northwind"], "reason": WHY}
    manager = world.person("manager@nexa.example", ids["platform"], role="member")
    for person, organization in ((manager, ids["platform"]), (ids["ada"], ids["northwind"])):
        actor = world.actor(person, organization, user_session_id=world.sign_in(person, organization))
        with pytest.raises(Forbidden):
            accounts.view_as(actor, **wanted)  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="why"):
        accounts.view_as(root, **{**wanted, "reason": "  "})  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        accounts.view_as(root, **{**wanted, "organization_id": world.organization("Other")})  # type: ignore[arg-type]
    with pytest.raises(Conflict, match="Only customers"):
        accounts.view_as(root, user_id=manager, organization_id=ids["platform"], reason=WHY)


def test_the_fact_is_in_the_actor_so_that_no_cache_mixes_them_up(viewing: Actor) -> None:
    assert viewing != replace(viewing, viewing_as=None)
    assert len({viewing, viewing}) == 1
