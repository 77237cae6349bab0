"""What customers pay: the catalogue of plans by date, each organization's plans by date, credit notes, and the lines.

Revision ID: 20261129_16
Revises: 20261129_15
"""

from alembic import op

revision = "20261129_16"
down_revision = "20261129_15"
branch_labels = None
depends_on = None

TABLES = """
-- What a plan was, is and will be. The version in force is the latest that has begun; nothing that has begun changes.
-- Prices are integer minor units of the currency; ``prices`` has those of other currencies. A credit over the allowance
-- costs overage_minor / overage_credits, a seat over the plan's seat_minor a month (none: it is not charged).
CREATE TABLE plan_versions (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    plan varchar(50) NOT NULL,
    effective_from timestamptz NOT NULL,
    name varchar(100) NOT NULL,
    currency varchar(3) NOT NULL DEFAULT 'EUR',
    price_minor bigint NOT NULL,
    monthly_credits bigint NOT NULL,
    overage_minor bigint NOT NULL,
    overage_credits bigint NOT NULL,
    seats integer,
    seat_minor bigint,
    prices jsonb NOT NULL DEFAULT '{}',
    limits jsonb NOT NULL DEFAULT '{}',
    features jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT plan_versions_pkey PRIMARY KEY (id),
    CONSTRAINT plan_versions_plan_effective_from_key UNIQUE (plan, effective_from),
    CONSTRAINT plan_versions_plan_check CHECK (plan ~ '^[a-z][a-z0-9_]{0,49}$'),
    CONSTRAINT plan_versions_name_check CHECK (btrim(name) <> ''),
    CONSTRAINT plan_versions_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT plan_versions_amounts_check CHECK (price_minor >= 0 AND monthly_credits >= 0 AND overage_minor >= 0
        AND overage_credits > 0 AND coalesce(seats, 0) >= 0 AND coalesce(seat_minor, 0) >= 0),
    CONSTRAINT plan_versions_documents_check CHECK (jsonb_typeof(prices) = 'object' AND jsonb_typeof(limits) = 'object'
        AND jsonb_typeof(features) = 'object')
);

-- What an organization pays in, and the prices that were agreed with it instead of the list's: price_minor,
-- overage_minor, overage_credits, seat_minor.
ALTER TABLE organizations
    ADD COLUMN currency varchar(3) NOT NULL DEFAULT 'EUR',
    ADD COLUMN agreed_prices jsonb NOT NULL DEFAULT '{}',
    ADD CONSTRAINT organizations_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
    ADD CONSTRAINT organizations_agreed_prices_check CHECK (jsonb_typeof(agreed_prices) = 'object');

-- What an organization had subscribed to from an instant on, until the next. Written by a trigger only, so that no way
-- of changing a plan can be forgotten. The first row of each is of 1970: it stands for "from the beginning".
CREATE TABLE plan_assignments (
    organization_id uuid NOT NULL REFERENCES organizations (id),
    effective_from timestamptz NOT NULL,
    plan_type varchar(50) NOT NULL,
    subscription_status varchar(50) NOT NULL,
    usage_limits jsonb NOT NULL,
    currency varchar(3) NOT NULL,
    agreed_prices jsonb NOT NULL,
    CONSTRAINT plan_assignments_pkey PRIMARY KEY (organization_id, effective_from)
);

-- Money given back for a period: a line of its invoice. ``amount_minor`` is what is given back.
CREATE TABLE credit_notes (
    id uuid NOT NULL DEFAULT nexa.uuid_v7(),
    organization_id uuid NOT NULL REFERENCES organizations (id),
    period_start timestamptz NOT NULL,
    kind varchar(10) NOT NULL DEFAULT 'credit',
    amount_minor bigint NOT NULL,
    currency varchar(3) NOT NULL,
    reason text NOT NULL,
    issued_by uuid REFERENCES users (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT credit_notes_pkey PRIMARY KEY (id),
    CONSTRAINT credit_notes_kind_check CHECK (kind IN ('credit', 'refund')),
    CONSTRAINT credit_notes_amount_check CHECK (amount_minor > 0),
    CONSTRAINT credit_notes_reason_check CHECK (btrim(reason) <> '')
);
CREATE INDEX credit_notes_organization_id_period_start_idx ON credit_notes (organization_id, period_start);
"""

