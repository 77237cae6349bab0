"""Prices that were agreed in one currency are not read as amounts of another.

Revision ID: 20261129_45
Revises: 20261129_44
"""

from alembic import op

revision = "20261129_45"
down_revision = "20261129_44"
branch_labels = None
depends_on = None

# As before, but for what was agreed before the currency changed: a month is invoiced in one currency, its last one, and
# by what is agreed in that one.
INVOICES = """
CREATE OR REPLACE FUNCTION nexa.invoice_lines(organization uuid, at timestamptz) RETURNS TABLE (
    organization_id uuid, period_start timestamptz, period_end timestamptz, currency varchar, kind text, plan varchar,
    plan_name varchar, subscription_status varchar, since timestamptz, until timestamptz, quantity bigint,
    unit_minor bigint, unit_quantity bigint, amount_minor bigint, allowance bigint, reference uuid, note text
) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    WITH periods AS (
        SELECT o.id, p.starts, p.ends, greatest(o.created_at, p.starts) AS begins,
               least(o.deleted_at, p.ends) AS stops,
               least(o.deleted_at, p.ends, greatest(now(), p.starts + interval '1 microsecond')) - interval '1 microsecond' AS last
        FROM organizations o
        CROSS JOIN LATERAL (SELECT {starts} AS starts, {ends} AS ends) p
        WHERE (organization IS NULL OR o.id = organization) AND NOT o.is_platform
    ), terms AS (
        SELECT p.*, coalesce(c.used, 0) AS used, t.currency, t.allowance, t.overage_minor, t.overage_credits, t.plan,
               t.name, t.subscription_status
        FROM periods p CROSS JOIN LATERAL nexa.plan_of(p.id, p.last) t
        LEFT JOIN usage_counters c ON c.organization_id = p.id AND c.period_start = p.starts AND c.metric = 'credits'
    ), assigned AS (
        SELECT a.*, lead(a.effective_from, 1, 'infinity') OVER (PARTITION BY a.organization_id ORDER BY a.effective_from) AS ended
        FROM plan_assignments a WHERE organization IS NULL OR a.organization_id = organization
    ), versions AS (
        SELECT v.*, lead(v.effective_from, 1, 'infinity') OVER (PARTITION BY v.plan ORDER BY v.effective_from) AS ended
        FROM plan_versions v
    ), segments AS (
        SELECT p.id, p.starts, p.ends, p.currency, a.plan_type, v.name, a.subscription_status, f.since, f.until,
               a.subscription_status IN ('active', 'past_due') AS charged,
               coalesce(nexa.agreed({agreed}, 'price_minor', nexa.listed(w, p.currency, 'price_minor', w.price_minor)), 0) AS fee,
               CASE WHEN coalesce(v.seats, 0) > 0 THEN greatest(nexa.agreed(a.usage_limits, 'seats', v.seats) - v.seats, 0) ELSE 0 END AS extra,
               nexa.agreed({agreed}, 'seat_minor', nexa.listed(w, p.currency, 'seat_minor', w.seat_minor)) AS seat
        FROM terms p JOIN assigned a ON a.organization_id = p.id AND a.effective_from < p.stops AND a.ended > p.begins
        LEFT JOIN versions v ON v.plan = a.plan_type AND v.effective_from < least(a.ended, p.stops)
            AND v.ended > greatest(a.effective_from, p.begins)
        LEFT JOIN plan_versions w ON w.id = v.id
        CROSS JOIN LATERAL (SELECT greatest(p.begins, a.effective_from, v.effective_from) AS since,
                                   least(p.stops, a.ended, v.ended) AS until) f
        WHERE f.since < f.until
    ), fees AS (
        SELECT s.*, 'base' AS kind, 1::bigint AS quantity, CASE WHEN charged THEN fee ELSE 0 END AS unit FROM segments s
        UNION ALL
        SELECT s.*, 'seats', s.extra, s.seat FROM segments s WHERE charged AND s.extra > 0 AND s.seat > 0
    ), joined AS (
        SELECT f.*, CASE WHEN lag((until, plan_type, name, subscription_status, quantity, unit))
                            OVER run = (since, plan_type, name, subscription_status, quantity, unit) THEN 0 ELSE 1 END AS another
        FROM fees f WINDOW run AS (PARTITION BY id, kind ORDER BY since)
    ), runs AS (
        SELECT j.*, sum(another) OVER (PARTITION BY id, kind ORDER BY since) AS run FROM joined j
    ), accrued AS (
        SELECT id, starts, ends, currency, kind, plan_type, name, subscription_status, min(since) AS since,
               max(until) AS until, quantity, unit,
               sum(quantity * unit * extract(epoch FROM until - since) * 1000000) AS share
        FROM runs GROUP BY id, starts, ends, currency, kind, plan_type, name, subscription_status, quantity, unit, run
    ), lines AS (
        SELECT a.*, sum(share) OVER (PARTITION BY id, kind ORDER BY since) AS whole,
               extract(epoch FROM ends - starts) * 1000000 AS length
        FROM accrued a
    )
    SELECT id, starts, ends, currency, kind, plan_type, name, subscription_status, since, until, quantity, unit,
           1::bigint, nexa.divide_half_even(whole, length) - nexa.divide_half_even(whole - share, length), NULL::bigint, NULL::uuid, NULL
    FROM lines
    UNION ALL
    SELECT id, starts, ends, currency, 'included', plan, name, subscription_status, starts, ends,
           CASE WHEN allowance IS NULL THEN used ELSE least(used, allowance) END, 0, 1, 0, allowance, NULL, NULL
    FROM terms
    UNION ALL
    SELECT id, starts, ends, currency, 'overage', plan, name, subscription_status, starts, ends, used - allowance,
           overage_minor, overage_credits,
           CASE WHEN subscription_status = 'trialing' THEN 0
                ELSE nexa.divide_half_even((used - allowance)::numeric * overage_minor, overage_credits) END, allowance,
           NULL, NULL
    FROM terms WHERE used > allowance
    UNION ALL
    SELECT t.id, t.starts, t.ends, t.currency, n.kind, t.plan, t.name, t.subscription_status, n.created_at, n.created_at,
           1, -n.amount_minor, 1, -n.amount_minor, NULL, n.id, n.reason
    FROM terms t JOIN credit_notes n ON n.organization_id = t.id AND n.period_start >= t.starts AND n.period_start < t.ends
        AND n.currency = t.currency
$$;
"""
MOVED = "CASE WHEN o.id IN (SELECT f.organization_id FROM former_time_zones f) THEN {} ELSE {} END"
DATED = {
    "starts": MOVED.format("nexa.billing_start(o.id, at)", "nexa.period_start(at, o.time_zone)"),
    "ends": MOVED.format("nexa.billing_end(o.id, at)", "nexa.period_end(at, o.time_zone)"),
}
AS_WRITTEN = "a.agreed_prices"
IN_ITS_CURRENCY = """CASE WHEN a.currency = p.currency THEN a.agreed_prices
                   ELSE (SELECT l.agreed_prices FROM plan_assignments l
                         WHERE l.organization_id = p.id AND l.effective_from <= p.last
                         ORDER BY l.effective_from DESC LIMIT 1) END"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(INVOICES.format(**DATED, agreed=IN_ITS_CURRENCY))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(INVOICES.format(**DATED, agreed=AS_WRITTEN))
