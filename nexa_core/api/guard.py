"""The guard: pure ASGI middleware that stands before everything, Streamlit's own routes included.

Who asks (cookie to sign-in), from where (Host, Origin, address), may they come in at all, and on the way out the
security headers, the request id, a log line and the figures. What a verb forbids is the verb's business.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import structlog
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from nexa_core import accounts, logs
from nexa_core.actor import Actor, Origin
from nexa_core.api import addresses, identity, metrics
from nexa_core.api.answers import Answer
from nexa_core.api.connections import send_at_once
from nexa_core.api.cookie import cookie_name
from nexa_core.api.exchange import Exchange
from nexa_core.api.gates import NEEDS_SIGN_IN, Gate, gate_of
from nexa_core.api.problems import REALM, Problem, incident, problem_of
from nexa_core.api.sockets import Socket, Sockets
from nexa_core.api.threads import in_thread
from nexa_core.config import settings
from nexa_core.errors import NexaError, Unauthenticated

# What hands out or clears the cookie is for browsers alone, and they say which page asks.
_BROWSERS_ONLY = frozenset({"/api/auth/cookie", "/api/auth/sign-out"})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OURS = frozenset({identity.HEADER.encode(), identity.HEADER.replace("-", "_").encode(), b"x-request-id"})
_log = logs.logger("web")


class Guard:
    """Wraps the application: ``st.App(..., middleware=[Middleware(Guard)])``, as the first of its middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._sockets = Sockets(_living)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        send_at_once(receive)
        headers = Headers(scope=scope)
        exchange = _exchange(headers, receive, scope)
        gate = gate_of(scope["path"])
        exchange.route = gate.value
        exchange.enter(scope)
        port = scope["client"][1] if scope.get("client") else 0
        scope["client"] = (exchange.origin.ip_address, port) if exchange.origin.ip_address else None
        with structlog.contextvars.bound_contextvars(request_id=str(exchange.origin.request_id)):
            if scope["type"] == "websocket":
                await self._websocket(scope, receive, send, exchange, headers, gate)
            else:
                await self._http(scope, receive, send, exchange, headers, gate)

    async def _http(
        self, scope: Scope, receive: Receive, send: Send, exchange: Exchange, headers: Headers, gate: Gate
    ) -> None:
        began = time.perf_counter()
        host_is_ours = addresses.host_is_allowed(headers.get("host"), settings().allowed_hosts)
        answer = Answer(send, exchange, gate, headers["host"] if host_is_ours else "")
        try:
            refusal = await self._refusal(scope, exchange, headers, gate, host_is_ours)
            _name_sign_in(scope, exchange)
            await (refusal or self._app)(scope, receive, answer.send)
        except Exception:
            _log.exception("incident", incident=str(exchange.origin.request_id), path=_path(scope, gate))
            if answer.status:  # too late for an answer: the server hangs up
                raise
            await incident(exchange.origin.request_id)(scope, receive, answer.send)
        finally:
            seconds = time.perf_counter() - began
            metrics.observe(scope["method"], exchange.route, answer.status, seconds)
            line = _log.debug if gate in (Gate.ASSET, Gate.HEALTH) and answer.status < 500 else _log.info
            line(
                "request", method=scope["method"], path=_path(scope, gate), status=answer.status,
                milliseconds=round(seconds * 1000, 1), **_who(exchange),
            )  # fmt: skip

    async def _websocket(
        self, scope: Scope, receive: Receive, send: Send, exchange: Exchange, headers: Headers, gate: Gate
    ) -> None:
        began = time.perf_counter()
        refusal = self._socket_refusal(headers, gate, exchange)
        if refusal is None:
            try:
                exchange.actor = await _signed_in(exchange)
            except NexaError as error:  # the database is away: the browser tries again, and stays who it is
                refusal = problem_of(error, exchange.origin.request_id)
        if refusal is not None:
            _log.info("websocket_refused", path=scope["path"], status=refusal.status_code, **_who(exchange))
            await _refuse_websocket(refusal, scope, receive, send)
            return
        _name_sign_in(scope, exchange)
        socket = Socket(exchange.actor.user_session_id if exchange.actor else None, receive, send)
        self._sockets.add(socket)
        _log.info("websocket_opened", path=scope["path"], **_who(exchange))
        try:
            await self._app(scope, socket.receive, socket.send)
        finally:
            self._sockets.remove(socket)
            await socket.closed()
            _log.info("websocket_closed", seconds=round(time.perf_counter() - began, 1), **_who(exchange))

    async def _refusal(
        self, scope: Scope, exchange: Exchange, headers: Headers, gate: Gate, host_is_ours: bool
    ) -> Response | None:
        """The answer to an HTTP request that may not come in, or None."""
        request_id = exchange.origin.request_id
        if not host_is_ours:
            return Problem(400, "This host name is not one of NEXA's.", request_id, kind="unknown-host")
        if gate is Gate.CLOSED or gate is Gate.STREAM:
            return Problem(404, "There is nothing here.", request_id)
        origin = headers.get("origin")
        if scope["method"] not in _SAFE_METHODS:
            by_cookie = exchange.cookie is not None and "authorization" not in headers
            by_browser = by_cookie or gate is Gate.SHARE or scope["path"] in _BROWSERS_ONLY
            if not _is_ours(origin, headers, gate) if origin is not None else by_browser:
                return Problem(
                    403, "This request did not come from one of NEXA's own pages.", request_id, kind="foreign-origin"
                )
        if gate in NEEDS_SIGN_IN:
            try:
                exchange.actor = await _signed_in(exchange)
            except NexaError as error:
                return problem_of(error, request_id)
            if exchange.actor is None:
                sentence = "Please sign in first."
                return Problem(401, sentence, request_id, kind="unauthenticated", headers={"www-authenticate": REALM})
        return None

    def _socket_refusal(self, headers: Headers, gate: Gate, exchange: Exchange) -> Problem | None:
        """The answer to a WebSocket that may not come in whoever asks, or None. Browsers always send an Origin."""
        request_id = exchange.origin.request_id
        if not addresses.host_is_allowed(headers.get("host"), settings().allowed_hosts):
            return Problem(400, "This host name is not one of NEXA's.", request_id, kind="unknown-host")
        if gate not in (Gate.STREAM, Gate.API):
            return Problem(404, "There is nothing here.", request_id)
        origin = headers.get("origin")
        if origin is None or not _is_ours(origin, headers):
            return Problem(
                403, "This WebSocket was not opened by one of NEXA's own pages.", request_id, kind="foreign-origin"
            )
        return None


