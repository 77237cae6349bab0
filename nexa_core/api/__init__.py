"""The HTTP door: everything below /api, and the guard before it and Streamlit.

One module a resource, each with its ``ENDPOINTS``; a new one is added to ``_RESOURCES`` and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from nexa_core.api import (
    audit,
    auth,
    billing,
    docs,
    health,
    me,
    organization_files,
    organizations,
    people,
    session_files,
    sessions,
    share,
    usage,
    usage_reports,
)
from nexa_core.api.endpoint import PREFIX, Endpoint, get
from nexa_core.api.exchange import Exchange
from nexa_core.api.guard import Guard
from nexa_core.api.openapi import document
from nexa_core.api.problems import Problem

__all__ = ["Guard", "endpoints", "routes"]

# Those with a fixed path stand before those that take any name in its place, and first what is asked most: a path is
# compared with one after the other.
_RESOURCES = (
    session_files,
    sessions,
    auth,
    me,
    audit,
    billing,
    health,
    organization_files,
    organizations,
    people,
    usage,
    usage_reports,
)


def endpoints() -> tuple[Endpoint, ...]:
    """Every endpoint there is."""
    return (*(endpoint for resource in _RESOURCES for endpoint in resource.ENDPOINTS), openapi, documentation)


def routes() -> Sequence[BaseRoute]:
    """What ``st.App(routes=...)`` takes: all of /api and /share, so that no path there falls through to Streamlit."""
    api = Starlette(routes=[endpoint.route() for endpoint in endpoints()], exception_handlers={HTTPException: _refused})
    api.router.redirect_slashes = False
    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    return [Route(PREFIX, _nothing, methods=methods), Mount(PREFIX, app=api), *share.routes()]


@cache
def _described() -> dict[str, Any]:
    """Written once: it takes as long as many requests do."""
    return document(endpoints())


@get("/openapi.json", "This description")
def openapi() -> dict[str, Any]:
    return _described()


@get("/docs", "This description as a page")
def documentation() -> Response:
    return HTMLResponse(docs.page(_described()))


async def _refused(request: Request, error: Exception) -> Response:
    """Starlette's own refusals, such as 404 and 405, as problems."""
    assert isinstance(error, HTTPException)
    sentences = {404: "There is nothing here.", 405: f"{request.method} is not possible here."}
    sentence = sentences.get(error.status_code, error.detail)
    return Problem(error.status_code, sentence, Exchange.of(request.scope).origin.request_id, headers=error.headers)


async def _nothing(request: Request) -> Response:
    return await _refused(request, HTTPException(404))
