"""What goes out of a session: pictures, drawn diagrams, answers to share links, and the gate before both.

Revision ID: 20261129_14
Revises: 20261129_13
"""

from alembic import op

revision = "20261129_14"
down_revision = "20261129_13"
branch_labels = None
depends_on = None

COLUMNS = """
-- Whether what is not ready may go out: nobody asks, a warning, or only with no error left.
ALTER TABLE organizations
    ADD COLUMN readiness_gate varchar(10) NOT NULL DEFAULT 'warn',
    ADD CONSTRAINT organizations_readiness_gate_check CHECK (readiness_gate IN ('off', 'warn', 'block'));
GRANT UPDATE (readiness_gate) ON organizations TO nexa_tenant;

ALTER TABLE share_links
    ADD COLUMN label varchar(255),
    ADD COLUMN is_protected boolean GENERATED ALWAYS AS (passcode_hash IS NOT NULL) STORED,
    ADD COLUMN failed_attempts integer NOT NULL DEFAULT 0,
    ADD COLUMN last_failed_at timestamptz,
    ADD COLUMN locked_until timestamptz,
    ADD COLUMN lock_count integer NOT NULL DEFAULT 0,
    ADD CONSTRAINT share_links_organization_id_id_key UNIQUE (organization_id, id);
GRANT SELECT (label, is_protected, locked_until) ON share_links TO nexa_tenant, nexa_staff, nexa_presenter;
DROP TRIGGER audit_insert ON share_links;
DROP TRIGGER audit_update ON share_links;
DROP TRIGGER audit_delete ON share_links;
CALL nexa.audit_table('share_links', 'share_link', 'id', 'organization_id',
    '{token,passcode_hash,created_at,view_count,last_viewed_at,failed_attempts,last_failed_at,locked_until,lock_count}');
"""

TABLES = """
-- Pictures of sessions, once an organization each, made harmless before they come here.
CREATE TABLE session_images (
    organization_id uuid NOT NULL REFERENCES organizations (id),
    digest varchar(64) NOT NULL,
    media_type varchar(20) NOT NULL,
    width integer,
    height integer,
    content bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT session_images_pkey PRIMARY KEY (organization_id, digest),
    CONSTRAINT session_images_media_type_check CHECK (media_type IN ('image/png', 'image/jpeg', 'image/svg+xml')),
    CONSTRAINT session_images_content_check CHECK (octet_length(content) <= 5242880),
    CONSTRAINT session_images_digest_check CHECK (digest = encode(sha256(content), 'hex'))
);

-- Diagrams that were drawn once; the digest is the text's, so whoever has the text finds its picture.
CREATE TABLE session_drawings (
    organization_id uuid NOT NULL REFERENCES organizations (id),
    digest varchar(64) NOT NULL,
    svg text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT session_drawings_pkey PRIMARY KEY (organization_id, digest)
);

-- What a client without an account said to one part of what a link showed them; ``content_digest`` is what they saw.
CREATE TABLE share_responses (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL,
    share_link_id uuid NOT NULL,
    kind varchar(10) NOT NULL,
    page varchar(20) NOT NULL,
    part varchar(100) NOT NULL,
    title varchar(255) NOT NULL,
    content_digest varchar(64) NOT NULL,
    name varchar(255) NOT NULL,
    email varchar(320) NOT NULL,
    comment text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT share_responses_kind_check CHECK (kind IN ('approval', 'comment')),
    CONSTRAINT share_responses_organization_id_share_link_id_fkey FOREIGN KEY (organization_id, share_link_id)
        REFERENCES share_links (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX share_responses_organization_id_share_link_id_idx
    ON share_responses (organization_id, share_link_id, created_at);

GRANT SELECT, INSERT ON session_images, session_drawings TO nexa_tenant, nexa_staff;
GRANT SELECT ON session_images, session_drawings TO nexa_presenter;
GRANT SELECT ON share_responses TO nexa_tenant, nexa_staff, nexa_presenter;
GRANT ALL ON session_images, session_drawings, share_responses TO nexa_system;
"""

ROW_LEVEL_SECURITY = "".join(
    f"""
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY {table}_tenant ON {table} TO nexa_tenant
    USING (organization_id = (SELECT nexa.current_organization()))
    WITH CHECK (organization_id = (SELECT nexa.current_organization()));
CREATE POLICY {table}_staff ON {table} TO nexa_staff USING (true) WITH CHECK (true);
CREATE POLICY {table}_presenter ON {table} FOR SELECT TO nexa_presenter
    USING (organization_id = ANY ((SELECT nexa.demo_organizations())::uuid[]));
"""
    for table in ("session_images", "session_drawings", "share_responses")
)

