"""The log's index of what the platform's own people did holds what every list and export of it shows.

Revision ID: 20261129_33
Revises: 20261129_32
"""

from alembic import op

revision = "20261129_33"
down_revision = "20261129_32"
branch_labels = None
depends_on = None

INDEXES = """
DROP INDEX audit_logs_staff_idx, audit_logs_organization_id_staff_idx;
CREATE INDEX audit_logs_staff_idx ON audit_logs (created_at, id) WHERE {did};
CREATE INDEX audit_logs_organization_id_staff_idx ON audit_logs (organization_id, created_at, id) WHERE {did};
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(INDEXES.format(did="actor_scope IN ('staff', 'presenter') AND action <> 'demo.seeded'"))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(INDEXES.format(did="actor_scope = 'staff'"))
