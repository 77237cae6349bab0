"""A version of a plan begins at the same wall clock everywhere: the first of November is each customer's own.

Revision ID: 20261129_47
Revises: 20261129_46
"""

from alembic import op

revision = "20261129_47"
down_revision = "20261129_46"
branch_labels = None
depends_on = None

# No clock is further from UTC than fourteen hours; with the hour that first_instant may go back, and one to spare, a
# version begins everywhere within sixteen hours of its wall clock in UTC.
BEGINS = """
-- When a version of a plan begins for an organization: its clock, in the zone of its month, shows what the clock of UTC
-- shows at ``effective_from``. Where two months have different zones, not after the first of them has ended.
CREATE FUNCTION nexa.version_begins(organization uuid, effective_from timestamptz) RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT least(nexa.first_instant(m.local, nexa.billing_zone(organization, m.first)),
                 CASE WHEN m.local > m.first
                      THEN nexa.first_instant(m.next::timestamp, nexa.billing_zone(organization, m.next)) END)
    FROM (SELECT l.local, date_trunc('month', l.local)::date AS first,
                 (date_trunc('month', l.local) + interval '1 month')::date AS next
          FROM (SELECT effective_from AT TIME ZONE 'UTC' AS local) l) m
$$;
CREATE FUNCTION nexa.version_has_begun(organization uuid, effective_from timestamptz, at timestamptz) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT effective_from <= at + interval '16 hours' AND (effective_from <= at - interval '16 hours'
        OR nexa.version_begins(organization, effective_from) <= at)
$$;

-- Who signs in is told the features of the plan, too.
GRANT SELECT ON former_time_zones TO nexa_entry;
CREATE POLICY former_time_zones_entry ON former_time_zones FOR SELECT TO nexa_entry USING (true);
"""

