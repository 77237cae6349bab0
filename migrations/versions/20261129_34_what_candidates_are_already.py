"""Who could join by a domain is told with what they are there already; a withdrawn invitation is nothing.

Revision ID: 20261129_34
Revises: 20261129_33
"""

from alembic import op

revision = "20261129_34"
down_revision = "20261129_33"
branch_labels = None
depends_on = None

# What a function answers cannot be replaced, so it is made anew, with the owner and the rights it had.
MADE = """
REVOKE EXECUTE ON FUNCTION nexa.domain_candidates(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexa.domain_candidates(uuid) TO nexa_tenant, nexa_staff;
ALTER FUNCTION nexa.domain_candidates(uuid) OWNER TO nexa_system;
"""
TOLD = """
DROP FUNCTION nexa.domain_candidates(uuid);
-- Who could join by a proven domain. Whoever proved it could read their mail, so may know of their accounts; an
-- unproven claim is told nobody. The context says whose claim may be asked about.
CREATE FUNCTION nexa.domain_candidates(claim uuid) RETURNS TABLE (user_id uuid, email text, full_name text,
    status text, membership text, was_removed boolean) LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public AS $$
    SELECT u.id, u.email, u.full_name, u.status::text,
           CASE WHEN m.status <> 'pending' THEN m.status::text
                WHEN m.requested_at IS NOT NULL THEN 'waiting'
                WHEN m.id IS NOT NULL THEN 'invited' END,
           EXISTS (SELECT 1 FROM former_members f WHERE f.user_id = u.id AND f.organization_id = d.organization_id)
    FROM organization_domains d
    JOIN users u ON split_part(u.email, '@', 2) = d.domain
    LEFT JOIN organization_memberships m ON m.user_id = u.id AND m.organization_id = d.organization_id
        AND (m.status <> 'pending' OR m.invitation_revoked_at IS NULL)
    WHERE d.id = claim AND d.verified_at IS NOT NULL AND d.missing_since IS NULL
      AND (d.organization_id = nexa.current_organization() OR current_setting('nexa.scope', true) = 'staff')
      AND u.email_verified_at IS NOT NULL AND u.deleted_at IS NULL
    ORDER BY u.full_name, u.id
$$;
"""
BEFORE = """
DROP FUNCTION nexa.domain_candidates(uuid);
CREATE FUNCTION nexa.domain_candidates(claim uuid) RETURNS TABLE (user_id uuid, email text, full_name text,
    status text, is_member boolean, was_removed boolean) LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public AS $$
    SELECT u.id, u.email, u.full_name, u.status::text,
           EXISTS (SELECT 1 FROM organization_memberships m WHERE m.user_id = u.id AND m.organization_id = d.organization_id),
           EXISTS (SELECT 1 FROM former_members f WHERE f.user_id = u.id AND f.organization_id = d.organization_id)
    FROM organization_domains d
    JOIN users u ON split_part(u.email, '@', 2) = d.domain
    WHERE d.id = claim AND d.verified_at IS NOT NULL AND d.missing_since IS NULL
      AND (d.organization_id = nexa.current_organization() OR current_setting('nexa.scope', true) = 'staff')
      AND u.email_verified_at IS NOT NULL AND u.deleted_at IS NULL
    ORDER BY u.full_name, u.id
$$;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(TOLD)
    op.execute(MADE)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(BEFORE)
    op.execute(MADE)
