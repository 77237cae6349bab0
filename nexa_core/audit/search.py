"""Find entries: filters, pages by keyset, and at the same speed among ten entries or ten million."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import INET, JSONB
from sqlalchemy.orm import Session

from nexa_core import paging
from nexa_core.actor import Actor, Scope
from nexa_core.audit.filters import BY_STAFF, EVERYTHING, Filters, Subject
from nexa_core.audit.models import AuditLog
from nexa_core.audit.story import EntryView, memberships_table, views
from nexa_core.db import reading
from nexa_core.permissions import Permission

#: A text within values can have no index that row-level security would use: it is looked for in so many entries a page,
#: newest first, and the page says how far it looked.
TEXT_BUDGET = 10_000
#: What of a value of more than a few words travels with a list; an entry by itself has it whole.
_SHORT = 400
#: Values smaller than this are stored in line, uncompressed, and travel as they are.
_SMALL = 2_000


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, newest first, and where the next page begins (None at the end).

    ``looked_back_to`` is set when a text was looked for: entries before that moment have not been looked at yet.
    """

    items: tuple[EntryView, ...]
    next_cursor: str | None
    looked_back_to: dt.datetime | None = None


def find(actor: Actor, *, filters: Filters = EVERYTHING, after: str | None = None, limit: int = 50) -> Page:
    """A page of the entries the actor may see, newest first, at most 200.

    ``after`` is the ``next_cursor`` of the page before. Raises Forbidden without AUDIT_READ, Invalid for a cursor that
    is none.
    """
    actor.require(Permission.AUDIT_READ)
    limit = max(1, min(limit, 200))
    place = _place(after)
    with reading(actor) as db:
        if filters.text:
            return _looked_for(actor, db, filters, place, limit)
        rows = db.execute(shortened(_newest(actor, db, filters, place, limit + 1))).all()
        items = views(actor, db, rows[:limit])
    return Page(items, paging.cursor(rows[limit - 1].created_at, rows[limit - 1].id) if len(rows) > limit else None)


def timeline(actor: Actor, resource_type: str, resource_id: UUID, *, after: str | None = None, limit: int = 50) -> Page:
    """Everything about one person, organization, session or membership: a page of its history, newest first.

    Of a person: what they did, what was done to them, and what became of their memberships. Raises as ``find`` does.
    """
    return find(actor, filters=Filters(about=Subject(resource_type, resource_id)), after=after, limit=limit)


def recent(actor: Actor, *, organization_id: UUID | None = None, limit: int = 20) -> tuple[EntryView, ...]:
    """The newest entries the actor may see, newest first; ``organization_id`` narrows them.

    Raises Forbidden without AUDIT_READ.
    """
    return find(actor, filters=Filters(organization=organization_id), limit=limit).items


def branches(actor: Actor, db: Session, filters: Filters) -> list[list[ColumnElement[bool]]]:
    """The conditions of these filters; more than one list where they are read along several indexes, without overlap.

    A tenant's organization is named although the policy holds it too: it leads to the index.
    """
    found: list[ColumnElement[bool]] = []
    if actor.scope is Scope.TENANT:
        found.append(AuditLog.organization_id == actor.organization_id)
    equal: tuple[tuple[Any, Any], ...] = (
        (AuditLog.user_id, filters.person),
        (AuditLog.action, filters.action),
        (AuditLog.resource_type, filters.resource_type),
        (AuditLog.resource_id, filters.resource),
        (AuditLog.organization_id, filters.organization),
    )
    found += [column_ == value for column_, value in equal if value is not None]
    if filters.address:
        found.append(AuditLog.ip_address == cast(filters.address, INET))
    if filters.request:
        found.append(AuditLog.request_id.between(*_requests(filters.request)))
    if filters.staff:
        found.append(literal_column(BY_STAFF))
    if filters.since:
        found.append(AuditLog.created_at >= filters.since)
    if filters.until:
        found.append(AuditLog.created_at < filters.until)
    if filters.about is None:
        return [found]
    return [[*found, *about] for about in _about(db, filters.about)]


def _requests(request: str) -> tuple[UUID, UUID]:
    """The first and the last request that begin so: a whole id, or its first eight digits."""
    if len(request) > 8:
        return UUID(request), UUID(request)
    return UUID(f"{request}-0000-0000-0000-000000000000"), UUID(f"{request}-ffff-ffff-ffff-ffffffffffff")


def shortened(entries: Select[Any]) -> Select[Any]:
    """These entries, newest first, with values cut to what a list shows; the megabytes stay in the database."""
    rows = entries.subquery()
    kept = [one for one in rows.c if one.name not in ("old_values", "new_values")]
    old, new = (_cut(rows.c[name]).label(name) for name in ("old_values", "new_values"))
    return select(*kept, old, new).order_by(rows.c.created_at.desc(), rows.c.id.desc())


def _about(db: Session, subject: Subject) -> Iterator[list[ColumnElement[bool]]]:
    if subject.resource_type == "organization":
        yield [AuditLog.organization_id == subject.resource_id]
        return
    if subject.resource_type != "user":
        yield [AuditLog.resource_id == subject.resource_id]
        return
    person = subject.resource_id
    by_others = AuditLog.user_id.is_distinct_from(person)
    yield [AuditLog.user_id == person]
    yield [AuditLog.resource_id == person, by_others]
    belonging = db.scalars(select(memberships_table.c.id).where(memberships_table.c.user_id == person)).all()
    if belonging:
        yield [AuditLog.resource_id.in_(belonging), by_others]


