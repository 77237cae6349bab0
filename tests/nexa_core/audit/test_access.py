"""A customer reads every time the platform's people were there, with the reason; nobody else's, and nothing missing."""

from __future__ import annotations

import json

import pytest

from nexa_core import accounts, audit, db, organizations
from nexa_core.actions import Action
from nexa_core.actor import Actor, Origin
from nexa_core.errors import Forbidden, Invalid, NotFound
from nexa_core.permissions import Permission, explain
from tests.databases import TestDatabase
from tests.worlds import World


def opened(actor: Actor, ada: Actor, kind: str, reason: str) -> None:
    """What opening a document leaves: an entry that changes no row."""
    with db.recording(actor, Action.SESSION_EDITED, reason=reason) as transaction:
        audit.note(transaction, kind, ada.user_id, {}, organization_id=ada.organization_id)


def test_a_customer_reads_what_staff_did_and_why(ada: Actor, root: Actor) -> None:
    assert ada.organization_id
    organizations.rename(ada, name="Northwind Traders")
    organizations.suspend(root, organization_id=ada.organization_id, reason="Unpaid <b>since</b> June")
    organizations.resume(root, organization_id=ada.organization_id, reason="Paid")
    opened(root, ada, "session", "Asked for help with the diagram")
    here = audit.ExportFilter(organization_id=ada.organization_id)
    with pytest.raises(Invalid, match="say why"):
        audit.export_entries(root, file_format="csv", only=here, reason=" ")
    list(audit.export_entries(root, file_format="csv", only=here, reason="Their auditor asks"))
    found = audit.staff_access(ada)
    assert [(item.kind, item.reason) for item in found.items] == [
        ("exported", "Their auditor asks"),
        ("documents", "Asked for help with the diagram"),
        ("changed", "Paid"),
        ("changed", "Unpaid <b>since</b> June"),
    ]
    assert found.items[0].sentence == "NEXA staff exported the audit log of Northwind Traders"
    assert found.items[3].sentence == "NEXA staff suspended Northwind Traders"
    assert not any(item.by_itself for item in found.items)
    assert [item.kind for item in audit.staff_access(ada, kind="documents").items] == ["documents"]
    assert audit.staff_access(ada, kind="viewed_as").items == ()
    list(audit.export_entries(root, file_format="csv", reason="Yearly copy"))
    assert [item.sentence for item in audit.staff_access(ada, kind="exported").items] == [
        "NEXA staff exported the audit log of Northwind Traders"
    ] * 2, "an export of everybody's log is one of this log"
    with pytest.raises(Invalid):
        audit.staff_access(ada, kind="nothing")


def test_every_entry_of_staff_is_in_it_page_by_page(database: TestDatabase, ada: Actor, root: Actor) -> None:
    assert ada.organization_id
    for number in range(7):
        organizations.rename(root, organization_id=ada.organization_id, name=f"Northwind {number}")
        organizations.rename(ada, name=f"Ours {number}")
    seen, after = [], None
    while True:
        page = audit.staff_access(ada, after=after, limit=3)
        seen += [item.id for item in page.items]
        after = page.next_cursor
        if after is None:
            break
    with database.superuser() as connection:
        wanted = connection.execute(
            "SELECT id FROM audit_logs WHERE organization_id = %s AND actor_scope = 'staff'"
            " ORDER BY created_at DESC, id DESC",
            [ada.organization_id],
        ).fetchall()
    assert seen == [row[0] for row in wanted] and len(seen) == 7
    with pytest.raises(Invalid):
        audit.staff_access(ada, after="nonsense")


def test_screen_log_and_export_agree_on_what_staff_did(database: TestDatabase, ada: Actor, root: Actor) -> None:
    assert ada.organization_id
    organizations.suspend(root, organization_id=ada.organization_id, reason="Unpaid")
    organizations.resume(root, organization_id=ada.organization_id, reason="Paid")
    opened(root, ada, "session", "Asked for help")
    organizations.rename(ada, name="Ours")
    with database.superuser() as connection:
        connection.execute(
            "INSERT INTO audit_logs (organization_id, action, resource_type, resource_id, request_id, actor_scope)"
            " SELECT %(here)s, action, 'session', %(here)s, gen_random_uuid(), scope FROM (VALUES"
            " ('session.edited', 'presenter'), ('user.viewing_started', 'staff'), ('demo.seeded', 'staff'))"
            " AS made(action, scope)",
            {"here": ada.organization_id},
        )
        connection.execute("UPDATE audit_logs SET resource_type = 'user' WHERE action = 'user.viewing_started'")

    def exported(**only: object) -> set[str]:
        lines = b"".join(audit.export_entries(ada, file_format="ndjson", only=audit.ExportFilter(**only)))  # type: ignore[arg-type]
        return {row["id"] for row in map(json.loads, lines.splitlines()) if row["record"] == "entry"}

    def shown(kind: str | None = None) -> set[str]:
        return {str(item.id) for item in audit.staff_access(ada, kind=kind).items}

    log = audit.find(ada, limit=200)
    assert {str(e.id) for e in audit.find(ada, filters=audit.Filters(staff=True)).items} == shown()
    assert {str(entry.id) for entry in log.items if entry.is_staff_access} == shown()
    assert len(shown()) == 5 and exported(staff_only=True) == shown()
    for kind, count in {"documents": 2, "viewed_as": 1, "changed": 2, "exported": 0}.items():
        assert len(shown(kind)) == count and exported(staff_kind=kind) == shown(kind)
    with pytest.raises(Invalid):
        exported(staff_kind="nothing")


