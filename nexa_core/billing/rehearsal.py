"""Limit rehearsal: an organization's real events of a period, replayed against every plan or against other limits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from nexa_core.actor import Actor
from nexa_core.billing import expired, reach
from nexa_core.billing.lines import named_event
from nexa_core.billing.periods import Period, period_of
from nexa_core.billing.plans import Plan, plan_of_row
from nexa_core.db import reading
from nexa_core.errors import Invalid

_MOST = 2**31 - 1
CUSTOM = "custom"

# The plans as they were at the end of the period, or are now: what the organization could have had.
_PLANS = text("""
SELECT * FROM (SELECT DISTINCT ON (plan) * FROM plan_versions
               WHERE nexa.version_has_begun(:organization, effective_from,
                                            least(CAST(:ends AS timestamptz) - interval '1 microsecond', now()))
               ORDER BY plan, effective_from DESC) v ORDER BY price_minor, plan
""")
_USED = text("""
SELECT metric, used FROM usage_counters WHERE organization_id = :organization AND period_start = :starts
""")
_BURN = text("""
SELECT day, sum(credits)::bigint AS credits FROM usage_by_day
WHERE organization_id = :organization AND day >= :first_day AND day < CAST(:first_day AS date) + interval '1 month'
GROUP BY day ORDER BY day
""")
# One pass in the order of the events; exact, because an event that does not fit leaves the state as it was.
_REPLAY = text("""
WITH replayed AS (
    SELECT e.id, e.occurred_at, e.event_type, e.credits_consumed, e.user_id,
           (nexa.admitted(e.credits_consumed, coalesce(array_position(CAST(:types AS text[]), e.event_type::text), 0),
                          CAST(:most AS bigint[])) OVER (ORDER BY e.occurred_at, e.id))[1] AS is_admitted
    FROM usage_events e
    WHERE e.organization_id = :organization AND e.occurred_at >= :starts AND e.occurred_at < :ends
), blocked AS MATERIALIZED (SELECT * FROM replayed WHERE is_admitted = 0),
first AS (
    SELECT b.occurred_at, b.event_type, b.credits_consumed, u.full_name
    FROM blocked b LEFT JOIN users u ON u.id = b.user_id
    ORDER BY b.occurred_at, b.id LIMIT 1
)
SELECT (SELECT count(*) FROM blocked) AS events,
       (SELECT coalesce(sum(credits_consumed), 0)::bigint FROM blocked) AS credits,
       (SELECT jsonb_object_agg(event_type, events)
        FROM (SELECT event_type, count(*) AS events FROM blocked GROUP BY 1) t) AS by_type,
       (SELECT json_agg(p ORDER BY events DESC, person) FROM (
           SELECT coalesce(u.full_name, 'Nobody in person') AS person, count(*) AS events FROM blocked b
           LEFT JOIN users u ON u.id = b.user_id GROUP BY b.user_id, u.full_name
           ORDER BY 2 DESC, 1 LIMIT 5) p) AS by_person,
       f.occurred_at, f.event_type, f.credits_consumed, f.full_name
