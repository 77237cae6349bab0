"""The period a report is about: a calendar month, by its first day and as it is written in an address."""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo

from nexa_core.errors import Invalid

_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")


def month(value: str | None, day: dt.date | None = None) -> dt.date:
    """The first day of the month ``2026-11``; without a value of that of ``day``, by default today by UTC.

    Raises Invalid, for a month after that of ``day``, too.
    """
    running = (day or today("UTC")).replace(day=1)
    if not value:
        return running
    if not (found := _MONTH.fullmatch(value)):
        raise Invalid("A period is a month, written as 2026-11.", field="period")
    first = dt.date(int(found[1]), int(found[2]), 1)
    if first > running:
        raise Invalid("This period has not begun.", field="period")
    return first


def word(first: dt.date) -> str:
    """The period as an address has it."""
    return f"{first:%Y-%m}"


def after(first: dt.date) -> dt.date:
    """The first day of the month after."""
    return (first + dt.timedelta(days=32)).replace(day=1)


def before(first: dt.date) -> dt.date:
    """The first day of the month before."""
    return (first - dt.timedelta(days=1)).replace(day=1)


def today(zone: str) -> dt.date:
    """The date there now."""
    return dt.datetime.now(ZoneInfo(zone)).date()


def latest(count: int, day: dt.date | None = None) -> list[dt.date]:
    """The month of ``day``, by default today by UTC, and those before it, newest first."""
    found = [month(None, day)]
    while len(found) < count:
        found.append(before(found[-1]))
    return found


def same_day_before(first: dt.date, day: dt.date) -> dt.date:
    """The day as far into the period before as ``day`` is into this one; a shorter month ends at its end."""
    return min(before(first) + (day - first), first)
