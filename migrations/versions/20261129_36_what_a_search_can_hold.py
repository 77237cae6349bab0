"""What the search knows of a session always fits: its words and its markers are a megabyte at most together.

Revision ID: 20261129_36
Revises: 20261129_35
"""

from alembic import op

revision = "20261129_36"
down_revision = "20261129_35"
branch_labels = None
depends_on = None

FIRST_BYTES = """
-- As much of a text as takes so many bytes, and no part of a character.
CREATE FUNCTION nexa.first_bytes(said text, most integer) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
    SELECT CASE WHEN octet_length(said) <= most THEN said ELSE (
        SELECT convert_from(substring(bytes FOR (
            SELECT max(place) FROM generate_series(most - 3, most) place WHERE get_byte(bytes, place) & 192 <> 128)), 'UTF8')
        FROM convert_to(said, 'UTF8') bytes
    ) END
$$;
"""
# A tsvector takes a megabyte. A marker takes up to 806 bytes; a text with addresses and hyphens, which are found by
# their parts as well, becomes three times as long.
MARKERS = """
               || coalesce((SELECT jsonb_agg(' role ' || left(role, 200)) FROM (
                    SELECT role FROM jsonb_object_keys(f.facts->'hours') role LIMIT 200) few), '[]')
               || coalesce((SELECT jsonb_agg(' tag ' || left(tag, 200)) FROM (
                    SELECT tag FROM jsonb_array_elements_text(s.tags) tag LIMIT 50) few), '[]'),"""
WORDS = """
    CROSS JOIN LATERAL (
        -- What lies beyond is not found by its words.
        SELECT nexa.first_bytes(left(concat_ws(E'\\n', s.title, s.client,
            (SELECT string_agg(tag, E'\\n') FROM jsonb_array_elements_text(s.tags) tag),
            (SELECT string_agg(v #>> '{}', E'\\n') FROM (VALUES (s.session_objects), (s.sow_objects), (s.loe_objects), (s.diagram_texts_json),
                (s.visual_assets_json)) d(document),
                jsonb_path_query(d.document, 'strict $.**') v WHERE jsonb_typeof(v) = 'string')), 200000), 250000) AS plain
    ) w"""
MARKERS_BEFORE = """
               || coalesce((SELECT jsonb_agg(' role ' || left(role, 200)) FROM jsonb_object_keys(f.facts->'hours') role), '[]')
               || coalesce((SELECT jsonb_agg(' tag ' || left(tag, 200)) FROM jsonb_array_elements_text(s.tags) tag), '[]'),"""
WORDS_BEFORE = """
    CROSS JOIN LATERAL (
        -- The longest text a tsvector takes is a megabyte; what lies beyond is not found by its words.
        SELECT left(concat_ws(E'\\n', s.title, s.client,
            (SELECT string_agg(tag, E'\\n') FROM jsonb_array_elements_text(s.tags) tag),
            (SELECT string_agg(v #>> '{}', E'\\n') FROM (VALUES (s.session_objects), (s.sow_objects), (s.loe_objects), (s.diagram_texts_json),
                (s.visual_assets_json)) d(document),
                jsonb_path_query(d.document, 'strict $.**') v WHERE jsonb_typeof(v) = 'string')), 200000) AS plain
    ) w"""


def _replace(markers: str, words: str) -> str:
    return f"""
SET LOCAL ROLE nexa_system;  -- whose it is
CREATE OR REPLACE FUNCTION nexa.refresh_session_search(sessions integer[]) RETURNS void LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, public AS $$
    INSERT INTO session_search AS x (session_id, organization_id, version, plain, facts, markers, refreshed_at)
    SELECT s.id, s.organization_id, s.version, w.plain, f.facts,
           CASE WHEN (f.facts->>'without_criteria')::integer > 0 THEN '[" without criteria"]' ELSE '[]' END::jsonb{markers}
           clock_timestamp()
    FROM ai_architecture_sessions s
    CROSS JOIN LATERAL (SELECT nexa.session_facts(s.session_objects, s.sow_objects, s.loe_objects, s.diagram_texts_json) AS facts) f{words}
    WHERE s.id = ANY (sessions) AND s.purged_at IS NULL
    ON CONFLICT (session_id) DO UPDATE SET version = excluded.version, plain = excluded.plain, facts = excluded.facts,
        markers = excluded.markers || CASE WHEN x.broken_diagrams > 0 THEN '[" broken diagram"]' ELSE '[]' END::jsonb,
        refreshed_at = excluded.refreshed_at
$$;
SET LOCAL ROLE nexa_owner;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(FIRST_BYTES)
    op.execute(_replace(MARKERS, WORDS))
    # What could not be refreshed until now, however long ago it was edited.
    op.execute("""
SET LOCAL ROLE nexa_system;
SELECT nexa.refresh_session_search(ARRAY(
    SELECT s.id FROM ai_architecture_sessions s LEFT JOIN session_search x ON x.session_id = s.id
    WHERE s.purged_at IS NULL AND x.version IS DISTINCT FROM s.version));
SET LOCAL ROLE nexa_owner;
""")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(_replace(MARKERS_BEFORE, WORDS_BEFORE))
    op.execute("DROP FUNCTION nexa.first_bytes(text, integer)")
