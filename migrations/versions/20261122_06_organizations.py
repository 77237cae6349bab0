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
REVOKE UPDATE (plan_type, subscription_status, subscription_data, usage_limits, status, time_zone, deleted_at)
    ON organizations FROM nexa_tenant;

CREATE INDEX organizations_lower_name_id_idx ON organizations (lower(name), id);
"""


CHAINS = """
-- A statement that writes to many organizations links its entries as one statement too: row by row, the links of a
-- thousand organizations cost more than all the rest of the change. What it announces are the entries, once a statement.
CREATE OR REPLACE FUNCTION nexa.audit_announce() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    announced text;
BEGIN
    SELECT string_agg(e.id::text, ' ') INTO announced FROM entries e
        WHERE e.organization_id IS DISTINCT FROM nexa.current_organization();
    IF announced IS NOT NULL THEN
        PERFORM set_config('nexa.entries', concat_ws(' ', nullif(current_setting('nexa.entries', true), ''), announced), true);
        IF current_setting('nexa.linked', true) = 'all' THEN  -- a deferred trigger wrote more after the links were made
            PERFORM set_config('nexa.linked', 'some', true);
        END IF;
    END IF;
    RETURN NULL;
END $$;


-- The same entries for a statement that changes many rows, by comparing columns instead of documents made of them. It
-- is planned anew at each such statement, which many rows are worth and one is not: see nexa.audit_change().
CREATE FUNCTION nexa.audit_update_of_many(audited oid, resource text, id_column text, organization_column text,
                                          left_out text[], as_digest text[]) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT format($insert$
        INSERT INTO audit_logs (organization_id, user_id, action, resource_type, resource_id, old_values, new_values,
                                ip_address, user_agent, request_id, reason, actor_scope)
        SELECT coalesce(%s, nexa.current_organization()), nexa.current_person(), current_setting('nexa.action'), %L, a.%I,
               %s, %s,
               nullif(current_setting('nexa.address', true), '')::inet, nullif(current_setting('nexa.agent', true), ''),
               current_setting('nexa.request')::uuid, nullif(current_setting('nexa.reason', true), ''),
               coalesce(nullif(current_setting('nexa.scope', true), ''), 'entry')
        FROM before_change b JOIN after_change a ON a.id = b.id
        WHERE %s ORDER BY b.id
        $insert$,
        CASE organization_column WHEN '' THEN 'NULL' ELSE format('a.%I', organization_column) END, resource, id_column,
        string_agg(format(part, name, 'b', digest), ' || '), string_agg(format(part, name, 'a', digest), ' || '),
        string_agg(format('b.%1$I IS DISTINCT FROM a.%1$I', name), ' OR '))
    FROM (
        SELECT attname AS name, attname = ANY (as_digest) AS digest,
               'CASE WHEN b.%1$I IS DISTINCT FROM a.%1$I THEN jsonb_build_object(%1$L, nexa.audit_value('
               'coalesce(to_jsonb(%2$s.%1$I), ''null''), %3$L)) ELSE ''{}'' END' AS part
        FROM pg_attribute WHERE attrelid = audited AND attnum > 0 AND NOT attisdropped AND attname <> ALL (left_out)
    ) columns
