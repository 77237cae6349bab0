"""The mail that leaves with its transaction, and the queue that carries it.

Revision ID: 20261122_05
Revises: 20261122_04
"""

from pathlib import Path

from alembic import op

revision = "20261122_05"
down_revision = "20261122_04"
branch_labels = None
depends_on = None

OUTBOX = """
CREATE TABLE outbox_messages (
    id uuid PRIMARY KEY DEFAULT nexa.uuid_v7(),
    organization_id uuid REFERENCES organizations (id),
    recipient varchar(255) NOT NULL,
    subject varchar(255) NOT NULL,
    body text,
    link text,
    created_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    last_error text
);
CREATE INDEX outbox_messages_waiting_idx ON outbox_messages (created_at) WHERE sent_at IS NULL;
CREATE INDEX outbox_messages_organization_id_idx ON outbox_messages (organization_id);

GRANT INSERT ON outbox_messages TO nexa_tenant, nexa_staff, nexa_entry;
GRANT SELECT, UPDATE, DELETE ON outbox_messages TO nexa_staff;
GRANT ALL ON outbox_messages TO nexa_system;
ALTER TABLE outbox_messages ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY outbox_messages_tenant ON outbox_messages FOR INSERT TO nexa_tenant
    WITH CHECK (organization_id = (SELECT nexa.current_organization()));
CREATE POLICY outbox_messages_staff ON outbox_messages TO nexa_staff USING (true) WITH CHECK (true);
CREATE POLICY outbox_messages_entry ON outbox_messages FOR INSERT TO nexa_entry WITH CHECK (true);
"""

# Procrastinate 3.10's own schema, as shipped; a later release's changes come as a migration of ours.
QUEUE = (Path(__file__).parents[1] / "procrastinate_3_10.sql").read_text()

QUEUE_PRIVILEGES = """
GRANT USAGE ON SCHEMA procrastinate TO nexa_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA procrastinate TO nexa_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA procrastinate TO nexa_app;

-- A job enters the queue in the transaction that wants it; the groups reach the queue through this door only.
CREATE FUNCTION nexa.enqueue(task text, arguments jsonb) RETURNS bigint LANGUAGE sql SECURITY DEFINER
    SET search_path = procrastinate, pg_catalog AS $$
    INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES ('default', task, arguments) RETURNING id
$$;
REVOKE EXECUTE ON FUNCTION nexa.enqueue(text, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexa.enqueue(text, jsonb) TO nexa_tenant, nexa_staff, nexa_entry;
CREATE FUNCTION nexa.job_counts() RETURNS TABLE (status text, jobs bigint, oldest timestamptz) LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = procrastinate, pg_catalog AS $$
    SELECT j.status::text, count(*), min(e.at) FROM procrastinate_jobs j
    LEFT JOIN procrastinate_events e ON e.job_id = j.id AND e.type = 'deferred' GROUP BY 1
$$;
REVOKE EXECUTE ON FUNCTION nexa.job_counts() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexa.job_counts() TO nexa_staff;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(OUTBOX)
    op.execute("CREATE SCHEMA procrastinate; SET LOCAL search_path = procrastinate")
    op.execute(QUEUE.replace(":", "\\:"))
    op.execute("SET LOCAL search_path = public")
    op.execute(QUEUE_PRIVILEGES)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP FUNCTION nexa.enqueue(text, jsonb), nexa.job_counts()")
    op.execute("DROP SCHEMA procrastinate CASCADE")
    op.execute("DROP TABLE outbox_messages")
