"""What the screens of usage stand on: tags of customers, outlooks, the forecasts that were made, and what was put off.

Revision ID: 20261129_17
Revises: 20261129_16
"""

from alembic import op

revision = "20261129_17"
down_revision = "20261129_16"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE organizations ADD COLUMN tags jsonb NOT NULL DEFAULT '[]',
    ADD CONSTRAINT organizations_tags_check CHECK (jsonb_typeof(tags) = 'array');

-- One row a customer: what its complete days say about the running period. Made anew when its day is over, and when its
-- contract changes; a portfolio of ten thousand customers sorts by these columns.
CREATE TABLE usage_outlooks (
    organization_id uuid PRIMARY KEY REFERENCES organizations (id),
    period date NOT NULL,
    made_on date NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    used bigint NOT NULL,
    used_before bigint NOT NULL,
    expected bigint,
    low bigint,
    high bigint,
    depletes_on date,
    trend integer,
    last_activity date,
    recent jsonb NOT NULL DEFAULT '[]',
    score integer NOT NULL DEFAULT 0,
    reasons jsonb NOT NULL DEFAULT '[]',
    CONSTRAINT usage_outlooks_recent_check CHECK (jsonb_typeof(recent) = 'array' AND jsonb_typeof(reasons) = 'array')
);
CREATE INDEX usage_outlooks_score_idx ON usage_outlooks (score DESC, organization_id) WHERE score > 0;

-- What was predicted, so that it can be held against what happened.
CREATE TABLE usage_forecasts (
    organization_id uuid NOT NULL REFERENCES organizations (id),
    made_on date NOT NULL,
    period date NOT NULL,
    expected bigint NOT NULL,
    low bigint NOT NULL,
    high bigint NOT NULL,
    CONSTRAINT usage_forecasts_pkey PRIMARY KEY (organization_id, made_on)
);

-- A reason of the morning brief that somebody does not want to see until a day.
CREATE TABLE brief_pauses (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id),
    user_id uuid NOT NULL REFERENCES users (id),
    kind varchar(30) NOT NULL,
    paused_until date NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT brief_pauses_user_id_organization_id_kind_key UNIQUE (user_id, organization_id, kind)
);
CREATE INDEX brief_pauses_organization_id_idx ON brief_pauses (organization_id);

-- The credits of one period for all customers, without reading their other metrics. `used` stays out of the index: it
-- changes at every event, and an index on it would make each of these changes dearer.
CREATE INDEX usage_counters_credits_idx ON usage_counters (period_start) WHERE metric = 'credits';
"""

PRIVILEGES = """
GRANT SELECT ON usage_outlooks, usage_forecasts TO nexa_tenant, nexa_presenter;
GRANT SELECT, INSERT, UPDATE ON usage_outlooks, usage_forecasts TO nexa_staff;
GRANT SELECT, INSERT, UPDATE, DELETE ON brief_pauses TO nexa_staff;
GRANT ALL ON usage_outlooks, usage_forecasts, brief_pauses TO nexa_system;
CALL nexa.audit_table('brief_pauses', 'brief_pause', 'id', '', '{created_at}');
"""

ROW_LEVEL_SECURITY = (
    "".join(
        f"""
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY {table}_tenant ON {table} FOR SELECT TO nexa_tenant
    USING (organization_id = (SELECT nexa.current_organization()));
CREATE POLICY {table}_staff ON {table} TO nexa_staff USING (true) WITH CHECK (true);
CREATE POLICY {table}_presenter ON {table} FOR SELECT TO nexa_presenter
    USING (organization_id = ANY ((SELECT nexa.demo_organizations())::uuid[]));
"""
        for table in ("usage_outlooks", "usage_forecasts")
    )
    + """
ALTER TABLE brief_pauses ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY brief_pauses_staff ON brief_pauses TO nexa_staff USING (true) WITH CHECK (true);
"""
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for part in (TABLES, PRIVILEGES, ROW_LEVEL_SECURITY):
        op.execute(part)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        DROP INDEX usage_counters_credits_idx;
        DROP TABLE brief_pauses, usage_forecasts, usage_outlooks;
        ALTER TABLE organizations DROP COLUMN tags;
    """)
