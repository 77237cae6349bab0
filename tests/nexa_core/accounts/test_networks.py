"""A network that fails too often waits, whomever it names; who signs in from it costs it nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from nexa_core import accounts
from nexa_core.accounts import networks
from nexa_core.actor import Origin
from nexa_core.errors import LimitExceeded, Unauthenticated
from tests.databases import TestDatabase
from tests.worlds import World

PASSWORD = "correct horse battery staple"
OFFICE = Origin(ip_address="9.9.9.9", user_agent="tests")


@pytest.fixture
def ada(world: World) -> UUID:
    return world.person("ada@northwind.example", world.organization("Northwind"), "owner")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    """Four failures instead of a hundred, at the same rate."""
    monkeypatch.setattr(networks, "PERIOD", networks.STEP * 4)
    return 4


def fail(origin: Origin, number: int) -> type[Exception]:
    """One guess at somebody new, as who sprays a password over many people does."""
    try:
        accounts.sign_in(origin, email=f"person{number}@northwind.example", password="Summer2026")
    except (Unauthenticated, LimitExceeded) as refused:
        return type(refused)
    raise AssertionError("this was no failure")


def test_one_password_tried_on_many_people_is_stopped_by_the_network(ada: UUID, few: int) -> None:
    assert [fail(OFFICE, n) for n in range(6)] == [Unauthenticated] * few + [LimitExceeded] * 2
    with pytest.raises(LimitExceeded, match=r"from your network\. Try again in \d+ second") as waits:
        accounts.sign_in(OFFICE, email="ada@northwind.example", password=PASSWORD)
    assert 1 <= (waits.value.retry_after or 0) <= networks.STEP.total_seconds()
    elsewhere = Origin(ip_address="9.9.9.10", user_agent="tests")
    assert accounts.sign_in(elsewhere, email="ada@northwind.example", password=PASSWORD).ticket


def test_the_wait_is_for_the_next_attempt_and_not_for_an_hour(database: TestDatabase, ada: UUID, few: int) -> None:
    for n in range(few + 1):
        fail(OFFICE, n)
    with database.superuser() as connection:
        connection.execute("UPDATE network_sign_ins SET spent_until = spent_until - %s", [networks.STEP])
    assert accounts.sign_in(OFFICE, email="ada@northwind.example", password=PASSWORD).ticket


def test_an_office_signs_in_as_often_as_it_likes(ada: UUID, few: int) -> None:
    for _ in range(3 * few):
        assert accounts.sign_in(OFFICE, email="ada@northwind.example", password=PASSWORD).ticket
    assert [fail(OFFICE, n) for n in range(few)] == [Unauthenticated] * few


def test_parallel_guesses_get_no_more_than_one_after_the_other(ada: UUID, few: int) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda n: fail(OFFICE, n), range(24)))
    assert answers.count(Unauthenticated) == few


def test_the_control_without_the_network_every_one_of_them_looks_at_a_password(
    ada: UUID, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(networks, "network_of", lambda _address: None)
    assert {fail(OFFICE, n) for n in range(3 * few)} == {Unauthenticated}


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("9.9.9.9", "9.9.9.9/32"),
        ("::ffff:9.9.9.9", "9.9.9.9/32"),
        ("2a00:1450:4001:81b::200e", "2a00:1450:4001:81b::/64"),
        ("10.1.2.3", None),
        ("127.0.0.1", None),
        ("::1", None),
        ("fe80::1", None),
        ("not an address", None),
        (None, None),
    ],
)
def test_a_network_is_an_address_or_a_hosts_own_prefix_and_never_a_proxys(
    address: str | None, network: str | None
) -> None:
    assert networks.network_of(address) == network


def test_what_the_clock_caught_up_with_is_purged(database: TestDatabase, ada: UUID, few: int) -> None:
    fail(OFFICE, 1)
    assert accounts.purge() == 0
    with database.superuser() as connection:
        connection.execute("UPDATE network_sign_ins SET spent_until = now() - interval '1 second'")
    assert accounts.purge() == 1


def test_the_figures_are_those_of_the_decision() -> None:
    assert (networks.FAILURES, networks.PERIOD.total_seconds(), networks.STEP.total_seconds()) == (100, 3600, 36)


def test_a_network_asks_for_so_many_new_passwords(database: TestDatabase, ada: UUID, few: int) -> None:
    """Each request is noted in the log of somebody's organization: a stranger does not fill it."""
    for _ in range(few):
        accounts.request_password_reset(OFFICE, email="ada@northwind.example")
    for email in ("ada@northwind.example", "nobody@northwind.example"):
        with pytest.raises(LimitExceeded, match="Too many requests from your network"):
            accounts.request_password_reset(OFFICE, email=email)
    with database.superuser() as connection:
        noted = connection.execute("SELECT count(*) FROM audit_logs WHERE action = 'user.password_reset_requested'")
        assert noted.fetchone() == (few,)
