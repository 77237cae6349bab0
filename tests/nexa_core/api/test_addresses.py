"""Where a request comes from, believed only as far as settings say."""

from __future__ import annotations

import pytest

from nexa_core.api.addresses import client_address, host_is_allowed, is_same_origin


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "expected"),
    [
        ("203.0.113.7", [], (), "203.0.113.7"),
        ("203.0.113.7", ["10.1.1.1"], (), "203.0.113.7"),
        ("10.0.0.1", ["203.0.113.7"], ("10.0.0.0/8",), "203.0.113.7"),
        ("10.0.0.1", ["198.51.100.1, 203.0.113.7"], ("10.0.0.0/8",), "203.0.113.7"),
        ("10.0.0.1", ["198.51.100.1", "203.0.113.7, 10.0.0.2"], ("10.0.0.0/8",), "203.0.113.7"),
        ("10.0.0.1", ["203.0.113.7:4711"], ("10.0.0.1",), "203.0.113.7"),
        ("10.0.0.1", ["[2001:db8::1]:4711"], ("10.0.0.1",), "2001:db8::1"),
        ("10.0.0.1", ["unknown, '; DROP TABLE users"], ("10.0.0.1",), "10.0.0.1"),
        ("::ffff:203.0.113.7", [], (), "203.0.113.7"),
        ("testclient", ["203.0.113.7"], (), None),
        (None, ["203.0.113.7"], ("10.0.0.1",), None),
    ],
)
def test_only_a_trusted_proxy_may_say_who_the_client_is(
    peer: str | None, forwarded: list[str], trusted: tuple[str, ...], expected: str | None
) -> None:
    assert client_address(peer, forwarded, trusted) == expected


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8501", "nexa.example.", "[::1]:8501"])
def test_our_own_host_names_are_allowed_with_any_port(host: str) -> None:
    assert host_is_allowed(host, ("localhost", "nexa.example", "[::1]"))


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "evil.example",
        "localhost.evil.example",
        "evil@localhost",
        "localhost/x",
        "localhost:x",
        "localhost:99999",
        "localhost?",
        "localhost;script-src *",
        "local\thost",
        "localhost#",
        "localhost:８０",
        "nexa.example,evil.example",
        "a b",
    ],
)
def test_any_other_host_is_refused(host: str | None) -> None:
    assert not host_is_allowed(host, ("localhost", "nexa.example", "[::1]"))


@pytest.mark.parametrize(
    ("origin", "host", "public", "same"),
    [
        ("http://localhost:8501", "localhost:8501", "http://localhost:8501", True),
        ("http://127.0.0.1:8501", "127.0.0.1:8501", "http://localhost:8501", True),
        ("https://nexa.example", "nexa.example", "https://nexa.example", True),
        ("https://nexa.example", "10.0.0.5:8501", "https://nexa.example", True),
        ("https://nexa.example:443", "nexa.example", "https://nexa.example", True),
        ("http://nexa.example", "nexa.example", "https://nexa.example", False),
        ("http://localhost:3000", "localhost:8501", "http://localhost:8501", False),
        ("https://evil.example", "nexa.example", "https://nexa.example", False),
        ("https://nexa.example.evil.example", "nexa.example", "https://nexa.example", False),
        ("null", "nexa.example", "https://nexa.example", False),
        ("file://", "nexa.example", "https://nexa.example", False),
        ("http://[", "nexa.example", "https://nexa.example", False),
    ],
)
def test_a_page_is_ours_only_by_scheme_name_and_port(origin: str, host: str, public: str, same: bool) -> None:
    assert is_same_origin(origin, host, public) is same
