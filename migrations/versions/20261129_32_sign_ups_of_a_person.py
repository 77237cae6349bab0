"""Who exports everything about a person also reads by which links to a domain their address was asked for.

Revision ID: 20261129_32
Revises: 20261129_31
"""

from alembic import op

revision = "20261129_32"
down_revision = "20261129_31"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        GRANT SELECT (organization_id, domain, email, expires_at, used_at, created_at) ON domain_sign_ups TO nexa_staff;
        CREATE POLICY domain_sign_ups_staff ON domain_sign_ups FOR SELECT TO nexa_staff USING (true);
    """)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        DROP POLICY domain_sign_ups_staff ON domain_sign_ups;
        REVOKE SELECT (organization_id, domain, email, expires_at, used_at, created_at) ON domain_sign_ups
            FROM nexa_staff;
    """)
