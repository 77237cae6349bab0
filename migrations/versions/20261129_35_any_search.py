"""Any text, tag or role can be searched for: a phrase may be left out at the end, a marker may hold a backslash.

Revision ID: 20261129_35
Revises: 20261129_34
"""

from alembic import op

revision = "20261129_35"
down_revision = "20261129_34"
branch_labels = None
depends_on = None

# A search that ends in a phrase to be left out ends in a bracket, and there is nothing that could be only begun.
BEGUN = """
        IF right(query::text, 1) = '''' THEN
            query := (query::text || ':*')::tsquery;  -- the last word may be only begun
        END IF;"""
BEGUN_BEFORE = """
        query := (query::text || ':*')::tsquery;  -- the last word may be only begun"""
# A word in a tsquery doubles its quotes and backslashes; for the latter, quote_literal writes another kind of literal.
MARKERS = r"""
            SELECT string_agg('''' || regexp_replace(m, '([''\\])', '\1\1', 'g') || '''', ' & ')::tsquery AS word
            FROM jsonb_array_elements_text(wanted->'markers') m"""
MARKERS_BEFORE = """
            SELECT string_agg(quote_literal(m), ' & ')::tsquery AS word FROM jsonb_array_elements_text(wanted->'markers') m"""


def _replace(begun: str, markers: str) -> str:
    return f"""
SET LOCAL ROLE nexa_system;  -- whose it is
CREATE OR REPLACE FUNCTION nexa.find_sessions(wanted jsonb, most integer) RETURNS TABLE (session_id integer) LANGUAGE plpgsql STABLE
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
        END IF;{begun}
    END IF;
    IF wanted ? 'markers' THEN
        SELECT coalesce(query && every.word, every.word) INTO query FROM ({markers}
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
SET LOCAL ROLE nexa_owner;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(_replace(BEGUN, MARKERS))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(_replace(BEGUN_BEFORE, MARKERS_BEFORE))
