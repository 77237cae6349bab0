"""Erased is erased: no word of the person in any column of any table, the sums unchanged, the chains still sound."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import zipfile
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from nexa_core import accounts, architecture_sessions, audit, organizations, usage
from nexa_core.actor import Actor, Origin
from nexa_core.errors import Conflict, Invalid, NotFound
from tests.databases import TestDatabase
from tests.outsider import carry_away, faults, seal_key
from tests.worlds import PASSWORD, World

__all__ = ["seal_key"]

pytestmark = pytest.mark.promise

EMAIL = "zyxanthia.quorbleton@northwind.example"
NAME = "Zyxanthia Quorbleton"
ADDRESS = "198.51.100.77"
AGENT = "QuorbleBrowser/9.1"
SIGNED_PICTURE = (
    f'<svg xmlns="http://www.w3.org/2000/svg"><text>Drawn by {NAME}</text><text>{EMAIL}</text></svg>'.encode()
)
CANARIES = ["zyxanthia", "quorbleton", ADDRESS, "quorblebrowser", "quorble.example", "chief quorbler"]


def everywhere(connection: psycopg.Connection, wanted: list[str]) -> list[tuple[str, str, str]]:
    """Where any of these words stands: every text, document, address, array and byte column of every table there is."""
    columns = connection.execute(
        "SELECT n.nspname, c.relname, a.attname, a.atttypid = 'bytea'::regtype"
        " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND a.attnum > 0"
        " AND NOT a.attisdropped AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
        " AND (format_type(a.atttypid, a.atttypmod) ~ '(text|char|json|inet|cidr|bytea|name)')"
    ).fetchall()
    assert len(columns) > 100
    found = []
    for schema, table, column, is_bytes in columns:
        for word in wanted:
            said = "encode({}, 'escape')" if is_bytes else "{}::text"  # a cast of bytes to text is hexadecimal
            query = sql.SQL(f"SELECT 1 FROM {{}}.{{}} WHERE strpos(lower({said}), {{}}) > 0 LIMIT 1").format(
                *map(sql.Identifier, (schema, table, column)), sql.Literal(word)
            )
            if connection.execute(query).fetchone():
                found.append((table, column, word))
    return found


@pytest.fixture
def root(world: World) -> Actor:
    platform = world.organization("NEXA", is_platform=True)
    return world.actor(world.person("root@nexa.example", platform, role="owner"), platform)


@pytest.fixture
def northwind(world: World) -> UUID:
    organization = world.organization("Northwind", billing_email=EMAIL)
    world.person("ada@northwind.example", organization, role="owner")
    return organization


@pytest.fixture
def zyx(world: World, database: TestDatabase, northwind: UUID, root: Actor) -> UUID:
    """Somebody who has left traces wherever one can."""
    person = world.person(
        EMAIL, northwind, role="admin", full_name=NAME, avatar_url="https://quorble.example/zyx.png",
        profile_data='{"title": "Chief Quorbler"}',
    )  # fmt: skip
    here = Origin(ip_address=ADDRESS, user_agent=AGENT)
    with pytest.raises(accounts_error()):
        accounts.sign_in(here, email=EMAIL, password="wrong")
    ticket = accounts.sign_in(here, email=EMAIL, password=PASSWORD).ticket
    living = accounts.open_browser_sign_in(here, ticket=ticket)
    actor = accounts.actor_of_user_session(here, user_session_id=living.user_session_id)
    accounts.update_profile(
        actor, first_name="Zyxanthia", last_name="Quorbleton-Smythe", timezone="Europe/Paris", locale="fr",
        avatar_url="https://quorble.example/new.png", notification_settings={"security": True},
    )  # fmt: skip
    organizations.rename(actor, name="Northwind of Zyxanthia Quorbleton")
    organizations.rename(actor, name="Northwind")
    accounts.request_password_reset(here, email=EMAIL)
    session = world.session(
        northwind, person, title=f"Review for {NAME}",
        sow_objects={"author": NAME, "mail": [EMAIL.upper()], "note": f"Asked by:\n{NAME}\tand others"},
    )  # fmt: skip
    drawn = architecture_sessions.store_image(actor, uuid=session, content=SIGNED_PICTURE).digest
    organizations.store_logo(actor, organization_id=northwind, content=SIGNED_PICTURE)
    event = {"by": EMAIL, "note": f"asked by {NAME}"}
    usage.record(
        actor, [usage.UsageEvent(event_type="ai_call", credits=7, idempotency_key=f"of {EMAIL}", event_data=event)]
    )
    members = organizations.members(world_owner(world, northwind), organization_id=northwind)
    ada = next(m for m in members if m.email.startswith("ada"))
    organizations.suspend(root, organization_id=northwind, reason=f"{NAME} ({EMAIL}) asked for it")
    organizations.resume(root, organization_id=northwind, reason="settled")
    with database.superuser() as connection, connection.transaction():
        world.name_the_change(connection)
        connection.execute(
            "UPDATE users SET profile_data = %s WHERE id = %s", [json.dumps({"boss": EMAIL}), ada.user_id]
        )
        connection.execute(
            "UPDATE organization_memberships SET invitation_message = %s WHERE user_id = %s",
            [f"Ask {NAME}", ada.user_id],
        )
        connection.execute(
            "UPDATE ai_architecture_sessions SET visual_assets_json = %s WHERE uuid = %s",
            [json.dumps({"assets": [{"id": "a", "kind": "image", "digest": drawn}]}), session],
        )
    return person


def accounts_error() -> type[Exception]:
    from nexa_core.errors import Unauthenticated

    return Unauthenticated


def world_owner(world: World, organization: UUID) -> Actor:
    with world.database.superuser() as connection:
        row = connection.execute("SELECT id FROM users WHERE email LIKE 'ada@%'").fetchone()
    assert row
    return world.actor(row[0], organization)


def sums(connection: psycopg.Connection) -> list[tuple[object, ...]]:
    return connection.execute(
        "SELECT organization_id, event_type, count(*), sum(credits_consumed) FROM usage_events GROUP BY 1, 2"
        " UNION ALL SELECT organization_id, metric, used, reserved FROM usage_counters"
        " UNION ALL SELECT organization_id, event_type, events, credits FROM usage_by_day ORDER BY 1, 2, 3, 4"
    ).fetchall()


def erase(root: Actor, person: UUID) -> accounts.ErasureCertificate:
    return accounts.erase_person(root, user_id=person, email=EMAIL, reason=f"{NAME} asked us to, from {EMAIL}")


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


def test_two_keys_that_named_the_same_person_stay_two(world: World, root: Actor, northwind: UUID, zyx: UUID) -> None:
    """What stands instead of an address must not make two rows alike that have to differ."""
    actor = world.actor(zyx, northwind)
    for key in (f"of {EMAIL}.", f"of {EMAIL.upper()}."):
        usage.record(actor, [usage.UsageEvent(event_type="ai_call", credits=1, idempotency_key=key)])
    assert erase(root, zyx).remaining == 0


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


def test_a_person_gets_everything_as_a_file_without_secrets(
    database: TestDatabase, root: Actor, northwind: UUID, zyx: UUID
) -> None:
    with pytest.raises(Invalid, match="why"):
        accounts.export_person(root, user_id=zyx, reason=" ")
    archive = zipfile.ZipFile(io.BytesIO(accounts.export_person(root, user_id=zyx, reason="Article 15, ticket 9")))
    files = {name: json.loads(archive.read(name)) for name in archive.namelist() if name.endswith(".json")}
    assert files["users.json"][0]["email"] == EMAIL and len(files["users.json"]) == 1
    assert files["ai_architecture_sessions.json"][0]["sow_objects"]["author"] == NAME
    assert files["usage_events.json"][0]["credits_consumed"] == 7
    assert {"user.sign_in_failed", "organization.renamed"} <= {row["action"] for row in files["audit_logs.json"]}
    assert files["user_sessions.json"][0]["ip_address"] == ADDRESS
    index = archive.read("index.html").decode()
    assert NAME in index and all(f'href="{name}"' in index for name in files)
    whole = " ".join(archive.read(name).decode() for name in archive.namelist())
    with database.superuser() as connection:
        secrets = connection.execute(
            "SELECT password_hash FROM users UNION SELECT session_token FROM user_sessions"
            " UNION SELECT token FROM one_time_tokens UNION SELECT encode(salt, 'hex') FROM audit_logs"
        ).fetchall()
        assert not [secret for (secret,) in secrets if secret and secret in whole]
        note = connection.execute(
            "SELECT user_id, resource_id, reason FROM audit_logs WHERE action = 'user.exported'"
        ).fetchall()
    assert note == [(root.user_id, zyx, "Article 15, ticket 9")]


def test_whatever_table_knows_a_person_is_in_the_file(
    database: TestDatabase, root: Actor, northwind: UUID, zyx: UUID
) -> None:
    with database.superuser() as connection:
        connection.execute(
            "INSERT INTO domain_sign_ups (token, organization_id, domain, email, expires_at)"
            " VALUES (repeat('0', 64), %s, 'northwind.example', %s, now())",
            [northwind, EMAIL],
        )
    archive = zipfile.ZipFile(io.BytesIO(accounts.export_person(root, user_id=zyx, reason="Article 15")))
    with database.superuser() as connection:
        tables = {re.sub(r"_\d{4}_\d{2}$", "", table) for table, _, _ in everywhere(connection, CANARIES)}
        (link,) = connection.execute("SELECT link FROM outbox_messages").fetchone() or ("",)
    missing = {table for table in tables if f"{table}.json" not in archive.namelist()}
    assert missing == {"session_search", "usage_idempotency_keys"}, "what sessions and events say, once more"
    mail = json.loads(archive.read("outbox_messages.json"))
    assert [one["recipient"] for one in mail] == [EMAIL] and not {"body", "link"} & mail[0].keys()
    assert link and link.partition("token=")[2] not in archive.read("outbox_messages.json").decode()
    assert [one["domain"] for one in json.loads(archive.read("domain_sign_ups.json"))] == ["northwind.example"]


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


def test_who_is_erased_manages_no_customer_any_more(
    database: TestDatabase, root: Actor, northwind: UUID, zyx: UUID
) -> None:
    with database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        connection.execute("UPDATE organizations SET account_manager_id = %s WHERE id = %s", [zyx, northwind])
    erase(root, zyx)
    assert organizations.get(root, organization_id=northwind).account_manager is None
    assert audit.verify(Actor.system()).verified
