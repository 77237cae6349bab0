"""What the verbs of architecture sessions take and answer: frozen, without a row of the database behind them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID

from nexa_core.errors import Conflict, Forbidden

#: A document as JSON: whatever shape it has, the core keeps what it does not know.
Document = Any


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a page is: parts that are complete, of all parts. Which parts count says ``nexa.session_facts()``."""

    page: str
    done: int
    total: int

    @property
    def share(self) -> float:
        """From 0 to 1; an empty page has not begun."""
        return self.done / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class SessionView:
    """One session with its documents, by the names of their columns (see ``documents.COLUMNS``).

    ``version`` counts saves: hand it back to ``save``. ``revision`` is the newest entry of the history. ``template`` is
    the session this one was made from, at ``template_revision``.
    """

    uuid: UUID
    organization_id: UUID
    organization_name: str
    organization_slug: str
    author_id: UUID
    author_name: str
    title: str
    client: str | None
    session_type: str
    is_template: bool
    tags: tuple[str, ...]
    version: int
    revision: int
    created_at: dt.datetime
    updated_at: dt.datetime
    deleted_at: dt.datetime | None
    documents: Mapping[str, Document]
    progress: tuple[Progress, ...]
    may_write: bool
    is_pinned: bool = False
    template: UUID | None = None
    template_revision: int | None = None


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One session in a list, without documents. ``snippet`` is the text around a find: (piece, is it the find)."""

    uuid: UUID
    organization_id: UUID
    organization_name: str
    author_id: UUID
    author_name: str
    title: str
    client: str | None
    session_type: str
    is_template: bool
    tags: tuple[str, ...]
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime
    deleted_at: dt.datetime | None
    progress: tuple[Progress, ...]
    is_pinned: bool
    broken_diagrams: int | None
    snippet: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Some sessions and where the next page begins (None at the end)."""

    items: tuple[SessionLine, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Clash:
    """One value that two people changed differently. ``path`` leads to it: column, keys and ids of parts.

    ``base`` is what both started from, ``mine`` what the writer wants, ``theirs`` what is saved; None where there is
    nothing (``kind`` says ``edited``, ``removed_by_them``, ``removed_by_me`` or ``order``).
    """

    path: tuple[str, ...]
    kind: str
    base: Any
    mine: Any
    theirs: Any


class EditConflict(Conflict):
    """Somebody changed the same value meanwhile; nothing was saved and nothing was lost.

    ``current_version`` is what is saved now, ``clashes`` carry both sides of each value. To overwrite, save again with
    ``version=current_version``.
    """

    status: ClassVar[int] = 412
    title: ClassVar[str] = "Changed meanwhile"

    def __init__(self, sentence: str, *, current_version: int, clashes: tuple[Clash, ...] = ()) -> None:
        super().__init__(sentence)
        self.current_version, self.clashes = current_version, clashes

    @property
    def members(self) -> Mapping[str, Any]:
        conflicts = [
            {"path": list(c.path), "kind": c.kind, "base": c.base, "mine": c.mine, "theirs": c.theirs}
            for c in self.clashes
        ]
        return {"current_version": self.current_version, "conflicts": conflicts}


class ReasonNeeded(Forbidden):
    """Somebody of the platform wants a customer's documents: ``state_reason`` first; the customer can read it."""

    title: ClassVar[str] = "Say why"


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of a save.

    ``changed`` are the columns (and ``title``, ``client``, ``session_type``, ``tags``) this save changed; empty when
    nothing did, and then there is no new version. ``merged`` says that others had saved since ``version``; then
    ``documents`` holds every column that is not what the writer sent or started from, as it is now.
    """

    uuid: UUID
    version: int
    revision: int
    saved_at: dt.datetime
    changed: tuple[str, ...]
    merged: bool
    documents: Mapping[str, Document] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RevisionView:
    """One burst of work: who, from when to when, and what it did, in sentences.

    ``is_current`` is the newest state; ``restored_from`` the revision it brought back.
    """

    revision: int
    version: int
    author_id: UUID
    author_name: str
    started_at: dt.datetime
    ended_at: dt.datetime
    name: str | None
    is_current: bool
    restored_from: int | None
    sentences: tuple[str, ...] = ()

    @property
    def duration(self) -> dt.timedelta:
        return self.ended_at - self.started_at


@dataclass(frozen=True, slots=True)
class RevisionPage:
    """Some of the history, newest first; ``next_cursor`` leads further back."""

    items: tuple[RevisionView, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class RevisionDetail:
    """A revision with the documents as it left them."""

    revision: RevisionView
    documents: Mapping[str, Document]


@dataclass(frozen=True, slots=True)
class Presence:
    """Somebody who has the session open, and on which page."""

    user_id: UUID
    full_name: str
    page: str
    seen_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Pulse:
    """What can change under an open screen. ``last_editor`` is who saved last."""

    version: int
    revision: int
    updated_at: dt.datetime
    last_editor_id: UUID | None
    last_editor: str | None
    deleted: bool
    people: tuple[Presence, ...]
