"""Passwords: long enough, not guessable, kept as Argon2id, and replaced by who may replace them."""

from __future__ import annotations

import unicodedata
from concurrent.futures import ThreadPoolExecutor

import bcrypt
import pytest
from streamlit_authenticator.utilities.hasher import Hasher

from nexa_core import accounts
from nexa_core.accounts import passwords
from nexa_core.actor import Origin
from nexa_core.errors import Conflict, Invalid, LimitExceeded, Unauthenticated

PASSWORD = "correct horse battery staple"
GOOD = "four windows over the harbour"
FROM = Origin(ip_address="203.0.113.7", user_agent="tests")
EMAIL = "ada.lovelace@northwind.example"


@pytest.fixture
def ada(world):
    return world.person(EMAIL, world.organization("Northwind"), "owner", full_name="Ada Lovelace")


def refusal(password: str) -> str:
    try:
        passwords.require_good(password, email=EMAIL, names=("Ada Lovelace",))
    except Invalid as invalid:
        return invalid.sentence
    return ""


@pytest.mark.parametrize(
    "password",
    [
        "x" * 14,
        "fourteen chars",
        "a" * 15,
        "abcabcabcabcabcabc",
        "123456789012345",
        "qwertyuiopasdfghjkl",
        "passwordpassword",
        "P@ssw0rdP@ssw0rd",
        "passwordpassword2024",
        "correct horse battery staple",
        "Ada Lovelace 1234567",
        "ada.lovelace@northwind.example",
        "nexanexanexanexa",
        "NEXA-northwind-2026!!",
        "Lovelace.Lovelace!",
        "nexa-demo-walkthrough",
        "thisismypassword",
        "\u00c5ngstr\u00f6m",
        "p" * 257,
        "harbour windows " * 20,
    ],
)
def test_a_password_that_would_be_guessed_is_refused(password):
    assert refusal(password)


@pytest.mark.parametrize(
    "password",
    [
        GOOD,
        "tr0ub4dor&3 is an old joke",
        "nexa keeps my harbour windows",
        "正確な馬電池ホチキス窓港海青空",
        "8f3kq0vz7w1m5xj",
        "x9! " * 3 + "harbour windows",
    ],
)
def test_there_are_no_composition_rules(password):
    assert refusal(password) == ""


def test_a_password_may_have_256_characters_and_every_one_counts():
    long = "".join(chr(97 + i * 7 % 26) for i in range(256))
    assert refusal(long) == ""
    stored = passwords.hash_password(long)
    assert passwords.verify(long, stored)
    assert not passwords.verify(long[:-1] + "!", stored)


def test_a_hash_is_argon2id_with_the_parameters_that_were_decided():
    stored = passwords.hash_password(GOOD)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert not passwords.needs_rehash(stored)
    assert passwords.needs_rehash(stored.replace("t=2", "t=1"))


def test_the_same_characters_typed_otherwise_are_the_same_password():
    composed = "caf\u00e9 by the harbour"
    assert passwords.verify(unicodedata.normalize("NFD", composed), passwords.hash_password(composed))


def test_a_bcrypt_hash_of_a_password_beyond_72_bytes_is_still_accepted():
    long = "harbour " * 12
    stored = bcrypt.hashpw(long.encode()[:72], bcrypt.gensalt(4)).decode()  # as bcrypt 4 made it
    assert passwords.verify(long, stored)
    assert not passwords.verify("x" + long, stored)
    with pytest.raises(ValueError, match="72 bytes"):
        Hasher.hash(long)


@pytest.mark.parametrize(
    "stored", ["", "$2b$nonsense", "$argon2id$nonsense", "plain", "$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA"]
)
def test_a_hash_that_is_none_is_nobodys_password(stored):
    assert not passwords.verify(GOOD, stored)


def link(database, index: int = 0) -> str:
    with database.superuser() as connection:
        links = connection.execute("SELECT link FROM outbox_messages ORDER BY created_at DESC").fetchall()
    return links[index][0].partition("token=")[2]


def test_a_mailed_link_sets_a_password_once_lifts_the_lock_and_proves_the_address(database, ada):
    for _ in range(5):
        with pytest.raises((Unauthenticated, LimitExceeded)):
            accounts.sign_in(FROM, email=EMAIL, password="wrong")
    accounts.request_password_reset(FROM, email=f" {EMAIL.upper()}")
    token = link(database)
    with pytest.raises(Invalid) as short:
        accounts.set_password(FROM, token=token, password="short")
    assert short.value.field == "password"
    accounts.set_password(FROM, token=token, password=GOOD)
    assert accounts.sign_in(FROM, email=EMAIL, password=GOOD)
    with pytest.raises(Invalid):
        accounts.set_password(FROM, token=token, password="yet another harbour window")
    with database.superuser() as connection:
        assert connection.execute("SELECT email_verified_at IS NOT NULL FROM users").fetchone() == (True,)
        audited = connection.execute("SELECT count(*) FROM audit_logs WHERE action = 'user.password_reset'").fetchone()
    assert audited == (1,)


