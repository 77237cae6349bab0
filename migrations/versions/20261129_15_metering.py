"""Metering: API keys, event types, limits that hold whatever changes beside them, reservations, alerts, shadow mode.

Revision ID: 20261129_15
Revises: 20261129_14
"""

from alembic import op

revision = "20261129_15"
down_revision = "20261129_14"
branch_labels = None
depends_on = None

AS_ITS_OWNER = "SET LOCAL ROLE nexa_system; {} SET LOCAL ROLE nexa_owner"

API_KEYS = """
-- What a program signs its requests with. Only the SHA-256 of the key is kept, and only the entry door reads it.
CREATE TABLE api_keys (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id),
    name varchar(100) NOT NULL,
    prefix varchar(12) NOT NULL,
    key_hash varchar(64) NOT NULL,
    permissions jsonb NOT NULL DEFAULT '[]',
    created_by uuid REFERENCES users (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT api_keys_key_hash_key UNIQUE (key_hash),
    CONSTRAINT api_keys_name_check CHECK (btrim(name) <> '')
);
CREATE INDEX api_keys_organization_id_idx ON api_keys (organization_id);

GRANT SELECT (id, organization_id, name, prefix, permissions, created_by, created_at, last_used_at, revoked_at)
    ON api_keys TO nexa_tenant, nexa_staff, nexa_presenter;
GRANT INSERT, UPDATE (revoked_at) ON api_keys TO nexa_tenant, nexa_staff;
GRANT SELECT, UPDATE (last_used_at) ON api_keys TO nexa_entry;
GRANT ALL ON api_keys TO nexa_system;
CALL nexa.audit_table('api_keys', 'api_key', 'id', 'organization_id', '{key_hash,last_used_at,created_at}');
"""

EVENT_TYPES = """
-- What can be used, by name; ``credits`` is what an event costs that does not say so itself.
CREATE TABLE usage_event_types (
    event_type varchar(50) PRIMARY KEY,
    name varchar(100) NOT NULL,
    credits integer NOT NULL DEFAULT 0,
    CONSTRAINT usage_event_types_credits_check CHECK (credits >= 0)
);
INSERT INTO usage_event_types VALUES
    ('ai_call', 'AI calls', 1), ('pdf_export', 'PDF exports', 1), ('docx_export', 'Word exports', 1),
    ('xlsx_export', 'Excel exports', 1), ('json_export', 'JSON exports', 0), ('session_create', 'New sessions', 1), ('session_save', 'Saves', 0),
    ('diagram_render', 'Diagrams', 0), ('share_view', 'Views of shared sessions', 0), ('refund', 'Refunds', 0);
GRANT SELECT ON usage_event_types TO nexa_tenant, nexa_staff, nexa_presenter;
GRANT ALL ON usage_event_types TO nexa_system;

-- An event of a type the catalogue did not know when it came: kept, and shown to whoever keeps the catalogue.
ALTER TABLE usage_events ADD COLUMN is_flagged boolean NOT NULL DEFAULT false;
CREATE INDEX usage_events_flagged_idx ON usage_events (organization_id, occurred_at) WHERE is_flagged;
"""

