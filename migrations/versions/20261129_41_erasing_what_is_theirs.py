"""Erasing a person touches what is theirs: what names them, as the revision before finds it.

Revision ID: 20261129_41
Revises: 20261129_40
"""

from alembic import op

revision = "20261129_41"
down_revision = "20261129_40"
branch_labels = None
depends_on = None

ERASING = """
-- Erase a person, or, dry, only count what would be. The row stays, without a word in it, because bills, sessions and
-- the log refer to it. In the log the person's entries lose values, salt, address, agent and reason; one entry per chain
-- names them, and nexa.audit_faults() takes a blank entry for sound only where such an entry covers it.
-- A person chooses their own name: it is looked for in the organizations they belong or belonged to, and not at all where
-- it stands in ``kept``. The certificate does not repeat such a name, it says where it was left.
CREATE FUNCTION nexa.erase_person(person uuid, dry boolean, kept text[]) RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    addresses text[];
    called text[];
    names text[];
    dropped text[];
    singles text[];
    hashes text[];
    linked uuid[];
    homes uuid[];
    found jsonb := '{}';
    credits CONSTANT numeric := (SELECT coalesce(sum(credits_consumed), 0) FROM usage_events);
    of_run CONSTANT text := gen_random_uuid()::text;
    searched record;
    picture record;
    redrawn bytea;
    moved jsonb := '[]';
    likes text[];
    of_addresses text;
    of_names text;
    condition text;
    counted bigint;
    remaining text;
BEGIN
    -- Every address and name the person ever had, as far as the log remembers; a single word is nobody's own.
    SELECT coalesce(array_agg(DISTINCT lower(word)), '{}') INTO addresses FROM (
        SELECT email FROM users WHERE id = person
        UNION SELECT old_values->>'email' FROM audit_logs WHERE resource_type = 'user' AND resource_id = person
        UNION SELECT new_values->>'email' FROM audit_logs WHERE resource_type = 'user' AND resource_id = person
    ) known(word) WHERE word LIKE '%_@_%' AND word NOT LIKE '%@erased.invalid';
    SELECT coalesce(array_agg(DISTINCT btrim(word)), '{}') INTO called FROM (
        SELECT full_name FROM users WHERE id = person
        UNION SELECT old_values->>'full_name' FROM audit_logs WHERE resource_type = 'user' AND resource_id = person
        UNION SELECT new_values->>'full_name' FROM audit_logs WHERE resource_type = 'user' AND resource_id = person
    ) known(word) WHERE btrim(word) <> '' AND word <> 'Erased person';
    -- An organization that was made for one person alone is called after them, by a single word too.
    names := ARRAY(SELECT CASE WHEN word LIKE '%_ _%' THEN word ELSE word || ' (personal)' END FROM unnest(called) word);
    singles := ARRAY(SELECT word FROM unnest(called) word WHERE word NOT LIKE '%_ _%');
    dropped := ARRAY(SELECT word FROM unnest(names) word WHERE word = ANY (kept));
    names := ARRAY(SELECT word FROM unnest(names) word WHERE word <> ALL (kept) ORDER BY word);
    SELECT coalesce(array_agg(encode(sha256(convert_to(a, 'UTF8')), 'hex')), '{}') INTO hashes FROM unnest(addresses) a;
    SELECT coalesce(array_agg(DISTINCT id), '{}') INTO linked FROM (
        SELECT id FROM organization_memberships WHERE user_id = person
        UNION SELECT id FROM user_sessions WHERE user_id = person
        UNION SELECT resource_id FROM audit_logs WHERE old_values->>'user_id' = person::text OR new_values->>'user_id' = person::text
    ) rows;
    SELECT coalesce(array_agg(DISTINCT organization_id), '{}') INTO homes FROM (
        SELECT organization_id FROM organization_memberships WHERE user_id = person
        UNION SELECT organization_id FROM former_members WHERE user_id = person
        UNION SELECT organization_id FROM audit_logs WHERE resource_type = 'membership'
            AND (old_values->>'user_id' = person::text OR new_values->>'user_id' = person::text)
    ) rows WHERE organization_id IS NOT NULL;
    of_addresses := nexa.pattern_of(addresses || hashes);
    of_names := nexa.pattern_of(names);
    likes := nexa.likes_of(addresses || hashes || names);

    SELECT count(*) INTO counted FROM organization_memberships WHERE user_id = person;
    found := found || jsonb_build_object('memberships', counted);
    SELECT count(*) INTO counted FROM user_sessions WHERE user_id = person;
    found := found || jsonb_build_object('sign_ins', counted);
    SELECT count(*) INTO counted FROM outbox_messages WHERE lower(recipient) = ANY (addresses);
    found := found || jsonb_build_object('mail', counted);
    SELECT count(*) INTO counted FROM audit_logs l WHERE nexa.concerns(l, person, linked, homes, likes, of_addresses, of_names);
    found := found || jsonb_build_object('audit_entries', counted, 'credits', credits);
    SELECT found || jsonb_build_object('texts', coalesce(jsonb_object_agg(p.place, p.held), '{}')) INTO found
        FROM nexa.places_of(addresses || hashes, names, homes, person) p WHERE p.place NOT LIKE 'audit\\_logs.%';
    -- Archives are files beside the database, signed as they are: they keep what they hold.
    SELECT found || jsonb_build_object('archives', coalesce(jsonb_agg(a.location ORDER BY a.location), '[]')) INTO found
        FROM audit_archives a WHERE a.archived_at >= (SELECT created_at FROM users WHERE id = person)
        AND (a.chain_id = ANY (homes) OR a.chain_id = '00000000-0000-0000-0000-000000000000'
             OR a.chain_id IN (SELECT organization_id FROM audit_logs WHERE user_id = person));
    IF dry THEN
        RETURN found || jsonb_build_object('words', (
            SELECT coalesce(jsonb_agg(jsonb_build_object('word', t.word, 'is_name', t.word = ANY (names), 'texts', t.texts, 'entries', t.entries)
                                      ORDER BY t.word = ANY (names), t.word), '[]') FROM (
                SELECT w.word, coalesce(sum(w.held::bigint) FILTER (WHERE p.place NOT LIKE 'audit\\_logs.%'), 0) AS texts,
                       coalesce(sum(w.held::bigint) FILTER (WHERE p.place LIKE 'audit\\_logs.%'), 0) AS entries
                FROM nexa.places_of(addresses, names, homes, person) p CROSS JOIN jsonb_each_text(p.words) w(word, held) GROUP BY w.word) t));
    END IF;

    -- The reason may name the person too; nothing that is written from here on repeats it.
    PERFORM set_config('nexa.reason', coalesce(regexp_replace(current_setting('nexa.reason', true),
        nexa.pattern_of(addresses || hashes || names || singles), 'the person', 'gi'), ''), true);
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
    UPDATE organizations SET account_manager_id = NULL, updated_at = now() WHERE account_manager_id = person;
    UPDATE organizations SET name = 'Erased person (personal)', updated_at = now() WHERE id = ANY (homes) AND name = ANY (names) AND name LIKE '% (personal)';
    UPDATE outbox_messages SET recipient = 'erased@erased.invalid', subject = '(erased)', body = NULL, link = NULL,
        last_error = NULL, sent_at = coalesce(sent_at, now()) WHERE lower(recipient) = ANY (addresses);

    FOR searched IN
        SELECT c.*, k.*, nexa.pattern_of(k.words) AS pattern, nexa.likes_of(k.words) AS likes FROM nexa.columns_of_words() c
        CROSS JOIN (VALUES (addresses || hashes, 'erased@erased.invalid', false), (names, 'Erased person', true)) k(words, instead, is_name)
        WHERE cardinality(k.words) > 0
    LOOP
        condition := CASE WHEN searched.is_name THEN searched.theirs ELSE 'true' END;
        IF searched.type = 'bytea' THEN
            -- A picture is named by what it holds, so it gets another name. Nothing grows: there is a limit to its size.
            FOR picture IN EXECUTE format('SELECT organization_id AS home, digest, nexa.words_in(%2$s) AS said FROM %1$s
                WHERE %3$s AND nexa.words_in(%2$s) ~* $1', searched.place, searched.name, condition) USING searched.pattern, homes
            LOOP
                redrawn := convert_to(regexp_replace(picture.said, searched.pattern, '…', 'gi'), 'UTF8');
                EXECUTE format('UPDATE %1$s SET %2$s = $1, digest = $2 WHERE organization_id = $3 AND digest = $4
                    AND NOT EXISTS (SELECT FROM %1$s o WHERE o.organization_id = $3 AND o.digest = $2)', searched.place, searched.name)
                    USING redrawn, encode(sha256(redrawn), 'hex'), picture.home, picture.digest;
                EXECUTE format('DELETE FROM %1$s WHERE organization_id = $1 AND digest = $2', searched.place)
                    USING picture.home, picture.digest;
                moved := moved || jsonb_build_object('home', picture.home, 'before', picture.digest, 'after', encode(sha256(redrawn), 'hex'));
            END LOOP;
        ELSIF searched.type = 'jsonb' THEN
            EXECUTE format('UPDATE %1$s SET %2$s = nexa.instead_of(%2$s, $3, $1, $4)
                WHERE %3$s AND lower(%2$s::text) LIKE ANY ($3) AND nexa.words_in(%2$s) ~* $1', searched.place, searched.name, condition)
                USING searched.pattern, homes, searched.likes, searched.instead;
        ELSE
            -- Where values must differ, what stands instead differs as they did, and is the same in every table.
            EXECUTE format('UPDATE %1$s SET %2$s = regexp_replace(%2$s, $1, $4 || %5$s, ''gi'')::%3$s
                WHERE %4$s AND lower(%2$s) LIKE ANY ($3) AND %2$s ~* $1', searched.place, searched.name, searched.type, condition,
                CASE WHEN searched.is_key OR searched.name = 'idempotency_key' THEN format('''-'' || left(md5(%s || $5), 12)', searched.name) ELSE '''''' END)
                USING searched.pattern, homes, searched.likes, searched.instead, of_run;
        END IF;
    END LOOP;
    FOR picture IN SELECT * FROM jsonb_to_recordset(moved) m(home uuid, before text, after text) LOOP
        FOR searched IN SELECT * FROM nexa.columns_of_words() c WHERE c.theirs <> 'false' AND c.type <> 'bytea' AND c.name <> 'digest' LOOP
            EXECUTE format('UPDATE %1$s SET %2$s = replace(%2$s::text, $1, $3)::%3$s WHERE %4$s AND strpos(%2$s::text, $1) > 0',
                searched.place, searched.name, searched.type, searched.theirs) USING picture.before, ARRAY[picture.home], picture.after;
        END LOOP;
    END LOOP;

    -- What was left on purpose, counted now that it is all that is left.
    SELECT found || jsonb_build_object('left', jsonb_build_object('names', cardinality(dropped), 'places', coalesce(jsonb_object_agg(p.place, p.held), '{}')))
        INTO found FROM nexa.places_of('{}', dropped, homes, person) p
        WHERE p.place NOT LIKE 'audit\\_logs.%';

    -- A name of one word is anybody's, so it stays where others wrote it; the certificate says in how many places.
    SELECT coalesce(sum(p.held), 0) INTO counted FROM nexa.places_of(singles, '{}', homes, person) p
        WHERE p.place NOT LIKE 'audit\\_logs.%';
    SELECT found || jsonb_build_object('one_word', counted + count(*)) INTO found FROM audit_logs l
        WHERE nexa.words_in(l) ~* (SELECT nexa.pattern_of(singles))
          AND NOT nexa.concerns(l, person, linked, homes, likes, of_addresses, of_names);

    WITH blanked AS (
        UPDATE audit_logs l SET old_values = NULL, new_values = NULL, ip_address = NULL, user_agent = NULL, reason = NULL, salt = ''
        WHERE nexa.concerns(l, person, linked, homes, likes, of_addresses, of_names) RETURNING l.id, l.organization_id
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
    SELECT coalesce(sum(p.held), 0), string_agg(p.place, ', ') INTO counted, remaining
        FROM nexa.places_of(addresses || hashes, names, homes, person) p;
    IF counted > 0 OR credits IS DISTINCT FROM (SELECT coalesce(sum(credits_consumed), 0) FROM usage_events) THEN
        RAISE EXCEPTION 'erasing person % left % rows (in %), or changed what was used', person, counted, remaining;
    END IF;
    RETURN found || jsonb_build_object('remaining', counted);
END $$;

REVOKE EXECUTE ON FUNCTION nexa.erase_person(uuid, boolean, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexa.erase_person(uuid, boolean, text[]) TO nexa_staff;
ALTER FUNCTION nexa.erase_person(uuid, boolean, text[]) OWNER TO nexa_system;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(ERASING)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP FUNCTION nexa.erase_person(uuid, boolean, text[])")
