"""A version of a plan begins on each customer's own day: invoice, limit and features change at one instant."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from nexa_core import billing
from nexa_core.actor import Actor
from nexa_core.errors import Invalid
from tests.nexa_core.billing.conftest import Ledger
from tests.nexa_core.billing.test_versions import draft
from tests.worlds import World

ZONES = ("America/New_York", "UTC", "Asia/Tokyo")
TINY = dt.timedelta(microseconds=1)


def version(ledger: Ledger, wall_clock: dt.datetime, **values: Any) -> None:
    """A version of starter that begins at a wall clock, also of the past."""
    terms = {"price_minor": 9_900, "monthly_credits": 500, "overage_minor": 600, "overage_credits": 100} | values
    with ledger.database.superuser() as connection, connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(
            "INSERT INTO plan_versions (plan, effective_from, name, price_minor, monthly_credits, overage_minor,"
            " overage_credits, seats) VALUES ('starter', %s, 'Starter 2', %s, %s, %s, %s, 3)",
            [wall_clock.replace(tzinfo=dt.UTC), *terms.values()],
        )


def one(ledger: Ledger, query: str, values: list[Any]) -> Any:
    with ledger.database.superuser() as connection:
        found = connection.execute(query.encode(), values).fetchone()
    assert found
    return found[0] if len(found) == 1 else found


@pytest.mark.parametrize("zone", ZONES)
def test_the_first_of_a_month_is_the_customers_own(ledger: Ledger, root: Actor, zone: str) -> None:
    organization = ledger.customer(plan="starter", time_zone=zone)
    ledger.used(organization, [(dt.datetime(2026, 5, 20, tzinfo=dt.UTC), "ai_call", 700)])
    version(ledger, dt.datetime(2026, 6, 1))
    may, june = (billing.invoice(root, organization_id=organization, period=p) for p in ("2026-05", "2026-06"))
    for found, plan, fee, allowance in ((may, "Starter", 4_900, 1_000), (june, "Starter 2", 9_900, 500)):
        assert [(line.kind, line.amount_minor) for line in found.lines] == [("base", fee), ("included", 0)]
        assert (found.plan, found.allowance) == (plan, allowance)
    begins = dt.datetime(2026, 6, 1, tzinfo=ZoneInfo(zone))
    assert june.period.starts == begins
    for at, fee in ((begins - TINY, 4_900), (begins, 9_900)):
        assert one(ledger, "SELECT price_minor FROM nexa.plan_of(%s, %s)", [organization, at]) == fee
    replayed = [billing.rehearse(root, organization_id=organization, period=p) for p in ("2026-05", "2026-06")]
    assert [found.outcome("starter").price_minor for found in replayed] == [4_900, 9_900]


@pytest.mark.parametrize("zone", ZONES)
def test_a_version_in_the_middle_of_a_month_divides_it_at_the_customers_midnight(
    ledger: Ledger, root: Actor, zone: str
) -> None:
    organization = ledger.customer(plan="starter", time_zone=zone)
    version(ledger, dt.datetime(2026, 6, 16))
    found = billing.invoice(root, organization_id=organization, period="2026-06")
    base = [line for line in found.lines if line.kind == "base"]
    assert [line.amount_minor for line in base] == [2_450, 4_950]
    assert base[0].until == base[1].since == dt.datetime(2026, 6, 16, tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize("zone", [*ZONES, "Etc/GMT+12", "Pacific/Kiritimati"])
def test_the_plan_now_and_the_limit_begin_at_the_same_instant(ledger: Ledger, zone: str) -> None:
    """Half an hour ago there, and half an hour ahead: whichever way it is asked."""
    half = dt.timedelta(minutes=30)
    here = dt.datetime.now(ZoneInfo(zone)).replace(tzinfo=None)
    organization = ledger.customer(plan="starter", time_zone=zone, usage_limits={"hard": True})
    for wall_clock, allowance in ((here + half, 1_000), (here - half, 500)):
        version(ledger, wall_clock)
        for query in (
            "SELECT allowance FROM nexa.plans_now WHERE organization_id = %s",
            "SELECT allowance FROM nexa.plan_of(%s, now())",
            "SELECT most FROM nexa.usage_limit(%s, 'credits')",
        ):
            assert one(ledger, query, [organization]) == allowance, query
        admits = one(ledger, "SELECT nexa.usage_admits(%s, 'credits', 501)", [organization])
        assert admits == (allowance > 500)
        assert one(ledger, "SELECT count(*) FROM nexa.plans_now WHERE organization_id = %s", [organization]) == 1


def test_a_new_time_zone_moves_no_version_that_has_begun(ledger: Ledger, root: Actor) -> None:
    organization = ledger.customer(plan="starter", time_zone="Asia/Tokyo")
    version(ledger, dt.datetime(2026, 6, 16))
    before = billing.invoice(root, organization_id=organization, period="2026-06").lines
    with ledger.database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        connection.execute("UPDATE organizations SET time_zone = 'America/New_York' WHERE id = %s", [organization])
    assert billing.invoice(root, organization_id=organization, period="2026-06").lines == before


def test_what_may_have_begun_somewhere_is_not_scheduled_or_taken_back(ledger: Ledger, root: Actor) -> None:
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(hours=13)  # in Kiribati, an hour ago
    with pytest.raises(Invalid, match="in every time zone"):
        billing.schedule_version(root, draft=draft(effective_from=soon), reason="too late")
    with ledger.database.superuser() as connection, pytest.raises(psycopg.errors.CheckViolation, match="has begun"):
        World.name_the_change(connection)
        connection.execute(
            "INSERT INTO plan_versions (plan, effective_from, name, price_minor, monthly_credits, overage_minor,"
            " overage_credits) VALUES ('starter', %s, 'Starter', 1, 1, 1, 1)", [soon],
        )  # fmt: skip


def test_the_plan_of_a_program_and_of_a_list_has_begun_too(ledger: Ledger) -> None:
    """The role that lets people and programs in may ask by the clock of the organization."""
    organization = ledger.customer(plan="starter", time_zone="Asia/Tokyo")
    wall_clock = dt.datetime.now(ZoneInfo("Asia/Tokyo")).replace(tzinfo=None) - dt.timedelta(minutes=30)
    version(ledger, wall_clock)
    for role in ("nexa_entry", "nexa_staff"):
        with ledger.database.app() as connection:
            connection.execute(f"SET LOCAL ROLE {role}".encode())
            found = connection.execute(
                "SELECT nexa.version_has_begun(%s, %s, now())", [organization, wall_clock.replace(tzinfo=dt.UTC)]
            ).fetchone()
        assert found == (True,), role
