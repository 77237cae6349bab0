"""Errors as ``application/problem+json`` (RFC 9457): a sentence, a status and the request id to quote."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from uuid import UUID

from starlette.responses import JSONResponse

from nexa_core.errors import Forbidden, Invalid, LimitExceeded, NexaError, Unauthenticated

REALM = 'Bearer realm="nexa"'


class Problem(JSONResponse):
    """One problem; members beyond the standard five stay out when they are None."""

    media_type = "application/problem+json"

    def __init__(
        self,
        status: int,
        detail: str,
        request_id: UUID,
        *,
        kind: str | None = None,
        title: str | None = None,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        phrase = HTTPStatus(status).phrase
        content = {
            "type": f"urn:nexa:problem:{kind or re.sub(r'[^a-z]+', '-', phrase.lower())}",
            "title": title or phrase,
            "status": status,
            "detail": detail,
            "instance": f"urn:uuid:{request_id}",
            **{name: value for name, value in members.items() if value is not None},
        }
        super().__init__(content, status, {"cache-control": "no-store", **(headers or {})})


def problem_of(error: NexaError, request_id: UUID) -> Problem:
    """The answer for an error that a verb raised."""
    headers: dict[str, str] = {}
    if isinstance(error, Unauthenticated):
        headers["www-authenticate"] = REALM
    if isinstance(error, LimitExceeded) and error.retry_after is not None:
        headers["retry-after"] = str(max(1, error.retry_after))
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["retry-after"] = "5"
    return Problem(
        error.status,
        error.sentence,
        request_id,
        kind=re.sub(r"(?<!^)(?=[A-Z])", "-", type(error).__name__).lower(),
        title=error.title,
        headers=headers,
        field=error.field if isinstance(error, Invalid) else None,
        explanation=_explanation_of(error),
        **error.members,
    )


def incident(request_id: UUID) -> Problem:
    """The answer for what nobody foresaw: no detail leaves, the id leads to the log."""
    sentence = f"Something went wrong on our side. Quote incident {request_id} when you report it."
    return Problem(500, sentence, request_id, kind="incident", title="Something went wrong", incident=str(request_id))


def _explanation_of(error: NexaError) -> dict[str, Any] | None:
    if not isinstance(error, Forbidden) or error.explanation is None:
        return None
    explanation = error.explanation
    return {
        "permission": explanation.permission.value,
        "deciding": explanation.deciding.name,
        "gates": [{"name": gate.name, "passed": gate.passed, "reason": gate.reason} for gate in explanation.gates],
    }
