"""People, organizations, who belongs where, and who may see which row.

Revision ID: 20261122_01
Revises:
"""

from alembic import op

revision = "20261122_01"
down_revision = None
branch_labels = None
depends_on = None

CONTEXT = """
CREATE SCHEMA nexa;
GRANT USAGE ON SCHEMA nexa TO nexa_app, nexa_tenant, nexa_staff, nexa_presenter, nexa_entry, nexa_system;
GRANT CREATE ON SCHEMA nexa TO nexa_system;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO nexa_app, nexa_tenant, nexa_staff, nexa_presenter, nexa_entry, nexa_system;

-- The context of a transaction, set by the door with set_config(..., true). After the commit such a setting
-- reads back as '', never as NULL: hence nullif.
CREATE FUNCTION nexa.current_organization() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('nexa.organization', true), '')::uuid $$;
CREATE FUNCTION nexa.current_person() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('nexa.person', true), '')::uuid $$;

-- Time-ordered identifiers (RFC 9562, version 7): PostgreSQL has its own only from 18 on.
CREATE FUNCTION nexa.uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
    SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
        PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
        FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid
$$;
"""

ENUMS = """
CREATE TYPE user_status AS ENUM ('active', 'pending', 'suspended', 'deleted');
CREATE TYPE organization_status AS ENUM ('pending', 'active', 'suspended', 'deleted');
CREATE TYPE membership_role AS ENUM ('owner', 'admin', 'member', 'viewer', 'billing');
CREATE TYPE membership_status AS ENUM ('active', 'pending', 'suspended');
"""

