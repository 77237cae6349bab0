"""Nobody, superusers included, changes the log without being found out: online, or by what was carried away before."""

from __future__ import annotations

import random
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from nexa_core import accounts, audit, db, organizations
from nexa_core.actions import Action
from nexa_core.actor import Actor, Origin
from nexa_core.config import settings
from tests.databases import TestDatabase
from tests.outsider import carry_away, faults, seal_key
from tests.promises.test_audit import TAMPERINGS
from tests.worlds import PASSWORD, World

pytestmark = pytest.mark.usefixtures("seal_key")
__all__ = ["seal_key"]

LOG = ("audit_logs", "audit_chain", "audit_heads", "audit_seals", "audit_archives", "audit_verifications")
SWAP = (
    "UPDATE audit_logs a SET new_values = b.new_values, old_values = b.old_values, salt = b.salt FROM audit_logs b"
    " WHERE (a.id, b.id) IN ((%(one)s, %(two)s), (%(two)s, %(one)s))"
)
#: The five kinds of the promise, as a superuser would do them before making the chain look whole again.
CHANGES = {
    "edit": 'UPDATE audit_logs SET new_values = \'{"name": "Innocent"}\' WHERE id = %(one)s',
    "deletion": "DELETE FROM audit_logs WHERE id = %(one)s",
    "swap": SWAP,
    "insertion": "INSERT INTO audit_logs (created_at, action, resource_type, request_id, actor_scope, organization_id)"
    " SELECT created_at, 'organization.renamed', 'organization', gen_random_uuid(), 'tenant', organization_id"
    " FROM audit_logs WHERE id = %(one)s",
    "tail truncation": "DELETE FROM audit_logs WHERE id IN (SELECT audit_log_id FROM audit_chain"
    " WHERE chain_id = %(organization)s ORDER BY sequence DESC LIMIT 3)",
}
#: What somebody who owns the database can do but sign: compute every link and the head anew.
REWRITE = """
CREATE OR REPLACE FUNCTION pg_temp.rewrite(chain uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    e audit_logs; number bigint := 0; hashed bytea := sha256('nexa audit chain'::bytea); covered bytea;
BEGIN
    CREATE TEMP TABLE places ON COMMIT DROP AS
        SELECT a.id, row_number() OVER (ORDER BY a.created_at, c.sequence, a.id) AS place
        FROM audit_logs a LEFT JOIN audit_chain c ON c.audit_log_id = a.id WHERE a.organization_id = chain;
    DELETE FROM audit_chain WHERE chain_id = chain;
    FOR e IN SELECT a.* FROM audit_logs a JOIN places p ON p.id = a.id ORDER BY p.place LOOP
        number := number + 1;
        covered := nexa.audit_digest(e);
        hashed := nexa.audit_link(hashed, number, e, covered);
        INSERT INTO audit_chain VALUES (chain, number, e.id, e.created_at, covered, hashed);
    END LOOP;
    UPDATE audit_heads SET sequence = number, hash = hashed WHERE chain_id = chain;
END $$
"""


@pytest.fixture
def ada(world: World) -> Actor:
    northwind = world.organization("Northwind")
    return world.actor(world.person("ada@northwind.example", northwind, role="owner"), northwind)


@pytest.fixture
def root(world: World) -> Actor:
    platform = world.organization("NEXA", is_platform=True)
    return world.actor(world.person("root@nexa.example", platform, role="owner"), platform)


def make_history(ada: Actor, length: int, *, name: str = "Northwind") -> None:
    for number in range(length):
        origin = Origin(ip_address="203.0.113.7", user_agent="tests")
        organizations.rename(replace(ada, origin=origin), name=f"{name} {number}")


@contextmanager
def tampering(database: TestDatabase) -> Iterator[psycopg.Connection]:
    """A superuser for whom no trigger runs; afterwards the log is as it was before."""
    with database.superuser() as connection:
        connection.execute("SET session_replication_role = replica")
        for table in LOG:
            connection.execute(f"CREATE TEMP TABLE kept_{table} AS TABLE {table}".encode())
        connection.execute(REWRITE.encode())
        yield connection
        for table in LOG:
            connection.execute(f"TRUNCATE {table}".encode())
            connection.execute(f"INSERT INTO {table} TABLE kept_{table}".encode())


def entries_of(connection: psycopg.Connection, chain: UUID | None) -> list[UUID]:
    """Entries of a chain that follow one another, without the first and the last ones."""
    rows = connection.execute(
        "SELECT audit_log_id FROM audit_chain WHERE chain_id = %s ORDER BY sequence", [chain]
    ).fetchall()
    return [row[0] for row in rows][3:-4]


