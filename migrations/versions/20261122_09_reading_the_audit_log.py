"""Reading the audit log: an index for every filter, saved views, and the names of those who have left.

Revision ID: 20261122_09
Revises: 20261122_08
"""

from alembic import op

revision = "20261122_09"
down_revision = "20261122_08"
branch_labels = None
depends_on = None

# Every filter has its index in the order the log is read in, twice: behind the organization for tenants, because under
# row-level security the policy comes first, and by itself for the platform's people, who read across organizations.
FILTERS = ("user_id", "action", "resource_type", "ip_address")
INDEXES = (
    "".join(
        f"""
CREATE INDEX audit_logs_{name}_created_at_id_idx ON audit_logs ({name}, created_at, id);
CREATE INDEX audit_logs_organization_id_{name}_created_at_id_idx ON audit_logs (organization_id, {name}, created_at, id);
"""
        for name in FILTERS
    )
    + """
CREATE INDEX audit_logs_created_at_id_idx ON audit_logs (created_at, id);
CREATE INDEX audit_logs_staff_idx ON audit_logs (created_at, id) WHERE actor_scope = 'staff';
CREATE INDEX audit_logs_organization_id_staff_idx ON audit_logs (organization_id, created_at, id) WHERE actor_scope = 'staff';
"""
)

VIEWS = """
-- A person's own way of looking at the log. Removed ones stay: whoever may delete could delete what a colleague shares.
CREATE TABLE audit_views (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id),
    user_id uuid NOT NULL REFERENCES users (id),
    name varchar(100) NOT NULL,
    filters jsonb NOT NULL DEFAULT '{}',
    is_shared boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    removed_at timestamptz,
    CONSTRAINT audit_views_name_check CHECK (btrim(name) <> '')
);
CREATE UNIQUE INDEX audit_views_organization_id_user_id_name_idx ON audit_views (organization_id, user_id, name)
    WHERE removed_at IS NULL;
CREATE INDEX audit_views_user_id_idx ON audit_views (user_id);

GRANT SELECT, INSERT ON audit_views TO nexa_tenant, nexa_staff;
GRANT UPDATE (name, filters, is_shared, removed_at) ON audit_views TO nexa_tenant, nexa_staff;
GRANT ALL ON audit_views TO nexa_system;

ALTER TABLE audit_views ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY audit_views_tenant ON audit_views TO nexa_tenant
    USING (organization_id = (SELECT nexa.current_organization())
           AND (is_shared OR user_id = (SELECT nexa.current_person())))
    WITH CHECK (organization_id = (SELECT nexa.current_organization()) AND user_id = (SELECT nexa.current_person()));
CREATE POLICY audit_views_staff ON audit_views TO nexa_staff USING (true) WITH CHECK (true);
CALL nexa.audit_table('audit_views', 'audit_view', 'id', 'organization_id', '{created_at}');
"""

NAMES = """
-- Who has left an organization is hidden from it by row-level security, but what they did there stays theirs: the names
-- of those who acted in the caller's organization, and, by membership, of those whose membership there has ended.
CREATE FUNCTION nexa.audit_names(people uuid[], memberships uuid[]) RETURNS TABLE (id uuid, full_name varchar)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT u.id, u.full_name FROM users u
    WHERE u.id = ANY (people) AND EXISTS (
        SELECT FROM audit_logs l
        WHERE l.organization_id = nexa.current_organization() AND l.user_id = u.id AND l.actor_scope = 'tenant')
    UNION
    SELECT l.resource_id, u.full_name FROM audit_logs l JOIN users u ON u.id = (l.old_values->>'user_id')::uuid
    WHERE l.resource_id = ANY (memberships) AND l.organization_id = nexa.current_organization()
      AND l.resource_type = 'membership' AND l.old_values ? 'user_id'
$$;
REVOKE EXECUTE ON FUNCTION nexa.audit_names(uuid[], uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexa.audit_names(uuid[], uuid[]) TO nexa_tenant;
ALTER FUNCTION nexa.audit_names(uuid[], uuid[]) OWNER TO nexa_system;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for part in (INDEXES, VIEWS, NAMES):
        op.execute(part)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP FUNCTION nexa.audit_names(uuid[], uuid[]); DROP TABLE audit_views")
    for name in FILTERS:
        op.execute(
            f"DROP INDEX audit_logs_{name}_created_at_id_idx, audit_logs_organization_id_{name}_created_at_id_idx"
        )
    op.execute("DROP INDEX audit_logs_created_at_id_idx, audit_logs_staff_idx, audit_logs_organization_id_staff_idx")
