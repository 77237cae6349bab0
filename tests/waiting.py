"""Waiting for what another thread or process does; how long it takes says nothing, that it never happens does."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(holds: Callable[[], object], seconds: float = 90) -> None:
    """Wait until something holds; raises AssertionError when it does not in so many seconds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
