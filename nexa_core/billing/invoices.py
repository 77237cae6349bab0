"""Invoices: what a period comes to, of one organization, and each of its latest periods in a list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from nexa_core.actor import Actor
from nexa_core.billing import expired, reach
from nexa_core.billing.lines import Line, lines_of
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

# One statement, so that the lines and the events they follow from are of the same moment. Events that were let go are a
# part without a type, before those that are kept.
_INVOICE = text(f"""
WITH lines AS MATERIALIZED (
    SELECT *, row_number() OVER (PARTITION BY kind ORDER BY since, until, reference) AS number
    FROM nexa.invoice_lines(:organization, :at)
), over AS (
    SELECT allowance FROM lines WHERE kind = 'overage'
), gone AS MATERIALIZED (
    SELECT ({expired.CREDITS}) AS credits
), running AS (
    SELECT e.event_type, e.credits_consumed AS credits,
           (SELECT credits FROM gone) + sum(e.credits_consumed) OVER (ORDER BY e.occurred_at, e.id) AS total,
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
    UNION ALL
    SELECT NULL, 0, credits, coalesce(greatest(credits - (SELECT allowance FROM over), 0), 0), 0, 0
    FROM gone WHERE credits <> 0
)
SELECT (SELECT json_agg(l ORDER BY number) FROM lines l) AS lines,
       coalesce((SELECT json_agg(t ORDER BY event_type NULLS FIRST) FROM types t), '[]') AS types
""")
_TOTALS = text("""
SELECT to_char(b.month, 'YYYY-MM') AS period, l.period_start, l.currency,
       bool_or(l.period_end > now()) AS is_running, sum(l.amount_minor)::bigint AS total_minor,
       coalesce(sum(l.quantity) FILTER (WHERE kind = 'overage'), 0)::bigint AS overage,
       coalesce(sum(l.quantity) FILTER (WHERE kind IN ('included', 'overage')), 0)::bigint AS used,
       coalesce(sum(l.amount_minor) FILTER (WHERE kind IN ('credit', 'refund')), 0)::bigint AS credited_minor,
       string_agg(DISTINCT l.plan_name, ', ') FILTER (WHERE kind = 'base') AS plans
FROM generate_series(0, :back) back
CROSS JOIN LATERAL (SELECT (nexa.billing_month(:organization, now()) - make_interval(months => back))::date AS month) b
CROSS JOIN LATERAL nexa.invoice_lines(:organization, nexa.day_begins(:organization, b.month)) l
WHERE l.period_end > :since
GROUP BY 1, 2, 3 ORDER BY 2 DESC
""")
_NAMES = text("""
SELECT to_char(m, 'YYYY-MM') FROM organizations o
CROSS JOIN generate_series(nexa.billing_month(o.id, o.created_at),
                           nexa.billing_month(o.id, least(now(), o.deleted_at)), interval '1 month') m
WHERE o.id = :organization ORDER BY m DESC
""")


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
        when = period_of(db, billed.id, period)
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
    lines = lines_of(rows, found.types, when)
    return Invoice(
        number=f"{billed.slug.upper()}-{when.name}", organization_id=billed.id, name=billed.name, slug=billed.slug,
        billing_email=billed.billing_email, tax_id=billed.tax_id, address=billed.address, period=when,
        currency=included["currency"], plan=included["plan_name"] or included["plan"],
        allowance=included["allowance"], used=included["quantity"] + (overage["quantity"] if overage else 0),
        lines=lines,
    )  # fmt: skip


def periods(actor: Actor, *, organization_id: UUID) -> tuple[str, ...]:
    """The names of every period an organization has an invoice of, the latest first. Raises as :func:`invoice` does."""
    reach.require(actor, organization_id)
    with reading(actor) as db:
        billed = reach.subject(db, actor, organization_id)
        return tuple(db.scalars(_NAMES, {"organization": billed.id}))


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