LIMITS = """
-- ``most`` is the limit that was in force when the counter last moved, ``overage`` what was used beyond it.
ALTER TABLE usage_counters ADD COLUMN most bigint;
ALTER TABLE usage_counters ADD COLUMN overage bigint NOT NULL
    GENERATED ALWAYS AS (greatest(used - coalesce(most, used), 0)) STORED;
-- A counter's row changes all day and its key never: room on the page keeps the new version beside the old one.
ALTER TABLE usage_counters SET (fillfactor = 70);
ALTER TABLE usage_by_day SET (fillfactor = 80);

-- What a plan includes at a moment: of the catalogue of plans where there is one, else of the plans this migration knows.
CREATE FUNCTION nexa.plan_limits(plan_key text, at timestamptz, OUT monthly_credits bigint, OUT limits jsonb)
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF to_regclass('public.plan_versions') IS NOT NULL THEN
        SELECT v.monthly_credits, v.limits INTO monthly_credits, limits FROM plan_versions v
            WHERE v.plan = plan_key AND v.effective_from <= at ORDER BY v.effective_from DESC LIMIT 1;
    ELSE
        monthly_credits := CASE plan_key WHEN 'free' THEN 100 WHEN 'starter' THEN 1000 WHEN 'professional' THEN 5000
                                         WHEN 'enterprise' THEN 10000 END;
    END IF;
END $$;

-- The limit of one metric now: what was agreed with the organization goes over its plan's. VOLATILE on purpose: it is
-- asked while the counter's row is locked and must see what was committed since the statement began, so that of two
-- batches and a change of the limit between them, the later one always meets the new limit.
CREATE FUNCTION nexa.usage_limit(organization uuid, metric text, OUT most bigint, OUT is_hard boolean,
                                 OUT is_shadow boolean) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    agreed jsonb;
    plan text;
    of_plan record;
    value jsonb;
BEGIN
    SELECT CASE jsonb_typeof(o.usage_limits) WHEN 'object' THEN o.usage_limits ELSE '{}' END, o.plan_type
        INTO agreed, plan FROM organizations o WHERE o.id = organization;
    SELECT p.monthly_credits, p.limits INTO of_plan FROM nexa.plan_limits(plan, now()) p;
    is_hard := coalesce(agreed->'hard', of_plan.limits->'hard') = 'true';
    is_hard := coalesce(is_hard, false);
    is_shadow := coalesce(agreed->'limit_shadow' = 'true', false);
    IF metric = 'credits' THEN
        most := of_plan.monthly_credits;
        value := agreed->'monthly_credits';
    ELSE
        value := coalesce(of_plan.limits->'event_limits'->metric, of_plan.limits->metric);
        most := CASE WHEN nexa.is_amount(value) THEN value::numeric::bigint END;
        value := agreed->'event_limits'->metric;
    END IF;
    IF value = 'null' THEN
        most := NULL;
    ELSIF nexa.is_amount(value) THEN
        most := value::numeric::bigint;
    END IF;
END $$;

CREATE FUNCTION nexa.is_amount(value jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE jsonb_typeof(value) WHEN 'number'
                THEN value::numeric >= 0 AND value::numeric % 1 = 0 AND value::numeric < 9e18 ELSE false END
$$;

-- Whether so much in total may stand in a counter: what a conditional update asks of the row it has locked.
CREATE FUNCTION nexa.usage_admits(organization uuid, metric text, total bigint) RETURNS boolean
    LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    in_force record;
BEGIN
    SELECT * INTO in_force FROM nexa.usage_limit(organization, metric);
    RETURN in_force.most IS NULL OR NOT in_force.is_hard OR in_force.is_shadow OR total <= in_force.most;
END $$;

-- What a hard limit would have refused while it only watched: one row for each batch and metric.
CREATE TABLE usage_shadow_refusals (
    id uuid PRIMARY KEY DEFAULT nexa.uuid_v7(),
    organization_id uuid NOT NULL REFERENCES organizations (id),
    period_start timestamptz NOT NULL,
    metric varchar(50) NOT NULL,
    amount bigint NOT NULL,
    total bigint NOT NULL,
    most bigint NOT NULL,
    user_id uuid REFERENCES users (id),
    refused_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX usage_shadow_refusals_organization_id_idx ON usage_shadow_refusals (organization_id, refused_at);

-- Credits set aside for something whose cost is known afterwards. An open one is part of its counter's ``reserved``.
CREATE TABLE usage_reservations (
    id uuid PRIMARY KEY DEFAULT nexa.uuid_v7(),
    organization_id uuid NOT NULL REFERENCES organizations (id),
    user_id uuid REFERENCES users (id),
    session_id integer,
    event_type varchar(50) NOT NULL,
    source varchar(50) NOT NULL,
    idempotency_key varchar(255) NOT NULL,
    content_hash bytea NOT NULL,
    credits integer NOT NULL,
    period_start timestamptz NOT NULL,
    status varchar(10) NOT NULL DEFAULT 'open',
    reserved_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    closed_at timestamptz,
    settled_hash bytea,
    asked integer,
    charged integer,
    CONSTRAINT usage_reservations_organization_id_source_idempotency_key_key
        UNIQUE (organization_id, source, idempotency_key),
    CONSTRAINT usage_reservations_organization_id_session_id_fkey FOREIGN KEY (organization_id, session_id)
        REFERENCES ai_architecture_sessions (organization_id, id),
    CONSTRAINT usage_reservations_status_check CHECK (status IN ('open', 'settled', 'released', 'expired')),
    CONSTRAINT usage_reservations_credits_check CHECK (credits >= 0)
);
CREATE INDEX usage_reservations_expires_at_idx ON usage_reservations (expires_at) WHERE status = 'open';

-- A threshold that was crossed: once a period and threshold, whoever notices it.
CREATE TABLE usage_alerts (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id),
    period_start timestamptz NOT NULL,
    threshold integer NOT NULL,
    used bigint NOT NULL,
    most bigint NOT NULL,
    projected_on date,
    cause text NOT NULL DEFAULT '',
    crossed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT usage_alerts_organization_id_period_start_threshold_key
        UNIQUE (organization_id, period_start, threshold)
);

GRANT SELECT, INSERT ON usage_shadow_refusals TO nexa_tenant, nexa_staff;
GRANT SELECT, INSERT, UPDATE ON usage_reservations TO nexa_tenant, nexa_staff;
GRANT SELECT ON usage_alerts TO nexa_tenant, nexa_staff;
GRANT INSERT ON usage_alerts TO nexa_staff;
GRANT SELECT ON usage_shadow_refusals, usage_reservations, usage_alerts TO nexa_presenter;
GRANT ALL ON usage_shadow_refusals, usage_reservations, usage_alerts TO nexa_system;
"""

