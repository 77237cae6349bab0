"""Money as integer minor units: how many a currency has (ISO 4217), how an amount is written, and how it is read."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Literal

from nexa_core.errors import Invalid

#: Digits after the point, where they are not two (ISO 4217, list one).
_DIGITS = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF"), 0
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
# Thousands are grouped by one sign throughout, or not at all.
_AMOUNTS = {
    point: re.compile(
        rf"(\d{{1,3}}(?:([{other}’' \u00a0\u202f])\d{{3}})(?:\2\d{{3}})*|\d{{1,15}})(?:[{point}](\d+))?", re.ASCII
    )
    for point, other in (".,", ",.")
}


def digits(currency: str) -> int:
    """How many digits after the point amounts of a currency have."""
    return _DIGITS.get(currency, 2)


def decimal(minor: int, currency: str) -> Decimal:
    """Minor units as the amount a person reads; exact."""
    return Decimal(minor).scaleb(-digits(currency))


def written(minor: int, currency: str) -> str:
    """``-1,234.50 EUR``, ``8,400 JPY``: the same on every screen and in every file."""
    return f"{decimal(minor, currency):,.{digits(currency)}f} {currency}"


def parsed(text: str, currency: str, *, point: Literal[".", ","] = ".") -> int:
    """Minor units of an amount as a person types it: ``1190``, ``1,190.00``; with ``point=","`` ``1.190,00``.

    Raises Invalid for what is no amount, and for more digits after the point than the currency has.
    """
    found, places = _AMOUNTS[point].fullmatch(text.strip()), digits(currency)
    if found is None:
        raise Invalid(f"“{text[:30]}” is no amount of money; write it as {written(123_450, currency)}.", field="amount")
    fraction = found[3] or ""
    if len(fraction) > places:
        most = f"at most {places} digits after the point" if places else "no digits after the point"
        raise Invalid(f"{currency} has {most}.", field="amount")
    return int(re.sub(r"\D", "", found[1]) + fraction.ljust(places, "0"))
