"""A change of many rows: only the columns that changed are looked at, and its entries are linked by one event.

Revision ID: 20261129_20
Revises: 20261129_17
"""

from alembic import op

revision = "20261129_20"
down_revision = "20261129_17"
branch_labels = None
depends_on = None

CHANGES = """
-- Which columns differ in any row of a statement, as a query over its transition tables.
CREATE FUNCTION nexa.audit_changed_columns(audited oid, left_out text[]) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT format('SELECT array_remove(ARRAY[%s]::text[], NULL) FROM before_change b JOIN after_change a ON a.id = b.id',
        string_agg(format('CASE WHEN bool_or(b.%1$I IS DISTINCT FROM a.%1$I) THEN %1$L END', attname), ', '))
    FROM pg_attribute WHERE attrelid = audited AND attnum > 0 AND NOT attisdropped AND attname <> ALL (left_out)
$$;

-- As nexa.uuid_v7(), of 16 random bytes that are there already.
CREATE FUNCTION nexa.uuid_v7_of(bytes bytea) RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
    SELECT encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(overlay(bytes
        PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
        52, 1), 53, 1), 54, 1), 55, 0), 70, 0), 71, 1), 'hex')::uuid
$$;

-- The insert of the entries of many rows, for the columns that changed in any of them. Of an entry's 32 random bytes,
-- derived from a secret that lives for this statement only ($1), half is its salt and half its identifier: a server
-- that reads each random number from the system would spend a tenth of the change on them.
DROP FUNCTION nexa.audit_update_of_many(oid, text, text, text, text[], text[]);
CREATE FUNCTION nexa.audit_update_of_many(resource text, id_column text, organization_column text, changed text[],
                                          as_digest text[]) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT format($insert$
        INSERT INTO audit_logs (id, salt, organization_id, user_id, action, resource_type, resource_id, old_values,
                                new_values, ip_address, user_agent, request_id, reason, actor_scope)
        SELECT nexa.uuid_v7_of(substring(d.random FROM 17)), substring(d.random FOR 16), d.organization, d.person,
               d.action, %L, d.resource, d.old_values, d.new_values, d.address, d.agent, d.request, d.reason, d.scope
        FROM (
            SELECT sha256($1 || int8send(row_number() OVER (ORDER BY a.id))) AS random, %s AS organization,
                   (SELECT nexa.current_person()) AS person, (SELECT nexa.audit_action()) AS action,
                   a.%I AS resource, %s AS old_values, %s AS new_values,
                   (SELECT nullif(current_setting('nexa.address', true), '')::inet) AS address,
                   (SELECT nullif(current_setting('nexa.agent', true), '')) AS agent,
                   (SELECT current_setting('nexa.request')::uuid) AS request,
                   (SELECT nullif(current_setting('nexa.reason', true), '')) AS reason,
                   (SELECT coalesce(nullif(current_setting('nexa.scope', true), ''), 'entry')) AS scope
            FROM before_change b JOIN after_change a ON a.id = b.id
            WHERE %s ORDER BY a.id
        ) d
        $insert$,
        resource,
        CASE organization_column WHEN '' THEN '(SELECT nexa.current_organization())'
             ELSE format('coalesce(a.%I, (SELECT nexa.current_organization()))', organization_column) END,
        id_column,
        string_agg(format(part, name, 'b', digest), ' || '), string_agg(format(part, name, 'a', digest), ' || '),
        string_agg(format('b.%1$I IS DISTINCT FROM a.%1$I', name), ' OR '))
    FROM (
        SELECT name, name = ANY (as_digest) AS digest,
               format(CASE cardinality(changed) WHEN 1 THEN '%s'
                      ELSE 'CASE WHEN b.%%1$I IS DISTINCT FROM a.%%1$I THEN %s ELSE ''{}'' END' END,
                      'jsonb_build_object(%1$L, nexa.audit_value(coalesce(to_jsonb(%2$s.%1$I), ''null''), %3$L))') AS part
        FROM unnest(changed) name
    ) columns
$$;

SET LOCAL ROLE nexa_system;  -- whose these are
CREATE OR REPLACE FUNCTION nexa.audit_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    left_out CONSTANT text[] := TG_ARGV[3];
    as_digest CONSTANT text[] := TG_ARGV[4];
    changed text[];
    befores jsonb[];
    afters jsonb[];
    is_many boolean;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (SELECT count(*) FROM after_change) > 100 THEN
            EXECUTE nexa.audit_changed_columns(TG_RELID, left_out) INTO changed;
            IF cardinality(changed) > 0 THEN
                PERFORM set_config('nexa.many', 'first', true);
                EXECUTE nexa.audit_update_of_many(TG_ARGV[0], TG_ARGV[1], TG_ARGV[2], changed, as_digest)
                    USING uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
                PERFORM set_config('nexa.many', '', true);
            END IF;
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
    is_many := coalesce(cardinality(afters), cardinality(befores)) > 100;
    IF is_many THEN
        PERFORM set_config('nexa.many', 'first', true);
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
    IF is_many THEN
        PERFORM set_config('nexa.many', '', true);
    END IF;
    RETURN NULL;
END $$;
SET LOCAL ROLE nexa_owner;
"""

