"""/api/billing: the same integers as everywhere, and refusals with their status."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

from nexa_core import accounts, billing
from nexa_core.actor import Actor, Origin
from tests.databases import TestDatabase
from tests.promises.audited_rows import Client
from tests.worlds import PASSWORD, World


def test_an_invoice_its_events_and_its_files_say_the_same(database: TestDatabase, world: World) -> None:
    from tests.nexa_core.billing.conftest import Ledger

    ledger = Ledger(world)
    northwind = ledger.customer("Northwind", plan="starter", currency="JPY")
    other = ledger.customer("Other")
    world.person("ada@northwind.example", northwind, role="owner")
    paul = world.person("paul@northwind.example", northwind, role="billing")
    month = dt.datetime.now(dt.UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0) - dt.timedelta(days=3)
    ledger.used(northwind, [(month + dt.timedelta(minutes=n), "ai_call", 40) for n in range(60)], paul)
    period = f"{month:%Y-%m}"
    pair = accounts.issue_tokens(Origin(), email="paul@northwind.example", password=PASSWORD)
    header = {"authorization": f"Bearer {pair.access_token}"}
    client = Client()

    def get(path: str, organization: Any = northwind) -> Any:
        return client.get(f"/api/billing/invoices/{organization}{path}", headers=header)

    invoice = get(f"/invoice?period={period}").json()
    truth = billing.invoice(Actor.system(), organization_id=northwind, period=period)
    assert invoice["total_minor"] == truth.total_minor == sum(line["amount_minor"] for line in invoice["lines"])
    assert invoice["currency"] == "JPY" and invoice["overage"] == 1_400
    listed = {total["period"]: total["total_minor"] for total in get("?limit=3").json()}
    assert listed[period] == truth.total_minor
    rows = list(csv.DictReader(io.StringIO(get(f"/file?period={period}&form=csv").content.decode("utf-8-sig"))))
    assert sum(int(row["Amount (minor units)"]) for row in rows) == truth.total_minor
    assert get(f"/file?period={period}").content.startswith(b"%PDF")
    seen, after = [], ""
    while after is not None:
        page = get(
            f"/events?period={period}&line=overage-ai_call&limit=10" + (f"&after={after}" if after else "")
        ).json()
        seen, after = seen + page["items"], page["next_cursor"]
    assert sum(event["billed"] for event in seen) == 1_400
    assert {event["person"] for event in seen} == {"Paul"}
    file = get(f"/events.csv?period={period}&line=overage-ai_call").content.decode("utf-8-sig")
    assert sum(int(row["Credits of this line"]) for row in csv.DictReader(io.StringIO(file))) == 1_400
    rehearsed = client.post(f"/api/billing/rehearsals/{northwind}", headers=header, json={"period": period}).json()
    assert {outcome["plan"]: outcome["blocked"] for outcome in rehearsed["outcomes"]}["starter"] == 35
    assert get("", other).status_code == get("/invoice", other).status_code == 404
    assert get("/invoice?period=2026-13").status_code == 422
    credit = {"period": period, "amount_minor": 1, "reason": "me"}
    assert client.post(f"/api/billing/invoices/{northwind}/credits", headers=header, json=credit).status_code == 403