ENTRY = (
    AuditLog.id,
    AuditLog.created_at,
    AuditLog.organization_id,
    AuditLog.user_id,
    AuditLog.action,
    AuditLog.resource_type,
    AuditLog.resource_id,
    AuditLog.old_values,
    AuditLog.new_values,
    AuditLog.ip_address,
    AuditLog.user_agent,
    AuditLog.request_id,
    AuditLog.reason,
    AuditLog.actor_scope,
)
_NEWEST_FIRST = (AuditLog.created_at.desc(), AuditLog.id.desc())
Place = tuple[dt.datetime, UUID]


def _newest(actor: Actor, db: Session, filters: Filters, place: Place | None, limit: int) -> Select[Any]:
    parts = [
        select(*ENTRY).where(*where, *_before(place)).order_by(*_NEWEST_FIRST).limit(limit)
        for where in branches(actor, db, filters)
    ]
    if len(parts) == 1:
        return parts[0]
    first, *others = (select(*part.subquery().c) for part in parts)
    together = first.union_all(*others).subquery()
    return select(*together.c).order_by(together.c.created_at.desc(), together.c.id.desc()).limit(limit)


def _before(place: Place | None) -> tuple[ColumnElement[bool], ...]:
    """What comes after a place in the log; the first condition alone spares the months that are newer."""
    if place is None:
        return ()
    return AuditLog.created_at <= place[0], tuple_(AuditLog.created_at, AuditLog.id) < tuple_(*map(literal, place))


def _looked_for(actor: Actor, db: Session, filters: Filters, place: Place | None, limit: int) -> Page:
    """Look for the text among the newest entries, more at each step, until the page is full or the budget is spent."""
    others, found = replace(filters, text=None), list[Place]()
    step, left, reached, more = min(1_000, TEXT_BUDGET), TEXT_BUDGET, place, True
    while more and left > 0 and len(found) <= limit:
        hits, edge = _scan(
            db, _newest(actor, db, others, reached, step), filters.text or "", limit + 1 - len(found), step
        )
        found += hits
        more, reached = edge is not None, edge or reached
        left -= step
        step = max(1, min(step * 4, left))
    shown = found[:limit]
    rows = []
    if shown:
        which = AuditLog.id.in_([entry_id for _, entry_id in shown])
        rows = list(
            db.execute(shortened(select(*ENTRY).where(which, AuditLog.created_at.between(shown[-1][0], shown[0][0]))))
        )
    items = views(actor, db, rows)
    if len(found) > limit:
        return Page(items, paging.cursor(*shown[-1]), shown[-1][0])
    return Page(items, paging.cursor(*reached), reached[0]) if more and reached else Page(items, None)


def _scan(db: Session, entries: Select[Any], text: str, limit: int, step: int) -> tuple[list[Place], Place | None]:
    """The places where the text is, newest first, and where the scan ended; None when there is nothing further."""
    rows = entries.subquery()
    fits = or_(*(func.coalesce(_holds(rows.c[name], text), False) for name in ("old_values", "new_values")))
    scanned = select(rows.c.created_at, rows.c.id, fits.label("fits")).cte("scanned").prefix_with("MATERIALIZED")
    newest = (scanned.c.created_at.desc(), scanned.c.id.desc())
    hits = select(scanned.c.created_at, scanned.c.id, literal(True).label("fits")).where(scanned.c.fits)
    is_full = select(func.count()).select_from(scanned).scalar_subquery() == step
    edge = select(scanned.c.created_at, scanned.c.id, literal(False)).where(is_full)
    together = union_all(
        select(hits.order_by(*newest).limit(limit).subquery()),
        select(edge.order_by(scanned.c.created_at, scanned.c.id).limit(1).subquery()),
    )
    answer = db.execute(together).all()
    places = sorted(((row.created_at, row.id) for row in answer if row.fits), reverse=True)
    return places, next(((row.created_at, row.id) for row in answer if not row.fits), None)


def _holds(values: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    """Whether the text is in the values, as JSON writes it: a quotation mark with its backslash."""
    return cast(values, Text).icontains(json.dumps(text, ensure_ascii=False)[1:-1], autoescape=True)


def _cut(values: ColumnElement[Any]) -> ColumnElement[Any]:
    parts = func.jsonb_each(values).table_valued("key", "value")
    words = cast(parts.c.value, Text)
    short = case(
        (func.octet_length(words) > _SHORT, func.to_jsonb(func.left(words, _SHORT) + "…")),
        else_=cast(parts.c.value, JSONB),
    )
    kept = select(func.jsonb_object_agg(parts.c.key, short)).select_from(parts).scalar_subquery()
    is_long = and_(func.pg_column_size(values) > _SMALL, func.jsonb_typeof(values) == "object")
    return case((is_long, kept), else_=values)


def _place(after: str | None) -> Place | None:
    return tuple(paging.place(after, dt.datetime, UUID)) if after else None
