"""Saved views of the list: filters and order under a name (see ``nexa_core.saved_views``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from uuid import UUID

from nexa_core.actions import Action
from nexa_core.actor import Actor, Scope
from nexa_core.architecture_sessions.filters import Filter
from nexa_core.architecture_sessions.listing import SORTS, require_sort
from nexa_core.architecture_sessions.models import SessionSavedView
from nexa_core.errors import Forbidden
from nexa_core.permissions import Permission
from nexa_core.saved_views import SavedView, Views


@dataclass(frozen=True, slots=True)
class Look:
    """What a view keeps: what the list is narrowed to, and its order."""

    wanted: Filter
    sort: str = SORTS[0]

    def words(self) -> dict[str, str]:
        """As a view holds it; what is at its default is left out."""
        return self.wanted.words() | ({"sort": self.sort} if self.sort != SORTS[0] else {})

    @classmethod
    def parse(cls, words: Mapping[str, Any]) -> Look:
        """What ``words`` say. Raises Invalid for words that are none of ours."""
        sort = words.get("sort", SORTS[0])
        require_sort(sort)
        return cls(Filter.parse({name: value for name, value in words.items() if name != "sort"}), sort)


SavedViewView: TypeAlias = SavedView[Look]

_VIEWS: Final = Views(
    SessionSavedView,
    Look.parse,
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


def save_view(
    actor: Actor, *, name: str, wanted: Filter, sort: str = SORTS[0], is_shared: bool = False
) -> SavedViewView:
    """Keep this filter and order under a name.

    Raises Forbidden without SESSIONS_READ or as a presenter, Invalid without a name, for an unknown sort and for what
    is the list itself, Conflict for a name the actor has used.
    """
    _keeps(actor)
    wanted.check()
    require_sort(sort)
    return _VIEWS.save(actor, name=name, filters=Look(wanted, sort), is_shared=is_shared, field="wanted")


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
