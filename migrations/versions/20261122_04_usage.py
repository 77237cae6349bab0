"""Usage: events that are counted once, counters that hold a limit, rollups.

Revision ID: 20261122_04
Revises: 20261122_03
"""

from alembic import op

revision = "20261122_04"
down_revision = "20261122_03"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE usage_events (
    id uuid NOT NULL DEFAULT nexa.uuid_v7(),
    organization_id uuid NOT NULL REFERENCES organizations (id),
    user_id uuid REFERENCES users (id),
    event_type varchar(50) NOT NULL,
    event_data jsonb NOT NULL DEFAULT '{}',
    credits_consumed integer NOT NULL DEFAULT 0,
    session_id integer,
    source varchar(50) NOT NULL DEFAULT 'nexa',
    idempotency_key varchar(255) NOT NULL,
    occurred_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT usage_events_pkey PRIMARY KEY (id, occurred_at),
    CONSTRAINT usage_events_organization_id_session_id_fkey FOREIGN KEY (organization_id, session_id)
        REFERENCES ai_architecture_sessions (organization_id, id)
) PARTITION BY RANGE (occurred_at);
CREATE TABLE usage_events_default PARTITION OF usage_events DEFAULT;
CREATE INDEX usage_events_organization_id_occurred_at_id_idx ON usage_events (organization_id, occurred_at, id);

-- A unique key over a partitioned table must contain the month; "for ever" must not. So the promise stands here.
CREATE TABLE usage_idempotency_keys (
    organization_id uuid NOT NULL REFERENCES organizations (id),
    source varchar(50) NOT NULL,
    idempotency_key varchar(255) NOT NULL,
    content_hash bytea NOT NULL,
    event_id uuid NOT NULL,
    CONSTRAINT usage_idempotency_keys_pkey PRIMARY KEY (organization_id, source, idempotency_key)
);

-- What a limit is enforced against: one row an organization, period and metric ('credits', or an event type).
CREATE TABLE usage_counters (
    organization_id uuid NOT NULL REFERENCES organizations (id),
    period_start timestamptz NOT NULL,
    metric varchar(50) NOT NULL,
    used bigint NOT NULL DEFAULT 0,
    reserved bigint NOT NULL DEFAULT 0,
    CONSTRAINT usage_counters_pkey PRIMARY KEY (organization_id, period_start, metric),
    CONSTRAINT usage_counters_reserved_check CHECK (reserved >= 0)
);

CREATE TABLE usage_by_day (
    organization_id uuid NOT NULL REFERENCES organizations (id),
    day date NOT NULL,
    event_type varchar(50) NOT NULL,
    events bigint NOT NULL DEFAULT 0,
    credits bigint NOT NULL DEFAULT 0,
    CONSTRAINT usage_by_day_pkey PRIMARY KEY (organization_id, day, event_type)
);
CREATE TABLE usage_by_month (
    organization_id uuid NOT NULL REFERENCES organizations (id),
    month date NOT NULL,
    events bigint NOT NULL DEFAULT 0,
    credits bigint NOT NULL DEFAULT 0,
    CONSTRAINT usage_by_month_pkey PRIMARY KEY (organization_id, month)
);
CREATE TABLE usage_of_all_by_day (
    day date NOT NULL,
    event_type varchar(50) NOT NULL,
    events bigint NOT NULL DEFAULT 0,
    credits bigint NOT NULL DEFAULT 0,
    CONSTRAINT usage_of_all_by_day_pkey PRIMARY KEY (day, event_type)
);
"""

FUNCTIONS = """
-- The one definition of a billing period: the calendar month of the organization's own time zone, half-open.
CREATE FUNCTION nexa.period_start(at timestamptz, zone text) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT date_trunc('month', at AT TIME ZONE zone) AT TIME ZONE zone $$;
CREATE FUNCTION nexa.period_end(at timestamptz, zone text) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT (date_trunc('month', at AT TIME ZONE zone) + interval '1 month') AT TIME ZONE zone $$;

-- The two coarse rollups, made anew from the fine one for the days given; never inside an ingest transaction.
CREATE FUNCTION nexa.roll_up_usage(since date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
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
REVOKE EXECUTE ON FUNCTION nexa.roll_up_usage(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexa.roll_up_usage(date) TO nexa_staff;
ALTER FUNCTION nexa.roll_up_usage(date) OWNER TO nexa_system;

SELECT nexa.make_month('usage_events', (date_trunc('month', now()) + make_interval(months => ahead))::date)
    FROM generate_series(-14, 3) ahead;
"""

PRIVILEGES = """
GRANT SELECT, INSERT ON usage_events, usage_idempotency_keys TO nexa_tenant, nexa_staff;
GRANT SELECT, INSERT, UPDATE ON usage_counters, usage_by_day TO nexa_tenant, nexa_staff;
GRANT SELECT ON usage_by_month TO nexa_tenant, nexa_staff;
GRANT SELECT ON usage_of_all_by_day TO nexa_staff;
GRANT SELECT ON usage_events, usage_counters, usage_by_day, usage_by_month TO nexa_presenter;
GRANT ALL ON usage_events, usage_idempotency_keys, usage_counters, usage_by_day, usage_by_month, usage_of_all_by_day
    TO nexa_system;
"""

_PRESENTED = ("usage_events", "usage_counters", "usage_by_day", "usage_by_month")
ROW_LEVEL_SECURITY = "".join(
    f"""
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY {table}_tenant ON {table} TO nexa_tenant
    USING (organization_id = (SELECT nexa.current_organization()))
    WITH CHECK (organization_id = (SELECT nexa.current_organization()));
CREATE POLICY {table}_staff ON {table} TO nexa_staff USING (true) WITH CHECK (true);
"""
    for table in (*_PRESENTED, "usage_idempotency_keys")
) + "".join(
    f"""
CREATE POLICY {table}_presenter ON {table} FOR SELECT TO nexa_presenter
    USING (organization_id = ANY ((SELECT nexa.demo_organizations())::uuid[]));
"""
    for table in _PRESENTED
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for part in (TABLES, FUNCTIONS, PRIVILEGES, ROW_LEVEL_SECURITY):
        op.execute(part)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        DROP FUNCTION nexa.roll_up_usage(date), nexa.period_start(timestamptz, text), nexa.period_end(timestamptz, text);
        DROP TABLE usage_of_all_by_day, usage_by_month, usage_by_day, usage_counters, usage_idempotency_keys, usage_events;
    """)