def test_of_two_that_spend_a_link_at_once_one_sets_the_password(database, ada):
    accounts.request_password_reset(FROM, email=EMAIL)
    token = link(database)

    def spend(number: int) -> bool:
        try:
            accounts.set_password(FROM, token=token, password=f"{GOOD} {number}")
        except Invalid:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(spend, range(8))) == 1


def test_one_link_used_makes_the_others_worthless(database, ada):
    accounts.request_password_reset(FROM, email=EMAIL)
    accounts.request_password_reset(FROM, email=EMAIL)
    newest, older = link(database, 0), link(database, 1)
    accounts.set_password(FROM, token=newest, password=GOOD)
    with pytest.raises(Invalid):
        accounts.set_password(FROM, token=older, password="yet another harbour window")


def test_a_link_is_worthless_after_an_hour(database, ada):
    accounts.request_password_reset(FROM, email=EMAIL)
    with database.superuser() as connection:
        life = connection.execute("SELECT extract(epoch FROM expires_at - created_at) FROM one_time_tokens").fetchone()
        connection.execute("UPDATE one_time_tokens SET expires_at = now()")
    assert life == (3600,)
    with pytest.raises(Invalid):
        accounts.set_password(FROM, token=link(database), password=GOOD)


def test_a_request_answers_alike_and_mails_only_whom_it_may(database, world, ada, monkeypatch):
    northwind = world.organization("Contoso")
    world.person("suspended@contoso.example", northwind, "owner", status="suspended")
    for email in ("nobody@northwind.example", "suspended@contoso.example", "", "\x00", "\ud800"):
        assert accounts.request_password_reset(FROM, email=email) is None
    with database.superuser() as connection:
        assert connection.execute("SELECT count(*) FROM outbox_messages").fetchone() == (0,)
        noted = connection.execute(
            "SELECT resource_id, new_values::text FROM audit_logs WHERE action = 'user.password_reset_requested'"
        ).fetchall()
    assert len(noted) == 5
    assert "nobody" not in str(noted)


def test_a_mailbox_cannot_be_flooded_with_links(database, ada):
    for _ in range(6):
        accounts.request_password_reset(FROM, email=EMAIL)
    with database.superuser() as connection:
        assert connection.execute("SELECT count(*) FROM outbox_messages").fetchone() == (3,)


def test_changing_the_password_asks_for_the_current_one_and_counts_wrong_ones(database, world, ada):
    with database.superuser() as connection:
        organization = connection.execute("SELECT id FROM organizations").fetchone()[0]
    actor = world.actor(ada, organization)
    with pytest.raises(Invalid) as weak:
        accounts.change_password(actor, current=PASSWORD, new="Ada Lovelace 12345")
    assert weak.value.field == "password"
    for _ in range(4):
        with pytest.raises(Invalid) as wrong:
            accounts.change_password(actor, current="wrong", new=GOOD)
        assert wrong.value.field == "current"
    with pytest.raises(LimitExceeded):
        accounts.change_password(actor, current="wrong", new=GOOD)
    with pytest.raises(LimitExceeded):
        accounts.change_password(actor, current=PASSWORD, new=GOOD)


def test_an_admin_is_made_from_nothing_and_signs_in_by_the_link(database):
    token = accounts.create_admin("Root@Nexa.Example").partition("/set-password?token=")[2]
    accounts.set_password(FROM, token=token, password=GOOD)
    ticket = accounts.sign_in(FROM, email="root@nexa.example", password=GOOD).ticket
    cookie = accounts.open_browser_sign_in(FROM, ticket=ticket).cookie
    actor = accounts.actor_of_cookie(FROM, cookie=cookie)
    assert (actor.role, actor.standing.is_platform) == ("owner", True)
    second = accounts.create_admin("second@nexa.example")
    assert "/set-password?token=" in second
    with database.superuser() as connection:
        roles = connection.execute(
            "SELECT email, role FROM organization_memberships m JOIN users u ON u.id = m.user_id ORDER BY email"
        ).fetchall()
    assert roles == [("root@nexa.example", "owner"), ("second@nexa.example", "admin")]


def test_a_member_becomes_an_admin_but_a_suspended_person_does_not(database, world, ada):
    accounts.create_admin(EMAIL)
    assert accounts.create_admin(EMAIL)
    suspended = world.organization("Contoso")
    world.person("eve@contoso.example", suspended, "owner", status="suspended")
    with pytest.raises(Conflict):
        accounts.create_admin("eve@contoso.example")
    for address in ("", "nobody", "@x", "a@", "two words@x.example"):
        with pytest.raises(Invalid):
            accounts.create_admin(address)
