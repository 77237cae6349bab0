"""What a person is told of what is kept about them: everything, and no secret."""

from __future__ import annotations

import io
import json
import re
import zipfile
from uuid import UUID

import pytest

from nexa_core import accounts
from nexa_core.actor import Actor
from nexa_core.errors import Invalid
from tests.databases import TestDatabase
from tests.promises.erasing.person import ADDRESS, CANARIES, EMAIL, NAME, everywhere

pytestmark = pytest.mark.promise


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
    assert missing == {
        "session_search", "usage_idempotency_keys",  # what sessions and events say, once more
        "organization_logos", "session_images",  # pictures are the organization's, whoever they name
    }  # fmt: skip
    mail = json.loads(archive.read("outbox_messages.json"))
    assert [one["recipient"] for one in mail] == [EMAIL] and not {"body", "link"} & mail[0].keys()
    assert link and link.partition("token=")[2] not in archive.read("outbox_messages.json").decode()
    assert [one["domain"] for one in json.loads(archive.read("domain_sign_ups.json"))] == ["northwind.example"]