TABLES = """
CREATE TABLE users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email varchar(255) NOT NULL,
    password_hash varchar(255),
    first_name varchar(100) NOT NULL DEFAULT '',
    last_name varchar(100) NOT NULL DEFAULT '',
    full_name varchar(255) NOT NULL DEFAULT '',
    avatar_url varchar(500),
    timezone varchar(64) NOT NULL DEFAULT 'UTC',
    locale varchar(35) NOT NULL DEFAULT 'en',
    profile_data jsonb NOT NULL DEFAULT '{}',
    notification_settings jsonb NOT NULL DEFAULT '{}',
    status user_status NOT NULL DEFAULT 'pending',
    email_verified_at timestamptz,
    last_login_at timestamptz,
    last_login_ip inet,
    login_count integer NOT NULL DEFAULT 0,
    failed_login_attempts integer NOT NULL DEFAULT 0,
    last_failed_login_at timestamptz,
    locked_until timestamptz,
    lock_count integer NOT NULL DEFAULT 0,
    password_changed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    CONSTRAINT users_email_key UNIQUE (email),
    CONSTRAINT users_email_check CHECK (email = lower(email) AND email LIKE '_%@_%')
);

CREATE TABLE organizations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name varchar(255) NOT NULL,
    slug varchar(100) NOT NULL,
    domain varchar(255),
    logo_url varchar(500),
    brand_colors jsonb NOT NULL DEFAULT '{}',
    address jsonb NOT NULL DEFAULT '{}',
    tax_id varchar(100),
    billing_email varchar(255),
    plan_type varchar(50) NOT NULL DEFAULT 'free',
    subscription_status varchar(50) NOT NULL DEFAULT 'active',
    subscription_data jsonb NOT NULL DEFAULT '{}',
    usage_limits jsonb NOT NULL DEFAULT '{}',
    status organization_status NOT NULL DEFAULT 'pending',
    time_zone varchar(64) NOT NULL DEFAULT 'UTC',
    is_platform boolean NOT NULL DEFAULT false,
    is_demo boolean NOT NULL DEFAULT false,
    account_manager_id uuid REFERENCES users (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    CONSTRAINT organizations_slug_key UNIQUE (slug),
    CONSTRAINT organizations_slug_check CHECK (slug ~ '^[a-z0-9](-?[a-z0-9])*$'),
    CONSTRAINT organizations_name_check CHECK (btrim(name) <> ''),
    CONSTRAINT organizations_subscription_status_check
        CHECK (subscription_status IN ('trialing', 'active', 'past_due', 'canceled', 'paused'))
);
CREATE UNIQUE INDEX organizations_is_platform_idx ON organizations (is_platform) WHERE is_platform;
CREATE INDEX organizations_name_id_idx ON organizations (name, id);
CREATE INDEX organizations_account_manager_id_idx ON organizations (account_manager_id);

CREATE TABLE organization_memberships (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES users (id),
    organization_id uuid NOT NULL REFERENCES organizations (id),
    role membership_role NOT NULL DEFAULT 'member',
    permissions jsonb NOT NULL DEFAULT '{}',
    status membership_status NOT NULL DEFAULT 'pending',
    invited_by uuid REFERENCES users (id),
    invited_at timestamptz,
    invitation_token varchar(64),
    invitation_expires_at timestamptz,
    invitation_opened_at timestamptz,
    invitation_message text,
    joined_at timestamptz,
    last_active_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT organization_memberships_organization_id_user_id_key UNIQUE (organization_id, user_id),
    CONSTRAINT organization_memberships_invitation_token_key UNIQUE (invitation_token)
);
CREATE INDEX organization_memberships_user_id_idx ON organization_memberships (user_id);

CREATE TABLE organization_domains (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id),
    domain varchar(255) NOT NULL,
    auto_join_role membership_role NOT NULL DEFAULT 'viewer',
    auto_join_enabled boolean NOT NULL DEFAULT false,
    verification_required boolean NOT NULL DEFAULT true,
    verification_token varchar(64),
    verification_checked_at timestamptz,
    verified_at timestamptz,
    verified_by uuid REFERENCES users (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT organization_domains_organization_id_domain_key UNIQUE (organization_id, domain),
    CONSTRAINT organization_domains_domain_check CHECK (domain = lower(domain))
);
-- A claim proves nothing, so anybody may make one; a proof is exclusive.
CREATE UNIQUE INDEX organization_domains_verified_idx ON organization_domains (domain) WHERE verified_at IS NOT NULL;

CREATE TABLE user_sessions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES users (id),
    organization_id uuid NOT NULL REFERENCES organizations (id),
    kind varchar(10) NOT NULL DEFAULT 'browser',
    session_token varchar(64) NOT NULL,
    refresh_token varchar(64),
    expires_at timestamptz NOT NULL,
    ip_address inet,
    user_agent text,
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz,
    revoked_reason varchar(50),
    CONSTRAINT user_sessions_session_token_key UNIQUE (session_token),
    CONSTRAINT user_sessions_refresh_token_key UNIQUE (refresh_token),
    CONSTRAINT user_sessions_kind_check CHECK (kind IN ('browser', 'api'))
);
CREATE INDEX user_sessions_user_id_idx ON user_sessions (user_id, created_at);
CREATE INDEX user_sessions_organization_id_idx ON user_sessions (organization_id);

-- Every refresh token ever rotated away: meeting one again ends its whole family.
CREATE TABLE spent_refresh_tokens (
    token varchar(64) PRIMARY KEY,
    user_session_id uuid NOT NULL REFERENCES user_sessions (id) ON DELETE CASCADE,
    spent_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX spent_refresh_tokens_user_session_id_idx ON spent_refresh_tokens (user_session_id);

-- Single-use secrets that travel outside a sign-in: the ticket that becomes a cookie, the link that sets a password.
CREATE TABLE one_time_tokens (
    token varchar(64) PRIMARY KEY,
    purpose varchar(20) NOT NULL,
    user_id uuid NOT NULL REFERENCES users (id),
    organization_id uuid REFERENCES organizations (id),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_time_tokens_purpose_check CHECK (purpose IN ('sign_in', 'set_password'))
);
CREATE INDEX one_time_tokens_user_id_idx ON one_time_tokens (user_id);

-- Addresses nobody has, counted and locked exactly like those somebody has: otherwise the lock itself would tell.
CREATE TABLE unknown_sign_ins (
    address_hash varchar(64) PRIMARY KEY,
    failed_login_attempts integer NOT NULL DEFAULT 0,
    last_failed_login_at timestamptz,
    locked_until timestamptz,
    lock_count integer NOT NULL DEFAULT 0
);
"""

