"""Who a sign-in stands for is asked in one message, and an organization needs no owner to be suspended.

Revision ID: 20261129_31
Revises: 20261129_30
"""

from alembic import op

revision = "20261129_31"
down_revision = "20261129_30"
branch_labels = None
depends_on = None

# A function, because PL/pgSQL keeps the plan of what stands in it; with the rights of who asks, because the policies
# hold for its question as for any other. A cookie is looked up first, so that there is one plan, by the identifier.
STANDING = """
CREATE FUNCTION nexa.standing_of_sign_in(sign_in uuid DEFAULT NULL, cookie text DEFAULT NULL)
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
                WHERE p.plan = s.plan_type AND p.effective_from <= now()
                ORDER BY p.effective_from DESC LIMIT 1)
        FROM public.active_user_sessions s
        JOIN public.organization_members m ON m.user_id = s.user_id AND m.organization_id = s.organization_id
        WHERE s.id = sign_in AND s.organization_status = 'active' AND m.user_status = 'active';
END $$;
REVOKE EXECUTE ON FUNCTION nexa.standing_of_sign_in(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexa.standing_of_sign_in(uuid, text) TO nexa_entry;
"""

# What is not active at the end needs no owner, and what is active at the end has been set so by a row that fired.
OWNERS = """
DROP TRIGGER organizations_invariants ON organizations;
CREATE CONSTRAINT TRIGGER organizations_invariants AFTER INSERT OR UPDATE OF status ON organizations
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.status = 'active')
    EXECUTE FUNCTION nexa.check_organization_change();
"""
OWNERS_BEFORE = """
DROP TRIGGER organizations_invariants ON organizations;
CREATE CONSTRAINT TRIGGER organizations_invariants AFTER INSERT OR UPDATE OF status ON organizations
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION nexa.check_organization_change();
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(STANDING)
    op.execute(OWNERS)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(OWNERS_BEFORE)
    op.execute("DROP FUNCTION nexa.standing_of_sign_in(uuid, text)")
