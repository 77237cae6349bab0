"""Money as integer minor units: how many a currency has (ISO 4217), and how an amount is written."""

from __future__ import annotations

from decimal import Decimal

#: Digits after the point, where they are not two (ISO 4217, list one).
_DIGITS = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF"), 0
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
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
