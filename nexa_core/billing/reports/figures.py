"""The definition of every figure, once, in SQL: screens, API, exports and the morning brief all read these.

- *Credits of a period* of one customer: its counter (``usage_counters``, metric ``credits``), which the limit is held
  against. The period is the calendar month of the organization's own time zone, half-open (``nexa.billing_month``).
- *Credits of a day*: ``usage_by_day``, the day being the organization's own. Their sum over the month is the counter.
- *Allowance*: what was agreed with the organization, else its plan's; none is no limit. Of a month that is over, as it
  was at the month's end, by which the invoice goes (``nexa.plan_of``); of the running one, today's.
- *Overage*: credits beyond the allowance; none where there is no allowance.
- *Revenue*: the sum of the invoice's lines (``nexa.invoice_lines``), in minor units of the organization's currency; of
  a running period, what it comes to if nothing is used any more.
- *Urgency* of the running period: the weight of the reasons of the morning brief that still hold; of others, none.
- *Customers of a period*: who is one, and who was deleted since the period began: a month that is over stays as it was.
"""

from __future__ import annotations

from nexa_core.billing.reports.reasons import SETTLED_BY
from nexa_core.usage.periods import MOVED, TODAY
from nexa_core.usage.reach import SEEN

#: An organization with what it may use today.
ORGANIZATION = """
SELECT o.id, o.name, o.slug, o.status::text AS status, o.plan_type, o.subscription_status, o.subscription_data,
       o.time_zone, o.tags, o.account_manager_id, o.is_demo, o.created_at, o.usage_limits,
       t.allowance, t.seats, t.currency,
       -- While a hard limit only watches, use goes on beyond the allowance.
       t.is_hard AND o.usage_limits->'limit_shadow' IS DISTINCT FROM 'true' AS is_hard
FROM organizations o JOIN nexa.plans_now t ON t.organization_id = o.id
"""

#: The same with the day it is there.
ORGANIZATION_TODAY = ORGANIZATION.replace("FROM organizations o", f", {TODAY} AS today FROM organizations o", 1)


def _begins(month: str) -> str:
    """The instant at which a month of ``organizations o`` begins; SQL, as is its first day."""
    return f"CASE WHEN {MOVED} THEN nexa.day_begins(o.id, {month}) ELSE nexa.first_instant({month}, o.time_zone) END"


_NEXT = "CAST(CAST(:month AS date) + interval '1 month' AS date)"
#: The last instant of ``:month`` of ``organizations o``, so far: its plan of then is the invoice's.
LAST = f"least(o.deleted_at, {_begins(_NEXT)}, now()) - interval '1 microsecond'"
# Whose terms may have been others then. In whichever zone a month ends, it does within two days of its end by UTC.
_SINCE = f"{_NEXT} - interval '2 days'"
_MAY_DIFFER = f"""
{_SINCE} <= now() AND (
    o.deleted_at IS NOT NULL
    OR o.id IN (SELECT a.organization_id FROM plan_assignments a WHERE a.effective_from > {_SINCE})
    OR o.plan_type IN (SELECT v.plan FROM plan_versions v
                       WHERE v.effective_from BETWEEN {_SINCE} AND now() + interval '2 days')
)"""
# ``ORGANIZATION`` with the allowance of ``:month``. Nearly nobody's was another one: ten thousand rows must not cost as
# many calls.
_THEN = ORGANIZATION.replace(
    "t.allowance,",
    f"CASE WHEN {_MAY_DIFFER} THEN (SELECT p.allowance FROM nexa.plan_of(o.id, {LAST}) p) ELSE t.allowance END"
    " AS allowance,",
    1,
)

#: Whether ``organizations o`` is a customer, or was one when the month ``:since`` had begun.
WAS_THERE = f"(o.status <> 'deleted' OR o.deleted_at > {_begins('CAST(:since AS date)')})"

#: The customers a portfolio shows, as far as this transaction's role reaches; their allowance is that of ``:month``.
CUSTOMERS = f"""
customers AS (
    {_THEN}
    WHERE {SEEN} AND {WAS_THERE}
      AND (CAST(:manager AS uuid) IS NULL OR o.account_manager_id = :manager)
      AND (CAST(:plan AS text) IS NULL OR o.plan_type = :plan)
      AND (CAST(:tag AS text) IS NULL OR o.tags ? :tag)
)"""

#: Their credits of the period, and what is beyond the allowance; by way of the counters' own index.
USED = """
used AS (
    SELECT c.id, coalesce(u.used, 0) AS used, greatest(coalesce(u.used, 0) - c.allowance, 0) AS overage
    FROM customers c
    LEFT JOIN (
        -- In whichever zone a month begins, it begins within two days of this, and no other month does.
        SELECT organization_id, used FROM usage_counters
        WHERE metric = 'credits'
          AND period_start BETWEEN CAST(:month AS date) - interval '2 days' AND CAST(:month AS date) + interval '2 days'
    ) u ON u.organization_id = c.id
)"""

#: What is expected of them; of whoever was deleted, nothing.
OUTLOOK = "LEFT JOIN usage_outlooks f ON f.organization_id = c.id AND c.status <> 'deleted'"

_STILL = " ".join(f"WHEN '{kind}' THEN '{status}'" for kind, status in SETTLED_BY.items())
#: The weight of the reasons to call them that still hold, as ``reasons.total`` has it; 0 for none.
SCORE = f"""
CASE WHEN f.score > 0 AND c.status = 'active' AND CAST(:month AS date) = date_trunc('month', now() AT TIME ZONE 'UTC')
     THEN (SELECT CASE WHEN count(*) > 0 THEN least(100, max((r->>'score')::integer) + 5 * (count(*) - 1)) ELSE 0 END
           FROM jsonb_array_elements(f.reasons) r
           WHERE c.subscription_status = CASE r->>'kind' {_STILL} ELSE c.subscription_status END)
     ELSE 0 END"""
