"""Cells of the files people open in a spreadsheet."""

from __future__ import annotations

# What a spreadsheet takes for the beginning of a formula, as wide characters too (OWASP, CSV injection).
_FORMULA = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")


def neutral(value: object) -> object:
    """A cell that no spreadsheet runs; numbers and dates are none to begin with."""
    if isinstance(value, str) and (value.lstrip()[:1] in _FORMULA or value[:1] in "\t\r\n") and value:
        return "'" + value
    return value