$$;
SET LOCAL ROLE nexa_system;  -- whose these are
CREATE OR REPLACE FUNCTION nexa.audit_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    left_out CONSTANT text[] := TG_ARGV[3];
    as_digest CONSTANT text[] := TG_ARGV[4];
    befores jsonb[];
    afters jsonb[];
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (SELECT count(*) FROM after_change) > 100 THEN
            PERFORM nexa.audit_action();  -- refuses before it writes
            EXECUTE nexa.audit_update_of_many(TG_RELID, TG_ARGV[0], TG_ARGV[1], TG_ARGV[2], left_out, as_digest);
            RETURN NULL;
        END IF;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        SELECT array_agg(to_jsonb(b) ORDER BY b.id) INTO befores FROM before_change b;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        SELECT array_agg(to_jsonb(a) ORDER BY a.id) INTO afters FROM after_change a;
    END IF;
    IF cardinality(befores) = 1 AND befores[1] - left_out = afters[1] - left_out THEN
        RETURN NULL;  -- bookkeeping only, as at every sign-in: worth a short cut
    END IF;
    INSERT INTO audit_logs (organization_id, user_id, action, resource_type, resource_id, old_values, new_values,
                            ip_address, user_agent, request_id, reason, actor_scope)
    SELECT coalesce((coalesce(c.after, c.before)->>TG_ARGV[2])::uuid, nexa.current_organization()),
           nexa.current_person(), nexa.audit_action(), TG_ARGV[0], (coalesce(c.after, c.before)->>TG_ARGV[1])::uuid,
           d.old_values, d.new_values,
           nullif(current_setting('nexa.address', true), '')::inet, nullif(current_setting('nexa.agent', true), ''),
           current_setting('nexa.request')::uuid, nullif(current_setting('nexa.reason', true), ''),
           coalesce(nullif(current_setting('nexa.scope', true), ''), 'entry')
    FROM unnest(befores, afters) AS c(before, after)
    CROSS JOIN LATERAL (
        SELECT jsonb_object_agg(k.key, nexa.audit_value(c.before->k.key, k.key = ANY (as_digest)))
                   FILTER (WHERE c.before IS NOT NULL) AS old_values,
               jsonb_object_agg(k.key, nexa.audit_value(c.after->k.key, k.key = ANY (as_digest)))
                   FILTER (WHERE c.after IS NOT NULL) AS new_values
        FROM jsonb_object_keys(coalesce(c.after, c.before)) k(key)
        WHERE c.before->k.key IS DISTINCT FROM c.after->k.key AND k.key <> ALL (left_out)
          AND (c.before IS NOT NULL AND c.after IS NOT NULL OR coalesce(c.after, c.before)->k.key <> 'null'::jsonb)
    ) d
    WHERE d.old_values IS NOT NULL OR d.new_values IS NOT NULL;
    RETURN NULL;
END $$;

-- Locks the heads of all chains that were announced, in one order, so that two such transactions cannot deadlock; then,
-- where each chain gets one link, appends them all together.
CREATE OR REPLACE FUNCTION nexa.audit_lock_chains() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    nobody CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
    announced CONSTANT uuid[] := string_to_array(current_setting('nexa.entries'), ' ')::uuid[];
    chains uuid[];
    found_entries bigint;
BEGIN
    PERFORM set_config('nexa.entries', '', true);
    SELECT array_agg(DISTINCT coalesce(l.organization_id, nobody)), count(*) INTO chains, found_entries
        FROM audit_logs l WHERE l.id = ANY (announced) AND l.created_at = now();
    chains := chains || coalesce(nexa.current_organization(), nobody);
    INSERT INTO audit_heads (chain_id) SELECT chain FROM unnest(chains) chain
        WHERE NOT EXISTS (SELECT FROM audit_heads h WHERE h.chain_id = chain) ORDER BY 1 ON CONFLICT DO NOTHING;
    PERFORM 1 FROM audit_heads WHERE chain_id = ANY (chains) ORDER BY chain_id FOR UPDATE;
    IF coalesce(current_setting('nexa.linked', true), '') = '' AND cardinality(announced) > 1
        AND cardinality(announced) = found_entries AND cardinality(announced) = cardinality(chains) - 1 THEN
        WITH entry AS MATERIALIZED (
            SELECT l AS row, coalesce(l.organization_id, nobody) AS chain, nexa.audit_digest(l) AS digest
            FROM audit_logs l WHERE l.id = ANY (announced) AND l.created_at = now()
        ), link AS (
            UPDATE audit_heads h SET sequence = h.sequence + 1,
                hash = nexa.audit_link(h.hash, h.sequence + 1, e.row, e.digest)
            FROM entry e WHERE h.chain_id = e.chain
            RETURNING h.chain_id, h.sequence, (e.row).id AS entry_id, (e.row).created_at, e.digest, h.hash
        )
        INSERT INTO audit_chain (chain_id, sequence, audit_log_id, logged_at, digest, hash)
            SELECT chain_id, sequence, entry_id, created_at, digest, hash FROM link;
        PERFORM set_config('nexa.linked', 'all', true);
    END IF;
