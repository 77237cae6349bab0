"""What things of usage are called on screen, and how amounts of money are written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from urllib.parse import urlencode

from nexa_core import billing
from nexa_core.actor import Actor
from nexa_core.billing.reports import Money
from pages._ui import badges

_TYPES = {
    "ai_call": "AI calls", "session_save": "Saves", "diagram_render": "Diagrams", "pdf_export": "PDF exports",
    "share_view": "Shared views", "session_create": "New sessions", "export": "Exports",
}  # fmt: skip
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def event_type(value: str) -> str:
    """A type of event; one that NEXA does not know by its own name."""
    return _TYPES.get(value, value.replace("_", " ").replace(".", " ").capitalize())


def month(first: dt.date) -> str:
    return f"{_MONTHS[first.month - 1]} {first.year}"


def money(actor: Actor, amount: Money) -> str:
    """An amount as every screen of NEXA writes it."""
    return billing.written(amount.minor, amount.currency)


def moneys(actor: Actor, amounts: Sequence[Money], most: int = 2) -> str:
    """Amounts of several currencies, the largest first; never added up."""
    shown = " + ".join(money(actor, amount) for amount in amounts[:most])
    return f"{shown} + {len(amounts) - most} more" if len(amounts) > most else shown or "–"


def change(now: int, before: int) -> str | None:
    """How much more than before, in per cent with its sign; None where there was nothing."""
    percent = round(100 * (now - before) / before) if before else None
    return None if percent is None else f"{percent:+} %" if percent else "±0 %"


def short_day(value: dt.date) -> str:
    """A day of a period that is named beside it."""
    return f"{value.day} {_MONTHS[value.month - 1][:3]}"


def plan_fit(value: str) -> str:
    """Whether the plan fits, or which would have cost less."""
    return "–" if not value else "Fits" if value == "fits" else f"{badges.word(value)} costs less"


def files(path: str, **given: object) -> dict[str, str]:
    """Where the data of a chart or table can be downloaded, by form."""
    query = urlencode({name: str(value) for name, value in given.items() if value not in (None, "")})
    return {form: f"/api/usage/{path}.{form}" + (f"?{query}" if query else "") for form in ("csv", "xlsx")}