VISITORS = """
-- All a visitor can reach, by the hash of a token and by nothing else: one living link, its revision, of this the chosen
-- pages, and how the organization wants to look. The entry role itself has no right on any of these tables.
CREATE FUNCTION nexa.living_share(hashed text) RETURNS share_links LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public AS $$
    SELECT l.* FROM share_links l
    JOIN ai_architecture_sessions s ON s.organization_id = l.organization_id AND s.id = l.session_id
    JOIN organizations o ON o.id = l.organization_id
    WHERE l.token = hashed AND l.revoked_at IS NULL AND l.expires_at > now() AND s.deleted_at IS NULL AND s.purged_at IS NULL
      AND o.status = 'active' AND o.deleted_at IS NULL
$$;

CREATE FUNCTION nexa.shared_session(hashed text) RETURNS TABLE (
    link_id uuid, organization_id uuid, revision integer, pages jsonb, expires_at timestamptz, title varchar,
    client varchar, documents jsonb, revised_at timestamptz, organization_name varchar, logo_url varchar,
    brand_colors jsonb, time_zone varchar, responses jsonb
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT l.id, l.organization_id, l.revision, l.pages, l.expires_at, s.title, s.client,
        (SELECT coalesce(jsonb_object_agg(d.key, d.value), '{}')
         FROM jsonb_each(coalesce(r.documents, jsonb_build_object(
                 'session_objects', s.session_objects, 'sow_objects', s.sow_objects, 'loe_objects', s.loe_objects,
                 'diagram_texts_json', s.diagram_texts_json, 'visual_assets_json', s.visual_assets_json))) d
         JOIN (VALUES ('structuring', 'session_objects'), ('sow', 'sow_objects'), ('loe', 'loe_objects'),
                      ('visuals', 'diagram_texts_json'), ('visuals', 'visual_assets_json')) p(page, document)
           ON p.document = d.key AND l.pages ? p.page),
        r.ended_at, o.name, o.logo_url, o.brand_colors, o.time_zone,
        (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', a.kind, 'page', a.page, 'part', a.part,
                    'content_digest', a.content_digest, 'name', a.name, 'comment', a.comment, 'created_at', a.created_at)
                    ORDER BY a.created_at), '[]')
         FROM share_responses a WHERE a.organization_id = l.organization_id AND a.share_link_id = l.id)
    FROM nexa.living_share(hashed) l
    JOIN ai_architecture_sessions s ON s.organization_id = l.organization_id AND s.id = l.session_id
    JOIN organizations o ON o.id = l.organization_id
    JOIN session_revisions r ON r.session_id = l.session_id AND r.revision = l.revision
$$;

CREATE FUNCTION nexa.shared_picture(hashed text, kind text, wanted text) RETURNS TABLE (media_type varchar, content bytea)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT i.media_type, i.content FROM nexa.living_share(hashed) l
    JOIN session_images i ON i.organization_id = l.organization_id AND i.digest = wanted
    WHERE kind = 'image' AND l.pages ? 'visuals'
    UNION ALL
    SELECT 'image/svg+xml', convert_to(d.svg, 'UTF8') FROM nexa.living_share(hashed) l
    JOIN session_drawings d ON d.organization_id = l.organization_id AND d.digest = wanted
    WHERE kind = 'drawing' AND l.pages ? 'visuals'
    UNION ALL
    SELECT g.media_type, g.content FROM nexa.living_share(hashed) l
    JOIN organizations o ON o.id = l.organization_id
    JOIN organization_logos g ON g.organization_id = l.organization_id
        AND o.logo_url = '/api/organizations/' || o.id || '/logo/' || g.digest
    WHERE kind = 'logo'
$$;

CREATE FUNCTION nexa.answer_share(hashed text, answer jsonb) RETURNS uuid LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, public AS $$
    INSERT INTO share_responses (organization_id, share_link_id, kind, page, part, title, content_digest, name, email, comment)
    SELECT l.organization_id, l.id, answer->>'kind', answer->>'page', answer->>'part', answer->>'title',
           answer->>'content_digest', answer->>'name', answer->>'email', answer->>'comment'
    FROM nexa.living_share(hashed) l WHERE l.pages ? (answer->>'page')
    RETURNING id
$$;
"""

FUNCTIONS = (
    "nexa.living_share(text)",
    "nexa.shared_session(text)",
    "nexa.shared_picture(text, text, text)",
    "nexa.answer_share(text, jsonb)",
)

OWNERSHIP = (
    f"REVOKE EXECUTE ON FUNCTION {', '.join(FUNCTIONS)} FROM PUBLIC;"
    f"GRANT EXECUTE ON FUNCTION {', '.join(FUNCTIONS[1:])} TO nexa_entry;"
    f"GRANT EXECUTE ON FUNCTION {FUNCTIONS[0]} TO nexa_system;"
    + "".join(f"ALTER FUNCTION {name} OWNER TO nexa_system;" for name in FUNCTIONS)
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for part in (COLUMNS, TABLES, ROW_LEVEL_SECURITY, VISITORS, OWNERSHIP):
        op.execute(part)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        f"""
        DROP FUNCTION {", ".join(reversed(FUNCTIONS))};
        DROP TABLE share_responses, session_drawings, session_images;
        DROP TRIGGER audit_insert ON share_links;
        DROP TRIGGER audit_update ON share_links;
        DROP TRIGGER audit_delete ON share_links;
        CALL nexa.audit_table('share_links', 'share_link', 'id', 'organization_id',
            '{{token,passcode_hash,created_at,view_count,last_viewed_at}}');
        ALTER TABLE share_links DROP CONSTRAINT share_links_organization_id_id_key, DROP COLUMN label,
            DROP COLUMN is_protected, DROP COLUMN failed_attempts, DROP COLUMN last_failed_at, DROP COLUMN locked_until,
            DROP COLUMN lock_count;
        ALTER TABLE organizations DROP COLUMN readiness_gate;
        """
    )
