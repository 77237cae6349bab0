"""Billing periods: the calendar months of an organization's own time zone, half-open, named ``2026-11``."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from nexa_core.errors import Invalid

# The database alone says where a period begins and ends (nexa.period_start, nexa.period_end).
_PERIOD = text("""
SELECT to_char(starts AT TIME ZONE :zone, 'YYYY-MM') AS name, starts, nexa.period_end(starts, :zone) AS ends,
       least(nexa.period_end(starts, :zone), now()) AS until, nexa.period_end(starts, :zone) > now() AS is_running,
       starts > now() AS is_ahead
FROM (SELECT nexa.period_start(coalesce(CAST(:local AS timestamp) AT TIME ZONE :zone, now()), :zone) AS starts) p
""")
_NAME = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Period:
    """One month of an organization: from ``starts`` until just before ``ends``."""

    name: str
    starts: dt.datetime
    ends: dt.datetime
    time_zone: str
    is_running: bool


def period_of(db: Session, zone: str, name: str | None) -> Period:
    """The period of that name, by default the one that is running.

    Raises Invalid for what is no month, for one before 2000 and for one that has not begun.
    """
    local = None
    if name is not None:
        if not (found := _NAME.fullmatch(name)) or int(found[1]) < 2000:
            raise Invalid("A period is a month, written as 2026-11.", field="period")
        local = dt.datetime(int(found[1]), int(found[2]), 1)  # noqa: DTZ001  of the organization's own clock
    row = db.execute(_PERIOD, {"zone": zone, "local": local}).one()
    if row.is_ahead:
        raise Invalid("This period has not begun.", field="period")
    return Period(row.name, row.starts, row.ends, zone, row.is_running)
