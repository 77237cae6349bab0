"""A name is anybody's: whose words are erased, and whose stay."""

from __future__ import annotations

import dataclasses
import json
from uuid import UUID

import pytest

from nexa_core import accounts, audit, organizations
from nexa_core.actor import Actor
from tests.databases import TestDatabase
from tests.promises.erasing.person import CANARIES, EMAIL, NAME, erase, everywhere, world_owner
from tests.worlds import World

pytestmark = pytest.mark.promise


def test_others_with_alike_addresses_and_names_keep_theirs(
    database: TestDatabase, world: World, root: Actor, northwind: UUID, zyx: UUID
) -> None:
    others = [f"x{EMAIL}", f"{EMAIL}.uk", f"x-{EMAIL}"]
    for number, email in enumerate(others):
        world.person(
            email, northwind, full_name=f"Zyxanthia Quorbletonia {number}", profile_data=json.dumps({"me": email})
        )
    erase(root, zyx)
    with database.superuser() as connection:
        kept = connection.execute(
            "SELECT email, full_name, profile_data->>'me' FROM users WHERE full_name LIKE 'Zyx%' ORDER BY full_name"
        ).fetchall()
    assert kept == [(email, f"Zyxanthia Quorbletonia {number}", email) for number, email in enumerate(others)]
    assert audit.verify(Actor.system()).verified


def called(world: World, person: UUID, organization: UUID, *names: str) -> None:
    """Let a member give themselves these names, one after the other."""
    for name in names:
        first, _, last = name.partition(" ")
        accounts.update_profile(
            world.actor(person, organization), first_name=first, last_name=last, timezone="UTC", locale="en",
            avatar_url=None, notification_settings={},
        )  # fmt: skip


def test_names_somebody_chose_reach_nothing_of_organizations_they_do_not_belong_to(
    database: TestDatabase, world: World, root: Actor, northwind: UUID, zyx: UUID
) -> None:
    contoso = world.organization("Contoso Freight")
    victim = world.person("vic@contoso.example", contoso, role="owner", full_name=NAME)
    world.session(contoso, victim, title=f"Plan of Contoso Freight by {NAME}")
    owner = world.actor(victim, contoso)
    organizations.rename(owner, name="Contoso Freight International")
    organizations.rename(owner, name="Contoso Freight")
    called(world, zyx, northwind, "Contoso Freight", "Windows NT", "like Gecko", "null, null", "Zyxanthia Quorbleton")
    entries = "SELECT count(*) FROM audit_logs WHERE organization_id = %s AND salt = ''"
    browser = dataclasses.replace(root.origin, user_agent="Mozilla/5.0 (Windows NT 10.0) like Gecko")
    certificate = erase(dataclasses.replace(root, origin=browser), zyx)
    assert certificate.remaining == 0
    with database.superuser() as connection:
        assert connection.execute(entries, [contoso]).fetchone() == (0,), "no entry of theirs lost anything"
        assert connection.execute(
            "SELECT o.name, s.title, u.full_name FROM organizations o JOIN ai_architecture_sessions s"
            " ON s.organization_id = o.id JOIN users u ON u.id = s.user_id WHERE o.id = %s",
            [contoso],
        ).fetchone() == ("Contoso Freight", f"Plan of Contoso Freight by {NAME}", NAME)
    assert audit.verify(Actor.system()).verified


