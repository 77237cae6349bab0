"""What counts as an agreed number, once: 5.0 is five wherever it is read.

Revision ID: 20261129_28
Revises: 20261129_27
"""

from alembic import op

revision = "20261129_28"
down_revision = "20261129_27"
branch_labels = None
depends_on = None

# JSON has one kind of number (RFC 8259): a limit of 5.0 held, and the invoice beside it knew of no agreement.
AGREED = """
CREATE OR REPLACE FUNCTION nexa.agreed(agreed jsonb, key text, otherwise bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN jsonb_typeof(agreed->key) = 'null' THEN NULL
                      WHEN nexa.is_amount(agreed->key) THEN (agreed->>key)::numeric::bigint
                      ELSE otherwise END $$;
CREATE OR REPLACE FUNCTION nexa.agreed_members(listed jsonb, agreed jsonb, form text) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT jsonb_strip_nulls(coalesce(listed, '{}') || coalesce((
              SELECT jsonb_object_agg(m.key, CASE WHEN nexa.is_amount(m.value) THEN to_jsonb((m.value)::numeric::bigint) ELSE m.value END)
              FROM jsonb_each(CASE WHEN jsonb_typeof(agreed) = 'object' THEN agreed END) m
              WHERE CASE form WHEN 'number' THEN nexa.is_amount(m.value) OR jsonb_typeof(m.value) = 'null'
                         ELSE jsonb_typeof(m.value) = form END), '{}')) $$;
"""
BEFORE = """
CREATE OR REPLACE FUNCTION nexa.agreed(agreed jsonb, key text, otherwise bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN jsonb_typeof(agreed->key) = 'null' THEN NULL
                      WHEN jsonb_typeof(agreed->key) = 'number' AND agreed->>key ~ '^[0-9]{1,18}$' THEN (agreed->>key)::bigint
                      ELSE otherwise END $$;
CREATE OR REPLACE FUNCTION nexa.agreed_members(listed jsonb, agreed jsonb, form text) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT jsonb_strip_nulls(coalesce(listed, '{}') || coalesce((SELECT jsonb_object_agg(m.key, m.value)
          FROM jsonb_each(CASE WHEN jsonb_typeof(agreed) = 'object' THEN agreed END) m
          WHERE jsonb_typeof(m.value) = form OR form = 'number' AND jsonb_typeof(m.value) = 'null'), '{}')) $$;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(AGREED)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(BEFORE)
