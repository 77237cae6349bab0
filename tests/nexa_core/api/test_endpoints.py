"""The endpoints below /api: what they answer, and that bad requests get a clear 4xx."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest

from nexa_core import accounts, api, db
from nexa_core.actor import Origin
from nexa_core.system import checks
from tests.nexa_core.api.conftest import PASSWORD

JSON = {"content-type": "application/json"}


def _tokens(server: Any, email: str = "ada@northwind.example", **members: Any) -> dict[str, Any]:
    with server.client(origin="") as client:
        answer = client.post("/api/auth/token", json={"email": email, "password": PASSWORD, **members})
    assert answer.status_code == 200, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens


def test_the_cookie_is_opaque_and_out_of_reach_of_scripts(server: Any, people: Any) -> None:
    ticket = accounts.sign_in(Origin(), email="ada@northwind.example", password=PASSWORD).ticket
    with server.client() as client:
        answer = client.post("/api/auth/cookie", json={"ticket": ticket})
        again = client.post("/api/auth/cookie", json={"ticket": ticket})
    assert (answer.status_code, answer.content) == (204, b"")
    value, *attributes = answer.headers["set-cookie"].split("; ")
    assert len(value.partition("nexa=")[2]) >= 43  # 256 bits in base64
    named = dict(attribute.partition("=")[::2] for attribute in attributes)
    assert {"HttpOnly", "Path", "SameSite", "Max-Age"} == set(named)
    assert (named["Path"], named["SameSite"].lower()) == ("/", "lax")
    assert 12 * 3600 - 60 < int(named["Max-Age"]) <= 12 * 3600
    assert again.status_code == 401  # a ticket is good for one use


def test_the_cookie_cannot_be_planted_from_another_page(server: Any, people: Any) -> None:
    ticket = accounts.sign_in(Origin(), email="ada@northwind.example", password=PASSWORD).ticket
    with server.client(origin="http://evil.example") as client:
        assert client.post("/api/auth/cookie", json={"ticket": ticket}).status_code == 403
    with server.client(origin="") as client:
        assert client.post("/api/auth/cookie", json={"ticket": ticket}).status_code == 403
    with server.client() as client:
        assert client.post("/api/auth/cookie", content=json.dumps({"ticket": ticket})).status_code == 415


def test_signing_out_clears_the_cookie_even_when_it_is_dead(server: Any, people: Any) -> None:
    cookie = server.sign_in("ada@northwind.example")
    for value in (cookie, cookie, None):
        with server.client(value) as client:
            answer = client.post("/api/auth/sign-out")
        assert answer.status_code == 204
        assert 'nexa=""' in answer.headers["set-cookie"]
        assert "Max-Age=0" in answer.headers["set-cookie"]


def test_a_program_gets_tokens_uses_and_refreshes_them_and_logs_out(server: Any, people: Any) -> None:
    first = _tokens(server)
    assert set(first) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (first["token_type"], first["expires_in"]) == ("Bearer", 600)
    with server.client(origin="") as client:
        me = client.get("/api/me", headers={"authorization": f"Bearer {first['access_token']}"})
        assert me.status_code == 200, me.text
        second = client.post("/api/auth/refresh", json={"refresh_token": first["refresh_token"]}).json()
        bearer = {"authorization": f"Bearer {second['access_token']}"}
        assert client.post("/api/auth/logout", headers=bearer).status_code == 204
        refused = client.get("/api/me", headers=bearer)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == 'Bearer realm="nexa", error="invalid_token"'
        assert client.post("/api/auth/refresh", json={"refresh_token": second["refresh_token"]}).status_code == 401


def test_a_refresh_token_met_again_ends_the_family(server: Any, people: Any) -> None:
    first = _tokens(server)
    with server.client(origin="") as client:
        second = client.post("/api/auth/refresh", json={"refresh_token": first["refresh_token"]}).json()
        assert client.post("/api/auth/refresh", json={"refresh_token": first["refresh_token"]}).status_code == 401
        refused = client.get("/api/me", headers={"authorization": f"Bearer {second['access_token']}"})
    assert refused.status_code == 401


def test_me_says_who_and_where_and_what_they_may(server: Any, people: Any) -> None:
    with server.client(server.sign_in("ada@northwind.example")) as client:
        me = client.get("/api/me").json()
    assert me["user"]["email"] == "ada@northwind.example"
    assert me["organization"] == {"id": str(people["northwind"]), "name": "Northwind", "slug": "northwind"}
    assert me["role"] == "owner"
    assert me["permissions"] == sorted(me["permissions"])
    assert me["permissions"]


def test_a_locked_account_says_when_to_try_again(server: Any, people: Any) -> None:
    with server.client(origin="") as client:
        statuses = [
            client.post("/api/auth/token", json={"email": "ben@northwind.example", "password": "wrong" * 5})
            for _ in range(7)
        ]
    assert statuses[0].status_code == 401
    assert statuses[-1].status_code == 429
    assert int(statuses[-1].headers["retry-after"]) > 0


@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/api/",
        "/api/nope",
        "/api/me/",
        "/api/me/x",
        "/api/auth",
        "/api/%2e%2e/x",
        "/api/%00",
        "/api/a%5cb",
        "/api/C:/x",
        "/api/ü",
    ],
)
def test_an_unknown_path_is_a_problem_and_never_a_page(server: Any, database: Any, path: str) -> None:
    with server.client() as client:
        answer = client.get(path)
    problem = answer.json()
    assert answer.status_code == problem["status"] in (400, 404)
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(problem) == {"type", "title", "status", "detail", "instance"}
    assert problem["instance"] == f"urn:uuid:{answer.headers['x-request-id']}"


def test_a_wrong_method_says_which_is_right(server: Any, database: Any) -> None:
    with server.client() as client:
        answer = client.delete("/api/me")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", JSON, 400),
        (b"{", JSON, 400),
        (b"\xff", JSON, 400),
        (b'{"email":"a@b.c","email":"x@y.z","password":"x"}', JSON, 400),
        (b'{"email":NaN,"password":"x"}', JSON, 400),
        (b'{"email":"a\\u0000@b.c","password":"x"}', JSON, 400),
        (b'{"email":"\\ud800","password":"x"}', JSON, 400),
        (b"[" * 100_000, JSON, 400),
        (b"[]", JSON, 422),
        (b"null", JSON, 422),
        (b"{}", JSON, 422),
        (b'{"email":"a@b.c"}', JSON, 422),
        (b'{"email":1,"password":"x"}', JSON, 422),
        (b'{"email":"a@b.c","password":"x","admin":true}', JSON, 422),
        (b'{"email":"a@b.c","password":"' + b"x" * 2000 + b'"}', JSON, 422),
        (b'{"email":"a@b.c","password":"' + b"x" * 1_100_000 + b'"}', JSON, 413),
        (b"{}", {"content-type": "text/plain"}, 415),
        (b"{}", {"content-type": "application/x-www-form-urlencoded"}, 415),
        (b"{}", {**JSON, "content-encoding": "gzip"}, 415),
        (b"{}", {}, 415),
    ],
)
def test_a_bad_body_is_refused_and_says_why(
    server: Any, database: Any, body: bytes, headers: dict[str, str], status: int
) -> None:
    with server.client() as client:
        answer = client.post("/api/auth/token", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].endswith(".")


def test_a_body_without_a_declared_length_is_limited_too(server: Any, database: Any) -> None:
    def endless() -> Any:
        for _ in range(40):
            yield b" " * 65536

    with server.client() as client:
        assert client.post("/api/auth/token", content=endless(), headers=JSON).status_code == 413


def test_a_field_that_is_wrong_is_named(server: Any, database: Any) -> None:
    with server.client() as client:
        problem = client.post("/api/auth/token", json={"email": "a@b.c", "password": "x", "admin": True}).json()
    assert problem["field"] == "admin"
    assert problem["errors"] == [{"field": "admin", "message": "Extra inputs are not permitted"}]


def test_what_was_sent_is_never_repeated_in_an_error(server: Any, database: Any) -> None:
    with server.client() as client:
        for secret in ({"email": "a@b.c", "password": ["hunter2-canary"]}, {"email": {"x": "hunter2-canary"}}):
            assert "hunter2-canary" not in client.post("/api/auth/token", json=secret).text


@pytest.mark.parametrize(
    "value",
    ["", b"Bearer \xe4.\xf6.\xfc", "Bearer", "Basic YTpi", "Bearer x.y.z", "bearer ~", "Bearer " + "x" * 5000],
)
def test_a_bad_authorization_header_is_401_even_beside_a_good_cookie(
    server: Any, people: Any, value: str | bytes
) -> None:
    with server.client(server.sign_in("ada@northwind.example")) as client:
        answer = client.get("/api/me", headers=[(b"authorization", value)])
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("value", ["bearer \x7f", "bearer a\x01b"])
def test_a_header_that_is_no_http_goes_no_further_than_the_server(server: Any, people: Any, value: str) -> None:
    """RFC 9110, 5.5: no control characters in a field's value. It is refused before anybody is asked who it is."""
    with server.client(server.sign_in("ada@northwind.example")) as client:
        answer = client.get("/api/me", headers=[(b"authorization", value.encode())])
    assert answer.status_code == 400
    assert "ada" not in answer.text


