"""Organizations and people for tests, made without asking the code under test."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql

from nexa_core.actor import Actor, Origin, Standing
from tests.databases import TestDatabase

PASSWORD = "correct horse battery staple"


@lru_cache
def _hash_of(password: str) -> str:
    """Argon2id with the parameters of nexa_core.accounts, once a password: a hash costs 20 ms."""
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1).hash(password)


def _values(row: dict[str, Any]) -> list[Any]:
    return [json.dumps(value) if isinstance(value, dict | list) else value for value in row.values()]


@dataclass
class World:
    """Makes organizations and people without asking the code under test."""

    database: TestDatabase

    def _insert(self, table: str, **values: Any) -> UUID:
        row = values if table in ("usage_events",) else {"id": uuid4(), **values}
        with self.database.superuser() as connection, connection.transaction():
            self.name_the_change(connection)
            connection.execute(
                sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                    sql.Identifier(table),
                    sql.SQL(", ").join(map(sql.Identifier, row)),
                    sql.SQL(", ").join(sql.Placeholder() for _ in row),
                ),
                _values(row),
            )
        return row["id"]

    @staticmethod
    def name_the_change(connection: psycopg.Connection, action: str = "demo.seeded") -> None:
        """The context without which the database refuses an audited write; for the transaction that is open."""
        connection.execute(
            "SELECT set_config('nexa.action', %s, true), set_config('nexa.request', %s, true)", [action, str(uuid4())]
        )

    def organization(self, name: str = "Northwind", **values: Any) -> UUID:
        """An organization that is pending until it has an owner: see ``person``."""
        if "plan" in values:
            values["plan_type"] = values.pop("plan")
        slug = values.pop("slug", None) or "-".join(name.lower().split())
        return self._insert("organizations", name=name, slug=slug, **{"status": "pending", **values})

    def person(
        self,
        email: str,
        organization: UUID,
        role: str = "member",
        password: str | None = PASSWORD,
        **values: Any,
    ) -> UUID:
        """An active person with an active membership; an owner makes a pending organization active."""
        first, _, last = email.partition("@")[0].partition(".")
        full_name = values.pop("full_name", " ".join(filter(None, (first.title(), last.title()))))
        permissions, membership_status = values.pop("permissions", {}), values.pop("membership_status", "active")
        person = uuid4()
        row = {
            "first_name": first.title(),
            "last_name": last.title(),
            "full_name": full_name,
            "status": "active",
            **values,
        }
        with self.database.superuser() as connection, connection.transaction():
            self.name_the_change(connection)
            connection.execute(
                sql.SQL("INSERT INTO users (id, email, password_hash, {}) VALUES (%s, %s, %s, {})").format(
                    sql.SQL(", ").join(map(sql.Identifier, row)), sql.SQL(", ").join(sql.Placeholder() for _ in row)
                ),
                [person, email.lower(), _hash_of(password) if password else None, *_values(row)],
            )
            self._join(connection, person, organization, role, membership_status, permissions)
        return person

    def membership(self, person: UUID, organization: UUID, role: str = "member", status: str = "active") -> None:
        """Let somebody who exists belong to one more organization."""
        with self.database.superuser() as connection, connection.transaction():
            self.name_the_change(connection)
            self._join(connection, person, organization, role, status, {})

    @staticmethod
    def _join(
        connection: psycopg.Connection, person: UUID, organization: UUID, role: str, status: str, permissions: object
    ) -> None:
        connection.execute(
            "INSERT INTO organization_memberships (user_id, organization_id, role, status, permissions, joined_at)"
            " VALUES (%s, %s, %s, %s, %s, now())",
            [person, organization, role, status, json.dumps(permissions)],
        )
        if role == "owner" and status == "active":
            connection.execute(
                "UPDATE organizations SET status = 'active' WHERE id = %s AND status = 'pending'", [organization]
            )

    def session(self, organization: UUID, person: UUID, title: str = "Platform review", **values: Any) -> UUID:
        """An architecture session; answers its external identifier."""
        external = uuid4()
        with self.database.superuser() as connection, connection.transaction():
            self.name_the_change(connection)
            row = {"uuid": external, "organization_id": organization, "user_id": person, "title": title, **values}
            connection.execute(
                sql.SQL("INSERT INTO ai_architecture_sessions ({}) VALUES ({})").format(
                    sql.SQL(", ").join(map(sql.Identifier, row)), sql.SQL(", ").join(sql.Placeholder() for _ in row)
                ),
                _values(row),
            )
        return external

    def sign_in(self, person: UUID, organization: UUID, token_hash: str | None = None) -> UUID:
        """A living browser sign-in."""
        return self._insert(
            "user_sessions",
            user_id=person,
            organization_id=organization,
            session_token=token_hash or secrets.token_hex(32),
            expires_at=datetime.now(UTC) + timedelta(hours=12),
        )

    def actor(self, user_id: UUID, organization_id: UUID, *, user_session_id: UUID | None = None) -> Actor:
        """The actor a person is in an organization, read as superuser; no plan keeps a feature from them."""
        with self.database.superuser() as connection:
            row = connection.execute(
                "SELECT m.role::text, m.permissions, m.status::text, u.status::text, u.email, u.full_name, u.timezone,"
                " u.locale, o.name, o.slug, o.is_platform, o.usage_limits FROM organization_memberships m"
                " JOIN users u ON u.id = m.user_id JOIN organizations o ON o.id = m.organization_id"
                " WHERE m.user_id = %s AND m.organization_id = %s",
                [user_id, organization_id],
            ).fetchone()
        assert row is not None, "there is no such membership"
        role, overrides, membership, account, email, full_name, zone, locale, name, slug, is_platform, limits = row
        return Actor.of_membership(
            user_id=user_id,
            organization_id=organization_id,
            role=role,
            overrides=overrides,
            standing=Standing(
                account_status=account,
                membership_status=membership,
                is_platform=is_platform,
                features=limits.get("features", {}),
            ),
            user_session_id=user_session_id,
            email=email,
            full_name=full_name,
            organization_name=name,
            organization_slug=slug,
            timezone=zone,
            locale=locale,
            origin=Origin(ip_address="203.0.113.7", user_agent="tests"),
        )
