"""The directory: an internal admin finds anybody, sees why they are locked out, and helps; nobody else sees a word."""

from __future__ import annotations

import contextlib
from uuid import UUID, uuid4

import pytest

from nexa_core import accounts, organizations
from nexa_core.actor import Actor, Origin
from nexa_core.errors import Conflict, Forbidden, Invalid, NexaError, NotFound
from tests.databases import TestDatabase
from tests.worlds import PASSWORD, World

THIEF = Origin(ip_address="198.51.100.66", user_agent="Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36")


@pytest.fixture
def root(world: World) -> Actor:
    platform = world.organization("NEXA", is_platform=True)
    return world.actor(world.person("root@nexa.example", platform, role="owner"), platform)


@pytest.fixture
def northwind(world: World) -> UUID:
    return world.organization("Northwind")


@pytest.fixture
def ada(world: World, northwind: UUID) -> UUID:
    return world.person("ada.lovelace@northwind.example", northwind, role="owner")


@pytest.fixture
def bob(world: World, northwind: UUID, ada: UUID) -> UUID:
    return world.person("bob@northwind.example", northwind)


def names(page: accounts.PeoplePage) -> list[str]:
    return [row.full_name for row in page.items]


def fail(email: str, times: int) -> None:
    for _ in range(times):
        with contextlib.suppress(NexaError):
            accounts.sign_in(THIEF, email=email, password="not the password at all")


def come_in(email: str) -> None:
    ticket = accounts.sign_in(Origin(), email=email, password=PASSWORD).ticket
    accounts.open_browser_sign_in(Origin(), ticket=ticket)


def test_the_list_is_searched_filtered_and_paged(world: World, root: Actor, northwind: UUID, ada: UUID) -> None:
    world.person("sus@northwind.example", northwind, status="suspended", full_name="Sus Pended")
    world.person("out@northwind.example", northwind, full_name="Out Side", membership_status="suspended")
    for number in range(5):
        world.person(
            f"p{number}@northwind.example", northwind, full_name=f"Person {number}", last_login_at="2026-01-01"
        )
    fail("p3@northwind.example", 6)
    assert names(accounts.find_people(root, text="LOVELACE")) == ["Ada Lovelace"]
    assert names(accounts.find_people(root, text="p2@")) == ["Person 2"]
    assert names(accounts.find_people(root, text="%")) == names(accounts.find_people(root, text="_")) == []
    assert names(accounts.find_people(root, status="suspended")) == ["Sus Pended"]
    assert names(accounts.find_people(root, kind="locked")) == ["Person 3"]
    assert names(accounts.find_people(root, kind="platform_staff")) == ["Root"]
    assert names(accounts.find_people(root, kind="no_active_membership")) == ["Out Side"]
    assert "Person 1" not in names(accounts.find_people(root, kind="never_signed_in"))
    whole = accounts.find_people(root, limit=200).items
    paged: list[accounts.PersonRow] = []
    after = None
    while True:
        page = accounts.find_people(root, limit=2, after=after)
        paged += page.items
        if (after := page.next_cursor) is None:
            break
    assert paged == list(whole) and len({row.id for row in paged}) == 9
    assert next(row for row in whole if row.id == ada).organizations == ("Northwind",)


