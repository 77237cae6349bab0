"""The proof of the audit log: seals, the state of every chain, retention, and archives that stand for what expired.

Revision ID: 20261122_10
Revises: 20261122_09
"""

from alembic import op

revision = "20261122_10"
down_revision = "20261122_09"
branch_labels = None
depends_on = None

TABLES = """
-- The head of a chain, signed with a key that is not in the database; each seal holds the signature of the one before.
CREATE TABLE audit_seals (
    chain_id uuid NOT NULL,
    sequence bigint NOT NULL,
    hash bytea NOT NULL,
    sealed_at timestamptz NOT NULL,
    previous bytea,
    kid varchar(50) NOT NULL,
    signature bytea NOT NULL,
    CONSTRAINT audit_seals_pkey PRIMARY KEY (chain_id, sequence)
);

-- What the last walk along each chain found.
CREATE TABLE audit_verifications (
    chain_id uuid PRIMARY KEY,
    sequence bigint NOT NULL,
    verified_at timestamptz NOT NULL,
    faults integer NOT NULL,
    first_fault text
);

-- A stretch of a chain as it was exported before its entries expire. Once they have (expired_at), the signed record is
-- the stub that stands for them: the next link goes on from last_hash.
CREATE TABLE audit_archives (
    chain_id uuid NOT NULL,
    first_sequence bigint NOT NULL,
    last_sequence bigint NOT NULL,
    last_hash bytea NOT NULL,
    digest bytea NOT NULL,
    location text NOT NULL,
    archived_at timestamptz NOT NULL,
    kid varchar(50) NOT NULL,
    signature bytea NOT NULL,
    expired_at timestamptz,
    CONSTRAINT audit_archives_pkey PRIMARY KEY (chain_id, last_sequence)
);

-- How long an organization's entries are kept; without a row, or without months, for ever. The platform's own row also
-- rules the entries that belong to no organization.
CREATE TABLE audit_retentions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id),
    keep_months integer,
    legal_hold boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT audit_retentions_organization_id_key UNIQUE (organization_id),
    CONSTRAINT audit_retentions_keep_months_check CHECK (keep_months BETWEEN 12 AND 240)
);
"""

PRIVILEGES = """
GRANT SELECT ON audit_heads, audit_chain, audit_seals, audit_verifications, audit_archives, audit_retentions TO nexa_tenant;
GRANT SELECT, INSERT ON audit_seals, audit_archives TO nexa_staff;
GRANT SELECT, INSERT, UPDATE ON audit_verifications, audit_retentions TO nexa_staff;
GRANT ALL ON audit_seals, audit_verifications, audit_archives, audit_retentions TO nexa_system;
"""

#: Table and the column that says whose a row is; a chain has the identifier of its organization.
OWNED_BY = {
    "audit_heads": "chain_id",
    "audit_chain": "chain_id",
    "audit_seals": "chain_id",
    "audit_verifications": "chain_id",
    "audit_archives": "chain_id",
    "audit_retentions": "organization_id",
}
ROW_LEVEL_SECURITY = "".join(
    f"""
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY {table}_tenant ON {table} FOR SELECT TO nexa_tenant
    USING ({column} = (SELECT nexa.current_organization()));
CREATE POLICY {table}_staff ON {table} TO nexa_staff USING (true) WITH CHECK (true);
"""
    for table, column in OWNED_BY.items()
)

FAULTS = """
CREATE OR REPLACE FUNCTION nexa.audit_faults(chain uuid) RETURNS TABLE (sequence bigint, audit_log_id uuid, fault text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public SET work_mem = '64MB' AS $$
    WITH stub AS (  -- EXPIRY: what was archived and dropped; the first link that is left goes on from its last hash
        SELECT max(last_sequence) AS sequence, (array_agg(last_hash ORDER BY last_sequence DESC))[1] AS hash
        FROM audit_archives WHERE chain_id = chain AND expired_at IS NOT NULL
    ), links AS (
        SELECT c.*, lag(c.hash, 1, coalesce(s.hash, sha256('nexa audit chain'::bytea))) OVER (ORDER BY c.sequence) AS previous,  -- EXPIRY
               coalesce(s.sequence, 0) + row_number() OVER (ORDER BY c.sequence) AS expected  -- EXPIRY
        FROM audit_chain c CROSS JOIN stub s WHERE c.chain_id = chain  -- EXPIRY
    ), entries AS (  -- two branches, so that one organization's entries are found by their index
        SELECT * FROM audit_logs WHERE organization_id = chain
        UNION ALL
        SELECT * FROM audit_logs WHERE organization_id IS NULL AND chain = '00000000-0000-0000-0000-000000000000'
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
        CROSS JOIN stub s  -- EXPIRY
        LEFT JOIN LATERAL (SELECT c.sequence, c.hash FROM audit_chain c WHERE c.chain_id = chain ORDER BY c.sequence DESC LIMIT 1) last ON true
        WHERE h.chain_id = chain
          AND (h.sequence, h.hash) <> (coalesce(last.sequence, s.sequence, 0),
                                       coalesce(last.hash, s.hash, sha256('nexa audit chain'::bytea)))  -- EXPIRY
        UNION ALL
        SELECT NULL, NULL, 'the chain has links but no head'
        WHERE EXISTS (SELECT 1 FROM audit_chain WHERE chain_id = chain)
          AND NOT EXISTS (SELECT 1 FROM audit_heads WHERE chain_id = chain)
        UNION ALL  -- EXPIRY: nothing may be dropped between two archives, nor a seal contradict a link
        SELECT a.first_sequence, NULL, 'an archive is missing before this one'
        FROM (SELECT *, lag(last_sequence, 1, 0::bigint) OVER (ORDER BY last_sequence) AS before
              FROM audit_archives WHERE chain_id = chain AND expired_at IS NOT NULL) a
        WHERE a.first_sequence <> a.before + 1
        UNION ALL
        SELECT s.sequence, c.audit_log_id, 'the seal of this link is for another history'
        FROM audit_seals s LEFT JOIN audit_chain c ON c.chain_id = s.chain_id AND c.sequence = s.sequence
        WHERE s.chain_id = chain AND c.hash IS DISTINCT FROM s.hash
          AND s.sequence > coalesce((SELECT stub.sequence FROM stub), 0)
    ) found WHERE fault IS NOT NULL ORDER BY 1 NULLS LAST
$$;
"""