def test_only_those_who_may_read_the_log_of_their_own_organization(world: World, ada: Actor, root: Actor) -> None:
    contoso = world.organization("Contoso")
    eve = world.actor(world.person("eve@contoso.example", contoso, role="owner"), contoso)
    member = world.actor(world.person("ben@contoso.example", contoso, role="member"), contoso)
    organizations.suspend(root, organization_id=contoso, reason="unpaid")
    assert audit.staff_access(ada).items == ()
    with pytest.raises(NotFound):
        audit.staff_access(eve, organization_id=ada.organization_id)
    with pytest.raises(Forbidden):
        audit.staff_access(member)
    assert len(audit.staff_access(root, organization_id=contoso).items) == 1


def test_the_plan_gates_the_log_but_never_what_staff_did(world: World, root: Actor) -> None:
    small = world.organization("Small", plan_type="free")
    sign_in = world.sign_in(world.person("owner@small.example", small, role="owner"), small)
    owner = accounts.actor_of_user_session(Origin(), user_session_id=sign_in)
    organizations.suspend(root, organization_id=small, reason="unpaid")
    organizations.resume(root, organization_id=small, reason="paid")
    assert [item.reason for item in audit.staff_access(owner).items] == ["paid", "unpaid"]
    for only in (audit.ExportFilter(staff_only=True), audit.ExportFilter(staff_kind="changed")):
        lines = b"".join(audit.export_entries(owner, file_format="ndjson", only=only)).splitlines()
        assert {json.loads(line)["action"] for line in lines if b'"entry"' in line} == {
            "organization.suspended",
            "organization.resumed",
        }
    with pytest.raises(Forbidden):
        audit.find(owner)
    for rest in (None, audit.ExportFilter(action="organization.suspended")):
        with pytest.raises(Forbidden, match="does not include audit_log"):
            audit.export_entries(owner, file_format="ndjson", only=rest)


def test_who_is_granted_or_denied_the_log_personally_is_what_staff_did_too(world: World, ada: Actor) -> None:
    assert ada.organization_id
    for role, name, may in (("member", "grant", True), ("admin", "deny", False)):
        personal = {name: [Permission.AUDIT_READ.value]}
        person = world.person(f"{role}@northwind.example", ada.organization_id, role=role, permissions=personal)
        somebody = world.actor(person, ada.organization_id)
        assert somebody.may(Permission.STAFF_ACCESS_READ) is may
        assert (Permission.STAFF_ACCESS_READ in somebody.permissions) is may
        assert explain(somebody, Permission.STAFF_ACCESS_READ).deciding.name == "override"


def test_the_state_of_the_own_chain_is_all_a_customer_sees(world: World, ada: Actor, root: Actor) -> None:
    assert [state.verified_at for state in audit.chain_states(ada)] == [None]
    result = audit.verify(ada)
    assert result.verified and result.chains == 1
    (state,) = audit.chain_states(ada)
    assert state.verified and state.entries == state.verified_entries == result.entries
    assert state.organization_name == "Northwind"
    with pytest.raises(NotFound):
        audit.verify(ada, organization_id=root.organization_id)
    heard: list[float] = []
    assert audit.verify(root, progress=heard.append).chains >= 2
    assert heard == sorted(heard) and heard[-1] == 1.0
    assert len(audit.chain_states(root)) == len(heard)


def test_the_hourly_walk_takes_what_has_grown_and_what_was_not_walked_for_a_day(
    database: TestDatabase, ada: Actor, root: Actor
) -> None:
    system = Actor.system()
    everything = audit.verify_due(system).chains
    assert everything >= 2 and audit.verify_due(system).chains == 0
    organizations.rename(ada, name="New")
    assert audit.verify_due(system).chains == 1
    with database.superuser() as connection:
        connection.execute("UPDATE audit_verifications SET verified_at = now() - interval '2 days'")
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE audit_logs SET reason = 'forged' WHERE organization_id = %s", [ada.organization_id])
    found = audit.verify_due(system)
    assert found.chains == everything and not found.verified
    broken = audit.chain_states(root)[0]
    assert (broken.chain_id, broken.verified) == (ada.organization_id, False)
    assert broken.first_fault == "the values, address or reason were changed"
