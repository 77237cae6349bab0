"""Saved views of the log: filters under a name (see ``nexa_core.saved_views``)."""

from __future__ import annotations

from typing import Final, TypeAlias
from uuid import UUID

from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.audit.filters import Filters
from nexa_core.audit.models import AuditSavedView
from nexa_core.permissions import Permission
from nexa_core.saved_views import SavedView, Views

SavedViewView: TypeAlias = SavedView[Filters]

_VIEWS: Final = Views(
    AuditSavedView,
    Filters.parse,
    Permission.AUDIT_READ,
    Action.AUDIT_VIEW_SAVED,
    Action.AUDIT_VIEW_SHARED,
    Action.AUDIT_VIEW_REMOVED,
    "the log",
)


def saved_views(actor: Actor) -> tuple[SavedViewView, ...]:
    """The actor's own views and those colleagues share, by name; one that an older NEXA made of filters there are no
    more is left out. Raises Forbidden without AUDIT_READ.
    """
    return _VIEWS.visible(actor)


def save_view(actor: Actor, *, name: str, filters: Filters, is_shared: bool = False) -> SavedViewView:
    """Keep these filters under a name.

    Raises Forbidden without AUDIT_READ, Invalid without a name or filters, Conflict for a name the actor has used.
    """
    return _VIEWS.save(actor, name=name, filters=filters, is_shared=is_shared)


def share_view(actor: Actor, *, view_id: UUID, is_shared: bool) -> None:
    """Show one's view to the organization, or to oneself alone again. Raises NotFound for somebody else's view."""
    _VIEWS.share(actor, view_id=view_id, is_shared=is_shared)


def remove_view(actor: Actor, *, view_id: UUID) -> None:
    """Take one's view away. Raises NotFound for somebody else's."""
    _VIEWS.remove(actor, view_id=view_id)