PRIVILEGES = """
GRANT SELECT ON plan_versions TO nexa_tenant, nexa_staff, nexa_presenter, nexa_entry;
GRANT INSERT, DELETE ON plan_versions TO nexa_staff;
GRANT SELECT ON plan_assignments, credit_notes TO nexa_tenant, nexa_staff, nexa_presenter;
GRANT INSERT ON credit_notes TO nexa_staff;
GRANT ALL ON plan_versions, plan_assignments, credit_notes TO nexa_system;
""" + "".join(
    f"""
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY {table}_tenant ON {table} FOR SELECT TO nexa_tenant
    USING (organization_id = (SELECT nexa.current_organization()));
CREATE POLICY {table}_staff ON {table} TO nexa_staff USING (true) WITH CHECK (true);
CREATE POLICY {table}_presenter ON {table} FOR SELECT TO nexa_presenter
    USING (organization_id = ANY ((SELECT nexa.demo_organizations())::uuid[]));
"""
    for table in ("plan_assignments", "credit_notes")
)

# A price list of its own for each currency, not today's exchange rate.
SEED = """
INSERT INTO plan_versions (plan, effective_from, name, price_minor, monthly_credits, overage_minor, overage_credits,
                           seats, seat_minor, prices, features) VALUES
('free', 'epoch', 'Free', 0, 100, 750, 100, 3, NULL,
 '{"GBP": {"price_minor": 0, "overage_minor": 650}, "USD": {"price_minor": 0, "overage_minor": 800},
  "JPY": {"price_minor": 0, "overage_minor": 1200}, "BRL": {"price_minor": 0, "overage_minor": 4250},
  "CHF": {"price_minor": 0, "overage_minor": 700}, "AUD": {"price_minor": 0, "overage_minor": 1250},
  "ZAR": {"price_minor": 0, "overage_minor": 14500}, "INR": {"price_minor": 0, "overage_minor": 67500},
  "NZD": {"price_minor": 0, "overage_minor": 1350}, "SGD": {"price_minor": 0, "overage_minor": 1050}}',
 '{"sessions": true, "metering": true, "audit_log": false, "auto_join": false}'),
('starter', 'epoch', 'Starter', 4900, 1000, 600, 100, 10, 600,
 '{"GBP": {"price_minor": 4200, "overage_minor": 500, "seat_minor": 500}, "USD": {"price_minor": 5400, "overage_minor": 650, "seat_minor": 600},
  "JPY": {"price_minor": 8400, "overage_minor": 950, "seat_minor": 900}, "BRL": {"price_minor": 28900, "overage_minor": 3450, "seat_minor": 3200},
  "CHF": {"price_minor": 4700, "overage_minor": 550, "seat_minor": 550}, "AUD": {"price_minor": 8100, "overage_minor": 950, "seat_minor": 950},
  "ZAR": {"price_minor": 97000, "overage_minor": 11500, "seat_minor": 11000}, "INR": {"price_minor": 459000, "overage_minor": 54500, "seat_minor": 52000},
  "NZD": {"price_minor": 8900, "overage_minor": 1050, "seat_minor": 1000}, "SGD": {"price_minor": 7100, "overage_minor": 850, "seat_minor": 800}}',
 '{"sessions": true, "metering": true, "audit_log": true, "auto_join": false}'),
('professional', 'epoch', 'Professional', 24900, 5000, 540, 100, 25, 900,
 '{"GBP": {"price_minor": 21500, "overage_minor": 480, "seat_minor": 700}, "USD": {"price_minor": 27500, "overage_minor": 600, "seat_minor": 900},
  "JPY": {"price_minor": 42500, "overage_minor": 900, "seat_minor": 1400}, "BRL": {"price_minor": 147000, "overage_minor": 3120, "seat_minor": 4800},
  "CHF": {"price_minor": 23900, "overage_minor": 540, "seat_minor": 800}, "AUD": {"price_minor": 41500, "overage_minor": 840, "seat_minor": 1400},
  "ZAR": {"price_minor": 495000, "overage_minor": 10200, "seat_minor": 16000}, "INR": {"price_minor": 2340000, "overage_minor": 49200, "seat_minor": 76000},
  "NZD": {"price_minor": 45500, "overage_minor": 960, "seat_minor": 1500}, "SGD": {"price_minor": 36500, "overage_minor": 780, "seat_minor": 1200}}',
 '{"sessions": true, "metering": true, "audit_log": true, "auto_join": true}'),
('enterprise', 'epoch', 'Enterprise', 149000, 10000, 420, 100, NULL, NULL,
 '{"GBP": {"price_minor": 129000, "overage_minor": 360}, "USD": {"price_minor": 165000, "overage_minor": 480},
  "JPY": {"price_minor": 254000, "overage_minor": 720}, "BRL": {"price_minor": 879000, "overage_minor": 2400},
  "CHF": {"price_minor": 142000, "overage_minor": 420}, "AUD": {"price_minor": 247000, "overage_minor": 660},
  "ZAR": {"price_minor": 2950000, "overage_minor": 7800}, "INR": {"price_minor": 13900000, "overage_minor": 37800},
  "NZD": {"price_minor": 269000, "overage_minor": 720}, "SGD": {"price_minor": 217000, "overage_minor": 600}}',
 '{"sessions": true, "metering": true, "audit_log": true, "auto_join": true}');
"""