END $$;

CREATE OR REPLACE FUNCTION nexa.audit_append() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    content bytea;
BEGIN
    IF current_setting('nexa.entries', true) <> '' THEN
        PERFORM nexa.audit_lock_chains();
    END IF;
    IF current_setting('nexa.linked', true) <> '' AND NEW.organization_id IS DISTINCT FROM nexa.current_organization() THEN
        IF current_setting('nexa.linked') = 'all' OR EXISTS (
            SELECT FROM audit_chain WHERE audit_log_id = NEW.id
                AND chain_id = coalesce(NEW.organization_id, '00000000-0000-0000-0000-000000000000')) THEN
            RETURN NULL;
        END IF;
    END IF;
    content := nexa.audit_digest(NEW);
    LOOP
        WITH link AS (
            UPDATE audit_heads SET sequence = sequence + 1,
                hash = nexa.audit_link(hash, sequence + 1, NEW, content)
            WHERE chain_id = coalesce(NEW.organization_id, '00000000-0000-0000-0000-000000000000')
            RETURNING chain_id, sequence, hash
        )
        INSERT INTO audit_chain (chain_id, sequence, audit_log_id, logged_at, digest, hash)
            SELECT chain_id, sequence, NEW.id, NEW.created_at, content, hash FROM link;
        EXIT WHEN FOUND;
        INSERT INTO audit_heads (chain_id)  -- the first entry of this chain
            VALUES (coalesce(NEW.organization_id, '00000000-0000-0000-0000-000000000000')) ON CONFLICT DO NOTHING;
    END LOOP;
    RETURN NULL;
END $$;
SET LOCAL ROLE nexa_owner;

DROP TRIGGER audit_logs_announce ON audit_logs;
CREATE TRIGGER audit_logs_announce AFTER INSERT ON audit_logs REFERENCING NEW TABLE AS entries
    FOR EACH STATEMENT EXECUTE FUNCTION nexa.audit_announce();
"""

CHAINS_BEFORE = """
DROP TRIGGER audit_logs_announce ON audit_logs;
CREATE OR REPLACE FUNCTION nexa.audit_announce() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    chain CONSTANT text := coalesce(NEW.organization_id, '00000000-0000-0000-0000-000000000000');
BEGIN
    IF position(chain IN coalesce(current_setting('nexa.chains', true), '')) = 0 THEN
        PERFORM set_config('nexa.chains', concat_ws(' ', nullif(current_setting('nexa.chains', true), ''), chain), true);
    END IF;
    RETURN NULL;
END $$;
SET LOCAL ROLE nexa_system;
CREATE OR REPLACE FUNCTION nexa.audit_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    left_out CONSTANT text[] := TG_ARGV[3];
    as_digest CONSTANT text[] := TG_ARGV[4];
    befores jsonb[];
    afters jsonb[];
