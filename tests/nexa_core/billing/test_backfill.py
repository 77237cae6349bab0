"""A database that had customers before the catalogue: their plans by date are read back from the audit log."""

from __future__ import annotations

from typing import Any

import pytest

from tests.databases import TestDatabase
from tests.nexa_core.billing.test_catalogue import change
from tests.test_migrations import move
from tests.worlds import World

pytestmark = pytest.mark.promise

_HISTORY = """
SELECT plan_type, subscription_status, usage_limits FROM plan_assignments WHERE organization_id = %s
ORDER BY effective_from
"""


def test_the_plans_of_the_past_come_back_from_the_audit_log(database: TestDatabase, world: World) -> None:
    moved, still = world.organization("Moved", plan="free"), world.organization("Still", plan="enterprise")
    steps: list[dict[str, Any]] = [
        {"plan_type": "starter"},
        {"usage_limits": {"monthly_credits": 7}},
        {"name": "Moved on"},
        {"subscription_status": "past_due"},
        {"plan_type": "professional"},
    ]
    for step in steps:
        change(database, moved, **step)

    def histories() -> list[Any]:
        with database.superuser() as connection:
            return [connection.execute(_HISTORY, [one]).fetchall() for one in (moved, still)]

    before = histories()
    assert len(before[0]) == len(steps) and before[1] == [("enterprise", "active", {})]
    move(database.superuser_url, "20261122_10")
    move(database.superuser_url, "head")
    assert histories() == before