def test_a_hundred_random_tamperings_are_found_online_or_by_the_outsider(
    database: TestDatabase, ada: Actor, tmp_path: Path
) -> None:
    make_history(ada, 12)
    audit.seal_heads(Actor.system())
    make_history(ada, 12, name="Later")
    kept = carry_away(ada, tmp_path)
    assert audit.verify(Actor.system()).verified, "a clean baseline"
    assert faults(kept) == [], "outside too"
    chance = random.Random(2026)
    found: Counter[str] = Counter()
    for number in range(100):
        kind = list(CHANGES)[number % len(CHANGES)]
        how = ("plain", "relinked", "relinked, seals removed")[number // len(CHANGES) % 3]
        with tampering(database) as connection:
            one, two = chance.sample(entries_of(connection, ada.organization_id), 2)
            changed = connection.execute(
                CHANGES[kind].encode(), {"one": one, "two": two, "organization": ada.organization_id}
            ).rowcount
            assert changed, f"{kind} changed nothing"
            if how != "plain":
                connection.execute("SELECT pg_temp.rewrite(%s)", [ada.organization_id])
            if how.endswith("removed"):
                connection.execute("DELETE FROM audit_seals")
            where = "online" if not audit.verify(Actor.system()).verified else None
            if where is None and faults(carry_away(ada, tmp_path), kept=[kept]):
                where = "outside"
            assert where, f"{number}: {kind}, {how}, was not found"
            if how == "plain":
                assert where == "online"
            found[where] += 1
    assert sum(found.values()) == 100
    assert found["online"] >= 34 and found["outside"] >= 18, found
    assert audit.verify(Actor.system()).verified, "and clean again"


@pytest.mark.parametrize("kind", TAMPERINGS)
def test_every_known_tampering_is_found_in_a_fresh_export_too(
    database: TestDatabase, ada: Actor, tmp_path: Path, kind: str
) -> None:
    """What an export can hold: an entry in no chain is not in it, and only the walk inside finds that one."""
    make_history(ada, 20)
    with tampering(database) as connection:
        one, two = entries_of(connection, ada.organization_id)[4:6]
        values = {"one": one, "two": two, "organization": ada.organization_id}
        assert connection.execute(TAMPERINGS[kind].encode(), values).rowcount
        assert not audit.verify(Actor.system()).verified
        if kind not in ("forged entry", "removed head"):
            assert faults(carry_away(ada, tmp_path))
    assert faults(carry_away(ada, tmp_path)) == []


def test_the_control_withheld_seals_and_exports_matter(database: TestDatabase, ada: Actor, tmp_path: Path) -> None:
    """A whole chain rewritten with its seals removed verifies: only what was carried away before says otherwise."""
    make_history(ada, 10)
    audit.seal_heads(Actor.system())
    kept = carry_away(ada, tmp_path)
    with tampering(database) as connection:
        one = entries_of(connection, ada.organization_id)[2]
        connection.execute(CHANGES["edit"].encode(), {"one": one})
        connection.execute("SELECT pg_temp.rewrite(%s)", [ada.organization_id])
        assert not audit.verify(Actor.system()).verified, "the seals that are still there contradict it"
        assert faults(carry_away(ada, tmp_path)), "outside too"
        connection.execute("DELETE FROM audit_seals")
        assert audit.verify(Actor.system()).verified, "the control: nothing inside knows any better"
        rewritten = carry_away(ada, tmp_path)
        assert faults(rewritten) == [], "the control: nor does the new export alone"
        assert "rewritten" in " ".join(faults(rewritten, kept=[kept]))


NOBODY = UUID(int=0)


def cut(connection: psycopg.Connection, chain: UUID | None, *also: str) -> None:
    """Take a whole chain away, and what else is known of it."""
    for table in ("audit_logs", "audit_chain", "audit_heads", *also):
        column = "coalesce(organization_id, nobody)" if table == "audit_logs" else "chain_id"
        query = f"DELETE FROM {table} USING (SELECT %s::uuid AS nobody) n WHERE {column} = %s"
        assert connection.execute(query.encode(), [NOBODY, chain]).rowcount


@pytest.mark.parametrize(
    "also", [(), ("audit_seals",), ("audit_verifications",), ("audit_seals", "audit_verifications")]
)
def test_a_chain_that_vanished_is_missed(
    database: TestDatabase, ada: Actor, root: Actor, tmp_path: Path, also: tuple[str, ...]
) -> None:
    make_history(ada, 5)
    audit.seal_heads(Actor.system())
    assert audit.verify(Actor.system()).verified
    kept = carry_away(root, tmp_path)
    with tampering(database) as connection:
        cut(connection, ada.organization_id, *also)
        assert not audit.verify_due(Actor.system()).verified, "within the hour"
        assert "the chain is gone" in [fault.what for fault in audit.verify(ada).faults]
        for who in (ada, root):
            totals, (worst, *others) = audit.chain_totals(who), audit.chain_states(who)
            assert totals.broken == 1 and totals.chains == 1 + len(others)
            assert (worst.chain_id, worst.entries, worst.verified) == (ada.organization_id, 0, False)
        everything = carry_away(root, tmp_path)
        assert any("is gone" in fault for fault in faults(everything)), "outside, without anything kept"
        assert faults(carry_away(ada, tmp_path), kept=[kept]), "her export is itself an entry, which begins it anew"
    assert audit.verify(Actor.system()).verified


@pytest.mark.parametrize("left", ["audit_seals", "audit_verifications", "audit_archives"])
def test_one_thing_that_is_known_of_a_chain_is_enough(database: TestDatabase, ada: Actor, left: str) -> None:
    """The chain of what belongs to no organization is missed by that alone."""
    audit.seal_heads(Actor.system())
    audit.verify(Actor.system())
    with tampering(database) as connection:
        connection.execute(
            "INSERT INTO audit_archives SELECT %s, 1, 1, sha256(''), '', '', now(), 's1', '', NULL", [NOBODY]
        )
        cut(connection, NOBODY, *({"audit_seals", "audit_verifications", "audit_archives"} - {left}))
        assert "the chain is gone" in [fault.what for fault in audit.verify(Actor.system()).faults]
        cut(connection, ada.organization_id, "audit_seals", "audit_verifications")
        connection.execute(f"DELETE FROM {left} WHERE chain_id = %s".encode(), [NOBODY])
        found = audit.verify(Actor.system()).faults
        assert [fault.chain_id for fault in found] == [ada.organization_id], "the control: it need not have one"
    assert audit.verify(Actor.system()).verified


def test_a_tail_cut_with_its_seals_is_remembered(database: TestDatabase, ada: Actor) -> None:
    make_history(ada, 8)
    length = audit.verify(ada).entries
    with tampering(database) as connection:
        values = {"organization": ada.organization_id}
        assert connection.execute(CHANGES["tail truncation"].encode(), values).rowcount == 3
        connection.execute("SELECT pg_temp.rewrite(%s)", [ada.organization_id])
        for _ in range(2):
            (fault,) = audit.verify(ada).faults
            assert (fault.what, fault.sequence) == ("the chain was longer before: its tail was cut", length)
        assert not audit.verify_due(Actor.system()).verified, "nor does the walk forget it"
        connection.execute("DELETE FROM audit_verifications")
        assert audit.verify(ada).verified, "the control: then nothing inside knows any better"


def test_nothing_rewritten_gets_a_seal(database: TestDatabase, ada: Actor) -> None:
    make_history(ada, 8)
    system = Actor.system()
    assert audit.seal_heads(system) > 0
    assert audit.seal_heads(system) == 0, "nothing has grown since"
    make_history(ada, 2)
    with tampering(database) as connection:
        one = entries_of(connection, ada.organization_id)[0]
        connection.execute(CHANGES["edit"].encode(), {"one": one})
        connection.execute("SELECT pg_temp.rewrite(%s)", [ada.organization_id])
        assert audit.seal_heads(system) == 0
    assert audit.seal_heads(system) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("UPDATE audit_seals SET signature = sha512('x')", "key of NEXA's"),
        ("UPDATE audit_seals SET kid = 'mine'", "key of NEXA's"),
        ("UPDATE audit_seals SET sealed_at = sealed_at - interval '1 year'", "key of NEXA's"),
        (
            "DELETE FROM audit_seals WHERE sequence = (SELECT min(sequence) FROM audit_seals WHERE chain_id = %s)",
            "missing",
        ),
        (
            "WITH links AS (DELETE FROM audit_chain WHERE chain_id = %s AND sequence <= 2 RETURNING *),"
            " entries AS (DELETE FROM audit_logs WHERE id IN (SELECT audit_log_id FROM links))"
            " INSERT INTO audit_archives SELECT chain_id, 1, 2, hash, '', '', now(), 's1', sha512('x'), now()"
            " FROM links WHERE sequence = 2",
            "stub",
        ),
    ],
)
def test_forged_seals_and_stubs_are_found(
    database: TestDatabase, ada: Actor, tmp_path: Path, change: str, says: str
) -> None:
    for _ in range(3):
        make_history(ada, 3)
        audit.seal_heads(Actor.system())
    with tampering(database) as connection:
        parameters = [ada.organization_id] if "%s" in change else []
        assert connection.execute(change.encode(), parameters).rowcount
        inside = audit.verify(Actor.system())
        assert any(says in fault.what for fault in inside.faults), inside.faults
        assert faults(carry_away(ada, tmp_path))
    assert audit.verify(Actor.system()).verified


