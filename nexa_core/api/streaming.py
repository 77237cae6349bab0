"""Files that are written while they are sent: a piece at a time, and to nobody who does not take them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Generator, Mapping
from typing import Any

import anyio
from starlette.responses import StreamingResponse
from starlette.types import Message, Send

from nexa_core.api.threads import in_thread

#: A reader who takes no piece for so long is let go, and so is one who is not done after so long: a file that is being
#: written holds a connection, one of few slots, and of the audit log what may not expire meanwhile.
IDLE_SECONDS = 60.0
LONGEST_SECONDS = 3_600.0


class Written(StreamingResponse):
    """Pieces as they are made, each in a thread; a reader who leaves or stalls ends the transaction behind them."""

    def __init__(self, pieces: Generator[bytes], *, media_type: str, headers: Mapping[str, str]) -> None:
        self._pieces = pieces
        super().__init__(self._made(), media_type=media_type, headers=headers)

    async def stream_response(self, send: Send) -> None:
        """As Starlette does; raises TimeoutError, which it takes for a reader who left."""
        ends = time.monotonic() + LONGEST_SECONDS

        async def patiently(message: Message) -> None:
            with anyio.fail_after(min(IDLE_SECONDS, max(0.0, ends - time.monotonic()))):
                await send(message)

        try:
            await super().stream_response(patiently)
        finally:
            with anyio.CancelScope(shield=True):
                await in_thread(self._pieces.close)

    async def _made(self) -> AsyncIterator[bytes]:
        while (piece := await in_thread(_next, self._pieces)) is not None:
            yield piece


def _next(pieces: Generator[bytes, Any, Any]) -> bytes | None:
    return next(pieces, None)
