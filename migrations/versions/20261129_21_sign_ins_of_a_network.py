"""How many failed sign-ins a network has left.

Revision ID: 20261129_21
Revises: 20261129_20
"""

from alembic import op

revision = "20261129_21"
down_revision = "20261129_20"
branch_labels = None
depends_on = None

TABLE = """
-- A leaky bucket for each network in one instant: what its failed sign-ins have used up, written as the time until which
-- that lasts. Each failure moves it by a step, the clock catches up with it, and a row that is caught up is as good as none.
CREATE TABLE network_sign_ins (
    network cidr PRIMARY KEY,
    spent_until timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON network_sign_ins TO nexa_entry;
GRANT ALL ON network_sign_ins TO nexa_system;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(TABLE)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP TABLE network_sign_ins")
