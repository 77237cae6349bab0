"""/api/usage: what a program of an organization reports."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from nexa_core import usage
from nexa_core.actor import Actor
from nexa_core.api.bodies import BodyError, no_key_twice
from nexa_core.api.endpoint import Body, post

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
        """The list as it was sent. NaN is no JSON, but here it spoils its own event only."""
        try:
            sent = json.loads(raw.decode("utf-8"), object_pairs_hook=no_key_twice, parse_constant=_no_number)
        except UnicodeDecodeError:
            raise BodyError(400, "The body is not UTF-8.") from None
        except RecursionError:
            raise BodyError(400, "The body is nested too deeply.") from None
        except ValueError as error:
            where = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
            raise BodyError(400, f"The body is not valid JSON{where}.") from None
        if not isinstance(sent, dict) or set(sent) != {"events"} or not isinstance(sent["events"], list):
            raise BodyError(422, 'Send one JSON object with the list "events".')
        return cls.model_construct(events=sent["events"])


@post("/usage/events", "Report usage: up to 1,000 events, each stored once")
def report_usage(actor: Actor, body: Events) -> usage.Submitted:
    return usage.submit(actor, events=body.events)


def _no_number(_name: str) -> float:
    return math.nan


ENDPOINTS = (report_usage,)