FAULTS_BEFORE = """
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
"""

# Only its owner may replace a function.
AS_ITS_OWNER = "SET LOCAL ROLE nexa_system; {} SET LOCAL ROLE nexa_owner"

EXPIRY = """
-- The only way an entry leaves the log. It holds the rules itself, whoever calls: the retention allows it, nobody holds
-- the log for a court, and the stretch was archived, whole and unchanged.
CREATE FUNCTION nexa.audit_expire(chain uuid, upto bigint) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public AS $$
DECLARE
    nobody CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
    archive audit_archives;
    rule audit_retentions;
    removed bigint;
BEGIN
    SELECT r.* INTO rule FROM audit_retentions r JOIN organizations o ON o.id = r.organization_id
        WHERE o.id = chain OR chain = nobody AND o.is_platform FOR SHARE OF r;
    IF rule.keep_months IS NULL OR rule.legal_hold
       OR chain = nobody AND EXISTS (SELECT FROM audit_retentions WHERE legal_hold) THEN
        RAISE EXCEPTION 'the entries of this chain are kept' USING ERRCODE = 'check_violation', CONSTRAINT = 'audit_kept';
    END IF;
    SELECT a.* INTO archive FROM audit_archives a
        WHERE a.chain_id = chain AND a.last_sequence = upto AND a.expired_at IS NULL FOR UPDATE;
    IF archive.last_hash IS DISTINCT FROM (SELECT hash FROM audit_chain WHERE chain_id = chain AND sequence = upto)
       OR archive.first_sequence IS DISTINCT FROM (SELECT min(sequence) FROM audit_chain WHERE chain_id = chain)
       OR (SELECT count(*) FROM audit_chain WHERE chain_id = chain AND sequence <= upto) <> upto - archive.first_sequence + 1
       OR EXISTS (SELECT FROM audit_chain WHERE chain_id = chain AND sequence <= upto AND logged_at >=
            (date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => rule.keep_months)) AT TIME ZONE 'UTC') THEN
        RAISE EXCEPTION 'this stretch was not archived as it is, or is not old enough'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'audit_kept';
    END IF;
    DELETE FROM audit_logs l USING audit_chain c
        WHERE c.chain_id = chain AND c.sequence <= upto AND l.id = c.audit_log_id AND l.created_at = c.logged_at;
    DELETE FROM audit_chain WHERE chain_id = chain AND sequence <= upto;
    GET DIAGNOSTICS removed = ROW_COUNT;
    UPDATE audit_archives SET expired_at = now() WHERE chain_id = chain AND last_sequence = upto;
    RETURN removed;
END $$;

-- Months that are over and hold nothing any more are dropped.
CREATE FUNCTION nexa.audit_drop_months() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public SET lock_timeout = '5s' AS $$
DECLARE
    month text;
    is_empty boolean;
    dropped integer := 0;
BEGIN
    FOR month IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'audit_logs'::regclass AND c.relname ~ '^audit_logs_\\d{4}_\\d{2}$'
          AND to_date(right(c.relname, 7), 'YYYY_MM') < date_trunc('month', now() AT TIME ZONE 'UTC')::date
        ORDER BY 1
    LOOP
        EXECUTE format('SELECT NOT EXISTS (SELECT FROM public.%I)', month) INTO is_empty;
        IF is_empty THEN
            EXECUTE format('LOCK TABLE public.%I IN ACCESS EXCLUSIVE MODE', month);
            EXECUTE format('SELECT NOT EXISTS (SELECT FROM public.%I)', month) INTO is_empty;
        END IF;
        IF is_empty THEN
            EXECUTE format('DROP TABLE public.%I', month);
            dropped := dropped + 1;
        END IF;
    END LOOP;
    RETURN dropped;
END $$;

REVOKE EXECUTE ON FUNCTION nexa.audit_expire(uuid, bigint), nexa.audit_drop_months() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexa.audit_expire(uuid, bigint), nexa.audit_drop_months() TO nexa_staff;
ALTER FUNCTION nexa.audit_expire(uuid, bigint) OWNER TO nexa_system;
CALL nexa.audit_table('audit_retentions', 'retention', 'organization_id', 'organization_id', '{id,created_at,updated_at}');
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for part in (TABLES, PRIVILEGES, ROW_LEVEL_SECURITY, AS_ITS_OWNER.format(FAULTS), EXPIRY):
        op.execute(part)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP FUNCTION nexa.audit_expire(uuid, bigint), nexa.audit_drop_months()")
    op.execute(AS_ITS_OWNER.format(FAULTS_BEFORE))
    op.execute("""
        DROP POLICY audit_heads_tenant ON audit_heads; DROP POLICY audit_heads_staff ON audit_heads;
        DROP POLICY audit_chain_tenant ON audit_chain; DROP POLICY audit_chain_staff ON audit_chain;
        ALTER TABLE audit_heads NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
        ALTER TABLE audit_chain NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
        REVOKE SELECT ON audit_heads, audit_chain FROM nexa_tenant;
        DROP TABLE audit_seals, audit_verifications, audit_archives, audit_retentions;
    """)
