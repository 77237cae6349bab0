"""What making and revoking API keys leaves in the audit log; never the key, nor its digest."""

from __future__ import annotations

from uuid import UUID

from nexa_core import accounts, organizations
from tests.promises.audited_rows import ORIGIN, Case, Stage


def _made(stage: Stage) -> UUID:
    return organizations.create_api_key(stage.ada, organization_id=stage.northwind, name="Exporter").key.id


def _secret(stage: Stage) -> str:
    return organizations.create_api_key(stage.ada, organization_id=stage.northwind, name="Exporter").secret


CASES: dict[str, Case] = {
    # When a key was last used is bookkeeping, and no entry.
    "accounts.actor_of_api_key": Case(lambda s, key: accounts.actor_of_api_key(ORIGIN, key=key), (), _secret),
    "organizations.api_keys": Case(lambda s, _: organizations.api_keys(s.ada, organization_id=s.northwind)),
    "organizations.create_api_key": Case(lambda s, _: _made(s), (("api_key.created", "api_key"),)),
    "organizations.revoke_api_key": Case(
        lambda s, key: organizations.revoke_api_key(s.ada, organization_id=s.northwind, key_id=key),
        (("api_key.revoked", "api_key"),),
        _made,
    ),
}
STATEMENTS: dict[str, list[tuple[str, str]]] = {
    "api_keys": [
        (
            "nexa_tenant",
            "INSERT INTO api_keys (organization_id, name, prefix, key_hash) VALUES (%(org)s, 'x', 'nexa_', 'y')",
        ),
        ("nexa_tenant", "UPDATE api_keys SET revoked_at = now()"),
    ],
}
BEFORE: dict[str, str] = {
    "api_keys": "INSERT INTO api_keys (organization_id, name, prefix, key_hash) VALUES (%(org)s, 'a', 'nexa_', 'b')"
}
