"""The header by which the guard tells a Streamlit session whose it is, and nobody else can."""

from __future__ import annotations

import hmac
import secrets
from typing import Final
from uuid import UUID

HEADER: Final = "x-nexa-sign-in"
# Drawn at every start: a header written by anything but this process names the wrong one.
_NONCE: Final = secrets.token_urlsafe(32)


def header_value(user_session_id: UUID) -> str:
    """What the guard writes into the header for a living sign-in."""
    return f"{_NONCE}.{user_session_id}"


def user_session_of(header_value: str | None) -> UUID | None:
    """The sign-in that a header value names, or None when this process did not write it."""
    nonce, _, user_session_id = (header_value or "").partition(".")
    if not hmac.compare_digest(nonce.encode(), _NONCE.encode()):
        return None
    try:
        return UUID(user_session_id)
    except ValueError:
        return None
