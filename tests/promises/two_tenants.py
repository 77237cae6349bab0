"""Two customers, one of them a demo, with one row each in every table that holds an organization's data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

import psycopg
from psycopg import sql

from tests.worlds import World

#: Every mapped or unmapped table with an organization's data, asked of the catalogue: new ones join by themselves.
#: A chain of the audit log has the identifier of its organization.
TENANT_TABLES = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND (c.relname IN ('users', 'organizations') OR EXISTS (
          SELECT FROM pg_attribute a WHERE a.attrelid = c.oid
          AND a.attname IN ('organization_id', 'chain_id') AND NOT a.attisdropped))
    ORDER BY 1
"""
#: The column that says whose a row is.
KEY = {
    "users": "id",
    "organizations": "id",
    "audit_heads": "chain_id",
    "audit_chain": "chain_id",
    "audit_seals": "chain_id",
    "audit_verifications": "chain_id",
    "audit_archives": "chain_id",
}


@dataclass(frozen=True)
class Tenant:
    """One customer: its id, its only person, and a session of theirs."""

    organization: UUID
    person: UUID
    session_id: int

    def key(self, table: str) -> UUID:
        return self.person if table == "users" else self.organization


def tables(connection: psycopg.Connection) -> list[str]:
    return [name for (name,) in connection.execute(TENANT_TABLES).fetchall()]


def make_tenant(world: World, name: str, *, is_demo: bool = False) -> Tenant:
    """A customer with exactly one row in every tenant table (but for the audit log, which has what that made)."""
    organization = world.organization(name, is_demo=is_demo)
    person = world.person(f"ada@{name.lower()}.example", organization, role="owner")
    world.session(organization, person, f"{name} review")
    world.sign_in(person, organization)
    with world.database.superuser() as connection, connection.transaction():
        world.name_the_change(connection)
        row = connection.execute(
            "SELECT id FROM ai_architecture_sessions WHERE organization_id = %s", [organization]
        ).fetchone()
        assert row is not None
        tenant = Tenant(organization, person, row[0])
        for table, values in _rows(tenant).items():
            insert(connection, table, values)
    return tenant


def insert(connection: psycopg.Connection, table: str, row: Mapping[str, object]) -> None:
    """One row, by its columns."""
    connection.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(sql.Placeholder() * len(row)),
        ),
        list(row.values()),
    )


def another_row(tenant: Tenant, table: str) -> dict[str, object]:
    """A row of a tenant's that could be one more: whole, or its key alone for what only the database writes."""
    mine = {"organization_id": tenant.organization, "user_id": tenant.person}
    made: dict[str, dict[str, object]] = {
        "users": {"id": uuid4(), "email": "more@more.example", "status": "active"},
        "organizations": {"id": uuid4(), "name": "More", "slug": "more"},
        "organization_memberships": {**mine, "role": "member"},
        "user_sessions": {**mine, "session_token": uuid4().hex, "expires_at": "infinity"},
        "ai_architecture_sessions": {**mine, "uuid": uuid4(), "title": "More"},
    }
    return _rows(tenant).get(table) or made.get(table) or {KEY.get(table, "organization_id"): tenant.key(table)}


