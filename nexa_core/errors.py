"""What can go wrong, as a sentence with a status: services raise it, the shell shows it, the API serves it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from nexa_core.permissions import Explanation


class NexaError(Exception):
    """A sentence for the person in front of the screen, and the HTTP status of the same answer."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence

    @property
    def members(self) -> Mapping[str, Any]:
        """What a program is told beside the sentence, as JSON-ready members of the problem."""
        return {}


class Invalid(NexaError):
    """The input cannot be accepted; ``field`` names the one that is wrong, where there is one."""

    status = 422
    title = "Invalid input"

    def __init__(self, sentence: str, *, field: str | None = None) -> None:
        super().__init__(sentence)
        self.field = field


class Unauthenticated(NexaError):
    """Nobody is signed in, or the sign-in has ended."""

    status = 401
    title = "Not signed in"


class Forbidden(NexaError):
    """The actor may not; ``explanation`` holds the gates that were asked, in order."""

    status = 403
    title = "Not allowed"

    def __init__(self, sentence: str, *, explanation: Explanation | None = None) -> None:
        super().__init__(sentence)
        self.explanation = explanation


class NotFound(NexaError):
    """There is no such thing, or none that the actor may know of: another tenant's row is never Forbidden."""

    status = 404
    title = "Not found"


class Conflict(NexaError):
    """The request was sensible, but the world has moved on."""

    status = 409
    title = "Conflict"


class LimitExceeded(NexaError):
    """A limit holds; ``retry_after`` is in seconds where waiting helps."""

    status = 429
    title = "Limit reached"

    def __init__(self, sentence: str, *, retry_after: int | None = None) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class Unavailable(NexaError):
    """Something NEXA needs, usually its database, cannot be reached just now."""

    status = 503
    title = "Not available"


class Misconfigured(NexaError):
    """NEXA cannot start; the sentence says what to do. The program prints it and exits with code 1."""

    title = "NEXA cannot start"
