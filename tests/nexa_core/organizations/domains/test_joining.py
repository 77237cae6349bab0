"""Joining by domain: who would is known before, who does has proven the address, and the seats hold."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from nexa_core import accounts, organizations
from nexa_core.actor import Actor, Origin
from nexa_core.errors import Conflict, Forbidden, Invalid, LimitExceeded, NexaError, NotFound
from nexa_core.organizations import DomainView, sign_up
from tests.databases import TestDatabase
from tests.nexa_core.organizations.domains.conftest import claim, links, only, own, prove, verified
from tests.nexa_core.organizations.domains.dns_server import Zone
from tests.worlds import PASSWORD, World

NEW = "an entirely new phrase to remember"

# Who joins ------------------------------------------------------------------------------------------------------------


def switch_on(ada: Actor, proven: DomainView, **wanted: object) -> int:
    radius = organizations.blast_radius(ada, organization_id=own(ada), domain_id=proven.id)
    expected = [one.user_id for one in radius.joining]
    return organizations.set_joining(
        ada,
        organization_id=own(ada),
        domain_id=proven.id,
        enabled=True,
        **{"expected": expected, **wanted},  # type: ignore[arg-type]
    )


def asks_to_join(world: World, person: UUID) -> None:
    with world.database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        connection.execute("UPDATE organization_memberships SET requested_at = now() WHERE user_id = %s", [person])


def members(actor: Actor) -> dict[str, tuple[str, str]]:
    return {m.email: (m.role, m.status) for m in organizations.members(actor, organization_id=own(actor))}


def test_the_blast_radius_names_who_would_join_and_why_others_would_not(
    world: World, ada: Actor, proven: DomainView
) -> None:
    elsewhere = world.organization("Elsewhere")
    verified(world, "joins@northwind.com", elsewhere)
    verified(world, "paused@northwind.com", elsewhere, status="suspended")
    world.person("unconfirmed@northwind.com", elsewhere)
    for stranger in ("x@eu.northwind.com", "x@northwind.com.evil.com", "x@notnorthwind.com", "northwind.com@evil.com"):
        verified(world, stranger, elsewhere)
    verified(world, "member@northwind.com", own(ada))
    gone = verified(world, "gone@northwind.com", elsewhere)
    world.membership(gone, own(ada))
    membership = next(m.id for m in organizations.members(ada, organization_id=own(ada)) if m.user_id == gone)
    organizations.remove_member(ada, membership_id=membership, organization_id=own(ada), reason="left")
    verified(world, "kept.out@northwind.com", own(ada), membership_status="suspended")
    for name in ("invited", "withdrawn"):
        verified(world, f"{name}@northwind.com", elsewhere)
        (sent,) = organizations.invite(ada, organization_id=own(ada), people=f"{name}@northwind.com", role="member")
    assert sent.invitation_id
    organizations.revoke_invitation(ada, organization_id=own(ada), invitation_id=sent.invitation_id)
    asks_to_join(world, verified(world, "asks@northwind.com", own(ada), membership_status="pending"))
    radius = organizations.blast_radius(ada, organization_id=own(ada), domain_id=proven.id)
    assert {one.email: one.verdict for one in radius.candidates} == {
        "joins@northwind.com": "joins",
        "paused@northwind.com": "suspended",
        "member@northwind.com": "member",
        "gone@northwind.com": "removed",
        "kept.out@northwind.com": "paused",
        "invited@northwind.com": "invited",
        "withdrawn@northwind.com": "joins",
        "asks@northwind.com": "waiting",
    }
    assert (radius.members, radius.members_after, radius.seats, radius.fits) == (2, 4, 25, True)
    assert switch_on(ada, proven) == 2
    assert members(ada)["joins@northwind.com"] == members(ada)["withdrawn@northwind.com"] == ("viewer", "active")
    assert [one.email for one in organizations.invitations(ada, organization_id=own(ada))] == ["invited@northwind.com"]
    assert "gone@northwind.com" not in members(ada)


def test_a_reason_for_who_joins_is_in_the_log(database: TestDatabase, ada: Actor, proven: DomainView) -> None:
    switch_on(ada, proven, reason="as agreed with their administrator")
    with database.superuser() as connection:
        told = connection.execute("SELECT reason FROM audit_logs WHERE action = 'domain.joining_changed'").fetchall()
    assert told == [("as agreed with their administrator",)]


def test_what_was_shown_is_what_happens_or_nothing_does(world: World, ada: Actor, proven: DomainView) -> None:
    elsewhere = world.organization("Elsewhere")
    verified(world, "one@northwind.com", elsewhere)
    radius = organizations.blast_radius(ada, organization_id=own(ada), domain_id=proven.id)
    verified(world, "two@northwind.com", elsewhere)
    with pytest.raises(Conflict, match="has changed since"):
        switch_on(ada, proven, expected=[one.user_id for one in radius.joining])
    assert not only(ada).auto_join and len(members(ada)) == 1
    assert switch_on(ada, proven) == 2


def test_joining_is_refused_beyond_the_seats_without_the_plan_and_for_powerful_roles(
    world: World, database: TestDatabase, ada: Actor, proven: DomainView
) -> None:
    elsewhere = world.organization("Elsewhere")
    for number in range(3):
        verified(world, f"p{number}@northwind.com", elsewhere)
    for role in ("owner", "admin", "emperor"):
        with pytest.raises(Invalid):
            switch_on(ada, proven, role=role)

    subscribe(database, own(ada), "starter")
    with pytest.raises(Forbidden, match="plan"):
        switch_on(ada, proven)
    subscribe(database, own(ada), "professional", '{"seats": 3}')
    with pytest.raises(LimitExceeded, match="4 of 3 seats"):
        switch_on(ada, proven)
    assert len(members(ada)) == 1 and not only(ada).auto_join
    assert switch_on(ada, proven, approval_required=True) == 3
    first, second, third = organizations.join_requests(ada, organization_id=own(ada))
    organizations.approve_join(ada, organization_id=own(ada), membership_id=first.membership_id)
    organizations.approve_join(ada, organization_id=own(ada), membership_id=second.membership_id)
    with pytest.raises(LimitExceeded, match="Every seat"):
        organizations.approve_join(ada, organization_id=own(ada), membership_id=third.membership_id)
    with pytest.raises(Invalid, match="reason"):
        organizations.decline_join(ada, organization_id=own(ada), membership_id=third.membership_id, reason=" ")
    organizations.decline_join(ada, organization_id=own(ada), membership_id=third.membership_id, reason="unknown")
    assert organizations.join_requests(ada, organization_id=own(ada)) == ()
    with pytest.raises(NotFound):
        organizations.approve_join(ada, organization_id=own(ada), membership_id=third.membership_id)


def subscribe(database: TestDatabase, organization: UUID, plan: str, limits: str = "{}") -> None:
    with database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        connection.execute(
            "UPDATE organizations SET plan_type = %s, usage_limits = %s WHERE id = %s", [plan, limits, organization]
        )


def test_an_admin_hands_out_by_a_domain_only_what_they_have_themselves(
    world: World, database: TestDatabase, ada: Actor, proven: DomainView
) -> None:
    adm = world.actor(world.person("adm@northwind.test", own(ada), role="admin"), own(ada))
    here: dict[str, Any] = {"organization_id": own(ada), "domain_id": proven.id}
    for enabled in (True, False):
        with pytest.raises(Forbidden, match="rights that you do not have"):
            organizations.set_joining(adm, **here, enabled=enabled, role="billing")
    assert switch_on(ada, proven, role="billing", approval_required=True) == 0
    with pytest.raises(Forbidden, match="rights that you do not have"):
        organizations.set_joining(adm, **here, enabled=True, role="billing")
    organizations.join_by_domain(
        Origin(), token=ask(database, "bob@northwind.com"), first_name="Bob", last_name="B", password=NEW
    )
    (request,) = organizations.join_requests(adm, organization_id=own(ada))
    waiting: dict[str, Any] = {"organization_id": own(ada), "membership_id": request.membership_id}
    with pytest.raises(Forbidden, match="rights that you do not have"):
        organizations.approve_join(adm, **waiting)
    assert members(ada)["bob@northwind.com"] == ("billing", "pending")
    organizations.set_joining(adm, **here, enabled=False, role="billing")
    assert not only(ada).auto_join, "what others handed out can be stopped"
    organizations.approve_join(ada, **waiting)
    assert members(ada)["bob@northwind.com"] == ("billing", "active")


# Signing up -----------------------------------------------------------------------------------------------------------


def ask(database: TestDatabase, email: str) -> str:
    before = len(links(database))
    organizations.request_domain_join(Origin(), email=email)
    found = links(database)
    return found[-1] if len(found) > before else ""


def test_a_new_person_joins_by_the_mailed_link_and_signs_in(
    database: TestDatabase, ada: Actor, proven: DomainView
) -> None:
    assert ask(database, "bob@northwind.com") == "", "not before joining is switched on"
    switch_on(ada, proven, role="member")
    token = ask(database, " Bob@NorthWind.com ")
    offer = organizations.domain_invitation(Origin(), token=token)
    assert (offer.organization_name, offer.email, offer.role, offer.has_account) == (
        "Northwind", "bob@northwind.com", "member", False,
    )  # fmt: skip
    for wrong in ({"password": NEW}, {"first_name": "Bob", "password": "short"}):
        with pytest.raises(Invalid):
            organizations.join_by_domain(Origin(), token=token, **wrong)
    joined = organizations.join_by_domain(Origin(), token=token, first_name="Bob", last_name="Builder", password=NEW)
    assert (joined.organization_name, joined.waiting) == ("Northwind", False)
    assert members(ada)["bob@northwind.com"] == ("member", "active")
    accounts.sign_in(Origin(), email="bob@northwind.com", password=NEW)
    with pytest.raises(Invalid, match="used already"):
        organizations.join_by_domain(Origin(), token=token, first_name="Eve", password=NEW)


def test_addresses_that_only_resemble_get_no_mail(database: TestDatabase, ada: Actor, proven: DomainView) -> None:
    switch_on(ada, proven)
    for email in ("x@eu.northwind.com", "x@northwind.com.evil.com", "x@notnorthwind.com", "x@nоrthwind.com"):
        assert ask(database, email) == "", email
    for bad in (
        "",
        "x",
        "@northwind.com",
        "a b@northwind.com",
        "a,b@northwind.com",
        "a\x00\n@northwind.com",
        "ü" * 300,
    ):
        with pytest.raises(Invalid):
            organizations.request_domain_join(Origin(), email=bad)
    longest = "a" * (255 - len("@northwind.com")) + "@northwind.com"
    assert ask(database, longest)
    with pytest.raises(Invalid, match="255"):
        organizations.request_domain_join(Origin(), email="a" + longest)


def test_an_idn_address_joins_by_its_domain_however_it_is_written(
    zone: Zone, database: TestDatabase, ada: Actor
) -> None:
    claimed = claim(ada, "münchen.de")
    prove(zone, ada, claimed)
    switch_on(ada, claimed)
    for written in ("ada@münchen.de", "ada@MÜNCHEN.de", "ada@xn--mnchen-3ya.de"):
        token = ask(database, written)
        assert organizations.domain_invitation(Origin(), token=token).email == "ada@xn--mnchen-3ya.de"


def test_somebody_with_an_account_joins_without_a_password_and_a_removed_one_does_not(
    world: World, database: TestDatabase, ada: Actor, proven: DomainView
) -> None:
    switch_on(ada, proven)
    elsewhere = world.organization("Elsewhere")
    bob = world.person("bob@northwind.com", elsewhere)
    token = ask(database, "bob@northwind.com")
    assert organizations.domain_invitation(Origin(), token=token).has_account
    organizations.join_by_domain(Origin(), token=token)
    assert members(ada)["bob@northwind.com"] == ("viewer", "active")
    accounts.sign_in(Origin(), email="bob@northwind.com", password=PASSWORD)
    with pytest.raises(Conflict, match="already"):
        organizations.join_by_domain(Origin(), token=ask(database, "bob@northwind.com"))
    membership = next(m.id for m in organizations.members(ada, organization_id=own(ada)) if m.user_id == bob)
    organizations.remove_member(ada, membership_id=membership, organization_id=own(ada), reason="left")
    with pytest.raises(Conflict, match="Only an invitation"):
        organizations.join_by_domain(Origin(), token=ask(database, "bob@northwind.com"))
    assert "bob@northwind.com" not in members(ada)


@pytest.mark.parametrize("approval", [False, True])
def test_a_withdrawn_invitation_does_not_stand_in_the_way_and_an_open_one_says_so(
    database: TestDatabase, ada: Actor, proven: DomainView, approval: bool
) -> None:
    switch_on(ada, proven, role="viewer", approval_required=approval)
    (sent,) = organizations.invite(ada, organization_id=own(ada), people="bob@northwind.com", role="admin")
    assert sent.invitation_id
    bob: dict[str, Any] = {"first_name": "Bob", "last_name": "B", "password": NEW}
    with pytest.raises(Conflict, match="invited to this organization already"):
        organizations.join_by_domain(Origin(), token=ask(database, "bob@northwind.com"), **bob)
    organizations.revoke_invitation(ada, organization_id=own(ada), invitation_id=sent.invitation_id)
    joined = organizations.join_by_domain(Origin(), token=ask(database, "bob@northwind.com"), **bob)
    assert joined.waiting is approval
    assert members(ada)["bob@northwind.com"] == ("viewer", "pending" if approval else "active")
    assert organizations.invitations(ada, organization_id=own(ada)) == ()
    if approval:
        with pytest.raises(Conflict, match="asked to join"):
            organizations.join_by_domain(Origin(), token=ask(database, "bob@northwind.com"), **bob)
        (request,) = organizations.join_requests(ada, organization_id=own(ada))
        organizations.approve_join(ada, organization_id=own(ada), membership_id=request.membership_id)
    accounts.sign_in(Origin(), email="bob@northwind.com", password=NEW)


@pytest.mark.parametrize("limits", [("starter", "{}"), ("professional", '{"features": {"auto_join": false}}')])
def test_nobody_joins_by_a_domain_when_the_plan_does_not_include_it_any_more(
    database: TestDatabase, ada: Actor, proven: DomainView, monkeypatch: pytest.MonkeyPatch, limits: tuple[str, str]
) -> None:
    switch_on(ada, proven)
    token = ask(database, "bob@northwind.com")
    bob: dict[str, Any] = {"token": token, "first_name": "Bob", "last_name": "B", "password": NEW}
    before = sign_up._may_come

    def plan_ends_meanwhile(person: Any) -> None:
        before(person)
        subscribe(database, own(ada), *limits)

    with monkeypatch.context() as patch:
        patch.setattr(sign_up, "_may_come", plan_ends_meanwhile)
        with pytest.raises(Invalid, match="any more"):
            organizations.join_by_domain(Origin(), **bob)
    with pytest.raises(Invalid, match="any more"):
        organizations.domain_invitation(Origin(), token=token)
    assert ask(database, "lee@northwind.com") == ""
    assert "bob@northwind.com" not in members(ada)
    subscribe(database, own(ada), "professional")
    assert not organizations.join_by_domain(Origin(), **bob).waiting


@pytest.mark.parametrize("status", ["suspended", "deleted"])
def test_a_closed_account_stays_closed(
    world: World, database: TestDatabase, ada: Actor, proven: DomainView, status: str
) -> None:
    switch_on(ada, proven)
    world.person("bob@northwind.com", world.organization("Elsewhere"), status=status)
    with pytest.raises(Conflict, match="closed"):
        organizations.join_by_domain(Origin(), token=ask(database, "bob@northwind.com"))


def test_with_approval_or_without_a_seat_one_waits_for_an_owner(
    database: TestDatabase, ada: Actor, proven: DomainView
) -> None:
    switch_on(ada, proven, approval_required=True)
    token = ask(database, "bob@northwind.com")
    assert organizations.join_by_domain(Origin(), token=token, first_name="Bob", password=NEW).waiting
    with pytest.raises(NexaError):
        accounts.sign_in(Origin(), email="bob@northwind.com", password=NEW)
    (request,) = organizations.join_requests(ada, organization_id=own(ada))
    assert (request.email, request.role) == ("bob@northwind.com", "viewer")
    organizations.approve_join(ada, organization_id=own(ada), membership_id=request.membership_id)
    accounts.sign_in(Origin(), email="bob@northwind.com", password=NEW)


def test_the_seats_hold_when_many_join_at_once(database: TestDatabase, ada: Actor, proven: DomainView) -> None:
    switch_on(ada, proven)
    with database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        connection.execute("UPDATE organizations SET usage_limits = '{\"seats\": 4}' WHERE id = %s", [own(ada)])
    tokens = [ask(database, f"p{number}@northwind.com") for number in range(12)]

    def come(token: str) -> bool:
        return organizations.join_by_domain(Origin(), token=token, first_name="P", password=NEW).waiting

    with ThreadPoolExecutor(8) as threads:
        waiting = list(threads.map(come, tokens))
    assert waiting.count(False) == 3
    assert [status for _, status in members(ada).values()].count("active") == 4


def test_one_link_lets_one_in_however_often_it_is_followed_at_once(
    database: TestDatabase, ada: Actor, proven: DomainView
) -> None:
    switch_on(ada, proven)
    token = ask(database, "bob@northwind.com")

    def come(_: int) -> str:
        try:
            organizations.join_by_domain(Origin(), token=token, first_name="Bob", password=NEW)
        except NexaError as error:
            return type(error).__name__
        return "in"

    with ThreadPoolExecutor(6) as threads:
        outcomes = list(threads.map(come, range(6)))
    assert outcomes.count("in") == 1 and set(outcomes) <= {"in", "Invalid", "Conflict"}
    assert list(members(ada)).count("bob@northwind.com") == 1


def test_few_links_live_at_once(database: TestDatabase, ada: Actor, proven: DomainView) -> None:
    switch_on(ada, proven)
    assert [bool(ask(database, "bob@northwind.com")) for _ in range(5)] == [True, True, True, False, False]
