"""The audit log: written by the database, named by the door, chained at commit.

Revision ID: 20261122_02
Revises: 20261122_01
"""

from alembic import op

revision = "20261122_02"
down_revision = "20261122_01"
branch_labels = None
depends_on = None

TABLES = """
-- By month, so that expiry can drop a month instead of deleting rows. The default partition catches what no month does.
CREATE TABLE audit_logs (
    id uuid NOT NULL DEFAULT nexa.uuid_v7(),
    created_at timestamptz NOT NULL DEFAULT now(),
    organization_id uuid REFERENCES organizations (id),
    user_id uuid REFERENCES users (id),
    action varchar(100) NOT NULL,
    resource_type varchar(50) NOT NULL,
    resource_id uuid,
    old_values jsonb,
    new_values jsonb,
    ip_address inet,
    user_agent text,
    request_id uuid NOT NULL,
    reason text,
    actor_scope varchar(20) NOT NULL,
    salt bytea NOT NULL DEFAULT uuid_send(gen_random_uuid()),
    CONSTRAINT audit_logs_pkey PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);
CREATE TABLE audit_logs_default PARTITION OF audit_logs DEFAULT;
CREATE INDEX audit_logs_organization_id_created_at_id_idx ON audit_logs (organization_id, created_at, id);
CREATE INDEX audit_logs_resource_id_created_at_idx ON audit_logs (resource_id, created_at);
CREATE INDEX audit_logs_request_id_idx ON audit_logs (request_id);

-- One chain per organization; what belongs to none is in the chain of the nil UUID.
CREATE TABLE audit_heads (
    chain_id uuid PRIMARY KEY,
    sequence bigint NOT NULL DEFAULT 0,
    hash bytea NOT NULL DEFAULT sha256('nexa audit chain'::bytea)
);
CREATE TABLE audit_chain (
    chain_id uuid NOT NULL,
    sequence bigint NOT NULL,
    audit_log_id uuid NOT NULL,
    logged_at timestamptz NOT NULL,
    digest bytea NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT audit_chain_pkey PRIMARY KEY (chain_id, sequence)
);
"""

