"""Customers with a past: plans by date and usage that was counted, made without asking the code under test."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from nexa_core.actor import Actor
from tests.databases import TestDatabase
from tests.worlds import World

#: From the beginning, as the first row of every organization.
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass
class Ledger:
    """Writes the past of one database as its superuser."""

    world: World

    @property
    def database(self) -> TestDatabase:
        return self.world.database

    def customer(self, name: str = "Northwind", *, since: str = "2020-01-01", **values: Any) -> UUID:
        return self.world.organization(name, created_at=dt.datetime.fromisoformat(since + "T00:00+00:00"), **values)

    def assigned(self, organization: UUID, rows: Sequence[tuple[dt.datetime, dict[str, Any]]]) -> None:
        """Exactly these plans by date, in place of what the trigger wrote."""
        with self.database.superuser() as connection, connection.transaction():
            connection.execute("DELETE FROM plan_assignments WHERE organization_id = %s", [organization])
            for at, terms in rows:
                full = {"plan_type": "starter", "subscription_status": "active", "usage_limits": {}, "currency": "EUR",
                        "agreed_prices": {}} | terms  # fmt: skip
                connection.execute(
                    "INSERT INTO plan_assignments (organization_id, effective_from, plan_type, subscription_status,"
                    " usage_limits, currency, agreed_prices) VALUES (%s, %s, %s, %s, %s, %s, %s)",
                    [organization, at, *(json.dumps(v) if isinstance(v, dict) else v for v in full.values())],
                )

    def used(
        self, organization: UUID, events: Sequence[tuple[dt.datetime, str, int]], user: UUID | None = None
    ) -> None:
        """Usage that happened and was counted: events, days and counters, by plain SQL."""
        with self.database.superuser() as connection, connection.transaction():
            with connection.cursor() as cursor:
                cursor.executemany(
                    "INSERT INTO usage_events (organization_id, occurred_at, event_type, credits_consumed, user_id,"
                    " idempotency_key) VALUES (%s, %s, %s, %s, %s, %s)",
                    [(organization, at, kind, amount, user, uuid4().hex) for at, kind, amount in events],
                )
            connection.execute("DELETE FROM usage_counters WHERE organization_id = %s", [organization])
            connection.execute("DELETE FROM usage_by_day WHERE organization_id = %s", [organization])
            connection.execute(
                "INSERT INTO usage_by_day SELECT e.organization_id, (e.occurred_at AT TIME ZONE o.time_zone)::date,"
                " e.event_type, count(*), sum(e.credits_consumed) FROM usage_events e"
                " JOIN organizations o ON o.id = e.organization_id WHERE o.id = %s GROUP BY 1, 2, 3", [organization],
            )  # fmt: skip
            connection.execute(
                "INSERT INTO usage_counters (organization_id, period_start, metric, used)"
                " SELECT e.organization_id, nexa.period_start(e.occurred_at, o.time_zone), m.metric, sum(m.amount)"
                " FROM usage_events e JOIN organizations o ON o.id = e.organization_id CROSS JOIN LATERAL"
                " (VALUES ('credits', e.credits_consumed::bigint), (e.event_type, 1)) m(metric, amount)"
                " WHERE o.id = %s GROUP BY 1, 2, 3", [organization],
            )  # fmt: skip


@pytest.fixture
def ledger(world: World) -> Ledger:
    return Ledger(world)


@pytest.fixture
def root() -> Actor:
    return Actor.system()
