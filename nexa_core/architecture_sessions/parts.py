"""Parts of documents: an id for a new one."""

from __future__ import annotations

import secrets

from nexa_core.architecture_sessions.documents import PREFIXES


def new_id(kind: str) -> str:
    """An id for a new part of a kind of ``documents.PREFIXES``, such as ``req-5f3a9c01``.

    Random, not counted: two people who add a part at the same moment add two parts.
    """
    return f"{PREFIXES[kind]}-{secrets.token_hex(4)}"
