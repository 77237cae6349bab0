"""Every action the audit log can hold, registered once, each with the sentence it reads as.

A value is ``<noun>.<what happened>``. The sentence is filled from the entry: ``{actor}``, ``{resource}``,
``{organization}`` and the changed values by name, ``{old[plan_type]}`` and ``{new[plan_type]}``; what an entry does not
hold reads as an ellipsis.
"""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """The closed vocabulary of the audit log. A door takes nothing else."""

    sentence: str

    def __new__(cls, value: str, sentence: str) -> Action:
        action = str.__new__(cls, value)
        action._value_ = value
        action.sentence = sentence
        return action

    USER_SIGNED_IN = "user.signed_in", "{actor} signed in"
    USER_SIGN_IN_FAILED = "user.sign_in_failed", "A sign-in as {resource} failed"
    USER_LOCKED = "user.locked", "{resource} was locked after repeated failed sign-ins"
    USER_UNLOCKED = "user.unlocked", "{actor} unlocked {resource}"
    USER_SIGNED_OUT = "user.signed_out", "{actor} signed out"
    SIGN_IN_ENDED = "sign_in.ended", "{actor} ended a sign-in"
    SIGN_INS_PURGED = "sign_in.purged", "Sign-ins that ended long ago were removed"
    SIGN_IN_SWITCHED = "sign_in.switched", "{actor} switched to {organization}"
    REFRESH_REUSED = "sign_in.refresh_reused", "A spent refresh token was used again; the sign-in was ended"
    PASSWORD_CHANGED = "user.password_changed", "{actor} changed their password"
    PASSWORD_RESET_REQUESTED = "user.password_reset_requested", "A password reset was requested for {resource}"
    PASSWORD_RESET = "user.password_reset", "{resource} set a new password by mailed link"
    PROFILE_UPDATED = "user.profile_updated", "{actor} updated their profile"
    USER_CREATED = "user.created", "{actor} created {resource}"
    USER_SUSPENDED = "user.suspended", "{actor} suspended {resource}"
    USER_RESUMED = "user.resumed", "{actor} resumed {resource}"

    ORGANIZATION_CREATED = "organization.created", "{actor} created {organization}"
    ORGANIZATION_RENAMED = "organization.renamed", "{actor} renamed {old[name]} to {new[name]}"
    ORGANIZATION_UPDATED = "organization.updated", "{actor} updated {organization}"
    ORGANIZATION_SUSPENDED = "organization.suspended", "{actor} suspended {organization}"
    ORGANIZATION_RESUMED = "organization.resumed", "{actor} resumed {organization}"
    ORGANIZATION_DELETED = "organization.deleted", "{actor} deleted {organization}"

    MEMBER_ADDED = "membership.added", "{actor} added {resource} to {organization}"
    MEMBER_REMOVED = "membership.removed", "{actor} removed {resource} from {organization}"
    MEMBER_ROLE_CHANGED = "membership.role_changed", "{actor} changed {resource} from {old[role]} to {new[role]}"
    MEMBER_SUSPENDED = "membership.suspended", "{actor} suspended {resource} in {organization}"
    MEMBER_RESUMED = "membership.resumed", "{actor} resumed {resource} in {organization}"
    OWNERSHIP_TRANSFERRED = "membership.ownership_transferred", "{actor} transferred the ownership of {organization}"

    SESSION_CREATED = "session.created", "{actor} created the session {resource}"
    SESSION_EDITED = "session.edited", "{actor} edited the session {resource}"
    SESSION_DELETED = "session.deleted", "{actor} moved the session {resource} to the trash"
    SESSION_RESTORED = "session.restored", "{actor} restored the session {resource}"

    AUDIT_EXPORTED = "audit.exported", "{actor} exported the audit log of {organization}"
    AUDIT_RETENTION_CHANGED = "audit.retention_changed", "{actor} changed how long {organization}'s audit log is kept"
    AUDIT_HELD = "audit.held", "{actor} put {organization}'s audit log under legal hold"
    AUDIT_RELEASED = "audit.released", "{actor} lifted the legal hold on {organization}'s audit log"
    AUDIT_EXPIRED = "audit.expired", "Old entries of {organization} left the audit log after they were archived"

    DEMO_SEEDED = "demo.seeded", "The demo world was created"
