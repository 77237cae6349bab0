"""Dates and numbers as the person who reads them writes them: their locale, their time zone."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from nexa_core.actor import Actor

#: What a person can choose; the locale decides how dates and numbers look.
LOCALES = {
    "en": "English (international)",
    "en-GB": "English (United Kingdom)",
    "en-US": "English (United States)",
    "de": "Deutsch",
    "de-CH": "Deutsch (Schweiz)",
    "es": "Español",
    "fr": "Français",
    "it": "Italiano",
    "ja": "日本語",
    "nl": "Nederlands",
    "pl": "Polski",
    "pt": "Português",
    "sv": "Svenska",
}
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
# Order and separators of dates, and how thousands are grouped: Unicode CLDR, short forms with a four-digit year.
_DATES = {
    "en": "{d} {mon} {y}", "en-US": "{mon} {d}, {y}", "de": "{dd}.{mm}.{y}", "es": "{d}/{m}/{y}", "fr": "{dd}/{mm}/{y}",
    "it": "{dd}/{mm}/{y}", "ja": "{y}/{mm}/{dd}", "nl": "{dd}-{mm}-{y}", "pl": "{dd}.{mm}.{y}", "pt": "{dd}/{mm}/{y}",
    "sv": "{y}-{mm}-{dd}",
}  # fmt: skip
_GROUPS = {
    "en": ",", "ja": ",", "de": ".", "de-CH": "’", "es": ".", "it": ".", "nl": ".", "pt": ".",
    "fr": "\u202f", "pl": "\u00a0", "sv": "\u00a0",
}  # fmt: skip


def number(actor: Actor, value: int | None) -> str:
    """A whole number with its thousands grouped; a dash for none."""
    return "–" if value is None else f"{value:,}".replace(",", _of(_GROUPS, actor.locale))


def point(actor: Actor) -> Literal[".", ","]:
    """The sign before the digits of a fraction."""
    return "." if _of(_GROUPS, actor.locale) in (",", "’") else ","


def day(actor: Actor, value: dt.date | dt.datetime | None) -> str:
    """A date; of a moment, the date it was in the person's time zone."""
    if value is None:
        return "–"
    if isinstance(value, dt.datetime):
        value = value.astimezone(zone(actor.timezone)).date()
    parts = {"d": value.day, "dd": f"{value.day:02}", "m": value.month, "mm": f"{value.month:02}"}
    return _of(_DATES, actor.locale).format(mon=_MONTHS[value.month - 1][:3], y=value.year, **parts)


def moments(actor: Actor, first: dt.date | None, last: dt.date | None) -> tuple[dt.datetime | None, dt.datetime | None]:
    """Where the days ``first`` to ``last``, both included, begin and end where the person is: from, to before."""
    midnight, place = dt.time(), zone(actor.timezone)
    begin = dt.datetime.combine(first, midnight, place) if first else None
    return begin, dt.datetime.combine(last + dt.timedelta(days=1), midnight, place) if last else None


def days(actor: Actor, begin: dt.datetime | None, end: dt.datetime | None) -> tuple[dt.date | None, dt.date | None]:
    """The other way round: the first and the last day of what lies from ``begin`` to before ``end``."""
    place = zone(actor.timezone)
    last = end - dt.timedelta(microseconds=1) if end else None
    return begin.astimezone(place).date() if begin else None, last.astimezone(place).date() if last else None


def month(first: dt.date) -> str:
    """A month with its year: November 2026."""
    return f"{_MONTHS[first.month - 1]} {first.year}"


def short_day(value: dt.date) -> str:
    """A day of a period that is named beside it: 8 Nov."""
    return f"{value.day} {_MONTHS[value.month - 1][:3]}"


def today(actor: Actor) -> str:
    """Today's date where the person is."""
    return day(actor, dt.datetime.now(dt.UTC))


def moment(actor: Actor, value: dt.datetime | None) -> str:
    """A date and the time of day, in the person's time zone."""
    if value is None:
        return "–"
    local = value.astimezone(zone(actor.timezone))
    clock = local.strftime("%I:%M %p").lstrip("0") if actor.locale == "en-US" else local.strftime("%H:%M")
    return f"{day(actor, value)}, {clock}"


def clock(actor: Actor, value: dt.datetime) -> str:
    """The time of day alone, in the person's time zone."""
    return moment(actor, value).rpartition(", ")[2]


def day_pattern(actor: Actor) -> str:
    """How ``day`` writes a date, for a table column that stays sortable."""
    return _of(_DATES, actor.locale).format(d="D", dd="DD", m="M", mm="MM", mon="MMM", y="YYYY")


def moment_pattern(actor: Actor, *, seconds: bool = False) -> str:
    """How ``moment`` writes a date and the time of day, for a table column that stays sortable."""
    minutes = "mm:ss" if seconds else "mm"
    return f"{day_pattern(actor)}, " + (f"h:{minutes} A" if actor.locale == "en-US" else f"HH:{minutes}")


def picker_pattern(actor: Actor) -> Literal["YYYY-MM-DD", "DD.MM.YYYY", "DD/MM/YYYY", "MM/DD/YYYY", "DD-MM-YYYY"]:
    """How a date is typed; of the orders that the date picker knows, the one nearest to ``day``."""
    patterns = {"en-US": "MM/DD/YYYY", "de": "DD.MM.YYYY", "pl": "DD.MM.YYYY", "nl": "DD-MM-YYYY", "ja": "YYYY-MM-DD"}
    usual = {"sv": "YYYY-MM-DD", "en": "DD/MM/YYYY"}
    return _of({**usual, **patterns}, actor.locale)  # type: ignore[return-value]


def ago(actor: Actor, value: dt.datetime | dt.date | None) -> str:
    """How long since, in words; beyond a month the date itself."""
    if value is None:
        return "never"
    now = dt.datetime.now(dt.UTC)
    if not isinstance(value, dt.datetime):
        days = (now.astimezone(zone(actor.timezone)).date() - value).days
        return {0: "today", 1: "yesterday"}.get(days) or (f"{days} days ago" if 1 < days < 31 else day(actor, value))
    seconds = (now - value).total_seconds()
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        count = int(seconds // size)
        if count >= 31 and word == "day":
            return day(actor, value)
        if count >= 1:
            return f"{count} {word}{'s' if count > 1 else ''} ago"
    return "just now"


def share(used: int, of: int | None) -> float | None:
    """Used of allowed as a fraction; None without an allowance."""
    return used / of if of else None


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """The time zone of that name; UTC for one this machine does not know."""
    return ZoneInfo(name if name in available_timezones() else "UTC")


@lru_cache(maxsize=1)
def zones() -> tuple[str, ...]:
    """The time zones a person can choose: those named after a place, and UTC."""
    return (
        "UTC",
        *sorted(
            name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix/", "right/"))
        ),
    )


def _of(table: dict[str, str], locale: str) -> str:
    return table.get(locale) or table.get(locale.partition("-")[0]) or table["en"]


def size(value: int) -> str:
    """Bytes in the largest unit that leaves a figure above one."""
    amount = float(value)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"
