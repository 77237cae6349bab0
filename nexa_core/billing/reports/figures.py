"""The definition of every figure, once, in SQL: screens, API, exports and the morning brief all read these.

- *Credits of a period* of one customer: its counter (``usage_counters``, metric ``credits``), which the limit is held
  against. The period is the calendar month of the organization's own time zone, half-open (``nexa.period_start``).
- *Credits of a day*: ``usage_by_day``, the day being the organization's own. Their sum over the month is the counter.
- *Allowance*, *price* and *price of a credit beyond it*: what was agreed with the organization, else its plan's.
- *Overage*: credits beyond the allowance; none where there is no allowance.
- *Revenue to date*: the price of the plan and the overage so far, before tax, in minor units of the plan's currency.
  A trial pays nothing.
"""

from __future__ import annotations

from nexa_core.billing.plans import PLANS

_PLANS = ", ".join(
    f"('{plan.key}', {plan.monthly_credits}, {plan.price_minor}, 0, '{plan.currency}')" for plan in PLANS.values()
)

#: An organization with what it may use and what it pays.
ORGANIZATION = f"""
SELECT o.id, o.name, o.slug, o.status::text AS status, o.plan_type, o.subscription_status, o.subscription_data,
       o.time_zone, o.tags, o.account_manager_id, o.is_demo, o.created_at, o.usage_limits,
       CASE WHEN jsonb_typeof(o.usage_limits->'monthly_credits') = 'null' THEN NULL
            WHEN jsonb_typeof(o.usage_limits->'monthly_credits') = 'number'
                 AND o.usage_limits->>'monthly_credits' ~ '^\\d+$' AND length(o.usage_limits->>'monthly_credits') < 19
            THEN (o.usage_limits->>'monthly_credits')::bigint
            ELSE p.monthly_credits END AS allowance,
       CASE WHEN o.subscription_status = 'trialing' THEN 0 ELSE coalesce(p.price_minor, 0) END AS price_minor,
       CASE WHEN o.subscription_status = 'trialing' THEN 0 ELSE coalesce(p.extra_minor, 0) END AS extra_minor,
       coalesce(p.currency, 'EUR') AS currency
FROM organizations o
LEFT JOIN (VALUES {_PLANS}) AS p(key, monthly_credits, price_minor, extra_minor, currency) ON p.key = o.plan_type
"""

#: The customers a portfolio shows, as far as this transaction's role reaches.
CUSTOMERS = f"""
customers AS (
    {ORGANIZATION}
    WHERE NOT o.is_platform AND o.status <> 'deleted'
      AND (CAST(:mine AS uuid) IS NULL OR o.account_manager_id = :mine)
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
        SELECT organization_id, period_start, used FROM usage_counters
        WHERE metric = 'credits'
          AND period_start BETWEEN CAST(:month AS date) - interval '2 days' AND CAST(:month AS date) + interval '2 days'
    ) u ON u.organization_id = c.id AND u.period_start = CAST(:month AS timestamp) AT TIME ZONE c.time_zone
)"""
