"""API keys: shown once, kept as a digest, allowed only what their maker may, revoked at once."""

from __future__ import annotations

import hashlib
from typing import Any

import psycopg
import pytest

from nexa_core import accounts, organizations
from nexa_core.actor import Origin
from nexa_core.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from nexa_core.permissions import Permission


@pytest.fixture
def people(world: Any) -> dict[str, Any]:
    platform = world.organization("NEXA", is_platform=True)
    northwind, contoso = world.organization("Northwind"), world.organization("Contoso")
    found = {
        "root": (world.person("root@nexa.example", platform, role="owner"), platform),
        "manager": (world.person("manager@nexa.example", platform, role="member"), platform),
        "ada": (world.person("ada@northwind.example", northwind, role="owner"), northwind),
        "amy": (world.person("amy@northwind.example", northwind, role="admin"), northwind),
        "ben": (world.person("ben@northwind.example", northwind, role="member"), northwind),
        "eve": (world.person("eve@contoso.example", contoso, role="owner"), contoso),
    }
    return {name: world.actor(*who) for name, who in found.items()} | {"id": northwind, "platform": platform}


def test_a_key_is_shown_once_and_kept_as_a_digest(world: Any, people: dict[str, Any]) -> None:
    made = organizations.create_api_key(people["ada"], organization_id=people["id"], name=" Exporter ")
    assert made.secret.startswith("nexa_") and len(made.secret) == 48
    assert made.secret not in repr(made) and made.secret[20:] not in repr(
        organizations.api_keys(people["ada"], organization_id=people["id"])
    )
    with world.database.superuser() as connection:
        row = connection.execute("SELECT name, prefix, key_hash FROM api_keys").fetchone()
        log = connection.execute("SELECT new_values::text FROM audit_logs WHERE action = 'api_key.created'").fetchall()
    assert row == ("Exporter", made.secret[:11], hashlib.sha256(made.secret.encode()).hexdigest())
    assert len(log) == 1 and row[2] not in log[0][0] and made.secret not in log[0][0]


def test_a_key_stands_for_its_organization_with_its_permissions_and_for_nobody_in_person(
    people: dict[str, Any],
) -> None:
    made = organizations.create_api_key(
        people["ada"], organization_id=people["id"], name="Exporter", permissions=["usage.record", "sessions.read"]
    )
    actor = accounts.actor_of_api_key(Origin(), key=made.secret)
    assert (actor.user_id, actor.organization_id, actor.scope.value) == (None, people["id"], "tenant")
    assert actor.permissions == {Permission.USAGE_RECORD, Permission.SESSIONS_READ}
    assert actor.may(Permission.USAGE_RECORD) and not actor.may(Permission.USAGE_READ)
    with pytest.raises(Forbidden):
        organizations.create_api_key(actor, organization_id=people["id"], name="Child")


def test_last_used_is_seen_and_a_revoked_key_opens_nothing(people: dict[str, Any]) -> None:
    ada = people["ada"]
    made = organizations.create_api_key(ada, organization_id=people["id"], name="Exporter")
    assert organizations.api_keys(ada, organization_id=people["id"])[0].last_used_at is None
    accounts.actor_of_api_key(Origin(), key=made.secret)
    used = organizations.api_keys(ada, organization_id=people["id"])[0].last_used_at
    accounts.actor_of_api_key(Origin(), key=made.secret)
    assert used and organizations.api_keys(ada, organization_id=people["id"])[0].last_used_at == used
    for _ in range(2):
        assert organizations.revoke_api_key(ada, organization_id=people["id"], key_id=made.key.id).revoked_at
    with pytest.raises(Unauthenticated):
        accounts.actor_of_api_key(Origin(), key=made.secret)


def test_who_may_not_manage_makes_no_key_and_a_stranger_finds_nothing(people: dict[str, Any]) -> None:
    made = organizations.create_api_key(people["root"], organization_id=people["id"], name="By the platform")
    for name in ("ben", "manager"):
        with pytest.raises(Forbidden):
            organizations.create_api_key(people[name], organization_id=people["id"], name="x")
        with pytest.raises(Forbidden):
            organizations.revoke_api_key(people[name], organization_id=people["id"], key_id=made.key.id)
    for call in (
        lambda: organizations.create_api_key(people["eve"], organization_id=people["id"], name="x"),
        lambda: organizations.api_keys(people["eve"], organization_id=people["id"]),
        lambda: organizations.revoke_api_key(
            people["eve"], organization_id=people["eve"].organization_id, key_id=made.key.id
        ),
    ):
        with pytest.raises(NotFound):
            call()


def test_a_key_gets_no_more_than_its_maker_has_and_nothing_that_changes_people(people: dict[str, Any]) -> None:
    def create(who: str, *permissions: str) -> Any:
        return organizations.create_api_key(
            people[who], organization_id=people["id"], name="x", permissions=permissions
        )

    with pytest.raises(Forbidden, match="may not do yourself"):
        create("amy", "usage.record", "billing.read")
    for wrong in ("members.manage", "organizations.browse", "everything"):
        with pytest.raises(Invalid):
            create("ada", wrong)
    with pytest.raises(Invalid):
        create("ada")
    with pytest.raises(Invalid):
        organizations.create_api_key(people["ada"], organization_id=people["id"], name="  ")
    with pytest.raises(Conflict, match="every customer"):
        organizations.create_api_key(people["root"], organization_id=people["platform"], name="x")


def test_only_the_entry_door_reads_the_digest(world: Any, people: dict[str, Any]) -> None:
    organizations.create_api_key(people["ada"], organization_id=people["id"], name="Exporter")
    with world.database.app() as connection:
        for role, allowed in (
            ("nexa_tenant", False),
            ("nexa_staff", False),
            ("nexa_presenter", False),
            ("nexa_entry", True),
        ):
            with connection.transaction(force_rollback=True):
                connection.execute(f"SET LOCAL ROLE {role}")
                if allowed:
                    assert connection.execute("SELECT count(key_hash) FROM api_keys").fetchone() == (1,)
                else:
                    with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                        connection.execute("SELECT key_hash FROM api_keys")
