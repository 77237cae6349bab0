"""A month that has begun keeps the zone it began in: a new one moves no credits, no reservation and no invoice."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import pytest

from nexa_core import billing, usage
from nexa_core.actor import Actor
from nexa_core.billing import reports
from nexa_core.errors import LimitExceeded
from nexa_core.usage.service import store
from tests.nexa_core.billing.conftest import Ledger
from tests.worlds import World

# Where it ends does move: it ends where the next one begins, and that one has the new zone.
RUNNING = "SELECT nexa.billing_start(%(id)s, now()), nexa.billing_month(%(id)s, now())"
EAST, WEST = "Pacific/Kiritimati", "Pacific/Pago_Pago"  # 25 hours apart


def asked(ledger: Ledger, statement: str, organization: UUID) -> list[Any]:
    with ledger.database.superuser() as connection:
        return connection.execute(statement.encode(), {"id": organization}).fetchall()


def move(ledger: Ledger, organization: UUID, zone: str) -> None:
    with ledger.database.superuser() as connection, connection.transaction():
        World.name_the_change(connection, "organization.business_changed")
        connection.execute("UPDATE organizations SET time_zone = %s WHERE id = %s", [zone, organization])


def had(ledger: Ledger, organization: UUID, zone: str, until_month: str) -> None:
    with ledger.database.superuser() as connection:
        connection.execute(
            "INSERT INTO former_time_zones (organization_id, until_month, time_zone) VALUES (%s, %s, %s)",
            [organization, until_month, zone],
        )


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", EAST, WEST])
def test_a_new_zone_leaves_the_running_month_its_reservations_and_past_invoices_alone(
    ledger: Ledger, root: Actor, zone: str
) -> None:
    limits = {"monthly_credits": 20, "hard": True}
    organization = ledger.customer(usage_limits=limits)
    ada = ledger.world.actor(ledger.world.person("ada@northwind.example", organization, role="owner"), organization)
    now = dt.datetime.now(dt.UTC)
    month_before = reports.word(reports.before(now.date().replace(day=1)))
    usage.record(ada, [usage.UsageEvent("ai_call", "used", credits=9)])
    kept = usage.reserve(ada, event_type="ai_call", credits=6, idempotency_key="kept")
    given_back = usage.reserve(ada, event_type="ai_call", credits=5, idempotency_key="given back")
    before = (
        asked(ledger, RUNNING, organization),
        billing.invoice(root, organization_id=organization, period=month_before),
        billing.invoice(root, organization_id=organization).total_minor,
    )
    move(ledger, organization, zone)
    move(ledger, organization, "Europe/Berlin")  # and once more within the month
    move(ledger, organization, zone)
    after = (
        asked(ledger, RUNNING, organization),
        billing.invoice(root, organization_id=organization, period=month_before),
        billing.invoice(root, organization_id=organization).total_minor,
    )
    assert after == before
    with pytest.raises(LimitExceeded, match="does not leave"):
        usage.record(ada, [usage.UsageEvent("ai_call", "too much", credits=1)])
    assert usage.settle(ada, reservation_id=kept.id, credits=7).charged == 6, "the limit is where it was"
    usage.release(ada, reservation_id=given_back.id)
    assert asked(
        ledger,
        "SELECT used, reserved, period_start = nexa.billing_start(%(id)s, now()) FROM usage_counters"
        " WHERE organization_id = %(id)s AND metric = 'credits'",
        organization,
    ) == [(15, 0, True)]
    assert usage.prove(root).told == ()
    ((until, former, then),) = asked(
        ledger,
        "SELECT until_month, time_zone, nexa.billing_zone(%(id)s, until_month) FROM former_time_zones"
        " WHERE organization_id = %(id)s",
        organization,
    )
    assert (former, then) == ("UTC", zone)
    assert until > now.date()


def test_without_the_trigger_the_running_month_would_move(ledger: Ledger) -> None:
    """The control of the test above."""
    organization = ledger.customer()
    before = asked(ledger, RUNNING, organization)
    with ledger.database.superuser() as connection:
        connection.execute("ALTER TABLE organizations DISABLE TRIGGER organizations_time_zone")
    move(ledger, organization, "Asia/Tokyo")
    assert asked(ledger, RUNNING, organization) != before


@pytest.mark.parametrize(("before", "after"), [(EAST, WEST), (WEST, EAST), ("America/Havana", "UTC")])
def test_where_zones_change_every_instant_is_in_one_month_and_days_only_go_forward(
    ledger: Ledger, before: str, after: str
) -> None:
    organization = ledger.customer(time_zone=after)
    had(ledger, organization, before, "2026-11-01")
    wrong = """
    SELECT count(*), count(*) FILTER (WHERE day < day_before OR date_trunc('month', day)::date <> month
        OR at < starts OR at >= ends OR nexa.billing_start(%(id)s, ends) <> ends
        OR nexa.billing_end(%(id)s, starts - interval '1 microsecond') <> starts)
    FROM (SELECT at, nexa.billing_month(%(id)s, at) AS month, nexa.billing_day(%(id)s, at) AS day,
                 lag(nexa.billing_day(%(id)s, at)) OVER (ORDER BY at) AS day_before,
                 nexa.billing_start(%(id)s, at) AS starts, nexa.billing_end(%(id)s, at) AS ends
          FROM generate_series(timestamptz '2026-09-28 00:00+00', '2026-12-04', '30 minutes') at) seen
    """
    ((instants, broken),) = asked(ledger, wrong, organization)
    assert instants > 3_000
    assert broken == 0


@pytest.mark.parametrize(("before", "after"), [(EAST, WEST), (WEST, EAST)])
def test_around_a_change_every_figure_is_still_the_same_integer(
    ledger: Ledger, root: Actor, before: str, after: str
) -> None:
    organization = ledger.customer(time_zone=after, plan="starter")
    had(ledger, organization, before, "2026-05-01")
    first = dt.datetime(2026, 4, 28, tzinfo=dt.UTC)
    events = [
        usage.UsageEvent("ai_call", f"{hour}", credits=1 + hour % 7, occurred_at=first + dt.timedelta(hours=hour))
        for hour in range(6 * 24)
    ]
    store(root, organization, events)
    with ledger.database.superuser() as connection:
        connection.execute("SELECT nexa.roll_up_usage('2026-01-01')")
    found = asked(
        ledger,
        "SELECT to_char(nexa.billing_month(%(id)s, occurred_at), 'YYYY-MM'), count(*), sum(credits_consumed)"
        " FROM usage_events WHERE organization_id = %(id)s GROUP BY 1 ORDER BY 1",
        organization,
    )
    assert [month for month, _, _ in found] == ["2026-04", "2026-05"]
    for month, count, credits in found:
        listed = events_of(root, organization, reports.EventFilter(period=month))
        assert len(listed) == count
        figures = figures_of(root, organization, month) | {"events": sum(one.credits for one in listed)}
        assert figures == dict.fromkeys(figures, credits)
    assert usage.prove(root).told == ()
    days = asked(ledger, "SELECT DISTINCT day FROM usage_by_day WHERE organization_id = %(id)s", organization)
    of_days = [events_of(root, organization, reports.EventFilter(period=f"{day:%Y-%m}", day=day)) for (day,) in days]
    assert sum(map(len, of_days)) == len(events)


def figures_of(actor: Actor, organization: UUID, month: str) -> dict[str, int]:
    """The credits of a month, however one asks for them."""
    of: dict[str, Any] = {"organization_id": organization, "period": month}
    whole = reports.Wanted(period=month)
    seen, replayed = reports.burn(actor, **of), billing.rehearse(actor, **of)
    invoices = billing.invoices(actor, organization_id=organization, limit=36)
    parts = {by: reports.breakdown(actor, by=by, **of) for by in reports.PARTS}
    return {
        "burn": seen.credits,
        "days": sum(seen.days),
        **{by: sum(part.credits for part in found) for by, found in parts.items()},
        "hours": sum(hour.credits for hour in reports.hours(actor, **of)),
        "invoice": billing.invoice(actor, **of).used,
        "invoices": next(one.used for one in invoices if one.period == month),
        "portfolio": reports.portfolio(actor, wanted=whole).credits,
        "by day": sum(point.credits for point in reports.by_day(actor, wanted=whole)),
        "rehearsal": replayed.used,
        "days of the rehearsal": sum(credits for _, credits in replayed.burn),
    }


def events_of(actor: Actor, organization: UUID, wanted: reports.EventFilter) -> tuple[reports.Event, ...]:
    return reports.events(actor, organization_id=organization, wanted=wanted, limit=500).items