def _rows(tenant: Tenant) -> dict[str, dict[str, object]]:
    mine = {"organization_id": tenant.organization}
    chain, signed = {"chain_id": tenant.organization}, {"kid": "s1", "signature": b""}
    of_session = {**mine, "session_id": tenant.session_id}
    with_session = {**of_session, "revision": 1}
    link, digest = uuid4(), hashlib.sha256(tenant.organization.bytes).hexdigest()
    return {
        "organization_domains": {**mine, "domain": f"{tenant.organization}.example"},
        "one_time_tokens": {
            **mine,
            "token": uuid4().hex,
            "purpose": "sign_in",
            "user_id": tenant.person,
            "expires_at": "infinity",
        },
        "session_revisions": {**with_session, "user_id": tenant.person, "documents": "{}"},
        "share_links": {
            **with_session,
            "id": link,
            "token": uuid4().hex,
            "created_by": tenant.person,
            "expires_at": "infinity",
        },
        "share_responses": {
            **mine,
            "share_link_id": link,
            "kind": "comment",
            "page": "sow",
            "part": "",
            "title": "Scope",
            "content_digest": "",
            "name": "Cleo",
            "email": "cleo@client.example",
        },
        "session_images": {**mine, "digest": digest, "media_type": "image/png", "content": tenant.organization.bytes},
        "session_drawings": {**mine, "digest": digest, "svg": "<svg/>"},
        "session_saves": {**of_session, "version": 1, "user_id": tenant.person, "back": "[]"},
        "session_presence": {**of_session, "user_id": tenant.person},
        "session_marks": {**of_session, "user_id": tenant.person},
        "session_views": {**mine, "user_id": tenant.person, "name": "Mine"},
        "usage_events": {**mine, "event_type": "ai_call", "idempotency_key": uuid4().hex, "credits_consumed": 3},
        "usage_idempotency_keys": {
            **mine,
            "source": "nexa",
            "idempotency_key": uuid4().hex,
            "content_hash": b"",
            "event_id": uuid4(),
        },
        "usage_counters": {**mine, "period_start": "2026-01-01", "metric": "credits", "used": 3},
        "usage_by_day": {**mine, "day": "2026-01-01", "event_type": "ai_call", "events": 1, "credits": 3},
        "usage_by_month": {**mine, "month": "2026-01-01", "events": 1, "credits": 3},
        "former_time_zones": {**mine, "until_month": "2026-01-01", "time_zone": "UTC"},
        "credit_notes": {
            **mine,
            "period_start": "2026-01-01",
            "amount_minor": 1,
            "currency": "EUR",
            "reason": "an outage",
        },
        "organization_logos": {
            **mine,
            "digest": hashlib.sha256(tenant.organization.bytes).hexdigest(),
            "media_type": "image/png",
            "content": tenant.organization.bytes,
        },
        "domain_sign_ups": {
            **mine,
            "token": uuid4().hex,
            "domain": "a.example",
            "email": "a@a.example",
            "expires_at": "infinity",
        },
        "former_members": {**mine, "user_id": tenant.person},
        "viewings": {
            **mine,
            "user_session_id": uuid4(),
            "user_id": tenant.person,
            "viewed_user_id": tenant.person,
            "reason": "to see",
            "expires_at": "now",
        },
        "audit_views": {**mine, "user_id": tenant.person, "name": "Mine"},
        "audit_retentions": {**mine, "keep_months": 24},
        "audit_verifications": {**chain, "sequence": 1, "verified_at": "2026-01-01", "faults": 0},
        "audit_seals": {**chain, **signed, "sequence": 1, "hash": b"", "sealed_at": "2026-01-01"},
        "audit_archives": {
            **chain,
            **signed,
            "first_sequence": 1,
            "last_sequence": 1,
            "last_hash": b"",
            "digest": b"",
            "location": "",
            "archived_at": "2026-01-01",
        },
        "usage_outlooks": {**mine, "period": "2026-01-01", "made_on": "2026-01-02", "used": 3, "used_before": 1},
        "usage_forecasts": {
            **mine,
            "made_on": "2026-01-02",
            "period": "2026-01-01",
            "expected": 9,
            "low": 8,
            "high": 10,
        },
        "brief_pauses": {**mine, "user_id": tenant.person, "kind": "drop", "paused_until": "2026-01-09"},
        "api_keys": {**mine, "name": "Exporter", "prefix": "nexa_abcdef", "key_hash": uuid4().hex},
        "usage_shadow_refusals": {
            **mine,
            "period_start": "2026-01-01",
            "metric": "credits",
            "amount": 1,
            "total": 2,
            "most": 1,
        },
        "usage_reservations": {
            **mine,
            "event_type": "ai_call",
            "source": "api",
            "idempotency_key": "one",
            "content_hash": b"",
            "credits": 1,
            "period_start": "2026-01-01",
            "expires_at": "infinity",
        },
        "usage_alerts": {**mine, "period_start": "2026-01-01", "threshold": 80, "used": 8, "most": 10},
        "outbox_messages": {**mine, "recipient": "ada@example.example", "subject": "Hello"},
    }
