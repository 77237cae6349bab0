"""Which organizations a list shows: the filter, and what it is in SQL."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Integer, and_, cast, exists, func, or_, select
from sqlalchemy.orm import aliased

from nexa_core.accounts.models import User
from nexa_core.billing.models import PlanVersion
from nexa_core.errors import Invalid
from nexa_core.organizations.models import Organization, OrganizationMembership, organization_members
from nexa_core.usage.models import UsageCounter
from nexa_core.usage.periods import running_start

STATUSES = ("pending", "active", "suspended", "deleted")
SUBSCRIPTION_STATUSES = ("trialing", "active", "past_due", "canceled", "paused")

#: What the current period has counted; a list joins it once.
credits_used = func.coalesce(UsageCounter.used, 0)
_owner = aliased(User)

_in_force = (
    select(PlanVersion.monthly_credits)
    .where(
        PlanVersion.plan == Organization.plan_type,
        func.nexa.version_has_begun(Organization.id, PlanVersion.effective_from, func.now()),
    )
    .order_by(PlanVersion.effective_from.desc())
    .limit(1)
    .scalar_subquery()
)
#: Credits of a period as ``nexa.plan_of`` has them at this moment; NULL where there is no limit.
allowance: ColumnElement[int | None] = func.nexa.agreed(
    Organization.usage_limits, "monthly_credits", _in_force, type_=BigInteger
)
_owners = (
    select(cast(1, Integer))
    .select_from(OrganizationMembership)
    .join(_owner, _owner.id == OrganizationMembership.user_id)
    .where(
        OrganizationMembership.organization_id == Organization.id,
        OrganizationMembership.role == "owner",
        OrganizationMembership.status == "active",
        _owner.deleted_at.is_(None),
    )
)
#: What the database asks of an active organization: a suspended account still counts.
has_owner = exists(_owners)
#: Somebody who can act: whose account is active, too.
has_active_owner = exists(_owners.where(_owner.status == "active"))


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list is narrowed to; the default shows everything that is not deleted.

    ``text`` is searched in name, slug, domain, tax id, billing address and members' addresses. ``demo`` is None for
    both kinds. ``account_manager_id`` is a person of the platform.
    """

    text: str = ""
    status: str | None = None
    plan: str | None = None
    subscription_status: str | None = None
    account_manager_id: UUID | None = None
    over_limit: bool = False
    without_owner: bool = False
    demo: bool | None = None

    def check(self) -> None:
        """Raise Invalid, naming the field, for what no list can be narrowed to."""
        if self.status and self.status not in STATUSES:
            raise Invalid(f"There is no status “{self.status[:40]}”.", field="status")
        if self.subscription_status and self.subscription_status not in SUBSCRIPTION_STATUSES:
            raise Invalid(
                f"There is no subscription status “{self.subscription_status[:40]}”.", field="subscription_status"
            )
        if "\x00" in self.text or (not self.text.isascii() and any("\ud800" <= c <= "\udfff" for c in self.text)):
            raise Invalid("The search contains a character that no organization can have.", field="text")

    def conditions(self) -> Sequence[ColumnElement[bool]]:
        """The same as conditions on ``organizations``, joined with the counter of the current period."""
        found: list[ColumnElement[bool]] = [
            Organization.status == self.status if self.status else Organization.status != "deleted",
        ]
        if self.plan:
            found.append(Organization.plan_type == self.plan)
        if self.subscription_status:
            found.append(Organization.subscription_status == self.subscription_status)
        if self.account_manager_id:
            found.append(Organization.account_manager_id == self.account_manager_id)
        if self.over_limit:
            found.append(credits_used > allowance)
        if self.without_owner:
            found.append(~has_active_owner)
        if self.demo is not None:
            found.append(Organization.is_demo.is_(self.demo))
        if text := unicodedata.normalize("NFC", self.text).strip():
            found.append(_named(text))
        return found


def _named(text: str) -> ColumnElement[bool]:
    by_member = select(organization_members.c.organization_id).where(
        organization_members.c.email.icontains(text, autoescape=True)
    )
    columns = (
        Organization.name,
        Organization.slug,
        Organization.domain,
        Organization.tax_id,
        Organization.billing_email,
    )
    return or_(*(column.icontains(text, autoescape=True) for column in columns), Organization.id.in_(by_member))


#: The counter of an organization's current period, by its own time zone.
of_current_period = and_(
    UsageCounter.organization_id == Organization.id,
    UsageCounter.metric == "credits",
    UsageCounter.period_start == running_start(Organization.id, Organization.time_zone),
)
