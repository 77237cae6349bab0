"""Put a change back: what can be, whether it still fits, and the change that undoes it, an entry of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Row, bindparam, text
from sqlalchemy.orm import Session

from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.audit.entry import row_of, values_of, view_of
from nexa_core.audit.story import label, what_changed
from nexa_core.audit.values import Value, words_of
from nexa_core.db import reading, recording
from nexa_core.errors import Conflict, Forbidden, Invalid, NotFound
from nexa_core.permissions import Permission

P = Permission


@dataclass(frozen=True, slots=True)
class Reversible:
    """Columns of one table that can be put back, and who may: ``own`` in one's own organization, else ``other``.

    ``own`` is None where only the person themselves may (``other`` decides about everybody else). ``only`` names the
    values that may be left and returned to. What ``is_guarded`` has a guard besides, of the domain whose rules it is.
    """

    resource_type: str
    table: str
    key: str
    columns: tuple[str, ...]
    own: Permission | None
    other: Permission
    only: frozenset[str] | None = None
    is_guarded: bool = False


class Guard(Protocol):
    """What a domain asks besides a permission before something of its own goes back to what it was.

    Raises Forbidden or Conflict. With ``lock`` it takes the domain's locks, in the domain's order, and does what goes
    with the change; without, it only foretells.
    """

    def __call__(
        self,
        actor: Actor,
        db: Session,
        *,
        organization_id: UUID,
        resource_id: UUID,
        before: Mapping[str, Any],
        lock: bool,
    ) -> None: ...


#: By type of resource, put here by the domains, which lie above this one.
_GUARDS: dict[str, Guard] = {}

_SUSPENSION = frozenset({"active", "suspended"})
_NAMES = ("first_name", "last_name", "full_name")
_ABOUT_A_PERSON = (*_NAMES, "avatar_url", "timezone", "locale", "profile_data", "notification_settings")
_ABOUT_AN_ORGANIZATION = ("name", "logo_url", "brand_colors")
_BUSINESS = ("address", "tax_id", "billing_email")
_CONTRACT = ("plan_type", "subscription_status", "subscription_data", "usage_limits", "account_manager_id", "time_zone")

_ORGANIZATION = ("organization", "organizations", "id")
_MEMBERSHIP = ("membership", "organization_memberships", "id")
_SESSION = ("session", "ai_architecture_sessions", "uuid")
_USER = ("user", "users", "id")

#: Everything that can be put back. Table and column names reach SQL from here alone.
REVERSIBLE = (
    Reversible(*_ORGANIZATION, _ABOUT_AN_ORGANIZATION, P.ORGANIZATION_MANAGE, P.ORGANIZATIONS_MANAGE),
    Reversible(*_ORGANIZATION, _BUSINESS, P.BILLING_MANAGE, P.ORGANIZATIONS_MANAGE),
    Reversible(*_ORGANIZATION, _CONTRACT, P.ORGANIZATIONS_MANAGE, P.ORGANIZATIONS_MANAGE, is_guarded=True),
    Reversible(*_ORGANIZATION, ("tags",), P.PORTFOLIO_READ, P.PORTFOLIO_READ),
    Reversible(*_ORGANIZATION, ("status",), P.ORGANIZATIONS_MANAGE, P.ORGANIZATIONS_MANAGE, _SUSPENSION),
    Reversible(*_MEMBERSHIP, ("role",), P.MEMBERS_MANAGE, P.ORGANIZATIONS_MANAGE, is_guarded=True),
    Reversible(*_MEMBERSHIP, ("status",), P.MEMBERS_MANAGE, P.ORGANIZATIONS_MANAGE, _SUSPENSION, is_guarded=True),
    Reversible(*_USER, _ABOUT_A_PERSON, None, P.USERS_MANAGE),
    Reversible(*_USER, ("status",), P.USERS_MANAGE, P.USERS_MANAGE, _SUSPENSION, is_guarded=True),
    Reversible(*_SESSION, ("title", "client", "tags", "session_type"), P.SESSIONS_WRITE, P.SESSIONS_WRITE),
)
#: Columns of documents: restored as they are, a JSON null included.
_JSON = frozenset(
    {"brand_colors", "address", "subscription_data", "usage_limits", "profile_data", "notification_settings", "tags"}
)
#: What every change of a row moves along with it.
_TOUCHED = {"ai_architecture_sessions": "updated_at = now(), version = t.version + 1"}


@dataclass(frozen=True, slots=True)
class UndoChange:
    """One value that goes back: what it is now and what it was; in conflict when it has been changed since."""

    name: str
    now: Value
    then: Value
    is_conflict: bool


@dataclass(frozen=True, slots=True)
class UndoPlan:
    """What undoing an entry would do. ``refusal`` says why it cannot be undone; None when it can.

    Without ``is_allowed`` it is the actor who may not.
    """

    entry_id: UUID
    sentence: str
    changes: tuple[UndoChange, ...]
    refusal: str | None
    is_allowed: bool = True


def guard(resource_type: str, asked: Guard) -> None:
    """Name what a domain asks besides, for the lines of this type that are guarded."""
    _GUARDS[resource_type] = asked


def plan(actor: Actor, *, entry_id: UUID) -> UndoPlan:
    """What putting this change back would do, without doing it.

    Raises Forbidden without AUDIT_READ, NotFound for an entry the actor may not see.
    """
    actor.require(Permission.AUDIT_READ)
    with reading(actor) as db:
        row = row_of(db, entry_id)
        before, after = values_of(row)
        view = view_of(actor, db, entry_id)
        try:
            lines = _lines(actor, row, before, after)
            _ask_guard(actor, db, row, lines, before, lock=False)
        except (Conflict, Forbidden) as refused:
            return UndoPlan(entry_id, view.sentence, (), refused.sentence, is_allowed=isinstance(refused, Conflict))
        now = _current(db, lines[0], row.resource_id, tuple(after), lock=False)
        words = words_of(actor, db, row, before, now)
    changes = tuple(
        UndoChange(
            label(name),
            words.shown((name,), now[name]),
            words.shown((name,), before[name]),
            now[name] != after[name],
        )
        for name in after
    ) if now else ()  # fmt: skip
    refusal = None if now else _GONE
    if any(change.is_conflict for change in changes):
        refusal = _conflict(before, after, now or {})
    return UndoPlan(entry_id, view.sentence, changes, refusal)


def apply(actor: Actor, *, entry_id: UUID, reason: str) -> None:
    """Put the change back; it is logged as an undo whose reason says which change it was.

    Raises as ``plan`` does, Invalid without a reason, Conflict when it is no change that can be put back or a value has
    been changed since, Forbidden without the permission the change itself asks for.
    """
    actor.require(Permission.AUDIT_READ)
    if not (reason := reason.strip()):
        raise Invalid("Please give a reason; it is kept in the audit log.", field="reason")
    actor.require_own_eyes()
    with reading(actor) as db:
        row = row_of(db, entry_id)
        before, after = values_of(row)
    lines = _lines(actor, row, before, after)
    # By what it changed and when, not by its sentence: people are not called the same by everybody who reads a reason.
    undone = (
        f"undoes the change of the {what_changed(before, after)}, {row.created_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    )
    with recording(actor, Action.CHANGE_UNDONE, reason=f"{reason[:1000]} ({undone})") as db:
        _ask_guard(actor, db, row, lines, before, lock=True)
        now = _current(db, lines[0], row.resource_id, tuple(after), lock=True)
        if now is None:
            raise NotFound(_GONE)
        if any(now[name] != after[name] for name in after):
            raise Conflict(_conflict(before, after, now))
        _restore(db, lines[0], row.resource_id, before)


_GONE = "What was changed does not exist any more."


def _lines(actor: Actor, row: Row[Any], before: Any, after: Any) -> list[Reversible]:
    """The registry's lines for what the entry changed. Raises Conflict for what cannot be put back, or Forbidden."""
    if not isinstance(before, dict) or not isinstance(after, dict) or before.keys() != after.keys():
        raise Conflict("This entry is not a change of values, so there is nothing to put back.")
    lines: list[Reversible] = []
    for name in after:
        line = next((one for one in REVERSIBLE if one.resource_type == row.resource_type and name in one.columns), None)
        if line is None or (line.only and not {before[name], after[name]} <= line.only):
            raise Conflict(f"A change of the {label(name)} cannot be put back from here.")
        lines.append(line)
    for line in lines:
        _may(actor, row, line)
    return lines


