"""The definition of every figure, once, in SQL: screens, API, exports and the morning brief all read these.

- *Credits of a period* of one customer: its counter (``usage_counters``, metric ``credits``), which the limit is held
  against. The period is the calendar month of the organization's own time zone, half-open (``nexa.billing_month``).
- *Credits of a day*: ``usage_by_day``, the day being the organization's own. Their sum over the month is the counter.
- *Allowance*: what was agreed with the organization, else its plan's (``nexa.plans_now``); none is no limit.
- *Overage*: credits beyond the allowance; none where there is no allowance.
- *Revenue*: the sum of the invoice's lines (``nexa.invoice_lines``), in minor units of the organization's currency; of
  a running period, what it comes to if nothing is used any more.
"""

from __future__ import annotations

from nexa_core.usage.periods import TODAY
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

#: The customers a portfolio shows, as far as this transaction's role reaches.
CUSTOMERS = f"""
customers AS (
    {ORGANIZATION}
    WHERE {SEEN} AND o.status <> 'deleted'
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