def test_the_key_is_not_in_the_database_and_an_older_one_still_verifies(
    database: TestDatabase, ada: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_history(ada, 3)
    audit.seal_heads(Actor.system())
    old = settings().seal_key
    monkeypatch.setenv("NEXA_SEAL_KEY", f"s2:{secrets.token_urlsafe(32)},{old}")
    settings.cache_clear()
    make_history(ada, 3)
    audit.seal_heads(Actor.system())
    assert audit.verify(Actor.system()).verified
    path = carry_away(ada, tmp_path)
    assert faults(path) == []
    assert old and old.partition(":")[2] not in path.read_text()
    monkeypatch.setenv("NEXA_SEAL_KEY", f"s2:{secrets.token_urlsafe(32)}")
    settings.cache_clear()
    assert not audit.verify(Actor.system()).verified, "the control: other keys do not verify"
    assert faults(path)


def test_twenty_seeded_secrets_appear_nowhere(database: TestDatabase, world: World, tmp_path: Path) -> None:
    northwind = world.organization("Northwind")
    person = world.person("ada@northwind.example", northwind, role="owner")
    ada = world.actor(person, northwind)
    seeded = [f"canary-{secrets.token_hex(12)}" for _ in range(12)]
    with database.superuser() as connection:
        with connection.transaction():
            world.name_the_change(connection)
            connection.execute("UPDATE users SET password_hash = %s WHERE id = %s", [seeded[0], person])
        with connection.transaction():
            world.name_the_change(connection)
            connection.execute(
                "INSERT INTO user_sessions (user_id, organization_id, session_token, refresh_token, expires_at)"
                " VALUES (%s, %s, %s, %s, 'infinity')",
                [person, northwind, seeded[1], seeded[2]],
            )
            connection.execute("UPDATE organization_memberships SET invitation_token = %s", [seeded[3]])
            connection.execute(
                "INSERT INTO organization_domains (organization_id, domain, verification_token) VALUES (%s, %s, %s)",
                [northwind, "x.example", seeded[4]],
            )
            for number, column in enumerate(
                ("session_objects", "sow_objects", "loe_objects", "diagram_texts_json", "visual_assets_json")
            ):
                connection.execute(
                    f"INSERT INTO ai_architecture_sessions (user_id, organization_id, title, {column})"
                    " VALUES (%s, %s, 'Review', jsonb_build_object('text', %s::text))".encode(),
                    [person, northwind, seeded[5 + number]],
                )
            connection.execute(
                "INSERT INTO share_links (organization_id, session_id, revision, token, passcode_hash, created_by,"
                " expires_at) SELECT %s, min(id), 1, %s, %s, %s, 'infinity' FROM ai_architecture_sessions",
                [northwind, seeded[10], seeded[11], person],
            )
            connection.execute("UPDATE users SET password_hash = NULL WHERE id = %s", [person])
    eve = world.person("eve@northwind.example", northwind, role="admin")
    origin = Origin(ip_address="203.0.113.7", user_agent="tests")
    ticket = accounts.sign_in(origin, email="eve@northwind.example", password=PASSWORD).ticket
    cookie = accounts.open_browser_sign_in(origin, ticket=ticket).cookie
    pair = accounts.issue_tokens(origin, email="eve@northwind.example", password=PASSWORD)
    fresh = accounts.refresh_tokens(origin, refresh_token=pair.refresh_token).refresh_token
    new = "an entirely new phrase to remember"
    wrong = "a password that was mistyped here"
    with pytest.raises(Exception, match="password"):
        accounts.sign_in(origin, email="eve@northwind.example", password=wrong)
    accounts.change_password(world.actor(eve, northwind), current=PASSWORD, new=new)
    with db.entering(origin) as transaction:
        link = accounts.recovery.new_link(transaction, user_id=eve, organization_id=northwind).rpartition("=")[2]
    seeded += [ticket, cookie, pair.refresh_token, pair.access_token, fresh, PASSWORD, new, wrong, link]
    seeded += [(settings().seal_key or "").partition(":")[2]]
    assert len(seeded) >= 20
    audit.seal_heads(Actor.system())
    with database.superuser() as connection:
        row = connection.execute(
            "SELECT string_agg(audit_logs::text, ' ') || (SELECT string_agg(audit_seals::text, ' ') FROM audit_seals)"
            " FROM audit_logs"
        ).fetchone()
    assert row
    places = [row[0], carry_away(ada, tmp_path).read_text(), carry_away(ada, tmp_path, file_format="csv").read_text()]
    for place in places:
        assert [secret for secret in seeded if secret in place] == []
    with db.recording(ada, Action.ORGANIZATION_UPDATED) as transaction:
        audit.note(transaction, "organization", northwind, {"leak": seeded[0]})
    assert seeded[0] in carry_away(ada, tmp_path).read_text(), "the control: a leak would be seen"
