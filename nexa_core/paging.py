"""Where a page of a list begins: the sorted values of the row before it, as one word for an address (keyset paging)."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from typing import Any
from uuid import UUID

from nexa_core.errors import Invalid


def cursor(*place: object) -> str:
    """The page that begins after the row with these values: texts, whole numbers, moments, days and UUIDs."""
    told = json.dumps(place, default=lambda value: value.isoformat() if isinstance(value, dt.date) else str(value))
    return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")


def place(cursor: str, *kinds: type) -> list[Any]:
    """The values that a cursor names, each of its kind. Raises Invalid for what is no cursor of such a list."""
    try:
        found = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        if not isinstance(found, list):
            raise ValueError
        return [_value(value, kind) for value, kind in zip(found, kinds, strict=True)]
    except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error) as broken:
        raise lost() from broken


def lost() -> Invalid:
    """What is said of a cursor that leads nowhere."""
    return Invalid("This page of the list cannot be found; start from the first one.", field="after")


def _value(value: Any, kind: type) -> Any:
    """As the database can compare it: a moment knows its offset, a number fits, a text can be stored."""
    if kind is UUID:
        return UUID(value)
    if kind is dt.date:
        return dt.date.fromisoformat(value)
    if kind is dt.datetime:
        moment = dt.datetime.fromisoformat(value)
        if moment.utcoffset() is None:
            raise ValueError
        return moment
    if type(value) is not kind:
        raise ValueError
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError
    if isinstance(value, str) and "\x00" in value.encode().decode():  # half of a surrogate pair cannot be encoded
        raise ValueError
    return value
