"""What the guard knows about one request, handed to whatever answers it."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any, Final, Self

from nexa_core.actor import Actor, Origin

_KEY: Final = "nexa.exchange"


@dataclass(slots=True)
class Exchange:
    """One request from its arrival to its log line; the answering side fills in ``actor`` and ``route``."""

    origin: Origin
    cookie: str | None = None
    actor: Actor | None = None
    route: str = "page"

    def enter(self, scope: MutableMapping[str, Any]) -> None:
        scope[_KEY] = self

    @classmethod
    def of(cls, scope: MutableMapping[str, Any]) -> Self:
        """The exchange of an ASGI scope; one without a guard before it gets an empty one."""
        found: Self | None = scope.get(_KEY)
        if found is None:
            found = cls(Origin())
            found.enter(scope)
        return found