# As before, but for when a version begins.
PLANS = """
CREATE OR REPLACE FUNCTION nexa.plan_of(organization uuid, at timestamptz) RETURNS TABLE (
    plan varchar, plan_version_id uuid, name varchar, since timestamptz, subscription_status varchar, currency varchar,
    price_minor bigint, allowance bigint, is_hard boolean, overage_minor bigint, overage_credits bigint, seats bigint,
    plan_seats bigint, seat_minor bigint, event_limits jsonb, features jsonb
) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT a.plan_type, v.id, v.name, a.effective_from, a.subscription_status,
           CASE WHEN v.prices ? a.currency THEN a.currency ELSE coalesce(v.currency, a.currency) END,
           nexa.agreed(a.agreed_prices, 'price_minor', nexa.listed(v, a.currency, 'price_minor', v.price_minor)),
           nexa.agreed(a.usage_limits, 'monthly_credits', v.monthly_credits),
           coalesce(a.usage_limits->'hard' = 'true', false),
           nexa.agreed(a.agreed_prices, 'overage_minor', nexa.listed(v, a.currency, 'overage_minor', v.overage_minor)),
           nexa.agreed(a.agreed_prices, 'overage_credits', v.overage_credits),
           nexa.agreed(a.usage_limits, 'seats', v.seats), v.seats::bigint,
           nexa.agreed(a.agreed_prices, 'seat_minor', nexa.listed(v, a.currency, 'seat_minor', v.seat_minor)),
           nexa.agreed_members(v.limits, a.usage_limits->'event_limits', 'number'),
           nexa.agreed_members(v.features, a.usage_limits->'features', 'boolean')
    FROM (SELECT * FROM plan_assignments a WHERE a.organization_id = organization AND a.effective_from <= at
          ORDER BY a.effective_from DESC LIMIT 1) a
    LEFT JOIN LATERAL (SELECT * FROM plan_versions v WHERE v.plan = a.plan_type AND {begun}
                       ORDER BY v.effective_from DESC LIMIT 1) v ON true
$$;
CREATE OR REPLACE VIEW nexa.plans_now WITH (security_invoker = true) AS
SELECT o.id AS organization_id, o.plan_type AS plan, v.id AS plan_version_id, v.name, o.subscription_status,
       CASE WHEN v.prices ? o.currency THEN o.currency ELSE coalesce(v.currency, o.currency) END AS currency,
       nexa.agreed(o.agreed_prices, 'price_minor', nexa.listed(v, o.currency, 'price_minor', v.price_minor)) AS price_minor,
       nexa.agreed(o.usage_limits, 'monthly_credits', v.monthly_credits) AS allowance,
       coalesce(o.usage_limits->'hard' = 'true', false) AS is_hard,
       nexa.agreed(o.agreed_prices, 'overage_minor', nexa.listed(v, o.currency, 'overage_minor', v.overage_minor)) AS overage_minor,
       nexa.agreed(o.agreed_prices, 'overage_credits', v.overage_credits) AS overage_credits,
       nexa.agreed(o.usage_limits, 'seats', v.seats) AS seats, v.seats::bigint AS plan_seats,
       nexa.agreed(o.agreed_prices, 'seat_minor', nexa.listed(v, o.currency, 'seat_minor', v.seat_minor)) AS seat_minor,
       nexa.agreed_members(v.limits, o.usage_limits->'event_limits', 'number') AS event_limits,
       nexa.agreed_members(v.features, o.usage_limits->'features', 'boolean') AS features
FROM organizations o
{in_force}
LEFT JOIN plan_versions v ON v.id = w.id;
"""
# Said once, because a function that asked another for it would take longer.
IN_FORCE_LIMIT = """
    SELECT v.monthly_credits, coalesce(v.limits->'event_limits'->metric, v.limits->metric),
           CASE metric WHEN 'credits' THEN o.usage_limits->'monthly_credits'
                       ELSE o.usage_limits->'event_limits'->metric END,
           coalesce(coalesce(o.usage_limits->'hard', v.limits->'hard') = 'true', false),
           coalesce(o.usage_limits->'limit_shadow' = 'true', false)
        INTO most, included, agreed, is_hard, is_shadow
        FROM organizations o LEFT JOIN LATERAL (
            SELECT p.monthly_credits, p.limits FROM plan_versions p
            WHERE p.plan = o.plan_type AND {begun} ORDER BY p.effective_from DESC LIMIT 1) v ON true
        WHERE o.id = organization;
    IF metric <> 'credits' THEN
        most := CASE WHEN nexa.is_amount(included) THEN included::numeric::bigint END;
    END IF;
    IF agreed IS NOT NULL THEN
        most := CASE WHEN agreed = 'null' THEN NULL WHEN nexa.is_amount(agreed) THEN agreed::numeric::bigint ELSE most END;
    END IF;
"""
LIMITS = f"""
CREATE OR REPLACE FUNCTION nexa.usage_limit(organization uuid, metric text, OUT most bigint, OUT is_hard boolean,
                                 OUT is_shadow boolean) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    included jsonb;
    agreed jsonb;
BEGIN
{IN_FORCE_LIMIT}
END $$;
-- The limit it went by stands in ``nexa.most`` ('' for none) until it is asked again: for what the same row is set to.
CREATE OR REPLACE FUNCTION nexa.usage_admits(organization uuid, metric text, total bigint) RETURNS boolean
    LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    most bigint;
    is_hard boolean;
    is_shadow boolean;
    included jsonb;
    agreed jsonb;
BEGIN
{IN_FORCE_LIMIT}
    PERFORM set_config('nexa.most', coalesce(most::text, ''), true);
    RETURN most IS NULL OR NOT is_hard OR is_shadow OR total <= most;
END $$;
"""
STANDING = """
CREATE OR REPLACE FUNCTION nexa.standing_of_sign_in(sign_in uuid DEFAULT NULL, cookie text DEFAULT NULL)
    RETURNS TABLE (id uuid, kind varchar, user_id uuid, organization_id uuid, email varchar, full_name varchar,
                   organization_name varchar, organization_slug varchar, timezone varchar, locale varchar,
                   is_platform boolean, usage_limits jsonb, membership_id uuid, role membership_role, permissions jsonb,
                   seen_ago interval, viewing_id uuid, plan_features jsonb)
    LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    IF cookie IS NOT NULL THEN
        SELECT s.id INTO sign_in FROM public.user_sessions s WHERE s.session_token = cookie AND s.kind = 'browser';
    END IF;
    RETURN QUERY
        SELECT s.id, s.kind, s.user_id, s.organization_id, s.email, s.full_name, s.organization_name,
               s.organization_slug, s.timezone, s.locale, s.is_platform, s.usage_limits, m.membership_id, m.role,
               m.permissions, now() - s.last_seen_at,
               (SELECT v.id FROM public.viewings v
                WHERE v.user_session_id = s.id AND v.ended_at IS NULL AND v.expires_at > now()
                ORDER BY v.started_at DESC LIMIT 1),
               (SELECT p.features FROM public.plan_versions p
                WHERE p.plan = s.plan_type AND {begun}
                ORDER BY p.effective_from DESC LIMIT 1)
        FROM public.active_user_sessions s
        JOIN public.organization_members m ON m.user_id = s.user_id AND m.organization_id = s.organization_id
        WHERE s.id = sign_in AND s.organization_status = 'active' AND m.user_status = 'active';
END $$;
"""
BEGUN = """
CREATE OR REPLACE FUNCTION nexa.keep_begun_versions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (CASE TG_OP WHEN 'INSERT' THEN NEW.effective_from ELSE OLD.effective_from END) <= {soon} THEN
        RAISE EXCEPTION 'a version of a plan that has begun cannot change'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'plan_versions_begun';
    END IF;
    RETURN CASE TG_OP WHEN 'INSERT' THEN NEW ELSE OLD END;
END $$;
"""
INVOICES = """
CREATE OR REPLACE FUNCTION nexa.invoice_lines(organization uuid, at timestamptz) RETURNS TABLE (
    organization_id uuid, period_start timestamptz, period_end timestamptz, currency varchar, kind text, plan varchar,
    plan_name varchar, subscription_status varchar, since timestamptz, until timestamptz, quantity bigint,
    unit_minor bigint, unit_quantity bigint, amount_minor bigint, allowance bigint, reference uuid, note text
) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    WITH periods AS (
        SELECT {zone}o.id, p.starts, p.ends, greatest(o.created_at, p.starts) AS begins,
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
        SELECT v.*, lead(v.effective_from, 1, 'infinity') OVER (PARTITION BY v.plan ORDER BY v.effective_from) AS ended{near}
        FROM plan_versions v
    ), segments AS (
        SELECT p.id, p.starts, p.ends, p.currency, a.plan_type, v.name, a.subscription_status, f.since, f.until,
               a.subscription_status IN ('active', 'past_due') AS charged,
               coalesce(nexa.agreed(CASE WHEN a.currency = p.currency THEN a.agreed_prices
                   ELSE (SELECT l.agreed_prices FROM plan_assignments l
                         WHERE l.organization_id = p.id AND l.effective_from <= p.last
                         ORDER BY l.effective_from DESC LIMIT 1) END, 'price_minor', nexa.listed(w, p.currency, 'price_minor', w.price_minor)), 0) AS fee,
               CASE WHEN coalesce(v.seats, 0) > 0 THEN greatest(nexa.agreed(a.usage_limits, 'seats', v.seats) - v.seats, 0) ELSE 0 END AS extra,
               nexa.agreed(CASE WHEN a.currency = p.currency THEN a.agreed_prices
                   ELSE (SELECT l.agreed_prices FROM plan_assignments l
                         WHERE l.organization_id = p.id AND l.effective_from <= p.last
                         ORDER BY l.effective_from DESC LIMIT 1) END, 'seat_minor', nexa.listed(w, p.currency, 'seat_minor', w.seat_minor)) AS seat
        FROM terms p JOIN assigned a ON a.organization_id = p.id AND a.effective_from < p.stops AND a.ended > p.begins
        LEFT JOIN versions v ON v.plan = a.plan_type AND {begins} < least(a.ended, p.stops)
            AND {ended} > greatest(a.effective_from, p.begins)
        LEFT JOIN plan_versions w ON w.id = v.id
        CROSS JOIN LATERAL (SELECT greatest(p.begins, a.effective_from, {begins}) AS since,
                                   least(p.stops, a.ended, {ended}) AS until) f
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
# Of a version that is far from the period, whose clock it is makes no difference; and nearly nobody ever moved.
NEAR = "{} BETWEEN at - interval '33 days' AND at + interval '33 days'"
OWN = """CASE WHEN {near} IS NOT TRUE THEN v.{name} WHEN p.has_moved THEN nexa.version_begins(p.id, v.{name})
                 ELSE nexa.first_instant(v.{name} AT TIME ZONE 'UTC', p.time_zone) END"""
OWN_CLOCK = {
    "zone": "o.time_zone, o.id IN (SELECT f.organization_id FROM former_time_zones f) AS has_moved, ",
    "near": f""",
               {NEAR.format("v.effective_from")} AS is_near,
               {NEAR.format("lead(v.effective_from) OVER (PARTITION BY v.plan ORDER BY v.effective_from)")} AS ends_near""",
    "begins": OWN.format(name="effective_from", near="v.is_near"),
    "ended": OWN.format(name="ended", near="v.ends_near"),
}
IN_FORCE = """LEFT JOIN (SELECT id, plan, effective_from,
                  lead(effective_from, 1, 'infinity') OVER (PARTITION BY plan ORDER BY effective_from) AS ended
           FROM plan_versions) w ON w.plan = o.plan_type AND nexa.version_has_begun(o.id, w.effective_from, now())
    AND NOT nexa.version_has_begun(o.id, w.ended, now())"""
IN_FORCE_BEFORE = """LEFT JOIN (SELECT DISTINCT ON (plan) * FROM plan_versions WHERE effective_from <= now()
           ORDER BY plan, effective_from DESC) w ON w.plan = o.plan_type"""
# Written out where each debit asks: what is a function would be expanded each time.
BEGUN_NOW = """p.effective_from <= now() + interval '16 hours' AND (p.effective_from <= now() - interval '16 hours'
                OR nexa.version_begins({}, p.effective_from) <= now())"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(BEGINS)
    op.execute(PLANS.format(begun="nexa.version_has_begun(organization, v.effective_from, at)", in_force=IN_FORCE))
    op.execute(LIMITS.format(begun=BEGUN_NOW.format("o.id")))
    op.execute(STANDING.format(begun=BEGUN_NOW.format("s.organization_id")))
    op.execute(BEGUN.format(soon="clock_timestamp() + interval '16 hours'"))
    op.execute(INVOICES.format(**DATED, **OWN_CLOCK))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(INVOICES.format(**DATED, zone="", near="", begins="v.effective_from", ended="v.ended"))
    op.execute(BEGUN.format(soon="clock_timestamp()"))
    op.execute(STANDING.format(begun="p.effective_from <= now()"))
    op.execute(LIMITS.format(begun="p.effective_from <= now()"))
    op.execute(PLANS.format(begun="v.effective_from <= at", in_force=IN_FORCE_BEFORE))
    op.execute("""
        DROP POLICY former_time_zones_entry ON former_time_zones;
        REVOKE SELECT ON former_time_zones FROM nexa_entry;
        DROP FUNCTION nexa.version_has_begun(uuid, timestamptz, timestamptz), nexa.version_begins(uuid, timestamptz);
    """)
