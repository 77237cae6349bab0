"""What stands before everything: who may come in, as whom, and what every answer carries."""

from __future__ import annotations

import re
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from nexa_core.api import headers as security
from nexa_core.api import identity

PAGES = ["/", "/home", "/organizations", "/account", "/system", "/set-password?token=x", "/nowhere/at/all"]
HEADERS = {
    "content-security-policy", "x-content-type-options", "x-frame-options", "referrer-policy", "permissions-policy",
    "cross-origin-opener-policy", "cross-origin-resource-policy", "x-request-id",
}  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_a_cold_deep_link_without_a_sign_in_serves_only_the_public_shell(server: Any, database: Any, path: str) -> None:
    with server.client() as client:
        shell, answer = client.get("/"), client.get(path)
    assert answer.status_code == 200
    assert answer.content == shell.content
    assert b"secret=" not in answer.content


def test_a_websocket_without_a_cookie_carries_no_identity(server: Any, database: Any) -> None:
    with server.tab() as tab:
        assert tab.rerun().shown("sign-in") == "None"


def test_a_websocket_with_a_dead_cookie_carries_no_identity(server: Any, people: Any) -> None:
    with server.tab("not-a-cookie-of-ours") as tab:
        assert tab.rerun().shown("sign-in") == "None"


def test_a_websocket_with_a_living_cookie_carries_its_sign_in(server: Any, people: Any, database: Any) -> None:
    cookie = server.sign_in("ada@northwind.example")
    with database.superuser() as connection:
        row = connection.execute("SELECT id FROM user_sessions").fetchone()
    with server.tab(cookie) as tab:
        assert tab.rerun().shown("sign-in") == str(row[0])


def test_a_forged_identity_header_is_ignored(server: Any, people: Any, database: Any) -> None:
    server.sign_in("ada@northwind.example")
    with database.superuser() as connection:
        row = connection.execute("SELECT id FROM user_sessions").fetchone()
    true_value = identity.header_value(row[0])  # even one that this process has written itself
    for name in ("x-nexa-sign-in", "X-Nexa-Sign-In", "x_nexa_sign_in"):
        with server.tab(**{name: true_value}) as tab:
            assert tab.rerun().shown("sign-in") == "None", name
        with server.client(**{name: true_value}) as client:
            assert true_value not in client.get("/echo").text
            assert client.get("/media/x").status_code == 401


def test_an_identity_written_by_another_process_names_nobody() -> None:
    own = identity.header_value(__import__("uuid").uuid4())
    assert identity.user_session_of(own) is not None
    for value in (
        None,
        "",
        ".",
        own[1:],
        own + "0",
        "x" + own,
        own.partition(".")[2],
        own.partition(".")[0] + ".x",
        "ä.ö",
    ):
        assert identity.user_session_of(value) is None


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "127.0.0.1@evil.example"])
@pytest.mark.parametrize("path", ["/", "/api/healthz", "/static/js/x.js", "/_stcore/health"])
def test_a_foreign_host_name_reaches_nothing(server: Any, database: Any, host: str, path: str) -> None:
    with server.client() as client:
        answer = client.get(path, headers={"host": host})
    assert answer.status_code == 400
    assert "evil" not in str(answer.headers)


@pytest.mark.parametrize("origin", [None, "http://evil.example", "http://localhost:1", "null", "https://localhost"])
def test_a_websocket_from_elsewhere_is_refused(server: Any, people: Any, origin: str | None) -> None:
    cookie = server.sign_in("ada@northwind.example")
    with pytest.raises(InvalidStatus) as refused, server.tab(cookie, origin=origin):
        pass
    assert refused.value.response.status_code == 403


def test_a_websocket_anywhere_else_is_refused(server: Any, database: Any) -> None:
    from websockets.sync.client import connect

    for path in ("/", "/_stcore/agent/mcp", "/media/x"):
        with pytest.raises(InvalidStatus) as refused, connect(f"ws://localhost:{server.port}{path}", origin=server.url):
            pass
        assert refused.value.response.status_code == 404


@pytest.mark.parametrize("origin", ["", "http://evil.example", "http://localhost:1", "null"])
def test_a_write_with_the_cookie_needs_our_own_origin(server: Any, people: Any, origin: str) -> None:
    cookie = server.sign_in("ada@northwind.example")
    with server.client(cookie, origin=origin) as client:
        for method, path in [
            ("POST", "/api/auth/sign-out"),
            ("POST", "/api/auth/logout"),
            ("PUT", "/_stcore/upload_file/a/b"),
        ]:
            assert client.request(method, path).status_code == 403, path
        assert client.get("/api/me").status_code == 200  # nothing came of it: still signed in