@pytest.mark.parametrize("query", [{"status": "gone"}, {"kind": "odd"}, {"after": "!"}, {"after": "bnVsbA"}])
def test_a_list_that_cannot_be_is_refused_in_a_sentence(root: Actor, query: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        accounts.find_people(root, **query)  # type: ignore[arg-type]
    assert refused.value.field == next(iter(query))


def test_only_an_internal_admin_sees_or_does_any_of_it(world: World, root: Actor, northwind: UUID, ada: UUID) -> None:
    assert root.organization_id
    others = [world.actor(ada, northwind)]
    for role in ("member", "billing", "viewer"):
        person = world.person(f"{role}@nexa.example", root.organization_id, role=role)
        others.append(world.actor(person, root.organization_id))
    verbs = (
        lambda a: accounts.find_people(a),
        lambda a: accounts.person(a, user_id=ada),
        lambda a: accounts.unlock(a, user_id=ada),
        lambda a: accounts.send_reset_link(a, user_id=ada),
        lambda a: accounts.suspend_user(a, user_id=ada, reason="x"),
        lambda a: accounts.resume_user(a, user_id=ada),
        lambda a: accounts.delete_user(a, user_id=ada, reason="x"),
        lambda a: accounts.restore_user(a, user_id=ada, reason="x"),
        lambda a: accounts.end_sign_ins_of(a, user_id=ada, reason="x"),
        lambda a: accounts.end_sign_in_of(a, user_id=ada, user_session_id=uuid4(), reason="x"),
        lambda a: accounts.export_person(a, user_id=ada, reason="x"),
        lambda a: accounts.plan_erasure(a, user_id=ada),
        lambda a: accounts.erase_person(a, user_id=ada, email="ada.lovelace@northwind.example", reason="x"),
        lambda a: accounts.certificate(a, user_id=ada),
    )
    for actor in others:
        for verb in verbs:
            with pytest.raises(Forbidden):
                verb(actor)
    for verb in (accounts.person, accounts.plan_erasure, accounts.certificate, accounts.send_reset_link):
        with pytest.raises(NotFound):
            verb(root, user_id=uuid4())  # type: ignore[operator]


def test_a_lock_is_explained_by_the_attempts_that_led_to_it(world: World, root: Actor, bob: UUID) -> None:
    come_in("bob@northwind.example")
    assert accounts.person(root, user_id=bob).lock is None
    fail("bob@northwind.example", 7)
    lock = accounts.person(root, user_id=bob).lock
    assert lock and len(lock.attempts) == lock.failures == 5 and lock.times_in_a_row == 1
    assert {(one.ip_address, one.device) for one in lock.attempts} == {("198.51.100.66", "Chrome on Windows")}
    assert [one.at for one in lock.attempts] == sorted(one.at for one in lock.attempts)
    accounts.unlock(root, user_id=bob)
    assert accounts.person(root, user_id=bob).lock is None
    come_in("bob@northwind.example")
    told = [event.what for event in accounts.person(root, user_id=bob).timeline]
    assert told.count("A sign-in failed") == 5 and told.count("Signed in") == 2
    assert told[:2] == ["Signed in", "Unlocked"]


def test_the_page_tells_where_somebody_belongs_and_what_they_own(
    world: World, root: Actor, northwind: UUID, ada: UUID
) -> None:
    contoso = world.organization("Contoso", account_manager_id=ada)
    world.membership(ada, contoso, role="viewer", status="suspended")
    world.session(northwind, ada)
    found = accounts.person(root, user_id=ada)
    assert [(m.organization_name, m.role, m.status, m.is_last_owner) for m in found.memberships] == [
        ("Contoso", "viewer", "suspended", False), ("Northwind", "owner", "active", True),
    ]  # fmt: skip
    assert (found.sessions_written, found.customers_managed, found.owned_alone) == (1, ("Contoso",), ("Northwind",))


def test_sign_ins_end_one_by_one_or_all(world: World, root: Actor, northwind: UUID, bob: UUID) -> None:
    import datetime as dt

    ends = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    living = [
        world._insert(
            "user_sessions", user_id=bob, organization_id=northwind, session_token=uuid4().hex, expires_at=ends
        )
        for _ in range(3)
    ]
    assert {one.id for one in accounts.person(root, user_id=bob).sign_ins} == set(living)
    accounts.end_sign_in_of(root, user_id=bob, user_session_id=living[0], reason="lost laptop")
    with pytest.raises(NotFound):
        accounts.end_sign_in_of(root, user_id=bob, user_session_id=living[0], reason="lost laptop")
    with pytest.raises(NotFound):
        accounts.end_sign_in_of(root, user_id=root.user_id, user_session_id=living[1], reason="whose?")  # type: ignore[arg-type]
    assert accounts.end_sign_ins_of(root, user_id=bob, reason="lost laptop") == 2
    assert accounts.person(root, user_id=bob).sign_ins == ()


def test_a_mailed_link_helps_who_has_lost_the_password(
    database: TestDatabase, root: Actor, bob: UUID, ada: UUID
) -> None:
    accounts.send_reset_link(root, user_id=bob)
    with database.superuser() as connection:
        (recipient, link) = connection.execute("SELECT recipient, link FROM outbox_messages").fetchone() or ("", "")
    assert recipient == "bob@northwind.example"
    accounts.set_password(Origin(), token=link.partition("token=")[2], password="an entirely new phrase to remember")
    accounts.suspend_user(root, user_id=ada, reason="stolen")
    with pytest.raises(Conflict, match="suspended"):
        accounts.send_reset_link(root, user_id=ada)


def test_a_deleted_account_is_closed_and_can_be_restored(
    database: TestDatabase, world: World, root: Actor, northwind: UUID, ada: UUID, bob: UUID
) -> None:
    managed = world.organization("Contoso", account_manager_id=bob)
    with pytest.raises(Conflict, match="active owner"):
        accounts.delete_user(root, user_id=ada, reason="left")
    with pytest.raises(Conflict, match="your own"):
        accounts.delete_user(root, user_id=root.user_id, reason="left")  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="why"):
        accounts.delete_user(root, user_id=bob, reason=" ")
    accounts.delete_user(root, user_id=bob, reason="left")
    with pytest.raises(Conflict):
        accounts.delete_user(root, user_id=bob, reason="left")
    with pytest.raises(NexaError):
        accounts.sign_in(Origin(), email="bob@northwind.example", password=PASSWORD)
    assert organizations.get(root, organization_id=managed).account_manager is None
    assert "Bob" not in names(accounts.find_people(root)) and names(accounts.find_people(root, status="deleted")) == [
        "Bob"
    ]
    accounts.restore_user(root, user_id=bob, reason="came back")
    accounts.sign_in(Origin(), email="bob@northwind.example", password=PASSWORD)
    with pytest.raises(Conflict):
        accounts.restore_user(root, user_id=bob, reason="again")


