"""Verbs block, the server must not: they run in threads, no more at a time than the database pool can serve.

What draws waits for one pen, seconds each time. So it waits for its turn first, without a thread: others have them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

from nexa_core.config import settings
from nexa_core.errors import Unavailable

P = ParamSpec("P")
R = TypeVar("R")
#: Verbs that may draw at the same time: one that does, and one that has what is next at hand.
DRAWING: Final = 2
#: Seconds one waits for its turn before it is told to come back.
PATIENCE: Final = 20.0
_limiter: RunVar[Any] = RunVar("nexa_verbs")  # one an event loop: a limiter cannot change loops
_pens: RunVar[Any] = RunVar("nexa_pens")


async def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a verb in a worker thread and wait for it, without holding up anybody else."""
    limiter = _of_this_loop(_limiter, settings().pool_size)
    return await anyio.to_thread.run_sync(partial(function, *args, **kwargs), limiter=limiter)


async def in_drawing_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """:func:`in_thread` for a verb that may draw diagrams. Raises Unavailable when its turn does not come in time."""
    pens, turn = _of_this_loop(_pens, DRAWING), object()
    with anyio.move_on_after(PATIENCE) as waiting:
        await pens.acquire_on_behalf_of(turn)
    if waiting.cancelled_caught:
        raise Unavailable("NEXA is busy drawing other diagrams. Please try again in a moment.")
    try:
        return await in_thread(function, *args, **kwargs)
    finally:
        pens.release_on_behalf_of(turn)


def _of_this_loop(held: RunVar[Any], most: int) -> Any:
    try:
        return held.get()
    except LookupError:
        held.set(limiter := anyio.CapacityLimiter(most))
        return limiter