VIEWS = """
CREATE VIEW active_user_sessions WITH (security_invoker = true) AS
SELECT s.id, s.user_id, s.organization_id, s.kind, s.session_token, s.expires_at, s.ip_address, s.user_agent,
       s.last_seen_at, s.created_at,
       u.email, u.full_name, u.avatar_url, u.timezone, u.locale,
       o.name AS organization_name, o.slug AS organization_slug, o.status AS organization_status,
       o.is_platform, o.is_demo, o.plan_type, o.usage_limits
FROM user_sessions s
JOIN users u ON u.id = s.user_id
JOIN organizations o ON o.id = s.organization_id
WHERE s.expires_at > now() AND s.revoked_at IS NULL AND u.status = 'active' AND u.deleted_at IS NULL;

CREATE VIEW organization_members WITH (security_invoker = true) AS
SELECT m.id AS membership_id, m.organization_id, m.user_id, m.role, m.permissions, m.joined_at, m.last_active_at,
       u.email, u.full_name, u.avatar_url, u.status AS user_status, u.last_login_at,
       o.name AS organization_name, o.slug AS organization_slug, o.status AS organization_status,
       o.is_platform, o.is_demo
FROM organization_memberships m
JOIN users u ON u.id = m.user_id
JOIN organizations o ON o.id = m.organization_id
WHERE m.status = 'active' AND u.deleted_at IS NULL AND u.status <> 'deleted'
  AND o.deleted_at IS NULL AND o.status <> 'deleted';
"""

PRIVILEGES = """
-- Secrets (password_hash, token hashes) are for nexa_entry alone: the others are granted by column.
GRANT SELECT (id, email, first_name, last_name, full_name, avatar_url, timezone, locale, profile_data,
              notification_settings, status, email_verified_at, last_login_at, last_login_ip, login_count,
              failed_login_attempts, last_failed_login_at, locked_until, lock_count, password_changed_at,
              created_at, updated_at, deleted_at) ON users TO nexa_tenant, nexa_staff, nexa_presenter;
GRANT UPDATE (first_name, last_name, full_name, avatar_url, timezone, locale, profile_data, notification_settings,
              updated_at) ON users TO nexa_tenant, nexa_presenter;
GRANT INSERT ON users TO nexa_tenant, nexa_staff;
GRANT UPDATE (email, first_name, last_name, full_name, avatar_url, timezone, locale, profile_data,
              notification_settings, status, failed_login_attempts, locked_until, lock_count, updated_at, deleted_at)
    ON users TO nexa_staff;
GRANT SELECT, INSERT, UPDATE ON users TO nexa_entry;

GRANT SELECT ON organizations TO nexa_tenant, nexa_staff, nexa_presenter, nexa_entry;
-- What makes an organization the platform's or a demo, and whose customer it is, no customer can change.
GRANT UPDATE (name, slug, domain, logo_url, brand_colors, address, tax_id, billing_email, plan_type, subscription_status,
              subscription_data, usage_limits, status, time_zone, updated_at, deleted_at) ON organizations TO nexa_tenant;
GRANT INSERT, UPDATE ON organizations TO nexa_staff;

GRANT SELECT (id, user_id, organization_id, role, permissions, status, invited_by, invited_at, invitation_expires_at,
              invitation_opened_at, invitation_message, joined_at, last_active_at, created_at, updated_at)
    ON organization_memberships TO nexa_tenant, nexa_staff, nexa_presenter;
GRANT INSERT, UPDATE, DELETE ON organization_memberships TO nexa_tenant, nexa_staff;
GRANT SELECT, UPDATE ON organization_memberships TO nexa_entry;

GRANT SELECT, INSERT, UPDATE, DELETE ON organization_domains TO nexa_tenant, nexa_staff;
GRANT SELECT ON organization_domains TO nexa_presenter, nexa_entry;

GRANT SELECT (id, user_id, organization_id, kind, expires_at, ip_address, user_agent, last_seen_at, created_at,
              revoked_at, revoked_reason) ON user_sessions TO nexa_tenant, nexa_staff, nexa_presenter;
GRANT UPDATE (revoked_at, revoked_reason) ON user_sessions
    TO nexa_tenant, nexa_staff, nexa_presenter;
GRANT SELECT, INSERT, UPDATE, DELETE ON user_sessions TO nexa_entry;

GRANT SELECT, INSERT, UPDATE, DELETE ON spent_refresh_tokens, one_time_tokens, unknown_sign_ins TO nexa_entry;

GRANT SELECT ON organization_members TO nexa_tenant, nexa_staff, nexa_presenter, nexa_entry;
GRANT SELECT (id, user_id, organization_id, kind, expires_at, ip_address, user_agent, last_seen_at, created_at, email,
              full_name, avatar_url, timezone, locale, organization_name, organization_slug, organization_status,
              is_platform, is_demo, plan_type, usage_limits)
    ON active_user_sessions TO nexa_tenant, nexa_staff, nexa_presenter;
GRANT SELECT ON active_user_sessions TO nexa_entry;

GRANT SELECT ON alembic_version TO nexa_staff, nexa_entry;
GRANT ALL ON users, organizations, organization_memberships, organization_domains, user_sessions,
    spent_refresh_tokens, one_time_tokens, unknown_sign_ins TO nexa_system;
"""

