"""Billing periods: the calendar months of an organization's own time zone, half-open, named ``2026-11``."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from nexa_core.errors import Invalid

# The database alone says where a period begins and ends (nexa.billing_month, nexa.day_begins).
_PERIOD = text("""
SELECT p.month, nexa.billing_zone(:organization, p.month) AS time_zone, starts, ends, ends > now() AS is_running,
       starts > now() AS is_ahead
FROM (SELECT coalesce(CAST(:month AS date), nexa.billing_month(:organization, now())) AS month) p
CROSS JOIN LATERAL (SELECT nexa.day_begins(:organization, p.month) AS starts,
                           nexa.day_begins(:organization, (p.month + interval '1 month')::date) AS ends) i
""")
_NAME = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Period:
    """One month of an organization: from ``starts`` until just before ``ends``, and by its days of ``time_zone``."""

    name: str
    first_day: dt.date
    starts: dt.datetime
    ends: dt.datetime
    time_zone: str
    is_running: bool


def period_of(db: Session, organization_id: UUID, name: str | None) -> Period:
    """An organization's period of that name, by default the one that is running.

    Raises Invalid for what is no month, for one before 2000 and for one that has not begun.
    """
    month = None
    if name is not None:
        if not (found := _NAME.fullmatch(name)) or int(found[1]) < 2000:
            raise Invalid("A period is a month, written as 2026-11.", field="period")
        month = dt.date(int(found[1]), int(found[2]), 1)
    row = db.execute(_PERIOD, {"organization": organization_id, "month": month}).one()
    if row.is_ahead:
        raise Invalid("This period has not begun.", field="period")
    return Period(f"{row.month:%Y-%m}", row.month, row.starts, row.ends, row.time_zone, row.is_running)
