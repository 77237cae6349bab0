"""A customer's own transactions claim a domain and note what the DNS said: they rename none and accept none.

Revision ID: 20261129_12
Revises: 20261122_10
"""

from alembic import op

revision = "20261129_12"
down_revision = "20261122_10"
branch_labels = None
depends_on = None

# The proof itself stays a customer's to write, because "check now" is theirs; who accepted a domain without one
# (verified_by) is not, nor is a claim that begins as proven or becomes one of another name.
UPGRADE = """
REVOKE INSERT, UPDATE ON organization_domains FROM nexa_tenant;
GRANT INSERT (id, organization_id, domain, verification_token) ON organization_domains TO nexa_tenant;
GRANT UPDATE (verified_at, verification_checked_at, missing_since, auto_join_enabled, auto_join_role, approval_required,
              updated_at) ON organization_domains TO nexa_tenant;
"""

DOWNGRADE = """
REVOKE INSERT (id, organization_id, domain, verification_token) ON organization_domains FROM nexa_tenant;
REVOKE UPDATE (verified_at, verification_checked_at, missing_since, auto_join_enabled, auto_join_role,
               approval_required, updated_at) ON organization_domains FROM nexa_tenant;
GRANT INSERT, UPDATE ON organization_domains TO nexa_tenant;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(DOWNGRADE)
