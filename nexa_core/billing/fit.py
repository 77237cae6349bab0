"""Plan fit: which plan of the list would have cost a customer least in its last whole month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import text

from nexa_core.actor import Actor, Scope
from nexa_core.billing import reach
from nexa_core.billing.plans import PLANS
from nexa_core.billing.rehearsal import cost
from nexa_core.db import reading
from nexa_core.errors import NotFound
from nexa_core.permissions import Permission
from nexa_core.usage.periods import MOVED
from nexa_core.usage.reach import SEEN, only_of

Verdict = Literal["fits", "larger", "smaller", "unknown"]

_USED = text(f"""
SELECT o.id, o.plan_type, o.currency, c.used, o.created_at < p.starts AS whole_month
FROM organizations o
CROSS JOIN LATERAL (SELECT CASE WHEN {MOVED}
    THEN nexa.day_begins(o.id, (nexa.billing_month(o.id, now()) - interval '1 month')::date)
    ELSE nexa.period_start(nexa.period_start(now(), o.time_zone) - interval '1 microsecond', o.time_zone)
    END AS starts) p
LEFT JOIN usage_counters c ON c.organization_id = o.id AND c.metric = 'credits' AND c.period_start = p.starts
WHERE (CAST(:organizations AS uuid[]) IS NULL OR o.id = ANY (:organizations)) AND {SEEN}
""")


@dataclass(frozen=True, slots=True)
class PlanFit:
    """How a customer's plan fits its last whole month, at list prices in minor units of ``currency``.

    ``verdict`` says what would cost least: the plan it has (``fits``), a larger or a smaller one; ``unknown`` before
    the first whole month and for a plan that is not on the list.
    """

    organization_id: UUID
    plan: str
    best: str
    verdict: Verdict
    used: int
    cost_minor: int
    best_minor: int
    currency: str

    @property
    def sentence(self) -> str:
        if self.verdict == "unknown":
            return "There is no whole month to judge by yet."
        if self.verdict == "fits":
            return f"{self.used:,} credits last month: no plan would have cost less."
        return f"{self.used:,} credits last month: {PLANS[self.best].name} would have cost less."


def plan_fit(actor: Actor, *, organization_id: UUID) -> PlanFit:
    """How the plan of one organization fits. Raises NotFound for one out of reach, Forbidden without BILLING_READ."""
    reach.require(actor, organization_id)
    found = _fits(actor, [organization_id])
    if not found:
        raise NotFound("There is no such organization.")
    return found[organization_id]


def plan_fits(actor: Actor, *, organization_ids: Sequence[UUID] | None = None) -> dict[UUID, PlanFit]:
    """How the plans of many customers fit, by organization; of all within reach without ids. One statement.

    Raises Forbidden without BILLING_READ; what is out of reach is left out.
    """
    actor.require(Permission.BILLING_READ)
    if actor.scope is Scope.TENANT:
        organization_ids = [actor.organization_id] if actor.organization_id else []
    else:
        actor.require(Permission.ORGANIZATIONS_BROWSE)
    return _fits(actor, organization_ids)


def _fits(actor: Actor, organization_ids: Sequence[UUID] | None) -> dict[UUID, PlanFit]:
    wanted = None if organization_ids is None else list(organization_ids)
    with reading(actor) as db:
        rows = db.execute(_USED, {"organizations": wanted, "only_of": only_of(actor)}).all()
    plans = dict(PLANS)
    found = {}
    for row in rows:
        used = row.used or 0
        costs = {key: sum(cost(plan, row.currency, used)) for key, plan in plans.items()}
        mine = costs.get(row.plan_type)
        verdict: Verdict
        if mine is None or not row.whole_month:
            best, verdict = row.plan_type, "unknown"
            mine = mine or 0
        else:
            best = min(costs, key=lambda key: (costs[key], key != row.plan_type))
            dearer = plans[best].price_minor > plans[row.plan_type].price_minor
            verdict = "fits" if best == row.plan_type else "larger" if dearer else "smaller"
        found[row.id] = PlanFit(
            row.id,
            row.plan_type,
            best,
            verdict,
            used,
            mine,
            costs.get(best, mine),
            row.currency,
        )
    return found
