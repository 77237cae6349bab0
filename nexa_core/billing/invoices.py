"""Invoices: what a period comes to, line by line, each line with the sentence it follows from.

The lines are ``nexa.invoice_lines``; here the one line of overage is opened by type of event. Its amount is divided
among the types by the largest remainder, so that the lines still add up to the same integer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text

from nexa_core.actor import Actor
from nexa_core.billing import reach
from nexa_core.billing.money import written
from nexa_core.billing.periods import Period, period_of
from nexa_core.db import reading
from nexa_core.errors import Conflict, NotFound

#: Stated on every invoice.
ROUNDING = (
    "Each line is rounded to the minor unit, a half to the even one; the total is the sum of the lines. "
    "Fees are divided by time: a line is what accrued until its end less what had accrued until its beginning."
)
#: Most periods a list of invoices shows.
MOST_PERIODS = 36

# One statement, so that the lines and the events they follow from are of the same moment.
_INVOICE = text("""
WITH lines AS MATERIALIZED (
    SELECT *, row_number() OVER (PARTITION BY kind ORDER BY since, until, reference) AS number
    FROM nexa.invoice_lines(:organization, :at)
), over AS (
    SELECT allowance FROM lines WHERE kind = 'overage'
), running AS (
    SELECT e.event_type, e.credits_consumed AS credits,
           sum(e.credits_consumed) OVER (ORDER BY e.occurred_at, e.id) AS total,
           (SELECT allowance FROM over) AS allowance
    FROM usage_events e
    WHERE e.organization_id = :organization AND e.occurred_at >= :starts AND e.occurred_at < :ends
), parts AS (
    SELECT event_type, credits,
           coalesce(greatest(total - allowance, 0) - greatest(total - credits - allowance, 0), 0) AS over
    FROM running
), types AS (
    SELECT event_type, count(*) AS events, sum(credits)::bigint AS credits, sum(over)::bigint AS over,
           count(*) FILTER (WHERE over <> 0) AS over_events, count(*) FILTER (WHERE credits <> over) AS included_events
    FROM parts GROUP BY event_type
)
SELECT (SELECT json_agg(l ORDER BY number) FROM lines l) AS lines,
       coalesce((SELECT json_agg(t ORDER BY event_type) FROM types t), '[]') AS types
""")
_TOTALS = text("""
SELECT to_char(l.period_start AT TIME ZONE :zone, 'YYYY-MM') AS period, l.period_start, l.currency,
       bool_or(l.period_end > now()) AS is_running, sum(l.amount_minor)::bigint AS total_minor,
       coalesce(sum(l.quantity) FILTER (WHERE kind = 'overage'), 0)::bigint AS overage,
       coalesce(sum(l.quantity) FILTER (WHERE kind IN ('included', 'overage')), 0)::bigint AS used,
       coalesce(sum(l.amount_minor) FILTER (WHERE kind IN ('credit', 'refund')), 0)::bigint AS credited_minor,
       string_agg(DISTINCT l.plan_name, ', ') FILTER (WHERE kind = 'base') AS plans
FROM generate_series(0, :back) back
CROSS JOIN LATERAL nexa.invoice_lines(:organization,
    ((nexa.period_start(now(), :zone) AT TIME ZONE :zone) - make_interval(months => back)) AT TIME ZONE :zone) l
