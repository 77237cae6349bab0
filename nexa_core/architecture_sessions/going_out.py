"""What is asked before anything goes out of a session: is it ready, and does the organization insist on it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final, Literal, get_args
from uuid import UUID

from sqlalchemy import text

from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.architecture_sessions.contents import Content, content
from nexa_core.architecture_sessions.readiness import Readiness, assess
from nexa_core.db import reading, recording
from nexa_core.errors import Conflict, Invalid, NotFound
from nexa_core.permissions import Permission

#: ``off`` asks nothing, ``warn`` shows what was found, ``block`` lets nothing out that has an error.
Gate = Literal["off", "warn", "block"]
GATES: Final[tuple[Gate, ...]] = get_args(Gate)


@dataclass(frozen=True, slots=True)
class GoingOut:
    """What a person should know before sharing or exporting. ``blocked`` is the sentence of a refusal, or None."""

    gate: Gate
    revision: int
    readiness: Readiness
    blocked: str | None

    @property
    def warns(self) -> bool:
        return self.gate != "off" and bool(self.readiness.findings)


def check_readiness(actor: Actor, *, uuid: UUID, revision: int | None = None, draw: bool = True) -> GoingOut:
    """The readiness of a session, the newest revision without a number, and what the organization makes of it.

    With ``draw=False`` diagrams that nobody has drawn yet are not looked at, and the answer takes milliseconds.
    Raises as ``content``.
    """
    return assessed(content(actor, uuid=uuid, revision=revision), draw=draw)


def assessed(shown: Content, *, draw: bool = True) -> GoingOut:
    """What was found in a content that was read already."""
    found = assess(shown.documents, today=dt.datetime.now(dt.UTC).date(), draw=draw)
    gate: Gate = next((gate for gate in GATES if gate == shown.readiness_gate), "warn")
    blocked = None
    if gate == "block" and found.errors:
        errors = f"{found.errors} error{'s' if found.errors > 1 else ''}"
        blocked = f"This session has {errors} to mend before it may be shared or exported: {found.findings[0].sentence}"
    return GoingOut(gate, shown.revision, found, blocked)


def require_ready(shown: Content) -> None:
    """Raise Conflict when the organization lets nothing out that has an error, and this has one."""
    if shown.readiness_gate == "block" and (blocked := assessed(shown).blocked):
        raise Conflict(blocked)


def readiness_gate(actor: Actor) -> Gate:
    """The gate of the actor's organization. Raises Forbidden without SESSIONS_READ."""
    actor.require(Permission.SESSIONS_READ)
    with reading(actor) as db:
        found = db.scalar(
            text("SELECT readiness_gate FROM organizations WHERE id = :id"), {"id": actor.organization_id}
        )
    if found is None:
        raise NotFound("There is no such organization.")
    return next((gate for gate in GATES if gate == found), "warn")


def set_readiness_gate(actor: Actor, *, gate: str) -> None:
    """Decide for the actor's organization whether what is not ready may go out.

    Raises Forbidden without ORGANIZATION_MANAGE, Invalid for anything but ``off``, ``warn`` and ``block``.
    """
    actor.require(Permission.ORGANIZATION_MANAGE)
    if gate not in GATES:
        raise Invalid("The gate is off, warns or blocks.", field="gate")
    with recording(actor, Action.READINESS_GATE_CHANGED) as db:
        db.execute(
            text("UPDATE organizations SET readiness_gate = :gate WHERE id = :id AND readiness_gate <> :gate"),
            {"gate": gate, "id": actor.organization_id},
        )
