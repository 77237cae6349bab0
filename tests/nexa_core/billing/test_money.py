"""Money is read as it is written, to the minor unit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexa_core import billing
from nexa_core.errors import Invalid

CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD", "INR"])


@given(minor=st.integers(0, 10**14), currency=CURRENCIES)
def test_an_amount_that_was_written_is_read_as_the_same(minor: int, currency: str) -> None:
    amount = billing.written(minor, currency).removesuffix(f" {currency}")
    assert billing.parsed(amount, currency) == minor
    if currency == "EUR":  # as it is written in Germany, Switzerland and France
        for thousands, point in ((".", ","), ("’", "."), ("\u202f", ","), ("", ",")):
            there = amount.replace(",", "_").replace(".", point).replace("_", thousands)
            assert billing.parsed(there, currency, point="," if point == "," else ".") == minor


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("49", "EUR", 4_900), (" 49.5 ", "EUR", 4_950), ("1’190", "EUR", 119_000), ("8,400", "JPY", 8_400),
     ("1.5", "KWD", 1_500), ("0", "EUR", 0)],
)  # fmt: skip
def test_an_amount_is_read_as_it_is_meant(text: str, currency: str, minor: int) -> None:
    assert billing.parsed(text, currency) == minor


@pytest.mark.parametrize(
    "text", ["", "-5", "49.005", "1,19,0", "1,190,00", "NaN", "1e3", "1.190,00", "٤٩", "12.34.56", "9" * 16]
)
def test_what_is_no_amount_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(Invalid):
        billing.parsed(text, "EUR")


def test_a_currency_has_no_smaller_unit_than_it_has() -> None:
    with pytest.raises(Invalid, match="no digits after the point"):
        billing.parsed("8400.5", "JPY")
