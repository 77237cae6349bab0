"""A cursor names the values of a row, comes back as them, and what is none is refused with a sentence."""

from __future__ import annotations

import base64
import datetime as dt
import json
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexa_core import paging
from nexa_core.errors import Invalid

MOMENTS = st.datetimes(timezones=st.just(dt.UTC))
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


@given(TEXTS, MOMENTS, st.dates(), st.integers(-(2**63), 2**63 - 1), st.uuids())
def test_what_a_cursor_names_comes_back(
    text: str, at: dt.datetime, day: dt.date, number: int, identifier: UUID
) -> None:
    place = [text, at, day, number, identifier]
    cursor = paging.cursor(*place)
    assert paging.place(cursor, str, dt.datetime, dt.date, int, UUID) == place
    assert cursor.replace("-", "").replace("_", "").isalnum() and cursor.isascii(), "an address needs no escaping"


def told(*values: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


NOW = "2026-11-29T12:00:00+00:00"
IDENTIFIER = "0198a6b2-0000-7000-8000-000000000001"
KINDS = {"moment": dt.datetime, "day": dt.date, "number": int, "text": str, "identifier": UUID}


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "nonsense", "☃", "a b", "=" * 5, "A" * 99_999, told(), told(1, 2), told([]), told({"a": 1}), told(None),
     told(True), "bnVsbA", "e30"],
    ids=range(15),
)  # fmt: skip
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_what_is_no_cursor_is_refused(cursor: str, kind: type) -> None:
    with pytest.raises(Invalid, match="start from the first one"):
        paging.place(cursor, kind)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *[(dt.datetime, value) for value in (NOW[:19], "yesterday", 5, "10000-01-01T00:00:00Z")],
        *[(int, value) for value in (2**63, -(2**63) - 1, 1.5, "1", 10**400)],
        *[(str, value) for value in ("a\x00b", "half \ud83d", 5)],
        *[(UUID, value) for value in ("", IDENTIFIER[:-1], 5, f"{IDENTIFIER}' OR true --")],
        *[(dt.date, value) for value in ("2026-02-30", NOW, 5)],
    ],
)
def test_what_the_database_could_not_compare_is_refused(kind: type, value: object) -> None:
    with pytest.raises(Invalid, match="start from the first one"):
        paging.place(told(value), kind)


def test_the_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(Invalid):
        paging.place(paging.cursor("Northwind", uuid4()), dt.datetime, UUID)