def test_a_program_without_a_cookie_needs_no_origin(server: Any, people: Any) -> None:
    with server.client(origin="") as client:
        answer = client.post("/api/auth/token", json={"email": "ada@northwind.example", "password": "wrong" * 4})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/media/x"),
        ("HEAD", "/media/x"),
        ("GET", "/media"),
        ("PUT", "/_stcore/upload_file/a/b"),
        ("DELETE", "/_stcore/upload_file/a/b"),
        ("OPTIONS", "/media/x"),
    ],
)
def test_media_and_uploads_are_closed_to_strangers(server: Any, people: Any, method: str, path: str) -> None:
    for cookie in (None, "not-a-cookie-of-ours"):
        with server.client(cookie) as client:
            answer = client.request(method, path)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_download_opens_for_the_signed_in_and_for_nobody_else(server: Any, people: Any) -> None:
    cookie = server.sign_in("ada@northwind.example")
    with server.tab(cookie) as tab:
        found = re.search(r"/media/[0-9a-f]+\.\w+", tab.rerun().screen)
        assert found is not None
        with server.client(cookie) as client:
            answer = client.get(found[0])
            assert answer.content == b"what only the signed-in may have"
            assert answer.headers["cache-control"] == "no-store"
        with server.client() as client:
            assert client.get(found[0]).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/metrics",
        "/_stcore/metrics?families=cache_memory_bytes",
        "/_stcore/agent/mcp",
        "/_stcore/agent/interact",
        "/_stcore/agent/openapi.json",
        "/_stcore/script-health-check",
        "/_stcore/whatever-comes-next",
        "/oauth2callback",
        "/auth/login",
        "/auth/logout",
    ],
)
def test_streamlits_metrics_and_agent_routes_are_closed_to_everybody(server: Any, people: Any, path: str) -> None:
    cookie = server.sign_in("root@nexa.example")
    for who in (None, cookie):
        for method in ("GET", "POST", "OPTIONS"):
            with server.client(who) as client:
                assert client.request(method, path).status_code == 404, (who, method)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/deep/link",
        "/static/nothing.js",
        "/_stcore/health",
        "/_stcore/metrics",
        "/media/x",
        "/api/healthz",
        "/api/me",
        "/api/nope",
        "/crash",
        "/../etc/passwd",
        "//evil.example",
        "/favicon.png",
        "/component/x/y.html",
    ],
)
def test_every_answer_carries_the_security_headers(server: Any, database: Any, path: str) -> None:
    with server.client() as client:
        answer = client.get(path)
    assert set(answer.headers) >= HEADERS, answer.status_code
    assert len(answer.headers.get_list("content-security-policy")) == 1
    assert "strict-transport-security" not in answer.headers  # plain http: it would lock people out


def test_https_adds_hsts_and_the_host_cookie(server: Any, people: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from nexa_core import accounts
    from nexa_core.actor import Origin
    from nexa_core.config import settings
    from tests.nexa_core.api.conftest import PASSWORD

    monkeypatch.setenv("NEXA_PUBLIC_URL", "https://nexa.example")
    monkeypatch.setenv("NEXA_ALLOWED_HOSTS", "localhost")
    settings.cache_clear()
    ticket = accounts.sign_in(Origin(), email="ada@northwind.example", password=PASSWORD).ticket
    with server.client(origin="https://nexa.example") as client:
        answer = client.post("/api/auth/cookie", json={"ticket": ticket})
        xsrf = client.get("/_stcore/health").headers["set-cookie"]
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    cookie = answer.headers["set-cookie"].split("; ")
    assert cookie[0].startswith("__Host-nexa=")
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= set(cookie)
    assert "Secure" in xsrf  # Streamlit's own cookie too


def test_the_policy_names_exactly_the_inline_script_of_this_streamlit() -> None:
    import base64
    import hashlib
    from pathlib import Path

    import streamlit

    html = (Path(streamlit.__file__).parent / "static" / "index.html").read_text()
    scripts = re.findall(r"<script>(.*?)</script>", html, re.S)
    hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts]
    assert hashes == [security.STREAMLIT_INLINE_SCRIPT]


def test_the_policy_allows_no_inline_script_no_eval_and_no_foreign_script() -> None:
    policy = dict(security.security_headers("localhost", secure=False))[b"content-security-policy"].decode()
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert not re.search(r"'unsafe-inline'|'unsafe-eval'|https?:|\*", scripts)


def test_a_request_id_is_ours_unless_a_trusted_proxy_brings_one(
    server: Any, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nexa_core.config import settings

    brought = "6f2c1f0e-7b53-4a57-9f55-6a3b6d1f2a11"
    with server.client(**{"x-request-id": brought}) as client:
        first, second = client.get("/api/healthz"), client.get("/echo")
        assert brought not in (first.headers["x-request-id"], second.text)
        assert first.headers["x-request-id"] != second.headers["x-request-id"]
        monkeypatch.setenv("NEXA_TRUSTED_PROXIES", "127.0.0.1, ::1")
        settings.cache_clear()
        assert client.get("/api/healthz").headers["x-request-id"] == brought
        assert client.get("/api/healthz", headers={"x-request-id": "'; DROP"}).headers["x-request-id"] != "'; DROP"


def test_a_forwarded_address_counts_only_from_a_trusted_proxy(
    server: Any, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nexa_core.config import settings

    with server.client(**{"x-forwarded-for": "203.0.113.9"}) as client:
        assert "host='203.0.113.9'" not in client.get("/echo").text
        with server.tab(**{"x-forwarded-for": "203.0.113.9"}) as tab:
            assert "203.0.113.9" not in tab.rerun().screen
        monkeypatch.setenv("NEXA_TRUSTED_PROXIES", "127.0.0.0/8, ::1")
        settings.cache_clear()
        assert "host='203.0.113.9'" in client.get("/echo").text
        with server.tab(**{"x-forwarded-for": "203.0.113.9"}) as tab:
            assert tab.rerun().shown("address") == "203.0.113.9"


def test_an_unforeseen_failure_is_an_incident_without_details(
    server: Any, database: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with server.client() as client:
        answer = client.get("/crash")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["incident"] == answer.headers["x-request-id"]
    assert "secret-of-a-traceback" not in answer.text


def test_every_answer_leaves_when_it_is_written(server: Any, database: Any) -> None:
    """The listening socket names no protocol, as Streamlit's does, so asyncio leaves its connections as they are."""
    with server.client() as client:
        assert client.get("/at-once").text == "1"
