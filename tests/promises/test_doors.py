"""A door's role and context live for one transaction, and nothing gets to the database around the doors."""

from __future__ import annotations

import datetime as dt
import os
import random
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from nexa_core import db
from nexa_core.actions import Action
from nexa_core.actor import Actor, Origin, ViewingAs
from nexa_core.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from nexa_core.organizations.models import Organization, OrganizationMembership
from tests.databases import TestDatabase
from tests.worlds import World

THREADS, TRANSACTIONS, POOL = 40, 250, 5
_WHOSE = text("SELECT current_user, current_setting('nexa.organization') AS of, current_setting('nexa.person') AS by")
_VISIBLE = select(Organization.id)


_SETTINGS_OF = b"""
CREATE FUNCTION nexa.current_settings_of(value text) RETURNS TABLE (role text, person text, read_only text)
LANGUAGE sql AS $$ SELECT current_user::text, coalesce(current_setting('nexa.person', true), ''),
                          current_setting('transaction_read_only') WHERE value::integer > 0 $$
"""
_RENAME_ALL = b"""
CREATE FUNCTION nexa.rename_all(opened boolean, value text) RETURNS TABLE (role text, id uuid)
LANGUAGE plpgsql AS $$ BEGIN
    RETURN QUERY UPDATE public.organizations o SET name = 'Renamed ' || value RETURNING current_user::text, o.id;
    PERFORM 1 / (value::integer % 4);
END $$
"""


@pytest.fixture
def actors(world: World, database: TestDatabase) -> list[Actor]:
    with database.superuser() as connection:
        connection.execute(_SETTINGS_OF)
        connection.execute(_RENAME_ALL)
    made = []
    for number in range(8):
        organization = world.organization(f"Customer {number}")
        made.append(world.actor(world.person(f"ada@c{number}.example", organization, role="owner"), organization))
    return made


def leaks(actors: list[Actor], *, threads: int = THREADS, transactions: int = TRANSACTIONS) -> int:
    """How often a transaction saw anything that was not its own, among many that fail and roll back."""

    def worker(seed: int) -> int:
        chance = random.Random(seed)
        found = 0
        for _ in range(transactions):
            actor = chance.choice(actors)
            door = chance.choice(("reading", "recording", "recorded", "metering", "asked", "none"))
            try:
                if door == "none":
                    found += _sees_anything()
                elif door == "asked":
                    found += _asks_strangely(chance)
                elif door == "reading":
                    with db.reading(actor) as transaction:
                        found += _strange(transaction, actor)
                elif door == "recorded":
                    found += _records_strangely(chance, actor)
                elif door == "recording":
                    with db.recording(actor, Action.ORGANIZATION_RENAMED) as transaction:
                        found += _strange(transaction, actor)
                        transaction.execute(update(Organization).values(name=f"Renamed {seed}"))
                        _maybe_fail(chance, transaction)
                else:
                    with db.metering(actor) as transaction:
                        found += _strange(transaction, actor)
                        _maybe_fail(chance, transaction)
            except (ZeroDivisionError, Unavailable):  # no connection for 10 s is slow, not a leak
                pass
        return found

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(worker, range(threads)))


def _strange(transaction: db.Session, actor: Actor) -> int:
    row = transaction.execute(_WHOSE).one()
    visible = transaction.scalars(select(Organization.id)).all()
    mine = ("nexa_tenant", str(actor.organization_id), str(actor.user_id))
    driven = [row.id for row in db.fetched(transaction, _VISIBLE, {})]
    seen = {tuple(row), *db.fetched(transaction, _WHOSE, {})}
    return int(seen != {mine} or not list(visible) == driven == [actor.organization_id])


def _maybe_fail(chance: random.Random, transaction: db.Session) -> None:
    match chance.randrange(4):
        case 0:
            raise ZeroDivisionError
        case 1:
            with pytest.raises(DBAPIError):
                transaction.execute(text("SELECT 'no number'::int"))
            raise ZeroDivisionError


def _asks_strangely(chance: random.Random) -> int:
    """One question in one message, answered or refused: as nexa_entry, without anybody's context."""
    if not chance.randrange(4):
        with pytest.raises(Invalid):
            db.asked("nexa.current_settings_of", value="no number")
        return 0
    (row,) = db.asked("nexa.current_settings_of", value="7")
    return int(tuple(row) != ("nexa_entry", "", "on"))