ROW_LEVEL_SECURITY = """
-- Demo organizations, asked once a statement. Owned by nexa_system: the question itself must see every row.
CREATE FUNCTION nexa.demo_organizations() RETURNS uuid[] LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public
    AS $$ SELECT coalesce(array_agg(id), '{}') FROM organizations WHERE is_demo $$;
ALTER FUNCTION nexa.demo_organizations() OWNER TO nexa_system;

ALTER TABLE users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY users_tenant ON users FOR SELECT TO nexa_tenant
    USING (id IN (SELECT m.user_id FROM organization_memberships m
                  WHERE m.organization_id = (SELECT nexa.current_organization())));
CREATE POLICY users_tenant_insert ON users FOR INSERT TO nexa_tenant
    WITH CHECK (status = 'pending' AND password_hash IS NULL AND (SELECT nexa.current_organization()) IS NOT NULL);
CREATE POLICY users_tenant_update ON users FOR UPDATE TO nexa_tenant
    USING (id = (SELECT nexa.current_person())) WITH CHECK (id = (SELECT nexa.current_person()));
CREATE POLICY users_staff ON users TO nexa_staff USING (true) WITH CHECK (true);
CREATE POLICY users_presenter ON users FOR SELECT TO nexa_presenter
    USING (id IN (SELECT m.user_id FROM organization_memberships m));
CREATE POLICY users_presenter_self ON users TO nexa_presenter
    USING (id = (SELECT nexa.current_person())) WITH CHECK (id = (SELECT nexa.current_person()));
CREATE POLICY users_entry ON users TO nexa_entry USING (true) WITH CHECK (true);

ALTER TABLE organizations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY organizations_tenant ON organizations TO nexa_tenant
    USING (id = (SELECT nexa.current_organization())) WITH CHECK (id = (SELECT nexa.current_organization()));
CREATE POLICY organizations_staff ON organizations TO nexa_staff USING (true) WITH CHECK (true);
CREATE POLICY organizations_presenter ON organizations FOR SELECT TO nexa_presenter USING (is_demo);
CREATE POLICY organizations_entry ON organizations FOR SELECT TO nexa_entry USING (true);

ALTER TABLE organization_memberships ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY organization_memberships_tenant ON organization_memberships TO nexa_tenant
    USING (organization_id = (SELECT nexa.current_organization()))
    WITH CHECK (organization_id = (SELECT nexa.current_organization()));
CREATE POLICY organization_memberships_staff ON organization_memberships TO nexa_staff USING (true) WITH CHECK (true);
CREATE POLICY organization_memberships_presenter ON organization_memberships FOR SELECT TO nexa_presenter
    USING (organization_id = ANY ((SELECT nexa.demo_organizations())::uuid[]));
CREATE POLICY organization_memberships_entry ON organization_memberships TO nexa_entry USING (true) WITH CHECK (true);

ALTER TABLE organization_domains ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY organization_domains_tenant ON organization_domains TO nexa_tenant
    USING (organization_id = (SELECT nexa.current_organization()))
    WITH CHECK (organization_id = (SELECT nexa.current_organization()));
CREATE POLICY organization_domains_staff ON organization_domains TO nexa_staff USING (true) WITH CHECK (true);
CREATE POLICY organization_domains_presenter ON organization_domains FOR SELECT TO nexa_presenter
    USING (organization_id = ANY ((SELECT nexa.demo_organizations())::uuid[]));
CREATE POLICY organization_domains_entry ON organization_domains FOR SELECT TO nexa_entry USING (true);

-- A sign-in is its person's, in whatever organization it was made; nobody else's of the same organization.
ALTER TABLE user_sessions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY user_sessions_tenant ON user_sessions TO nexa_tenant
    USING (user_id = (SELECT nexa.current_person())) WITH CHECK (user_id = (SELECT nexa.current_person()));
CREATE POLICY user_sessions_staff ON user_sessions TO nexa_staff USING (true) WITH CHECK (true);
CREATE POLICY user_sessions_presenter ON user_sessions TO nexa_presenter
    USING (user_id = (SELECT nexa.current_person())) WITH CHECK (user_id = (SELECT nexa.current_person()));
CREATE POLICY user_sessions_entry ON user_sessions TO nexa_entry USING (true) WITH CHECK (true);

ALTER TABLE one_time_tokens ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY one_time_tokens_entry ON one_time_tokens TO nexa_entry USING (true) WITH CHECK (true);
"""

