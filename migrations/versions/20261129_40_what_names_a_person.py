"""What names a person: names within their organizations, and in pictures too; the eraser is made anew in the next.

Revision ID: 20261129_40
Revises: 20261129_39
"""

from alembic import op

revision = "20261129_40"
down_revision = "20261129_39"
branch_labels = None
depends_on = None

NAMING = """
-- Every column that can hold a person's words, asked of the catalogue: a new table is searched without being named here.
-- ``theirs`` says which rows belong to the organizations in $2: a name is looked for in those only, because anybody may
-- be called anything. Other people's addresses are theirs, however alike; what a browser calls itself is nobody's.
CREATE FUNCTION nexa.columns_of_words() RETURNS TABLE (place text, name text, type text, theirs text, is_key boolean)
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT quote_ident(c.relname), quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
           CASE WHEN c.relname = 'organizations' THEN 'id = ANY ($2)'
                WHEN columns.names ? 'organization_id' THEN 'organization_id = ANY ($2)' ELSE 'false' END,
           EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND a.attnum = ANY (i.indkey))
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    CROSS JOIN LATERAL (SELECT jsonb_object_agg(o.attname, true) AS names FROM pg_attribute o
                        WHERE o.attrelid = c.oid AND o.attnum > 0 AND NOT o.attisdropped) columns
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
      AND (a.atttypid IN ('text'::regtype, 'varchar'::regtype, 'jsonb'::regtype)
           OR a.atttypid = 'bytea'::regtype AND columns.names ?& '{organization_id,digest,media_type}')
      AND c.relname NOT IN ('alembic_version', 'audit_logs') AND a.attname <> 'user_agent'
      AND (c.relname, a.attname) NOT IN (('users', 'email'), ('users', 'password_hash'))
    ORDER BY 1, 2
$$;

CREATE FUNCTION nexa.in_xml(word text) RETURNS text LANGUAGE sql IMMUTABLE
    AS $$ SELECT replace(replace(replace(word, '&', '&amp;'), '<', '&lt;'), '>', '&gt;') $$;

-- One regular expression for any of these words, whole ones only; also as a drawing writes them.
CREATE FUNCTION nexa.pattern_of(words text[]) RETURNS text LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT '(?<![\\w.%+-])(' || string_agg(regexp_replace(said, '([][\\\\.^$*+?(){}|-])', '\\\\\\1', 'g'), '|'
        ORDER BY length(said) DESC, said) || ')(?![\\w-]|\\.\\w)'
    FROM (SELECT unnest(words) UNION SELECT nexa.in_xml(word) FROM unnest(words) word) variants(said) WHERE said <> ''
$$;

-- The same words for LIKE ANY, which is several times quicker, also as JSON writes them: what it lets through is looked
-- at with the pattern.
CREATE FUNCTION nexa.likes_of(words text[]) RETURNS text[] LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT array_agg('%' || replace(lower(said), '\\', '\\\\') || '%')
    FROM (SELECT unnest(words) UNION SELECT nexa.in_xml(word) FROM unnest(words) word
          UNION SELECT substr(to_jsonb(word)::text, 2, length(to_jsonb(word)::text) - 2) FROM unnest(words) word
    ) variants(said) WHERE said <> ''
$$;

-- What a document, a drawing or an entry of the log says, without the escapes of its format: a name after a line break
-- stands at the beginning of a word there, and not behind an "n".
CREATE FUNCTION nexa.words_in(value jsonb) RETURNS text LANGUAGE sql IMMUTABLE COST 10000 AS $$
    SELECT string_agg(said #>> '{}', E'\\n') FROM (
        SELECT jsonb_path_query(value, 'strict $.** ? (@.type() == "string")')
        UNION ALL SELECT jsonb_path_query(value, 'strict $.** ? (@.type() == "object").keyvalue().key')
    ) strings(said)
$$;
CREATE FUNCTION nexa.words_in(picture bytea) RETURNS text LANGUAGE plpgsql IMMUTABLE COST 10000 AS $$
BEGIN
    IF substr(picture, 1, 5) = '<?xml' OR substr(picture, 1, 4) = '<svg' THEN
        RETURN convert_from(picture, 'UTF8');
    END IF;
    RETURN NULL;
EXCEPTION WHEN character_not_in_repertoire OR untranslatable_character THEN
    RETURN NULL;
END $$;
CREATE FUNCTION nexa.words_in(entry audit_logs) RETURNS text LANGUAGE sql STABLE COST 10000 AS $$
    SELECT concat_ws(E'\\n', nexa.words_in(entry.old_values), nexa.words_in(entry.new_values), entry.reason)
$$;

-- A document in which the words of the pattern are replaced; what stands around them stays as it is.
CREATE FUNCTION nexa.instead_of(value jsonb, likes text[], pattern text, instead text) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF NOT lower(value::text) LIKE ANY (likes) THEN
        RETURN value;
    END IF;
    RETURN CASE jsonb_typeof(value)
        WHEN 'string' THEN to_jsonb(regexp_replace(value #>> '{}', pattern, instead, 'gi'))
        WHEN 'array' THEN (SELECT jsonb_agg(nexa.instead_of(item, likes, pattern, instead) ORDER BY number)
                           FROM jsonb_array_elements(value) WITH ORDINALITY items(item, number))
        WHEN 'object' THEN (SELECT jsonb_object_agg(regexp_replace(key, pattern, instead, 'gi'),
                                                    nexa.instead_of(item, likes, pattern, instead))
                            FROM jsonb_each(value) items(key, item))
        ELSE value END;
END $$;

-- Whether an entry of the log is the person's: by them, about them, with their address in it, or with their name in the
-- log of an organization of theirs. What the entries about other people's accounts hold is those people's.
CREATE FUNCTION nexa.concerns(entry audit_logs, person uuid, linked uuid[], homes uuid[], likes text[], addresses text,
                              names text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT entry.salt <> ''::bytea AND NOT coalesce(entry.action = 'user.erased' AND entry.new_values ? 'erased_entries', false)
        AND coalesce(
        entry.user_id = person OR entry.resource_id = person OR entry.resource_id = ANY (linked)
        OR entry.old_values->>'user_id' = person::text OR entry.new_values->>'user_id' = person::text
        OR (lower(concat_ws(' ', entry.old_values::text, entry.new_values::text, entry.reason)) LIKE ANY (likes)
            AND coalesce(nexa.words_in(entry) ~* addresses OR entry.organization_id = ANY (homes)
                AND CASE entry.resource_type WHEN 'user' THEN entry.reason ELSE nexa.words_in(entry) END ~* names, false)),
        false)
$$;

-- How many rows of which column, and entries of the log, hold these addresses, or these names in these organizations;
-- and each word alone. The person's own account is left out: nothing stays of it.
CREATE FUNCTION nexa.places_of(addresses text[], names text[], homes uuid[], person uuid)
    RETURNS TABLE (place text, held bigint, words jsonb) LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    searched record;
    every_word CONSTANT text[] := addresses || names;
    patterns CONSTANT text[] := ARRAY(SELECT nexa.pattern_of(ARRAY[word]) FROM unnest(every_word) WITH ORDINALITY w(word, n) ORDER BY n);
    is_name CONSTANT boolean[] := ARRAY(SELECT n > cardinality(addresses) FROM generate_series(1, cardinality(every_word)) n);
BEGIN
    FOR searched IN
        SELECT c.place || '.' || c.name AS called, c.place AS source, CASE c.type WHEN 'bytea' THEN format('nexa.words_in(%s)', c.name) ELSE format('%s::text', c.name) END AS raw,
               CASE WHEN c.type IN ('bytea', 'jsonb') THEN format('nexa.words_in(%s)', c.name) ELSE c.name END AS said,
               c.theirs, CASE c.place WHEN 'users' THEN 'id <> $3' ELSE 'true' END AS others
        FROM nexa.columns_of_words() c
        UNION ALL SELECT 'audit_logs.' || v.name, 'audit_logs', v.name || '::text', v.said, 'organization_id = ANY ($2)' || v.unless, 'true'
        FROM (VALUES ('old_values', 'nexa.words_in(old_values)', ' AND resource_type <> ''user'''),
                     ('new_values', 'nexa.words_in(new_values)', ' AND resource_type <> ''user'''), ('reason', 'reason', '')) v(name, said, unless)
    LOOP
        EXECUTE format('WITH found AS MATERIALIZED (SELECT %1$s AS said, %2$s AS is_theirs FROM %3$s WHERE %4$s AND lower(%5$s) LIKE ANY ($1)),
            by_word AS (SELECT w.word, count(*) AS held FROM found f JOIN unnest($4, $5, $6) w(word, pattern, is_name)
                        ON f.said ~* w.pattern AND (f.is_theirs OR NOT w.is_name) GROUP BY w.word)
            SELECT (SELECT count(*) FROM found f WHERE f.said ~* $7 OR f.is_theirs AND f.said ~* $8),
                   (SELECT jsonb_object_agg(b.word, b.held) FROM by_word b)',
            searched.said, searched.theirs, searched.source, searched.others, searched.raw)
        INTO held, words USING nexa.likes_of(every_word), homes, person, every_word, patterns, is_name, nexa.pattern_of(addresses), nexa.pattern_of(names);
        IF held > 0 THEN
            place := searched.called;
            RETURN NEXT;
        END IF;
    END LOOP;
END $$;
"""

