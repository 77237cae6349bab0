"""Slots: how many may do something long at a time in this process, and that no organization takes them all."""

from __future__ import annotations

import threading
from collections.abc import Hashable

from nexa_core.actor import Actor
from nexa_core.errors import LimitExceeded


class Slots:
    """So many slots, and one of them at most for each organization; the platform's people have one each."""

    def __init__(self, at_once: int, sentence: str, *, retry_after: int) -> None:
        self.at_once = at_once
        self._sentence, self._retry_after = sentence, retry_after
        self._taken: set[Hashable] = set()
        self._lock = threading.Lock()

    @property
    def taken(self) -> int:
        return len(self._taken)

    def take(self, actor: Actor) -> Hashable:
        """Take a slot; the answer is what ``free`` needs. Raises LimitExceeded when there is none."""
        holder = actor.user_id if actor.is_staff else actor.organization_id
        with self._lock:
            if holder in self._taken or len(self._taken) >= self.at_once:
                raise LimitExceeded(self._sentence, retry_after=self._retry_after)
            self._taken.add(holder)
        return holder

    def free(self, holder: Hashable) -> None:
        """Give a slot back."""
        with self._lock:
            self._taken.discard(holder)
