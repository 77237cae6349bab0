"""The security headers of every response."""

from __future__ import annotations

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


@lru_cache(maxsize=64)
def security_headers(host: str, *, secure: bool) -> tuple[tuple[bytes, bytes], ...]:
    """The headers for one of our host names; ``host`` must have been checked, for it goes into the policy.

    The WebSocket is named beside 'self' because Safari before 15.4 does not count it in.
    """
    policy = {**_POLICY, "connect-src": f"'self' data: blob: {'wss' if secure else 'ws'}://{host}"}
    headers = [*_ALWAYS, ("content-security-policy", "; ".join(f"{name} {value}" for name, value in policy.items()))]
    if secure:
        headers.append(("strict-transport-security", "max-age=31536000"))
    return tuple((name.encode(), value.encode()) for name, value in headers)