# What the audit log remembers of earlier plans. The value after an entry is the old value of the next one that changed
# it, or today's. As nexa_system: a forced policy hides every row from the owner.
BACKFILL = """
SET LOCAL ROLE nexa_system;
WITH changes AS (
    SELECT l.organization_id, l.created_at AS effective_from, l.id, l.old_values
    FROM audit_logs l JOIN organizations o ON o.id = l.organization_id
    WHERE l.resource_type = 'organization' AND l.resource_id = o.id
      AND l.old_values ?| ARRAY['plan_type', 'subscription_status', 'usage_limits'] AND l.created_at > o.created_at
), points AS (
    SELECT organization_id, max(effective_from) AS effective_from, max(id::text) AS id
    FROM changes GROUP BY organization_id, effective_from
    UNION ALL SELECT o.id, 'epoch', '' FROM organizations o
)
INSERT INTO plan_assignments
SELECT p.organization_id, p.effective_from,
       coalesce(after.plan->>'plan_type', o.plan_type), coalesce(after.status->>'subscription_status', o.subscription_status),
       coalesce(after.limits->'usage_limits', o.usage_limits), o.currency, o.agreed_prices
FROM points p JOIN organizations o ON o.id = p.organization_id
CROSS JOIN LATERAL (SELECT
    (SELECT old_values FROM changes c WHERE c.organization_id = p.organization_id AND c.effective_from > p.effective_from
        AND old_values ? 'plan_type' ORDER BY c.effective_from, c.id LIMIT 1) AS plan,
    (SELECT old_values FROM changes c WHERE c.organization_id = p.organization_id AND c.effective_from > p.effective_from
        AND old_values ? 'subscription_status' ORDER BY c.effective_from, c.id LIMIT 1) AS status,
    (SELECT old_values FROM changes c WHERE c.organization_id = p.organization_id AND c.effective_from > p.effective_from
        AND old_values ? 'usage_limits' ORDER BY c.effective_from, c.id LIMIT 1) AS limits) after;
SET LOCAL ROLE nexa_owner;
"""

TRIGGERS = """
-- By statement, as the log is: a thousand plans changed at once are one insert. The instant is that of the change, taken
-- while its rows are locked: of two changes that wait for each other the later one is later here, too. The demo world
-- alone may have a past of its own making.
CREATE FUNCTION nexa.assign_first_plan() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public AS $$
BEGIN
    INSERT INTO plan_assignments (organization_id, effective_from, plan_type, subscription_status, usage_limits,
                                  currency, agreed_prices)
    SELECT id, 'epoch', plan_type, subscription_status, usage_limits, currency, agreed_prices FROM after_change;
    RETURN NULL;
END $$;
CREATE FUNCTION nexa.assign_next_plan() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public AS $$
DECLARE
    invented CONSTANT timestamptz := nullif(current_setting('nexa.effective_from', true), '');
    instant CONSTANT timestamptz := clock_timestamp();
BEGIN
    INSERT INTO plan_assignments (organization_id, effective_from, plan_type, subscription_status, usage_limits,
                                  currency, agreed_prices)
    SELECT a.id,
           greatest(CASE WHEN a.is_demo THEN coalesce(invented, instant) ELSE instant END,
                    (SELECT max(p.effective_from) + interval '1 microsecond' FROM plan_assignments p
                     WHERE p.organization_id = a.id)),
           a.plan_type, a.subscription_status, a.usage_limits, a.currency, a.agreed_prices
    FROM after_change a JOIN before_change b USING (id)
    WHERE (a.plan_type, a.subscription_status, a.usage_limits, a.currency, a.agreed_prices)
        IS DISTINCT FROM (b.plan_type, b.subscription_status, b.usage_limits, b.currency, b.agreed_prices);
    RETURN NULL;
END $$;
ALTER FUNCTION nexa.assign_first_plan() OWNER TO nexa_system;
ALTER FUNCTION nexa.assign_next_plan() OWNER TO nexa_system;
CREATE TRIGGER organizations_plan_insert AFTER INSERT ON organizations
    REFERENCING NEW TABLE AS after_change FOR EACH STATEMENT EXECUTE FUNCTION nexa.assign_first_plan();
CREATE TRIGGER organizations_plan_update AFTER UPDATE ON organizations
    REFERENCING OLD TABLE AS before_change NEW TABLE AS after_change FOR EACH STATEMENT
    EXECUTE FUNCTION nexa.assign_next_plan();

-- Invoices of the past are computed from the catalogue: what has begun stays as it is.
CREATE FUNCTION nexa.keep_begun_versions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (CASE TG_OP WHEN 'INSERT' THEN NEW.effective_from ELSE OLD.effective_from END) <= clock_timestamp() THEN
        RAISE EXCEPTION 'a version of a plan that has begun cannot change'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'plan_versions_begun';
    END IF;
    RETURN CASE TG_OP WHEN 'INSERT' THEN NEW ELSE OLD END;
END $$;
CREATE TRIGGER plan_versions_begun BEFORE INSERT OR DELETE ON plan_versions
    FOR EACH ROW EXECUTE FUNCTION nexa.keep_begun_versions();

CALL nexa.audit_table('plan_versions', 'plan_version', 'id', '', '{created_at}');
CALL nexa.audit_table('credit_notes', 'credit_note', 'id', 'organization_id', '{created_at}');
"""

