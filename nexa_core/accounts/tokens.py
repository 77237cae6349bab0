"""The secrets that stand for a person: opaque 256-bit tokens, of which only a digest is kept, and signed access tokens.

An access token follows RFC 9068 as far as one issuer and one audience need it. Everything is checked on the way in,
because PyJWT by itself accepts a token without an expiry and ignores ``typ``.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass
from uuid import UUID, uuid4

import jwt
from jwt.utils import base64url_decode, base64url_encode

from nexa_core.config import settings
from nexa_core.errors import Unauthenticated

ACCESS_TOKEN_SECONDS = 600
AUDIENCE = "nexa-api"
TYPE = "at+jwt"
ALGORITHM = "HS256"
_CLAIMS = ("aud", "exp", "iat", "iss", "jti", "sid", "sub")
_LONGEST_TOKEN = 4096


def new_secret() -> str:
    """256 random bits, safe in a URL and in a cookie."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is stored of a secret: SHA-256 in hex. The secret is random, so it needs no salt and no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """Whose token it is, and of which sign-in; whether that sign-in still lives, only the database knows."""

    user_id: UUID
    user_session_id: UUID


def issue_access_token(*, user_id: UUID, user_session_id: UUID) -> str:
    """A token of ten minutes, signed with the first of the signing keys."""
    kid, key = next(iter(settings().signing_keys.items()))
    now = int(time.time())
    claims = {
        "iss": settings().public_url,
        "aud": AUDIENCE,
        "sub": str(user_id),
        "sid": str(user_session_id),
        "jti": str(uuid4()),
        "iat": now,
        "exp": now + ACCESS_TOKEN_SECONDS,
    }
    return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": kid, "typ": TYPE})


def read_access_token(token: str) -> AccessClaims:
    """What a token says, when every part of it is exactly as NEXA would have made it; raises Unauthenticated."""
    try:
        return _read(token)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError) as wrong:
        raise Unauthenticated("The access token is not valid, or it has expired.") from wrong


def _read(token: str) -> AccessClaims:
    parts = token.split(".")
    # base64 tolerates stray bits in the last character; a token has one spelling only.
    if len(token) > _LONGEST_TOKEN or any(base64url_encode(base64url_decode(p)).decode() != p for p in parts):
        raise ValueError("not spelled as NEXA spells it")
    header = jwt.get_unverified_header(token)
    if set(header) != {"alg", "kid", "typ"} or header["typ"] != TYPE or header["alg"] != ALGORITHM:
        raise ValueError("not a header of NEXA's")
    claims = jwt.decode(
        token,
        settings().signing_keys[header["kid"]],
        algorithms=[ALGORITHM],
        audience=AUDIENCE,
        issuer=settings().public_url,
        options={"require": list(_CLAIMS), "strict_aud": True},
    )
    issued, expires = claims["iat"], claims["exp"]
    if type(issued) is not int or type(expires) is not int or not 0 < expires - issued <= ACCESS_TOKEN_SECONDS:
        raise ValueError("lives longer than NEXA's tokens do")
    UUID(claims["jti"])
    return AccessClaims(user_id=UUID(claims["sub"]), user_session_id=UUID(claims["sid"]))
