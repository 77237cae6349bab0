"""What a hard limit would have refused while it only watched: how often in a period, and each time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from nexa_core import paging
from nexa_core.actor import Actor
from nexa_core.billing.reports import periods
from nexa_core.billing.reports.scope import organization_of
from nexa_core.db import reading


@dataclass(frozen=True, slots=True)
class WouldRefuse:
    """A report of usage that went through although ``most`` was passed: by it the counter came to ``total``.

    ``metric`` is ``credits`` or a type of event; ``amount`` is what was reported at once; ``person`` is None for a
    program.
    """

    id: UUID
    at: dt.datetime
    metric: str
    amount: int
    total: int
    most: int
    person: str | None


@dataclass(frozen=True, slots=True)
class Watched:
    """Whether limits are hard and whether they only watch now; what they would have refused in the period.

    ``reports`` and ``amounts`` are by metric, over the whole period; ``items`` are a page of it, newest first.
    """

    is_hard: bool
    is_watching: bool
    reports: dict[str, int]
    amounts: dict[str, int]
    items: tuple[WouldRefuse, ...]
    next_cursor: str | None


# What the counter itself asks before it refuses.
_IN_FORCE = text("SELECT is_hard, is_shadow FROM nexa.usage_limit(:id, 'credits')")
_WITHIN = """
FROM usage_shadow_refusals r LEFT JOIN users u ON u.id = r.user_id
WHERE r.organization_id = :id AND r.period_start = nexa.day_begins(:id, :month)
"""
_SUMS = text(f"SELECT r.metric, count(*) AS reports, sum(r.amount)::bigint AS amount {_WITHIN} GROUP BY 1 ORDER BY 1")
_PAGE = f"""
SELECT r.id, r.refused_at, r.metric, r.amount, r.total, r.most, coalesce(nullif(u.full_name, ''), u.email) AS person
{_WITHIN} {{after}} ORDER BY r.refused_at DESC, r.id DESC LIMIT :limit
"""
_AFTER = "AND (r.refused_at, r.id) < (:at, CAST(:last AS uuid))"


def watched(
    actor: Actor,
    *,
    organization_id: UUID | None = None,
    period: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Watched:
    """What the limits of an organization would have refused in a period while they only watched, at most 500 at once.

    Raises Forbidden without USAGE_READ, NotFound for an organization out of reach, Invalid for a period or cursor that
    cannot be.
    """
    limit = max(1, min(limit, 500))
    with reading(actor) as db:
        row = organization_of(db, actor, organization_id)
        given = {"id": row.id, "month": periods.month(period, row.today)}
        sums = db.execute(_SUMS, given).all()
        in_force = db.execute(_IN_FORCE, given).one()
        page = {**given, "limit": limit + 1}
        if after:
            page["at"], page["last"] = paging.place(after, dt.datetime, UUID)
        found = db.execute(text(_PAGE.format(after=_AFTER if after else "")), page).all()
    items = tuple(WouldRefuse(*one) for one in found[:limit])
    return Watched(
        is_hard=in_force.is_hard,
        is_watching=in_force.is_hard and in_force.is_shadow,
        reports={one.metric: one.reports for one in sums},
        amounts={one.metric: one.amount for one in sums},
        items=items,
        next_cursor=paging.cursor(items[-1].at, items[-1].id) if len(found) > limit else None,
    )
