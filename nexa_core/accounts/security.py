"""What happened to somebody's account, as their admin reads it: a timeline, and why it is locked."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, or_, select
from sqlalchemy.orm import Session

from nexa_core.accounts.devices import device_label
from nexa_core.accounts.models import User
from nexa_core.actions import Action
from nexa_core.audit.models import AuditLog

_SECURITY = tuple(
    action.value
    for action in Action
    if action.value.startswith(("user.", "sign_in.")) and action != Action.USER_CREATED
)
_WORDS = {
    Action.USER_SIGN_IN_FAILED.value: "A sign-in failed",
    Action.USER_LOCKED.value: "Locked after repeated failures",
    Action.USER_UNLOCKED.value: "Unlocked",
    Action.USER_SIGNED_IN.value: "Signed in",
    Action.USER_SIGNED_OUT.value: "Signed out",
    Action.SIGN_IN_ENDED.value: "A sign-in was ended",
    Action.SIGN_IN_SWITCHED.value: "Switched to another organization",
    Action.REFRESH_REUSED.value: "A spent refresh token was used again",
    Action.PASSWORD_CHANGED.value: "Changed the password",
    Action.PASSWORD_RESET_REQUESTED.value: "A link to set a new password was sent",
    Action.PASSWORD_RESET.value: "Set a new password by mailed link",
    Action.PROFILE_UPDATED.value: "Updated the profile",
    Action.VIEWING_STARTED.value: "An admin began to look with this person's eyes",
    Action.VIEWING_ENDED.value: "An admin stopped looking with this person's eyes",
    Action.VIEWING_EXPIRED.value: "An admin's look with this person's eyes ended by itself",
    Action.USER_EXPORTED.value: "Everything about this person was exported",
}


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """One line of the timeline; ``by_somebody_else`` when another person did it."""

    at: dt.datetime
    action: str
    what: str
    ip_address: str | None
    device: str
    reason: str | None
    by_somebody_else: str | None


@dataclass(frozen=True, slots=True)
class Lock:
    """Why somebody is locked out: until when, and by which attempts."""

    until: dt.datetime
    attempts: tuple[SecurityEvent, ...]
    failures: int
    times_in_a_row: int


def timeline_of(db: Session, user_id: UUID) -> tuple[SecurityEvent, ...]:
    """What happened to the account: done to it, or by it, the newest first."""
    doer = select(User.id, User.full_name).subquery()
    entries: Select[*tuple[Any, ...]] = (
        select(AuditLog, doer.c.full_name)
        .outerjoin(doer, and_(doer.c.id == AuditLog.user_id, doer.c.id != user_id))
        .where(AuditLog.action.in_(_SECURITY))
        .where(
            or_(
                and_(AuditLog.resource_type == "user", AuditLog.resource_id == user_id),
                and_(AuditLog.resource_type == "user_session", AuditLog.new_values["user_id"].astext == str(user_id)),
                and_(AuditLog.resource_type == "user_session", AuditLog.user_id == user_id),
            )
        )
        .order_by(AuditLog.created_at.desc(), AuditLog.id.desc())
        .limit(100)
    )
    return tuple(_event(row) for row in db.execute(entries))


def _event(row: Row[*tuple[Any, ...]]) -> SecurityEvent:
    entry: AuditLog = row.AuditLog
    return SecurityEvent(
        at=entry.created_at,
        action=entry.action,
        what=_WORDS.get(entry.action, entry.action.partition(".")[2].replace("_", " ").capitalize()),
        ip_address=str(entry.ip_address) if entry.ip_address is not None else None,
        device=device_label(entry.user_agent),
        reason=entry.reason,
        by_somebody_else=row.full_name,
    )


def lock_of(user: User, timeline: tuple[SecurityEvent, ...]) -> Lock | None:
    """The lock that holds now, with the failures that led to it: those since the last success or lock before."""
    if user.locked_until is None or user.locked_until <= dt.datetime.now(dt.UTC):
        return None
    attempts: list[SecurityEvent] = []
    locks = 0
    for event in timeline:
        if event.action == Action.USER_LOCKED:
            locks += 1
        elif event.action == Action.USER_SIGN_IN_FAILED and locks < 2:
            attempts.append(event)
        elif event.action in (Action.USER_SIGNED_IN, Action.USER_UNLOCKED, Action.PASSWORD_RESET) or locks >= 2:
            break
    return Lock(user.locked_until, tuple(attempts[::-1]), user.failed_login_attempts, user.lock_count)