def _ask_guard(
    actor: Actor, db: Session, row: Row[Any], lines: list[Reversible], before: Mapping[str, Any], *, lock: bool
) -> None:
    if any(line.is_guarded for line in lines):
        _GUARDS[row.resource_type](
            actor, db, organization_id=row.organization_id, resource_id=row.resource_id, before=before, lock=lock
        )


def _may(actor: Actor, row: Row[Any], line: Reversible) -> None:
    if line.resource_type == "user":
        if row.resource_id == actor.user_id and line.own is None:
            return
        if row.resource_id == actor.user_id:
            raise Conflict("You cannot suspend or resume your own account.")
        actor.require(line.other)
    elif row.organization_id == actor.organization_id and line.own:
        actor.require(line.own)
    else:
        actor.require(line.other)


def _current(
    db: Session, line: Reversible, resource_id: UUID, names: tuple[str, ...], *, lock: bool
) -> dict[str, Any] | None:
    """The values as the log writes them, of the columns named; None when the row is gone or out of reach."""
    pairs = ", ".join(f"'{name}', to_jsonb({name})" for name in names)
    row = db.execute(
        text(
            f"SELECT CAST(jsonb_build_object({pairs}) AS text) FROM {line.table} WHERE {line.key} = :id"
            + (" FOR UPDATE" if lock else "")
        ),
        {"id": resource_id},
    ).scalar_one_or_none()
    found: dict[str, Any] | None = None if row is None else json.loads(row)
    return found


def _restore(db: Session, line: Reversible, resource_id: UUID, before: Mapping[str, Any]) -> None:
    values = ", ".join(
        f"{name} = (CAST(:old AS jsonb) -> '{name}')" if name in _JSON else f"{name} = restored.{name}"
        for name in before
    )
    touched = _TOUCHED.get(line.table, "updated_at = now()")
    db.execute(
        text(
            f"UPDATE {line.table} t SET {values}, {touched}"
            f" FROM jsonb_populate_record(NULL::{line.table}, CAST(:old AS jsonb)) restored WHERE t.{line.key} = :id"
        ).bindparams(bindparam("old")),
        {"old": json.dumps(dict(before)), "id": resource_id},
    )


def _conflict(before: Mapping[str, Any], after: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    changed = [name for name in after if now[name] != after[name]]
    if all(now[name] == before[name] for name in after):
        return "It is as it was before already."
    listed = ", ".join(label(name) for name in changed)
    return f"The {listed} {'was' if len(changed) == 1 else 'were'} changed again since, so this change is not put back."
