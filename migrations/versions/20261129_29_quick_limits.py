"""The limit in force, found by one statement instead of two functions: it is asked twice for each counted metric.

Revision ID: 20261129_29
Revises: 20261129_28
"""

from alembic import op

revision = "20261129_29"
down_revision = "20261129_28"
branch_labels = None
depends_on = None

# VOLATILE as before, so that each statement in them sees what was committed meanwhile. The assignment is evaluated as an
# expression, without a plan of its own.
QUICK = """
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
DROP FUNCTION nexa.plan_limits(text, timestamptz);
"""
BEFORE = """
CREATE FUNCTION nexa.plan_limits(plan_key text, at timestamptz, OUT monthly_credits bigint, OUT limits jsonb)
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF to_regclass('public.plan_versions') IS NOT NULL THEN
        SELECT v.monthly_credits, v.limits INTO monthly_credits, limits FROM plan_versions v
            WHERE v.plan = plan_key AND v.effective_from <= at ORDER BY v.effective_from DESC LIMIT 1;
    ELSE
        monthly_credits := CASE plan_key WHEN 'free' THEN 100 WHEN 'starter' THEN 1000 WHEN 'professional' THEN 5000
                                         WHEN 'enterprise' THEN 10000 END;
    END IF;
END $$;
CREATE OR REPLACE FUNCTION nexa.usage_limit(organization uuid, metric text, OUT most bigint, OUT is_hard boolean,
                                 OUT is_shadow boolean) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    agreed jsonb;
    plan text;
    of_plan record;
    value jsonb;
BEGIN
    SELECT CASE jsonb_typeof(o.usage_limits) WHEN 'object' THEN o.usage_limits ELSE '{}' END, o.plan_type
        INTO agreed, plan FROM organizations o WHERE o.id = organization;
    SELECT p.monthly_credits, p.limits INTO of_plan FROM nexa.plan_limits(plan, now()) p;
    is_hard := coalesce(agreed->'hard', of_plan.limits->'hard') = 'true';
    is_hard := coalesce(is_hard, false);
    is_shadow := coalesce(agreed->'limit_shadow' = 'true', false);
    IF metric = 'credits' THEN
        most := of_plan.monthly_credits;
        value := agreed->'monthly_credits';
    ELSE
        value := coalesce(of_plan.limits->'event_limits'->metric, of_plan.limits->metric);
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
    SELECT * INTO in_force FROM nexa.usage_limit(organization, metric);
    RETURN in_force.most IS NULL OR NOT in_force.is_hard OR in_force.is_shadow OR total <= in_force.most;
END $$;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(QUICK)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(BEFORE)
