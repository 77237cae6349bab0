"""Structured logs: one line an event on standard error, with the request's context and without secrets."""

from __future__ import annotations

import logging
import re
import sys
from functools import lru_cache
from typing import Any

import structlog
from procrastinate.exceptions import ConnectorException
from structlog.typing import EventDict, Processor, WrappedLogger

from nexa_core.config import settings

_SECRET_NAME = re.compile(r"passw|secret|token|cookie|authorization|passcode|ticket|api_?key|private|dsn", re.I)
_SECRET_TEXT = re.compile(
    r"""(?P<url>[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s@/]+(?=@)      # the password of a URL
      | \beyJ[\w-]+\.[\w-]+\.[\w-]+                               # a JWT
      | \$(?:argon2|2[aby]?)[^\s'"]+                              # a password hash
      | (?P<name>\b(?:password|token|ticket|secret)["']?\s*[=:]\s*["']?)[^\s"',&;)]+""",
    re.X | re.I,
)
# Without the values of local variables, which could be anybody's secret.
_TRACEBACKS = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))
# None of those without one of these, which most texts do not have.
_MARKS = (":", "=", "$", "eyJ")
HIDDEN = "[hidden]"


def configure() -> None:
    """Send every log, ours and the libraries', through one formatter, as NEXA_LOG_FORMAT and NEXA_LOG_LEVEL say."""
    wanted = settings()
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        lost_database,
    ]
    last: list[Processor] = (
        [_TRACEBACKS, hide_secrets, structlog.processors.JSONRenderer()]
        if wanted.log_format == "json"
        else [
            structlog.processors.format_exc_info,
            hide_secrets,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ]
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    handler.set_name("nexa")
    root = logging.getLogger()
    root.handlers = [other for other in root.handlers if other.get_name() != "nexa"] + [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("nexa").setLevel(wanted.log_level)
    # Libraries speak up when something is wrong; what is routine to them is noise in a terminal.
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        library = logging.getLogger(name)
        library.handlers = []
        library.propagate = True
        library.setLevel(logging.WARNING)


def logger(name: str = "nexa") -> Any:
    """A structured logger: ``logger().info("signed_in", actor=...)``. Its name begins with ``nexa``."""
    return structlog.get_logger(name if name.startswith("nexa") else f"nexa.{name}")


def hide_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace what must never reach a log: fields named like a secret, and anything shaped like one."""
    return {name: HIDDEN if _names_a_secret(name) and value else _cleaned(value) for name, value in event.items()}


def lost_database(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Say in a word that the queue lost its database: the worker begins again by itself, or NEXA is being stopped."""
    raised = event.get("exc_info")
    error = raised[1] if isinstance(raised, tuple) else raised
    if isinstance(error, ConnectorException):
        event["exc_info"], event["reason"] = None, "the database cannot be reached"
    return event


@lru_cache(maxsize=1024)
def _names_a_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _cleaned(value: Any) -> Any:
    match value:
        case str():
            return _SECRET_TEXT.sub(_replacement, value) if any(mark in value for mark in _MARKS) else value
        case dict():
            return {k: HIDDEN if _names_a_secret(str(k)) and v else _cleaned(v) for k, v in value.items()}
        case list() | tuple():
            return [_cleaned(item) for item in value]
    return value


def _replacement(match: re.Match[str]) -> str:
    return (match["url"] or match["name"] or "") + HIDDEN
