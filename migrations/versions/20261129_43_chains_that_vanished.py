"""A chain that is gone is missed: every organization has one, and so has whatever was sealed, archived or verified.

Revision ID: 20261129_43
Revises: 20261129_42
"""

from alembic import op

revision = "20261129_43"
down_revision = "20261129_42"
branch_labels = None
depends_on = None

# An organization's first entry is that of its own creation, so there is none without a chain.
CHAINS = """
CREATE OR REPLACE FUNCTION nexa.audit_chains() RETURNS TABLE (chain_id uuid, entries bigint) LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT chain_id, max(sequence) FROM (
        SELECT h.chain_id, h.sequence FROM audit_heads h
        UNION ALL SELECT c.chain_id, max(c.sequence) FROM audit_chain c GROUP BY c.chain_id
        UNION ALL SELECT DISTINCT coalesce(l.organization_id, '00000000-0000-0000-0000-000000000000'::uuid), 0 FROM audit_logs l
        UNION ALL SELECT o.id, 0 FROM organizations o
        UNION ALL SELECT v.chain_id, 0 FROM audit_verifications v
        UNION ALL SELECT DISTINCT s.chain_id, 0 FROM audit_seals s
        UNION ALL SELECT DISTINCT a.chain_id, 0 FROM audit_archives a
    ) known GROUP BY chain_id
$$;
"""
BEFORE = """
CREATE OR REPLACE FUNCTION nexa.audit_chains() RETURNS TABLE (chain_id uuid, entries bigint) LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT chain_id, max(sequence) FROM (
        SELECT h.chain_id, h.sequence FROM audit_heads h
        UNION ALL SELECT c.chain_id, max(c.sequence) FROM audit_chain c GROUP BY c.chain_id
        UNION ALL SELECT DISTINCT coalesce(l.organization_id, '00000000-0000-0000-0000-000000000000'::uuid), 0 FROM audit_logs l
    ) known GROUP BY chain_id
$$;
"""
# Only its owner may replace a function.
AS_ITS_OWNER = "SET LOCAL ROLE nexa_system; {} SET LOCAL ROLE nexa_owner"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(AS_ITS_OWNER.format(CHAINS))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(AS_ITS_OWNER.format(BEFORE))
