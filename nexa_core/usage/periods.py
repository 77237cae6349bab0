"""The running period and day of organizations, many at once: SQL that asks the slower question only of who needs it.

A period is a calendar month of an organization's time zone, half-open; a month that has begun keeps the zone it began
in (``nexa.billing_month``, ``nexa.day_begins``; docs/decisions/time-zones-of-months.md). Nearly nobody ever changes it,
and for nobody else must ten thousand rows cost ten thousand calls.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, case, func, select

from nexa_core.usage.models import FormerTimeZone

#: Whether ``organizations o`` ever had another time zone.
MOVED = "o.id IN (SELECT f.organization_id FROM former_time_zones f)"
#: The day it is in ``organizations o``, and the instant at which its running period began.
TODAY = f"CASE WHEN {MOVED} THEN nexa.billing_day(o.id, now()) ELSE (now() AT TIME ZONE o.time_zone)::date END"
STARTS = f"CASE WHEN {MOVED} THEN nexa.billing_start(o.id, now()) ELSE nexa.period_start(now(), o.time_zone) END"
#: The time zone of that period.
ZONE = f"CASE WHEN {MOVED} THEN nexa.billing_zone(o.id, nexa.billing_month(o.id, now())) ELSE o.time_zone END"


def running_start(organization_id: Any, time_zone: Any) -> ColumnElement[dt.datetime]:
    """``STARTS`` as an expression of an organization's columns."""
    return case(
        (
            organization_id.in_(select(FormerTimeZone.organization_id)),
            func.nexa.billing_start(organization_id, func.now()),
        ),
        else_=func.nexa.period_start(func.now(), time_zone),
    )