def test_an_admin_sees_each_word_and_keeps_names_that_are_not_the_persons_alone(
    database: TestDatabase, world: World, root: Actor, northwind: UUID, zyx: UUID
) -> None:
    with database.superuser() as connection:
        owner = connection.execute("SELECT id FROM users WHERE email LIKE 'ada@%'").fetchone()
    assert owner
    world.session(northwind, owner[0], title="Moving Northwind Traders", sow_objects={"for": ["Northwind Traders"]})
    called(world, zyx, northwind, "Northwind Traders", NAME)
    words = {word.word: word for word in accounts.plan_erasure(root, user_id=zyx).words}
    assert words["Northwind Traders"].is_name and not words[EMAIL].is_name
    assert words["Northwind Traders"].texts >= 2 and words["Northwind Traders"].entries == 1
    assert words[NAME].texts > words["Northwind Traders"].texts and words[NAME].entries > 0
    certificate = accounts.erase_person(
        root, user_id=zyx, email=EMAIL, reason="asked", keep_names=["Northwind Traders"]
    )
    assert (certificate.remaining, certificate.names_kept) == (0, 1)
    assert certificate.kept["ai_architecture_sessions.title"] == 1
    with database.superuser() as connection:
        assert everywhere(connection, CANARIES) == []
        kept = connection.execute("SELECT title FROM ai_architecture_sessions WHERE user_id = %s", [owner[0]])
        assert kept.fetchone() == ("Moving Northwind Traders",)
        said = connection.execute("SELECT new_values::text FROM audit_logs WHERE action = 'user.erased'").fetchall()
        assert not any("Traders" in values for (values,) in said if values), "the certificate does not repeat the name"
    assert audit.verify(Actor.system()).verified


def test_nobody_who_was_erased_manages_a_customer_or_gives_an_organization_its_name(
    database: TestDatabase, world: World, root: Actor
) -> None:
    assert root.organization_id
    manager = world.person("cher@nexa.example", root.organization_id, role="billing", full_name="Cher")
    managed = world.organization("Managed", account_manager_id=manager, tax_id="Cher")
    home = world.organization("Cher (personal)", slug="personal-1", subscription_data={"personal": True})
    world.membership(manager, home)
    world.person("heir@nexa.example", home, role="owner")
    accounts.erase_person(root, user_id=manager, email="cher@nexa.example", reason="asked")
    with database.superuser() as connection:
        rows = connection.execute(
            "SELECT id, name, account_manager_id FROM organizations WHERE id = ANY (%s) ORDER BY name",
            [[managed, home]],
        ).fetchall()
        assert rows == [(home, "Erased person (personal)", None), (managed, "Managed", None)]
        assert everywhere(connection, ["cher (", "cher@"]) == []
        said = connection.execute(
            "SELECT new_values->'certificate'->'one_word' FROM audit_logs WHERE new_values ? 'certificate'"
        ).fetchall()
        assert said == [(2,)], "a name of one word stays where others wrote it, and is counted there and in the log"
    assert audit.verify(Actor.system()).verified


def test_a_name_of_one_word_goes_where_it_is_the_persons_own_and_the_certificate_counts_the_rest(
    database: TestDatabase, world: World, root: Actor, northwind: UUID
) -> None:
    cher = world.person("cher@northwind.example", northwind, full_name="Quorbla")
    owner = world_owner(world, northwind)
    members = organizations.members(owner, organization_id=northwind)
    home = organizations.remove_to_personal_organization(
        owner, membership_id=next(m.id for m in members if m.user_id == cher), organization_id=northwind, reason="moves"
    )
    world.person("heir@northwind.example", home, role="owner")
    world.session(northwind, owner.user_id, title="As Quorbla said", sow_objects={"by": "Quorblamongering"})  # type: ignore[arg-type]
    organizations.suspend(root, organization_id=northwind, reason="for Quorbla")
    certificate = accounts.erase_person(
        root, user_id=cher, email="cher@northwind.example", reason="Quorbla asked us to"
    )
    with database.superuser() as connection:
        left = everywhere(connection, ["quorbla"])
        assert connection.execute("SELECT name FROM organizations WHERE id = %s", [home]).fetchone() == (
            "Erased person (personal)",
        )
    assert {(table, column) for table, column, _ in left if not table.startswith("audit_logs_")} == {
        ("ai_architecture_sessions", "title"), ("ai_architecture_sessions", "sow_objects"), ("session_search", "plain"),
        ("audit_logs", "new_values"), ("audit_logs", "reason"),
    }  # fmt: skip
    assert (certificate.remaining, certificate.one_word) == (0, 4), "title, search, its entry, and a reason"
    assert accounts.certificate(root, user_id=cher) == certificate
    assert audit.verify(Actor.system()).verified
