"""Work on architecture sessions: bursts, the way back to recent versions, search, presence, marks and saved views.

Revision ID: 20261129_13
Revises: 20261129_12
"""

from alembic import op

revision = "20261129_13"
down_revision = "20261129_12"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE ai_architecture_sessions
    ADD COLUMN template_id integer,
    ADD COLUMN template_revision integer,
    ADD COLUMN template_values jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN purged_at timestamptz,
    ADD CONSTRAINT ai_architecture_sessions_organization_id_template_id_fkey FOREIGN KEY (organization_id, template_id)
        REFERENCES ai_architecture_sessions (organization_id, id);
CREATE INDEX ai_architecture_sessions_updated_at_id_idx ON ai_architecture_sessions (updated_at, id);
CREATE INDEX ai_architecture_sessions_title_id_idx ON ai_architecture_sessions (title, id);
CREATE INDEX ai_architecture_sessions_organization_id_title_id_idx
    ON ai_architecture_sessions (organization_id, title, id);
CREATE INDEX ai_architecture_sessions_deleted_at_idx ON ai_architecture_sessions (deleted_at)
    WHERE deleted_at IS NOT NULL AND purged_at IS NULL;

-- A revision without documents is the living one: it is what the session is now, until somebody saves anew.
ALTER TABLE session_revisions
    ALTER COLUMN documents DROP NOT NULL,
    ADD COLUMN version integer NOT NULL DEFAULT 1,
    ADD COLUMN is_closed boolean NOT NULL DEFAULT false,
    ADD COLUMN restored_from integer;
