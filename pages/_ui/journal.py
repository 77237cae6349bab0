"""One line in the log for every rerun of a screen: who, where, how long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from nexa_core.actor import Actor

_log = structlog.get_logger("nexa.pages")


@contextmanager
def rerun(actor: Actor | None) -> Iterator[None]:
    """Everything logged inside carries the request id, the person and the organization."""
    began = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    if actor:
        structlog.contextvars.bind_contextvars(
            request_id=str(actor.origin.request_id),
            user_id=str(actor.user_id),
            organization_id=str(actor.organization_id),
        )
    try:
        yield
    finally:
        _log.info("page", milliseconds=round((time.perf_counter() - began) * 1000, 1))


def on(page: str) -> None:
    """Say which screen it is."""
    structlog.contextvars.bind_contextvars(page=page or "home")
