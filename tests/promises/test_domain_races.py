"""Whatever happens to a domain and to those who join by it at one moment: an order of events, and no crash."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from nexa_core import accounts, organizations
from nexa_core.accounts import tokens
from nexa_core.actor import Actor, Origin
from nexa_core.errors import Conflict, NexaError
from nexa_core.organizations import sign_up
from nexa_core.organizations.models import Organization
from nexa_core.organizations.seats import Seats
from tests.databases import TestDatabase
from tests.promises.test_joining_races import EXPECTED, RACES, clean, later_than, no_deadlock, race, root
from tests.worlds import World

__all__ = ["root"]


@dataclass(frozen=True)
class Joining:
    """Somebody with a link that joins by a domain, who waits besides in a second organization that claims it too."""

    token: str
    organization: UUID
    domain: UUID
    second: UUID
    claim: UUID
    waiting: UUID


def made(database: TestDatabase, root: Actor, count: int, *, together: bool = False, seats: int = 50) -> list[Joining]:
    """Cases of organizations of their own, or all in one."""
    cases = []
    with database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)

        def organization(name: str) -> UUID:
            identifier, owner = uuid4(), person(f"{name}@owners.example")
            connection.execute(
                "INSERT INTO organizations (id, name, slug, status, plan_type, usage_limits)"
                " VALUES (%s, %s, %s, 'active', 'professional', %s)",
                [identifier, name, name, f'{{"seats": {seats}}}'],
            )
            connection.execute(
                "INSERT INTO organization_memberships (user_id, organization_id, role, status)"
                " VALUES (%s, %s, 'owner', 'active')",
                [owner, identifier],
            )
            return identifier

        def person(email: str) -> UUID:
            identifier = uuid4()
            connection.execute("INSERT INTO users (id, email, status) VALUES (%s, %s, 'active')", [identifier, email])
            connection.execute(
                "INSERT INTO organization_memberships (user_id, organization_id, status) VALUES (%s, %s, 'active')",
                [identifier, root.organization_id],
            )
            return identifier

        def domain(of: UUID, name: str, *, proven: bool) -> UUID:
            identifier = uuid4()
            connection.execute(
                "INSERT INTO organization_domains (id, organization_id, domain, auto_join_enabled, verified_at)"
                " VALUES (%s, %s, %s, %s, CASE WHEN %s THEN now() END)",
                [identifier, of, name, proven, proven],
            )
            return identifier

        for number in range(count):
            name = f"race-{number}.example"
            if number == 0 or not together:
                first, second = organization(f"first-{number}"), organization(f"second-{number}")
                proven, claimed = domain(first, name, proven=True), domain(second, name, proven=False)
                contested = name
            token, membership = tokens.new_secret(), uuid4()
            guest = person(f"guest-{number}@{contested}")
            connection.execute(
                "INSERT INTO domain_sign_ups (token, organization_id, domain, email, expires_at)"
                " VALUES (%s, %s, %s, %s, now() + interval '1 day')",
                [tokens.digest(token), first, contested, f"guest-{number}@{contested}"],
            )
            connection.execute(
                "INSERT INTO organization_memberships (id, user_id, organization_id, role, status, requested_at)"
                " VALUES (%s, %s, %s, 'viewer', 'pending', now())",
                [membership, guest, second],
            )
            cases.append(Joining(token, first, proven, second, claimed, membership))
    return cases


def join(case: Joining) -> object:
    return organizations.join_by_domain(Origin(), token=case.token)


def one_wins(first: list[NexaError | None], second: list[NexaError | None]) -> bool:
    return [(a is None) + (b is None) for a, b in zip(first, second, strict=True)] == [1] * RACES


def test_a_link_followed_twice_at_once_joins_once(database: TestDatabase, root: Actor) -> None:
    first, second = outcomes = race([join, join], made(database, root, RACES))
    assert one_wins(first, second)
    no_deadlock(outcomes)
    clean(database)


@pytest.mark.parametrize("meanwhile", ["accepted", "deleted"])
def test_what_happens_while_the_password_is_hashed_is_not_overwritten(
    database: TestDatabase, root: Actor, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    (case,), token, hashed = made(database, root, 1), tokens.new_secret(), sign_up.hash_password
    with database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        connection.execute(
            "UPDATE organization_memberships SET requested_at = NULL, invited_at = now(), invitation_token = %s,"
            " invitation_expires_at = now() + interval '7 days' WHERE id = %s",
            [tokens.digest(token), case.waiting],
        )
        connection.execute("UPDATE users SET status = 'pending' WHERE email LIKE 'guest-%'")

    def account() -> tuple[object, ...] | None:
        with database.superuser() as connection:
            return connection.execute(
                "SELECT password_hash, status, deleted_at, full_name, id FROM users WHERE email LIKE 'guest-%'"
            ).fetchone()

    found: list[tuple[object, ...] | None] = []

    def hash_slowly(password: str) -> str:
        if meanwhile == "accepted":
            organizations.accept_invitation_with_password(
                Origin(), token=token, first_name="Guest", last_name="", password="a phrase of the invitation"
            )
        else:
            accounts.delete_user(root, user_id=(account() or ())[4], reason="left")  # type: ignore[arg-type]
        found.append(account())
        return hashed(password)

    monkeypatch.setattr(sign_up, "hash_password", hash_slowly)
    with pytest.raises(Conflict):
        organizations.join_by_domain(
            Origin(), token=case.token, first_name="Somebody", password="a phrase of the domain's link"
        )
    assert found == [account()]


def removal_races(database: TestDatabase, root: Actor) -> list[list[NexaError | None]]:
    def remove(case: Joining) -> object:
        return organizations.remove_domain(
            root, organization_id=case.organization, domain_id=case.domain, reason="race"
        )

    return race([join, remove], made(database, root, RACES))


def test_nobody_joins_by_a_domain_after_it_was_removed(database: TestDatabase, root: Actor) -> None:
    _, removed = outcomes = removal_races(database, root)
    assert removed == [None] * RACES
    no_deadlock(outcomes)
    assert later_than(database, "membership.joined_by_domain", "domain.removed") == 0
    clean(database)


def test_a_domain_claimed_by_two_is_proven_by_one(database: TestDatabase, root: Actor) -> None:
    def prove_there(case: Joining) -> object:
        return organizations.accept_domain(root, organization_id=case.second, domain_id=case.claim, reason="race")

    def prove_here(case: Joining) -> object:
        return organizations.accept_domain(
            root, organization_id=case.organization, domain_id=case.domain, reason="race"
        )

    cases = made(database, root, RACES)
    with database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        connection.execute("UPDATE organization_domains SET verified_at = NULL")
    first, second = outcomes = race([prove_here, prove_there], cases)
    assert one_wins(first, second)
    no_deadlock(outcomes)
    with database.superuser() as connection:
        row = connection.execute(
            "SELECT count(*), count(DISTINCT domain) FROM organization_domains WHERE verified_at IS NOT NULL"
        ).fetchone()
    assert row == (RACES, RACES)


def test_who_waits_is_let_in_or_kept_out(database: TestDatabase, root: Actor) -> None:
    def approve(case: Joining) -> object:
        return organizations.approve_join(root, organization_id=case.second, membership_id=case.waiting)

    def decline(case: Joining) -> object:
        return organizations.decline_join(root, organization_id=case.second, membership_id=case.waiting, reason="race")

    first, second = outcomes = race([approve, decline], made(database, root, RACES))
    assert one_wins(first, second)
    no_deadlock(outcomes)
    clean(database)


def fifty_at_once(cases: list[Joining], verb: Callable[[Joining], object]) -> list[object]:
    together = threading.Barrier(50)

    def run(case: Joining) -> object:
        together.wait(timeout=60)
        try:
            return verb(case)
        except EXPECTED as refused:
            return refused

    with ThreadPoolExecutor(50) as threads:
        return list(threads.map(run, cases))


def joined(outcomes: list[object]) -> int:
    return sum(isinstance(one, organizations.JoinedByDomain) and not one.waiting for one in outcomes)


def test_seats_hold_under_fifty_who_join_by_domain(database: TestDatabase, root: Actor) -> None:
    outcomes = fifty_at_once(made(database, root, 50, together=True, seats=12), join)
    assert joined(outcomes) == 11, "an owner and eleven of the fifty; the others wait"
    assert sum(isinstance(one, organizations.JoinedByDomain) for one in outcomes) == 50
    clean(database)


def test_without_the_lock_a_domain_lets_too_many_in(
    database: TestDatabase, root: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the same fifty, counted without the organization's lock, with a moment between count and seat."""
    cases = made(database, root, 50, together=True, seats=12)
    counted = sign_up.seats.seats_of

    def count_slowly(door: Session, which: Organization) -> Seats:
        found = counted(door, which)
        time.sleep(0.1)
        return found

    monkeypatch.setattr(sign_up.seats, "seats_of", count_slowly)
    unlocked = lambda door, which: door.get_one(Organization, which)  # noqa: E731
    monkeypatch.setattr(sign_up.seats, "locked", unlocked)
    assert joined(fifty_at_once(cases, join)) > 11
