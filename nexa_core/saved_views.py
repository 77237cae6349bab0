"""Saved views: the filters of a list under a name, for oneself or for everybody in the organization.

A domain that has a list has a table of views of it (``ViewRow``) and says in ``Views`` what its filters are, who may
look, and what its actions are called; its verbs are this module's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, func, or_, select, text
from sqlalchemy.orm import Mapped, mapped_column

from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.db import reading, recording
from nexa_core.errors import Invalid, NotFound
from nexa_core.orm import Base, Id, Object, Timestamp
from nexa_core.permissions import Permission


class Wanted(Protocol):
    """The filters of a list; as words, an address and a view hold them."""

    def words(self) -> dict[str, str]: ...


F = TypeVar("F", bound=Wanted)


class ViewRow(Base):
    """What every table of views holds. A removed view stays, because the log names it; its name is free again."""

    __abstract__ = True

    id: Mapped[Id]
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(100))
    filters: Mapped[Object]
    is_shared: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[Timestamp]
    removed_at: Mapped[dt.datetime | None]


def one_of_a_name(table: str) -> Index:
    """The index by which nobody has two views of one name."""
    return Index(
        f"{table}_organization_id_user_id_name_idx",
        "organization_id",
        "user_id",
        "name",
        unique=True,
        postgresql_where=text("removed_at IS NULL"),
        info={"sentence": "You have a view of this name already."},
    )


@dataclass(frozen=True, slots=True)
class SavedView(Generic[F]):
    """A saved view; ``is_mine`` says whether the actor made it, and so may change it."""

    id: UUID
    name: str
    filters: F
    is_shared: bool
    is_mine: bool


@dataclass(frozen=True, slots=True)
class Views(Generic[F]):
    """The views of one list. ``parse`` raises Invalid for filters there are no more; ``list_name`` is "the log"."""

    table: type[ViewRow]
    parse: Callable[[Mapping[str, Any]], F]
    permission: Permission
    saved: Action
    shared: Action
    removed: Action
    list_name: str

    def visible(self, actor: Actor) -> tuple[SavedView[F], ...]:
        """The actor's own and those colleagues share, by name; one that cannot be read any more is left out."""
        actor.require(self.permission)
        row = self.table
        with reading(actor) as db:
            rows = db.scalars(
                select(row)
                .where(
                    row.organization_id == actor.organization_id,
                    or_(row.is_shared, row.user_id == actor.user_id),
                    row.removed_at.is_(None),
                )
                .order_by(func.lower(row.name), row.id)
            ).all()
        found = []
        for one in rows:
            with suppress(Invalid):
                found.append(self._view(actor, one))
        return tuple(found)

    def save(self, actor: Actor, *, name: str, filters: F, is_shared: bool, field: str = "filters") -> SavedView[F]:
        """Keep filters under a name. Raises Forbidden, Invalid, and Conflict for a name the actor has used."""
        actor.require(self.permission)
        if not (name := " ".join(name.split())) or len(name) > 100 or "\x00" in name:
            raise Invalid("A view needs a name of at most 100 characters.", field="name")
        if not filters.words():
            raise Invalid(f"Set a filter first; a view without one is {self.list_name} itself.", field=field)
        if actor.organization_id is None or actor.user_id is None:
            raise NotFound("Only somebody who is signed in has views.")
        with recording(actor, self.saved) as db:
            row = self.table(
                organization_id=actor.organization_id,
                user_id=actor.user_id,
                name=name,
                filters=filters.words(),
                is_shared=is_shared,
            )
            db.add(row)
            db.flush()
            return self._view(actor, row)

    def share(self, actor: Actor, *, view_id: UUID, is_shared: bool) -> None:
        """Show one's view to the organization, or to oneself alone. Raises NotFound for somebody else's view."""
        with self._mine(actor, view_id, self.shared) as row:
            row.is_shared = is_shared

    def remove(self, actor: Actor, *, view_id: UUID) -> None:
        """Take one's view away. Raises NotFound for somebody else's."""
        with self._mine(actor, view_id, self.removed) as row:
            row.removed_at = func.now()

    def _view(self, actor: Actor, row: ViewRow) -> SavedView[F]:
        return SavedView(row.id, row.name, self.parse(row.filters), row.is_shared, row.user_id == actor.user_id)

    @contextmanager
    def _mine(self, actor: Actor, view_id: UUID, action: Action) -> Iterator[ViewRow]:
        actor.require(self.permission)
        row = self.table
        with recording(actor, action) as db:
            which = select(row).where(
                row.id == view_id,
                row.organization_id == actor.organization_id,
                row.user_id == actor.user_id,
                row.removed_at.is_(None),
            )
            yield db.scalars(which.with_for_update()).one()
