"""Drawn diagrams as they are kept: in this process's memory, and beside the organization's sessions in the database."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from nexa_core.actor import Actor, Scope
from nexa_core.architecture_sessions import diagrams
from nexa_core.architecture_sessions.contents import Content, content
from nexa_core.architecture_sessions.foreign import parts, words
from nexa_core.architecture_sessions.models import SessionDrawing
from nexa_core.db import metering, reading


@dataclass(frozen=True, slots=True)
class DrawingProgress:
    """How many of a session's diagrams are drawn; the rest of an export takes well under a second."""

    done: int
    total: int

    @property
    def sentence(self) -> str:
        if self.done == self.total:
            return "Everything is drawn."
        return f"Drawing diagram {self.done + 1} of {self.total}"


def draw_next(actor: Actor, *, uuid: UUID, revision: int | None = None) -> DrawingProgress:
    """Draw one more of a session's diagrams, about a second, and say how far it is: for a screen that shows progress.

    Call it until ``done`` is ``total``; an export then finds everything drawn. Raises as ``content``.
    """
    return keep_drawings(actor, content(actor, uuid=uuid, revision=revision), at_most=1)


def keep_drawings(
    actor: Actor, shown: Content, *, at_most: int | None = None, seconds: float | None = None
) -> DrawingProgress:
    """Draw what is not drawn yet and keep it; what cannot be drawn counts as done.

    At most so many, and none is begun after so many seconds.
    """
    until = None if seconds is None else time.monotonic() + seconds
    texts = texts_of(shown.documents)
    kept = _recall(actor, shown.organization_id, texts)
    drawn = 0
    for text in texts:
        if not diagrams.is_drawn(text):
            if (at_most is not None and drawn >= at_most) or (until is not None and time.monotonic() >= until):
                continue
            drawn += 1
        svg = diagrams.draw(text).svg
        if svg is not None and diagrams.digest_of(text) not in kept:
            _keep(actor, shown.organization_id, text, svg)
    return DrawingProgress(sum(diagrams.is_drawn(text) for text in texts), len(texts))


def texts_of(documents: Mapping[str, Any]) -> list[str]:
    """The Mermaid texts of a session, each once."""
    found = (
        str(part.get("text") or "")
        for part in parts(documents.get("diagram_texts_json"), "diagrams")
        if (words(part, "language") or "mermaid") == "mermaid"
    )
    return list(dict.fromkeys(text for text in found if text.strip()))


def _recall(actor: Actor, organization_id: UUID, texts: Iterable[str]) -> set[str]:
    """Bring what was drawn by another process, or before a restart, into this one's memory."""
    wanted = {diagrams.digest_of(text): text for text in texts}
    if not wanted:
        return set()
    with reading(actor) as db:
        found = db.execute(
            select(SessionDrawing.digest, SessionDrawing.svg).where(
                SessionDrawing.organization_id == organization_id, SessionDrawing.digest.in_(wanted)
            )
        ).all()
    for digest, svg in found:
        diagrams.remember(wanted[digest], svg)
    return {digest for digest, _ in found}


def _keep(actor: Actor, organization_id: UUID, text: str, svg: str) -> None:
    if actor.scope is Scope.PRESENTER or actor.viewing_as is not None:  # those only look
        return
    with metering(actor) as db:
        db.execute(
            insert(SessionDrawing)
            .values(organization_id=organization_id, digest=diagrams.digest_of(text), svg=svg)
            .on_conflict_do_nothing()
        )
