"""Domains: whose they are is proven by the DNS, and who joins by them is known before."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from nexa_core import db, organizations
from nexa_core.actions import Action
from nexa_core.actor import Actor, Origin
from nexa_core.errors import Conflict, Forbidden, Invalid, NotFound
from nexa_core.organizations import DomainView, dns_proof
from tests.databases import TestDatabase
from tests.nexa_core.organizations.domains.conftest import claim, links, only, own, prove
from tests.nexa_core.organizations.domains.dns_server import Zone
from tests.worlds import World

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
    "contoso.com.evil.com": "could be taken for a domain of somebody else",
    "c0ntoso.com": "could be taken for a domain of somebody else",
    "eu.contoso.com": "could be taken for a domain of somebody else",
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
    assert "contoso.com" not in refused.value.sentence.removeprefix(domain), "it tells who is a customer"
    assert organizations.domains(owners["Northwind"], organization_id=own(owners["Northwind"])) == ()


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("@NorthWind.COM.", "northwind.com"), ("münchen.de", "xn--mnchen-3ya.de"),
     ("mu\u0308nchen.de", "xn--mnchen-3ya.de"), ("例え.jp", "xn--r8jz45g.jp"),
     ("me.github.io", "me.github.io"), ("mycontoso.com", "mycontoso.com")],
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
                "UPDATE organization_domains SET"
                " verification_checked_at = verification_checked_at - %(d)s * interval '1 day',"
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
    assert links(database) == [], "nobody joins meanwhile"
    days_later(15)
    organizations.recheck_domains(root)
    assert only(ada).proven_by is None and not only(ada).auto_join


def test_a_claim_that_is_gone_meanwhile_does_not_keep_the_others_from_being_looked_at(
    zone: Zone, database: TestDatabase, owners: dict[str, Actor], root: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = owners.values()
    for owner, name in ((first, "northwind.com"), (second, "contoso.com")):
        prove(zone, owner, claim(owner, name))
    with database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        connection.execute(
            "UPDATE organization_domains SET verification_checked_at = now()"
            " - CASE domain WHEN 'northwind.com' THEN interval '9 days' ELSE interval '8 days' END"
        )
    look_up = dns_proof.look_up

    def removed_meanwhile(domain: str, token: str) -> dns_proof.Proof:
        proof = look_up(domain, token)
        if domain == "northwind.com":
            organizations.remove_domain(first, organization_id=own(first), domain_id=only(first).id, reason="sold")
        return proof

    monkeypatch.setattr(dns_proof, "look_up", removed_meanwhile)
    with structlog.testing.capture_logs() as lines:
        assert organizations.recheck_domains(root) == 1
    assert [(line["event"], line["domain"]) for line in lines] == [("domain_not_rechecked", "northwind.com")]
    looked = only(second).checked_at
    assert looked and looked > dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)


def test_an_admin_may_accept_and_except_with_a_reason(zone: Zone, owners: dict[str, Actor], root: Actor) -> None:
    northwind, contoso = owners["Northwind"], owners["Contoso"]
    prove(zone, contoso, claim(contoso, "contoso.com"))
    with pytest.raises(Invalid, match=r"looks like contoso\.com"):
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


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO organization_domains (organization_id, domain, verified_at) VALUES (:own, 'x.test', now())",
        "UPDATE organization_domains SET domain = 'contoso.com'",
        "UPDATE organization_domains SET verified_at = now(), verified_by = :ada",
        "UPDATE organization_domains SET verification_token = 'known'",
    ],
)
def test_the_database_itself_keeps_a_customer_from_accepting_a_domain(ada: Actor, statement: str) -> None:
    claim(ada, "northwind.com")
    with db.recording(ada, Action.DOMAIN_ADDED) as door, pytest.raises(ProgrammingError, match="permission denied"):
        door.execute(text(statement), {"own": own(ada), "ada": ada.user_id})
