"""What the trash took with it goes when the trash is emptied: pictures, drawings and what clients answered.

Revision ID: 20261129_23
Revises: 20261129_21
"""

from alembic import op

revision = "20261129_23"
down_revision = "20261129_21"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    # A picture that is put in once more counts as new: its document may not be saved yet.
    op.execute("""
        GRANT DELETE ON session_images, session_drawings, share_responses TO nexa_staff;
        GRANT UPDATE (created_at) ON session_images TO nexa_tenant, nexa_staff;
    """)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        REVOKE UPDATE (created_at) ON session_images FROM nexa_tenant, nexa_staff;
        REVOKE DELETE ON session_images, session_drawings, share_responses FROM nexa_staff;
    """)