LINKS = """
-- What a statement wrote is announced once a statement: the chains of other organizations than the context's, which are
-- locked before the first link is made; and all entries of a statement over many rows, which are linked together. For
-- those nexa.audit_change() sets ``nexa.many``, and only the first of them becomes an event, which stands for all.
CREATE OR REPLACE FUNCTION nexa.audit_announce() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    first CONSTANT text := split_part(coalesce(current_setting('nexa.many', true), ''), ' ', 1);
    announced text;
    chains text;
    is_crowded boolean;
BEGIN
    IF first = '' THEN
        SELECT string_agg(DISTINCT coalesce(e.organization_id, '00000000-0000-0000-0000-000000000000')::text, ' ')
            INTO chains FROM entries e WHERE e.organization_id IS DISTINCT FROM nexa.current_organization();
    ELSE
        SELECT string_agg(e.id::text, ' '),
               string_agg(DISTINCT coalesce(e.organization_id, '00000000-0000-0000-0000-000000000000')::text, ' '),
               count(*) <> count(DISTINCT coalesce(e.organization_id, '00000000-0000-0000-0000-000000000000'))
            INTO announced, chains, is_crowded FROM entries e;
    END IF;
    IF announced IS NOT NULL THEN
        IF position(first IN announced) = 0 THEN
            RAISE EXCEPTION 'entries that no event would link' USING ERRCODE = 'insufficient_privilege';
        END IF;
        IF is_crowded OR current_setting('nexa.unlinked', true) <> '' THEN
            PERFORM set_config('nexa.crowded', 'yes', true);
        END IF;
        PERFORM set_config('nexa.unlinked', concat_ws(' ', nullif(current_setting('nexa.unlinked', true), ''), announced), true),
                set_config('nexa.firsts', concat_ws(' ', nullif(current_setting('nexa.firsts', true), ''), first), true);
    END IF;
    IF chains IS NOT NULL THEN
        PERFORM set_config('nexa.chains', concat_ws(' ', nullif(current_setting('nexa.chains', true), ''), chains), true);
    END IF;
    IF current_setting('nexa.many', true) = first || ' now' THEN
        PERFORM nexa.audit_lock_chains();
    END IF;
    RETURN NULL;
END $$;

SET LOCAL ROLE nexa_system;
-- Locks the heads of all chains that were announced, in one order, so that two such transactions cannot deadlock; then
-- links what waits to be linked together: in one statement where each chain gets one link, else entry after entry.
CREATE OR REPLACE FUNCTION nexa.audit_lock_chains() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    nobody CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
    unlinked CONSTANT uuid[] := string_to_array(coalesce(current_setting('nexa.unlinked', true), ''), ' ')::uuid[];
    chains CONSTANT uuid[] := array_append(string_to_array(current_setting('nexa.chains', true), ' ')::uuid[],
                                           coalesce(nexa.current_organization(), nobody));
    locked bigint;
    entry record;
    head audit_heads;
    content bytea;
BEGIN
    PERFORM set_config('nexa.chains', '', true), set_config('nexa.unlinked', '', true);
    PERFORM FROM audit_heads h WHERE h.chain_id = ANY (chains) ORDER BY h.chain_id FOR UPDATE;
    GET DIAGNOSTICS locked = ROW_COUNT;
    IF locked < cardinality(chains) THEN  -- some are named twice, or new: the first entry of a chain
        INSERT INTO audit_heads (chain_id) SELECT DISTINCT chain FROM unnest(chains) chain
            WHERE NOT EXISTS (SELECT FROM audit_heads h WHERE h.chain_id = chain) ORDER BY 1 ON CONFLICT DO NOTHING;
        PERFORM FROM audit_heads h WHERE h.chain_id = ANY (chains) ORDER BY h.chain_id FOR UPDATE;
    END IF;
    IF cardinality(unlinked) = 0 THEN
        RETURN;
    END IF;
    IF coalesce(current_setting('nexa.crowded', true), '') = '' THEN
        WITH entry AS MATERIALIZED (
            SELECT l AS row, coalesce(l.organization_id, nobody) AS chain, nexa.audit_digest(l) AS digest
            FROM audit_logs l WHERE l.id = ANY (unlinked) AND l.created_at = now()
        ), link AS (
            UPDATE audit_heads h SET sequence = h.sequence + 1,
                hash = nexa.audit_link(h.hash, h.sequence + 1, e.row, e.digest)
            FROM entry e WHERE h.chain_id = e.chain
            RETURNING h.chain_id, h.sequence, (e.row).id AS entry_id, (e.row).created_at, e.digest, h.hash
        )
        INSERT INTO audit_chain (chain_id, sequence, audit_log_id, logged_at, digest, hash)
            SELECT chain_id, sequence, entry_id, created_at, digest, hash FROM link;
        RETURN;
    END IF;
    PERFORM set_config('nexa.crowded', '', true);
    FOR entry IN
        SELECT l AS row, coalesce(l.organization_id, nobody) AS chain
        FROM audit_logs l WHERE l.id = ANY (unlinked) AND l.created_at = now() ORDER BY 2, l.id
    LOOP
        IF head.chain_id IS DISTINCT FROM entry.chain THEN
            UPDATE audit_heads h SET sequence = head.sequence, hash = head.hash WHERE h.chain_id = head.chain_id;
            SELECT h.* INTO head FROM audit_heads h WHERE h.chain_id = entry.chain;
        END IF;
        content := nexa.audit_digest(entry.row);
        head.sequence := head.sequence + 1;
        head.hash := nexa.audit_link(head.hash, head.sequence, entry.row, content);
        INSERT INTO audit_chain (chain_id, sequence, audit_log_id, logged_at, digest, hash)
            VALUES (head.chain_id, head.sequence, (entry.row).id, (entry.row).created_at, content, head.hash);
    END LOOP;
    UPDATE audit_heads h SET sequence = head.sequence, hash = head.hash WHERE h.chain_id = head.chain_id;
END $$;

CREATE OR REPLACE FUNCTION nexa.audit_append() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    content bytea;
BEGIN
    IF current_setting('nexa.chains', true) <> '' THEN
        PERFORM nexa.audit_lock_chains();
    END IF;
    IF position(NEW.id::text IN coalesce(current_setting('nexa.firsts', true), '')) > 0 THEN
        RETURN NULL;  -- linked with all the others of its statement
    END IF;
    IF current_setting('nexa.many', true) = NEW.id::text THEN  -- constraints are immediate: nothing is announced yet
        PERFORM set_config('nexa.many', NEW.id || ' now', true);
        RETURN NULL;
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

-- The condition of a deferred trigger is asked at once, row by row: of a statement over many rows only the first is
-- kept for the commit.
DROP TRIGGER audit_logs_append ON audit_logs;
CREATE CONSTRAINT TRIGGER audit_logs_append AFTER INSERT ON audit_logs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (CASE current_setting('nexa.many', true) WHEN 'first' THEN set_config('nexa.many', NEW.id::text, true) <> ''
          ELSE coalesce(current_setting('nexa.many', true), '') = '' END)
    EXECUTE FUNCTION nexa.audit_append();
"""

BEFORE = """
DROP FUNCTION nexa.audit_update_of_many(text, text, text, text[], text[]), nexa.audit_changed_columns(oid, text[]),
    nexa.uuid_v7_of(bytea);
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
SET LOCAL ROLE nexa_system;
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
DROP TRIGGER audit_logs_append ON audit_logs;
CREATE CONSTRAINT TRIGGER audit_logs_append AFTER INSERT ON audit_logs
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION nexa.audit_append();
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(CHANGES)
    op.execute(LINKS)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(BEFORE)
