"""Which organizations a person belongs to, as far as signing in needs to know (``organizations`` stands above)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, DateTime, ScalarSelect, String, TableClause, Uuid, column, func, select, table
from sqlalchemy.dialects.postgresql import JSONB

from nexa_core.orm import MEMBERSHIP_ROLE, MEMBERSHIP_STATUS, ORGANIZATION_STATUS, USER_STATUS

#: The view: active memberships with their person and organization.
organization_members = table(
    "organization_members",
    column("membership_id", Uuid()),
    column("organization_id", Uuid()),
    column("user_id", Uuid()),
    column("role", MEMBERSHIP_ROLE),
    column("permissions", JSONB()),
    column("last_active_at", DateTime(timezone=True)),
    column("email", String()),
    column("full_name", String()),
    column("user_status", USER_STATUS),
    column("organization_name", String()),
    column("organization_slug", String()),
    column("organization_status", ORGANIZATION_STATUS),
    column("is_platform", Boolean()),
    column("is_demo", Boolean()),
)

organizations = table(
    "organizations",
    column("id", Uuid()),
    column("name", String()),
    column("slug", String()),
    column("status", ORGANIZATION_STATUS),
    column("is_platform", Boolean()),
    column("account_manager_id", Uuid()),
    column("plan_type", String()),
    column("usage_limits", JSONB()),
)

organization_memberships = table(
    "organization_memberships",
    column("id", Uuid()),
    column("organization_id", Uuid()),
    column("user_id", Uuid()),
    column("role", MEMBERSHIP_ROLE),
    column("status", MEMBERSHIP_STATUS),
    column("joined_at", DateTime(timezone=True)),
    column("last_active_at", DateTime(timezone=True)),
)

#: The catalogue of plans by date (``billing`` stands above, too): what is in force is the latest that has begun.
_plan_versions = table(
    "plan_versions",
    column("plan", String()),
    column("effective_from", DateTime(timezone=True)),
    column("features", JSONB()),
)


def plan_features(organization: TableClause) -> ScalarSelect[Any]:
    """The features an organization's plan includes now, as a column; null for a plan there is not."""
    versions, of = _plan_versions.c, organization.c
    has_begun = func.nexa.version_has_begun(of.id, versions.effective_from, func.now())
    return (
        select(versions.features)
        .where(versions.plan == of.plan_type, has_begun)
        .order_by(versions.effective_from.desc())
        .limit(1)
        .scalar_subquery()
    )
