"""A customer reads of every opening of its documents, once a sign-in, and when a viewing ended that nobody ended.

Revision ID: 20261129_44
Revises: 20261129_43
"""

from alembic import op

revision = "20261129_44"
down_revision = "20261129_43"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        -- The sign-in, or the viewing, in which the log was told last that this person opened the session.
        ALTER TABLE session_marks ADD COLUMN noted_in uuid;
        -- Looked for every minute: those that nobody has ended.
        CREATE INDEX viewings_expires_at_idx ON viewings (expires_at) WHERE ended_at IS NULL;
    """)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        DROP INDEX viewings_expires_at_idx;
        ALTER TABLE session_marks DROP COLUMN noted_in;
    """)