FROM (SELECT 1) one LEFT JOIN first f ON true
""")


@dataclass(frozen=True, slots=True)
class Blocked:
    """The first call that would have been refused."""

    occurred_at: dt.datetime
    event_type: str
    credits: int
    person: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the period would have been: with a hard limit ``blocked``, with a soft one ``overage`` and its cost.

    ``plan`` is ``custom`` for limits of one's own, which have no price. Amounts are minor units.
    """

    plan: str
    name: str
    included: int | None
    event_limits: Mapping[str, int]
    price_minor: int
    overage: int
    overage_minor: int
    blocked: int
    blocked_credits: int
    first: Blocked | None
    blocked_by_type: Mapping[str, int] = field(default_factory=dict)
    blocked_by_person: tuple[tuple[str, int], ...] = ()

    @property
    def total_minor(self) -> int:
        return self.price_minor + self.overage_minor


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A period replayed: its use day by day, and one outcome a plan, cheapest fee first.

    ``blocks_nothing`` is the cheapest plan that would have let every call through, ``cheapest`` the one that costs
    least with its overage; None where there is none.
    """

    organization_id: UUID
    name: str
    period: Period
    currency: str
    current_plan: str
    used: int
    used_by_type: Mapping[str, int]
    burn: tuple[tuple[dt.date, int], ...]
    outcomes: tuple[Outcome, ...]
    blocks_nothing: str | None
    cheapest: str | None

    def outcome(self, plan: str) -> Outcome:
        return next(outcome for outcome in self.outcomes if outcome.plan == plan)


def rehearse(
    actor: Actor,
    *,
    organization_id: UUID,
    period: str | None = None,
    monthly_credits: int | None = None,
    event_limits: Mapping[str, int] | None = None,
) -> Rehearsal:
    """Replay a period against every plan of the list and, where given, against limits of one's own.

    What was agreed with the organization is left out: the question is what the plan alone would have done. Calls are
    replayed one by one, in the order in which they happened. Raises as ``invoice`` does, Invalid for limits that are
    no counts, Conflict for a period some of whose single events are no longer kept.
    """
    reach.require(actor, organization_id)
    own = _own_limits(monthly_credits, event_limits or {})
    with reading(actor) as db:
        billed = reach.subject(db, actor, organization_id)
        when = period_of(db, billed.id, period)
        expired.require_events(db, billed.id, when)
        counted = {
            row.metric: row.used for row in db.execute(_USED, {"organization": billed.id, "starts": when.starts})
        }
        used = counted.pop("credits", 0)
        span = {"organization": billed.id, "starts": when.starts, "ends": when.ends}
        plans = [plan_of_row(row) for row in db.execute(_PLANS, {"organization": billed.id, "ends": when.ends})]
        burn = tuple((row.day, row.credits) for row in db.execute(_BURN, span | {"first_day": when.first_day}))
        outcomes = [_outcome(db, span, plan, billed.currency, used, counted) for plan in plans]
        if own is not None:
            outcomes.append(_outcome(db, span, own, billed.currency, used, counted))
    listed = [outcome for outcome in outcomes if outcome.plan != CUSTOM]
    free = [outcome for outcome in listed if not outcome.blocked]
    return Rehearsal(
        billed.id, billed.name, when, billed.currency, billed.plan_type, used, counted, burn, tuple(outcomes),
        min(free, key=lambda o: o.price_minor).plan if free else None,
        min(listed, key=lambda o: o.total_minor).plan if listed else None,
    )  # fmt: skip


def _own_limits(monthly_credits: int | None, event_limits: Mapping[str, int]) -> Plan | None:
    for name, most in [("monthly_credits", monthly_credits), *event_limits.items()]:
        if most is not None and (isinstance(most, bool) or not isinstance(most, int) or not 0 <= most <= _MOST):
            raise Invalid(f"A limit is a whole number from 0 to {_MOST:,}.", field=name)
    if len(event_limits) > 50:
        raise Invalid("At most 50 types of event have a limit.", field="event_limits")
    if monthly_credits is None and not event_limits:
        return None
    return Plan(CUSTOM, "These limits", -1 if monthly_credits is None else monthly_credits, 0, None, {}, "", 0, 1,
                limits=event_limits)  # fmt: skip


def cost(plan: Plan, currency: str, used: int) -> tuple[int, int]:
    """Fee and overage of a month on a plan of the list, in minor units; rounded as an invoice's line is."""
    over = max(used - plan.monthly_credits, 0)
    return plan.in_currency(currency, "price_minor"), half_even(
        over * plan.in_currency(currency, "overage_minor"), plan.overage_credits
    )


def half_even(dividend: int, divisor: int) -> int:
    """``nexa.divide_half_even``: the nearest integer, a half to the even one."""
    whole, rest = divmod(dividend, divisor)
    return whole + (2 * rest > divisor or (2 * rest == divisor and whole % 2 == 1))


def _outcome(
    db: Session, span: Mapping[str, Any], plan: Plan, currency: str, used: int, counted: Mapping[str, int]
) -> Outcome:
    unlimited = plan.monthly_credits < 0
    included = None if unlimited else plan.monthly_credits
    limits = {name: most for name, most in (plan.limits or {}).items() if isinstance(most, int)}
    fee, extra = (0, 0) if plan.key == CUSTOM else cost(plan, currency, used)
    over = 0 if included is None else max(used - included, 0)
    # Everything fits exactly when the sums fit: then there is nothing to replay. Unless something was refunded: what
    # came back may not have been there yet.
    if not over and not counted.get("refund") and all(counted.get(name, 0) <= most for name, most in limits.items()):
        return Outcome(plan.key, plan.name, included, limits, fee, 0, 0, 0, 0, None)
    row = db.execute(_REPLAY, {**span, "types": list(limits), "most": [included, *limits.values()]}).one()
    first = Blocked(row.occurred_at, row.event_type, row.credits_consumed, row.full_name) if row.occurred_at else None
    people = tuple((person["person"], person["events"]) for person in row.by_person or ())
    return Outcome(
        plan.key, plan.name, included, limits, fee, over, extra, row.events, row.credits, first,
        {named_event(name): events for name, events in sorted((row.by_type or {}).items())}, people,
    )  # fmt: skip
