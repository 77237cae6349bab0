"""Signing in: answers alike, counts before it hashes, locks for a while, lets in who may enter."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from prometheus_client import REGISTRY
from streamlit_authenticator.utilities.hasher import Hasher

from nexa_core import accounts
from nexa_core.actor import Actor, Origin
from nexa_core.errors import Forbidden, LimitExceeded, NexaError, NotFound, Unauthenticated

PASSWORD = "correct horse battery staple"
FROM = Origin(ip_address="203.0.113.7", user_agent="Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36")


def verifications() -> float:
    """Passwords compared with a hash, by whatever scheme, since the tests began."""
    return sum(
        REGISTRY.get_sample_value("nexa_password_verifications_total", {"scheme": s}) or 0
        for s in ("argon2id", "bcrypt")
    )


def outcome(email: str, password: str) -> tuple[type, str]:
    try:
        accounts.sign_in(FROM, email=email, password=password)
    except NexaError as error:
        return type(error), error.sentence
    return accounts.SignInTicket, ""


def unlocked(database, table: str = "users") -> None:
    """As if the lock were over."""
    with database.superuser() as connection, connection.transaction():
        connection.execute(
            "SELECT set_config('nexa.action', 'test', true), set_config('nexa.request', gen_random_uuid()::text, true)"
        )
        connection.execute(
            f"UPDATE {table} SET locked_until = now() - interval '1 second',"
            " last_failed_login_at = now() - interval '61 seconds' WHERE locked_until IS NOT NULL"
        )


def entries(database, action: str) -> list[tuple]:
    with database.superuser() as connection:
        return connection.execute(
            "SELECT user_id, organization_id, resource_type, resource_id, new_values FROM audit_logs"
            " WHERE action = %s ORDER BY created_at, id",
            [action],
        ).fetchall()


@pytest.fixture
def ada(world) -> UUID:
    return world.person("ada@northwind.example", world.organization("Northwind"), "owner")


def opened(email: str = "ada@northwind.example", password: str = PASSWORD) -> tuple[accounts.BrowserSignIn, Actor]:
    ticket = accounts.sign_in(FROM, email=email, password=password).ticket
    sign_in = accounts.open_browser_sign_in(FROM, ticket=ticket)
    return sign_in, accounts.actor_of_cookie(FROM, cookie=sign_in.cookie)


def test_a_password_becomes_a_ticket_a_cookie_and_an_actor(database, world, ada):
    sign_in, actor = opened(" ADA@Northwind.example ")
    assert (actor.user_id, actor.role, actor.user_session_id) == (ada, "owner", sign_in.user_session_id)
    assert actor.organization_slug == "northwind"
    assert accounts.actor_of_user_session(FROM, user_session_id=sign_in.user_session_id) == actor
    with database.superuser() as connection:
        stored = connection.execute(
            "SELECT session_token, host(ip_address), login_count FROM user_sessions, users"
        ).fetchone()
    assert stored[0] != sign_in.cookie
    assert stored[1:] == ("203.0.113.7", 1)
    [(user, organization, kind, resource, _)] = entries(database, "user.signed_in")
    assert (user, kind, resource) == (ada, "user_session", sign_in.user_session_id)
    assert organization == actor.organization_id


def test_a_ticket_opens_one_sign_in_even_when_many_try_at_once(database, ada):
    ticket = accounts.sign_in(FROM, email="ada@northwind.example", password=PASSWORD).ticket

    def spend(_: int) -> bool:
        try:
            return bool(accounts.open_browser_sign_in(FROM, ticket=ticket))
        except Unauthenticated:
            return False

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(spend, range(20))) == 1


def test_a_ticket_is_worthless_after_a_minute(database, ada):
    ticket = accounts.sign_in(FROM, email="ada@northwind.example", password=PASSWORD).ticket
    with database.superuser() as connection:
        life = connection.execute("SELECT extract(epoch FROM expires_at - created_at) FROM one_time_tokens").fetchone()
        connection.execute("UPDATE one_time_tokens SET expires_at = now()")
    assert life == (60,)
    with pytest.raises(Unauthenticated):
        accounts.open_browser_sign_in(FROM, ticket=ticket)


def test_a_hundred_parallel_wrong_passwords_buy_five_hashes_and_a_lock(database, ada):
    before = verifications()
    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda i: outcome("ada@northwind.example", f"wrong password {i}"), range(100)))
    assert verifications() - before == 5
    assert {kind for kind, _ in answers} <= {Unauthenticated, LimitExceeded}
    assert len(entries(database, "user.sign_in_failed")) == 5
    assert len(entries(database, "user.locked")) == 1
    assert outcome("ada@northwind.example", PASSWORD)[0] is LimitExceeded
    assert verifications() - before == 5


def test_a_hundred_parallel_guesses_at_an_unknown_address_are_counted_and_locked_alike(database, ada):
    before = verifications()
    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda i: outcome("nobody@northwind.example", f"wrong password {i}"), range(100)))
    assert verifications() - before == 5
    assert outcome("nobody@northwind.example", PASSWORD)[0] is LimitExceeded
    assert {kind for kind, _ in answers} <= {Unauthenticated, LimitExceeded}
    failed, locked = entries(database, "user.sign_in_failed"), entries(database, "user.locked")
    assert (len(failed), len(locked)) == (5, 1)
    assert all(user is None and resource is None for user, _, _, resource, _ in failed)
    assert "nobody@" not in str(failed + locked)


@pytest.mark.parametrize("kind", ["known", "unknown", "suspended", "pending", "no password", "bcrypt", "no membership"])
def test_every_kind_of_account_answers_alike_costs_one_hash_and_locks_alike(database, world, ada, kind):
    northwind = world.actor(ada, UUID(str(_only_organization(database)))).organization_id
    email = "eve@northwind.example"
    match kind:
        case "known":
            world.person(email, northwind)
        case "suspended" | "pending":
            world.person(email, northwind, status=kind)
        case "no password":
            world.person(email, northwind, password=None)
        case "bcrypt":
            person = world.person(email, northwind)
            with database.superuser() as connection:
                connection.execute("UPDATE users SET password_hash = %s WHERE id = %s", [Hasher.hash("x" * 20), person])
        case "no membership":
            world.person(email, northwind, membership_status="suspended")
    before = verifications()
    # Whoever may not enter is told the same for the right password as for a wrong one.
    right_first = PASSWORD if kind in ("suspended", "pending", "no membership", "no password", "unknown") else "wrong"
    answers = [outcome(email, password) for password in (right_first, *["wrong"] * 5, PASSWORD)]
    wrong = (Unauthenticated, "The e-mail address or the password is not right.")
    locked = (LimitExceeded, "Too many failed sign-ins with this address. Try again in 1 minute.")
    assert answers == [wrong] * 4 + [locked] * 3
    assert verifications() - before == 5


def _only_organization(database) -> UUID:
    with database.superuser() as connection:
        return connection.execute("SELECT id FROM organizations").fetchone()[0]


@pytest.mark.parametrize(
    ("email", "table"), [("ada@northwind.example", "users"), ("nobody@x.example", "unknown_sign_ins")]
)
def test_a_lock_doubles_from_one_minute_to_fifteen_and_no_further(database, ada, email, table):
    minutes = []
    for _ in range(6):
        for _ in range(5):
            outcome(email, "wrong")
        with database.superuser() as connection:
            wait = connection.execute(
                f"SELECT round(extract(epoch FROM locked_until - last_failed_login_at) / 60) FROM {table}"
                " WHERE locked_until IS NOT NULL"
            ).fetchone()
        minutes.append(int(wait[0]))
        unlocked(database, table)
    assert minutes == [1, 2, 4, 8, 15, 15]


def test_the_retry_after_of_a_lock_is_what_is_left_of_it(database, ada):
    for _ in range(5):
        outcome("ada@northwind.example", "wrong")
    with pytest.raises(LimitExceeded) as locked:
        accounts.sign_in(FROM, email="ada@northwind.example", password=PASSWORD)
    assert 1 <= locked.value.retry_after <= 60


def test_a_success_after_the_lock_forgets_the_failures(database, ada):
    for _ in range(5):
        outcome("ada@northwind.example", "wrong")
    unlocked(database)
    assert outcome("ada@northwind.example", PASSWORD)[0] is accounts.SignInTicket
    with database.superuser() as connection:
        counted = connection.execute("SELECT failed_login_attempts, lock_count, locked_until FROM users").fetchone()
    assert counted == (0, 0, None)


def test_a_right_password_at_the_last_attempt_enters_and_never_locks(database, ada):
    for _ in range(4):
        outcome("ada@northwind.example", "wrong")
    assert outcome("ada@northwind.example", PASSWORD)[0] is accounts.SignInTicket
    assert entries(database, "user.locked") == []


def test_attempts_whose_process_died_before_the_lock_do_not_lock_for_ever(database, ada):
    with database.superuser() as connection:
        connection.execute("UPDATE users SET failed_login_attempts = 5, last_failed_login_at = now()")
    assert outcome("ada@northwind.example", PASSWORD)[0] is LimitExceeded
    with database.superuser() as connection:
        connection.execute("UPDATE users SET last_failed_login_at = now() - interval '61 seconds'")
    assert outcome("ada@northwind.example", PASSWORD)[0] is accounts.SignInTicket


def test_the_organization_used_last_is_entered_else_the_first_by_name(database, world, ada):
    contoso = world.organization("Contoso")
    world.person("owner@contoso.example", contoso, "owner")
    world.membership(ada, contoso)
    assert opened()[1].organization_slug == "contoso"
    with database.superuser() as connection:
        connection.execute(
            "UPDATE organization_memberships SET last_active_at = now() WHERE user_id = %s AND role = 'owner'", [ada]
        )
    assert opened()[1].organization_slug == "northwind"


@pytest.mark.parametrize("status", ["suspended", "deleted"])
def test_nobody_enters_an_organization_that_is_not_active(database, world, ada, status):
    with database.superuser() as connection, connection.transaction():
        world.name_the_change(connection)
        connection.execute("UPDATE organizations SET status = %s", [status])
    assert outcome("ada@northwind.example", PASSWORD)[0] is Unauthenticated


def test_a_bcrypt_hash_of_the_authenticator_enters_and_is_upgraded(database, ada):
    with database.superuser() as connection:
        connection.execute("UPDATE users SET password_hash = %s", [Hasher.hash("an old password")])
    opened(password="an old password")
    with database.superuser() as connection:
        upgraded = connection.execute("SELECT password_hash FROM users").fetchone()[0]
    assert upgraded.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    before = REGISTRY.get_sample_value("nexa_password_verifications_total", {"scheme": "bcrypt"})
    opened(password="an old password")
    assert REGISTRY.get_sample_value("nexa_password_verifications_total", {"scheme": "bcrypt"}) == before


def test_continue_as_is_for_demo_people_in_demo_mode_only(database, world, ada, monkeypatch):
    from nexa_core.config import settings

    demo = world.organization("Fabrikam", is_demo=True)
    person = world.person("owner@fabrikam.example", demo, "owner")
    ticket = accounts.sign_in_as_demo(FROM, email="owner@fabrikam.example").ticket
    cookie = accounts.open_browser_sign_in(FROM, ticket=ticket).cookie
    assert accounts.actor_of_cookie(FROM, cookie=cookie).user_id == person
    with pytest.raises(NotFound):
        accounts.sign_in_as_demo(FROM, email="ada@northwind.example")
    world.membership(ada, demo)  # a real person who also looks at the demo is no demo person
    with pytest.raises(NotFound):
        accounts.sign_in_as_demo(FROM, email="ada@northwind.example")
    monkeypatch.setenv("NEXA_DEMO", "0")
    monkeypatch.setenv("NEXA_SECRET_KEYS", "k1:" + "aB3dE5gH7jK9mN1pQ3rS5tU7vW9xY1zA")
    settings.cache_clear()
    with pytest.raises(Forbidden):
        accounts.sign_in_as_demo(FROM, email="owner@fabrikam.example")


def test_an_input_of_any_size_and_kind_is_an_ordinary_failure(database, ada):
    for email, password in [
        ("", ""),
        ("\x00", "\x00"),
        ("a" * 100_000, "p" * 1_000_000),
        ("\ud800@x", "\udfff"),
        ("ada@northwind.example", "\x00"),
    ]:
        assert outcome(email, password)[0] is Unauthenticated
