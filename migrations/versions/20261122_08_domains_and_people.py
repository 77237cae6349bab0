"""Joining by domain, looking as somebody else, and erasing a person.

Revision ID: 20261122_08
Revises: 20261122_07
"""

from alembic import op

revision = "20261122_08"
down_revision = "20261122_07"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE users ADD COLUMN erased_at timestamptz;
ALTER TABLE organization_memberships ADD COLUMN requested_at timestamptz;
ALTER TABLE organization_domains
    ADD COLUMN approval_required boolean NOT NULL DEFAULT false,
    ADD COLUMN missing_since timestamptz;
GRANT SELECT (erased_at) ON users TO nexa_tenant, nexa_staff, nexa_presenter;
GRANT SELECT (requested_at) ON organization_memberships TO nexa_tenant, nexa_staff, nexa_presenter;
GRANT INSERT ON organization_memberships TO nexa_entry;
CREATE INDEX users_full_name_id_idx ON users (full_name, id);
"""

TABLES = """
-- Who was removed does not come back by a domain; only an invitation brings them back.
CREATE TABLE former_members (
    organization_id uuid NOT NULL REFERENCES organizations (id),
    user_id uuid NOT NULL REFERENCES users (id),
    removed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT former_members_pkey PRIMARY KEY (organization_id, user_id)
);
CREATE INDEX former_members_user_id_idx ON former_members (user_id);

-- A mailed link with which an address of a proven domain joins. There is no account yet, or not necessarily.
CREATE TABLE domain_sign_ups (
    token varchar(64) PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id),
    domain varchar(255) NOT NULL,
    email varchar(255) NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX domain_sign_ups_organization_id_idx ON domain_sign_ups (organization_id);
CREATE INDEX domain_sign_ups_email_idx ON domain_sign_ups (email);

-- An internal admin who looks at one organization with a member's eyes, in one sign-in, for an hour at most.
CREATE TABLE viewings (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_session_id uuid NOT NULL,
    user_id uuid NOT NULL REFERENCES users (id),
    viewed_user_id uuid NOT NULL REFERENCES users (id),
    organization_id uuid NOT NULL REFERENCES organizations (id),
    reason text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT viewings_expires_at_check CHECK (expires_at <= started_at + interval '60 minutes'),
    CONSTRAINT viewings_reason_check CHECK (btrim(reason) <> '')
);
CREATE INDEX viewings_user_session_id_idx ON viewings (user_session_id);
CREATE INDEX viewings_organization_id_idx ON viewings (organization_id);
"""

PRIVILEGES = """
GRANT SELECT ON former_members TO nexa_tenant, nexa_staff, nexa_entry;
GRANT SELECT, INSERT, UPDATE, DELETE ON domain_sign_ups TO nexa_entry;
GRANT SELECT ON viewings TO nexa_tenant, nexa_entry;
GRANT SELECT, INSERT ON viewings TO nexa_staff;
GRANT UPDATE (ended_at) ON viewings TO nexa_staff;
GRANT ALL ON former_members, domain_sign_ups, viewings TO nexa_system;

ALTER TABLE former_members ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY former_members_tenant ON former_members TO nexa_tenant
    USING (organization_id = (SELECT nexa.current_organization()))
    WITH CHECK (organization_id = (SELECT nexa.current_organization()));
CREATE POLICY former_members_staff ON former_members TO nexa_staff USING (true) WITH CHECK (true);
CREATE POLICY former_members_entry ON former_members TO nexa_entry USING (true) WITH CHECK (true);

ALTER TABLE domain_sign_ups ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY domain_sign_ups_entry ON domain_sign_ups TO nexa_entry USING (true) WITH CHECK (true);

ALTER TABLE viewings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY viewings_tenant ON viewings TO nexa_tenant
    USING (organization_id = (SELECT nexa.current_organization()))
    WITH CHECK (organization_id = (SELECT nexa.current_organization()));
CREATE POLICY viewings_staff ON viewings TO nexa_staff USING (true) WITH CHECK (true);
CREATE POLICY viewings_entry ON viewings TO nexa_entry USING (true) WITH CHECK (true);

