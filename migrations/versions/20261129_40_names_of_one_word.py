"""Erasing also takes the person off the customers they manage, and counts where a name of one word is left.

Revision ID: 20261129_40
Revises: 20261129_30
"""

import re

from alembic import op

revision = "20261129_40"
down_revision = "20261129_30"
branch_labels = None
depends_on = None

# The function of 20261122_08. A line "--< name" is where one of ADDED goes in, and nothing was before.
ERASE = """
CREATE OR REPLACE FUNCTION nexa.erase_person(person uuid, dry boolean) RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public AS $$
DECLARE
    addresses text[];
    names text[];
--< declared
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
--< asked
    addresses := coalesce(addresses, '{}');
    SELECT coalesce(array_agg(encode(sha256(convert_to(a, 'UTF8')), 'hex')), '{}') INTO hashes FROM unnest(addresses) a;
    SELECT coalesce(array_agg(DISTINCT id), '{}') INTO linked FROM (
        SELECT id FROM organization_memberships WHERE user_id = person
        UNION SELECT id FROM user_sessions WHERE user_id = person
        UNION SELECT resource_id FROM audit_logs WHERE old_values->>'user_id' = person::text OR new_values->>'user_id' = person::text
    ) rows;
--< linked
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
--< cleared
        DELETE FROM organization_memberships WHERE user_id = person;
        DELETE FROM unknown_sign_ins WHERE address_hash = ANY (hashes);
        DELETE FROM domain_sign_ups WHERE lower(email) = ANY (addresses);
        UPDATE outbox_messages SET recipient = 'erased@erased.invalid', subject = '(erased)', body = NULL, link = NULL,
            last_error = NULL, sent_at = coalesce(sent_at, now()) WHERE lower(recipient) = ANY (addresses);
    END IF;
--< renamed

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
--< counted

    -- The reason may name the person too; nothing that is written from here on repeats it.
    PERFORM set_config('nexa.reason',
        coalesce(regexp_replace(current_setting('nexa.reason', true), in_text, 'the person', 'gi'), ''), true);
--< reason
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
"""
ADDED = {
    "declared": """
    singles text[];
    homes uuid[] := '{}';
    single text;
    quick text[];
    single_in_json text;
    quick_in_json text[];
""",
    # The organization made for them when they left their only one is called after them.
    "asked": """
    SELECT coalesce(array_agg(DISTINCT btrim(word)), '{}') INTO singles FROM (
        SELECT full_name FROM users WHERE id = person
        UNION SELECT old_values->>'full_name' FROM audit_logs WHERE resource_type = 'user' AND resource_id = person
        UNION SELECT new_values->>'full_name' FROM audit_logs WHERE resource_type = 'user' AND resource_id = person
    ) known(word) WHERE btrim(word) <> '' AND btrim(word) NOT LIKE '%_ _%';
    single := nexa.pattern_of(singles, false);
    single_in_json := nexa.pattern_of(singles, true);
    quick := nexa.likes_of(singles, false);
    quick_in_json := nexa.likes_of(singles, true);
    SELECT coalesce(array_agg(o.id), '{}') INTO homes FROM organizations o
        WHERE o.subscription_data->'personal' = 'true' AND o.name ~ single AND (
            EXISTS (SELECT FROM organization_memberships m WHERE m.organization_id = o.id AND m.user_id = person)
            OR EXISTS (SELECT FROM former_members f WHERE f.organization_id = o.id AND f.user_id = person));
""",
    "linked": """
    linked := linked || homes;
""",
    "cleared": """
        UPDATE organizations SET account_manager_id = NULL, updated_at = now() WHERE account_manager_id = person;
        UPDATE organizations SET name = regexp_replace(name, single, 'Erased person', 'g'), updated_at = now()
            WHERE id = ANY (homes);
""",
    "renamed": """
    IF cardinality(homes) > 0 THEN
        texts := jsonb_build_object('organizations.name', cardinality(homes));
    END IF;
""",
    # A name of one word is anybody's, so it stays where others wrote it; the certificate says in how many places.
    "counted": """
    counted := 0;
    IF cardinality(singles) > 0 THEN
        FOR searched IN SELECT * FROM nexa.columns_of_words() LOOP
            EXECUTE format('SELECT count(*) FROM %1$s WHERE lower(%2$s::text) LIKE ANY ($2) AND %2$s::text ~ $1', searched.place, searched.name)
                INTO changed USING CASE WHEN searched.type = 'jsonb' THEN single_in_json ELSE single END,
                                   CASE WHEN searched.type = 'jsonb' THEN quick_in_json ELSE quick END;
            counted := counted + changed;
        END LOOP;
        SELECT counted + count(*) INTO counted FROM audit_logs l
            WHERE NOT nexa.concerns(l, person, linked, in_values, in_text)
              AND (concat_ws(' ', l.old_values::text, l.new_values::text) ~ single_in_json
                   OR concat_ws(' ', l.reason, l.user_agent) ~ single);
    END IF;
    found := found || jsonb_build_object('one_word', counted);
""",
    "reason": """
    PERFORM set_config('nexa.reason',
        coalesce(regexp_replace(current_setting('nexa.reason', true), single, 'the person', 'g'),
                 current_setting('nexa.reason', true), ''), true);
""",
}

# Only its owner may replace a function.
AS_ITS_OWNER = "SET LOCAL ROLE nexa_system; {} SET LOCAL ROLE nexa_owner"


def erase(added: dict[str, str]) -> str:
    return re.sub(r"--< (\w+)\n", lambda slot: added.get(slot[1], "").removeprefix("\n"), ERASE)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(AS_ITS_OWNER.format(erase(ADDED)))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(AS_ITS_OWNER.format(erase({})))