def test_a_restored_account_is_what_it_was(
    database: TestDatabase, world: World, root: Actor, northwind: UUID, ada: UUID, bob: UUID
) -> None:
    accounts.suspend_user(root, user_id=bob, reason="stolen")
    pia, old = (
        world.person(
            f"{name}@northwind.example", northwind, password=None, status="pending", membership_status="pending"
        )
        for name in ("pia", "old")
    )
    with database.superuser() as connection, connection.transaction():  # so long ago that the log has forgotten it
        world.name_the_change(connection)
        connection.execute("UPDATE users SET status = 'deleted', deleted_at = now() WHERE id = %s", [old])
    for person in (bob, pia):
        accounts.delete_user(root, user_id=person, reason="left")
    for person in (bob, pia, old):
        accounts.restore_user(root, user_id=person, reason="came back")
    assert [accounts.person(root, user_id=person).status for person in (bob, pia, old)] == [
        "suspended", "pending", "pending",
    ]  # fmt: skip


def test_a_restored_account_takes_its_seats_or_stays_deleted(
    database: TestDatabase, world: World, root: Actor, northwind: UUID, ada: UUID, bob: UUID
) -> None:
    accounts.delete_user(root, user_id=bob, reason="left")
    with database.superuser() as connection, connection.transaction():
        world.name_the_change(connection)
        connection.execute("UPDATE organizations SET usage_limits = '{\"seats\": 1}' WHERE id = %s", [northwind])
    with pytest.raises(Conflict, match="All 1 seats of Northwind are taken"):
        accounts.restore_user(root, user_id=bob, reason="came back")
    with database.superuser() as connection, connection.transaction():
        world.name_the_change(connection)
        connection.execute("UPDATE organization_memberships SET status = 'suspended' WHERE user_id = %s", [bob])
    accounts.restore_user(root, user_id=bob, reason="came back, to nothing that takes a seat")
