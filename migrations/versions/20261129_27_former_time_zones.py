"""The time zones an organization had: a month that has begun keeps the zone it began in.

Revision ID: 20261129_27
Revises: 20261129_23
"""

from alembic import op

revision = "20261129_27"
down_revision = "20261129_23"
branch_labels = None
depends_on = None

TABLES = """
-- The months before ``until_month``, as far back as the row before it, are months of this zone; from the last such month
-- on, of organizations.time_zone. Whoever never changed it has no row. Written by a trigger only.
CREATE TABLE former_time_zones (
    organization_id uuid NOT NULL REFERENCES organizations (id),
    until_month date NOT NULL,
    time_zone varchar(64) NOT NULL,
    CONSTRAINT former_time_zones_pkey PRIMARY KEY (organization_id, until_month),
    CONSTRAINT former_time_zones_until_month_check CHECK (extract(day FROM until_month) = 1)
);
GRANT SELECT ON former_time_zones TO nexa_tenant, nexa_staff, nexa_presenter;
GRANT ALL ON former_time_zones TO nexa_system;

ALTER TABLE former_time_zones ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY former_time_zones_tenant ON former_time_zones FOR SELECT TO nexa_tenant
    USING (organization_id = (SELECT nexa.current_organization()));
CREATE POLICY former_time_zones_staff ON former_time_zones FOR SELECT TO nexa_staff USING (true);
CREATE POLICY former_time_zones_presenter ON former_time_zones FOR SELECT TO nexa_presenter
    USING (organization_id = ANY ((SELECT nexa.demo_organizations())::uuid[]));
"""

FUNCTIONS = """
-- The zone a month of an organization is counted in.
CREATE FUNCTION nexa.billing_zone(organization uuid, month date) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce((SELECT f.time_zone FROM former_time_zones f
                     WHERE f.organization_id = organization AND f.until_month > month ORDER BY f.until_month LIMIT 1),
                    (SELECT o.time_zone FROM organizations o WHERE o.id = organization))
$$;
-- The instant at which a day of an organization begins, in the zone of its month. Where two months have different zones,
-- the first ends where the second begins: its last day is longer by the difference, or the last ones are shorter.
CREATE FUNCTION nexa.day_begins(organization uuid, day date) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT least(nexa.first_instant(day::timestamp, nexa.billing_zone(organization, m.first)),
                 CASE WHEN day > m.first
                      THEN nexa.first_instant(m.next::timestamp, nexa.billing_zone(organization, m.next)) END)
    FROM (SELECT date_trunc('month', day)::date AS first,
                 (date_trunc('month', day) + interval '1 month')::date AS next) m
$$;
-- The month of an organization that holds an instant: the last one that has begun by then.
CREATE FUNCTION nexa.billing_month(organization uuid, at timestamptz) RETURNS date LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
DECLARE
    month date := date_trunc('month', at AT TIME ZONE 'UTC') + interval '1 month';
BEGIN
    WHILE nexa.day_begins(organization, month) > at LOOP
        month := month - interval '1 month';
    END LOOP;
    RETURN month;
END $$;
CREATE FUNCTION nexa.billing_start(organization uuid, at timestamptz) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nexa.day_begins(organization, nexa.billing_month(organization, at)) $$;
CREATE FUNCTION nexa.billing_end(organization uuid, at timestamptz) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nexa.day_begins(organization, (nexa.billing_month(organization, at) + interval '1 month')::date) $$;
-- The day of an organization that holds an instant: never one of another month than the instant's.
CREATE FUNCTION nexa.billing_day(organization uuid, at timestamptz) RETURNS date LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT least((at AT TIME ZONE nexa.billing_zone(organization, m.month))::date,
                 (m.month + interval '1 month - 1 day')::date)
    FROM (SELECT nexa.billing_month(organization, at) AS month) m
$$;
"""

# An hour ahead: events may be five minutes ahead of the clock, and what they were counted in must not move either.
TRIGGER = """
CREATE FUNCTION nexa.keep_time_zone() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public AS $$
DECLARE
    soon CONSTANT timestamptz := clock_timestamp() + interval '1 hour';
    next_month CONSTANT date := greatest(nexa.billing_month(OLD.id, soon),
                                         date_trunc('month', soon AT TIME ZONE NEW.time_zone)::date) + interval '1 month';
BEGIN
    INSERT INTO former_time_zones (organization_id, until_month, time_zone)
    SELECT OLD.id, next_month, OLD.time_zone
    WHERE NOT EXISTS (SELECT FROM former_time_zones f WHERE f.organization_id = OLD.id AND f.until_month >= next_month);
    RETURN NEW;
END $$;
ALTER FUNCTION nexa.keep_time_zone() OWNER TO nexa_system;
CREATE TRIGGER organizations_time_zone BEFORE UPDATE OF time_zone ON organizations
    FOR EACH ROW WHEN (OLD.time_zone IS DISTINCT FROM NEW.time_zone) EXECUTE FUNCTION nexa.keep_time_zone();
"""

# As before, with the period of the organization's zone of that month.
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
               coalesce(nexa.agreed(a.agreed_prices, 'price_minor', nexa.listed(w, p.currency, 'price_minor', w.price_minor)), 0) AS fee,
               CASE WHEN coalesce(v.seats, 0) > 0 THEN greatest(nexa.agreed(a.usage_limits, 'seats', v.seats) - v.seats, 0) ELSE 0 END AS extra,
               nexa.agreed(a.agreed_prices, 'seat_minor', nexa.listed(w, p.currency, 'seat_minor', w.seat_minor)) AS seat
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
FIXED = {"starts": "nexa.period_start(at, o.time_zone)", "ends": "nexa.period_end(at, o.time_zone)"}
MOVED = "CASE WHEN o.id IN (SELECT f.organization_id FROM former_time_zones f) THEN {} ELSE {} END"
DATED = {
    "starts": MOVED.format("nexa.billing_start(o.id, at)", FIXED["starts"]),
    "ends": MOVED.format("nexa.billing_end(o.id, at)", FIXED["ends"]),
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for part in (TABLES, FUNCTIONS, TRIGGER, INVOICES.format(**DATED)):
        op.execute(part)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(INVOICES.format(**FIXED))
    op.execute("""
        DROP TRIGGER organizations_time_zone ON organizations;
        DROP FUNCTION nexa.keep_time_zone(), nexa.billing_day(uuid, timestamptz), nexa.billing_end(uuid, timestamptz),
            nexa.billing_start(uuid, timestamptz), nexa.billing_month(uuid, timestamptz),
            nexa.day_begins(uuid, date), nexa.billing_zone(uuid, date);
        DROP TABLE former_time_zones;
    """)
