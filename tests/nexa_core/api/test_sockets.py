"""A socket that is cut is cut for both sides, whatever the browser does, and nobody is asked without need."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

from starlette.types import Message

from nexa_core.api.sockets import SIGN_IN_ENDED, Socket, Sockets
from tests.stories import play


class _Browser:
    """A browser that never answers a close and never sends anything: the worst there is."""

    def __init__(self) -> None:
        self.received: list[Message] = []

    async def receive(self) -> Message:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    async def send(self, message: Message) -> None:
        self.received.append(message)


def _socket(browser: _Browser, sign_in: UUID | None) -> Socket:
    return Socket(sign_in, browser.receive, browser.send)


def test_the_application_is_told_although_the_browser_never_answers_the_close() -> None:
    async def story() -> tuple[Message, list[Message]]:
        browser = _Browser()
        socket = _socket(browser, uuid4())
        await socket.send({"type": "websocket.accept"})
        waiting = asyncio.ensure_future(socket.receive())
        await asyncio.sleep(0)
        socket.cut()
        told = await asyncio.wait_for(waiting, timeout=5)
        await socket.send({"type": "websocket.send", "bytes": b"the next screen"})
        await socket.closed()
        return told, browser.received

    told, received = play(story())
    assert (told["type"], told["code"]) == ("websocket.disconnect", SIGN_IN_ENDED)
    assert [message["type"] for message in received] == ["websocket.accept", "websocket.close"]
    assert received[-1]["code"] == SIGN_IN_ENDED


def test_the_database_is_asked_once_for_all_and_only_while_somebody_is_signed_in() -> None:
    asked: list[set[UUID]] = []

    def living(user_session_ids: Iterable[UUID]) -> set[UUID]:
        asked.append(set(user_session_ids))
        return asked[-1]

    async def story() -> None:
        sockets, ids = Sockets(living), [uuid4() for _ in range(50)]
        strangers = [_socket(_Browser(), None) for _ in range(5)]
        for socket in strangers:
            sockets.add(socket)
        await asyncio.sleep(0.6)
        assert asked == []
        signed_in = [_socket(_Browser(), id) for id in ids]
        for socket in signed_in:
            sockets.add(socket)
        await asyncio.sleep(0.6)
        assert asked[-1] == set(ids)
        for socket in signed_in:
            sockets.remove(socket)
        await asyncio.sleep(0.6)
        count = len(asked)
        await asyncio.sleep(0.6)
        assert len(asked) == count
        for socket in strangers:
            sockets.remove(socket)

    play(story())


def test_a_watcher_that_fails_in_any_way_goes_on_watching() -> None:
    answers: list[Any] = [RuntimeError("pool"), OSError("network"), None]

    def living(user_session_ids: Iterable[UUID]) -> set[UUID]:
        answer = answers.pop(0) if answers else None
        if answer is not None:
            raise answer
        return set()

    async def story() -> list[Message]:
        browser = _Browser()
        socket = _socket(browser, uuid4())
        sockets = Sockets(living)
        sockets.add(socket)
        await asyncio.wait_for(socket.receive(), timeout=10)
        await socket.closed()
        sockets.remove(socket)
        return browser.received

    assert [message["type"] for message in play(story())] == ["websocket.close"]
    assert answers == []
