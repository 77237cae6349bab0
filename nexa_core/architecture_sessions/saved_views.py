"""Saved views: filters of the list under a name, for oneself or for everybody in the organization."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, or_, select

from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.architecture_sessions.filters import Filter
from nexa_core.architecture_sessions.models import SessionSavedView
from nexa_core.db import reading, recording
from nexa_core.errors import Forbidden, Invalid, NotFound
from nexa_core.permissions import Permission


@dataclass(frozen=True, slots=True)
class SavedViewView:
    """A saved view; ``is_mine`` says whether the actor made it, and so may change it."""

    id: UUID
    name: str
    filter: Filter
    is_shared: bool
    is_mine: bool

    @classmethod
    def of(cls, actor: Actor, row: SessionSavedView) -> SavedViewView:
        return cls(row.id, row.name, Filter.parse(row.filters), row.is_shared, row.user_id == actor.user_id)


def saved_views(actor: Actor) -> tuple[SavedViewView, ...]:
    """The actor's own views and those colleagues share, by name; one whose filters cannot be read any more is left
    out. Raises Forbidden without SESSIONS_READ.
    """
    actor.require(Permission.SESSIONS_READ)
    visible = (
        select(SessionSavedView)
        .where(
            SessionSavedView.organization_id == actor.organization_id,
            or_(SessionSavedView.is_shared, SessionSavedView.user_id == actor.user_id),
            SessionSavedView.removed_at.is_(None),
        )
        .order_by(func.lower(SessionSavedView.name), SessionSavedView.id)
    )
    found = []
    with reading(actor) as db:
        for row in db.scalars(visible):
            with suppress(Invalid):
                found.append(SavedViewView.of(actor, row))
    return tuple(found)


def save_view(actor: Actor, *, name: str, wanted: Filter, is_shared: bool = False) -> SavedViewView:
    """Keep this filter under a name.

    Raises Forbidden without SESSIONS_READ or as a presenter, Invalid without a name or filter, Conflict for a name the
    actor has used.
    """
    _may(actor)
    if not (name := " ".join(name.split())) or len(name) > 100 or "\x00" in name:
        raise Invalid("A view needs a name of at most 100 characters.", field="name")
    wanted.check()
    if not wanted.words():
        raise Invalid("Set a filter first; a view without one is the list itself.", field="wanted")
    if actor.organization_id is None or actor.user_id is None:
        raise NotFound("Only somebody who is signed in has views.")
    with recording(actor, Action.SESSION_VIEW_SAVED) as db:
        row = SessionSavedView(
            organization_id=actor.organization_id,
            user_id=actor.user_id,
            name=name,
            filters=wanted.words(),
            is_shared=is_shared,
        )
        db.add(row)
        db.flush()
        return SavedViewView.of(actor, row)


def share_view(actor: Actor, *, view_id: UUID, is_shared: bool) -> None:
    """Show one's view to the organization, or to oneself alone again. Raises NotFound for somebody else's view."""
    with _mine(actor, view_id, Action.SESSION_VIEW_SHARED) as view:
        view.is_shared = is_shared


def remove_view(actor: Actor, *, view_id: UUID) -> None:
    """Take one's view away. Raises NotFound for somebody else's."""
    with _mine(actor, view_id, Action.SESSION_VIEW_REMOVED) as view:
        view.removed_at = func.now()


@contextmanager
def _mine(actor: Actor, view_id: UUID, action: Action) -> Iterator[SessionSavedView]:
    _may(actor)
    with recording(actor, action) as db:
        which = select(SessionSavedView).where(
            SessionSavedView.id == view_id,
            SessionSavedView.organization_id == actor.organization_id,
            SessionSavedView.user_id == actor.user_id,
            SessionSavedView.removed_at.is_(None),
        )
        yield db.scalars(which.with_for_update()).one()


def _may(actor: Actor) -> None:
    actor.require(Permission.SESSIONS_READ)
    if actor.scope.value == "presenter":
        raise Forbidden("Whoever presents the demo keeps nothing in it.")
