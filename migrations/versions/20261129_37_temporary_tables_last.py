"""No function of ours mistakes somebody's temporary table for one of NEXA's.

PostgreSQL looks for a table among the temporary ones first, unless the search path names them: so every path names them,
last. A function that is made or replaced after this says ``SET search_path = pg_catalog, public, pg_temp`` itself.

Revision ID: 20261129_37
Revises: 20261129_36
"""

from alembic import op

revision = "20261129_37"
down_revision = "20261129_36"
branch_labels = None
depends_on = None

# Each as its owner: nexa_owner is a member of nexa_system, and inherits nothing.
REPATH = """
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT p.oid::regprocedure AS function, pg_get_userbyid(p.proowner) AS owner,
               substr(setting, length('search_path=') + 1) AS path
        FROM pg_proc p, unnest(p.proconfig) setting
        WHERE p.pronamespace = 'nexa'::regnamespace AND setting LIKE 'search_path=%'
          AND setting {condition} ORDER BY 2, 1
    LOOP
        EXECUTE format('SET LOCAL ROLE %I', found.owner);
        EXECUTE format('ALTER ROUTINE %s SET search_path = %s', found.function, {path});
    END LOOP;
    SET LOCAL ROLE nexa_owner;
END $$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(REPATH.format(condition="!~ 'pg_temp$'", path="found.path || ', pg_temp'"))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(REPATH.format(condition="~ ', pg_temp$'", path="regexp_replace(found.path, ', pg_temp$', '')"))
