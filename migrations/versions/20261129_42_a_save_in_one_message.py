"""A save is a function of the database, so that it can travel in one message with what opens its transaction.

Revision ID: 20261129_42
Revises: 20261129_41
"""

from alembic import op

revision = "20261129_42"
down_revision = "20261129_41"
branch_labels = None
depends_on = None

# Both with the rights of who calls: the login may become the three roles anyway, and by itself can do nothing.
OPENED = """
-- Role and context of a transaction that is one statement: the arguments of a function are evaluated before it is called,
-- and what stands in the function is checked against the role that holds by then.
CREATE FUNCTION nexa.opened(role text, context jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    name text;
    value text;
BEGIN
    PERFORM set_config('role', role, true);
    FOR name, value IN SELECT * FROM jsonb_each_text(context) LOOP
        PERFORM set_config('nexa.' || name, value, true);
    END LOOP;
    RETURN true;
END $$;
REVOKE EXECUTE ON FUNCTION nexa.opened(text, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexa.opened(text, jsonb) TO nexa_app;
"""

# The policies hold for it as for any other statement.
SAVE = """
-- Write the values of ``changed`` into the session ``target`` as one version more, if it is at version ``started_from``
-- and, where ``seen`` says so, still the very row that was seen (its xmin); nothing and no row otherwise. ``way`` leads
-- back to the version before. ``opened`` is nexa.opened(), or true in a transaction that has begun. The one statement begins after the row was locked, so it sees what the save before has
-- committed. A session written before there was a history gets what it was as its first revision.
CREATE FUNCTION nexa.save_session(opened boolean, target uuid, started_from integer, changed jsonb, way jsonb,
                                  search_follows interval, brought_back integer DEFAULT NULL, seen text DEFAULT NULL)
    RETURNS TABLE (revision integer, saved_at timestamptz, stamp text)
    LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    one record;
    only_documents CONSTANT boolean := NOT changed ?| ARRAY['title', 'client', 'session_type', 'tags'];
    is_stale boolean;
BEGIN
    SELECT s.id, s.organization_id, s.user_id, s.version + 1 AS version INTO one FROM public.ai_architecture_sessions s
    WHERE s.uuid = target AND s.version = started_from AND s.deleted_at IS NULL AND s.purged_at IS NULL
      AND (seen IS NULL OR s.xmin::text = seen)
    FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    WITH standing AS MATERIALIZED (
        SELECT (SELECT max(r.revision) FROM public.session_revisions r WHERE r.session_id = one.id) AS newest,
               own.id AS own, own.revision AS own_revision,
               coalesce(x.refreshed_at < clock_timestamp() - search_follows, true) AS is_stale
        FROM (SELECT) AS nothing
        LEFT JOIN LATERAL (
            SELECT r.id, r.revision FROM public.session_revisions r
            WHERE r.session_id = one.id AND r.user_id = nexa.current_person() AND NOT r.is_closed
              AND r.ended_at > clock_timestamp() - interval '4 minutes 59 seconds' AND brought_back IS NULL
            ORDER BY r.revision DESC LIMIT 1) own ON true
        LEFT JOIN public.session_search x ON x.session_id = one.id
    ), baseline AS (
        INSERT INTO public.session_revisions
            (organization_id, session_id, user_id, revision, version, documents, started_at, ended_at)
        SELECT s.organization_id, s.id, s.user_id, 1, s.version,
               jsonb_build_object('session_objects', s.session_objects, 'sow_objects', s.sow_objects,
                                  'loe_objects', s.loe_objects, 'diagram_texts_json', s.diagram_texts_json,
                                  'visual_assets_json', s.visual_assets_json), s.created_at, s.updated_at
        FROM public.ai_architecture_sessions s, standing WHERE s.id = one.id AND standing.newest IS NULL
    ), living AS (
        UPDATE public.session_revisions r
        SET documents = jsonb_build_object('session_objects', s.session_objects, 'sow_objects', s.sow_objects,
                                           'loe_objects', s.loe_objects, 'diagram_texts_json', s.diagram_texts_json,
                                           'visual_assets_json', s.visual_assets_json)
        FROM public.ai_architecture_sessions s, standing
        WHERE s.id = one.id AND r.session_id = one.id AND r.documents IS NULL AND r.id IS DISTINCT FROM standing.own
    ), back AS (
        INSERT INTO public.session_saves (organization_id, session_id, version, user_id, back)
        VALUES (one.organization_id, one.id, one.version, nexa.current_person(), way)
    ), goes_on AS (
        UPDATE public.session_revisions r SET documents = NULL, version = one.version, ended_at = clock_timestamp()
        FROM standing WHERE r.id = standing.own
    ), begins AS (
        INSERT INTO public.session_revisions
            (organization_id, session_id, user_id, revision, version, started_at, ended_at, restored_from)
        SELECT one.organization_id, one.id, coalesce(nexa.current_person(), one.user_id), coalesce(newest, 1) + 1,
               one.version, clock_timestamp(), clock_timestamp(), brought_back
        FROM standing WHERE own IS NULL
    )
    UPDATE public.ai_architecture_sessions s SET
        title = CASE WHEN changed ? 'title' THEN changed->>'title' ELSE s.title END,
        client = CASE WHEN changed ? 'client' THEN changed->>'client' ELSE s.client END,
        session_type = CASE WHEN changed ? 'session_type' THEN changed->>'session_type' ELSE s.session_type END,
        tags = CASE WHEN changed ? 'tags' THEN changed->'tags' ELSE s.tags END,
        session_objects = CASE WHEN changed ? 'session_objects' THEN changed->'session_objects' ELSE s.session_objects END,
        sow_objects = CASE WHEN changed ? 'sow_objects' THEN changed->'sow_objects' ELSE s.sow_objects END,
        loe_objects = CASE WHEN changed ? 'loe_objects' THEN changed->'loe_objects' ELSE s.loe_objects END,
        diagram_texts_json = CASE WHEN changed ? 'diagram_texts_json'
                                  THEN changed->'diagram_texts_json' ELSE s.diagram_texts_json END,
        visual_assets_json = CASE WHEN changed ? 'visual_assets_json'
                                  THEN changed->'visual_assets_json' ELSE s.visual_assets_json END,
        version = one.version, updated_at = clock_timestamp()
    FROM (SELECT coalesce(own_revision, newest + 1, 2) AS revision, is_stale,
                 set_config('nexa.burst', CASE WHEN own IS NOT NULL AND only_documents THEN 'goes on' ELSE '' END, true)
                     AS burst
          FROM standing) AS belongs
    WHERE s.id = one.id AND belongs.burst IS NOT NULL
    RETURNING belongs.revision, s.updated_at, s.xmin::text, belongs.is_stale INTO revision, saved_at, stamp, is_stale;
    IF is_stale AND only_documents THEN
        PERFORM nexa.refresh_session_search(ARRAY[one.id]);
    END IF;
    RETURN NEXT;
END $$;
REVOKE EXECUTE ON FUNCTION nexa.save_session(boolean, uuid, integer, jsonb, jsonb, interval, integer, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexa.save_session(boolean, uuid, integer, jsonb, jsonb, interval, integer, text)
    TO nexa_app, nexa_tenant, nexa_staff;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(OPENED)
    op.execute(SAVE)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP FUNCTION nexa.save_session(boolean, uuid, integer, jsonb, jsonb, interval, integer, text)")
    op.execute("DROP FUNCTION nexa.opened(text, jsonb)")
