"""A credit note may have a key, so that who repeats a request gives money back once.

Revision ID: 20261129_46
Revises: 20261129_45
"""

from alembic import op

revision = "20261129_46"
down_revision = "20261129_45"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        ALTER TABLE credit_notes
            ADD COLUMN idempotency_key varchar(255),
            ADD CONSTRAINT credit_notes_organization_id_idempotency_key_key UNIQUE (organization_id, idempotency_key);
    """)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE credit_notes DROP COLUMN idempotency_key")
