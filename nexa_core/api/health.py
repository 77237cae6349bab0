"""/api/healthz, /api/readyz and /api/metrics: what operators and their machines ask."""

from __future__ import annotations

import hmac

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from nexa_core import system
from nexa_core.api import metrics
from nexa_core.api.endpoint import Body, authenticated, get
from nexa_core.api.exchange import Exchange
from nexa_core.config import settings
from nexa_core.permissions import Permission


class Readiness(Body):
    ready: bool
    checks: dict[str, str]


@get("/healthz", "Whether the program runs; asks nobody else")
def healthz() -> dict[str, str]:
    return {"status": "ok"}


@get("/readyz", "Whether it can serve: database, migration head, invariants; 503 when not")
def readyz() -> Readiness | Response:
    found = Readiness.model_validate(system.readiness())
    return found if found.ready else JSONResponse(found.model_dump(), 503)


@get("/metrics", "Figures for Prometheus, for the bearer of NEXA_METRICS_TOKEN or whoever may read the system screen")
def figures(request: Request, exchange: Exchange) -> Response:
    token = settings().metrics_token
    offered = request.headers.get("authorization", "").partition(" ")[2].strip()
    if not (token and hmac.compare_digest(offered.encode(), token.encode())):
        exchange.actor = authenticated(request, exchange)
        exchange.actor.require(Permission.SYSTEM_READ)
    return Response(metrics.exposition(), headers={"content-type": CONTENT_TYPE_LATEST})


ENDPOINTS = (healthz, readyz, figures)
