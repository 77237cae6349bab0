"""Coroutines in tests, beside a browser that keeps an event loop of its own."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def play(story: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in a thread: playwright, once started, keeps a loop running in the main one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, story).result(timeout=120)
