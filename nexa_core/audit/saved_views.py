"""Saved views: filters under a name, for oneself or for everybody in the organization who may read the log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, or_, select

from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.audit.filters import Filters
from nexa_core.audit.models import SavedView
from nexa_core.db import reading, recording
from nexa_core.errors import Invalid, NotFound
from nexa_core.permissions import Permission


@dataclass(frozen=True, slots=True)
class SavedViewView:
    """A saved view; ``is_mine`` says whether the actor made it, and so may change it."""

    id: UUID
    name: str
    filters: Filters
    is_shared: bool
    is_mine: bool

    @classmethod
    def of(cls, actor: Actor, row: SavedView) -> SavedViewView:
        return cls(row.id, row.name, Filters.parse(row.filters), row.is_shared, row.user_id == actor.user_id)


def saved_views(actor: Actor) -> tuple[SavedViewView, ...]:
    """The actor's own views and those colleagues share, by name; one that an older NEXA made of filters there are no
    more is left out. Raises Forbidden without AUDIT_READ.
    """
    actor.require(Permission.AUDIT_READ)
    with reading(actor) as db:
        rows = db.scalars(
            select(SavedView)
            .where(
                SavedView.organization_id == actor.organization_id,
                or_(SavedView.is_shared, SavedView.user_id == actor.user_id),
                SavedView.removed_at.is_(None),
            )
            .order_by(func.lower(SavedView.name), SavedView.id)
        ).all()
    found = []
    for row in rows:
        with suppress(Invalid):
            found.append(SavedViewView.of(actor, row))
    return tuple(found)


def save_view(actor: Actor, *, name: str, filters: Filters, is_shared: bool = False) -> SavedViewView:
    """Keep these filters under a name.

    Raises Forbidden without AUDIT_READ, Invalid without a name or filters, Conflict for a name the actor has used.
    """
    actor.require(Permission.AUDIT_READ)
    if not (name := " ".join(name.split())) or len(name) > 100:
        raise Invalid("A view needs a name of at most 100 characters.", field="name")
    if not filters.words():
        raise Invalid("Set a filter first; a view without one is the log itself.", field="filters")
    if actor.organization_id is None or actor.user_id is None:
        raise NotFound("Only somebody who is signed in has views.")
    with recording(actor, Action.AUDIT_VIEW_SAVED) as db:
        view = SavedView(
            organization_id=actor.organization_id,
            user_id=actor.user_id,
            name=name,
            filters=filters.words(),
            is_shared=is_shared,
        )
        db.add(view)
        db.flush()
        return SavedViewView.of(actor, view)


def share_view(actor: Actor, *, view_id: UUID, is_shared: bool) -> None:
    """Show one's view to the organization, or to oneself alone again. Raises NotFound for somebody else's view."""
    with _mine(actor, view_id, Action.AUDIT_VIEW_SHARED) as view:
        view.is_shared = is_shared


def remove_view(actor: Actor, *, view_id: UUID) -> None:
    """Take one's view away. Raises NotFound for somebody else's."""
    with _mine(actor, view_id, Action.AUDIT_VIEW_REMOVED) as view:
        view.removed_at = func.now()


@contextmanager
def _mine(actor: Actor, view_id: UUID, action: Action) -> Iterator[SavedView]:
    actor.require(Permission.AUDIT_READ)
    with recording(actor, action) as db:
        which = select(SavedView).where(
            SavedView.id == view_id,
            SavedView.organization_id == actor.organization_id,
            SavedView.user_id == actor.user_id,
            SavedView.removed_at.is_(None),
        )
        yield db.scalars(which.with_for_update()).one()
