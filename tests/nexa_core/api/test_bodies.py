"""JSON bodies are read strictly, and nothing that a client sends is an internal error."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexa_core.api.bodies import BodyError, parse_json

DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nope",
        b'{"a":1}{',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1e999}',
        b"\xff\xfe",
        b'{"a":"\x00"}',
        b'{"a":"\\u0000"}',
        b'{"a":"\\ud800"}',
        b'{"\\udfff":1}',
        b'{"a":1,"a":2}',
        b'{"x":{"a":1,"a":1}}',
        b"9" * 5000,
        DEEP,
        b'{"a":' * 50_000,
        b"\xef\xbb\xbf{}",
    ],
)
def test_an_unreadable_body_is_refused_with_a_sentence(body: bytes) -> None:
    with pytest.raises(BodyError) as refused:
        parse_json(body)
    assert refused.value.status == 400
    assert refused.value.sentence.endswith(".")


@given(st.binary(max_size=200))
def test_no_body_whatever_raises_anything_else(body: bytes) -> None:
    with contextlib.suppress(BodyError):
        parse_json(body)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text('abcäß€😀 "\\\n'),
        lambda x: st.lists(x) | st.dictionaries(st.text("abc"), x),
    )
)
def test_what_json_can_say_is_read_as_it_was_meant(value: object) -> None:
    assert parse_json(json.dumps(value).encode()) == value