PERIODS = """
-- Where the clock goes back at midnight, the first of a month has two midnights an hour apart (Havana, 1 November 2026).
-- A period begins at the first of them: otherwise the hour between them would be in no period.
CREATE FUNCTION nexa.first_instant(local timestamp, zone text) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN ((local AT TIME ZONE zone) - interval '1 hour') AT TIME ZONE zone >= local
                 THEN (local AT TIME ZONE zone) - interval '1 hour' ELSE local AT TIME ZONE zone END $$;
CREATE OR REPLACE FUNCTION nexa.period_start(at timestamptz, zone text) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nexa.first_instant(date_trunc('month', at AT TIME ZONE zone), zone) $$;
CREATE OR REPLACE FUNCTION nexa.period_end(at timestamptz, zone text) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nexa.first_instant(date_trunc('month', at AT TIME ZONE zone) + interval '1 month', zone) $$;
"""

TERMS = """
-- A number that was agreed goes over the list's: an explicit null is no limit, what is no count agrees on nothing.
CREATE FUNCTION nexa.agreed(agreed jsonb, key text, otherwise bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN jsonb_typeof(agreed->key) = 'null' THEN NULL
                      WHEN jsonb_typeof(agreed->key) = 'number' AND agreed->>key ~ '^[0-9]{1,18}$' THEN (agreed->>key)::bigint
                      ELSE otherwise END $$;
-- A price of the list in a currency it has prices in, else in its own.
CREATE FUNCTION nexa.listed(version plan_versions, currency text, key text, own bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN version.prices ? currency THEN (version.prices->currency->>key)::bigint ELSE own END $$;
-- What is switched on and off, and what is limited by type of event: the plan's, and over it what was agreed. An agreed
-- null is no limit, as everywhere.
CREATE FUNCTION nexa.agreed_members(listed jsonb, agreed jsonb, form text) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT jsonb_strip_nulls(coalesce(listed, '{}') || coalesce((SELECT jsonb_object_agg(m.key, m.value)
          FROM jsonb_each(CASE WHEN jsonb_typeof(agreed) = 'object' THEN agreed END) m
          WHERE jsonb_typeof(m.value) = form OR form = 'number' AND jsonb_typeof(m.value) = 'null'), '{}')) $$;

-- THE definition of what an organization has subscribed to at an instant: plan, allowance, seats, features, prices.
-- A NULL allowance or number of seats is no limit. Prices are those of the list, or agreed; minor units of ``currency``.
CREATE FUNCTION nexa.plan_of(organization uuid, at timestamptz) RETURNS TABLE (
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
    LEFT JOIN LATERAL (SELECT * FROM plan_versions v WHERE v.plan = a.plan_type AND v.effective_from <= at
                       ORDER BY v.effective_from DESC LIMIT 1) v ON true
$$;

-- The same at this moment, of every organization within reach, by the same functions: for lists and for what is written
-- often. A test compares the two.
CREATE VIEW nexa.plans_now WITH (security_invoker = true) AS
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
LEFT JOIN (SELECT DISTINCT ON (plan) * FROM plan_versions WHERE effective_from <= now()
           ORDER BY plan, effective_from DESC) w ON w.plan = o.plan_type
LEFT JOIN plan_versions v ON v.id = w.id;
GRANT SELECT ON nexa.plans_now TO nexa_tenant, nexa_staff, nexa_presenter, nexa_entry;
"""

