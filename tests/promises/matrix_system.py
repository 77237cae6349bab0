"""Who may look at the machinery, and what the HTTP door says to everybody."""

from __future__ import annotations

from nexa_core import system
from tests.promises.matrix_rows import Route, Row, in_the_log, platform

VERBS: dict[str, Row] = {
    "system.check": platform(lambda a, _: system.check(a)),
    "system.overview": platform(lambda a, _: system.overview(a)),
    "system.verify_audit": Row(lambda a, _: system.verify_audit(a), expect=in_the_log()),
}

ROUTES: dict[str, Route] = {
    "GET /healthz": Route(public="says only that the program runs"),
    "GET /readyz": Route(public="says only whether it can serve"),
    "GET /metrics": Route("system.overview", lambda _: "/metrics"),
    "GET /openapi.json": Route(public="a description without data"),
}
