"""Which gate of the server a path leads to: Streamlit's own routes too, and what it may add below /_stcore closed."""

from __future__ import annotations

from enum import Enum
from typing import Final


class Gate(Enum):
    """How a path is guarded; the value is what metrics and logs call it."""

    PAGE = "page"  # the public shell (index.html) and its assets: the same bytes for everybody, no database
    ASSET = "asset"
    HEALTH = "health"  # Streamlit's own liveness and host configuration
    STREAM = "stream"  # the WebSocket of a Streamlit session
    API = "api"  # endpoints look after their own sign-in
    MEDIA = "media"  # what screens show or let people download: signed in only
    UPLOAD = "upload"
    SHARE = "share"  # pages for visitors with a token: no sign-in counts there, and nothing of the shell
    CLOSED = "closed"  # nobody: Streamlit's metrics, agent, script check and OAuth routes


NEEDS_SIGN_IN: Final = frozenset({Gate.MEDIA, Gate.UPLOAD})
# Read from streamlit/web/server/starlette/*.py of 1.67; everything else below /_stcore is closed.
_EXACT: Final = {
    "/_stcore/health": Gate.HEALTH,
    "/_stcore/host-config": Gate.HEALTH,
    "/_stcore/stream": Gate.STREAM,
    "/auth/login": Gate.CLOSED,
    "/auth/logout": Gate.CLOSED,
    "/oauth2callback": Gate.CLOSED,
    "/api": Gate.API,
    "/media": Gate.MEDIA,
    "/share": Gate.CLOSED,
    "/_stcore": Gate.CLOSED,
}
_PREFIXES: Final = (
    ("/api/", Gate.API),
    ("/share/", Gate.SHARE),
    ("/_stcore/bidi-components/", Gate.ASSET),
    ("/_stcore/upload_file/", Gate.UPLOAD),
    ("/_stcore/", Gate.CLOSED),
    ("/media/", Gate.MEDIA),
    ("/static/", Gate.ASSET),
    ("/component/", Gate.ASSET),
    ("/app/static/", Gate.ASSET),
)


def gate_of(path: str) -> Gate:
    """The gate a request path stands before; expects Streamlit at the root (no ``server.baseUrlPath``)."""
    exact = _EXACT.get(path)
    if exact is not None:
        return exact
    return next((gate for prefix, gate in _PREFIXES if path.startswith(prefix)), Gate.PAGE)