-- The customer reads in its own log who looked, as whom and why: the reason is the entry's own.
CALL nexa.audit_table('viewings', 'user', 'viewed_user_id', 'organization_id', '{id,user_session_id,started_at,reason}');
"""

DOMAINS = """
CREATE FUNCTION nexa.remember_former_member() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public AS $$
BEGIN
    INSERT INTO former_members (organization_id, user_id) VALUES (OLD.organization_id, OLD.user_id)
        ON CONFLICT (organization_id, user_id) DO UPDATE SET removed_at = now();
    RETURN NULL;
END $$;
ALTER FUNCTION nexa.remember_former_member() OWNER TO nexa_system;
CREATE TRIGGER organization_memberships_former AFTER DELETE ON organization_memberships
    FOR EACH ROW EXECUTE FUNCTION nexa.remember_former_member();

-- Who could join by a proven domain. Whoever proved it could read their mail, so may know of their accounts; an
-- unproven claim is told nobody. The context says whose claim may be asked about.
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
REVOKE EXECUTE ON FUNCTION nexa.domain_candidates(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexa.domain_candidates(uuid) TO nexa_tenant, nexa_staff;
ALTER FUNCTION nexa.domain_candidates(uuid) OWNER TO nexa_system;
"""

ERASING = """
-- Every column that can hold a person's words, asked of the catalogue: a new table is searched without being named here.
-- Other people's addresses are theirs, however alike.
CREATE FUNCTION nexa.columns_of_words() RETURNS TABLE (place text, name text, type text) LANGUAGE sql STABLE
    SET search_path = pg_catalog, public AS $$
    SELECT quote_ident(c.relname), quote_ident(a.attname), format_type(a.atttypid, a.atttypmod)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
      AND a.atttypid IN ('text'::regtype, 'varchar'::regtype, 'jsonb'::regtype)
      AND c.relname NOT IN ('alembic_version', 'audit_logs') AND (c.relname, a.attname) NOT IN (('users', 'email'), ('users', 'password_hash'))
    ORDER BY 1, 2
$$;

-- One regular expression for any of these words, whole ones only; as JSON writes them when they stand in a document.
CREATE FUNCTION nexa.pattern_of(words text[], in_json boolean) RETURNS text LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, public AS $$
    SELECT '(?<![\\w.%+-])(' || string_agg(regexp_replace(
        CASE WHEN in_json THEN substr(to_jsonb(word)::text, 2, length(to_jsonb(word)::text) - 2) ELSE word END,
        '([][\\\\.^$*+?(){}|-])', '\\\\\\1', 'g'), '|' ORDER BY length(word) DESC, word) || ')(?![\\w-]|\\.\\w)'
    FROM unnest(words) word WHERE word <> ''
$$;

-- The same words for LIKE ANY, which is several times quicker: what it lets through is looked at with the pattern.
CREATE FUNCTION nexa.likes_of(words text[], in_json boolean) RETURNS text[] LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, public AS $$
    SELECT array_agg('%' || replace(lower(
        CASE WHEN in_json THEN substr(to_jsonb(word)::text, 2, length(to_jsonb(word)::text) - 2) ELSE word END
    ), '\\', '\\\\') || '%') FROM unnest(words) word WHERE word <> ''
$$;

-- What an erased entry of the log looks like: nothing is left in it but who, when and what kind of thing.
CREATE FUNCTION nexa.audit_is_blank(entry audit_logs) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT entry.old_values IS NULL AND entry.new_values IS NULL AND entry.ip_address IS NULL
       AND entry.user_agent IS NULL AND entry.reason IS NULL AND entry.salt = ''::bytea
$$;

-- Whether an entry of the log is the person's: by them, about them, or with their words in it.
CREATE FUNCTION nexa.concerns(entry audit_logs, person uuid, linked uuid[], in_values text, in_text text) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT entry.salt <> ''::bytea AND NOT coalesce(entry.action = 'user.erased' AND entry.new_values ? 'erased_entries', false)
        AND coalesce(
        entry.user_id = person OR entry.resource_id = person OR entry.resource_id = ANY (linked)
        OR entry.old_values->>'user_id' = person::text OR entry.new_values->>'user_id' = person::text
        OR concat_ws(' ', entry.old_values::text, entry.new_values::text) ~* in_values
        OR concat_ws(' ', entry.reason, entry.user_agent) ~* in_text, false)
$$;

-- Erase a person, or, dry, only count what would be. The row stays, without a word in it, because bills, sessions and
-- the log refer to it. In the log the person's entries lose values, salt, address, agent and reason; one entry per chain
-- names them, and nexa.audit_faults() takes a blank entry for sound only where such an entry covers it.
CREATE FUNCTION nexa.erase_person(person uuid, dry boolean) RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public AS $$
DECLARE
    addresses text[];
    names text[];
    hashes text[];
    linked uuid[];
    found jsonb := '{}';
    texts jsonb := '{}';
    credits CONSTANT numeric := (SELECT coalesce(sum(credits_consumed), 0) FROM usage_events);
    searched record;
    pattern text;
    likes text[];
    words text[];
    in_values text;
    in_text text;
    changed bigint;
    counted bigint;
BEGIN
    -- Every address and name the person ever had, as far as the log remembers; a single word is nobody's own.
    SELECT array_agg(DISTINCT lower(word)) INTO addresses FROM (
        SELECT email FROM users WHERE id = person
        UNION SELECT old_values->>'email' FROM audit_logs WHERE resource_type = 'user' AND resource_id = person
        UNION SELECT new_values->>'email' FROM audit_logs WHERE resource_type = 'user' AND resource_id = person
    ) known(word) WHERE word LIKE '%_@_%' AND word NOT LIKE '%@erased.invalid';
    SELECT coalesce(array_agg(DISTINCT word), '{}') INTO names FROM (
        SELECT full_name FROM users WHERE id = person
        UNION SELECT old_values->>'full_name' FROM audit_logs WHERE resource_type = 'user' AND resource_id = person
        UNION SELECT new_values->>'full_name' FROM audit_logs WHERE resource_type = 'user' AND resource_id = person
    ) known(word) WHERE btrim(word) LIKE '%_ _%' AND word <> 'Erased person';
    addresses := coalesce(addresses, '{}');
    SELECT coalesce(array_agg(encode(sha256(convert_to(a, 'UTF8')), 'hex')), '{}') INTO hashes FROM unnest(addresses) a;
    SELECT coalesce(array_agg(DISTINCT id), '{}') INTO linked FROM (
        SELECT id FROM organization_memberships WHERE user_id = person
        UNION SELECT id FROM user_sessions WHERE user_id = person
        UNION SELECT resource_id FROM audit_logs WHERE old_values->>'user_id' = person::text OR new_values->>'user_id' = person::text
    ) rows;
    words := addresses || names || hashes;
    in_values := nexa.pattern_of(words, true);
    in_text := nexa.pattern_of(words, false);

    SELECT count(*) INTO counted FROM organization_memberships WHERE user_id = person;
    found := found || jsonb_build_object('memberships', counted);
    SELECT count(*) INTO counted FROM user_sessions WHERE user_id = person;
    found := found || jsonb_build_object('sign_ins', counted);
    SELECT count(*) INTO counted FROM outbox_messages WHERE lower(recipient) = ANY (addresses);
    found := found || jsonb_build_object('mail', counted);
    SELECT count(*) INTO counted FROM audit_logs l WHERE nexa.concerns(l, person, linked, in_values, in_text);
    found := found || jsonb_build_object('audit_entries', counted, 'credits', credits);

    IF NOT dry THEN
        UPDATE users SET email = 'erased-' || id || '@erased.invalid', password_hash = NULL, first_name = '', last_name = '',
            full_name = 'Erased person', avatar_url = NULL, timezone = 'UTC', locale = 'en', profile_data = '{}',
            notification_settings = '{}', status = 'deleted', email_verified_at = NULL, last_login_at = NULL,
            last_login_ip = NULL, login_count = 0, failed_login_attempts = 0, last_failed_login_at = NULL,
            locked_until = NULL, lock_count = 0, updated_at = now(),
            deleted_at = coalesce(deleted_at, now()), erased_at = now()
        WHERE id = person;
        DELETE FROM one_time_tokens WHERE user_id = person;
        DELETE FROM user_sessions WHERE user_id = person;
        DELETE FROM organization_memberships WHERE user_id = person;
        DELETE FROM unknown_sign_ins WHERE address_hash = ANY (hashes);
        DELETE FROM domain_sign_ups WHERE lower(email) = ANY (addresses);
        UPDATE outbox_messages SET recipient = 'erased@erased.invalid', subject = '(erased)', body = NULL, link = NULL,
            last_error = NULL, sent_at = coalesce(sent_at, now()) WHERE lower(recipient) = ANY (addresses);
    END IF;

    FOR searched IN
        SELECT c.*, k.words, k.instead FROM nexa.columns_of_words() c
        CROSS JOIN (VALUES (addresses || hashes, 'erased@erased.invalid'), (names, 'Erased person')) k(words, instead)
        WHERE cardinality(k.words) > 0
    LOOP
        pattern := nexa.pattern_of(searched.words, searched.type = 'jsonb');
        likes := nexa.likes_of(searched.words, searched.type = 'jsonb');
        IF dry THEN
            EXECUTE format('SELECT count(*) FROM %1$s WHERE lower(%2$s::text) LIKE ANY ($3) AND %2$s::text ~* $1'
                || CASE WHEN searched.place = 'users' THEN ' AND id <> $2' ELSE '' END,
                searched.place, searched.name) INTO changed USING pattern, person, likes;
        ELSE
            EXECUTE format('UPDATE %1$s SET %2$s = regexp_replace(%2$s::text, $1, $2, ''gi'')::%3$s
                WHERE lower(%2$s::text) LIKE ANY ($3) AND %2$s::text ~* $1',
                searched.place, searched.name, searched.type) USING pattern, searched.instead, likes;
            GET DIAGNOSTICS changed = ROW_COUNT;
        END IF;
        IF changed > 0 THEN
            texts := texts || jsonb_build_object(searched.place || '.' || searched.name,
                changed + coalesce((texts->>(searched.place || '.' || searched.name))::bigint, 0));
        END IF;
    END LOOP;
    found := found || jsonb_build_object('texts', texts);
    IF dry THEN
        RETURN found;
    END IF;

    -- The reason may name the person too; nothing that is written from here on repeats it.
    PERFORM set_config('nexa.reason',
        coalesce(regexp_replace(current_setting('nexa.reason', true), in_text, 'the person', 'gi'), ''), true);
    WITH blanked AS (
        UPDATE audit_logs l SET old_values = NULL, new_values = NULL, ip_address = NULL, user_agent = NULL, reason = NULL, salt = ''
        WHERE nexa.concerns(l, person, linked, in_values, in_text) RETURNING l.id, l.organization_id
    )
    INSERT INTO audit_logs (organization_id, user_id, action, resource_type, resource_id, new_values, ip_address,
                            user_agent, request_id, reason, actor_scope)
    SELECT b.organization_id, nexa.current_person(), nexa.audit_action(), 'user', person,
           jsonb_build_object('erased_entries', jsonb_agg(b.id ORDER BY b.id))
               || CASE WHEN b.organization_id IS NOT DISTINCT FROM nexa.current_organization()
                       THEN jsonb_build_object('certificate', found || '{"remaining": 0}') ELSE '{}' END,
           nullif(current_setting('nexa.address', true), '')::inet, nullif(current_setting('nexa.agent', true), ''),
           current_setting('nexa.request')::uuid, nullif(current_setting('nexa.reason', true), ''),
           coalesce(nullif(current_setting('nexa.scope', true), ''), 'entry')
    FROM blanked b GROUP BY b.organization_id;  -- the change of the account itself is in the context's own chain

    -- The certificate certifies what was looked at again.
    counted := 0;
    FOR searched IN SELECT * FROM nexa.columns_of_words() UNION ALL
        SELECT 'audit_logs', v.name, v.type
        FROM (VALUES ('old_values', 'jsonb'), ('new_values', 'jsonb'), ('reason', 'text'), ('user_agent', 'text')) v(name, type)
    LOOP
        EXECUTE format('SELECT count(*) FROM %1$s WHERE lower(%2$s::text) LIKE ANY ($2) AND %2$s::text ~* $1', searched.place, searched.name)
            INTO changed USING CASE WHEN searched.type = 'jsonb' THEN in_values ELSE in_text END, nexa.likes_of(words, searched.type = 'jsonb');
        counted := counted + changed;
        IF changed > 0 THEN
            pattern := searched.place || '.' || searched.name;
        END IF;
    END LOOP;
    IF counted > 0 OR credits IS DISTINCT FROM (SELECT coalesce(sum(credits_consumed), 0) FROM usage_events) THEN
        RAISE EXCEPTION 'erasing person % left % rows (in %), or changed what was used', person, counted, pattern;
    END IF;
    RETURN found || jsonb_build_object('remaining', counted);
END $$;

REVOKE EXECUTE ON FUNCTION nexa.erase_person(uuid, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexa.erase_person(uuid, boolean) TO nexa_staff;
ALTER FUNCTION nexa.erase_person(uuid, boolean) OWNER TO nexa_system;
"""

FAULTS = """
-- As before, but a blank entry is sound where an erasure covers it. Only its owner may replace a function.
SET LOCAL ROLE nexa_system;
CREATE OR REPLACE FUNCTION nexa.audit_faults(chain uuid) RETURNS TABLE (sequence bigint, audit_log_id uuid, fault text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    WITH links AS (
        SELECT c.*, lag(c.hash, 1, sha256('nexa audit chain'::bytea)) OVER (ORDER BY c.sequence) AS previous,
               row_number() OVER (ORDER BY c.sequence) AS expected
        FROM audit_chain c WHERE c.chain_id = chain
    ), entries AS (
        SELECT * FROM audit_logs WHERE organization_id IS NOT DISTINCT FROM nullif(chain, '00000000-0000-0000-0000-000000000000')
    ), erased AS (
        -- Entries that a sound record of an erasure, later in this very chain, names; its person must have been erased.
        SELECT l.sequence AS covered_by, jsonb_array_elements_text(e.new_values->'erased_entries')::uuid AS id
        FROM entries e
        JOIN links l ON l.audit_log_id = e.id AND l.logged_at = e.created_at AND l.digest = nexa.audit_digest(e)
            AND l.hash = nexa.audit_link(l.previous, l.sequence, e, l.digest)
        JOIN users u ON u.id = e.resource_id AND u.erased_at IS NOT NULL
        WHERE e.action = 'user.erased' AND jsonb_typeof(e.new_values->'erased_entries') = 'array'
    )
    SELECT * FROM (
        SELECT l.sequence, coalesce(l.audit_log_id, e.id),
            CASE
                WHEN l.sequence IS NULL THEN 'an entry that is in no chain'
                WHEN l.sequence <> l.expected THEN 'a link is missing before this one'
                WHEN e.id IS NULL THEN 'the entry of this link is gone'
                WHEN l.digest <> nexa.audit_digest(e) AND NOT (nexa.audit_is_blank(e)
                    AND EXISTS (SELECT 1 FROM erased WHERE erased.id = e.id AND erased.covered_by > l.sequence)) THEN 'the values, address or reason were changed'
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
SET LOCAL ROLE nexa_owner;
"""

FAULTS_OF_BEFORE = """
SET LOCAL ROLE nexa_system;
CREATE OR REPLACE FUNCTION nexa.audit_faults(chain uuid) RETURNS TABLE (sequence bigint, audit_log_id uuid, fault text)
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
SET LOCAL ROLE nexa_owner;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for part in (COLUMNS, TABLES, PRIVILEGES, DOMAINS, ERASING, FAULTS):
        op.execute(part)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(FAULTS_OF_BEFORE)
    op.execute("""
        DROP FUNCTION nexa.erase_person(uuid, boolean), nexa.concerns(audit_logs, uuid, uuid[], text, text),
                      nexa.audit_is_blank(audit_logs), nexa.pattern_of(text[], boolean), nexa.likes_of(text[], boolean), nexa.columns_of_words(),
                      nexa.domain_candidates(uuid);
        DROP TRIGGER organization_memberships_former ON organization_memberships;
        DROP FUNCTION nexa.remember_former_member();
        DROP TABLE viewings, domain_sign_ups, former_members;
        DROP INDEX users_full_name_id_idx;
        REVOKE INSERT ON organization_memberships FROM nexa_entry;
        ALTER TABLE organization_domains DROP COLUMN approval_required, DROP COLUMN missing_since;
        ALTER TABLE organization_memberships DROP COLUMN requested_at;
        ALTER TABLE users DROP COLUMN erased_at;
    """)
