"""Domains: whose they are is proven by the DNS, and who joins by them is known before."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from nexa_core import accounts, organizations
from nexa_core.actor import Actor, Origin
from nexa_core.config import settings
from nexa_core.errors import Conflict, Forbidden, Invalid, LimitExceeded, NexaError, NotFound
from nexa_core.organizations import DomainView, dns_proof
from tests.conftest import PASSWORD, TestDatabase, World
from tests.nexa_core.organizations.dns_server import Zone, dns_server

NEW = "an entirely new phrase to remember"


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Zone]:
    with dns_server() as zone:
        monkeypatch.setenv("NEXA_DNS_RESOLVER", zone.address)
        settings.cache_clear()
        yield zone


@pytest.fixture
def owners(world: World) -> dict[str, Actor]:
    made = {}
    for name in ("Northwind", "Contoso"):
        organization = world.organization(name, plan="professional")
        made[name] = world.actor(world.person(f"ada@{name.lower()}.test", organization, role="owner"), organization)
    return made


@pytest.fixture
def ada(owners: dict[str, Actor]) -> Actor:
    return owners["Northwind"]


@pytest.fixture
def root(world: World) -> Actor:
    platform = world.organization("NEXA", is_platform=True)
    return world.actor(world.person("root@nexa.test", platform, role="owner"), platform)


def own(actor: Actor) -> UUID:
    assert actor.organization_id
    return actor.organization_id


def claim(actor: Actor, domain: str = "northwind.com") -> DomainView:
    return organizations.add_domain(actor, organization_id=own(actor), domain=domain)


def prove(zone: Zone, actor: Actor, claimed: DomainView) -> organizations.Check:
    zone.records.setdefault(claimed.record_name, []).append(claimed.record_value)
    return organizations.check_domain(actor, organization_id=own(actor), domain_id=claimed.id)


def only(actor: Actor) -> DomainView:
    (found,) = organizations.domains(actor, organization_id=own(actor))
    return found


def verified(world: World, email: str, organization: UUID, **values: object) -> UUID:
    return world.person(email, organization, email_verified_at="2026-01-01", **values)  # type: ignore[arg-type]


# Whose it is ----------------------------------------------------------------------------------------------------------

REFUSED = {
    "gmail.com": "Anybody can have an address at gmail.com",
    "eu.outlook.com": "Anybody can have an address at outlook.com",
    "gmai1.com": "looks like gmail.com",
    "gmail.com.evil.com": "begins with gmail.com but belongs to evil.com",
    "co.uk": "shared by many",
    "github.io": "shared by many",
    "раypal.com": "mixes scripts",
    "xn--80ak6aa92e.com": "only look like apple",
    "contoso.com.evil.com": "begins with contoso.com",
    "c0ntoso.com": "looks like contoso.com",
    "eu.contoso.com": "lies within contoso.com",
    "ada@northwind.com": "the domain alone",
    "https://northwind.com": "the domain alone",
    "": "not the name",
    "x": "not the name",
    "127.0.0.1": "not the name",
    "a b.com": "not the name",
    "evil.com\x00": "not the name",
    "\ud800.com": "not the name",
    "<b>.com": "not the name",
    "a" * 64 + ".com": "not the name",
    ("a" * 60 + ".") * 5 + "com": "not the name",
}


@pytest.mark.parametrize("domain", REFUSED, ids=repr)
def test_a_domain_that_is_shared_or_pretends_is_refused_with_the_reason(
    zone: Zone, owners: dict[str, Actor], domain: str
) -> None:
    prove(zone, owners["Contoso"], claim(owners["Contoso"], "contoso.com"))
    with pytest.raises(Invalid) as refused:
        claim(owners["Northwind"], domain)
    assert REFUSED[domain] in refused.value.sentence and refused.value.field == "domain"
    assert organizations.domains(owners["Northwind"], organization_id=own(owners["Northwind"])) == ()


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("@NorthWind.COM.", "northwind.com"), ("münchen.de", "xn--mnchen-3ya.de"), ("mu\u0308nchen.de", "xn--mnchen-3ya.de"),
     ("例え.jp", "xn--r8jz45g.jp"), ("me.github.io", "me.github.io"), ("mycontoso.com", "mycontoso.com")],
)  # fmt: skip
def test_a_domain_of_ones_own_is_stored_in_one_spelling(ada: Actor, typed: str, stored: str) -> None:
    assert claim(ada, typed).domain == stored
    with pytest.raises(Conflict, match="in the list already"):
        claim(ada, typed)


def test_the_record_proves_it_and_nothing_else_does(zone: Zone, ada: Actor) -> None:
    claimed = claim(ada)
    assert claimed.record_name == "_nexa-challenge.northwind.com" and claimed.proven_by is None
    check = {"organization_id": own(ada), "domain_id": claimed.id}
    answers = []
    for values in (None, [], ["v=spf1 -all"], ["nexa-domain-verification=forged"], [claimed.record_value + "x"]):
        zone.records = {} if values is None else {claimed.record_name: values, "northwind.com": [claimed.record_value]}
        found = organizations.check_domain(ada, **check)
        assert not found.proven and only(ada).proven_by is None
        answers.append(found.sentence)
    assert len(set(answers)) >= 3 and "another value" in answers[3]
    assert only(ada).checked_at is not None
    zone.records = {claimed.record_name: ["v=spf1 -all", claimed.record_value]}
    assert organizations.check_domain(ada, **check).proven
    assert only(ada).proven_by == "dns"
    assert organizations.current(ada).domain == "northwind.com"


def test_a_silent_dns_changes_nothing_and_says_so(zone: Zone, ada: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    claimed = claim(ada)
    prove(zone, ada, claimed)
    monkeypatch.setattr(dns_proof, "_SECONDS", 0.3)
    zone.silent = True
    found = organizations.check_domain(ada, organization_id=own(ada), domain_id=claimed.id)
    assert found.proven and "did not answer" in found.sentence
    assert only(ada).missing_since is None


def test_an_unproven_claim_blocks_nobody_and_a_proof_is_exclusive(zone: Zone, owners: dict[str, Actor]) -> None:
    squatter, owner = owners["Contoso"], owners["Northwind"]
    squatted, claimed = claim(squatter), claim(owner)
    assert squatted.record_value != claimed.record_value
    assert prove(zone, owner, claimed).proven
    with pytest.raises(Conflict, match="Another organization has proven"):
        prove(zone, squatter, squatted)
    assert only(squatter).proven_by is None


def test_of_two_who_prove_at_once_one_does(zone: Zone, owners: dict[str, Actor]) -> None:
    claims = [(actor, claim(actor)) for actor in owners.values()]
    for _, claimed in claims:
        zone.records.setdefault(claimed.record_name, []).append(claimed.record_value)

    def check(pair: tuple[Actor, DomainView]) -> bool:
        try:
            return organizations.check_domain(pair[0], organization_id=own(pair[0]), domain_id=pair[1].id).proven
        except Conflict:
            return False

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(check, claims)) == [False, True]


def test_a_record_that_is_gone_pauses_joining_and_then_ends_the_proof(
    zone: Zone, database: TestDatabase, ada: Actor, root: Actor
) -> None:
    claimed = claim(ada)
    prove(zone, ada, claimed)
    organizations.set_joining(ada, organization_id=own(ada), domain_id=claimed.id, enabled=True)
    assert organizations.recheck_domains(root) == 0, "not before a week is over"

    def days_later(days: int) -> None:
        with database.superuser() as connection, connection.transaction():
            World.name_the_change(connection)
            connection.execute(
                "UPDATE organization_domains SET verification_checked_at = verification_checked_at - %(d)s * interval '1 day',"
                " missing_since = missing_since - %(d)s * interval '1 day'",
                {"d": days},
            )

    days_later(8)
    assert organizations.recheck_domains(root) == 1 and only(ada).missing_since is None
    zone.records.clear()
    days_later(8)
    organizations.recheck_domains(root)
    assert only(ada).missing_since is not None and only(ada).proven_by == "dns"
    organizations.request_domain_join(Origin(), email="new@northwind.com")
    assert _links(database) == [], "nobody joins meanwhile"
    days_later(15)
    organizations.recheck_domains(root)
    assert only(ada).proven_by is None and not only(ada).auto_join


def test_an_admin_may_accept_and_except_with_a_reason(zone: Zone, owners: dict[str, Actor], root: Actor) -> None:
    northwind, contoso = owners["Northwind"], owners["Contoso"]
    prove(zone, contoso, claim(contoso, "contoso.com"))
    with pytest.raises(Invalid, match="looks like"):
        organizations.add_domain(root, organization_id=own(northwind), domain="c0ntoso.com")
    excepted = organizations.add_domain(
        root, organization_id=own(northwind), domain="c0ntoso.com", reason="Papers seen, ticket 12"
    )
    accept = {"organization_id": own(northwind), "domain_id": excepted.id}
    with pytest.raises(Forbidden):
        organizations.accept_domain(northwind, reason="mine", **accept)
    with pytest.raises(Invalid, match="reason"):
        organizations.accept_domain(root, reason=" ", **accept)
    assert organizations.accept_domain(root, reason="Papers seen", **accept).proven_by == "admin"
    with pytest.raises(Invalid):
        organizations.add_domain(root, organization_id=own(northwind), domain="gmail.com", reason="please")
    with pytest.raises(Invalid, match="reason"):
        organizations.remove_domain(northwind, **accept)
    organizations.remove_domain(northwind, reason="sold", **accept)
    assert organizations.domains(northwind, organization_id=own(northwind)) == ()


def test_a_stranger_finds_no_domain_and_a_viewer_changes_none(
    world: World, zone: Zone, owners: dict[str, Actor]
) -> None:
    ada, eve = owners["Northwind"], owners["Contoso"]
    claimed = claim(ada)
    viewer = world.actor(world.person("vic@northwind.test", own(ada), role="viewer"), own(ada))
    assert only(viewer) == claimed
    for actor, expected in ((eve, NotFound), (viewer, Forbidden)):
        for verb in (
            lambda a: organizations.check_domain(a, organization_id=own(ada), domain_id=claimed.id),
            lambda a: organizations.remove_domain(a, organization_id=own(ada), domain_id=claimed.id),
            lambda a: organizations.blast_radius(a, organization_id=own(ada), domain_id=claimed.id),
            lambda a: organizations.set_joining(a, organization_id=own(ada), domain_id=claimed.id, enabled=True),
            lambda a: organizations.join_requests(a, organization_id=own(ada)),
        ):
            with pytest.raises(expected):
                verb(actor)
    with pytest.raises(NotFound):  # one's own organization and a stranger's domain
        organizations.check_domain(eve, organization_id=own(eve), domain_id=claimed.id)
    assert zone.asked == []


# Who joins ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def proven(zone: Zone, ada: Actor) -> DomainView:
    claimed = claim(ada)
    assert prove(zone, ada, claimed).proven
    return only(ada)


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
    radius = organizations.blast_radius(ada, organization_id=own(ada), domain_id=proven.id)
    assert {one.email: one.verdict for one in radius.candidates} == {
        "joins@northwind.com": "joins",
        "paused@northwind.com": "suspended",
        "member@northwind.com": "member",
        "gone@northwind.com": "removed",
    }
    assert (radius.members, radius.members_after, radius.seats, radius.fits) == (2, 3, 25, True)
    assert switch_on(ada, proven) == 1
    assert members(ada)["joins@northwind.com"] == ("viewer", "active")
    assert "gone@northwind.com" not in members(ada)


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

    def subscribe(plan: str, limits: str = "{}") -> None:
        with database.superuser() as connection, connection.transaction():
            World.name_the_change(connection)
            connection.execute(
                "UPDATE organizations SET plan_type = %s, usage_limits = %s WHERE id = %s", [plan, limits, own(ada)]
            )

    subscribe("starter")
    with pytest.raises(Forbidden, match="plan"):
        switch_on(ada, proven)
    subscribe("professional", '{"seats": 3}')
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


# Signing up -----------------------------------------------------------------------------------------------------------


def _links(database: TestDatabase) -> list[str]:
    with database.superuser() as connection:
        rows = connection.execute("SELECT link FROM outbox_messages WHERE link LIKE '%/join?%' ORDER BY created_at").fetchall()
    return [row[0].partition("token=")[2] for row in rows]


def ask(database: TestDatabase, email: str) -> str:
    before = len(_links(database))
    organizations.request_domain_join(Origin(), email=email)
    links = _links(database)
    return links[-1] if len(links) > before else ""


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