INVOICES = """
-- Integers divided, the nearest integer, a half to the even one (IEEE 754 roundTiesToEven); exact, without a fraction.
CREATE FUNCTION nexa.divide_half_even(dividend numeric, divisor numeric) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT (div(dividend, divisor) + CASE
        WHEN 2 * mod(dividend, divisor) > divisor OR 2 * mod(dividend, divisor) = divisor
            AND mod(div(dividend, divisor), 2) = 1 THEN 1 ELSE 0 END)::bigint $$;

-- THE definition of an invoice: its lines, for the period that holds ``at``, of one organization or (NULL) of all within
-- reach; the sum of amount_minor is what it comes to. A period that is running is taken as if nothing changed until its
-- end. Fees are divided by time: a line is what has accrued until its end less what had until its beginning, each
-- rounded half to even, so that the lines of one price always add up to that price.
CREATE FUNCTION nexa.invoice_lines(organization uuid, at timestamptz) RETURNS TABLE (
    organization_id uuid, period_start timestamptz, period_end timestamptz, currency varchar, kind text, plan varchar,
    plan_name varchar, subscription_status varchar, since timestamptz, until timestamptz, quantity bigint,
    unit_minor bigint, unit_quantity bigint, amount_minor bigint, allowance bigint, reference uuid, note text
) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    WITH periods AS (
        SELECT o.id, p.starts, p.ends, greatest(o.created_at, p.starts) AS begins,
               least(o.deleted_at, p.ends) AS stops,
               least(o.deleted_at, p.ends, greatest(now(), p.starts + interval '1 microsecond')) - interval '1 microsecond' AS last
        FROM organizations o
        CROSS JOIN LATERAL (SELECT nexa.period_start(at, o.time_zone) AS starts, nexa.period_end(at, o.time_zone) AS ends) p
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

REHEARSAL = """
-- What a hard limit would have let through, an event after the other: an event that does not fit uses nothing, so a
-- smaller one after it may. State: whether the event was let through, credits so far, events so far of each limited
-- type. ``most``: credits, then events of each limited type; ``number`` says which type it is, 0 for none of them.
CREATE FUNCTION nexa.admit(state bigint[], credits bigint, number integer, most bigint[]) RETURNS bigint[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF credits > 0 AND state[2] + credits > most[1] OR number > 0 AND coalesce(state[2 + number], 0) + 1 > most[1 + number] THEN
        state[1] := 0;
    ELSE
        state[1] := 1;
        state[2] := state[2] + credits;
        IF number > 0 THEN
            state[2 + number] := coalesce(state[2 + number], 0) + 1;
        END IF;
    END IF;
    RETURN state;
END $$;
CREATE AGGREGATE nexa.admitted(credits bigint, number integer, most bigint[])
    (SFUNC = nexa.admit, STYPE = bigint[], INITCOND = '{1,0}');
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for part in (TABLES, PRIVILEGES, SEED, BACKFILL, TRIGGERS, PERIODS, TERMS, INVOICES, REHEARSAL):
        op.execute(part)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        DROP AGGREGATE nexa.admitted(bigint, integer, bigint[]);
        DROP FUNCTION nexa.admit(bigint[], bigint, integer, bigint[]);
        DROP FUNCTION nexa.invoice_lines(uuid, timestamptz), nexa.divide_half_even(numeric, numeric);
        DROP VIEW nexa.plans_now;
        DROP FUNCTION nexa.plan_of(uuid, timestamptz), nexa.agreed_members(jsonb, jsonb, text),
            nexa.listed(plan_versions, text, text, bigint), nexa.agreed(jsonb, text, bigint);
        DROP TRIGGER organizations_plan_insert ON organizations;
        DROP TRIGGER organizations_plan_update ON organizations;
        CREATE OR REPLACE FUNCTION nexa.period_start(at timestamptz, zone text) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
            AS $$ SELECT date_trunc('month', at AT TIME ZONE zone) AT TIME ZONE zone $$;
        CREATE OR REPLACE FUNCTION nexa.period_end(at timestamptz, zone text) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
            AS $$ SELECT (date_trunc('month', at AT TIME ZONE zone) + interval '1 month') AT TIME ZONE zone $$;
        DROP FUNCTION nexa.first_instant(timestamp, text);
        DROP TABLE credit_notes, plan_assignments, plan_versions;
        DROP FUNCTION nexa.assign_first_plan(), nexa.assign_next_plan(), nexa.keep_begun_versions();
        ALTER TABLE organizations DROP COLUMN agreed_prices, DROP COLUMN currency;
    """)