PROOF = """
-- What each night's proof of the sums came to, and the month before which single events have expired.
CREATE TABLE usage_proofs (
    proven_at timestamptz PRIMARY KEY DEFAULT now(),
    differences integer NOT NULL,
    first_difference text
);
CREATE TABLE usage_expiries (
    month date PRIMARY KEY,
    expired_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT ON usage_proofs TO nexa_staff;
GRANT SELECT ON usage_expiries TO nexa_tenant, nexa_staff, nexa_presenter;
GRANT ALL ON usage_proofs, usage_expiries TO nexa_system;

-- Lets whole months of single events go; their sums stay. The current month and the 35 days an event may be late are
-- out of its reach.
CREATE FUNCTION nexa.expire_usage(before date) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public AS $$
DECLARE
    child record;
    gone integer := 0;
BEGIN
    IF before > date_trunc('month', now() - interval '2 months') THEN
        RAISE EXCEPTION 'months that can still receive events cannot expire';
    END IF;
    FOR child IN SELECT c.relname, to_date(right(c.relname, 7), 'YYYY_MM') AS month
                 FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                 WHERE i.inhparent = 'usage_events'::regclass AND c.relname ~ '^usage_events_[0-9]{4}_[0-9]{2}$'
                 ORDER BY 1 LOOP
        CONTINUE WHEN child.month >= before;
        EXECUTE format('DROP TABLE public.%I', child.relname);
        INSERT INTO usage_expiries (month) VALUES (child.month) ON CONFLICT DO NOTHING;
        gone := gone + 1;
    END LOOP;
    RETURN gone;
END $$;
REVOKE EXECUTE ON FUNCTION nexa.expire_usage(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexa.expire_usage(date) TO nexa_staff;
"""

