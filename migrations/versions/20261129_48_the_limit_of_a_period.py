"""The limit of a period: one that has ended keeps its own, whatever is agreed today.

Revision ID: 20261129_48
Revises: 20261129_47
"""

from alembic import op

revision = "20261129_48"
down_revision = "20261129_47"
branch_labels = None
depends_on = None

# Overloads: what is used in the running period, which is nearly all, goes on asking the shorter functions.
OF_A_PERIOD = """
-- The limit of one metric in the period that holds an instant: as at its last instant where it has ended, so that credits
-- are those of its invoice (nexa.plan_of); else the one in force now.
CREATE FUNCTION nexa.usage_limit(organization uuid, metric text, period timestamptz, OUT most bigint,
                                 OUT is_hard boolean, OUT is_shadow boolean) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    ends CONSTANT timestamptz := nexa.billing_end(organization, period);
    included jsonb;
    agreed jsonb;
BEGIN
    IF ends > now() THEN
        SELECT l.most, l.is_hard, l.is_shadow INTO most, is_hard, is_shadow
            FROM nexa.usage_limit(organization, metric) l;
        RETURN;
    END IF;
    SELECT t.allowance, coalesce(v.limits->'event_limits'->metric, v.limits->metric),
           a.usage_limits->'event_limits'->metric,
           coalesce(coalesce(a.usage_limits->'hard', v.limits->'hard') = 'true', false),
           coalesce(a.usage_limits->'limit_shadow' = 'true', false)
        INTO most, included, agreed, is_hard, is_shadow
        FROM nexa.plan_of(organization, ends - interval '1 microsecond') t
        JOIN plan_assignments a ON a.organization_id = organization AND a.effective_from = t.since
        LEFT JOIN plan_versions v ON v.id = t.plan_version_id;
    IF metric <> 'credits' THEN
        most := CASE WHEN agreed = 'null' THEN NULL WHEN nexa.is_amount(agreed) THEN agreed::numeric::bigint
                     WHEN nexa.is_amount(included) THEN included::numeric::bigint END;
    END IF;
END $$;
CREATE FUNCTION nexa.usage_admits(organization uuid, metric text, total bigint, period timestamptz) RETURNS boolean
    LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    in_force record;
BEGIN
    in_force := nexa.usage_limit(organization, metric, period);
    PERFORM set_config('nexa.most', coalesce(in_force.most::text, ''), true);
    RETURN in_force.most IS NULL OR NOT in_force.is_hard OR in_force.is_shadow OR total <= in_force.most;
END $$;
"""
BEFORE = """
DROP FUNCTION nexa.usage_admits(uuid, text, bigint, timestamptz), nexa.usage_limit(uuid, text, timestamptz);
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(OF_A_PERIOD)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(BEFORE)
