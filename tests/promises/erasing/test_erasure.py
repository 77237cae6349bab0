"""Erased is erased: no word of the person in any column of any table, the sums unchanged, the chains still sound."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from nexa_core import accounts, audit, organizations, usage
from nexa_core.actor import Actor, Origin
from nexa_core.errors import Conflict, Invalid, NotFound
from tests.databases import TestDatabase
from tests.outsider import carry_away, faults, seal_key
from tests.promises.erasing.person import CANARIES, EMAIL, NAME, erase, everywhere, sums
from tests.worlds import PASSWORD, World

__all__ = ["seal_key"]

pytestmark = pytest.mark.promise


def test_nothing_is_left_and_everything_else_is(
    database: TestDatabase, world: World, root: Actor, northwind: UUID, zyx: UUID
) -> None:
    with database.superuser() as connection:
        before = everywhere(connection, CANARIES)
        assert {table for table, _, _ in before} >= {
            "users", "audit_logs", "user_sessions", "outbox_messages", "ai_architecture_sessions", "usage_events",
            "organizations", "organization_memberships", "usage_idempotency_keys", "session_images",
            "organization_logos",
        }, "the traces are there, so that finding none afterwards means something"  # fmt: skip
        counted, entries = sums(connection), connection.execute("SELECT count(*) FROM audit_logs").fetchone()
    assert audit.verify(Actor.system()).verified, "a clean baseline"
    certificate = erase(root, zyx)
    with database.superuser() as connection:
        assert everywhere(connection, CANARIES) == []
        assert sums(connection) == counted
        after = connection.execute("SELECT count(*) FROM audit_logs").fetchone()
        assert entries and after and after[0] > entries[0], "not one entry is gone"
        blank = connection.execute(
            "SELECT count(*) FROM audit_logs WHERE salt = '' AND old_values IS NULL AND new_values IS NULL"
        ).fetchone()
        assert blank and blank[0] >= certificate.audit_entries > 10
        title = connection.execute("SELECT title, sow_objects FROM ai_architecture_sessions").fetchone()
        assert title == (
            "Review for Erased person",
            {
                "author": "Erased person",
                "mail": ["erased@erased.invalid"],
                "note": "Asked by:\nErased person\tand others",
            },
        )
        assert connection.execute(
            "SELECT convert_from(i.content, 'UTF8') LIKE '%%Drawn by …<%%>…</%%' FROM session_images i"
            " JOIN ai_architecture_sessions s ON s.visual_assets_json->'assets'->0->>'digest' = i.digest"
        ).fetchall() == [(True,)], "the picture has another name, and the session shows it under that name"
    assert audit.verify(Actor.system()).verified
    assert certificate.remaining == 0 and certificate.credits == 7
    assert accounts.certificate(root, user_id=zyx) == certificate
    told = audit.recent(root, organization_id=northwind)[0]
    assert (told.action, told.actor_name) == ("user.erased", "Root")
    assert told.reason == "the person asked us to, from the person"
    found = accounts.person(root, user_id=zyx)
    assert (found.full_name, found.memberships, found.sign_ins) == ("Erased person", (), ())


def test_an_outsider_takes_an_emptied_entry_only_with_the_record_of_its_erasure(
    database: TestDatabase, root: Actor, zyx: UUID, tmp_path: Path, seal_key: str
) -> None:
    erase(root, zyx)
    assert faults(carry_away(Actor.system(), tmp_path)) == []
    with database.superuser() as connection:  # the control: the same emptiness, without anybody having been erased
        connection.execute("SET session_replication_role = replica")
        emptied = connection.execute(
            "UPDATE audit_logs SET old_values = NULL, new_values = NULL, ip_address = NULL, user_agent = NULL,"
            " reason = NULL, salt = '' WHERE action <> 'user.erased' AND new_values IS NOT NULL RETURNING id"
        ).fetchall()
    found = faults(carry_away(Actor.system(), tmp_path))
    assert len(found) == len(emptied) > 0
    assert all("no erasure of a person accounts for it" in fault for fault in found)


def test_a_dry_run_counts_what_happens_and_changes_nothing(database: TestDatabase, root: Actor, zyx: UUID) -> None:
    report = accounts.plan_erasure(root, user_id=zyx)
    assert report == accounts.plan_erasure(root, user_id=zyx)
    assert report.blockers == () and report.memberships == 1 and report.sign_ins == 1 and report.mail == 1
    assert report.texts["ai_architecture_sessions.title"] == 1 and report.sessions_kept == 1
    with database.superuser() as connection:
        assert everywhere(connection, CANARIES)
    certificate = erase(root, zyx)
    assert (certificate.memberships, certificate.sign_ins, certificate.mail) == (1, 1, 1)
    assert certificate.audit_entries == report.audit_entries


def test_the_address_registers_anew_with_nothing_of_the_old(
    world: World, root: Actor, northwind: UUID, zyx: UUID
) -> None:
    erase(root, zyx)
    anew = world.person(EMAIL, northwind, full_name="Somebody New")
    assert anew != zyx
    found = accounts.person(root, user_id=anew)
    assert (found.login_count, found.timeline, found.lock, found.sessions_written) == (0, (), None, 0)
    accounts.sign_in(Origin(), email=EMAIL, password=PASSWORD)


def test_two_keys_that_named_the_same_person_stay_two(world: World, root: Actor, northwind: UUID, zyx: UUID) -> None:
    """What stands instead of an address must not make two rows alike that have to differ."""
    actor = world.actor(zyx, northwind)
    for key in (f"of {EMAIL}.", f"of {EMAIL.upper()}."):
        usage.record(actor, [usage.UsageEvent(event_type="ai_call", credits=1, idempotency_key=key)])
    assert erase(root, zyx).remaining == 0


def test_the_certificate_names_the_archives_that_keep_what_they_hold(
    database: TestDatabase, world: World, root: Actor, northwind: UUID, zyx: UUID
) -> None:
    strange = world.organization("Strange")
    with database.superuser() as connection:
        for chain in (northwind, strange):
            connection.execute(
                "INSERT INTO audit_archives (chain_id, first_sequence, last_sequence, last_hash, digest, location,"
                " archived_at, kid, signature) VALUES (%s, 1, 2, '', '', %s, now(), 'k', '')",
                [chain, f"{chain}/1-2.ndjson.gz"],
            )
    assert accounts.plan_erasure(root, user_id=zyx).archives == (f"{northwind}/1-2.ndjson.gz",)
    assert erase(root, zyx).archives == (f"{northwind}/1-2.ndjson.gz",)


def test_who_cannot_be_erased_is_said_before(world: World, root: Actor, northwind: UUID, zyx: UUID) -> None:
    sole = world.organization("Sole")
    owner = world.person("sole@sole.example", sole, role="owner")
    assert accounts.plan_erasure(root, user_id=owner).blockers == (
        "Sole has no other owner; transfer the ownership first.",
    )
    with pytest.raises(Conflict, match="no other owner"):
        accounts.erase_person(root, user_id=owner, email="sole@sole.example", reason="asked")
    with pytest.raises(Conflict, match="yourself"):
        accounts.erase_person(root, user_id=root.user_id, email="root@nexa.example", reason="asked")  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="not this person's"):
        accounts.erase_person(root, user_id=zyx, email="somebody@else.example", reason="asked")
    with pytest.raises(Invalid, match="why"):
        accounts.erase_person(root, user_id=zyx, email=EMAIL, reason="  ")
    with pytest.raises(NotFound):
        accounts.certificate(root, user_id=zyx)
    erase(root, zyx)
    with pytest.raises(Conflict, match="already"):
        erase(root, zyx)


SILENT = {
    "nulled values": "UPDATE audit_logs SET old_values = NULL, new_values = NULL, ip_address = NULL, user_agent = NULL,"
    " reason = NULL, salt = '' WHERE id = %(other)s",
    "nulled values under a forged record": "WITH a AS (UPDATE audit_logs SET old_values = NULL, new_values = NULL,"
    " ip_address = NULL, user_agent = NULL, reason = NULL, salt = '' WHERE id = %(other)s)"
    " INSERT INTO audit_logs (organization_id, action, resource_type, resource_id, new_values, request_id, actor_scope)"
    " VALUES (%(organization)s, 'user.erased', 'user', %(person)s,"
    " jsonb_build_object('erased_entries', jsonb_build_array(%(other)s::text)), gen_random_uuid(), 'staff')",
    "nulled values and a widened record": "WITH a AS (UPDATE audit_logs SET old_values = NULL, new_values = NULL,"
    " ip_address = NULL, user_agent = NULL, reason = NULL, salt = '' WHERE id = %(other)s)"
    " UPDATE audit_logs SET new_values = jsonb_set(new_values, '{erased_entries,0}', to_jsonb(%(other)s::text))"
    " WHERE action = 'user.erased' AND organization_id = %(organization)s",
    "other values in an erased entry": "UPDATE audit_logs SET reason = 'I was asked to' WHERE id = %(erased)s",
    "another actor in an erased one": "UPDATE audit_logs SET user_id = NULL, action = 'a.b' WHERE id = %(erased)s",
    "a removed erased entry": "DELETE FROM audit_logs WHERE id = %(erased)s",
    "a removed record": "DELETE FROM audit_logs WHERE action = 'user.erased' AND organization_id = %(organization)s",
    "a person who was not erased": "UPDATE users SET erased_at = NULL WHERE id = %(person)s",
}


@pytest.mark.parametrize("kind", SILENT)
def test_an_erasure_is_no_cover_for_tampering(
    database: TestDatabase, world: World, root: Actor, northwind: UUID, zyx: UUID, kind: str
) -> None:
    organizations.suspend(root, organization_id=northwind, reason="unpaid")
    erase(root, zyx)
    with database.superuser() as connection:
        connection.execute("SET session_replication_role = replica")  # no trigger helps: the tampering is silent
        other = connection.execute("SELECT id FROM audit_logs WHERE reason = 'unpaid'").fetchone()
        erased = connection.execute(
            "SELECT id FROM audit_logs WHERE salt = '' AND organization_id = %s LIMIT 1", [northwind]
        ).fetchone()
        assert other and erased
        connection.execute("SET ROLE nexa_staff")
        assert connection.execute("SELECT * FROM nexa.audit_faults(%s)", [northwind]).fetchall() == [], (
            "a clean baseline"
        )
        connection.execute("RESET ROLE")
        values = {"other": other[0], "erased": erased[0], "organization": northwind, "person": zyx}
        changed = connection.execute(SILENT[kind].encode(), values).rowcount
        assert changed, "the tampering changed nothing"
        connection.execute("SET ROLE nexa_staff")
        assert connection.execute("SELECT * FROM nexa.audit_faults(%s)", [northwind]).fetchall(), "it was not found"


@pytest.mark.parametrize("role", ["nexa_app", "nexa_tenant", "nexa_presenter", "nexa_entry"])
def test_nobody_but_staff_reaches_the_eraser(database: TestDatabase, zyx: UUID, role: str) -> None:
    with database.app(autocommit=True) as connection:
        for dry in (True, False):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
                connection.execute("SELECT nexa.erase_person(%s, %s, %s)", [zyx, dry, []])


def test_the_scan_finds_what_is_hidden_in_a_new_table(
    database: TestDatabase, root: Actor, northwind: UUID, zyx: UUID
) -> None:
    """The control: a table nobody thought of is searched by the eraser too, and found by the scan before."""
    with database.superuser() as connection:
        connection.execute(
            "CREATE TABLE forgotten (id uuid, organization_id uuid, words text); GRANT ALL ON forgotten TO nexa_system"
        )
        connection.execute("INSERT INTO forgotten VALUES (%s, %s, %s)", [uuid4(), northwind, f"Call {NAME}"])
        connection.execute("INSERT INTO forgotten VALUES (%s, NULL, %s)", [uuid4(), f"Write to {EMAIL}"])
        assert ("forgotten", "words", "quorbleton") in everywhere(connection, CANARIES)
    erase(root, zyx)
    with database.superuser() as connection:
        assert everywhere(connection, CANARIES) == []
