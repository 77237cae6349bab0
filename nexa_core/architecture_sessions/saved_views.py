"""Saved views of the list: filters under a name (see ``nexa_core.saved_views``)."""

from __future__ import annotations

from typing import Final, TypeAlias
from uuid import UUID

from nexa_core.actions import Action
from nexa_core.actor import Actor, Scope
from nexa_core.architecture_sessions.filters import Filter
from nexa_core.architecture_sessions.models import SessionSavedView
from nexa_core.errors import Forbidden
from nexa_core.permissions import Permission
from nexa_core.saved_views import SavedView, Views

SavedViewView: TypeAlias = SavedView[Filter]

_VIEWS: Final = Views(
    SessionSavedView,
    Filter.parse,
    Permission.SESSIONS_READ,
    Action.SESSION_VIEW_SAVED,
    Action.SESSION_VIEW_SHARED,
    Action.SESSION_VIEW_REMOVED,
    "the list",
)


def saved_views(actor: Actor) -> tuple[SavedViewView, ...]:
    """The actor's own views and those colleagues share, by name; one whose filters cannot be read any more is left
    out. Raises Forbidden without SESSIONS_READ.
    """
    return _VIEWS.visible(actor)


def save_view(actor: Actor, *, name: str, wanted: Filter, is_shared: bool = False) -> SavedViewView:
    """Keep this filter under a name.

    Raises Forbidden without SESSIONS_READ or as a presenter, Invalid without a name or filter, Conflict for a name the
    actor has used.
    """
    _keeps(actor)
    wanted.check()
    return _VIEWS.save(actor, name=name, filters=wanted, is_shared=is_shared, field="wanted")


def share_view(actor: Actor, *, view_id: UUID, is_shared: bool) -> None:
    """Show one's view to the organization, or to oneself alone again. Raises NotFound for somebody else's view."""
    _keeps(actor)
    _VIEWS.share(actor, view_id=view_id, is_shared=is_shared)


def remove_view(actor: Actor, *, view_id: UUID) -> None:
    """Take one's view away. Raises NotFound for somebody else's."""
    _keeps(actor)
    _VIEWS.remove(actor, view_id=view_id)


def _keeps(actor: Actor) -> None:
    actor.require(Permission.SESSIONS_READ)
    if actor.scope is Scope.PRESENTER:
        raise Forbidden("Whoever presents the demo keeps nothing in it.")
