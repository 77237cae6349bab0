"""The open WebSockets and whose sign-in each stands on: when that ends, they are cut."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final
from uuid import UUID

import anyio.to_thread
from starlette.types import Message, Receive, Send

from nexa_core import logs
from nexa_core.api import metrics

SIGN_IN_ENDED: Final = 4401
POLL_SECONDS: Final = 0.4
_log = logs.logger("web")


class Socket:
    """One WebSocket between server and application, which can be cut from the outside."""

    def __init__(self, user_session_id: UUID | None, receive: Receive, send: Send) -> None:
        self.user_session_id = user_session_id
        self._receive, self._send = receive, send
        self._cut = asyncio.Event()
        self._accepted = False
        self._closing: asyncio.Task[None] | None = None

    @property
    def kind(self) -> str:
        return "anonymous" if self.user_session_id is None else "signed_in"

    def cut(self) -> None:
        """End it: the browser gets close code 4401, the application a disconnect, nothing more passes either way."""
        if not self._cut.is_set():
            self._cut.set()
            self._closing = asyncio.create_task(self._close())

    async def receive(self) -> Message:
        """The next message for the application, or its disconnect."""
        if not self._cut.is_set():
            message, cut = asyncio.ensure_future(self._receive()), asyncio.ensure_future(self._cut.wait())
            try:
                await asyncio.wait({message, cut}, return_when=asyncio.FIRST_COMPLETED)
                if not self._cut.is_set():
                    return message.result()
            finally:
                message.cancel()
                cut.cancel()
        return {"type": "websocket.disconnect", "code": SIGN_IN_ENDED, "reason": "The sign-in has ended."}

    async def send(self, message: Message) -> None:
        """What the application says to the browser, as long as it may."""
        if self._cut.is_set():
            return
        self._accepted = self._accepted or message["type"] == "websocket.accept"
        await self._send(message)

    async def closed(self) -> None:
        """Wait for the close frame to be on its way, so that the server does not hang up before it."""
        if self._closing is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._closing), timeout=5)

    async def _close(self) -> None:
        code = SIGN_IN_ENDED if self._accepted else 1008
        with suppress(Exception):  # the browser may be gone already
            await self._send({"type": "websocket.close", "code": code, "reason": "The sign-in has ended."})


class Sockets:
    """The registry of one server, and its one watcher task, which runs only while a signed-in socket is open."""

    def __init__(self, living: Callable[[Iterable[UUID]], set[UUID]]) -> None:
        self._living = living
        self._open: set[Socket] = set()
        self._watcher: asyncio.Task[None] | None = None

    def add(self, socket: Socket) -> None:
        self._open.add(socket)
        metrics.open_websockets.labels(socket.kind).inc()
        if socket.user_session_id is not None and (self._watcher is None or self._watcher.done()):
            self._watcher = asyncio.create_task(self._watch(), name="nexa-sign-in-watcher")

    def remove(self, socket: Socket) -> None:
        self._open.discard(socket)
        metrics.open_websockets.labels(socket.kind).dec()

    async def _watch(self) -> None:
        limiter = anyio.CapacityLimiter(1)
        blind = False
        while watched := self._signed_in():
            try:
                living = await anyio.to_thread.run_sync(self._living, watched, limiter=limiter)
            except Exception as error:  # an outage is no sign-out: sockets survive and are judged after it
                if not blind:
                    _log.warning("sign_in_watcher_blind", error=type(error).__name__, sockets=len(self._open))
                blind = True
            else:
                if blind:
                    _log.info("sign_in_watcher_recovered", sockets=len(self._open))
                blind = False
                self._cut_except(living, watched)
            await asyncio.sleep(POLL_SECONDS)

    def _signed_in(self) -> set[UUID]:
        return {socket.user_session_id for socket in self._open if socket.user_session_id is not None}

    def _cut_except(self, living: set[UUID], asked: set[UUID]) -> None:
        ended = asked - living
        for socket in [socket for socket in self._open if socket.user_session_id in ended]:
            _log.info("websocket_cut", user_session_id=str(socket.user_session_id))
            socket.cut()
            self._open.discard(socket)