def _path(scope: Scope, gate: Gate) -> str:
    """The path as it may be logged: the one of a shared page holds what opens it."""
    return "/share/..." if gate is Gate.SHARE else str(scope["path"])


def _exchange(headers: Headers, receive: Receive, scope: Scope) -> Exchange:
    """Where the request comes from; X-Forwarded-For and X-Request-Id count only from a trusted proxy."""
    proxies = settings().trusted_proxies
    peer = addresses.peer_of(receive, scope.get("client"))
    request_id = uuid4()
    if addresses.is_trusted_proxy(peer, proxies):
        with suppress(ValueError):
            request_id = UUID(headers.get("x-request-id", ""))
    origin = Origin(
        request_id=request_id,
        ip_address=addresses.client_address(peer, headers.getlist("x-forwarded-for"), proxies),
        user_agent=(headers.get("user-agent") or "").replace("\x00", "")[:500] or None,
    )
    cookies = cookie_parser("; ".join(headers.getlist("cookie")))
    return Exchange(origin, cookie=cookies.get(cookie_name()))


def _is_ours(origin: str, headers: Headers, gate: Gate | None = None) -> bool:
    if gate is Gate.SHARE and origin == "null":
        # A page that sends no referrer sends no Origin either (Fetch, 3.1); its forms carry a key (see visiting).
        return headers.get("sec-fetch-site", "same-origin") == "same-origin"
    return addresses.is_same_origin(origin, headers.get("host", ""), settings().public_url)


async def _signed_in(exchange: Exchange) -> Actor | None:
    """Who the cookie says it is, or None for a stranger. Raises Unavailable while nobody can tell."""
    if exchange.cookie is None:
        return None
    try:
        return await in_thread(accounts.actor_of_cookie, exchange.origin, cookie=exchange.cookie)
    except Unauthenticated:
        return None


def _living(user_session_ids: Iterable[UUID]) -> set[UUID]:
    return accounts.living_user_sessions(user_session_ids)


def _name_sign_in(scope: Scope, exchange: Exchange) -> None:
    """Replace what only we may say: whose sign-in it is and which request.

    A stranger's WebSocket also loses the Streamlit session it asks to resume (the third entry of
    Sec-WebSocket-Protocol): Streamlit holds all strangers for the same person, and the id alone would open
    somebody's half-filled sign-in form.
    """
    headers = [(name, value) for name, value in scope["headers"] if name.lower() not in _OURS]
    actor = exchange.actor
    if actor is not None and actor.user_session_id is not None:
        headers.append((identity.HEADER.encode(), identity.header_value(actor.user_session_id).encode()))
    elif scope["type"] == "websocket":
        headers = [
            (name, b",".join(value.split(b",")[:2]) if name.lower() == b"sec-websocket-protocol" else value)
            for name, value in headers
        ]
    headers.append((b"x-request-id", str(exchange.origin.request_id).encode()))
    scope["headers"] = headers


async def _refuse_websocket(refusal: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer the handshake with HTTP, so that the reason can be read; or, with an old server, just close."""
    if "websocket.http.response" in scope.get("extensions", {}):
        await refusal(scope, receive, send)
    else:
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": "refused"})


def _who(exchange: Exchange) -> dict[str, Any]:
    actor = exchange.actor
    who: dict[str, Any] = {"route": exchange.route, "address": exchange.origin.ip_address}
    if actor is not None:
        who |= {"user_id": str(actor.user_id), "organization_id": str(actor.organization_id)}
    return who
