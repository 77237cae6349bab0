"""Read the log as sentences, and note what changes no row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import cast, column, func, select, table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.audit.models import AuditLog
from nexa_core.db import reading
from nexa_core.permissions import Permission

_ACTIONS = {action.value: action for action in Action}

# The log stands below the domains and may not import them; of their tables it needs the names only.
_users = table("users", column("id"), column("full_name"))
_organizations = table("organizations", column("id"), column("name"))
_memberships = table("organization_memberships", column("id"), column("user_id"))
_sessions = table("ai_architecture_sessions", column("uuid"), column("title"))


@dataclass(frozen=True, slots=True)
class EntryView:
    """One entry, ready to read; times are UTC."""

    id: UUID
    at: dt.datetime
    action: str
    sentence: str
    actor_name: str
    organization_name: str | None
    resource_type: str
    resource_id: UUID | None
    old_values: Mapping[str, Any] | None
    new_values: Mapping[str, Any] | None
    reason: str | None
    request_id: UUID


def note(
    db: Session,
    resource_type: str,
    resource_id: UUID | None,
    values: Mapping[str, Any],
    *,
    organization_id: UUID | None = None,
    action: Action | None = None,
) -> UUID:
    """Log what changes no audited row (a failed sign-in, an export), in the caller's transaction.

    ``action`` is the transaction's own unless another is named; ``values`` must hold no secret.
    """
    noted = func.nexa.audit_note(
        resource_type, resource_id, organization_id, cast(dict(values), JSONB), action.value if action else None
    )
    entry_id: UUID = db.execute(select(noted)).scalar_one()
    return entry_id


def recent(actor: Actor, *, organization_id: UUID | None = None, limit: int = 20) -> tuple[EntryView, ...]:
    """The newest entries the actor may see, newest first; ``organization_id`` narrows them.

    Raises Forbidden without AUDIT_READ.
    """
    actor.require(Permission.AUDIT_READ)
    entries = (
        select(AuditLog, _users.c.full_name, _organizations.c.name)
        .outerjoin(_users, _users.c.id == AuditLog.user_id)
        .outerjoin(_organizations, _organizations.c.id == AuditLog.organization_id)
        .order_by(AuditLog.created_at.desc(), AuditLog.id.desc())
        .limit(limit)
    )
    if organization_id is not None:
        entries = entries.where(AuditLog.organization_id == organization_id)
    with reading(actor) as db:
        rows = db.execute(entries).all()
        names = _names_of(db, [row.AuditLog for row in rows])
    return tuple(_view(row.AuditLog, row.full_name, row.name, names) for row in rows)


def _names_of(db: Session, entries: list[AuditLog]) -> dict[UUID, str]:
    """What people call the resources of these entries; a membership is called by its person."""
    ids: dict[str, set[UUID]] = {"user": set(), "membership": set(), "session": set()}
    for entry in entries:
        if entry.resource_id and entry.resource_type in ids:
            ids[entry.resource_type].add(entry.resource_id)
    members = {
        row.id: row.user_id for row in db.execute(select(_memberships).where(_memberships.c.id.in_(ids["membership"])))
    }
    for entry in entries:  # a removed membership is gone; its entry still knows the person
        person = (entry.old_values or {}).get("user_id")
        if entry.resource_type == "membership" and entry.resource_id and person:
            members[entry.resource_id] = UUID(person)
    people = ids["user"] | set(members.values())
    found = {row.id: row.full_name for row in db.execute(select(_users).where(_users.c.id.in_(people)))}
    found |= {membership: found[person] for membership, person in members.items() if person in found}
    found |= {row.uuid: row.title for row in db.execute(select(_sessions).where(_sessions.c.uuid.in_(ids["session"])))}
    return found


class _Ellipsis(dict[str, Any]):
    """Values of an entry by name; what the entry does not hold reads as an ellipsis."""

    def __missing__(self, key: str) -> str:
        return "…"


def _view(entry: AuditLog, actor_name: str | None, organization: str | None, names: Mapping[UUID, str]) -> EntryView:
    who = actor_name or ("NEXA" if entry.actor_scope == "staff" else "Somebody")
    resource = names.get(entry.resource_id) if entry.resource_id else None
    return EntryView(
        id=entry.id,
        at=entry.created_at,
        action=entry.action,
        sentence=_sentence(entry, who, organization, resource),
        actor_name=who,
        organization_name=organization,
        resource_type=entry.resource_type,
        resource_id=entry.resource_id,
        old_values=entry.old_values,
        new_values=entry.new_values,
        reason=entry.reason,
        request_id=entry.request_id,
    )


def _sentence(entry: AuditLog, who: str, organization: str | None, resource: str | None) -> str:
    action = _ACTIONS.get(entry.action)  # None: written by a newer NEXA than this one
    template = action.sentence if action else "{actor}: " + entry.action
    nothing: Mapping[str, Any] = {}
    return template.format(
        actor=who,
        organization=organization or "the platform",
        resource=resource or f"a {entry.resource_type.replace('_', ' ')}",
        old=_Ellipsis(entry.old_values or nothing),
        new=_Ellipsis(entry.new_values or nothing),
    )
