"""Invoices: lines that add up, fees divided by time without loss, and the same integer whichever way it is asked."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from typing import Any
from uuid import UUID

import openpyxl
import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexa_core import billing
from nexa_core.actor import Actor
from nexa_core.billing.lines import shares
from nexa_core.errors import Conflict, Forbidden, Invalid, NotFound
from tests.nexa_core.billing.conftest import EPOCH, Ledger
from tests.worlds import World

BERLIN = "Europe/Berlin"
#: March in Berlin has 743 hours, one less than its days say; February 2028 has 29 days.
PERIODS = {"2026-03": (BERLIN, 743), "2026-10": (BERLIN, 745), "2028-02": ("UTC", 696), "2026-02": ("Asia/Tokyo", 672)}


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text + "+00:00")


def half_even(value: Fraction) -> int:
    return round(value)  # Python rounds a Fraction half to even


TERMS = st.fixed_dictionaries(
    {
        "plan_type": st.sampled_from(["free", "starter", "professional", "enterprise", "former"]),
        "subscription_status": st.sampled_from(["active", "active", "past_due", "trialing", "canceled"]),
        "agreed_prices": st.sampled_from([{}, {}, {"price_minor": 1}, {"price_minor": 99_999_999_999}]),
    }
)
PRICES = {"free": 0, "starter": 4_900, "professional": 24_900, "enterprise": 149_000, "former": 0}


def fee(terms: dict[str, Any]) -> int:
    if terms["subscription_status"] not in ("active", "past_due"):
        return 0
    price: int = terms["agreed_prices"].get("price_minor", PRICES[terms["plan_type"]])
    return price


def test_any_sequence_of_plans_adds_up_to_the_whole(ledger: Ledger, root: Actor) -> None:
    """The lines are what time makes of the fees, together rounded once; of one price, exactly that price."""
    organization = ledger.customer(time_zone=BERLIN)
    starts, length = at("2026-02-28T23:00"), dt.timedelta(hours=743)

    @settings(max_examples=40, deadline=None)
    @given(
        changes=st.lists(
            st.tuples(st.integers(0, 743 * 3_600_000_000 - 1), TERMS), max_size=6, unique_by=lambda c: c[0]
        ),
        first=TERMS,
        same=st.booleans(),
    )
    def adds_up(changes: list[tuple[int, dict[str, Any]]], first: dict[str, Any], same: bool) -> None:
        if same:  # cut into pieces, and still the same price
            changes = [(when, first | {"usage_limits": {"seats": n}}) for n, (when, _) in enumerate(changes)]
        rows = [
            (EPOCH, first),
            *((starts + dt.timedelta(microseconds=w), terms) for w, terms in sorted(changes, key=lambda c: c[0])),
        ]
        ledger.assigned(organization, rows)
        found = billing.invoice(root, organization_id=organization, period="2026-03")
        base = [line for line in found.lines if line.kind == "base"]
        whole = Fraction(0)
        for (since, terms), until in zip(rows, [*(when for when, _ in rows[1:]), starts + length], strict=True):
            share = (until - max(since, starts)) / dt.timedelta(microseconds=1)
            whole += Fraction(fee(terms)) * int(share) / (743 * 3_600_000_000)
        assert sum(line.amount_minor for line in base) == half_even(whole)
        if same:
            assert sum(line.amount_minor for line in base) == fee(first)
        assert [line.since for line in base] == [starts, *(line.until for line in base[:-1])]
        assert base[-1].until == starts + length
        assert all(line.amount_minor >= 0 for line in base)

    adds_up()


def test_periods_tile_time_in_every_zone(database: Any) -> None:
    """No gap, no overlap, and every instant in exactly the period that is computed for it: 20 years, all zones."""
    with database.superuser() as connection:
        wrong, looked = connection.execute(
            """
            WITH months AS (
                SELECT z.name AS zone, m AS local, nexa.period_start(m AT TIME ZONE z.name, z.name) AS starts,
                       nexa.period_end(m AT TIME ZONE z.name, z.name) AS ends,
                       (m + interval '1 month') AT TIME ZONE z.name AS next
                FROM pg_timezone_names z,
                     generate_series(timestamp '2010-01-01', timestamp '2030-01-01', interval '1 month') m
                WHERE z.name !~ '^(posix|right)/|^(localtime|Factory)$'
            )
            SELECT count(*) FILTER (WHERE starts >= ends OR ends <> nexa.period_start(next, zone)
                OR nexa.period_start(ends - interval '1 microsecond', zone) <> starts
                OR nexa.period_start(starts, zone) <> starts OR nexa.period_start(ends, zone) <> ends
                OR nexa.period_end(ends - interval '1 microsecond', zone) <> ends
                OR ends - starts NOT BETWEEN interval '27 days' AND interval '32 days'), count(*)
            FROM months"""
        ).fetchone()
    assert wrong == 0
    assert looked > 100_000


@pytest.mark.parametrize("name", PERIODS)
def test_a_period_is_as_long_as_its_clock_says(ledger: Ledger, root: Actor, name: str) -> None:
    zone, hours = PERIODS[name]
    organization = ledger.customer(time_zone=zone)
    if name > "2026-12":
        with pytest.raises(Invalid, match="has not begun"):
            billing.invoice(root, organization_id=organization, period=name)
        with ledger.database.superuser() as connection:
            found = connection.execute(
                "SELECT nexa.period_end(timestamptz '2028-02-29 12:00+00', %s) - nexa.period_start(timestamptz"
                " '2028-02-29 12:00+00', %s)", [zone, zone],
            ).fetchone()  # fmt: skip
        assert found == (dt.timedelta(hours=hours),)
        return
    period = billing.invoice(root, organization_id=organization, period=name).period
    assert period.ends - period.starts == dt.timedelta(hours=hours)
    assert not period.is_running


@given(amount=st.integers(0, 10**15), weights=st.lists(st.integers(0, 10**9), min_size=1, max_size=8))
def test_shares_add_up_and_are_within_one_unit_of_their_part(amount: int, weights: list[int]) -> None:
    found = shares(amount, weights)
    assert sum(found) == amount
    if whole := sum(weights):
        assert all(abs(Fraction(amount * w, whole) - part) < 1 for part, w in zip(found, weights, strict=True))


@given(dividend=st.integers(0, 10**20), divisor=st.integers(1, 10**9))
def test_half_even_is_the_nearest_integer(dividend: int, divisor: int) -> None:
    from nexa_core.billing.rehearsal import half_even as ours

    assert ours(dividend, divisor) == half_even(Fraction(dividend, divisor))


EVENTS = st.lists(
    st.tuples(
        st.integers(0, 30 * 86_400 - 1), st.sampled_from(["ai_call", "pdf_export", "odd_one"]), st.integers(0, 400)
    ),
    max_size=40,
)


def test_overage_is_the_credits_beyond_the_allowance_to_the_event(ledger: Ledger, root: Actor) -> None:
    """By type, by event and as a sum, the same as a loop over the events says; whatever their order and size."""

    @settings(max_examples=15, deadline=None)
    @given(events=EVENTS, allowance=st.sampled_from([0, 1, 100, 1_000, None]), currency=st.sampled_from(["EUR", "JPY"]))
    def agrees(events: list[tuple[int, str, int]], allowance: int | None, currency: str) -> None:
        organization = ledger.customer(f"N{ledger.__dict__.setdefault('n', 0)}", currency=currency)
        ledger.__dict__["n"] += 1
        ledger.assigned(organization, [(EPOCH, {"usage_limits": {"monthly_credits": allowance}, "currency": currency})])
        when = [(at("2026-06-01T00:00") + dt.timedelta(seconds=s), kind, amount) for s, kind, amount in events]
        ledger.used(organization, when)
        over: dict[str, int] = {}
        total = 0
        for _, kind, amount in sorted(when, key=lambda e: e[0]):
            before, total = total, total + amount
            if allowance is not None:
                over[kind] = over.get(kind, 0) + max(total - allowance, 0) - max(before - allowance, 0)
        found = billing.invoice(root, organization_id=organization, period="2026-06")
        lines = {line.event_type: line for line in found.lines if line.kind == "overage"}
        moments = [e[0] for e in when]
        if len(set(moments)) == len(moments):  # at the same instant the event's identifier decides
            assert {kind: line.quantity for kind, line in lines.items()} == {k: v for k, v in over.items() if v}
        assert sum(line.quantity for line in lines.values()) == sum(over.values()) == found.overage
        price = {"EUR": 600, "JPY": 950}[currency]
        assert sum(line.amount_minor for line in lines.values()) == half_even(Fraction(sum(over.values()) * price, 100))
        for line in found.lines:
            if line.kind not in ("overage", "included"):
                continue
            seen, after = [], None
            while True:
                page = billing.line_events(
                    root, organization_id=organization, period="2026-06", line=line.key, after=after, limit=7
                )
                seen += page.items
                if (after := page.next_cursor) is None:
                    break
            assert sum(event.billed for event in seen) == line.quantity
            assert len(seen) == line.events == len({event.id for event in seen})

    agrees()


def file(root: Actor, organization: UUID, period: str, form: Any) -> bytes:
    with billing.export_invoice(root, organization_id=organization, period=period, form=form) as found:
        return found.read()


def totals(ledger: Ledger, root: Actor, organization: UUID, period: str) -> dict[str, int]:
    """What an invoice comes to, from everywhere but the screen and the API."""
    found = billing.invoice(root, organization_id=organization, period=period)
    table = list(csv.DictReader(io.StringIO(file(root, organization, period, "csv").decode("utf-8-sig"))))
    book = openpyxl.load_workbook(io.BytesIO(file(root, organization, period, "xlsx")))
    rows = list(book["Invoice"].iter_rows(values_only=True))
    pdf = pypdf.PdfReader(io.BytesIO(file(root, organization, period, "pdf")))
    text = " ".join(page.extract_text() for page in pdf.pages)
    written = text.split("Total")[1].split(found.currency)[0].strip().replace("−", "-")
    with ledger.database.superuser() as connection:
        raw = connection.execute(
            "SELECT sum(amount_minor)::bigint FROM nexa.invoice_lines(NULL, %s) WHERE organization_id = %s",
            [found.period.starts, organization],
        ).fetchone()
    assert raw
    listed = {total.period: total for total in billing.invoices(root, organization_id=organization, limit=36)}
    scale = 10 ** billing.digits(found.currency)
    assert [word for row in book["Definitions"].iter_rows(values_only=True) for word in row][:1] == ["Organization"]
    return {
        "verb": found.total_minor,
        "list": listed[period].total_minor,
        "csv": sum(int(row["Amount (minor units)"]) for row in table),
        "csv amounts": int(sum(round(float(row["Amount"]) * scale) for row in table)),
        "xlsx": sum(row[11] for row in rows[1:-1]),
        "xlsx total": rows[-1][11],
        "xlsx amount": round(rows[-1][10] * scale),
        "pdf": round(float(written.replace(",", "")) * scale),
        "sql": raw[0],
    }


@pytest.mark.parametrize("currency", ["EUR", "JPY", "INR"])
def test_the_total_is_the_same_integer_from_everywhere(ledger: Ledger, root: Actor, currency: str) -> None:
    organization = ledger.customer("=Northwind", slug="northwind", currency=currency, time_zone="Pacific/Auckland")
    here = {"currency": currency}
    ledger.assigned(
        organization,
        [
            (EPOCH, here | {"plan_type": "professional"}),
            (at("2026-06-11T07:13:00.123456"), here | {"plan_type": "starter", "usage_limits": {"seats": 13}}),
        ],
    )
    moments = [at("2026-06-02T10:00") + dt.timedelta(hours=n * 5) for n in range(100)]
    ledger.used(organization, [(m, ("ai_call", "pdf_export", "=odd")[n % 3], 11 + n) for n, m in enumerate(moments)])
    billing.issue_credit(
        root, organization_id=organization, period="2026-06", amount_minor=777, reason="=1+1 an outage"
    )
    found = totals(ledger, root, organization, "2026-06")
    assert len(set(found.values())) == 1, found
    kinds = [line.kind for line in billing.invoice(root, organization_id=organization, period="2026-06").lines]
    assert kinds == ["base", "base", "seats", "included", "overage", "overage", "overage", "credit"]
    text = file(root, organization, "2026-06", "csv").decode()
    assert "\n=" not in text and ",=" not in text
    with ledger.database.superuser() as connection:  # the control: another rounding shows
        body = connection.execute("SELECT pg_get_functiondef('nexa.divide_half_even'::regproc)").fetchone()
        assert body
        connection.execute(body[0].replace("(div(dividend, divisor)", "(2 * div(dividend, divisor)").encode())
    assert totals(ledger, root, organization, "2026-06")["sql"] != found["sql"]


def test_credits_cannot_exceed_the_invoice_even_together(ledger: Ledger, root: Actor) -> None:
    organization = ledger.customer(plan="starter")
    give = {"organization_id": organization, "period": "2026-06", "reason": "an outage"}
    for amount in (0, -1, True, 2**63, 1.5):
        with pytest.raises(Invalid):
            billing.issue_credit(root, amount_minor=amount, **give)  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="Say why"):
        billing.issue_credit(root, amount_minor=1, organization_id=organization, period="2026-06", reason=" ")
    first = billing.issue_credit(root, amount_minor=1, **give)  # type: ignore[arg-type]
    with pytest.raises(Conflict, match="more than that"):
        billing.issue_credit(root, amount_minor=first.total_minor + 1, **give)  # type: ignore[arg-type]

    def attempt(_: int) -> int:
        try:
            return billing.issue_credit(root, amount_minor=first.total_minor // 2, **give).amount_minor  # type: ignore[arg-type]
        except Conflict:
            return 0

    assert first.total_minor == 4_899
    with ThreadPoolExecutor(6) as pool:
        given_back = list(pool.map(attempt, range(6)))
    assert sorted(given_back) == [0, 0, 0, 0, 2_449, 2_449]
    assert billing.invoice(root, organization_id=organization, period="2026-06").total_minor == 1


def test_who_repeats_a_request_gives_money_back_once(ledger: Ledger, root: Actor) -> None:
    organization, other = ledger.customer(plan="starter"), ledger.customer("Other", plan="starter")
    give: dict[str, Any] = {"period": "2026-06", "amount_minor": 4_000, "reason": "an outage", "idempotency_key": "k"}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: billing.issue_credit(root, organization_id=organization, **give), range(4)))
    assert len(set(answers)) == 1 and answers[0].total_minor == 900
    for changes in ({"amount_minor": 1}, {"period": "2026-05"}, {"kind": "refund"}, {"reason": "another"}):
        with pytest.raises(Conflict, match="used before"):
            billing.issue_credit(root, organization_id=organization, **give | changes)
    for key in ("", "k" * 256, "k\n"):
        with pytest.raises(Invalid, match="idempotency key"):
            billing.issue_credit(root, organization_id=organization, **give | {"idempotency_key": key})
    assert billing.issue_credit(root, organization_id=other, **give).id != answers[0].id
    small = give | {"amount_minor": 1, "idempotency_key": None}
    assert billing.issue_credit(root, organization_id=organization, **small).total_minor == 899
    assert billing.issue_credit(root, organization_id=organization, **small).total_minor == 898


def test_a_credit_note_is_of_the_customers_own_day(ledger: Ledger, root: Actor) -> None:
    organization = ledger.customer(plan="starter", time_zone="Asia/Tokyo")
    note = billing.issue_credit(root, organization_id=organization, period="2026-06", amount_minor=1, reason="late")
    with ledger.database.superuser() as connection:
        connection.execute("SET session_replication_role = replica")  # noon in New York, past midnight in Tokyo
        connection.execute("UPDATE credit_notes SET created_at = '2026-07-01 16:00+00' WHERE id = %s", [note.id])
    line = billing.invoice(root, organization_id=organization, period="2026-06").lines[-1]
    assert line.derivation == "Credit note of 2026-07-02: late"


def test_every_month_of_a_customer_can_be_chosen(ledger: Ledger, root: Actor) -> None:
    organization = ledger.customer(since="2020-01-31", time_zone="Pacific/Auckland")  # 13 hours on it is 31 January
    names = billing.periods(root, organization_id=organization)
    assert names[0] == billing.invoice(root, organization_id=organization).period.name
    assert names[-1] == "2020-01" and len(names) == len(set(names)) > 80
    assert list(names) == sorted(names, reverse=True)
    assert billing.invoice(root, organization_id=organization, period=names[-1]).period.name == "2020-01"
    listed = billing.invoices(root, organization_id=organization, limit=36)
    assert tuple(total.period for total in listed) == names[:36]


def test_whose_invoices_one_sees(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """The billing contact its own; an account manager as the setting says; a presenter demo organizations only."""
    from nexa_core.config import settings as configured

    world = ledger.world
    mine, other = ledger.customer("Mine"), ledger.customer("Other", is_demo=True)
    nexa = world.organization("NEXA", is_platform=True)
    people = {
        "billing": world.actor(world.person("b@mine.example", mine, role="billing"), mine),
        "member": world.actor(world.person("m@mine.example", mine, role="member"), mine),
        "manager": world.actor(manager := world.person("am@nexa.example", nexa, role="billing"), nexa),
        "presenter": world.actor(world.person("p@nexa.example", nexa, role="viewer"), nexa),
    }
    with ledger.database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        connection.execute("UPDATE organizations SET account_manager_id = %s WHERE id = %s", [manager, mine])

    def sees(who: str, organization: UUID) -> str:
        answers = set()
        for verb in (
            lambda: billing.invoice(people[who], organization_id=organization),
            lambda: billing.invoices(people[who], organization_id=organization),
            lambda: billing.periods(people[who], organization_id=organization),
            lambda: billing.rehearse(people[who], organization_id=organization),
            lambda: billing.plan_fit(people[who], organization_id=organization),
            lambda: billing.line_events(people[who], organization_id=organization, period=None, line="included"),
            lambda: billing.export_invoice(people[who], organization_id=organization).close(),
        ):
            try:
                verb()
                answers.add("sees")
            except NotFound:
                answers.add("hidden")
            except Forbidden:
                answers.add("forbidden")
        (answer,) = answers
        return answer

    assert [sees(who, mine) for who in people] == ["sees", "forbidden", "sees", "hidden"]
    assert [sees(who, other) for who in people] == ["hidden", "hidden", "sees", "sees"]
    assert set(billing.plan_fits(people["billing"])) == {mine}
    assert set(billing.plan_fits(people["presenter"])) == {other}
    assert set(billing.plan_fits(people["manager"])) == {mine, other}
    monkeypatch.setattr(configured(), "account_managers_see", "own")
    assert [sees("manager", organization) for organization in (mine, other)] == ["sees", "hidden"]
    assert set(billing.plan_fits(people["manager"])) == {mine}
    give = {"period": None, "amount_minor": 1, "reason": "x", "organization_id": mine}
    for who in ("billing", "member", "presenter"):
        with pytest.raises((Forbidden, NotFound)):
            billing.issue_credit(people[who], **give)  # type: ignore[arg-type]


def test_a_broken_cursor_period_or_line_is_said(ledger: Ledger, root: Actor) -> None:
    organization = ledger.customer()
    for period in ("2026-13", "26-01", "1999-12", "9999-12", "", "2026-06-01"):
        with pytest.raises(Invalid):
            billing.invoice(root, organization_id=organization, period=period)
    with pytest.raises(Conflict, match="not a customer"):
        billing.invoice(root, organization_id=organization, period="2019-12")
    for cursor in ("x", "bm9uc2Vuc2U", json.dumps(["2026-01-01", "x"])):
        with pytest.raises(Invalid):
            billing.line_events(root, organization_id=organization, period=None, line="included", after=cursor)
    for line in ("base-1", "overage-", "nothing"):
        with pytest.raises(NotFound):
            billing.line_events(root, organization_id=organization, period=None, line=line)
