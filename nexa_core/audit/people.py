"""Whom and what a filter can name: found by typing, among all there are, never among a first page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select

from nexa_core.actor import Actor
from nexa_core.audit.filters import Filters
from nexa_core.audit.story import called, names_of, organizations, users
from nexa_core.db import reading
from nexa_core.permissions import Permission


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody or something by its id, what it is called, and what tells it from another of that name."""

    id: UUID
    name: str
    detail: str


def people_named(actor: Actor, *, text: str, limit: int = 8) -> tuple[Found, ...]:
    """People whose name or e-mail address holds the text, those who begin with it first.

    Raises Forbidden without AUDIT_READ.
    """
    columns = (called(actor), users.c.email)
    return _named(actor, select(users.c.id, *columns), columns, text, limit)


def organizations_named(actor: Actor, *, text: str, limit: int = 8) -> tuple[Found, ...]:
    """Organizations whose name or slug holds the text, those who begin with it first. Raises as ``people_named``."""
    columns = (organizations.c.name, organizations.c.slug)
    return _named(actor, select(organizations.c.id, *columns), columns, text, limit)


def _named(actor: Actor, query: Any, columns: tuple[Any, Any], text: str, limit: int) -> tuple[Found, ...]:
    actor.require(Permission.AUDIT_READ)
    if not (text := text.strip()):
        return ()
    holds = or_(*(one.icontains(text, autoescape=True) for one in columns))
    begins = or_(*(one.istartswith(text, autoescape=True) for one in columns))
    with reading(actor) as db:
        rows = db.execute(query.where(holds).order_by(begins.desc(), func.lower(columns[0])).limit(limit)).all()
    return tuple(Found(row[0], row[1] or row[2], row[2]) for row in rows)


def names_in(actor: Actor, *, filters: Filters) -> Mapping[str, str]:
    """What the people and things are called that the filters name by identifier; those out of reach are left out.

    Raises Forbidden without AUDIT_READ.
    """
    actor.require(Permission.AUDIT_READ)
    wanted = {"person": filters.person, "organization": filters.organization, "resource": filters.resource}
    wanted["about"] = filters.about.resource_id if filters.about else None
    ids = {one for one in wanted.values() if one}
    if not ids:
        return {}
    with reading(actor) as db:
        known = names_of(actor, db, people=ids, memberships=ids, titled=ids)
        places = select(organizations.c.id, organizations.c.name).where(organizations.c.id.in_(ids))
        known |= {row.id: row.name for row in db.execute(places)}
    return {name: known[one] for name, one in wanted.items() if one and one in known}
