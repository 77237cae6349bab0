"""Verbs block, the server must not: they run in threads, no more at a time than the database pool can serve."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ParamSpec, TypeVar

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

from nexa_core.config import settings

P = ParamSpec("P")
R = TypeVar("R")
_limiter: RunVar[Any] = RunVar("nexa_verbs")  # one an event loop: a limiter cannot change loops


async def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a verb in a worker thread and wait for it, without holding up anybody else."""
    try:
        limiter = _limiter.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(settings().pool_size)
        _limiter.set(limiter)
    return await anyio.to_thread.run_sync(partial(function, *args, **kwargs), limiter=limiter)
