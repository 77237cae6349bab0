"""The demo world's invoices: a plan changed within a month, overage, a trial, money given back; and they add up."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from nexa_core import billing
from nexa_core.actor import Actor

ROOT = Actor.system()


def _id(slug: str) -> UUID:
    return billing.organization_of(ROOT, slug=slug)


def _kinds(slug: str) -> dict[str, list[str]]:
    """The kinds of lines of each month of a customer."""
    months = [total.period for total in billing.invoices(ROOT, organization_id=_id(slug))]
    found = {}
    for month in months:
        lines = billing.invoice(ROOT, organization_id=_id(slug), period=month).lines
        found[month] = [line.kind for line in lines]
    return found


def test_the_months_tell_each_customers_story(demo_database: Any) -> None:
    upgraded = [month for month, kinds in _kinds("lumenfold").items() if kinds.count("base") == 2]
    assert len(upgraded) == 1, "the month in which the plan changed has a line a plan"
    found = billing.invoice(ROOT, organization_id=_id("lumenfold"), period=upgraded[0])
    starter, professional = (line for line in found.lines if line.kind == "base")
    assert starter.until == professional.since and found.currency == "USD"
    assert 0 < starter.amount_minor < 5_400 and 0 < professional.amount_minor < 27_500
    assert any("overage" in kinds for kinds in _kinds("quarrowby").values())
    assert sum(kinds.count("credit") for kinds in _kinds("quarrowby").values()) == 1
    trial = billing.invoice(ROOT, organization_id=_id("nimbrook"))
    assert trial.total_minor == 0 and "on trial" in trial.lines[0].derivation
    assert billing.invoice(ROOT, organization_id=_id("pellidan")).currency == "JPY"
    agreed = billing.invoice(ROOT, organization_id=_id("brindlemoor"))
    assert agreed.lines[0].amount_minor == 119_000


def test_every_customers_last_two_months_are_the_same_integer_one_by_one_and_all_at_once(demo_database: Any) -> None:
    now = dt.datetime.now(dt.UTC)
    for at in (now, now.replace(day=1) - dt.timedelta(days=10)):
        with demo_database.superuser() as connection:
            rows = connection.execute(
                "SELECT organization_id, to_char(min(period_start AT TIME ZONE o.time_zone), 'YYYY-MM'),"
                " sum(amount_minor)::bigint FROM nexa.invoice_lines(NULL, %s) l"
                " JOIN organizations o ON o.id = l.organization_id AND o.created_at < l.period_end GROUP BY 1",
                [at],
            ).fetchall()
        assert len(rows) >= 10
        for organization, month, total in rows:
            assert billing.invoice(ROOT, organization_id=organization, period=month).total_minor == total
