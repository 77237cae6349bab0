"""Whoever asks whether an amount is admitted is told by which limit, and need not ask for the limit once more.

Revision ID: 20261129_30
Revises: 20261129_29
"""

from alembic import op

revision = "20261129_30"
down_revision = "20261129_29"
branch_labels = None
depends_on = None

TOLD = """
-- The limit it went by stands in ``nexa.most`` ('' for none) until it is asked again: for what the same row is set to.
CREATE OR REPLACE FUNCTION nexa.usage_admits(organization uuid, metric text, total bigint) RETURNS boolean
    LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    in_force record;
BEGIN
    in_force := nexa.usage_limit(organization, metric);
    PERFORM set_config('nexa.most', coalesce(in_force.most::text, ''), true);
    RETURN in_force.most IS NULL OR NOT in_force.is_hard OR in_force.is_shadow OR total <= in_force.most;
END $$;
"""
BEFORE = """
CREATE OR REPLACE FUNCTION nexa.usage_admits(organization uuid, metric text, total bigint) RETURNS boolean
    LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    in_force record;
BEGIN
    in_force := nexa.usage_limit(organization, metric);
    RETURN in_force.most IS NULL OR NOT in_force.is_hard OR in_force.is_shadow OR total <= in_force.most;
END $$;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(TOLD)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(BEFORE)
