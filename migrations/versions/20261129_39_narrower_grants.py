"""What waits in the outbox is read by who delivers it; a customer's transaction notes in its own chain alone.

Revision ID: 20261129_39
Revises: 20261129_38
"""

from alembic import op

revision = "20261129_39"
down_revision = "20261129_38"
branch_labels = None
depends_on = None

# A link that waits opens somebody's account: no query of the platform's people shows it in passing, and none sends it
# to another address.
OUTBOX = """
REVOKE SELECT, UPDATE ON outbox_messages FROM nexa_staff;
GRANT SELECT (id, organization_id, recipient, subject, created_at, sent_at, attempts, last_error) ON outbox_messages
    TO nexa_staff;
GRANT UPDATE (body, link, sent_at, attempts, last_error) ON outbox_messages TO nexa_staff;

CREATE FUNCTION nexa.waiting_mail(message uuid) RETURNS TABLE (recipient varchar, subject varchar, body text, link text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT recipient, subject, body, link FROM outbox_messages WHERE id = message AND sent_at IS NULL
$$;
REVOKE EXECUTE ON FUNCTION nexa.waiting_mail(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexa.waiting_mail(uuid) TO nexa_staff;
ALTER FUNCTION nexa.waiting_mail(uuid) OWNER TO nexa_system;
"""
OUTBOX_BEFORE = """
DROP FUNCTION nexa.waiting_mail(uuid);
REVOKE SELECT, UPDATE ON outbox_messages FROM nexa_staff;
GRANT SELECT, UPDATE ON outbox_messages TO nexa_staff;
"""

# Replaced as its owner, who keeps it with its rights.
NOTE = """
SET LOCAL ROLE nexa_system;
CREATE OR REPLACE FUNCTION nexa.audit_note(resource text, resource_uuid uuid, organization uuid, noted_values jsonb, noted_action text DEFAULT NULL)
RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    noted uuid;
BEGIN{refusal}
    INSERT INTO audit_logs (organization_id, user_id, action, resource_type, resource_id, new_values, ip_address,
                            user_agent, request_id, reason, actor_scope)
    VALUES (coalesce(organization, nexa.current_organization()), nexa.current_person(),
            coalesce(noted_action, nexa.audit_action()), resource, resource_uuid,
            noted_values, nullif(current_setting('nexa.address', true), '')::inet,
            nullif(current_setting('nexa.agent', true), ''), current_setting('nexa.request')::uuid,
            nullif(current_setting('nexa.reason', true), ''), coalesce(nullif(current_setting('nexa.scope', true), ''), 'entry'))
    RETURNING id INTO noted;
    RETURN noted;
END $$;
SET LOCAL ROLE nexa_owner;
"""
REFUSAL = """
    IF current_setting('role') = 'nexa_tenant'
       AND coalesce(organization, nexa.current_organization()) IS DISTINCT FROM nexa.current_organization() THEN
        RAISE EXCEPTION 'a customer notes in its own chain' USING ERRCODE = 'insufficient_privilege';
    END IF;"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(OUTBOX)
    op.execute(NOTE.replace("{refusal}", REFUSAL))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(OUTBOX_BEFORE)
    op.execute(NOTE.replace("{refusal}", ""))
