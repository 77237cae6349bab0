"""JSON bodies, read strictly: what two readers could understand differently is refused, with a sentence."""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn

from starlette.requests import Request

MAX_BYTES: Final = 1024 * 1024


class BodyError(Exception):
    """A body that cannot be read: a status and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


async def read_bytes(request: Request, max_bytes: int = MAX_BYTES) -> bytes:
    """The request's body, which has to be called JSON, at most ``max_bytes``; raises BodyError."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise BodyError(415, "Send the body as application/json.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise BodyError(415, "Send the body without content encoding.")
    too_large = BodyError(413, f"The body is larger than the {max_bytes:,} bytes allowed here.")
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared) > max_bytes:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise too_large
    return bytes(body)


def parse_json(body: bytes) -> Any:
    """JSON without duplicate keys, NaN, infinities, NUL, lone surrogates or absurd nesting; raises BodyError."""
    try:
        value = json.loads(
            body.decode("utf-8"), object_pairs_hook=_no_key_twice, parse_constant=_constant, parse_float=_float
        )
        if b"\\u" in body:  # without an escape there is neither a NUL in JSON nor half a surrogate pair in UTF-8
            _check_text(value)
    except BodyError:
        raise
    except UnicodeDecodeError:
        raise BodyError(400, "The body is not UTF-8.") from None
    except RecursionError:
        raise BodyError(400, "The body is nested too deeply.") from None
    except ValueError as error:
        where = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise BodyError(400, f"The body is not valid JSON{where}.") from None
    return value


def said_twice(pairs: list[tuple[str, Any]]) -> str:
    """The first key of an object that appears in it again."""
    seen: set[str] = set()
    return next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]


def twice(key: str) -> BodyError:
    return BodyError(400, f"The key {json.dumps(key[:100])} appears twice in one object.")


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise twice(said_twice(pairs))
    return result


def _constant(name: str) -> NoReturn:
    raise BodyError(400, f"{name} is not JSON.")


def _float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise BodyError(400, "A number is too large.")
    return number


def _check_text(value: Any) -> None:
    """PostgreSQL stores neither NUL nor lone surrogates; better said here than found there."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            if "\x00" in item:
                raise BodyError(400, "A text contains a NUL character, which cannot be stored.")
            try:
                item.encode()
            except UnicodeEncodeError:
                raise BodyError(400, "A text contains half a surrogate pair, which cannot be stored.") from None
        elif isinstance(item, dict):
            pending.extend(item)
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
