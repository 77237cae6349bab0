"""The security headers of every response."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

# The one inline script of Streamlit's index.html (`window.prerenderReady = false`); a test holds it to the version.
STREAMLIT_INLINE_SCRIPT: Final = "'sha256-THxz9J9+wf7rhwR2YkXJoSZ13UCmYyC+3lNDv2+8ugA='"

_POLICY: Final = {
    "default-src": "'self'",
    # blob: is how st.components.v2 loads its inline modules; there is no inline script, no eval and no foreign host.
    "script-src": f"'self' blob: 'wasm-unsafe-eval' {STREAMLIT_INLINE_SCRIPT}",
    "style-src": "'self' 'unsafe-inline'",  # Streamlit styles by emotion, plotly by attribute
    "img-src": "'self' data: blob: https:",  # avatars and logos are addresses that people enter
    "font-src": "'self' data:",
    "media-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "frame-src": "'self' blob: data:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",  # Streamlit frames its own components
}
_ALWAYS: Final = (
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "SAMEORIGIN"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-permitted-cross-domain-policies", "none"),
    (
        "permissions-policy",
        "accelerometer=(), autoplay=(), browsing-topics=(), camera=(), display-capture=(), geolocation=(), "
        "gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=(), xr-spatial-tracking=()",
    ),
)
# A visitor's page has no script, no frame, no font and nothing from elsewhere; where it leads tells nobody its address.
_VISITOR: Final = {
    "default-src": "'none'",
    "style-src": "'self'",
    "img-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
_VISITOR_ALWAYS: Final = {
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex, nofollow, noarchive",
    "cache-control": "no-store",
}


@lru_cache(maxsize=4)
def visitor_headers(*, picture: bool, secure: bool) -> tuple[tuple[bytes, bytes], ...]:
    """The headers of a shared page; a picture (an SVG may be opened by itself) may style itself and is sandboxed."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox" if picture else _written(_VISITOR)
    headers = {**dict(_ALWAYS), **_VISITOR_ALWAYS, "content-security-policy": policy}
    if secure:
        headers["strict-transport-security"] = "max-age=31536000"
    return tuple((name.encode(), value.encode()) for name, value in headers.items())


@lru_cache(maxsize=64)
def security_headers(host: str, *, secure: bool) -> tuple[tuple[bytes, bytes], ...]:
    """The headers for one of our host names; ``host`` must have been checked, for it goes into the policy.

    The WebSocket is named beside 'self' because Safari before 15.4 does not count it in.
    """
    policy = {**_POLICY, "connect-src": f"'self' data: blob: {'wss' if secure else 'ws'}://{host}"}
    headers = [*_ALWAYS, ("content-security-policy", _written(policy))]
    if secure:
        headers.append(("strict-transport-security", "max-age=31536000"))
    return tuple((name.encode(), value.encode()) for name, value in headers)


def _written(policy: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {value}" for name, value in policy.items())