ROLL_UP = """
-- As before, but rows that are right already stay as they are: the job runs every few minutes now.
CREATE OR REPLACE FUNCTION nexa.roll_up_usage(since date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public AS $$
DECLARE
    first_day date := date_trunc('month', since);
BEGIN
    LOCK TABLE usage_by_month, usage_of_all_by_day IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM usage_by_month m WHERE month >= first_day AND NOT EXISTS (
        SELECT FROM usage_by_day d WHERE d.organization_id = m.organization_id AND d.day >= m.month
            AND d.day < m.month + interval '1 month');
    INSERT INTO usage_by_month AS m (organization_id, month, events, credits)
        SELECT organization_id, date_trunc('month', day)::date, sum(events), sum(credits)
        FROM usage_by_day WHERE day >= first_day GROUP BY 1, 2
        ON CONFLICT (organization_id, month) DO UPDATE SET events = excluded.events, credits = excluded.credits
        WHERE (m.events, m.credits) <> (excluded.events, excluded.credits);
    DELETE FROM usage_of_all_by_day a WHERE day >= first_day AND NOT EXISTS (
        SELECT FROM usage_by_day d WHERE d.day = a.day AND d.event_type = a.event_type);
    INSERT INTO usage_of_all_by_day AS a (day, event_type, events, credits)
        SELECT day, event_type, sum(events), sum(credits) FROM usage_by_day WHERE day >= first_day GROUP BY 1, 2
        ON CONFLICT (day, event_type) DO UPDATE SET events = excluded.events, credits = excluded.credits
        WHERE (a.events, a.credits) <> (excluded.events, excluded.credits);
END $$;
"""

ROW_LEVEL_SECURITY = (
    "".join(
        f"""
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY {table}_tenant ON {table} TO nexa_tenant
    USING (organization_id = (SELECT nexa.current_organization()))
    WITH CHECK (organization_id = (SELECT nexa.current_organization()));
CREATE POLICY {table}_staff ON {table} TO nexa_staff USING (true) WITH CHECK (true);
CREATE POLICY {table}_presenter ON {table} FOR SELECT TO nexa_presenter
    USING (organization_id = ANY ((SELECT nexa.demo_organizations())::uuid[]));
"""
        for table in ("api_keys", "usage_shadow_refusals", "usage_reservations", "usage_alerts")
    )
    + """
CREATE POLICY api_keys_entry ON api_keys TO nexa_entry USING (true);
"""
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for part in (API_KEYS, EVENT_TYPES, LIMITS, PROOF, AS_ITS_OWNER.format(ROLL_UP), ROW_LEVEL_SECURITY):
        op.execute(part)


ROLL_UP_BEFORE = """
CREATE OR REPLACE FUNCTION nexa.roll_up_usage(since date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public AS $$
DECLARE
    first_day date := date_trunc('month', since);
BEGIN
    LOCK TABLE usage_by_month, usage_of_all_by_day IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM usage_by_month WHERE month >= first_day;
    INSERT INTO usage_by_month (organization_id, month, events, credits)
        SELECT organization_id, date_trunc('month', day)::date, sum(events), sum(credits)
        FROM usage_by_day WHERE day >= first_day GROUP BY 1, 2;
    DELETE FROM usage_of_all_by_day WHERE day >= first_day;
    INSERT INTO usage_of_all_by_day (day, event_type, events, credits)
        SELECT day, event_type, sum(events), sum(credits) FROM usage_by_day WHERE day >= first_day GROUP BY 1, 2;
END $$;
"""


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(AS_ITS_OWNER.format(ROLL_UP_BEFORE))
    op.execute("""
        DROP FUNCTION nexa.expire_usage(date), nexa.usage_admits(uuid, text, bigint),
            nexa.usage_limit(uuid, text), nexa.is_amount(jsonb), nexa.plan_limits(text, timestamptz);
        ALTER TABLE usage_counters DROP COLUMN overage, DROP COLUMN most;
        ALTER TABLE usage_counters RESET (fillfactor);
        ALTER TABLE usage_by_day RESET (fillfactor);
        DROP INDEX usage_events_flagged_idx;
        ALTER TABLE usage_events DROP COLUMN is_flagged;
        DROP TABLE usage_expiries, usage_proofs, usage_alerts, usage_reservations, usage_shadow_refusals,
            usage_event_types, api_keys;
    """)
