"""A customer, and what the database holds for it."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

import pytest

from nexa_core.actor import Actor


class Customer:
    """An organization with an owner, and what the database holds for it."""

    def __init__(self, world: Any, name: str = "Northwind", **values: Any) -> None:
        self.world = world
        self.id: UUID = world.organization(name, **values)
        self.owner: UUID = world.person(f"owner@{'-'.join(name.lower().split())}.example", self.id, role="owner")
        self.actor: Actor = world.actor(self.owner, self.id)

    def rows(self, query: str) -> list[Any]:
        with self.world.database.superuser() as connection:
            return connection.execute(query, {"id": self.id}).fetchall()

    def stored(self) -> tuple[int, int]:
        return self.rows(
            "SELECT count(*), coalesce(sum(credits_consumed), 0) FROM usage_events WHERE organization_id = %(id)s"
        )[0]

    def counters(self) -> dict[str, int]:
        return dict(
            self.rows(
                "SELECT metric, sum(used)::bigint FROM usage_counters WHERE organization_id = %(id)s GROUP BY metric"
            )
        )

    def reserved(self) -> dict[str, int]:
        return dict(
            self.rows(
                "SELECT metric, sum(reserved)::bigint FROM usage_counters WHERE organization_id = %(id)s"
                " GROUP BY 1 HAVING sum(reserved) <> 0"
            )
        )

    def agree(self, **usage_limits: Any) -> None:
        """Change the limits as the platform does, in a transaction of its own."""
        import json

        with self.world.database.superuser() as connection, connection.transaction():
            self.world.name_the_change(connection, "organization.limits_changed")
            connection.execute(
                "UPDATE organizations SET usage_limits = %s WHERE id = %s", [json.dumps(usage_limits), self.id]
            )

    def assert_all_figures_agree(self) -> None:
        """Events, days, counters, reservations: one number each."""
        events = self.rows(
            "SELECT event_type, count(*), sum(credits_consumed) FROM usage_events"
            " WHERE organization_id = %(id)s GROUP BY 1"
        )
        days = self.rows(
            "SELECT event_type, sum(events)::bigint, sum(credits)::bigint FROM usage_by_day"
            " WHERE organization_id = %(id)s GROUP BY 1 HAVING sum(events) <> 0"
        )
        assert sorted(events) == sorted(days)
        expected = Counter({event_type: count for event_type, count, _ in events})
        expected["credits"] = sum(spent for _, _, spent in events)
        assert {metric: used for metric, used in self.counters().items() if used} == {
            metric: used for metric, used in expected.items() if used
        }
        assert self.rows(
            "SELECT count(*) FROM usage_idempotency_keys k FULL JOIN usage_events e ON e.id = k.event_id"
            " WHERE (e.id IS NULL OR k.event_id IS NULL) AND coalesce(e.organization_id, k.organization_id) = %(id)s"
        ) == [(0,)]
        held = self.rows(
            "SELECT event_type, count(*), sum(credits)::bigint FROM usage_reservations"
            " WHERE organization_id = %(id)s AND status = 'open' GROUP BY 1"
        )
        open_ = Counter({event_type: count for event_type, count, _ in held})
        open_["credits"] = sum(set_aside for _, _, set_aside in held)
        assert self.reserved() == {metric: amount for metric, amount in open_.items() if amount}


@pytest.fixture
def customer(world: Any) -> Customer:
    return Customer(world)