BEFORE = """
CREATE FUNCTION nexa.columns_of_words() RETURNS TABLE (place text, name text, type text) LANGUAGE sql STABLE
    SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT quote_ident(c.relname), quote_ident(a.attname), format_type(a.atttypid, a.atttypmod)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
      AND a.atttypid IN ('text'::regtype, 'varchar'::regtype, 'jsonb'::regtype)
      AND c.relname NOT IN ('alembic_version', 'audit_logs') AND (c.relname, a.attname) NOT IN (('users', 'email'), ('users', 'password_hash'))
    ORDER BY 1, 2
$$;
CREATE FUNCTION nexa.pattern_of(words text[], in_json boolean) RETURNS text LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT '(?<![\\w.%+-])(' || string_agg(regexp_replace(
        CASE WHEN in_json THEN substr(to_jsonb(word)::text, 2, length(to_jsonb(word)::text) - 2) ELSE word END,
        '([][\\\\.^$*+?(){}|-])', '\\\\\\1', 'g'), '|' ORDER BY length(word) DESC, word) || ')(?![\\w-]|\\.\\w)'
    FROM unnest(words) word WHERE word <> ''
$$;
CREATE FUNCTION nexa.likes_of(words text[], in_json boolean) RETURNS text[] LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT array_agg('%' || replace(lower(
        CASE WHEN in_json THEN substr(to_jsonb(word)::text, 2, length(to_jsonb(word)::text) - 2) ELSE word END
    ), '\\', '\\\\') || '%') FROM unnest(words) word WHERE word <> ''
$$;
CREATE FUNCTION nexa.concerns(entry audit_logs, person uuid, linked uuid[], in_values text, in_text text) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT entry.salt <> ''::bytea AND NOT coalesce(entry.action = 'user.erased' AND entry.new_values ? 'erased_entries', false)
        AND coalesce(
        entry.user_id = person OR entry.resource_id = person OR entry.resource_id = ANY (linked)
        OR entry.old_values->>'user_id' = person::text OR entry.new_values->>'user_id' = person::text
        OR concat_ws(' ', entry.old_values::text, entry.new_values::text) ~* in_values
        OR concat_ws(' ', entry.reason, entry.user_agent) ~* in_text, false)
$$;
CREATE FUNCTION nexa.erase_person(person uuid, dry boolean) RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
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


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        DROP FUNCTION nexa.erase_person(uuid, boolean), nexa.concerns(audit_logs, uuid, uuid[], text, text),
                      nexa.pattern_of(text[], boolean), nexa.likes_of(text[], boolean), nexa.columns_of_words();
    """)
    op.execute(NAMING)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        DROP FUNCTION nexa.places_of(text[], text[], uuid[], uuid),
                      nexa.concerns(audit_logs, uuid, uuid[], uuid[], text[], text, text), nexa.words_in(audit_logs),
                      nexa.words_in(jsonb), nexa.words_in(bytea), nexa.instead_of(jsonb, text[], text, text),
                      nexa.pattern_of(text[]), nexa.likes_of(text[]), nexa.in_xml(text), nexa.columns_of_words();
    """)
    op.execute(BEFORE)