def _records_strangely(chance: random.Random, actor: Actor) -> int:
    """One change in one message, done or refused as a whole: the actor's own organization and no other."""
    value = str(chance.randrange(1_000_000))
    if int(value) % 4 == 0:
        with pytest.raises(Invalid):
            db.recorded(actor, Action.ORGANIZATION_RENAMED, "nexa.rename_all", value=value)
        return 0
    rows = db.recorded(actor, Action.ORGANIZATION_RENAMED, "nexa.rename_all", value=value)
    return int([tuple(row) for row in rows] != [("nexa_tenant", actor.organization_id)])


def _sees_anything() -> int:
    """What a pooled connection still knows after whoever used it last."""
    with db._engines["primary"].connect() as connection:
        row = connection.execute(
            text("SELECT current_user, coalesce(current_setting('nexa.organization', true), '')")
        ).one()
        connection.rollback()
        return int(tuple(row) != ("nexa_app", ""))


def test_no_context_leaks_over_a_small_pool(database: TestDatabase, actors: list[Actor]) -> None:
    db.configure(database.app_url, pool_size=POOL, max_overflow=0)
    db._engines["primary"].pool._timeout = 120  # type: ignore[attr-defined]  # a busy machine is slow, not wrong
    assert leaks(actors) == 0


def test_a_context_for_the_whole_connection_would_leak(
    database: TestDatabase, actors: list[Actor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the same load when the context outlives its transaction."""
    send = db._send
    monkeypatch.setattr(db, "_send", lambda to, statements: send(to, statements.replace(", true)", ", false)")))
    db.configure(database.app_url, pool_size=POOL, max_overflow=0)
    db._engines["primary"].pool._timeout = 120  # type: ignore[attr-defined]
    assert leaks(actors, threads=8, transactions=40) > 0


def _sent(during: Callable[[], object]) -> list[str]:
    """What goes to the database over the pool's one open connection."""
    with tempfile.TemporaryFile() as trace:
        with db._engines["primary"].connect() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.pgconn.trace(trace.fileno())
        during()
        driver.pgconn.untrace()
        os.lseek(trace.fileno(), 0, os.SEEK_SET)
        return [line for line in trace.read().decode().splitlines() if "\tF\t" in line]


def test_role_and_context_take_one_round_trip(database: TestDatabase, actors: list[Actor]) -> None:
    def ask() -> None:
        with db.reading(actors[0]) as transaction:
            transaction.scalars(select(Organization.id)).all()

    ask()  # the connection is open and initialised
    asked = [line for line in _sent(ask) if any(word in line for word in ("Query", "Parse", "Bind", "Execute"))]
    assert "SET LOCAL ROLE nexa_tenant" in asked[0]
    assert "set_config" in asked[0]
    assert "organizations" in asked[1], "the second message is the query itself"


def test_a_question_takes_one_round_trip_and_cannot_write(database: TestDatabase, actors: list[Actor]) -> None:
    nobody = {"cookie": "nobody's'; DROP TABLE users; --\x00"}
    assert db.asked("nexa.standing_of_sign_in", **nobody) == []
    sent = _sent(lambda: db.asked("nexa.standing_of_sign_in", **nobody))
    assert len(sent) == 1, sent
    with database.superuser() as connection:
        connection.execute(
            "CREATE FUNCTION nexa.sign_out_all() RETURNS SETOF uuid LANGUAGE sql AS"
            " 'UPDATE user_sessions SET revoked_at = now() RETURNING id'"
        )
    with pytest.raises(Exception, match="read-only transaction"):
        db.asked("nexa.sign_out_all")
    assert _sees_anything() == 0


def test_a_write_without_an_action_is_refused_by_the_database(world: World, actors: list[Actor]) -> None:
    for door in (db.metering(actors[0]), db.entering(Origin(), user_id=actors[0].user_id)):
        with pytest.raises(Exception, match="recording door"), door as transaction:
            transaction.execute(update(OrganizationMembership).values(role="viewer"))


def test_a_reading_door_cannot_write(actors: list[Actor]) -> None:
    with pytest.raises(Exception, match="read-only transaction"), db.reading(actors[0]) as transaction:
        transaction.execute(update(Organization).values(name="Elsewhere"))


def test_what_raises_leaves_nothing(actors: list[Actor]) -> None:
    with pytest.raises(ZeroDivisionError), db.recording(actors[0], Action.ORGANIZATION_RENAMED) as transaction:
        transaction.execute(update(Organization).values(name="Half done"))
        raise ZeroDivisionError
    with db.reading(actors[0]) as transaction:
        assert transaction.scalars(select(Organization.name)).all() == ["Customer 0"]


def test_what_the_database_refuses_reads_as_a_sentence(actors: list[Actor]) -> None:
    ada, stranger = actors[0], actors[1]
    assert stranger.organization_id
    with pytest.raises(NotFound, match="no such thing"), db.reading(ada) as transaction:
        transaction.get_one(Organization, stranger.organization_id)
    with (
        pytest.raises(Conflict, match="transfer the ownership"),
        db.recording(ada, Action.MEMBER_SUSPENDED) as transaction,
    ):
        transaction.execute(text("UPDATE organization_memberships SET status = 'suspended'"))
    with pytest.raises(Conflict, match="slug is taken"), db.recording(ada, Action.ORGANIZATION_UPDATED) as transaction:
        transaction.execute(update(Organization).values(slug="customer-1"))
    for unstorable in ("nul \x00 byte", "half a \ud83d pair"):
        with pytest.raises(Invalid), db.recording(ada, Action.ORGANIZATION_RENAMED) as transaction:
            transaction.execute(update(Organization).values(name=unstorable))


def test_what_is_too_large_is_the_writers_matter_and_a_wrong_statement_ours(actors: list[Actor]) -> None:
    too_large = text("SELECT length(repeat('x', 1073741824))")
    with pytest.raises(Invalid, match="larger than can be stored"), db.reading(actors[0]) as transaction:
        transaction.execute(too_large)
    with pytest.raises(Invalid, match="larger than can be stored"), db.reading(actors[0]) as transaction:
        db.fetched(transaction, too_large, {})
    with pytest.raises(DBAPIError), db.reading(actors[0]) as transaction:
        transaction.execute(text("SELECT FROM FROM"))


def test_what_goes_to_the_driver_is_of_the_doors_transaction(database: TestDatabase, actors: list[Actor]) -> None:
    """It sees what the session wrote, it is rolled back with it, and what is refused reads as the same sentence."""
    renamed = update(Organization).values(name=text(":name")).returning(Organization.id, Organization.name)
    with pytest.raises(ZeroDivisionError), db.recording(actors[0], Action.ORGANIZATION_RENAMED) as transaction:
        transaction.execute(update(Organization).values(name="Once"))
        assert [row.name for row in db.fetched(transaction, select(Organization.name), {})] == ["Once"]
        (row,) = db.fetched(transaction, renamed, {"name": "Twice"})
        assert (row.id, row.name) == (actors[0].organization_id, "Twice")
        assert db.fetched(transaction, text("SET LOCAL work_mem = '8MB'"), {}) == []
        raise ZeroDivisionError
    with db.reading(actors[0]) as transaction:
        assert [row.name for row in db.fetched(transaction, select(Organization.name), {})] == ["Customer 0"]
    for statement, error in ((text("SELECT CAST(:value AS integer)"), Invalid), (renamed, Conflict)):
        with pytest.raises(error), db.recording(actors[0], Action.ORGANIZATION_RENAMED) as transaction:
            db.fetched(transaction, statement, {"value": "seven", "name": ""})


def test_a_hostile_header_is_only_text(actors: list[Actor]) -> None:
    agent = "x'); DROP TABLE users; --\x00\ud83d" + "\\'" * 50
    origin = Origin(user_agent=agent, ip_address="203.0.113.9")
    with db.entering(origin) as transaction:
        kept = transaction.scalar(text("SELECT current_setting('nexa.agent')"))
    assert kept.startswith("x'); DROP TABLE users; --")


def test_a_connection_that_died_in_the_pool_is_replaced(database: TestDatabase, actors: list[Actor]) -> None:
    with db.reading(actors[0]):
        pass
    with database.superuser() as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'nexa_app'")
    with db.reading(actors[0]) as transaction:
        assert transaction.scalars(select(Organization.id)).all() == [actors[0].organization_id]
    with database.superuser() as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'nexa_app'")
    assert len(db.asked("nexa.current_settings_of", value="7")) == 1


def test_a_change_in_one_message_is_recorded_or_did_not_happen(database: TestDatabase, actors: list[Actor]) -> None:
    ada = actors[0]

    def rename(value: int) -> list[tuple[object, ...]]:
        answer = db.recorded(ada, Action.ORGANIZATION_RENAMED, "nexa.rename_all", value=str(value))
        return [tuple(row) for row in answer]

    def changed() -> tuple[object, ...] | None:
        with database.superuser() as connection:
            return connection.execute(
                "SELECT (SELECT array_agg(name) FROM organizations WHERE name LIKE 'Renamed %%'),"
                " (SELECT count(*) FROM audit_logs WHERE action = 'organization.renamed' AND user_id = %s)",
                [ada.user_id],
            ).fetchone()

    with pytest.raises(Invalid):
        rename(4)
    assert changed() == (None, 0), "what fails at the end has changed nothing"
    sent = _sent(lambda: rename(5))
    assert sum("Sync" in line or "Query" in line for line in sent) == 1
    asked = next(line for line in sent if "Parse" in line)
    assert "rename_all" in asked and str(ada.user_id) not in asked, "PostgreSQL logs a statement that fails"
    assert changed() == (["Renamed 5"], 1)
    eyes = ViewingAs(uuid4(), uuid4(), "Bob Moran", "Customer 1", "looking", dt.datetime.now(dt.UTC), actors[1])
    seen_through = replace(ada, viewing_as=eyes)
    with pytest.raises(Forbidden):
        db.recorded(seen_through, Action.ORGANIZATION_RENAMED, "nexa.rename_all", value="6")
    assert changed() == (["Renamed 5"], 1)


def test_only_a_server_that_is_gone_is_asked_again(database: TestDatabase, actors: list[Actor]) -> None:
    """A row that is locked, or a deadlock, is an answer: the pool stays, and nothing is done twice."""
    with database.superuser() as connection:
        connection.execute(
            "CREATE SEQUENCE public.tries; GRANT ALL ON public.tries TO nexa_tenant;"
            "CREATE FUNCTION nexa.fail_with(opened boolean, code text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN"
            " PERFORM nextval('public.tries'); RAISE EXCEPTION 'no' USING ERRCODE = code; END $$"
        )
    pool = db._engines["primary"].pool
    for number, code in enumerate(("55P03", "40P01", "40001"), 1):
        with pytest.raises(Conflict, match="at the same moment"):
            db.recorded(actors[0], Action.ORGANIZATION_RENAMED, "nexa.fail_with", code=code)
        with database.superuser() as connection:
            assert connection.execute("SELECT last_value FROM public.tries").fetchone() == (number,)
    assert db._engines["primary"].pool is pool
    with pytest.raises(Unavailable):
        db.recorded(actors[0], Action.ORGANIZATION_RENAMED, "nexa.fail_with", code="57P01")
    with database.superuser() as connection:
        assert connection.execute("SELECT last_value FROM public.tries").fetchone() == (5,), "asked once more"


def test_an_owners_login_gives_up_its_rights(database: TestDatabase, actors: list[Actor]) -> None:
    db.configure(database.superuser_url)
    assert _sees_anything() == 0
    with db.reading(actors[0]) as transaction:
        assert transaction.scalars(select(Organization.id)).all() == [actors[0].organization_id]


def test_secrets_are_for_the_entry_door_alone(database: TestDatabase, actors: list[Actor]) -> None:
    secrets = {"users": "password_hash", "user_sessions": "session_token", "share_links": "token"}
    with database.app(autocommit=True) as connection:
        for table, column in secrets.items():
            for role in ("nexa_tenant", "nexa_staff", "nexa_presenter", "nexa_entry"):
                with connection.transaction(force_rollback=True):
                    connection.execute(f"SET LOCAL ROLE {role}".encode())
                    statement = f"SELECT {column} FROM {table}".encode()
                    if role == "nexa_entry":
                        connection.execute(statement)
                    else:
                        with pytest.raises(psycopg.errors.InsufficientPrivilege):
                            connection.execute(statement)


def test_the_system_actor_is_nobody_in_person() -> None:
    assert Actor.system().user_id is None
    assert isinstance(Actor.system().origin.request_id, UUID)