BEGIN
    IF TG_OP <> 'INSERT' THEN
        SELECT array_agg(to_jsonb(b) ORDER BY b.id) INTO befores FROM before_change b;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        SELECT array_agg(to_jsonb(a) ORDER BY a.id) INTO afters FROM after_change a;
    END IF;
    IF cardinality(befores) = 1 AND befores[1] - left_out = afters[1] - left_out THEN
        RETURN NULL;  -- bookkeeping only, as at every sign-in: worth a short cut
    END IF;
    INSERT INTO audit_logs (organization_id, user_id, action, resource_type, resource_id, old_values, new_values,
                            ip_address, user_agent, request_id, reason, actor_scope)
    SELECT coalesce((coalesce(c.after, c.before)->>TG_ARGV[2])::uuid, nexa.current_organization()),
           nexa.current_person(), nexa.audit_action(), TG_ARGV[0], (coalesce(c.after, c.before)->>TG_ARGV[1])::uuid,
           d.old_values, d.new_values,
           nullif(current_setting('nexa.address', true), '')::inet, nullif(current_setting('nexa.agent', true), ''),
           current_setting('nexa.request')::uuid, nullif(current_setting('nexa.reason', true), ''),
           coalesce(nullif(current_setting('nexa.scope', true), ''), 'entry')
    FROM unnest(befores, afters) AS c(before, after)
    CROSS JOIN LATERAL (
        SELECT jsonb_object_agg(k.key, nexa.audit_value(c.before->k.key, k.key = ANY (as_digest)))
                   FILTER (WHERE c.before IS NOT NULL) AS old_values,
               jsonb_object_agg(k.key, nexa.audit_value(c.after->k.key, k.key = ANY (as_digest)))
                   FILTER (WHERE c.after IS NOT NULL) AS new_values
        FROM jsonb_object_keys(coalesce(c.after, c.before)) k(key)
        WHERE c.before->k.key IS DISTINCT FROM c.after->k.key AND k.key <> ALL (left_out)
          AND (c.before IS NOT NULL AND c.after IS NOT NULL OR coalesce(c.after, c.before)->k.key <> 'null'::jsonb)
    ) d
    WHERE d.old_values IS NOT NULL OR d.new_values IS NOT NULL;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION nexa.audit_lock_chains() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public AS $$
DECLARE
    chains CONSTANT uuid[] := string_to_array(current_setting('nexa.chains'), ' ')::uuid[]
        || coalesce(nexa.current_organization(), '00000000-0000-0000-0000-000000000000');
BEGIN
    INSERT INTO audit_heads (chain_id) SELECT chain FROM unnest(chains) chain ORDER BY 1 ON CONFLICT DO NOTHING;
    PERFORM 1 FROM audit_heads WHERE chain_id = ANY (chains) ORDER BY chain_id FOR UPDATE;
    PERFORM set_config('nexa.chains', '', true);
END $$;
CREATE OR REPLACE FUNCTION nexa.audit_append() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    content CONSTANT bytea := nexa.audit_digest(NEW);
BEGIN
    IF current_setting('nexa.chains', true) <> '' THEN
        PERFORM nexa.audit_lock_chains();
    END IF;
    LOOP
        WITH link AS (
            UPDATE audit_heads SET sequence = sequence + 1,
                hash = nexa.audit_link(hash, sequence + 1, NEW, content)
            WHERE chain_id = coalesce(NEW.organization_id, '00000000-0000-0000-0000-000000000000')
            RETURNING chain_id, sequence, hash
        )
        INSERT INTO audit_chain (chain_id, sequence, audit_log_id, logged_at, digest, hash)
            SELECT chain_id, sequence, NEW.id, NEW.created_at, content, hash FROM link;
        EXIT WHEN FOUND;
        INSERT INTO audit_heads (chain_id)  -- the first entry of this chain
            VALUES (coalesce(NEW.organization_id, '00000000-0000-0000-0000-000000000000')) ON CONFLICT DO NOTHING;
    END LOOP;
    RETURN NULL;
END $$;
SET LOCAL ROLE nexa_owner;
DROP FUNCTION nexa.audit_update_of_many(oid, text, text, text, text[], text[]);
CREATE TRIGGER audit_logs_announce AFTER INSERT ON audit_logs FOR EACH ROW
    WHEN (NEW.organization_id IS DISTINCT FROM nexa.current_organization()) EXECUTE FUNCTION nexa.audit_announce();
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for part in (LOGOS, SLUGS, RIGHTS, CHAINS):
        op.execute(part)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(CHAINS_BEFORE)
    op.execute("""
        DROP INDEX organizations_lower_name_id_idx;
        GRANT UPDATE (plan_type, subscription_status, subscription_data, usage_limits, status, time_zone, deleted_at)
            ON organizations TO nexa_tenant;
        DROP FUNCTION nexa.release_slug(text);
        DROP TABLE organization_logos;
    """)
