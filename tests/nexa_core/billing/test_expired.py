"""After single events were let go: every sum stays what it was, and what needs the events says that they are gone."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import pytest

from nexa_core import billing
from nexa_core.actor import Actor
from nexa_core.errors import Conflict, NotFound
from tests.nexa_core.billing.conftest import EPOCH, Ledger
from tests.nexa_core.billing.test_invoices import totals

MAY, JUNE, JULY = (dt.datetime(2026, month, 1, tzinfo=dt.UTC) for month in (5, 6, 7))


def customer(ledger: Ledger, zone: str) -> UUID:
    """One that used 3,000 credits in June, a third of them within its allowance; in Auckland, half of them while it was
    May in UTC."""
    organization = ledger.customer(time_zone=zone)
    ledger.assigned(organization, [(EPOCH, {"usage_limits": {"monthly_credits": 1_000}})])
    begin = JUNE if zone == "UTC" else JUNE - dt.timedelta(hours=10)
    kinds = ("ai_call", "pdf_export", "odd_one")
    with ledger.database.superuser() as connection:
        for month in (MAY, JUNE):
            connection.execute("SELECT nexa.make_month('usage_events', %s)", [month.date()])
    ledger.used(organization, [(begin + dt.timedelta(minutes=4 * n), kinds[n % 3], 10) for n in range(300)])
    return organization


def let_go(ledger: Ledger, before: dt.datetime) -> None:
    with ledger.database.superuser() as connection:
        connection.execute("SELECT nexa.expire_usage(%s)", [before.date()])


# In Auckland, June begins twelve hours before it does in UTC: a part of its events is gone with UTC's May.
@pytest.mark.parametrize(("zone", "before"), [("UTC", JULY), ("Pacific/Auckland", JULY), ("Pacific/Auckland", JUNE)])
def test_an_invoice_stays_the_same_to_the_cent(ledger: Ledger, root: Actor, zone: str, before: dt.datetime) -> None:
    organization = customer(ledger, zone)
    was, sums = _invoice(root, organization), totals(ledger, root, organization, "2026-06")
    let_go(ledger, before)
    now = _invoice(root, organization)
    assert totals(ledger, root, organization, "2026-06") == sums
    assert (now.total_minor, now.used, now.overage) == (was.total_minor, was.used, was.overage)
    assert sum(line.quantity for line in now.lines if line.kind == "overage") == now.overage > 0
    assert any("vents no longer kept" in line.title + line.derivation for line in now.lines)
    for line in now.lines:
        if line.events:
            page = billing.line_events(root, organization_id=organization, period="2026-06", line=line.key, limit=200)
            assert len(page.items) == line.events
            if line.kind == "overage":
                assert sum(event.billed for event in page.items) == line.quantity
    if before == JULY:
        (over,) = [line for line in now.lines if line.kind == "overage"]
        assert (over.key, over.event_type, over.events, over.title) == (
            "overage", None, 0, "Events no longer kept, over the allowance",
        )  # fmt: skip
        with pytest.raises(NotFound):
            billing.line_events(root, organization_id=organization, period="2026-06", line=over.key)
    else:  # what is kept came after what is gone
        over = {line.event_type: line.quantity for line in now.lines if line.kind == "overage"}
        assert over == {None: 500, "ai_call": 500, "odd_one": 500, "pdf_export": 500}


def test_what_is_gone_is_not_replayed(ledger: Ledger, root: Actor) -> None:
    """A replay of the events that are left would say of a smaller plan that it had blocked nothing."""
    organization, ask = customer(ledger, "Pacific/Auckland"), {"period": "2026-06"}
    idle = ledger.customer("Idle", time_zone="Pacific/Auckland")
    assert billing.rehearse(root, organization_id=organization, **ask).outcome("free").blocked > 0
    let_go(ledger, JUNE)
    with pytest.raises(Conflict, match="no longer kept"):
        billing.rehearse(root, organization_id=organization, **ask)
    for other, period in ((idle, "2026-06"), (organization, "2026-07")):
        assert billing.rehearse(root, organization_id=other, period=period).blocks_nothing == "free"


def _invoice(root: Actor, organization: UUID) -> Any:
    return billing.invoice(root, organization_id=organization, period="2026-06")