FUNCTIONS = """
-- What a link of the chain covers. The values, the address and the reason enter through a salted digest only: a person
-- can be erased from them (values and salt go) and the chain still verifies.
-- (Declared STABLE, as jsonb_build_array is: a function that promises more than its body is not inlined.)
CREATE FUNCTION nexa.audit_digest(entry audit_logs) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT sha256(entry.salt || convert_to(jsonb_build_array(entry.old_values, entry.new_values,
        host(entry.ip_address), entry.user_agent, entry.reason)::text, 'UTF8'))
$$;
CREATE FUNCTION nexa.audit_link(previous bytea, number bigint, entry audit_logs, digest bytea) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT sha256(previous || convert_to(jsonb_build_array(number, entry.id,
        (extract(epoch FROM entry.created_at) * 1000000)::bigint, entry.organization_id, entry.user_id, entry.action,
        entry.resource_type, entry.resource_id, entry.request_id, entry.actor_scope, encode(digest, 'hex'))::text, 'UTF8'))
$$;

-- The name the door gave this transaction, or a refusal: nothing audited is written without one.
CREATE FUNCTION nexa.audit_action() RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF coalesce(current_setting('nexa.action', true), '') = '' OR coalesce(current_setting('nexa.request', true), '') = '' THEN
        RAISE EXCEPTION 'audited data may only be written through a recording door'
            USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'audit_action';
    END IF;
    RETURN current_setting('nexa.action');
END $$;

CREATE FUNCTION nexa.audit_note(resource text, resource_uuid uuid, organization uuid, noted_values jsonb, noted_action text DEFAULT NULL)
RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    noted uuid;
BEGIN
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

-- One statement trigger for every audited table: a thousand changed rows are one set-based insert, and every statement
-- in it is static, so its plan is cached per table. The generic plan is forced: the planner takes it for ten rows where
-- there is mostly one, and would plan anew at every change, which costs more than the change.
-- Arguments: resource type, column that identifies the resource, column of the organization ('' when the table has
-- none: then the context's), columns left out ('{a,b}': bookkeeping and secrets), columns given as digests ('{c}').
CREATE FUNCTION nexa.audit_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
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

-- Documents are large and kept in session_revisions: the log proves which content it was, it does not repeat it.
CREATE FUNCTION nexa.audit_value(value jsonb, as_digest boolean) RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN as_digest AND value <> 'null'::jsonb
        THEN jsonb_build_object('sha256', encode(sha256(convert_to(value::text, 'UTF8')), 'hex'),
                                'bytes', octet_length(value::text))
        ELSE value END
$$;

-- A transaction that writes to other organizations than its context's appends to several chains: it notes them as it
-- goes, and at its first deferred trigger locks them all in one order, so that two such transactions cannot deadlock.
CREATE FUNCTION nexa.audit_announce() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    chain CONSTANT text := coalesce(NEW.organization_id, '00000000-0000-0000-0000-000000000000');
BEGIN
    IF position(chain IN coalesce(current_setting('nexa.chains', true), '')) = 0 THEN
        PERFORM set_config('nexa.chains', concat_ws(' ', nullif(current_setting('nexa.chains', true), ''), chain), true);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION nexa.audit_lock_chains() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public AS $$
DECLARE
    chains CONSTANT uuid[] := string_to_array(current_setting('nexa.chains'), ' ')::uuid[]
        || coalesce(nexa.current_organization(), '00000000-0000-0000-0000-000000000000');
BEGIN
    INSERT INTO audit_heads (chain_id) SELECT chain FROM unnest(chains) chain ORDER BY 1 ON CONFLICT DO NOTHING;
    PERFORM 1 FROM audit_heads WHERE chain_id = ANY (chains) ORDER BY chain_id FOR UPDATE;
    PERFORM set_config('nexa.chains', '', true);
END $$;

CREATE FUNCTION nexa.audit_append() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
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

-- What is wrong with one chain, worst first seen first; no row when it verifies.
CREATE FUNCTION nexa.audit_faults(chain uuid) RETURNS TABLE (sequence bigint, audit_log_id uuid, fault text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    WITH links AS (
        SELECT c.*, lag(c.hash, 1, sha256('nexa audit chain'::bytea)) OVER (ORDER BY c.sequence) AS previous,
               row_number() OVER (ORDER BY c.sequence) AS expected
        FROM audit_chain c WHERE c.chain_id = chain
    ), entries AS (
        SELECT * FROM audit_logs WHERE organization_id IS NOT DISTINCT FROM nullif(chain, '00000000-0000-0000-0000-000000000000')
    )
    SELECT * FROM (
        SELECT l.sequence, coalesce(l.audit_log_id, e.id),
            CASE
                WHEN l.sequence IS NULL THEN 'an entry that is in no chain'
                WHEN l.sequence <> l.expected THEN 'a link is missing before this one'
                WHEN e.id IS NULL THEN 'the entry of this link is gone'
                WHEN l.digest <> nexa.audit_digest(e) THEN 'the values, address or reason were changed'
                WHEN l.hash <> nexa.audit_link(l.previous, l.sequence, e, l.digest) THEN 'the entry or its place was changed'
            END AS fault
        FROM links l FULL JOIN entries e ON e.id = l.audit_log_id AND e.created_at = l.logged_at
        UNION ALL
        SELECT h.sequence, NULL, 'the head does not match the last link'
        FROM audit_heads h
        LEFT JOIN LATERAL (SELECT c.sequence, c.hash FROM audit_chain c WHERE c.chain_id = chain ORDER BY c.sequence DESC LIMIT 1) last ON true
        WHERE h.chain_id = chain
          AND (h.sequence, h.hash) <> (coalesce(last.sequence, 0), coalesce(last.hash, sha256('nexa audit chain'::bytea)))
        UNION ALL
        SELECT NULL, NULL, 'the chain has links but no head'
        WHERE EXISTS (SELECT 1 FROM audit_chain WHERE chain_id = chain)
          AND NOT EXISTS (SELECT 1 FROM audit_heads WHERE chain_id = chain)
    ) found WHERE fault IS NOT NULL ORDER BY 1 NULLS LAST
$$;

CREATE FUNCTION nexa.audit_chains() RETURNS TABLE (chain_id uuid, entries bigint) LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public AS $$
    SELECT chain_id, max(sequence) FROM (
        SELECT h.chain_id, h.sequence FROM audit_heads h
        UNION ALL SELECT c.chain_id, max(c.sequence) FROM audit_chain c GROUP BY c.chain_id
        UNION ALL SELECT DISTINCT coalesce(l.organization_id, '00000000-0000-0000-0000-000000000000'::uuid), 0 FROM audit_logs l
    ) known GROUP BY chain_id
$$;

-- Months of a partitioned table, made ahead of need. Rows of a missing month wait in the default partition.
CREATE FUNCTION nexa.make_month(parent regclass, month date) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public AS $$
DECLARE
    child text := format('%s_%s', parent, to_char(month, 'YYYY_MM'));
    first_day date := date_trunc('month', month);
BEGIN
    IF to_regclass('public.' || child) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE public.%I PARTITION OF %s FOR VALUES FROM (%L) TO (%L)', child, parent,
                   first_day::timestamp AT TIME ZONE 'UTC', (first_day + interval '1 month') AT TIME ZONE 'UTC');
    RETURN true;
EXCEPTION WHEN check_violation OR duplicate_table THEN
    RETURN false;  -- the default partition holds rows of that month already, or another process was quicker
END $$;

-- Puts the audit triggers on a table; migrations call it for each audited table.
CREATE PROCEDURE nexa.audit_table(audited regclass, resource text, id_column text, organization_column text,
                                  left_out text[], as_digest text[] DEFAULT '{}')
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER audit_insert AFTER INSERT ON %s REFERENCING NEW TABLE AS after_change
        FOR EACH STATEMENT EXECUTE FUNCTION nexa.audit_change(%L, %L, %L, %L, %L)',
        audited, resource, id_column, organization_column, left_out, as_digest);
    EXECUTE format('CREATE TRIGGER audit_update AFTER UPDATE ON %s
        REFERENCING OLD TABLE AS before_change NEW TABLE AS after_change
        FOR EACH STATEMENT EXECUTE FUNCTION nexa.audit_change(%L, %L, %L, %L, %L)',
        audited, resource, id_column, organization_column, left_out, as_digest);
    EXECUTE format('CREATE TRIGGER audit_delete AFTER DELETE ON %s REFERENCING OLD TABLE AS before_change
        FOR EACH STATEMENT EXECUTE FUNCTION nexa.audit_change(%L, %L, %L, %L, %L)',
        audited, resource, id_column, organization_column, left_out, as_digest);
END $$;
"""

