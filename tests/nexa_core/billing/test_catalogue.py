"""The catalogue by date: one definition of what an organization has, whichever way it is asked."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexa_core import billing
from nexa_core.billing.plans import FIRST
from tests.databases import TestDatabase
from tests.nexa_core.billing.test_plans import Subscriber
from tests.worlds import World

COUNTS = st.one_of(st.integers(0, 9999), st.none(), st.sampled_from([-1, 1.5, 5.0, 0.0, True, "many"]))
LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "monthly_credits": COUNTS, "seats": COUNTS, "hard": st.sampled_from([True, False, 1, "yes"]),
        "features": st.sampled_from([[1], {}, {"sessions": False, "beta": True}, {"sessions": "on"}]),
        "event_limits": st.sampled_from([{"ai_call": 5}, {"pdf_export": "x", "ai_call": 7.0}, {"x": 7.5}, "none"]),
    },
)  # fmt: skip


def change(database: TestDatabase, organization: UUID, **columns: Any) -> None:
    with database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        for name, value in columns.items():
            connection.execute(
                psycopg.sql.SQL("UPDATE organizations SET {} = %s WHERE id = %s").format(psycopg.sql.Identifier(name)),
                [json.dumps(value) if isinstance(value, dict) else value, organization],
            )


def test_the_plan_now_is_the_same_from_the_view_the_history_and_the_program(
    database: TestDatabase, world: World
) -> None:
    organization = world.organization("Northwind")
    columns = (
        "plan, plan_version_id, name, subscription_status, currency, price_minor, allowance, is_hard,"
        " overage_minor, overage_credits, seats, plan_seats, seat_minor, event_limits, features"
    )

    @settings(max_examples=40, deadline=None)
    @given(plan=st.sampled_from([*FIRST, "former"]), limits=LIMITS, currency=st.sampled_from(["EUR", "JPY", "XAU"]))
    def same(plan: str, limits: dict[str, Any], currency: str) -> None:
        change(database, organization, plan_type=plan, usage_limits=limits, currency=currency)
        with database.superuser() as connection:
            now = connection.execute(
                f"SELECT {columns} FROM nexa.plans_now WHERE organization_id = %s".encode(), [organization]
            ).fetchone()
            then = connection.execute(
                f"SELECT {columns} FROM nexa.plan_of(%s, clock_timestamp())".encode(), [organization]
            ).fetchone()
            held = connection.execute(
                "SELECT (nexa.usage_limit(%(id)s, 'credits')).most, (nexa.usage_limit(%(id)s, 'ai_call')).most",
                {"id": organization},
            ).fetchone()
        assert now and now == then
        assert held == (now[6], (now[13] or {}).get("ai_call")), "the limit that is held is the one that is shown"
        of = Subscriber(plan, limits)
        assert (now[6], now[7], now[10]) == (billing.allowance(of), billing.is_hard(of), billing.seats(of))

    same()


def test_a_new_database_begins_with_the_plans_that_stand_in_without_one(database: TestDatabase) -> None:
    read = dict(billing.PLANS)
    assert list(read) == list(FIRST)
    for key, plan in FIRST.items():
        for part in ("key", "name", "monthly_credits", "price_minor", "seats", "features", "currency", "overage_minor",
                     "overage_credits", "seat_minor"):  # fmt: skip
            assert getattr(read[key], part) == getattr(plan, part), (key, part)
    currencies = [set(plan.prices or {}) for plan in read.values()]
    assert all(found == currencies[0] and len(found) == 10 for found in currencies)


def test_every_way_of_changing_a_plan_leaves_its_instant(database: TestDatabase, world: World) -> None:
    organization = world.organization("Northwind", plan="free")
    change(database, organization, plan_type="starter")
    change(database, organization, name="Northwind Traders")  # nothing that is paid for
    change(database, organization, usage_limits={"monthly_credits": 7})
    with database.superuser() as connection:
        rows = connection.execute(
            "SELECT plan_type, usage_limits, effective_from = 'epoch', effective_from <= clock_timestamp()"
            " FROM plan_assignments WHERE organization_id = %s ORDER BY effective_from", [organization],
        ).fetchall()  # fmt: skip
    assert rows == [
        ("free", {}, True, True), ("starter", {}, False, True), ("starter", {"monthly_credits": 7}, False, True)
    ]  # fmt: skip


@pytest.mark.parametrize("role", ["nexa_tenant", "nexa_staff", "nexa_presenter", "nexa_entry"])
def test_no_role_of_the_program_rewrites_the_past(database: TestDatabase, world: World, role: str) -> None:
    organization = world.organization("Northwind")
    for statement in (
        "INSERT INTO plan_assignments SELECT organization_id, now(), 'free', 'active', '{}', 'EUR', '{}'"
        " FROM plan_assignments",
        "UPDATE plan_assignments SET plan_type = 'free'",
        "DELETE FROM plan_assignments",
        "UPDATE plan_versions SET price_minor = 1",
        "UPDATE credit_notes SET amount_minor = 1",
        "DELETE FROM credit_notes",
    ):
        with database.app() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"SET LOCAL ROLE {role}".encode())
            connection.execute("SELECT set_config('nexa.organization', %s, true)", [str(organization)])
            connection.execute(statement.encode())


def test_a_version_that_has_begun_stays(database: TestDatabase) -> None:
    for statement in (
        "DELETE FROM plan_versions WHERE plan = 'starter'",
        "INSERT INTO plan_versions (plan, effective_from, name, price_minor, monthly_credits, overage_minor,"
        " overage_credits) VALUES ('starter', now() - interval '1 day', 'Starter', 1, 1, 1, 1)",
    ):
        with database.superuser() as connection, pytest.raises(psycopg.errors.CheckViolation, match="has begun"):
            World.name_the_change(connection)
            connection.execute(statement.encode())


def test_only_the_demo_world_may_invent_a_past(database: TestDatabase, world: World) -> None:
    demo, real = world.organization("Demo", is_demo=True), world.organization("Real")
    with database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        connection.execute("SELECT set_config('nexa.effective_from', '2020-02-02', true)")
        connection.execute("UPDATE organizations SET plan_type = 'starter'")
        dates = dict(
            connection.execute(
                "SELECT organization_id, max(effective_from)::date::text FROM plan_assignments GROUP BY 1"
            ).fetchall()
        )
    assert dates[demo] == "2020-02-02" and dates[real] > "2026"