INVARIANTS = """
-- Both look only after locking the parent rows: without the lock two transactions each see the other's row and
-- both remove theirs. They run at commit, as nexa_system, because row-level security would hide what they count.
CREATE FUNCTION nexa.require_membership(person uuid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public AS $$
BEGIN
    PERFORM 1 FROM users WHERE id = person AND deleted_at IS NULL FOR NO KEY UPDATE;
    IF FOUND AND NOT EXISTS (SELECT 1 FROM organization_memberships WHERE user_id = person) THEN
        RAISE EXCEPTION 'user % would belong to no organization', person
            USING ERRCODE = 'check_violation', CONSTRAINT = 'users_membership';
    END IF;
END $$;

CREATE FUNCTION nexa.require_owner(organization uuid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public AS $$
BEGIN
    PERFORM 1 FROM organizations WHERE id = organization AND status = 'active' FOR NO KEY UPDATE;
    IF FOUND AND NOT EXISTS (
        SELECT 1 FROM organization_memberships m JOIN users u ON u.id = m.user_id
        WHERE m.organization_id = organization AND m.role = 'owner' AND m.status = 'active' AND u.deleted_at IS NULL
    ) THEN
        RAISE EXCEPTION 'organization % would have no active owner', organization
            USING ERRCODE = 'check_violation', CONSTRAINT = 'organizations_owner';
    END IF;
END $$;

CREATE FUNCTION nexa.check_membership_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public AS $$
BEGIN
    PERFORM nexa.require_membership(OLD.user_id);
    PERFORM nexa.require_owner(OLD.organization_id);
    RETURN NULL;
END $$;

CREATE FUNCTION nexa.check_user_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public AS $$
DECLARE
    owned uuid;
BEGIN
    PERFORM nexa.require_membership(NEW.id);
    IF NEW.deleted_at IS NOT NULL THEN
        FOR owned IN SELECT organization_id FROM organization_memberships
                     WHERE user_id = NEW.id AND role = 'owner' ORDER BY organization_id LOOP
            PERFORM nexa.require_owner(owned);
        END LOOP;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION nexa.check_organization_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public AS $$
BEGIN
    PERFORM nexa.require_owner(NEW.id);
    RETURN NULL;
END $$;

-- First the rights, then the owner: who no longer owns a function can revoke nothing on it, and is told so by a mere warning.
REVOKE EXECUTE ON FUNCTION nexa.require_membership(uuid), nexa.require_owner(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexa.require_membership(uuid), nexa.require_owner(uuid) TO nexa_system;
ALTER FUNCTION nexa.require_membership(uuid) OWNER TO nexa_system;
ALTER FUNCTION nexa.require_owner(uuid) OWNER TO nexa_system;
ALTER FUNCTION nexa.check_membership_change() OWNER TO nexa_system;
ALTER FUNCTION nexa.check_user_change() OWNER TO nexa_system;
ALTER FUNCTION nexa.check_organization_change() OWNER TO nexa_system;

CREATE CONSTRAINT TRIGGER organization_memberships_invariants AFTER DELETE ON organization_memberships
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION nexa.check_membership_change();
CREATE CONSTRAINT TRIGGER organization_memberships_invariants_update
    AFTER UPDATE OF user_id, organization_id, role, status ON organization_memberships
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION nexa.check_membership_change();
CREATE CONSTRAINT TRIGGER users_invariants AFTER INSERT OR UPDATE OF deleted_at ON users
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION nexa.check_user_change();
CREATE CONSTRAINT TRIGGER organizations_invariants AFTER INSERT OR UPDATE OF status ON organizations
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION nexa.check_organization_change();
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for part in (CONTEXT, ENUMS, TABLES, VIEWS, PRIVILEGES, ROW_LEVEL_SECURITY, INVARIANTS):
        op.execute(part)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        DROP VIEW active_user_sessions, organization_members;
        DROP TABLE unknown_sign_ins, one_time_tokens, spent_refresh_tokens, user_sessions, organization_domains,
                   organization_memberships, organizations, users;
        DROP TYPE user_status, organization_status, membership_role, membership_status;
        DROP FUNCTION nexa.require_membership(uuid), nexa.require_owner(uuid), nexa.check_membership_change(),
                      nexa.check_user_change(), nexa.check_organization_change(), nexa.demo_organizations(),
                      nexa.uuid_v7(), nexa.current_organization(), nexa.current_person();
        DROP SCHEMA nexa;
    """)
