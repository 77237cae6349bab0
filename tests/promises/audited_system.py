"""What the verbs of the system leave in the audit log."""

from __future__ import annotations

from nexa_core import system
from tests.promises.audited_rows import Case, EndpointCase

DOMAIN = system
SYNONYMS = {"system.verify_audit": "audit.verify"}
CASES: dict[str, Case] = {
    "system.check": Case(lambda s, _: system.check(s.root)),
    "system.overview": Case(lambda s, _: system.overview(s.root)),
    "system.readiness": Case(lambda s, _: system.readiness()),
}
ENDPOINTS: dict[str, EndpointCase] = {
    "GET /healthz": EndpointCase(lambda client, stage, _: client.get("/api/healthz")),
    "GET /readyz": EndpointCase(lambda client, stage, _: client.get("/api/readyz")),
    "GET /metrics": EndpointCase(lambda client, stage, _: client.get("/api/metrics")),
    "GET /openapi.json": EndpointCase(lambda client, stage, _: client.get("/api/openapi.json")),
}
