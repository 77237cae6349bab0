"""Whoever asks whether an amount is admitted is told by which limit, and neither of both functions calls the other.

Revision ID: 20261129_30
Revises: 20261129_29
"""

from alembic import op

revision = "20261129_30"
down_revision = "20261129_29"
branch_labels = None
depends_on = None

# The body both share. A debit is a transaction of its own, and in each PL/pgSQL prepares every expression anew: so the
# statement says as much as it can, and what follows is asked only where something was agreed.
IN_FORCE = """
    SELECT v.monthly_credits, coalesce(v.limits->'event_limits'->metric, v.limits->metric),
           CASE metric WHEN 'credits' THEN o.usage_limits->'monthly_credits'
                       ELSE o.usage_limits->'event_limits'->metric END,
           coalesce(coalesce(o.usage_limits->'hard', v.limits->'hard') = 'true', false),
           coalesce(o.usage_limits->'limit_shadow' = 'true', false)
        INTO most, included, agreed, is_hard, is_shadow
        FROM organizations o LEFT JOIN LATERAL (
            SELECT p.monthly_credits, p.limits FROM plan_versions p
            WHERE p.plan = o.plan_type AND p.effective_from <= now() ORDER BY p.effective_from DESC LIMIT 1) v ON true
        WHERE o.id = organization;
    IF metric <> 'credits' THEN
        most := CASE WHEN nexa.is_amount(included) THEN included::numeric::bigint END;
    END IF;
    IF agreed IS NOT NULL THEN
        most := CASE WHEN agreed = 'null' THEN NULL WHEN nexa.is_amount(agreed) THEN agreed::numeric::bigint ELSE most END;
    END IF;
"""
TOLD = f"""
CREATE OR REPLACE FUNCTION nexa.usage_limit(organization uuid, metric text, OUT most bigint, OUT is_hard boolean,
                                 OUT is_shadow boolean) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    included jsonb;
    agreed jsonb;
BEGIN
{IN_FORCE}
END $$;
-- The limit it went by stands in ``nexa.most`` ('' for none) until it is asked again: for what the same row is set to.
CREATE OR REPLACE FUNCTION nexa.usage_admits(organization uuid, metric text, total bigint) RETURNS boolean
    LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    most bigint;
    is_hard boolean;
    is_shadow boolean;
    included jsonb;
    agreed jsonb;
BEGIN
{IN_FORCE}
    PERFORM set_config('nexa.most', coalesce(most::text, ''), true);
    RETURN most IS NULL OR NOT is_hard OR is_shadow OR total <= most;
END $$;
"""
BEFORE = """
CREATE OR REPLACE FUNCTION nexa.usage_limit(organization uuid, metric text, OUT most bigint, OUT is_hard boolean,
                                 OUT is_shadow boolean) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    agreed jsonb;
    included bigint;
    limits jsonb;
    value jsonb;
BEGIN
    SELECT CASE jsonb_typeof(o.usage_limits) WHEN 'object' THEN o.usage_limits ELSE '{}' END, v.monthly_credits, v.limits
        INTO agreed, included, limits
        FROM organizations o LEFT JOIN LATERAL (
            SELECT p.monthly_credits, p.limits FROM plan_versions p
            WHERE p.plan = o.plan_type AND p.effective_from <= now() ORDER BY p.effective_from DESC LIMIT 1) v ON true
        WHERE o.id = organization;
    is_hard := coalesce(agreed->'hard', limits->'hard') = 'true';
    is_hard := coalesce(is_hard, false);
    is_shadow := coalesce(agreed->'limit_shadow' = 'true', false);
    IF metric = 'credits' THEN
        most := included;
        value := agreed->'monthly_credits';
    ELSE
        value := coalesce(limits->'event_limits'->metric, limits->metric);
        most := CASE WHEN nexa.is_amount(value) THEN value::numeric::bigint END;
        value := agreed->'event_limits'->metric;
    END IF;
    IF value = 'null' THEN
        most := NULL;
    ELSIF nexa.is_amount(value) THEN
        most := value::numeric::bigint;
    END IF;
END $$;
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
