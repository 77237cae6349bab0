"""/api/usage: what a program of an organization reports."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from nexa_core import usage
from nexa_core.actor import Actor
from nexa_core.api.bodies import BodyError, said_twice, twice
from nexa_core.api.endpoint import Body, post
from nexa_core.usage.incoming import Twice

_MOST_BYTES = 8 * 1024 * 1024


class Event(Body):
    """Something that was used once; ``source`` and ``idempotency_key`` together name it for ever.

    Without ``credits`` it costs what the catalogue says for its type; without ``occurred_at``, with a time zone, it
    happened now. The source "nexa", and what begins with "nexa.", is NEXA's own.
    """

    event_type: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]{0,49}$")]
    idempotency_key: Annotated[str, Field(min_length=1, max_length=255)]
    credits: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    user_id: UUID | None = None
    session_id: Annotated[int, Field(gt=0, le=2**31 - 1)] | None = None
    event_data: dict[str, Any] | None = None
    occurred_at: AwareDatetime | None = None
    source: Annotated[str, Field(min_length=1, max_length=50)] = "api"


class Events(Body):
    """Up to 1,000 events. The form of each is checked by itself: a bad one is rejected and the others are stored."""

    events: Annotated[list[Event], Field(min_length=1, max_length=usage.MOST_SENT)]

    most_bytes: ClassVar[int] = _MOST_BYTES

    @classmethod
    def read(cls, raw: bytes) -> Events:
        """The list as it was sent. NaN is no JSON, but here it spoils its own event only, and so do an object that says
        something twice and a number longer than can be read."""
        try:
            sent = _parsed(raw.decode("utf-8"))
        except UnicodeDecodeError:
            raise BodyError(400, "The body is not UTF-8.") from None
        except RecursionError:
            raise BodyError(400, "The body is nested too deeply.") from None
        except ValueError as error:
            where = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
            raise BodyError(400, f"The body is not valid JSON{where}.") from None
        if isinstance(sent, Twice):
            raise twice(sent.member)
        if not isinstance(sent, dict) or set(sent) != {"events"} or not isinstance(sent["events"], list):
            raise BodyError(422, 'Send one JSON object with the list "events".')
        return cls.model_construct(events=sent["events"])


@post("/usage/events", "Report usage: up to 1,000 events, each stored once")
def report_usage(actor: Actor, body: Events) -> usage.Submitted:
    return usage.submit(actor, events=body.events)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_number)
    except json.JSONDecodeError:
        raise
    except ValueError:  # Python reads no integer of thousands of digits; asked for each, it would cost every batch
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_number, parse_int=_integer)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | Twice:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    member = said_twice(pairs)
    return Twice(member, None if member == "idempotency_key" else found.get("idempotency_key"))


def _integer(digits: str) -> float:
    try:
        return int(digits)
    except ValueError:
        return math.nan


def _no_number(_name: str) -> float:
    return math.nan


ENDPOINTS = (report_usage,)
