"""What a NEXA that had been running all along would know of the demo's customers: outlooks, forecasts, tags."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from nexa_core import organizations
from nexa_core.actor import Actor
from nexa_core.billing import reports
from nexa_core.demo.world import Tenant

#: How the platform's people call the customers that a presenter filters by.
TAGS = {
    "health": ("key account", "regulated"), "retail": ("expansion",), "freight": ("expansion",), "food": ("at risk",),
    "manufacturing": ("at risk",), "studios": ("trial",), "insurance": ("onboarding", "regulated"),
    "university": ("public sector",), "public": ("public sector",), "telecom": ("at risk",), "energy": ("regulated",),
}  # fmt: skip
_MONTHS = 4


def look_ahead(admin: Actor, system: Actor, tenants: list[Tenant], now: dt.datetime) -> None:
    """Tag the customers, remember the forecasts of the last months, and look ahead from today."""
    for tenant in tenants:
        if tags := TAGS.get(tenant.customer.industry):
            organizations.set_tags(admin, organization_id=tenant.id, tags=tags)
    reports.remember_forecasts(system, [row for tenant in tenants for row in _forecasts(tenant, now)])
    reports.refresh_outlooks(system)


def _forecasts(tenant: Tenant, now: dt.datetime) -> Iterator[dict[str, Any]]:
    """What the nightly job would have kept: made from the days before alone, as it makes them."""
    zone = ZoneInfo(tenant.customer.time_zone)
    days: dict[dt.date, int] = {}
    for use in tenant.uses:
        if use.at <= now:
            day = use.at.astimezone(zone).date()
            days[day] = days.get(day, 0) + use.credits
    today = now.astimezone(zone).date()
    limits = tenant.customer.usage_limits
    most = limits.get("monthly_credits") if limits.get("hard") else None
    for month in reports.latest(_MONTHS, today):
        for number in sorted(reports.KEPT_DAYS):
            made_on = month.replace(day=number)
            if made_on < today and (found := reports.forecast_on(tenant.id, days, made_on, most=most)):
                yield found
