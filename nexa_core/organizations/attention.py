"""What somebody should look at in an organization: each is defined once, for its own page and for the home page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from nexa_core.organizations.filters import allowance, credits_used
from nexa_core.organizations.listing import OrganizationRow, active_since
from nexa_core.organizations.models import Organization

#: How long nobody uses an organization before somebody should ask why, and how long before its end a trial is told.
QUIET = dt.timedelta(days=30)
_TRIAL_ENDS_SOON = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Concern:
    """``label`` names it in a few words, ``sentence`` says it on the page of the organization."""

    label: str
    sentence: str


def suspended(organization: OrganizationRow) -> Concern | None:
    if organization.status != "suspended":
        return None
    return Concern("Suspended", "It is suspended: nobody can sign in to it.")


def past_due(organization: OrganizationRow) -> Concern | None:
    if organization.subscription_status != "past_due":
        return None
    return Concern("Payment is past due", "Payment is past due.")


def trial(organization: OrganizationRow, subscription_data: Mapping[str, Any], today: dt.date) -> Concern | None:
    """A trial that ends within the week, is over, or has no end that is a day."""
    if organization.subscription_status != "trialing":
        return None
    try:
        end = dt.date.fromisoformat(str(subscription_data.get("trial_ends_on")))
    except ValueError:
        return Concern("Trial without an end", "It is on trial without an end.")
    left = (end - today).days
    if left < 0:
        return Concern(f"Trial ended on {end:%-d %b %Y}", "Its trial is over.")
    if end - today > _TRIAL_ENDS_SOON:
        return None
    when = "today" if left == 0 else f"in {left} day{'s' if left > 1 else ''}"
    return Concern(f"Trial ends on {end:%-d %b %Y}", f"Its trial ends {when}.")


def used_up(organization: OrganizationRow, usage_limits: Mapping[str, Any]) -> Concern | None:
    """Nothing is left of the credits of this period."""
    used, allowed = organization.credits_used, organization.credits_allowance
    if allowed is None or used == 0 or used < allowed:
        return None
    consequence = "further use is refused" if usage_limits.get("hard") is True else "use goes on beyond it"
    return Concern(f"Used {used:,} of {allowed:,} credits", f"{used:,} of {allowed:,} credits are used; {consequence}.")


def quiet(organization: OrganizationRow, today: dt.date) -> Concern | None:
    """Active, not new, and without any use for a month."""
    since = today - QUIET
    if organization.status != "active" or organization.created_at.astimezone(dt.UTC).date() >= since:
        return None
    if organization.last_activity is not None and organization.last_activity >= since:
        return None
    return Concern("Nobody has used NEXA for a month", "Nobody has used NEXA for a month.")


def concerns(
    organization: OrganizationRow,
    *,
    subscription_data: Mapping[str, Any],
    usage_limits: Mapping[str, Any],
    today: dt.date,
) -> tuple[Concern, ...]:
    """All of them, the most urgent first."""
    found = (
        past_due(organization),
        used_up(organization, usage_limits),
        suspended(organization),
        trial(organization, subscription_data, today),
        quiet(organization, today),
    )
    return tuple(one for one in found if one is not None)


def may_concern(today: dt.date) -> ColumnElement[bool]:
    """Every organization with a concern, and few without one: what a list asks ``concerns`` about."""
    since = today - QUIET
    midnight = dt.datetime.combine(since, dt.time(), dt.UTC)
    return or_(
        Organization.subscription_status.in_(("past_due", "trialing")),
        Organization.status == "suspended",
        and_(credits_used > 0, credits_used >= allowance),
        and_(Organization.status == "active", Organization.created_at < midnight, active_since < since),
    )
