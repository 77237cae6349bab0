"""What a session is to one person: opened lately, pinned, and why one of the platform's people reads a customer's."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from nexa_core import audit
from nexa_core.actions import Action
from nexa_core.actor import Actor, Scope
from nexa_core.architecture_sessions.reach import ACCESS, found, head, needs_a_reason
from nexa_core.db import metering, reading, recording
from nexa_core.errors import Forbidden, Invalid
from nexa_core.permissions import Permission

_MARK = """
INSERT INTO session_marks (organization_id, session_id, user_id, {columns})
VALUES (:organization, :id, nexa.current_person(), {values})
ON CONFLICT (session_id, user_id) DO UPDATE SET {updates}
"""


_NOTE = _MARK.format(columns="noted_in", values=":noted_in", updates="noted_in = :noted_in") + (
    "WHERE session_marks.noted_in IS DISTINCT FROM :noted_in RETURNING 1"
)


def opened(actor: Actor, *, uuid: UUID) -> None:
    """Remember that the actor opened this session; nothing for who only looks (a presenter, with other eyes).

    Of the platform's people the customer's log is told, with the reason, also where they look with a member's eyes:
    once a sign-in, or a viewing. Raises Forbidden without SESSIONS_READ, ReasonNeeded, NotFound.
    """
    actor.require(Permission.SESSIONS_READ)
    if actor.viewing_as is not None:
        with reading(actor) as db:
            head(db, actor, uuid)  # no more than these eyes see
        looked = {"viewed_user_id": str(actor.viewing_as.user_id)}
        _note_opening(actor.own, uuid, noted_in=actor.viewing_as.id, reason=actor.viewing_as.reason, **looked)
        return
    if _only_looks(actor):
        return
    row = _mark(actor, uuid, opened_at="now()")
    if needs_a_reason(actor, row.organization_id):
        _note_opening(actor, uuid, noted_in=_sign_in(actor), reason=row.access_reason)


def pin(actor: Actor, *, uuid: UUID) -> None:
    """Keep this session at hand for the actor. Raises Forbidden without SESSIONS_READ or as a presenter, NotFound."""
    _pin(actor, uuid, "now()")


def unpin(actor: Actor, *, uuid: UUID) -> None:
    """The opposite of ``pin``."""
    _pin(actor, uuid, "NULL")


def needs_reason(actor: Actor, *, uuid: UUID) -> bool:
    """Whether the actor has to state a reason before this session's documents open. Raises Forbidden, NotFound."""
    actor.require(Permission.SESSIONS_READ)
    with reading(actor) as db:
        row = found(db, uuid)
    return needs_a_reason(actor, row.organization_id) and not row.has_reason


def state_reason(actor: Actor, *, uuid: UUID, reason: str) -> None:
    """Open a customer's session to one of the platform's people for eight hours; the customer reads who and why.

    Raises Forbidden without SESSIONS_READ, Invalid without a reason, NotFound.
    """
    actor.require(Permission.SESSIONS_READ)
    reason = " ".join(reason.split())
    if not reason or len(reason) > 500:
        raise Invalid("Please say why, in at most 500 characters; the customer can read it.", field="reason")
    with recording(actor, Action.SESSION_OPENED, reason=reason) as db:
        row = found(db, uuid)
        if not needs_a_reason(actor, row.organization_id):
            return
        until = f"now() + interval '{int(ACCESS.total_seconds())} seconds'"
        statement = _MARK.format(
            columns="access_reason, access_until, noted_in",
            values=f":reason, {until}, :noted_in",
            updates=f"access_reason = :reason, access_until = {until}, noted_in = :noted_in",
        )
        given = {"organization": row.organization_id, "id": row.id, "reason": reason, "noted_in": _sign_in(actor)}
        ends_at = db.execute(text(statement + "RETURNING access_until"), given).scalar_one()
        told = {"version": row.version, "access_until": ends_at.isoformat()}
        audit.note(db, "session", uuid, told, organization_id=row.organization_id)


def _pin(actor: Actor, uuid: UUID, pinned_at: str) -> None:
    actor.require(Permission.SESSIONS_READ)
    if _only_looks(actor):
        raise Forbidden("You look at these sessions; what is pinned is for those who work here.")
    _mark(actor, uuid, pinned_at=pinned_at)


def _note_opening(actor: Actor, uuid: UUID, *, noted_in: UUID | None, reason: str | None, **more: str) -> None:
    """Tell the log that one of the platform's people opened a customer's session, unless it was told already."""
    with recording(actor, Action.SESSION_OPENED, reason=reason) as db:
        row = found(db, uuid)
        if db.execute(text(_NOTE), {"organization": row.organization_id, "id": row.id, "noted_in": noted_in}).first():
            told = {"version": row.version, **more}
            audit.note(db, "session", uuid, told, organization_id=row.organization_id)


def _sign_in(actor: Actor) -> UUID | None:
    return actor.user_session_id or actor.user_id


def _mark(actor: Actor, uuid: UUID, **values: str) -> Row[Any]:
    with metering(actor) as db:
        row: Row[Any] = head(db, actor, uuid) if "opened_at" in values else found(db, uuid)
        statement = _MARK.format(
            columns=", ".join(values),
            values=", ".join(values.values()),
            updates=", ".join(f"{name} = {value}" for name, value in values.items()),
        )
        db.execute(text(statement), {"organization": row.organization_id, "id": row.id})
        return row


def _only_looks(actor: Actor) -> bool:
    return actor.scope is Scope.PRESENTER or actor.viewing_as is not None or actor.user_id is None
