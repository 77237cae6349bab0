"""Logos kept here, slugs that come free again, a list that sorts by index, and what a customer may write of itself.

Revision ID: 20261122_06
Revises: 20261122_05
"""

from alembic import op

revision = "20261122_06"
down_revision = "20261122_05"
branch_labels = None
depends_on = None

LOGOS = """
-- A picture is named by the SHA-256 of what it holds: an address that was handed out always shows the same one.
CREATE TABLE organization_logos (
    organization_id uuid NOT NULL REFERENCES organizations (id),
    digest varchar(64) NOT NULL,
    media_type varchar(20) NOT NULL,
    content bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT organization_logos_pkey PRIMARY KEY (organization_id, digest),
    CONSTRAINT organization_logos_media_type_check CHECK (media_type IN ('image/png', 'image/jpeg', 'image/svg+xml')),
    CONSTRAINT organization_logos_content_check CHECK (octet_length(content) <= 262144),
    CONSTRAINT organization_logos_digest_check CHECK (digest = encode(sha256(content), 'hex'))
);
GRANT SELECT, INSERT ON organization_logos TO nexa_tenant, nexa_staff;
GRANT SELECT ON organization_logos TO nexa_presenter;
GRANT ALL ON organization_logos TO nexa_system;

ALTER TABLE organization_logos ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY organization_logos_tenant ON organization_logos TO nexa_tenant
    USING (organization_id = (SELECT nexa.current_organization()))
    WITH CHECK (organization_id = (SELECT nexa.current_organization()));
CREATE POLICY organization_logos_staff ON organization_logos TO nexa_staff USING (true) WITH CHECK (true);
CREATE POLICY organization_logos_presenter ON organization_logos FOR SELECT TO nexa_presenter
    USING (organization_id = ANY ((SELECT nexa.demo_organizations())::uuid[]));
"""

SLUGS = """
-- A deleted organization's slug stays taken for 90 days. After that whoever asks for it gets it, and the old
-- organization, which row-level security may hide from them, goes on under a slug of its own.
CREATE FUNCTION nexa.release_slug(wanted text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public AS $$
DECLARE
    asked_for CONSTANT text := current_setting('nexa.action', true);
    released boolean;
BEGIN
    PERFORM set_config('nexa.action', 'organization.slug_released', true);
    UPDATE organizations SET slug = rtrim(left(slug, 60), '-') || '-' || replace(id::text, '-', ''), updated_at = now()
        WHERE slug = wanted AND status = 'deleted' AND deleted_at < now() - interval '90 days';
    released := FOUND;
    PERFORM set_config('nexa.action', coalesce(asked_for, ''), true);
    RETURN released;
END $$;
REVOKE EXECUTE ON FUNCTION nexa.release_slug(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexa.release_slug(text) TO nexa_tenant, nexa_staff, nexa_entry;
ALTER FUNCTION nexa.release_slug(text) OWNER TO nexa_system;
"""

RIGHTS = """
-- What a customer changes about itself; plan, subscription, limits, status and time zone of billing are the platform's.
REVOKE UPDATE ON organizations FROM nexa_tenant;
GRANT UPDATE (name, slug, domain, logo_url, brand_colors, address, tax_id, billing_email, updated_at)
    ON organizations TO nexa_tenant;

CREATE INDEX organizations_lower_name_id_idx ON organizations (lower(name), id);
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for part in (LOGOS, SLUGS, RIGHTS):
        op.execute(part)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        DROP INDEX organizations_lower_name_id_idx;
        REVOKE UPDATE (name, slug, domain, logo_url, brand_colors, address, tax_id, billing_email, updated_at)
            ON organizations FROM nexa_tenant;
        GRANT UPDATE ON organizations TO nexa_tenant;
        DROP FUNCTION nexa.release_slug(text);
        DROP TABLE organization_logos;
    """)
