"""What things of usage are called on screen, and how amounts of money are written."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from nexa_core import billing
from nexa_core.actor import Actor
from nexa_core.billing import reports
from nexa_core.billing.reports import Money
from pages._ui import badges, format
from pages._ui.billing import whose

_MONTHS = 14


def months() -> dict[str, str]:
    """The months that can be looked at, as the address and the screen call them, the running one first."""
    return {reports.word(first): format.month(first) for first in reports.latest(_MONTHS)}


def event_type(value: str) -> str:
    """A type of event, as invoices name it, too."""
    return billing.named_event(value)


def money(actor: Actor, amount: Money) -> str:
    """An amount as every screen of NEXA writes it."""
    return whose.money(actor, amount.minor, amount.currency)


def moneys(actor: Actor, amounts: Sequence[Money]) -> str:
    """An amount as it is; of several currencies, which are never added up, how many there are."""
    if len(amounts) > 1:
        return f"{len(amounts)} currencies"
    return money(actor, amounts[0]) if amounts else "–"


def change(now: int, before: int) -> str | None:
    """How much more than before, in per cent with its sign; None where there was nothing."""
    percent = round(100 * (now - before) / before) if before else None
    return None if percent is None else f"{percent:+} %" if percent else "±0 %"


def plan_fit(value: str) -> str:
    """Whether the plan fits, or which would have cost less."""
    return "–" if not value else "Fits" if value == "fits" else f"{badges.word(value)} costs less"


def files(path: str, **given: object) -> dict[str, str]:
    """Where the data of a chart or table can be downloaded, by form."""
    query = urlencode({name: str(value) for name, value in given.items() if value not in (None, "")})
    return {form: f"/api/usage/{path}.{form}" + (f"?{query}" if query else "") for form in ("csv", "xlsx")}