"""

TABLES = """
-- How to get from a version back to the one before: what a late save is merged with. Removed after a while.
CREATE TABLE session_saves (
    organization_id uuid NOT NULL,
    session_id integer NOT NULL,
    version integer NOT NULL,
    user_id uuid REFERENCES users (id),
    saved_at timestamptz NOT NULL DEFAULT now(),
    back jsonb NOT NULL,
    CONSTRAINT session_saves_pkey PRIMARY KEY (session_id, version),
    CONSTRAINT session_saves_organization_id_session_id_fkey FOREIGN KEY (organization_id, session_id)
        REFERENCES ai_architecture_sessions (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX session_saves_saved_at_idx ON session_saves (saved_at);
CREATE INDEX session_saves_user_id_idx ON session_saves (user_id);

CREATE TABLE session_presence (
    organization_id uuid NOT NULL,
    session_id integer NOT NULL,
    user_id uuid NOT NULL REFERENCES users (id),
    page varchar(20) NOT NULL DEFAULT '',
    seen_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT session_presence_pkey PRIMARY KEY (session_id, user_id),
    CONSTRAINT session_presence_organization_id_session_id_fkey FOREIGN KEY (organization_id, session_id)
        REFERENCES ai_architecture_sessions (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX session_presence_user_id_idx ON session_presence (user_id);

-- What a session is to one person: when they opened it, whether they pinned it, why they may read a customer's.
CREATE TABLE session_marks (
    organization_id uuid NOT NULL,
    session_id integer NOT NULL,
    user_id uuid NOT NULL REFERENCES users (id),
    opened_at timestamptz,
    pinned_at timestamptz,
    access_reason text,
    access_until timestamptz,
    CONSTRAINT session_marks_pkey PRIMARY KEY (session_id, user_id),
    CONSTRAINT session_marks_organization_id_session_id_fkey FOREIGN KEY (organization_id, session_id)
        REFERENCES ai_architecture_sessions (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX session_marks_user_id_opened_at_idx ON session_marks (user_id, opened_at);

CREATE TABLE session_views (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id),
    user_id uuid NOT NULL REFERENCES users (id),
    name varchar(100) NOT NULL,
    filters jsonb NOT NULL DEFAULT '{}',
    is_shared boolean NOT NULL DEFAULT false,
    removed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX session_views_organization_id_user_id_name_idx ON session_views (organization_id, user_id, name)
    WHERE removed_at IS NULL;
"""

PRIVILEGES = (
    """
GRANT SELECT, INSERT, DELETE ON session_saves TO nexa_tenant, nexa_staff;
GRANT SELECT, INSERT, UPDATE, DELETE ON session_presence, session_marks TO nexa_tenant, nexa_staff;
GRANT SELECT ON session_presence, session_marks TO nexa_presenter;
GRANT SELECT, INSERT ON session_views TO nexa_tenant, nexa_staff;
GRANT UPDATE (name, filters, is_shared, removed_at) ON session_views TO nexa_tenant, nexa_staff;
GRANT ALL ON session_saves, session_presence, session_marks, session_views TO nexa_system;
"""
    + "".join(
        f"""
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY {table}_tenant ON {table} TO nexa_tenant
    USING (organization_id = (SELECT nexa.current_organization()))
    WITH CHECK (organization_id = (SELECT nexa.current_organization()));
CREATE POLICY {table}_staff ON {table} TO nexa_staff USING (true) WITH CHECK (true);
"""
        for table in ("session_saves", "session_presence", "session_marks", "session_views")
    )
    + "".join(
        f"""
CREATE POLICY {table}_presenter ON {table} FOR SELECT TO nexa_presenter
    USING (organization_id = ANY ((SELECT nexa.demo_organizations())::uuid[]));
"""
        for table in ("session_presence", "session_marks")
    )
    + """
CALL nexa.audit_table('session_views', 'session_view', 'id', 'organization_id', '{created_at}');
"""
)

BURSTS = """
-- One entry a burst: while a person's own revision is open, further changes of the documents are that burst's. What a
-- burst left is proven by the entry that comes after it, which holds the digests of what was there before. A save says
-- that it goes on with a burst (nexa.burst); this looks whether that is true, and that nothing else changes with it.
CREATE FUNCTION nexa.audit_burst() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    IF nexa.audit_action() <> 'session.edited' OR EXISTS (
        SELECT FROM after_change a JOIN before_change b USING (id)
        WHERE (a.uuid, a.user_id, a.organization_id, a.title, a.client, a.session_type, a.is_template, a.tags, a.deleted_at,
               a.template_id, a.template_revision, a.template_values, a.purged_at)
              IS DISTINCT FROM
              (b.uuid, b.user_id, b.organization_id, b.title, b.client, b.session_type, b.is_template, b.tags, b.deleted_at,
               b.template_id, b.template_revision, b.template_values, b.purged_at)
           OR NOT EXISTS (SELECT FROM session_revisions r WHERE r.session_id = a.id AND r.user_id = nexa.current_person()
                          AND NOT r.is_closed AND r.ended_at > now() - interval '5 minutes')
    ) THEN
        RAISE EXCEPTION 'this change belongs to no burst' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'audit_action';
    END IF;
    RETURN NULL;
END $$;
ALTER FUNCTION nexa.audit_burst() OWNER TO nexa_system;

DROP TRIGGER audit_update ON ai_architecture_sessions;
CREATE TRIGGER audit_update AFTER UPDATE ON ai_architecture_sessions
    REFERENCING OLD TABLE AS before_change NEW TABLE AS after_change FOR EACH STATEMENT
    WHEN (coalesce(current_setting('nexa.burst', true), '') = '')
    EXECUTE FUNCTION nexa.audit_change('session', 'uuid', 'organization_id', '{id,version,created_at,updated_at}',
        '{session_objects,sow_objects,loe_objects,diagram_texts_json,visual_assets_json}');
CREATE TRIGGER audit_burst AFTER UPDATE ON ai_architecture_sessions
    REFERENCING OLD TABLE AS before_change NEW TABLE AS after_change FOR EACH STATEMENT
    WHEN (coalesce(current_setting('nexa.burst', true), '') <> '')
    EXECUTE FUNCTION nexa.audit_burst();
"""

SEARCH = """
-- What a session says, in words, and what is known of it. A word of the organization is among the words, so that the
-- index finds one customer's sessions without looking at everybody's. Such words begin with a space, as no word of a
-- text or a search can.
CREATE FUNCTION nexa.session_words(organization uuid, plain text, markers jsonb) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
    SELECT to_tsvector('simple'::regconfig, plain)
        || array_to_tsvector(ARRAY[' o ' || organization] || ARRAY(SELECT jsonb_array_elements_text(markers)))
$$;

CREATE TABLE session_search (
    session_id integer PRIMARY KEY,
    organization_id uuid NOT NULL,
    version integer NOT NULL,
    plain text NOT NULL,
    markers jsonb NOT NULL DEFAULT '[]',
    facts jsonb NOT NULL DEFAULT '{}',
    broken_diagrams integer,
    checked_version integer NOT NULL DEFAULT 0,
    refreshed_at timestamptz NOT NULL DEFAULT now(),
    words tsvector GENERATED ALWAYS AS (nexa.session_words(organization_id, plain, markers)) STORED,
    CONSTRAINT session_search_organization_id_session_id_fkey FOREIGN KEY (organization_id, session_id)
        REFERENCES ai_architecture_sessions (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX session_search_words_idx ON session_search USING gin (words);
GRANT SELECT (session_id, organization_id, version, plain, facts, broken_diagrams, checked_version, refreshed_at)
    ON session_search TO nexa_tenant, nexa_staff, nexa_presenter;
GRANT DELETE ON session_search TO nexa_staff;
GRANT ALL ON session_search TO nexa_system;
ALTER TABLE session_search ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY session_search_tenant ON session_search FOR SELECT TO nexa_tenant
    USING (organization_id = (SELECT nexa.current_organization()));
CREATE POLICY session_search_staff ON session_search TO nexa_staff USING (true) WITH CHECK (true);
CREATE POLICY session_search_presenter ON session_search FOR SELECT TO nexa_presenter
    USING (organization_id = ANY ((SELECT nexa.demo_organizations())::uuid[]));

-- What lists and filters ask of the documents, whatever shape these have: how many parts, how many of them complete.
CREATE FUNCTION nexa.session_facts(structuring jsonb, sow jsonb, loe jsonb, diagrams jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
    SELECT jsonb_build_object(
        'structuring', jsonb_build_array(
            (SELECT count(*) FROM jsonb_path_query(structuring, 'lax $.objects[*] ? (@.title != "" && @.description != "")')),
            (SELECT count(*) FROM jsonb_path_query(structuring, 'lax $.objects[*]'))),
        'sow', jsonb_build_array(
            (SELECT count(*) FROM jsonb_path_query(sow, 'lax $.sections[*] ? (@.markdown != "")'))
            + (SELECT count(*) FROM jsonb_path_query(sow, 'lax $.deliverables[*] ? (exists (@.acceptance_criteria[*]))')),
            (SELECT count(*) FROM jsonb_path_query(sow, 'lax $.sections[*]'))
            + (SELECT count(*) FROM jsonb_path_query(sow, 'lax $.deliverables[*]'))),
        'loe', jsonb_build_array(
            (SELECT count(*) FROM jsonb_path_query(loe, 'lax $.rows[*] ? (@.likely_hours > 0 && @.role != "")')),
            (SELECT count(*) FROM jsonb_path_query(loe, 'lax $.rows[*]'))),
        'visuals', jsonb_build_array(
            (SELECT count(*) FROM jsonb_path_query(diagrams, 'lax $.diagrams[*] ? (@.text != "")')),
            (SELECT count(*) FROM jsonb_path_query(diagrams, 'lax $.diagrams[*]'))),
        'without_criteria',
            (SELECT count(*) FROM jsonb_path_query(sow, 'lax $.deliverables[*] ? (!exists (@.acceptance_criteria[*]))')),
        'hours', coalesce((
            SELECT jsonb_object_agg(role, hours) FROM (
                SELECT lower(r->>'role') AS role, max((r->>'likely_hours')::numeric) AS hours
                FROM jsonb_path_query(loe, 'lax $.rows[*] ? (@.likely_hours.type() == "number" && @.role.type() == "string")') r
                WHERE jsonb_typeof(r->'likely_hours') = 'number' AND jsonb_typeof(r->'role') = 'string'
                GROUP BY 1) by_role), '{}'))
$$;

CREATE FUNCTION nexa.refresh_session_search(sessions integer[]) RETURNS void LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, public AS $$
    INSERT INTO session_search AS x (session_id, organization_id, version, plain, facts, markers, refreshed_at)
    SELECT s.id, s.organization_id, s.version, w.plain, f.facts,
           CASE WHEN (f.facts->>'without_criteria')::integer > 0 THEN '[" without criteria"]' ELSE '[]' END::jsonb
               || coalesce((SELECT jsonb_agg(' role ' || left(role, 200)) FROM jsonb_object_keys(f.facts->'hours') role), '[]')
               || coalesce((SELECT jsonb_agg(' tag ' || left(tag, 200)) FROM jsonb_array_elements_text(s.tags) tag), '[]'),
           clock_timestamp()
    FROM ai_architecture_sessions s
    CROSS JOIN LATERAL (SELECT nexa.session_facts(s.session_objects, s.sow_objects, s.loe_objects, s.diagram_texts_json) AS facts) f
    CROSS JOIN LATERAL (
        -- The longest text a tsvector takes is a megabyte; what lies beyond is not found by its words.
        SELECT left(concat_ws(E'\\n', s.title, s.client,
            (SELECT string_agg(tag, E'\\n') FROM jsonb_array_elements_text(s.tags) tag),
            (SELECT string_agg(v #>> '{}', E'\\n') FROM (VALUES (s.session_objects), (s.sow_objects), (s.loe_objects), (s.diagram_texts_json),
                (s.visual_assets_json)) d(document),
                jsonb_path_query(d.document, 'strict $.**') v WHERE jsonb_typeof(v) = 'string')), 200000) AS plain
    ) w
    WHERE s.id = ANY (sessions) AND s.purged_at IS NULL
    ON CONFLICT (session_id) DO UPDATE SET version = excluded.version, plain = excluded.plain, facts = excluded.facts,
        markers = excluded.markers || CASE WHEN x.broken_diagrams > 0 THEN '[" broken diagram"]' ELSE '[]' END::jsonb,
        refreshed_at = excluded.refreshed_at
$$;

CREATE FUNCTION nexa.session_search_insert() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public AS $$
BEGIN
    PERFORM nexa.refresh_session_search((SELECT array_agg(id) FROM made));
    RETURN NULL;
END $$;
CREATE FUNCTION nexa.session_search_update() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public AS $$
BEGIN
    PERFORM nexa.refresh_session_search(ARRAY[NEW.id]);
    RETURN NULL;
END $$;
CREATE TRIGGER ai_architecture_sessions_search_insert AFTER INSERT ON ai_architecture_sessions
    REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION nexa.session_search_insert();
-- Names are found at once; the words of the documents follow the typing with a few seconds' distance.
CREATE TRIGGER ai_architecture_sessions_search_update AFTER UPDATE ON ai_architecture_sessions FOR EACH ROW
    WHEN ((OLD.title, OLD.client, OLD.tags) IS DISTINCT FROM (NEW.title, NEW.client, NEW.tags))
    EXECUTE FUNCTION nexa.session_search_update();

-- What the job that parses diagrams found out.
CREATE FUNCTION nexa.note_broken_diagrams(session integer, of_version integer, broken integer) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    UPDATE session_search SET broken_diagrams = broken, checked_version = of_version,
        markers = (markers - ' broken diagram') || CASE WHEN broken > 0 THEN '[" broken diagram"]' ELSE '[]' END::jsonb
    WHERE session_id = session
$$;

-- The ids of one page of a list, in its order. LIKE, @@ and @> are not leakproof: under a policy their indexes wait for
-- the policy. So this looks past the policies, and takes whose sessions it may find from the transaction's role and
-- context alone; what it finds is read through the policies all the same.
CREATE FUNCTION nexa.find_sessions(wanted jsonb, most integer) RETURNS TABLE (session_id integer) LANGUAGE plpgsql STABLE
    SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    role CONSTANT text := current_setting('role');
    organization uuid := nexa.current_organization();
    conditions text := 's.purged_at IS NULL';
    query tsquery;
    place CONSTANT text := CASE wanted->>'sort' WHEN 'title' THEN 's.title' WHEN 'created' THEN 's.created_at' ELSE 's.updated_at' END;
    direction CONSTANT text := CASE WHEN wanted->>'sort' IN ('title', 'oldest') THEN 'ASC' ELSE 'DESC' END;
    typed CONSTANT text := CASE WHEN wanted->>'sort' = 'title' THEN 'varchar' ELSE 'timestamptz' END;
BEGIN
    IF role = 'nexa_staff' THEN
        organization := (wanted->>'organization')::uuid;
    ELSIF role = 'nexa_presenter' THEN
        conditions := conditions || ' AND s.organization_id = ANY (nexa.demo_organizations())';
        organization := (wanted->>'organization')::uuid;
    ELSIF role <> 'nexa_tenant' OR organization IS NULL THEN
        RETURN;
    END IF;
    IF organization IS NOT NULL THEN
        conditions := conditions || ' AND s.organization_id = $2';
    END IF;
    IF wanted ? 'text' THEN
        query := websearch_to_tsquery('simple', wanted->>'text');
        IF numnode(query) = 0 THEN
            RETURN;
        END IF;
        query := (query::text || ':*')::tsquery;  -- the last word may be only begun
    END IF;
    IF wanted ? 'markers' THEN
        SELECT coalesce(query && every.word, every.word) INTO query FROM (
            SELECT string_agg(quote_literal(m), ' & ')::tsquery AS word FROM jsonb_array_elements_text(wanted->'markers') m
        ) every;
    END IF;
    IF query IS NOT NULL THEN
        IF organization IS NOT NULL THEN
            query := query && quote_literal(' o ' || organization)::tsquery;
        END IF;
        conditions := conditions || ' AND x.words @@ $3';
    END IF;
    conditions := conditions || CASE WHEN wanted->'deleted' = 'true' THEN ' AND s.deleted_at IS NOT NULL' ELSE ' AND s.deleted_at IS NULL' END
        || CASE WHEN wanted ? 'author' THEN ' AND s.user_id = ($1->>''author'')::uuid' ELSE '' END
        || CASE WHEN wanted ? 'client' THEN ' AND lower(s.client) = lower($1->>''client'')' ELSE '' END
        || CASE WHEN wanted ? 'session_type' THEN ' AND s.session_type = $1->>''session_type''' ELSE '' END
        || CASE WHEN wanted ? 'template' THEN ' AND s.is_template = ($1->>''template'')::boolean' ELSE '' END
        || CASE WHEN wanted ? 'since' THEN ' AND s.updated_at >= ($1->>''since'')::timestamptz' ELSE '' END
        || CASE WHEN wanted ? 'until' THEN ' AND s.updated_at < ($1->>''until'')::timestamptz' ELSE '' END
        || CASE WHEN wanted ? 'role' THEN ' AND (x.facts->''hours''->>($1->>''role''))::numeric > ($1->>''over_hours'')::numeric' ELSE '' END
        || CASE WHEN wanted ? 'pinned' THEN ' AND EXISTS (SELECT FROM session_marks m WHERE m.session_id = s.id'
            ' AND m.user_id = nexa.current_person() AND m.pinned_at IS NOT NULL)' ELSE '' END
        || CASE WHEN wanted ? 'after' THEN format(' AND (%s, s.id) %s (($1->>''after'')::%s, ($1->>''after_id'')::integer)',
            place, CASE direction WHEN 'ASC' THEN '>' ELSE '<' END, typed) ELSE '' END;
    RETURN QUERY EXECUTE format('SELECT s.id FROM ai_architecture_sessions s %s WHERE %s ORDER BY %s %s, s.id %s LIMIT $4',
        CASE WHEN query IS NOT NULL OR wanted ? 'role' THEN 'JOIN session_search x ON x.session_id = s.id' ELSE '' END,
        conditions, place, direction, direction) USING wanted, organization, query, most;
END $$;

REVOKE EXECUTE ON FUNCTION nexa.refresh_session_search(integer[]), nexa.note_broken_diagrams(integer, integer, integer),
    nexa.find_sessions(jsonb, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexa.refresh_session_search(integer[]) TO nexa_tenant, nexa_staff;
GRANT EXECUTE ON FUNCTION nexa.note_broken_diagrams(integer, integer, integer) TO nexa_staff;
GRANT EXECUTE ON FUNCTION nexa.find_sessions(jsonb, integer) TO nexa_tenant, nexa_staff, nexa_presenter;
ALTER FUNCTION nexa.refresh_session_search(integer[]) OWNER TO nexa_system;
ALTER FUNCTION nexa.session_search_insert() OWNER TO nexa_system;
ALTER FUNCTION nexa.session_search_update() OWNER TO nexa_system;
ALTER FUNCTION nexa.note_broken_diagrams(integer, integer, integer) OWNER TO nexa_system;
ALTER FUNCTION nexa.find_sessions(jsonb, integer) OWNER TO nexa_system;

SET LOCAL ROLE nexa_system;  -- the owner of the tables sees no row of them
SELECT nexa.refresh_session_search(ARRAY(SELECT id FROM ai_architecture_sessions));
SET LOCAL ROLE nexa_owner;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for part in (COLUMNS, TABLES, PRIVILEGES, BURSTS, SEARCH):
        op.execute(part)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        DROP TRIGGER ai_architecture_sessions_search_update ON ai_architecture_sessions;
        DROP TRIGGER ai_architecture_sessions_search_insert ON ai_architecture_sessions;
        DROP TRIGGER audit_burst ON ai_architecture_sessions;
        DROP TRIGGER audit_update ON ai_architecture_sessions;
        CREATE TRIGGER audit_update AFTER UPDATE ON ai_architecture_sessions
            REFERENCING OLD TABLE AS before_change NEW TABLE AS after_change FOR EACH STATEMENT
            EXECUTE FUNCTION nexa.audit_change('session', 'uuid', 'organization_id', '{id,version,created_at,updated_at}',
                '{session_objects,sow_objects,loe_objects,diagram_texts_json,visual_assets_json}');
        DROP FUNCTION nexa.find_sessions(jsonb, integer), nexa.note_broken_diagrams(integer, integer, integer),
                      nexa.session_search_update(), nexa.session_search_insert(), nexa.audit_burst(),
                      nexa.refresh_session_search(integer[]), nexa.session_facts(jsonb, jsonb, jsonb, jsonb);
        DROP TABLE session_search, session_views, session_marks, session_presence, session_saves;
        DROP FUNCTION nexa.session_words(uuid, text, jsonb);
        SET LOCAL ROLE nexa_system;
        UPDATE session_revisions r SET documents = jsonb_build_object('session_objects', s.session_objects,
            'sow_objects', s.sow_objects, 'loe_objects', s.loe_objects, 'diagram_texts_json', s.diagram_texts_json,
            'visual_assets_json', s.visual_assets_json)
            FROM ai_architecture_sessions s WHERE s.id = r.session_id AND r.documents IS NULL;
        SET LOCAL ROLE nexa_owner;
        ALTER TABLE session_revisions ALTER COLUMN documents SET NOT NULL,
            DROP COLUMN version, DROP COLUMN is_closed, DROP COLUMN restored_from;
        DROP INDEX ai_architecture_sessions_deleted_at_idx, ai_architecture_sessions_organization_id_title_id_idx,
                   ai_architecture_sessions_title_id_idx, ai_architecture_sessions_updated_at_id_idx;
        ALTER TABLE ai_architecture_sessions
            DROP CONSTRAINT ai_architecture_sessions_organization_id_template_id_fkey,
            DROP COLUMN purged_at, DROP COLUMN template_values, DROP COLUMN template_revision, DROP COLUMN template_id;
    """)