def test_liveness_asks_nobody_and_readiness_asks_the_database(server: Any, database: Any) -> None:
    with server.client() as client:
        assert client.get("/api/healthz").json() == {"status": "ok"}
        ready = client.get("/api/readyz")
    assert ready.status_code == 200, ready.text
    assert ready.headers["cache-control"] == "no-store"
    assert ready.json()["ready"] is True
    db.configure("postgresql://nexa_app@127.0.0.1:1/nowhere")
    with server.client() as client:
        assert client.get("/api/healthz").status_code == 200
        answer = client.get("/api/readyz")
    assert answer.status_code == 503
    assert answer.json()["ready"] is False
    assert set(answer.headers) >= {"content-security-policy", "x-request-id"}


def test_whoever_asks_often_whether_it_is_ready_makes_nobody_look_often(
    server: Any, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[None] = []
    look = checks._invariants
    monkeypatch.setattr(checks, "_invariants", lambda db: looks.append(None) or look(db))
    checks._kept.clear()
    with server.client() as client:
        for _ in range(5):
            assert client.get("/api/readyz").json()["checks"]["invariants"] == "ok"
        assert len(looks) == 1
        monkeypatch.setattr(checks, "_KEPT_SECONDS", 0.0)
        checks._kept.clear()
        for _ in range(2):
            client.get("/api/readyz")
        assert len(looks) == 3


def test_metrics_are_closed_to_strangers_and_to_customers(
    server: Any, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nexa_core.config import settings

    with server.client() as client:
        assert client.get("/api/metrics").status_code == 401
        assert client.get("/api/metrics", headers={"authorization": "Bearer None"}).status_code == 401
        monkeypatch.setenv("NEXA_METRICS_TOKEN", "a-token-for-the-scraper")
        settings.cache_clear()
        assert client.get("/api/metrics", headers={"authorization": "Bearer a-token"}).status_code == 401
        scraped = client.get("/api/metrics", headers={"authorization": "Bearer a-token-for-the-scraper"})
    assert scraped.status_code == 200
    with server.client(server.sign_in("ada@northwind.example")) as client:
        refused = client.get("/api/metrics")
    assert refused.status_code == 403
    assert refused.json()["explanation"]["deciding"] == "role"
    with server.client(server.sign_in("root@nexa.example")) as client:
        assert client.get("/api/metrics").status_code == 200


def test_metrics_count_by_route_and_never_by_path(server: Any, people: Any) -> None:
    with server.client(server.sign_in("root@nexa.example")) as client, server.tab():
        client.get("/api/canary-path")
        client.get("/canary-path")
        client.request("CANARY", "/")
        text = client.get("/api/metrics").text
    assert "canary" not in text.lower()
    for line in (
        'nexa_http_requests_total{method="POST",route="/api/auth/cookie",status="204"}',
        'nexa_http_request_seconds_bucket{le="0.005",method="GET",route="page"}',
        'nexa_open_websockets{kind="anonymous"} ',
        "nexa_password_verifications_total",
        'nexa_database_connections{state="in_use"}',
    ):
        assert line in text, line


def test_the_description_matches_what_is_served(server: Any, people: Any) -> None:
    with server.client(server.sign_in("ada@northwind.example")) as client:
        document = client.get("/api/openapi.json").json()
        served = {(one.method.lower(), "/api" + re.sub(r":\w+}", "}", one.path)) for one in api.endpoints()}
        assert {(method, path) for path, methods in document["paths"].items() for method in methods} == served
        for path in ("/api/me", "/api/healthz", "/api/readyz"):
            answers = document["paths"][path]["get"]["responses"]
            schema = {**answers["200"]["content"]["application/json"]["schema"], "components": document["components"]}
            jsonschema.validate(client.get(path).json(), schema)
        problem = {**document["components"]["schemas"]["Problem"]}
        jsonschema.validate(client.get("/api/nope").json(), problem)