WHERE l.period_end > :since
GROUP BY 1, 2, 3 ORDER BY 2 DESC
""")


@dataclass(frozen=True, slots=True)
class Line:
    """One line: ``amount_minor`` is what it adds to the total; ``key`` names it for as long as nothing changes.

    ``unit_minor`` is the price of ``unit_quantity``. ``events`` is how many usage events stand behind it.
    """

    key: str
    kind: str
    title: str
    derivation: str
    quantity: int
    unit_minor: int
    unit_quantity: int
    amount_minor: int
    since: dt.datetime
    until: dt.datetime
    event_type: str | None = None
    events: int = 0


@dataclass(frozen=True, slots=True)
class Invoice:
    """What a period comes to; a preview while it is running. Amounts are minor units of ``currency``."""

    number: str
    organization_id: UUID
    name: str
    slug: str
    billing_email: str | None
    tax_id: str | None
    address: Mapping[str, Any]
    period: Period
    currency: str
    plan: str
    allowance: int | None
    used: int
    lines: tuple[Line, ...]

    @property
    def total_minor(self) -> int:
        return sum(line.amount_minor for line in self.lines)

    @property
    def overage(self) -> int:
        return max(self.used - self.allowance, 0) if self.allowance is not None else 0

    def line(self, key: str) -> Line:
        """The line of that key. Raises NotFound."""
        for line in self.lines:
            if line.key == key:
                return line
        raise NotFound("This invoice has no such line.")


@dataclass(frozen=True, slots=True)
class InvoiceTotal:
    """One period in a list of invoices."""

    period: str
    starts: dt.datetime
    is_running: bool
    plans: str
    used: int
    overage: int
    credited_minor: int
    total_minor: int
    currency: str


def organization_of(actor: Actor, *, slug: str | None = None) -> UUID:
    """Whose invoices a screen shows: those of the slug, else the actor's own organization's.

    Raises NotFound for one out of reach, Forbidden without BILLING_READ.
    """
    if slug is None or slug == actor.organization_slug:
        if actor.organization_id is None:
            raise NotFound("There is no such organization.")
        reach.require(actor, actor.organization_id)
        return actor.organization_id
    with reading(actor) as db:
        found = reach.id_of(db, actor, slug)
    reach.require(actor, found)
    return found


def invoice(actor: Actor, *, organization_id: UUID, period: str | None = None) -> Invoice:
    """The invoice of a period (``2026-11``), by default of the one that is running.

    Raises NotFound for an organization out of reach, Forbidden without BILLING_READ, Invalid for a period that is none
    or has not begun, Conflict where the organization did not exist in it.
    """
    reach.require(actor, organization_id)
    with reading(actor) as db:
        billed = reach.subject(db, actor, organization_id)
        when = period_of(db, billed.time_zone, period)
        if when.ends <= billed.created_at:
            raise Conflict(f"{billed.name} was not a customer in {when.name} yet.")
        found = db.execute(
            _INVOICE, {"organization": billed.id, "at": when.starts, "starts": when.starts, "ends": when.ends}
        ).one()
    rows = found.lines or []
    included = next((row for row in rows if row["kind"] == "included"), None)
    if included is None:
        raise Conflict(f"{billed.name} has nothing to be invoiced for in {when.name}.")
    overage = next((row for row in rows if row["kind"] == "overage"), None)
    lines = tuple(line for kind in _KINDS for line in _lines(kind, rows, found.types, when))
    return Invoice(
        number=f"{billed.slug.upper()}-{when.name}", organization_id=billed.id, name=billed.name, slug=billed.slug,
        billing_email=billed.billing_email, tax_id=billed.tax_id, address=billed.address, period=when,
        currency=included["currency"], plan=included["plan_name"] or included["plan"],
        allowance=included["allowance"], used=included["quantity"] + (overage["quantity"] if overage else 0),
        lines=lines,
    )  # fmt: skip


def invoices(actor: Actor, *, organization_id: UUID, limit: int = 13) -> tuple[InvoiceTotal, ...]:
    """What each of the latest periods comes to, the running one first; at most 36.

    Raises as :func:`invoice` does.
    """
    reach.require(actor, organization_id)
    with reading(actor) as db:
        billed = reach.subject(db, actor, organization_id)
        rows = db.execute(
            _TOTALS,
            {
                "organization": billed.id,
                "zone": billed.time_zone,
                "since": billed.created_at,
                "back": min(max(limit, 1), MOST_PERIODS) - 1,
            },
        ).all()
    return tuple(
        InvoiceTotal(
            row.period, row.period_start, row.is_running, row.plans or "–", row.used, row.overage, row.credited_minor,
            row.total_minor, row.currency,
        )
        for row in rows
    )  # fmt: skip


_KINDS = ("base", "seats", "included", "overage", "credit", "refund")


def _lines(kind: str, rows: Sequence[Any], types: Sequence[Any], period: Period) -> list[Line]:
    found = [row for row in rows if row["kind"] == kind]
    match kind:
        case "base" | "seats":
            return [_fee(row, period) for row in found]
        case "included":
            return [_included(row, types, period) for row in found]
        case "overage":
            return [line for row in found for line in _overage(row, types, period)]
        case _:
            return [_given_back(row) for row in found]


def _fee(row: Mapping[str, Any], period: Period) -> Line:
    since, until = _moment(row["since"]), _moment(row["until"])
    name, price = row["plan_name"] or row["plan"], written(row["unit_minor"], row["currency"])
    whole = since == period.starts and until == period.ends
    status = row["subscription_status"]
    times = (
        "the whole month" if whole else f"{_span(since, until, period)}, {_share(since, until, period)} of the month"
    )
    if row["kind"] == "seats":
        title = f"{row['quantity']:,} seats more than {name} includes"
        why = f"{row['quantity']:,} seats at {price} a month each, {times}"
    else:
        title = f"{name}, monthly fee"
        why = f"{name} at {price} a month, {times}"
        if status not in ("active", "past_due"):
            why = f"{name} while the subscription is {_STATUS.get(status, status)}, {times}: no fee"
    if period.is_running and until == period.ends:
        why += "; the period is running, so this is as if nothing changed until its end"
    return Line(
        f"{row['kind']}-{row['number']}", row["kind"], title, why + ".", row["quantity"], row["unit_minor"], 1,
        row["amount_minor"], since, until,
    )  # fmt: skip


def _included(row: Mapping[str, Any], types: Sequence[Any], period: Period) -> Line:
    by_type = [(t["event_type"], t["credits"] - t["over"]) for t in types if t["credits"] != t["over"]]
    parts = ", ".join(f"{named_event(name)} {within:,}" for name, within in by_type)
    allowance = row["allowance"]
    of = "without a limit" if allowance is None else f"of {allowance:,} in the allowance"
    why = f"{row['quantity']:,} credits {of}" + (f": {parts}" if parts else "")
    events = sum(t["included_events"] for t in types)
    return Line(
        "included", "included", "Credits within the allowance", why + ".", row["quantity"], 0, 1, 0, period.starts,
        period.ends, events=events,
    )  # fmt: skip


def _overage(row: Mapping[str, Any], types: Sequence[Any], period: Period) -> list[Line]:
    over = [t for t in types if t["over"] != 0]
    amounts = shares(row["amount_minor"], [t["over"] for t in over])
    price = f"{written(row['unit_minor'], row['currency'])} for {row['unit_quantity']:,}"
    free = ", on trial: not charged" if row["subscription_status"] == "trialing" else ""
    return [
        Line(
            f"overage-{t['event_type']}", "overage", f"{named_event(t['event_type'])}, over the allowance",
            f"{t['over']:,} of the {row['quantity']:,} credits over the allowance, at {price}{free}; "
            f"{written(row['amount_minor'], row['currency'])} for all of them, divided by the largest remainder.",
            t["over"], row["unit_minor"], row["unit_quantity"], amount, period.starts, period.ends, t["event_type"],
            t["over_events"],
        )
        for t, amount in zip(over, amounts, strict=True)
    ]  # fmt: skip


def _given_back(row: Mapping[str, Any]) -> Line:
    at = _moment(row["since"])
    title = "Refund" if row["kind"] == "refund" else "Credit note"
    why = f"{title} of {at.date().isoformat()}: {row['note']}"
    return Line(
        f"{row['kind']}-{row['reference']}",
        row["kind"],
        title,
        why,
        1,
        row["unit_minor"],
        1,
        row["amount_minor"],
        at,
        at,
    )


def shares(amount: int, weights: Sequence[int]) -> list[int]:
    """An amount divided in proportion to weights, whole units that add up to it: the largest remainder (Hamilton).

    Of equal remainders the first one gets the unit. Weights whose sum is 0 get nothing but the first, all of it.
    """
    whole = sum(weights)
    if whole == 0:
        return [amount if number == 0 else 0 for number in range(len(weights))]
    parts = [amount * weight // whole for weight in weights]
    left = amount - sum(parts)
    order = sorted(range(len(weights)), key=lambda n: (-(amount * weights[n] % whole), n))
    for number in order[:left]:
        parts[number] += 1
    return parts


def named_event(event_type: str) -> str:
    """A type of event as a person reads it."""
    return _EVENTS.get(event_type, event_type.replace("_", " ").replace(".", " ").capitalize())


_EVENTS = {
    "ai_call": "AI calls", "session_save": "Saves", "diagram_render": "Diagrams", "pdf_export": "PDF exports",
    "share_view": "Shared views", "session_create": "New sessions", "export": "Exports", "refund": "Refunds",
}  # fmt: skip
_STATUS = {"trialing": "on trial"}


def _moment(value: str) -> dt.datetime:
    return dt.datetime.fromisoformat(value).astimezone(dt.UTC)


def _span(since: dt.datetime, until: dt.datetime, period: Period) -> str:
    zone = ZoneInfo(period.time_zone)
    begin, end = (f"{at.astimezone(zone):%Y-%m-%d %H:%M}" for at in (since, until))
    return f"from {begin} to {end} ({period.time_zone})"


def _share(since: dt.datetime, until: dt.datetime, period: Period) -> str:
    return f"{100 * ((until - since) / (period.ends - period.starts)):.2f} %"