OWNERSHIP = """
REVOKE EXECUTE ON FUNCTION nexa.audit_note(text, uuid, uuid, jsonb, text), nexa.audit_faults(uuid), nexa.audit_chains(),
    nexa.audit_lock_chains(),
    nexa.make_month(regclass, date) FROM PUBLIC;
REVOKE EXECUTE ON PROCEDURE nexa.audit_table(regclass, text, text, text, text[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexa.audit_note(text, uuid, uuid, jsonb, text) TO nexa_tenant, nexa_staff, nexa_presenter, nexa_entry;
GRANT EXECUTE ON FUNCTION nexa.audit_faults(uuid), nexa.audit_chains() TO nexa_staff;
GRANT EXECUTE ON FUNCTION nexa.make_month(regclass, date) TO nexa_staff;
ALTER FUNCTION nexa.audit_note(text, uuid, uuid, jsonb, text) OWNER TO nexa_system;
ALTER FUNCTION nexa.audit_change() OWNER TO nexa_system;
ALTER FUNCTION nexa.audit_append() OWNER TO nexa_system;
ALTER FUNCTION nexa.audit_lock_chains() OWNER TO nexa_system;
ALTER FUNCTION nexa.audit_faults(uuid) OWNER TO nexa_system;
ALTER FUNCTION nexa.audit_chains() OWNER TO nexa_system;

GRANT ALL ON audit_logs, audit_heads, audit_chain TO nexa_system;
-- The program reads; only the functions above write, and nothing changes or removes.
GRANT SELECT ON audit_logs TO nexa_tenant, nexa_staff, nexa_presenter;
GRANT SELECT ON audit_heads, audit_chain TO nexa_staff;

ALTER TABLE audit_logs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY audit_logs_tenant ON audit_logs FOR SELECT TO nexa_tenant
    USING (organization_id = (SELECT nexa.current_organization()));
CREATE POLICY audit_logs_staff ON audit_logs FOR SELECT TO nexa_staff USING (true);
CREATE POLICY audit_logs_presenter ON audit_logs FOR SELECT TO nexa_presenter
    USING (organization_id = ANY ((SELECT nexa.demo_organizations())::uuid[]));
"""

