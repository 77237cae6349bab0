"""A month that is over stays as its invoice has it, whatever its customer's plan became, and whether it is left."""

from __future__ import annotations

import csv
import datetime as dt
import importlib
import io
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from nexa_core import billing, organizations
from nexa_core.actor import Actor
from nexa_core.billing import reports
from nexa_core.billing.reports import Wanted, periods
from pages._ui import menu
from tests.nexa_core.billing.conftest import EPOCH, Ledger
from tests.nexa_core.billing.reports.test_one_figure import Asking, _number, _pages
from tests.pages.conftest import Shell, shell  # noqa: F401 - a fixture
from tests.pages.test_gate import _open
from tests.worlds import World

MONTHS = 5
Said = dict[str, tuple[int | None, int]]


def at(month: dt.date, day: int = 1, hour: int = 12) -> dt.datetime:
    return dt.datetime(month.year, month.month, day, hour, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Past:
    """Customers whose terms changed: of plan and agreement, of zone, by a new list; one that always was as it is."""

    ledger: Ledger
    months: list[dt.date]
    customers: dict[str, UUID]
    mara: Actor
    platform: UUID


@pytest.fixture
def past(ledger: Ledger) -> Past:
    world, months = ledger.world, reports.latest(MONTHS)
    platform = world.organization("NEXA", is_platform=True)
    mara = world.person("mara@nexa.example", platform, role="owner")
    places = {
        "Grown Works": ("professional", "Europe/Berlin"), "Early Works": ("starter", "Pacific/Auckland"),
        "Late Works": ("free", "America/Los_Angeles"), "Steady Works": ("enterprise", "UTC"),
        "Moved Works": ("free", "America/Lima"),
    }  # fmt: skip
    customers = {name: ledger.customer(name, plan=plan, time_zone=zone) for name, (plan, zone) in places.items()}
    for name, organization in customers.items():
        events = [(at(m, day), "ai_call", 300 + 70 * n) for n, m in enumerate(months[1:]) for day in (3, 9)]
        ledger.used(organization, events)
        world.person(f"owner@{name.split()[0].lower()}.example", organization, role="owner")
    hard = {"monthly_credits": 400, "hard": True}
    ledger.assigned(customers["Grown Works"], [
        (EPOCH, {"plan_type": "free"}), (at(months[3], 20), {"plan_type": "starter", "usage_limits": hard}),
        (at(months[2], 20), {"plan_type": "starter", "usage_limits": {"monthly_credits": None}}),
        (at(months[1], 20), {"plan_type": "professional"}),
    ])  # fmt: skip
    # Hours around the turn of a month by UTC: in the zone of that month it is of the month after, or of the one before.
    ledger.assigned(
        customers["Early Works"], [(EPOCH, {"plan_type": "free"}), (at(months[1]) - dt.timedelta(hours=18), {})]
    )
    ledger.assigned(customers["Late Works"], [(EPOCH, {}), (at(months[1], hour=4), {"plan_type": "free"})])
    ledger.assigned(customers["Moved Works"], [(EPOCH, {}), (at(months[1], hour=4), {"plan_type": "free"})])
    with ledger.database.superuser() as connection, connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(
            "INSERT INTO former_time_zones (organization_id, until_month, time_zone) VALUES (%s, %s, 'America/Lima')",
            [customers["Moved Works"], months[0]],
        )
        connection.execute(
            "UPDATE organizations SET time_zone = 'Asia/Tokyo' WHERE id = %s", [customers["Moved Works"]]
        )
        connection.execute(
            "INSERT INTO plan_versions (plan, effective_from, name, price_minor, monthly_credits, overage_minor,"
            " overage_credits) VALUES ('enterprise', %s, 'Enterprise', 149000, 123, 420, 100)",
            [at(months[2], 15)],
        )
    return Past(ledger, months, customers, world.actor(mara, platform), platform)


def said_of(past: Past, asking: Asking, name: str, period: str) -> Said:
    """Allowance and overage of a customer's month, wherever they are told of one customer."""
    organization = past.customers[name]
    invoice = billing.invoice(past.mara, organization_id=organization, period=period)
    summary = asking.json(f"summary?organization={organization}&period={period}")
    (listed,) = (one for one in _pages(asking, f"customers?period={period}") if one["name"] == name)
    (line,) = (row for row in asking.csv(f"customers.csv?period={period}") if row["Customer"] == name)
    sheet, _ = asking.xlsx(f"customers.xlsx?period={period}")
    (cells,) = (row for row in sheet if row["Customer"] == name)
    return {
        "invoice": (invoice.allowance, invoice.overage),
        "invoice lines": (invoice.allowance, sum(one.quantity for one in invoice.lines if one.kind == "overage")),
        "summary": (summary["allowance"], summary["overage"]),
        "customers": (listed["allowance"], listed["overage"]),
        "customers.csv": (int(line["Allowance"]) if line["Allowance"] else None, int(line["Overage"])),
        "customers.xlsx": (cells["Allowance"], cells["Overage"]),
    }


def test_a_month_before_a_change_of_plan_has_the_allowance_and_overage_of_its_invoice(past: Past) -> None:
    asking = Asking("mara@nexa.example")
    allowances: dict[str, list[int | None]] = {name: [] for name in past.customers}
    for month in past.months:
        period, overage, charged = reports.word(month), 0, 0
        for name, organization in past.customers.items():
            said = said_of(past, asking, name, period)
            assert said == dict.fromkeys(said, said["invoice"]), (name, period)
            allowances[name].append(said["invoice"][0])
            overage += said["invoice"][1]
            charged += billing.invoice(past.mara, organization_id=organization, period=period).total_minor
        assert asking.json(f"portfolio?period={period}")["overage"] == overage
        assert [one["minor"] for one in asking.json(f"revenue?period={period}")] == [charged]
    assert allowances == {
        "Grown Works": [5_000, 5_000, None, 400, 100],
        "Early Works": [1_000, 1_000, 100, 100, 100],
        "Late Works": [100, 100, 100, 1_000, 1_000],
        "Steady Works": [123, 123, 123, 10_000, 10_000],
        "Moved Works": [100, 100, 100, 1_000, 1_000],
    }  # the control: what they are compared by did change


def test_the_screens_say_so_too(past: Past, shell: Shell) -> None:  # noqa: F811
    world, month = past.ledger.world, past.months[3]
    period, name = reports.word(month), "Grown Works"
    invoices = {
        one: billing.invoice(past.mara, organization_id=organization, period=period)
        for one, organization in past.customers.items()
    }
    app = shell(world.sign_in(past.mara.user_id, past.platform))
    app.query_params["period"] = f"{month:%B %Y}"
    app = _open(app, menu.PORTFOLIO.path)
    assert not app.exception and not app.error
    assert _number(app, "Overage") == sum(invoice.overage for invoice in invoices.values())
    table = next(table.value for table in app.dataframe if "Customer" in table.value)
    allowed = dict(zip(table["Customer"], table["Allowance"], strict=True))
    assert allowed == {one: invoice.allowance for one, invoice in invoices.items()}
    owner = world.person("zoe@grown.example", past.customers[name], role="owner")
    app = shell(world.sign_in(owner, past.customers[name]))
    app.query_params["period"] = f"{month:%B %Y}"
    app = _open(app, menu.USAGE.path)
    assert not app.exception and not app.error
    shown = (_number(app, "Allowance"), _number(app, "Overage"))
    assert shown == (invoices[name].allowance, invoices[name].overage) == (400, 480)


def test_a_limit_that_was_hard_then_is_hard_in_that_month_only(past: Past) -> None:
    organization = past.customers["Grown Works"]
    found = [reports.burn(past.mara, organization_id=organization, period=reports.word(m)).is_hard for m in past.months]
    assert found == [False, False, False, True, False]


def test_every_order_of_a_past_month_goes_by_its_own_allowances(past: Past) -> None:
    wanted = Wanted(period=reports.word(past.months[3]))
    seen: list[Any] = []
    after = None
    while True:
        page = reports.customers(past.mara, wanted=wanted, sort="share", after=after, limit=1)
        seen += page.items
        if (after := page.next_cursor) is None:
            break
    assert len(seen) == len(past.customers)
    shares = [-1 if one.share is None else one.share for one in seen]
    assert shares == sorted(shares, reverse=True) and len(set(shares)) > 2


def whole_of(past: Past, month: dt.date) -> Any:
    """All that a portfolio says of a month, as a person of the platform reads it."""
    wanted = Wanted(period=reports.word(month))
    summary = reports.portfolio(past.mara, wanted=wanted)
    file = b"".join(reports.export_customers(past.mara, wanted=wanted))
    return (
        (summary.customers, summary.credits, summary.credits_before, summary.overage, summary.over),
        {(one.name, one.used, one.allowance, one.overage) for one in reports.customers(past.mara, wanted=wanted).items},
        reports.revenue(past.mara, wanted=wanted),
        *(reports.by_day(past.mara, wanted=wanted, split=split) for split in reports.SPLITS),
        reports.by_day(past.mara, wanted=wanted, months=MONTHS),
        {
            tuple(row[name] for name in ("Customer", "Credits", "Allowance", "Overage"))
            for row in csv.DictReader(io.StringIO(file.decode("utf-8-sig")))
        },
    )


@pytest.mark.parametrize("name", ["Steady Works", "Moved Works"])
def test_a_month_keeps_the_customers_that_were_deleted_since(
    past: Past, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports.refresh_outlooks(Actor.system())
    before = [whole_of(past, month) for month in past.months[1:]]
    names = {"organization": past.customers[name]}
    with past.ledger.database.superuser() as connection, connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(  # in the customer's own zone it is the last moment of a month, by UTC the next one
            "UPDATE organizations SET status = 'deleted',"
            " deleted_at = nexa.day_begins(id, %(month)s) - interval '1 second' WHERE id = %(organization)s",
            {**names, "month": past.months[1]},
        )
    last, *earlier = (whole_of(past, month) for month in past.months[1:])
    assert earlier == before[1:]
    assert {one[0] for one in last[1]} == set(past.customers) - {name}, "the control: after it left it is no customer"
    monkeypatch.setattr(importlib.import_module("nexa_core.billing.reports.portfolio"), "_FEW", 0)  # of everybody
    with past.ledger.database.superuser() as connection:
        connection.execute("SELECT nexa.roll_up_usage('2020-01-01')")
    for month in past.months[1:]:
        wanted = Wanted(period=reports.word(month))
        assert sum(one.credits for one in reports.by_day(past.mara, wanted=wanted)) == whole_of(past, month)[0][1]


def test_who_was_deleted_in_the_running_month_is_in_it_and_nothing_more_is_expected_of_them(past: Past) -> None:
    organization = past.customers["Steady Works"]
    days = reports.latest(1)[0]
    with past.ledger.database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        connection.execute(
            "INSERT INTO usage_counters (organization_id, period_start, metric, used)"
            " VALUES (%s, %s, 'credits', 9)", [organization, at(days, hour=0)],
        )  # fmt: skip
        connection.execute("UPDATE organizations SET created_at = now() WHERE id = %s", [organization])
    reports.refresh_outlooks(Actor.system())
    organizations.delete(past.mara, organization_id=organization, confirmation="steady-works", reason="left")
    (one,) = (one for one in reports.customers(past.mara).items if one.id == organization)
    assert (one.status, one.used, one.expected, one.score) == ("deleted", 9, None, 0)
    assert reports.portfolio(past.mara).credits == 9


def test_revenue_of_the_running_month_is_compared_with_the_same_day_of_the_month_before(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plans in full, overage and credit notes by then; a month that is over with all of the one before."""
    running, last = reports.latest(2)
    world = ledger.world
    platform = world.organization("NEXA", is_platform=True)
    mara = world.actor(world.person("mara@nexa.example", platform, role="owner"), platform)
    for name, spent in (("Early", {2: 1_500}), ("Late", {2: 700, 20: 700}), ("Never", {5: 900})):
        customer = ledger.customer(f"{name} Works", plan="starter")
        ledger.used(customer, [(at(last, day), "ai_call", credits) for day, credits in spent.items()])
    trial = ledger.customer("Trial Works", plan="starter", subscription_status="trialing")
    ledger.used(trial, [(at(last, 2), "ai_call", 5_000)])
    with ledger.database.superuser() as connection, connection.transaction():
        world.name_the_change(connection)
        connection.execute(
            "INSERT INTO credit_notes (organization_id, period_start, amount_minor, currency, reason, created_at)"
            " VALUES (%s, %s, 100, 'EUR', 'late', %s)", [customer, at(last, hour=0), at(last, 15)],
        )  # fmt: skip
    fees, early, late, note = 3 * 4_900, 500 * 6, 400 * 6, 100

    def compared(day: int, wanted: Wanted | None = None) -> int:
        monkeypatch.setattr(periods, "today", lambda _zone: running.replace(day=day))
        (found,) = reports.revenue(mara, wanted=wanted, before=True)
        return found.minor

    assert compared(1) == fees
    assert compared(2) == compared(14) == fees + early
    assert compared(15) == fees + early - note
    assert compared(20) == compared(28) == fees + early + late - note
    (whole,) = reports.revenue(mara, wanted=Wanted(period=reports.word(last)))
    assert compared(28) == whole.minor
    before_last = Wanted(period=reports.word(last))
    assert compared(1, before_last) == fees, "all of the month before"
