"""What was kept of entries that expired is looked for in their archive, or the outsider is told that it was not."""

from __future__ import annotations

from pathlib import Path

import pytest

from nexa_core import accounts, audit, db, organizations
from nexa_core.actor import Actor
from nexa_core.audit.export import File
from tests.databases import TestDatabase
from tests.nexa_core.audit.test_retention import SYSTEM, Age, age, archives, entry_at, rename
from tests.outsider import carry_away, said, seal_key
from tests.worlds import World

pytestmark = pytest.mark.usefixtures("seal_key")
__all__ = ["age", "archives", "seal_key"]


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    (tmp_path / "exports").mkdir()
    return tmp_path / "exports"


def kept_then(ada: Actor, into: Path) -> Path:
    """An export as it was made when everything in it was new: that it was made is not an entry here."""
    assert ada.organization_id
    path = into / "kept.ndjson"
    only = audit.ExportFilter(organization_id=ada.organization_id)
    with db.reading(SYSTEM) as transaction:
        path.write_bytes(b"".join(File(transaction, "ndjson").write([ada.organization_id], only)))
    return path


def expire(ada: Actor, root: Actor, age: Age) -> None:
    """Everything there is so far leaves."""
    assert ada.organization_id
    age(ada.organization_id, 30)
    audit.set_retention(root, organization_id=ada.organization_id, keep_months=24, reason="as agreed")
    assert audit.expire_old_entries(SYSTEM) > 0


def options(name: str, paths: list[Path]) -> list[str]:
    return [f"--{name}={path}" for path in paths]


def test_what_was_kept_of_expired_entries_is_found_in_their_archives(
    ada: Actor, root: Actor, age: Age, archives: Path, exports: Path
) -> None:
    rename(ada, 3)
    age(ada.organization_id, 30)
    kept = kept_then(ada, exports)
    for _ in range(2):
        rename(ada, 2)
        expire(ada, root, age)
    first, second = sorted(archives.rglob("*.gz"), key=lambda path: int(path.name.partition("-")[0]))
    fresh = carry_away(ada, exports)
    assert said(fresh)[0] == 0
    for given in ([], [second]):
        code, words = said(fresh, "--kept", kept, *options("archive", given))
        assert code == 3 and "1 links you kept lie in entries that expired" in words and "It verifies" not in words
    code, words = said(fresh, "--kept", kept, *options("archive", [first, second]))
    assert (code, "It verifies." in words) == (0, True), words
    code, words = said(fresh, "--kept", kept, "--archive", kept)
    assert code == 1 and "is not one that this export names" in words
    filtered = carry_away(ada, exports, only=audit.ExportFilter(action="audit.exported"))
    code, words = said(filtered, "--kept", kept)
    assert code == 3 and "not in this filtered export" in words


def test_a_rewriting_does_not_expire_unseen(
    database: TestDatabase, ada: Actor, root: Actor, age: Age, archives: Path, exports: Path
) -> None:
    rename(ada, 3)
    age(ada.organization_id, 30)
    kept = kept_then(ada, exports)
    entry_at(database, ada.organization_id, 3, "UPDATE audit_logs SET reason = 'forged'")
    with database.superuser() as connection:
        connection.execute(
            "UPDATE audit_chain c SET digest = nexa.audit_digest(a) FROM audit_logs a WHERE a.id = c.audit_log_id"
        )
    rename(ada, 2)
    expire(ada, root, age)  # which links everything anew: nothing inside knows better
    fresh = carry_away(ada, exports)
    assert said(fresh)[0] == 0, "the control: nor does the new export alone"
    assert said(fresh, "--kept", kept)[0] == 3
    (archive,) = archives.rglob("*.gz")
    code, words = said(fresh, "--kept", kept, "--archive", archive)
    assert code == 1 and "this link was another in an export you kept" in words


def test_an_archive_may_hold_what_was_erased_later(
    world: World, ada: Actor, root: Actor, age: Age, archives: Path, exports: Path
) -> None:
    assert ada.organization_id
    ben = world.person("ben.fen@northwind.example", ada.organization_id, role="admin")
    organizations.rename(world.actor(ben, ada.organization_id), name="Northwind again")
    age(ada.organization_id, 30)
    accounts.erase_person(root, user_id=ben, email="ben.fen@northwind.example", reason="they asked")
    audit.set_retention(root, organization_id=ada.organization_id, keep_months=24, reason="as agreed")
    assert audit.expire_old_entries(SYSTEM) > 0
    (archive,) = archives.rglob("*.gz")
    fresh = carry_away(ada, exports)
    code, words = said(fresh, "--archive", archive)
    assert code == 0 and "erased" in words, words
