"""Invitations that can be withdrawn, whose first owner opens an organization; and a home for who would have none.

Revision ID: 20261122_07
Revises: 20261122_06
"""

from alembic import op

revision = "20261122_07"
down_revision = "20261122_06"
branch_labels = None
depends_on = None

COLUMNS = """
-- A withdrawn invitation stays as a row: the person may belong nowhere else, and the board shows what became of it.
ALTER TABLE organization_memberships
    ADD COLUMN invitation_revoked_at timestamptz,
    -- A link that was copied proves nothing about the mailbox: only a mailed one verifies the address.
    ADD COLUMN invitation_by_mail boolean NOT NULL DEFAULT true;
GRANT SELECT (invitation_revoked_at, invitation_by_mail) ON organization_memberships
    TO nexa_tenant, nexa_staff, nexa_presenter;
"""

ENTRY = """
-- Whoever accepts takes the organization's lock, so that seats are counted one after the other; the first owner opens it.
GRANT UPDATE (status, updated_at) ON organizations TO nexa_entry;
CREATE POLICY organizations_entry_update ON organizations FOR UPDATE TO nexa_entry
    USING (id = (SELECT nexa.current_organization())) WITH CHECK (id = (SELECT nexa.current_organization()));
"""

HOME = """
-- The organization of somebody who leaves their only one: made by whoever removes them, who may make none otherwise.
CREATE FUNCTION nexa.make_personal_organization(person uuid, leaving uuid, called text, slugged text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    made uuid := gen_random_uuid();
BEGIN
    IF coalesce(current_setting('nexa.scope', true), '') <> 'staff' AND leaving IS DISTINCT FROM nexa.current_organization() THEN
        RAISE EXCEPTION 'only one''s own organization can be left' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM 1 FROM organization_memberships m WHERE m.user_id = person AND m.organization_id = leaving AND m.status <> 'pending';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'not a member of the organization to leave' USING ERRCODE = 'no_data_found';
    END IF;
    INSERT INTO organizations (id, name, slug, status, subscription_data, is_demo, time_zone)
        SELECT made, called, slugged, 'active', '{"personal": true}', o.is_demo, o.time_zone FROM organizations o WHERE o.id = leaving;
    INSERT INTO organization_memberships (user_id, organization_id, role, status, joined_at)
        VALUES (person, made, 'owner', 'active', now());
    RETURN made;
END $$;
REVOKE EXECUTE ON FUNCTION nexa.make_personal_organization(uuid, uuid, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexa.make_personal_organization(uuid, uuid, text, text) TO nexa_tenant, nexa_staff;
ALTER FUNCTION nexa.make_personal_organization(uuid, uuid, text, text) OWNER TO nexa_system;

-- Whether somebody belongs anywhere else: a yes or no that does not say where.
CREATE FUNCTION nexa.belongs_elsewhere(person uuid, here uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public
    AS $$ SELECT EXISTS (SELECT 1 FROM organization_memberships
                         WHERE user_id = person AND organization_id <> here AND invitation_revoked_at IS NULL) $$;
REVOKE EXECUTE ON FUNCTION nexa.belongs_elsewhere(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexa.belongs_elsewhere(uuid, uuid) TO nexa_tenant, nexa_staff;
ALTER FUNCTION nexa.belongs_elsewhere(uuid, uuid) OWNER TO nexa_system;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for part in (COLUMNS, ENTRY, HOME):
        op.execute(part)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        DROP FUNCTION nexa.belongs_elsewhere(uuid, uuid), nexa.make_personal_organization(uuid, uuid, text, text);
        DROP POLICY organizations_entry_update ON organizations;
        REVOKE UPDATE (status, updated_at) ON organizations FROM nexa_entry;
        ALTER TABLE organization_memberships DROP COLUMN invitation_revoked_at, DROP COLUMN invitation_by_mail;
    """)
