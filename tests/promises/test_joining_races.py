"""Whatever happens to an invitation, an organization or its owners at one moment: an order of events, and no crash."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from nexa_core import organizations
from nexa_core.accounts import tokens
from nexa_core.actor import Actor, Scope
from nexa_core.errors import Conflict, Forbidden, Invalid, NexaError, NotFound
from nexa_core.organizations import acceptance
from nexa_core.organizations.models import Organization
from tests.databases import TestDatabase
from tests.promises.test_invariants import VIOLATIONS
from tests.worlds import World

RACES = 200
EXPECTED = (Conflict, Invalid, NotFound, Forbidden)


@dataclass(frozen=True)
class Invited:
    """One person, one organization, and the link between them."""

    guest: Actor
    token: str
    organization: UUID
    slug: str
    membership: UUID
    owners: tuple[UUID, UUID]


@pytest.fixture
def root(world: World, database: TestDatabase) -> Actor:
    database.configure(pool_size=60)
    nexa = world.organization("NEXA", is_platform=True)
    return world.actor(world.person("root@nexa.example", nexa, role="owner"), nexa)


def made(database: TestDatabase, root: Actor, count: int, *, together: bool = False, seats: int = 10) -> list[Invited]:
    """Invitations of people with accounts; each to an organization of its own, or all to one."""
    people = []
    with database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        for number in range(count):
            if number == 0 or not together:
                organization, slug, owners = uuid4(), f"race-{number}", (uuid4(), uuid4())
                connection.execute(
                    "INSERT INTO organizations (id, name, slug, status, usage_limits)"
                    " VALUES (%s, %s, %s, 'active', %s)",
                    [organization, f"Race {number}", slug, f'{{"seats": {seats}}}'],
                )
                for membership in owners:
                    owner = _person(connection, root)
                    connection.execute(
                        "INSERT INTO organization_memberships (id, user_id, organization_id, role, status)"
                        " VALUES (%s, %s, %s, 'owner', 'active')",
                        [membership, owner, organization],
                    )
            guest, token, membership = _person(connection, root), tokens.new_secret(), uuid4()
            connection.execute(
                "INSERT INTO organization_memberships (id, user_id, organization_id, role, status, invited_at,"
                " invited_by, invitation_token, invitation_expires_at)"
                " VALUES (%s, %s, %s, 'member', 'pending', now(), %s, %s, now() + interval '7 days')",
                [membership, guest, organization, root.user_id, tokens.digest(token)],
            )
            actor = Actor(guest, root.organization_id, "member", Scope.TENANT, frozenset(), email=f"{guest}@x.example")
            people.append(Invited(actor, token, organization, slug, membership, owners))
    return people


def _person(connection, root: Actor) -> UUID:  # type: ignore[no-untyped-def]
    person = uuid4()
    connection.execute(
        "INSERT INTO users (id, email, status) VALUES (%s, %s, 'active')", [person, f"{person}@x.example"]
    )
    connection.execute(
        "INSERT INTO organization_memberships (user_id, organization_id, status) VALUES (%s, %s, 'active')",
        [person, root.organization_id],
    )
    return person


def race(sides: list[Callable[[Any], object]], cases: Sequence[Any]) -> list[list[NexaError | None]]:
    """Both sides of every case at once; what each was refused with. Anything but a sentence fails the test."""
    both = threading.Barrier(len(sides))

    def run(side: Callable[[Any], object]) -> list[NexaError | None]:
        outcomes: list[NexaError | None] = []
        for case in cases:
            both.wait(timeout=60)
            try:
                side(case)
                outcomes.append(None)
            except EXPECTED as refused:
                outcomes.append(refused)
        return outcomes

    with ThreadPoolExecutor(len(sides)) as threads:
        return [future.result() for future in [threads.submit(run, side) for side in sides]]


def accept(case: Invited) -> object:
    return organizations.accept_invitation(case.guest, token=case.token)


def clean(database: TestDatabase) -> None:
    with database.superuser() as connection:
        row = connection.execute(VIOLATIONS).fetchone()
        over = connection.execute(
            "SELECT count(*) FROM organizations o WHERE (o.usage_limits->>'seats')::int < (SELECT count(*)"
            " FROM organization_members m WHERE m.organization_id = o.id)"
        ).fetchone()
    assert row == (0,) and over == (0,)


def later_than(database: TestDatabase, what: str, than: str) -> int:
    """In how many organizations something was committed after something else, by the order of their chains."""
    with database.superuser() as connection:
        row = connection.execute(
            "SELECT count(*) FROM audit_chain a JOIN audit_logs x ON x.id = a.audit_log_id AND x.action = %s"
            " JOIN audit_chain b ON b.chain_id = a.chain_id AND b.sequence < a.sequence"
            " JOIN audit_logs y ON y.id = b.audit_log_id AND y.action = %s",
            [what, than],
        ).fetchone()
    assert row
    return int(row[0])


def no_deadlock(outcomes: list[list[NexaError | None]]) -> None:
    said = [error.sentence for side in outcomes for error in side if error]
    assert [sentence for sentence in said if "at the same moment" in sentence] == []


def test_accepting_twice_at_once_joins_once(database: TestDatabase, root: Actor) -> None:
    first, second = outcomes = race([accept, accept], made(database, root, RACES))
    assert [(a is None) + (b is None) for a, b in zip(first, second, strict=True)] == [1] * RACES
    no_deadlock(outcomes)
    clean(database)


def test_an_invitation_is_either_accepted_or_withdrawn(database: TestDatabase, root: Actor) -> None:
    def revoke(case: Invited) -> object:
        return organizations.revoke_invitation(root, organization_id=case.organization, invitation_id=case.membership)

    accepted, revoked = outcomes = race([accept, revoke], made(database, root, RACES))
    assert [(a is None) + (b is None) for a, b in zip(accepted, revoked, strict=True)] == [1] * RACES
    no_deadlock(outcomes)
    clean(database)


@pytest.mark.parametrize("verb", [organizations.remove_member, organizations.suspend_member])
def test_two_owners_removed_at_once_leave_one(database: TestDatabase, root: Actor, verb) -> None:  # type: ignore[no-untyped-def]
    def leave(number: int) -> Callable[[Invited], object]:
        return lambda case: verb(
            root, organization_id=case.organization, membership_id=case.owners[number], reason="they left"
        )

    first, second = outcomes = race([leave(0), leave(1)], made(database, root, RACES))
    assert [(a is None) + (b is None) for a, b in zip(first, second, strict=True)] == [1] * RACES
    no_deadlock(outcomes)
    clean(database)


def test_nobody_joins_an_organization_after_it_was_deleted(database: TestDatabase, root: Actor) -> None:
    def delete(case: Invited) -> object:
        return organizations.delete(root, organization_id=case.organization, confirmation=case.slug, reason="race")

    _, deleted = outcomes = race([accept, delete], made(database, root, RACES))
    assert deleted == [None] * RACES
    no_deadlock(outcomes)
    assert later_than(database, "invitation.accepted", "organization.deleted") == 0
    clean(database)


def test_nobody_joins_an_organization_after_it_was_suspended(database: TestDatabase, root: Actor) -> None:
    def suspend(case: Invited) -> object:
        return organizations.suspend(root, organization_id=case.organization, reason="race")

    _, suspended = outcomes = race([accept, suspend], made(database, root, RACES))
    assert suspended == [None] * RACES
    no_deadlock(outcomes)
    assert later_than(database, "invitation.accepted", "organization.suspended") == 0
    clean(database)


def fifty_at_once(database: TestDatabase, root: Actor) -> list[NexaError | None]:
    cases = made(database, root, 50, together=True, seats=12)
    together = threading.Barrier(50)

    def run(case: Invited) -> NexaError | None:
        together.wait(timeout=60)
        try:
            accept(case)
        except EXPECTED as refused:
            return refused
        return None

    with ThreadPoolExecutor(50) as threads:
        return list(threads.map(run, cases))


def test_seats_hold_under_fifty_parallel_acceptances(database: TestDatabase, root: Actor) -> None:
    outcomes = fifty_at_once(database, root)
    assert outcomes.count(None) == 10, "two owners and ten of the fifty"
    assert {error.sentence for error in outcomes if error} == {
        "All 12 seats of Race 0 are taken. An owner can free one, or ask NEXA for a larger plan."
    }
    clean(database)


def test_without_the_lock_the_seats_are_oversold(
    database: TestDatabase, root: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the same fifty, counted without the organization's lock."""
    monkeypatch.setattr(acceptance, "locked", lambda door, which: door.get_one(Organization, which))
    assert fifty_at_once(database, root).count(None) > 10
