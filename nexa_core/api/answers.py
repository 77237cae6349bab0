"""What every answer carries on its way out: security headers, the request id, Secure cookies, problems for text."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

from nexa_core.api.exchange import Exchange
from nexa_core.api.gates import NEEDS_SIGN_IN, Gate
from nexa_core.api.headers import security_headers, visitor_headers
from nexa_core.api.problems import Problem
from nexa_core.config import settings

_PRIVATE = NEEDS_SIGN_IN | {Gate.API}


class Answer:
    """One HTTP answer as the guard lets it out; ``status`` is 0 until it has begun."""

    def __init__(self, send: Send, exchange: Exchange, gate: Gate, host: str) -> None:
        self.status = 0
        self._send, self._exchange, self._gate, self._host = send, exchange, gate, host
        self._replaced = False

    async def send(self, message: Message) -> None:
        if self._replaced:
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self._gate is Gate.API and self.status >= 400 and not _is_ours(message):
                self._replaced = True
                await self._replace()
                return
            self._dress(message)
        await self._send(message)

    async def _replace(self) -> None:
        """Streamlit's middleware refuses odd paths before the API sees them, in its own words: say it in ours."""
        problem = Problem(self.status, "This address cannot be one of NEXA's.", self._exchange.origin.request_id)
        start: Message = {"type": "http.response.start", "status": self.status, "headers": problem.raw_headers}
        self._dress(start)
        await self._send(start)
        await self._send({"type": "http.response.body", "body": problem.body})

    def _dress(self, message: Message) -> None:
        secure = settings().secure
        if self._gate is Gate.SHARE:
            picture = any(n == b"content-type" and v.startswith(b"image/") for n, v in message.get("headers", ()))
            ours = visitor_headers(picture=picture, secure=secure)
        else:
            ours = security_headers(self._host, secure=secure)
        names = {name for name, _ in ours} | {b"x-request-id"}
        kept = [(name, value) for name, value in message.get("headers", ()) if name.lower() not in names]
        if secure:
            kept = [(name, _secured(value) if name.lower() == b"set-cookie" else value) for name, value in kept]
        message["headers"] = [*kept, *ours, (b"x-request-id", str(self._exchange.origin.request_id).encode())]
        if self._gate in _PRIVATE:
            MutableHeaders(raw=message["headers"])["cache-control"] = "no-store"


def _is_ours(message: Message) -> bool:
    """Whether an endpoint said it: those speak JSON even when they refuse."""
    return any(name == b"content-type" and value.startswith(b"application/") for name, value in message["headers"])


def _secured(cookie: bytes) -> bytes:
    """Streamlit's own cookies do not know that a proxy speaks TLS for it."""
    attributes = {attribute.strip().lower() for attribute in cookie.split(b";")[1:]}
    return cookie if b"secure" in attributes else cookie + b"; Secure"