TRIGGERS = """
CREATE TRIGGER audit_logs_announce AFTER INSERT ON audit_logs FOR EACH ROW
    WHEN (NEW.organization_id IS DISTINCT FROM nexa.current_organization()) EXECUTE FUNCTION nexa.audit_announce();
CREATE CONSTRAINT TRIGGER audit_logs_append AFTER INSERT ON audit_logs
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION nexa.audit_append();
SELECT nexa.make_month('audit_logs', (date_trunc('month', now()) + make_interval(months => ahead))::date)
    FROM generate_series(0, 3) ahead;

CALL nexa.audit_table('users', 'user', 'id', '',
    '{password_hash,updated_at,created_at,last_login_at,last_login_ip,login_count,failed_login_attempts,last_failed_login_at,lock_count}');
CALL nexa.audit_table('organizations', 'organization', 'id', 'id', '{created_at,updated_at}');
CALL nexa.audit_table('organization_memberships', 'membership', 'id', 'organization_id',
    '{invitation_token,created_at,updated_at,last_active_at}');
CALL nexa.audit_table('organization_domains', 'domain', 'id', 'organization_id',
    '{verification_token,verification_checked_at,created_at,updated_at}');
CALL nexa.audit_table('user_sessions', 'user_session', 'id', 'organization_id',
    '{session_token,refresh_token,last_seen_at,created_at,expires_at,ip_address,user_agent}');
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for part in (TABLES, FUNCTIONS, OWNERSHIP, TRIGGERS):
        op.execute(part)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for audited in ("users", "organizations", "organization_memberships", "organization_domains", "user_sessions"):
        for event in ("insert", "update", "delete"):
            op.execute(f"DROP TRIGGER audit_{event} ON {audited}")
    op.execute("""
        DROP PROCEDURE nexa.audit_table(regclass, text, text, text, text[], text[]);
        DROP FUNCTION nexa.audit_faults(uuid), nexa.audit_chains(), nexa.make_month(regclass, date),
                      nexa.audit_note(text, uuid, uuid, jsonb, text), nexa.audit_change(), nexa.audit_value(jsonb, boolean),
                      nexa.audit_action(), nexa.audit_digest(audit_logs), nexa.audit_link(bytea, bigint, audit_logs, bytea);
        DROP TABLE audit_chain, audit_heads, audit_logs;
        DROP FUNCTION nexa.audit_announce(), nexa.audit_lock_chains(), nexa.audit_append();
    """)
