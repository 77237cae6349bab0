"""A program's tokens: each accepted in one spelling, rotated once, and dead with its family."""

from __future__ import annotations

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import jwt
import pytest

from nexa_core import accounts
from nexa_core.actor import Origin
from nexa_core.config import settings
from nexa_core.errors import LimitExceeded, NotFound, Unauthenticated

PASSWORD = "correct horse battery staple"
FROM = Origin(ip_address="203.0.113.9", user_agent="exporter/2.1")
EMAIL = "ada@northwind.example"


@pytest.fixture
def ada(world):
    return world.person(EMAIL, world.organization("Northwind"), "owner")


def issued(**more) -> accounts.TokenPair:
    return accounts.issue_tokens(FROM, email=EMAIL, password=PASSWORD, **more)


def refused(token: str) -> bool:
    try:
        accounts.actor_of_access_token(FROM, access_token=token)
    except Unauthenticated:
        return True
    return False


def test_a_pair_of_tokens_stands_for_the_person_in_the_organization_asked_for(database, world, ada):
    contoso = world.organization("Contoso")
    world.person("owner@contoso.example", contoso, "owner")
    world.membership(ada, contoso, "viewer")
    pair = issued(organization="contoso")
    actor = accounts.actor_of_access_token(FROM, access_token=pair.access_token)
    assert (actor.user_id, actor.organization_id, actor.role) == (ada, contoso, "viewer")
    assert pair.expires_in == 600
    claims = jwt.decode(pair.access_token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 600
    assert set(claims) == {"iss", "aud", "sub", "sid", "jti", "iat", "exp"}
    with pytest.raises(NotFound):
        issued(organization="fabrikam")


def test_tokens_and_sign_in_share_one_lock(database, ada):
    for _ in range(5):
        with pytest.raises((Unauthenticated, LimitExceeded)):
            accounts.issue_tokens(FROM, email=EMAIL, password="wrong")
    with pytest.raises(LimitExceeded):
        accounts.sign_in(FROM, email=EMAIL, password=PASSWORD)


def test_a_browser_cookie_is_no_access_token_and_an_api_sign_in_has_no_cookie(database, ada):
    cookie = accounts.open_browser_sign_in(FROM, ticket=accounts.sign_in(FROM, email=EMAIL, password=PASSWORD).ticket)
    pair = issued()
    assert refused(cookie.cookie)
    for secret in (pair.access_token, pair.refresh_token):
        with pytest.raises(Unauthenticated):
            accounts.actor_of_cookie(FROM, cookie=secret)
    # Signed by us, but for a browser's sign-in: no token was ever issued for one.
    from nexa_core.accounts import tokens

    assert refused(tokens.issue_access_token(user_id=ada, user_session_id=cookie.user_session_id))


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _mutations(token: str, other: str) -> dict[str, str]:
    """More than 24 tokens that differ from a good one in one thing each."""
    kid, key = next(iter(settings().signing_keys.items()))
    header, payload, signature = token.split(".")
    claims = jwt.decode(token, options={"verify_signature": False})
    now = int(time.time())
    good = {"kid": kid, "typ": "at+jwt"}

    def signed(claims: dict, *, key: str = key, alg: str = "HS256", **header: object) -> str:
        return jwt.encode(claims, key, algorithm=alg, headers={**good, **header})

    def without(name: str) -> dict:
        return {k: v for k, v in claims.items() if k != name}

    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = last[last.index(signature[-1]) ^ 1]  # the last character's spare bits: same bytes, another spelling
    unsigned = _part({"alg": "none", **good})
    return {
        "alg none": f"{unsigned}.{payload}.",
        "alg none with the signature": f"{unsigned}.{payload}.{signature}",
        "alg HS512": signed(claims, alg="HS512"),
        "another key": signed(claims, key="x" * 64),
        "an unknown kid": signed(claims, kid="another"),
        "no kid": jwt.encode(claims, key, algorithm="HS256", headers={"typ": "at+jwt"}),
        "a foreign header": signed(claims, jku="https://evil.example/keys"),
        "critical extension": signed(claims, crit=["b64"], b64=True),
        "typ JWT": signed(claims, typ="JWT"),
        "no typ": jwt.encode(claims, key, algorithm="HS256", headers={"kid": kid, "typ": None}),
        **{f"without {name}": signed(without(name)) for name in ("aud", "exp", "iat", "iss", "jti", "sid", "sub")},
        "another audience": signed({**claims, "aud": "another"}),
        "audiences": signed({**claims, "aud": ["nexa-api", "another"]}),
        "another issuer": signed({**claims, "iss": "https://evil.example"}),
        "expired": signed({**claims, "iat": now - 700, "exp": now - 100}),
        "not yet valid": signed({**claims, "nbf": now + 300}),
        "issued in the future": signed({**claims, "iat": now + 300, "exp": now + 900}),
        "a year of life": signed({**claims, "exp": now + 365 * 86400}),
        "another person": signed({**claims, "sub": str(uuid4())}),
        "another sign-in": signed({**claims, "sid": str(uuid4())}),
        "payload of another token": f"{header}.{other.split('.')[1]}.{signature}",
        "signature of another token": f"{header}.{payload}.{other.split('.')[2]}",
        "another spelling of the signature": f"{header}.{payload}.{signature[:-1]}{twin}",
        "a cut signature": f"{header}.{payload}.{signature[:-4]}",
        "no signature": f"{header}.{payload}.",
        "a fourth part": f"{token}.{signature}",
        "padding": f"{token}=",
    }


def test_every_mutated_access_token_is_refused(database, ada):
    token, other = issued().access_token, issued().access_token
    assert not refused(token)
    mutations = _mutations(token, other)
    assert len(mutations) >= 24
    assert len(set(mutations.values()) | {token, other}) == len(mutations) + 2
    accepted = [name for name, mutated in mutations.items() if not refused(mutated)]
    assert accepted == []
    assert not refused(token)


def test_a_new_key_signs_and_the_old_one_still_verifies_until_it_is_taken_away(database, ada, monkeypatch):
    old, new = "old:" + "aB3dE5gH7jK9mN1pQ3rS5tU7vW9xY1zA", "new:" + "zY1xW9vU7tS5rQ3pN1mK9jH7gE5dB3aC"

    def keys(*pairs: str) -> None:
        monkeypatch.setenv("NEXA_SECRET_KEYS", ",".join(pairs))
        settings.cache_clear()

    keys(old)
    first = issued().access_token
    keys(new, old)
    second = issued().access_token
    assert jwt.get_unverified_header(second)["kid"] == "new"
    assert not refused(first)
    assert not refused(second)
    keys(new)
    assert refused(first)
    assert not refused(second)


def test_a_refresh_token_is_traded_once_for_a_new_pair_of_the_same_sign_in(database, ada):
    first = issued()
    second = accounts.refresh_tokens(FROM, refresh_token=first.refresh_token)
    third = accounts.refresh_tokens(FROM, refresh_token=second.refresh_token)
    assert len({first.refresh_token, second.refresh_token, third.refresh_token}) == 3
    sign_ins = {
        accounts.actor_of_access_token(FROM, access_token=p.access_token).user_session_id for p in (first, third)
    }
    assert len(sign_ins) == 1


def test_a_spent_refresh_token_ends_its_family_and_is_audited_once(database, ada):
    first, bystander = issued(), issued()
    second = accounts.refresh_tokens(FROM, refresh_token=first.refresh_token)
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            accounts.refresh_tokens(FROM, refresh_token=first.refresh_token)
    with pytest.raises(Unauthenticated):
        accounts.refresh_tokens(FROM, refresh_token=second.refresh_token)
    assert refused(first.access_token)
    assert refused(second.access_token)
    assert not refused(bystander.access_token)
    with database.superuser() as connection:
        audited = connection.execute(
            "SELECT user_id, new_values->>'revoked_reason' FROM audit_logs WHERE action = 'sign_in.refresh_reused'"
        ).fetchall()
    assert audited == [(ada, "refresh_token_reused")]


def test_of_a_hundred_families_with_twenty_parallel_replays_each_one_wins_and_none_lives_after(database, ada):
    database.configure(pool_size=20)
    families = [issued() for _ in range(100)]

    def replay(token: str) -> accounts.TokenPair | None:
        try:
            return accounts.refresh_tokens(FROM, refresh_token=token)
        except Unauthenticated:
            return None

    with ThreadPoolExecutor(20) as pool:
        for family in families:
            winners = [won for won in pool.map(replay, [family.refresh_token] * 20) if won]
            assert len(winners) == 1
            assert replay(winners[0].refresh_token) is None
            assert refused(winners[0].access_token)
            assert refused(family.access_token)
    with database.superuser() as connection:
        alive = connection.execute("SELECT count(*) FROM active_user_sessions").fetchone()
        audited = connection.execute(
            "SELECT count(*) FROM audit_logs WHERE action = 'sign_in.refresh_reused'"
        ).fetchone()
    assert (alive, audited) == ((0,), (100,))


def test_a_refresh_is_refused_when_the_sign_in_has_ended_or_its_person_may_not_enter(database, world, ada):
    pair = issued()
    with database.superuser() as connection, connection.transaction():
        world.name_the_change(connection)
        connection.execute("UPDATE users SET status = 'suspended'")
    with pytest.raises(Unauthenticated):
        accounts.refresh_tokens(FROM, refresh_token=pair.refresh_token)
    with database.superuser() as connection, connection.transaction():
        world.name_the_change(connection)
        connection.execute("UPDATE users SET status = 'active'")
    pair = accounts.refresh_tokens(FROM, refresh_token=pair.refresh_token)
    accounts.sign_out(accounts.actor_of_access_token(FROM, access_token=pair.access_token))
    with pytest.raises(Unauthenticated):
        accounts.refresh_tokens(FROM, refresh_token=pair.refresh_token)
