"""The customers of a portfolio as a table: what each uses of its allowance, where it leads, which plan would fit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from nexa_core import paging
from nexa_core.actor import Actor
from nexa_core.billing.fit import PlanFit, plan_fits
from nexa_core.billing.reports.figures import CUSTOMERS, OUTLOOK, SCORE, USED
from nexa_core.billing.reports.scope import Wanted, chosen, require_portfolio
from nexa_core.db import reading
from nexa_core.errors import Invalid
from nexa_core.permissions import Permission


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer of a portfolio. ``share`` is used of the allowance in per mille; ``recent`` the credits of the last
    28 complete days, oldest first; ``trend`` the last 14 of them against the 14 before, in per cent. ``plan_fit`` is
    ``fits``, the plan that would have cost less in the last whole month, or empty where nothing can be said."""

    id: UUID
    name: str
    slug: str
    plan: str
    subscription_status: str
    status: str
    account_manager: str | None
    tags: tuple[str, ...]
    used: int
    allowance: int | None
    share: int | None
    overage: int
    expected: int | None
    low: int | None
    high: int | None
    depletes_on: dt.date | None
    trend: int | None
    recent: tuple[int, ...]
    last_activity: dt.date | None
    plan_fit: str
    score: int


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """Some customers and where the next page begins (None at the end)."""

    items: tuple[Customer, ...]
    next_cursor: str | None


#: How the table can be sorted: what by, whether the greatest comes first, and the type of the value.
SORTS: dict[str, tuple[str, bool, str]] = {
    "used": ("u.used", True, "bigint"),
    "share": ("coalesce(u.used * 1000 / nullif(c.allowance, 0), -1)", True, "bigint"),
    "depletion": ("coalesce(f.depletes_on, DATE '9999-12-31')", False, "date"),
    "growth": ("coalesce(f.trend, -1000)", True, "integer"),
    "drop": ("coalesce(f.trend, 1000000)", False, "integer"),
    "risk": (SCORE, True, "integer"),
    "name": ("lower(c.name)", False, "text"),
    "activity": ("coalesce(f.last_activity, DATE '0001-01-01')", True, "date"),
}
_KINDS = {"bigint": int, "integer": int, "date": dt.date, "text": str}
_LISTED = f"""
WITH {CUSTOMERS}, {USED}
SELECT c.id, c.name, c.slug, c.plan_type, c.subscription_status, c.status, m.full_name AS account_manager, c.tags,
       u.used, c.allowance, u.used * 1000 / nullif(c.allowance, 0) AS share, u.overage,
       CASE WHEN f.period = :month AND f.expected IS NOT NULL THEN greatest(f.expected, u.used) END AS expected,
       CASE WHEN f.period = :month AND f.low IS NOT NULL THEN greatest(f.low, u.used) END AS low,
       CASE WHEN f.period = :month AND f.high IS NOT NULL THEN greatest(f.high, u.used) END AS high,
       CASE WHEN f.period = :month THEN f.depletes_on END AS depletes_on,
       f.trend, coalesce(f.recent, '[]') AS recent, f.last_activity, {SCORE} AS score,
       {{value}} AS sort_value
FROM customers c JOIN used u USING (id) {OUTLOOK}
LEFT JOIN users m ON m.id = c.account_manager_id
{{place}}
ORDER BY sort_value {{direction}}, c.id {{direction}}
"""


def customers(
    actor: Actor, *, wanted: Wanted | None = None, sort: str = "used", after: str | None = None, limit: int = 50
) -> CustomerPage:
    """A page of the customers of a portfolio, at most 200 at once.

    ``after`` is the ``next_cursor`` of the page before, of the same sort. Raises Forbidden and Invalid as ``portfolio``
    does, Invalid for an unknown sort or cursor.
    """
    limit = max(1, min(limit, 200))
    statement, given = _listed(actor, wanted or Wanted(), sort, after)
    with reading(actor) as db:
        rows = db.execute(text(statement + " LIMIT :limit"), {**given, "limit": limit + 1}).all()
    more = len(rows) > limit
    last = rows[limit - 1] if more else None
    fits = _fits(actor, rows[:limit])
    items = tuple(view(row, fits.get(row.id)) for row in rows[:limit])
    return CustomerPage(items, paging.cursor(last.sort_value, last.id) if last else None)


def every(actor: Actor, *, wanted: Wanted, sort: str) -> Iterator[Customer]:
    """All of them, one by one, for an export; in the order of the table."""
    statement, given = _listed(actor, wanted, sort, None)
    with reading(actor) as db:
        for rows in db.execute(text(statement).execution_options(yield_per=500), given).partitions():
            fits = _fits(actor, rows)
            yield from (view(row, fits.get(row.id)) for row in rows)


def _listed(actor: Actor, wanted: Wanted, sort: str, after: str | None) -> tuple[str, dict[str, Any]]:
    require_portfolio(actor)
    if sort not in SORTS:
        raise Invalid(f"Customers cannot be sorted by “{sort[:40]}”.", field="sort")
    value, descending, kind = SORTS[sort]
    given = chosen(actor, wanted)
    place = ""
    if after:
        given |= dict(zip(("value", "id"), paging.place(after, _KINDS[kind], UUID), strict=True))
        sign = "<" if descending else ">"
        place = f"WHERE ({value}, c.id) {sign} (CAST(:value AS {kind}), CAST(:id AS uuid))"
    statement = _LISTED.format(value=value, place=place, direction="DESC" if descending else "ASC")
    return statement, given


def view(row: Row[Any], fit: PlanFit | None) -> Customer:
    """One row of the table."""
    return Customer(
        id=row.id,
        name=row.name,
        slug=row.slug,
        plan=row.plan_type,
        subscription_status=row.subscription_status,
        status=row.status,
        account_manager=row.account_manager,
        tags=tuple(str(tag) for tag in row.tags),
        used=row.used,
        allowance=row.allowance,
        share=row.share,
        overage=row.overage,
        expected=row.expected,
        low=row.low,
        high=row.high,
        depletes_on=row.depletes_on,
        trend=row.trend,
        recent=tuple(row.recent),
        last_activity=row.last_activity,
        plan_fit=_fit(fit),
        score=row.score,
    )


def _fits(actor: Actor, rows: Sequence[Row[Any]]) -> dict[UUID, PlanFit]:
    """How the plans of these customers fit; nothing for who may not read bills."""
    return plan_fits(actor, organization_ids=[row.id for row in rows]) if actor.may(Permission.BILLING_READ) else {}


def _fit(fit: PlanFit | None) -> str:
    if fit is None or fit.verdict == "unknown":
        return ""
    return "fits" if fit.verdict == "fits" else fit.best
