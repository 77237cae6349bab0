"""Somebody who was invited and never came is known to the customer by the address, also when the invitation is gone.

Revision ID: 20261129_38
Revises: 20261129_37
"""

from alembic import op

revision = "20261129_38"
down_revision = "20261129_37"
branch_labels = None
depends_on = None

# Replaced as its owner, who keeps it with its rights.
NAMES = """
SET LOCAL ROLE nexa_system;
CREATE OR REPLACE FUNCTION nexa.audit_names(people uuid[], memberships uuid[]) RETURNS TABLE (id uuid, full_name varchar)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT u.id, u.full_name FROM users u
    WHERE u.id = ANY (people) AND EXISTS (
        SELECT FROM audit_logs l
        WHERE l.organization_id = nexa.current_organization() AND l.user_id = u.id AND l.actor_scope = 'tenant')
    UNION
    SELECT l.resource_id, {name} FROM audit_logs l JOIN users u ON u.id = (l.old_values->>'user_id')::uuid
    WHERE l.resource_id = ANY (memberships) AND l.organization_id = nexa.current_organization()
      AND l.resource_type = 'membership' AND l.old_values ? 'user_id'
$$;
SET LOCAL ROLE nexa_owner;
"""
AS_INVITED = """CASE WHEN l.old_values->>'status' = 'pending' AND l.old_values->>'requested_at' IS NULL
                               THEN u.email ELSE u.full_name END"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(NAMES.replace("{name}", AS_INVITED))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(NAMES.replace("{name}", "u.full_name"))
