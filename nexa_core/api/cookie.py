"""The one cookie: an opaque value that scripts cannot read and other sites cannot send along."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.responses import Response

from nexa_core.config import settings


def cookie_name() -> str:
    """``__Host-nexa`` behind TLS, which browsers tie to this very host; ``nexa`` in development."""
    return "__Host-nexa" if settings().secure else "nexa"


def set_cookie(response: Response, value: str, expires_at: datetime) -> None:
    """Hand over the cookie for as long as the sign-in lasts."""
    lifetime = max(0, int((expires_at - datetime.now(UTC)).total_seconds()))
    response.set_cookie(
        cookie_name(), value, max_age=lifetime, path="/", httponly=True, samesite="lax", secure=settings().secure
    )


def clear_cookie(response: Response) -> None:
    response.delete_cookie(cookie_name(), path="/", httponly=True, samesite="lax", secure=settings().secure)
