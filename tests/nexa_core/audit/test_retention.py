"""Entries leave only when they may, only after they were archived, and the chain verifies without them."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from structlog.testing import capture_logs

from nexa_core import audit, organizations
from nexa_core.actor import Actor, Origin
from nexa_core.audit import archive
from nexa_core.audit import export as export_module
from nexa_core.audit.seals import NO_ORGANIZATION
from nexa_core.config import settings
from nexa_core.errors import Forbidden, Invalid, NotFound, Unavailable
from tests.databases import TestDatabase
from tests.outsider import carry_away, faults, seal_key
from tests.worlds import World

pytestmark = pytest.mark.usefixtures("seal_key")
__all__ = ["seal_key"]

SYSTEM = Actor.system()


@pytest.fixture(autouse=True)
def archives(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("NEXA_AUDIT_ARCHIVE", str(tmp_path / "archive"))
    settings.cache_clear()
    return tmp_path / "archive"


Age = Callable[[UUID | None, int], None]


@pytest.fixture
def age(database: TestDatabase) -> Age:
    """``age(chain, months)``: every entry of a chain that is not old was made that long ago, in a month of its own
    partition."""

    def make_old(chain: UUID | None, months: int) -> None:
        with database.superuser() as connection, connection.transaction():
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute(
                "SELECT nexa.make_month('audit_logs', (now() - make_interval(months => %s))::date)", [months]
            )
            connection.execute(
                "UPDATE audit_logs SET created_at = created_at - make_interval(months => %s)"
                " WHERE organization_id IS NOT DISTINCT FROM %s AND created_at > now() - interval '1 year'",
                [months, chain],
            )
            connection.execute(
                """DO $$ DECLARE e record; chain uuid := '%s'; hashed bytea; BEGIN
                SELECT last_hash INTO hashed FROM audit_archives WHERE chain_id = chain
                    ORDER BY last_sequence DESC LIMIT 1;
                hashed := coalesce(hashed, sha256('nexa audit chain'::bytea));
                FOR e IN SELECT c.sequence, a FROM audit_chain c JOIN audit_logs a ON a.id = c.audit_log_id
                         WHERE c.chain_id = chain ORDER BY c.sequence LOOP
                    hashed := nexa.audit_link(hashed, e.sequence, e.a, nexa.audit_digest(e.a));
                    UPDATE audit_chain SET hash = hashed, logged_at = (e.a).created_at
                        WHERE chain_id = chain AND sequence = e.sequence;
                END LOOP;
                UPDATE audit_heads SET hash = hashed WHERE chain_id = chain; END $$""".replace(
                    "%s", str(chain or NO_ORGANIZATION)
                ).encode()
            )

    return make_old


def rename(ada: Actor, times: int) -> None:
    for number in range(times):
        organizations.rename(replace(ada, origin=Origin()), name=f"Northwind {number}")


def months_of(database: TestDatabase) -> int:
    with database.superuser() as connection:
        row = connection.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = 'audit_logs'::regclass").fetchone()
    assert row
    return int(row[0])


def test_nothing_leaves_unless_it_was_agreed(ada: Actor, age: Age) -> None:
    rename(ada, 5)
    age(ada.organization_id, 130)
    assert audit.expire_old_entries(SYSTEM) == 0
    assert len(audit.recent(ada)) == 8


def test_old_entries_leave_after_they_were_archived_and_the_chain_verifies(
    database: TestDatabase, ada: Actor, root: Actor, age: Age, archives: Path, tmp_path: Path
) -> None:
    rename(ada, 6)
    age(ada.organization_id, 30)
    old_months = months_of(database)
    audit.seal_heads(SYSTEM)
    rename(ada, 3)
    (tmp_path / "exports").mkdir()
    kept = carry_away(ada, tmp_path / "exports")
    audit.set_retention(root, organization_id=ada.organization_id, keep_months=24, reason="as agreed")  # type: ignore[arg-type]
    before = len(audit.recent(ada, limit=100))
    gone = audit.expire_old_entries(SYSTEM)
    assert gone >= 6
    assert audit.expire_old_entries(SYSTEM) == 0, "once is enough"
    left = audit.recent(ada, limit=100)
    assert len(left) == before - gone + 1
    assert left[0].sentence == "Old entries of Northwind 2 left the audit log after they were archived"
    assert left[0].new_values == {"entries": gone, "upto": gone, "keep_months": 24}
    assert audit.verify(SYSTEM).verified
    fresh = carry_away(ada, tmp_path / "exports")
    assert faults(fresh, kept=[kept]) == [], "the outsider follows the stub"
    (written,) = archives.rglob("*.ndjson.gz")
    assert written.stat().st_mode & 0o777 == 0o600
    unpacked = tmp_path / "exports" / "archive.ndjson"
    unpacked.write_bytes(gzip.decompress(written.read_bytes()))
    assert faults(written) == [] and faults(unpacked) == []
    assert months_of(database) == old_months - 1, "the empty month is dropped"
    audit.seal_heads(SYSTEM)
    rename(ada, 2)
    audit.seal_heads(SYSTEM)
    assert audit.verify(SYSTEM).verified
    view = audit.retention(ada)
    assert view.keep_months == 24 and view.kept_from == min(entry.at for entry in audit.recent(ada, limit=100))


def test_a_month_that_somebody_keeps_is_not_dropped(
    database: TestDatabase, world: World, ada: Actor, root: Actor, age: Age
) -> None:
    contoso = world.organization("Contoso")
    world.person("eve@contoso.example", contoso, role="owner")
    for chain in (contoso, ada.organization_id):
        age(chain, 30)
    months = months_of(database)
    audit.set_retention(root, organization_id=ada.organization_id, keep_months=24, reason="as agreed")  # type: ignore[arg-type]
    assert audit.expire_old_entries(SYSTEM) > 0
    assert months_of(database) == months
    assert audit.verify(SYSTEM).verified


def test_a_legal_hold_keeps_everything_and_ends_when_it_is_lifted(ada: Actor, root: Actor, age: Age) -> None:
    rename(ada, 3)
    age(ada.organization_id, 30)
    of_northwind = {"organization_id": ada.organization_id}
    audit.set_retention(root, keep_months=24, reason="as agreed", **of_northwind)  # type: ignore[arg-type]
    assert audit.hold(root, reason="a dispute", **of_northwind).legal_hold  # type: ignore[arg-type]
    assert audit.expire_old_entries(SYSTEM) == 0
    assert audit.retentions(root)[0].legal_hold
    audit.release(root, reason="settled", **of_northwind)  # type: ignore[arg-type]
    assert audit.expire_old_entries(SYSTEM) > 0
    assert [entry.reason for entry in audit.recent(ada, limit=4)][1:] == ["settled", "a dispute", "as agreed"]


def test_the_database_itself_refuses_to_let_go(database: TestDatabase, ada: Actor, root: Actor, age: Age) -> None:
    """Whoever calls the function: without an agreement, under a hold, too young, or not archived, nothing goes."""
    rename(ada, 4)
    age(ada.organization_id, 30)
    rename(ada, 2)

    def attempt(upto: int) -> None:
        with database.app(autocommit=True) as connection, connection.transaction():
            connection.execute("SET LOCAL ROLE nexa_staff")
            connection.execute("SELECT nexa.audit_expire(%s, %s)", [ada.organization_id, upto])

    refused = pytest.raises(psycopg.errors.CheckViolation)
    with refused:
        attempt(4)
    audit.set_retention(root, organization_id=ada.organization_id, keep_months=24, reason="as agreed")  # type: ignore[arg-type]
    with refused:
        attempt(4)  # not archived
    assert ada.organization_id
    archive.make(SYSTEM, chain_id=ada.organization_id, upto=8)
    with refused:
        attempt(8)  # too young
    archive.make(SYSTEM, chain_id=ada.organization_id, upto=5)
    with refused:
        attempt(4)  # another stretch than was archived
    audit.hold(root, organization_id=ada.organization_id, reason="a dispute")
    with refused:
        attempt(5)
    audit.release(root, organization_id=ada.organization_id, reason="settled")
    attempt(5)
    assert audit.verify(SYSTEM).verified
    with database.app(autocommit=True) as connection, connection.transaction():
        connection.execute("SET LOCAL ROLE nexa_tenant")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT nexa.audit_expire(%s, 6)", [ada.organization_id])


def test_an_archive_that_cannot_be_written_or_was_changed_lets_nothing_go(
    ada: Actor, root: Actor, age: Age, archives: Path
) -> None:
    rename(ada, 4)
    age(ada.organization_id, 30)
    audit.set_retention(root, organization_id=ada.organization_id, keep_months=24, reason="as agreed")  # type: ignore[arg-type]
    archives.write_text("a file stands where the folder should be")
    with pytest.raises(Unavailable, match="cannot be written"):
        audit.expire_old_entries(SYSTEM)
    archives.unlink()
    running = audit.export_entries(ada, file_format="csv")
    next(running)
    assert audit.expire_old_entries(SYSTEM) == 0, "nothing expires under an export"
    running.close()
    (written,) = archives.rglob("*.gz")
    written.write_bytes(b"something else")
    with pytest.raises(Unavailable, match="not the one"):
        audit.expire_old_entries(SYSTEM)
    assert audit.verify(SYSTEM).verified
    assert export_module._slots.taken == 0


def test_without_a_key_nothing_expires(
    ada: Actor, root: Actor, age: Age, monkeypatch: pytest.MonkeyPatch, archives: Path
) -> None:
    rename(ada, 4)
    age(ada.organization_id, 30)
    audit.set_retention(root, organization_id=ada.organization_id, keep_months=24, reason="as agreed")  # type: ignore[arg-type]
    monkeypatch.delenv("NEXA_SEAL_KEY")
    monkeypatch.setenv("NEXA_DEMO", "0")
    settings.cache_clear()
    assert audit.expire_old_entries(SYSTEM) == 0
    assert audit.seal_heads(SYSTEM) == 0
    assert not archives.exists()


def test_only_the_platforms_admins_decide_how_long_it_is_kept(world: World, ada: Actor, root: Actor) -> None:
    assert ada.organization_id and root.user_id
    for change in (
        lambda: audit.set_retention(ada, organization_id=ada.organization_id, keep_months=12, reason="hide it"),
        lambda: audit.hold(ada, organization_id=ada.organization_id, reason="x"),
        lambda: audit.release(ada, organization_id=ada.organization_id, reason="x"),
    ):
        with pytest.raises(Forbidden):
            change()
    with pytest.raises(Invalid):
        audit.set_retention(root, organization_id=ada.organization_id, keep_months=24, reason=" ")
    with pytest.raises(Invalid):
        audit.set_retention(root, organization_id=ada.organization_id, keep_months=3, reason="x")
    with pytest.raises(NotFound):
        audit.set_retention(root, organization_id=root.user_id, keep_months=24, reason="x")
    with pytest.raises(NotFound):
        audit.retention(ada, organization_id=root.organization_id)


def entry_at(database: TestDatabase, chain: UUID | None, sequence: int, change: str) -> None:
    """Do something to the entry of a link as a superuser for whom no trigger runs."""
    with database.superuser() as connection:
        connection.execute("SET session_replication_role = replica")
        entry = "(SELECT audit_log_id FROM audit_chain WHERE chain_id = %s AND sequence = %s)"
        assert connection.execute(f"{change} WHERE id = {entry}".encode(), [chain, sequence]).rowcount == 1


@pytest.mark.parametrize("change", ["UPDATE audit_logs SET reason = 'forged'", "DELETE FROM audit_logs"])
def test_a_chain_that_does_not_verify_keeps_its_entries(
    database: TestDatabase, ada: Actor, root: Actor, age: Age, archives: Path, change: str
) -> None:
    rename(ada, 4)
    age(ada.organization_id, 30)
    audit.set_retention(root, organization_id=ada.organization_id, keep_months=24, reason="as agreed")  # type: ignore[arg-type]
    entry_at(database, ada.organization_id, 3, change)
    wrong = audit.verify(SYSTEM).faults
    assert [fault.sequence for fault in wrong] == [3]
    with capture_logs() as said:
        assert audit.expire_old_entries(SYSTEM) == 0
    assert [(line["event"], line["log_level"]) for line in said] == [("chain_not_expired", "error")]
    assert not archives.exists(), "and no archive of it is signed"
    assert audit.verify(SYSTEM).faults == wrong, "the night shift did not tidy it away"


def test_what_is_changed_while_it_is_archived_stays_too(
    database: TestDatabase, ada: Actor, root: Actor, age: Age, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename(ada, 4)
    age(ada.organization_id, 30)
    audit.set_retention(root, organization_id=ada.organization_id, keep_months=24, reason="as agreed")  # type: ignore[arg-type]
    make = archive.make

    def forge_meanwhile(actor: Actor, **stretch: Any) -> None:
        make(actor, **stretch)
        entry_at(database, ada.organization_id, 3, "UPDATE audit_logs SET reason = 'forged'")

    monkeypatch.setattr(archive, "make", forge_meanwhile)
    assert audit.expire_old_entries(SYSTEM) == 0
    assert [fault.sequence for fault in audit.verify(SYSTEM).faults] == [3]


@pytest.mark.parametrize("agreed", ["held", "longer", "for ever"])
def test_what_was_agreed_is_not_undone_in_the_table(
    database: TestDatabase, ada: Actor, root: Actor, age: Age, archives: Path, agreed: str
) -> None:
    """A superuser shortens the retention or lifts the hold behind the log, for NEXA itself to sign the removal."""
    assert ada.organization_id
    rename(ada, 4)
    if agreed != "for ever":
        audit.set_retention(root, organization_id=ada.organization_id, keep_months=36, reason="as agreed")
    if agreed == "held":
        audit.hold(root, organization_id=ada.organization_id, reason="a dispute")
    age(ada.organization_id, 30)
    rename(ada, 1)
    with database.superuser() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "INSERT INTO audit_retentions (organization_id, keep_months) VALUES (%s, 12)"
            " ON CONFLICT (organization_id) DO UPDATE SET keep_months = 12, legal_hold = false",
            [ada.organization_id],
        )
    assert audit.expire_old_entries(SYSTEM) == 0
    assert not archives.exists()
    (fault,) = audit.verify(SYSTEM).faults
    assert (fault.chain_id, fault.what) == (
        ada.organization_id,
        "the retention or legal hold is another than the log says",
    )
    audit.release(root, organization_id=ada.organization_id, reason="settled")
    audit.set_retention(root, organization_id=ada.organization_id, keep_months=24, reason="as agreed now")
    if agreed != "held":  # the release changed nothing, so the log holds none; what it says of the months is the row's
        assert audit.verify(SYSTEM).verified
        assert audit.expire_old_entries(SYSTEM) > 0


def test_what_was_agreed_outlives_its_own_entry(database: TestDatabase, ada: Actor, root: Actor, age: Age) -> None:
    assert ada.organization_id
    audit.hold(root, organization_id=ada.organization_id, reason="a dispute")
    audit.release(root, organization_id=ada.organization_id, reason="settled")
    audit.set_retention(root, organization_id=ada.organization_id, keep_months=24, reason="as agreed")
    age(ada.organization_id, 30)
    rename(ada, 1)
    assert audit.expire_old_entries(SYSTEM) > 3
    assert audit.verify(SYSTEM).verified, "the entry of the expiry says it"
    audit.set_retention(root, organization_id=ada.organization_id, keep_months=36, reason="longer")
    assert audit.verify(SYSTEM).verified
    audit.set_retention(root, organization_id=ada.organization_id, keep_months=None, reason="for ever")
    assert audit.verify(SYSTEM).verified
    with database.superuser() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM audit_retentions")
    assert audit.verify(SYSTEM).verified, "no row is for ever, as was agreed"


def test_a_hold_lifted_behind_the_log_keeps_what_belongs_to_no_organization(
    database: TestDatabase, ada: Actor, root: Actor, age: Age, archives: Path
) -> None:
    assert ada.organization_id and root.organization_id
    audit.set_retention(root, organization_id=root.organization_id, keep_months=24, reason="as agreed")
    audit.hold(root, organization_id=ada.organization_id, reason="a dispute")
    age(None, 30)
    with database.superuser() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE audit_retentions SET legal_hold = false")
    with capture_logs() as said:
        assert audit.expire_old_entries(SYSTEM) == 0
    assert {(line["event"], line["where"]) for line in said} == {("chain_not_expired", str(ada.organization_id))}
    assert not archives.exists()
    with database.superuser() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM audit_retentions WHERE organization_id = %s", [ada.organization_id])
    assert audit.expire_old_entries(SYSTEM) == 0
    audit.hold(root, organization_id=ada.organization_id, reason="still a dispute")
    audit.release(root, organization_id=ada.organization_id, reason="settled")
    assert audit.expire_old_entries(SYSTEM) > 0
    assert audit.verify(SYSTEM).verified
