"""What undoing is tried on: an organization with people and a session, and every value of it that can be put back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import text

from nexa_core import audit, organizations
from nexa_core.actions import Action
from nexa_core.actor import Actor, Origin
from nexa_core.audit.undo import REVERSIBLE
from nexa_core.db import recording
from tests.worlds import World

State = dict[tuple[str, UUID], dict[str, Any]]


class Stage:
    """Northwind with an owner, an admin and a member, a session, and an internal admin."""

    def __init__(self, world: World) -> None:
        self.database = world.database
        self.northwind = world.organization("Northwind")
        self.ada = world.actor(world.person("ada@northwind.example", self.northwind, role="owner"), self.northwind)
        self.abe = world.actor(world.person("abe@northwind.example", self.northwind, role="admin"), self.northwind)
        self.bob = world.person("bob@northwind.example", self.northwind)
        self.reviewed = world.session(self.northwind, self.bob, tags=["a"])
        platform = world.organization("NEXA", is_platform=True)
        self.root = world.actor(world.person("root@nexa.example", platform, role="owner"), platform)
        self.membership = next(
            m.id for m in organizations.members(self.ada, organization_id=self.northwind) if m.user_id == self.bob
        )

    def state(self) -> State:
        """Every value that can be put back, read by a superuser."""
        found: State = {}
        with self.database.superuser() as connection:
            for line in REVERSIBLE:
                pairs = ", ".join(f"'{name}', to_jsonb({name})" for name in line.columns)
                rows = connection.execute(
                    f"SELECT {line.key}, jsonb_build_object({pairs}) FROM {line.table}".encode()
                ).fetchall()
                for key, values in rows:
                    found.setdefault((line.resource_type, key), {}).update(values)
        return found

    def newest(self) -> list[UUID]:
        """Entries that are changes of values, newest first."""
        with self.database.superuser() as connection:
            return [
                row[0]
                for row in connection.execute(
                    "SELECT id FROM audit_logs WHERE old_values IS NOT NULL AND new_values IS NOT NULL"
                    " ORDER BY created_at DESC, id DESC LIMIT 40"
                )
            ]

    def values(self, entry: UUID) -> tuple[tuple[str, UUID], dict[str, Any], dict[str, Any]]:
        with self.database.superuser() as connection:
            row = connection.execute(
                "SELECT resource_type, resource_id, old_values, new_values FROM audit_logs WHERE id = %s", [entry]
            ).fetchone()
        assert row
        return (row[0], row[1]), row[2], row[3]


def anew(actor: Actor) -> Actor:
    return replace(actor, origin=Origin(ip_address="203.0.113.7", user_agent="tests"))


def change_row(actor: Actor, action: Action, table: str, key: str, which: UUID, **values: Any) -> None:
    """A change as another verb will make it: any columns at once."""
    columns = ", ".join(f"{name} = CAST(:{name} AS {kind})" for name, (kind, _) in values.items())
    given_values = {name: json.dumps(value) if kind == "jsonb" else value for name, (kind, value) in values.items()}
    with recording(actor, action, reason="for the test") as db:
        db.execute(text(f"UPDATE {table} SET {columns} WHERE {key} = :which"), {**given_values, "which": which})


def change_of(stage: Stage, **wanted: Any) -> UUID:
    return audit.find(stage.root, filters=audit.Filters(**wanted), limit=1).items[0].id
