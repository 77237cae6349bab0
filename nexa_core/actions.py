"""Every action the audit log can hold, registered once, each with the sentence it reads as.

A value is ``<noun>.<what happened>``. The sentence is filled from the entry: ``{actor}``, ``{resource}``,
``{organization}`` and the changed values by name, ``{old[plan_type]}`` and ``{new[plan_type]}``; what an entry does not
hold reads as an ellipsis. ``{organization:’s}`` is whose, ``{new[changed]:organization}`` how many of what.
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
    USER_DELETED = "user.deleted", "{actor} deleted the account of {resource}"
    USER_RESTORED = "user.restored", "{actor} restored the account of {resource}"
    USER_EXPORTED = "user.exported", "{actor} exported everything about {resource}"
    USER_ERASED = "user.erased", "{actor} erased a person’s data"
    VIEWING_STARTED = "user.viewing_started", "{actor} began to view {organization} as {resource}"
    VIEWING_ENDED = "user.viewing_ended", "{actor} stopped viewing {organization} as {resource}"
    VIEWING_EXPIRED = "user.viewing_expired", "The viewing of {organization} as {resource} ended by itself"
    USER_SUSPENDED = "user.suspended", "{actor} suspended {resource}"
    USER_RESUMED = "user.resumed", "{actor} resumed {resource}"

    ORGANIZATION_CREATED = "organization.created", "{actor} created {organization}"
    ORGANIZATION_RENAMED = "organization.renamed", "{actor} renamed {old[name]} to {new[name]}"
    ORGANIZATION_UPDATED = "organization.updated", "{actor} updated {organization}"
    ORGANIZATION_SUSPENDED = "organization.suspended", "{actor} suspended {organization}"
    ORGANIZATION_RESUMED = "organization.resumed", "{actor} resumed {organization}"
    ORGANIZATION_DELETED = "organization.deleted", "{actor} deleted {organization}"
    ORGANIZATION_RESTORED = "organization.restored", "{actor} restored {organization}"
    ORGANIZATION_SLUG_CHANGED = "organization.slug_changed", "{actor} changed the slug {old[slug]} to {new[slug]}"
    ORGANIZATION_SLUG_RELEASED = (
        "organization.slug_released",
        "The slug {old[slug]} came free: its organization was deleted long ago",
    )
    ORGANIZATION_BRANDING_CHANGED = "organization.branding_changed", "{actor} changed the branding of {organization}"
    ORGANIZATION_BUSINESS_CHANGED = (
        "organization.business_changed",
        "{actor} changed the business details of {organization}",
    )
    ORGANIZATION_PLAN_CHANGED = (
        "organization.plan_changed",
        "{actor} changed the plan of {organization} from {old[plan_type]} to {new[plan_type]}",
    )
    ORGANIZATION_SUBSCRIPTION_CHANGED = (
        "organization.subscription_changed",
        "{actor} changed the subscription of {organization}",
    )
    ORGANIZATION_LIMITS_CHANGED = "organization.limits_changed", "{actor} changed the limits of {organization}"
    ORGANIZATION_MANAGER_ASSIGNED = (
        "organization.manager_assigned",
        "{actor} gave {organization} another account manager",
    )
    ORGANIZATIONS_CHANGED = "organizations.changed", "{actor} changed {new[changed]:organization} at once"
    ORGANIZATIONS_CHANGE_UNDONE = (
        "organizations.change_undone",
        "{actor} undid a change of {new[changed]:organization}",
    )
    ORGANIZATIONS_EXPORTED = "organizations.exported", "{actor} exported a list of {new[organizations]:organization}"

    INVITATION_SENT = "invitation.sent", "{actor} invited {resource} to {organization}"
    INVITATION_RESENT = "invitation.resent", "{actor} invited {resource} to {organization} once more"
    INVITATION_LINK_COPIED = "invitation.link_copied", "{actor} copied the invitation link of {resource}"
    INVITATION_OPENED = "invitation.opened", "{resource} opened the invitation to {organization}"
    INVITATION_ACCEPTED = "invitation.accepted", "{resource} accepted the invitation to {organization}"
    INVITATION_REVOKED = "invitation.revoked", "{actor} withdrew the invitation of {resource} to {organization}"

    MEMBER_REMOVED = "membership.removed", "{actor} removed {resource} from {organization}"
    MEMBER_ROLE_CHANGED = "membership.role_changed", "{actor} changed {resource} from {old[role]} to {new[role]}"
    MEMBER_SUSPENDED = "membership.suspended", "{actor} suspended {resource} in {organization}"
    MEMBER_RESUMED = "membership.resumed", "{actor} resumed {resource} in {organization}"
    MEMBER_PERMISSIONS_CHANGED = "membership.permissions_changed", "{actor} changed what {resource} may do"
    MEMBER_SENT_HOME = "membership.sent_home", "{actor} moved {resource} to an organization of their own"
    OWNERSHIP_TRANSFERRED = "membership.ownership_transferred", "{actor} transferred the ownership of {organization}"

    DOMAIN_ADDED = "domain.added", "{actor} added the domain {new[domain]} to {organization}"
    DOMAIN_REMOVED = "domain.removed", "{actor} removed the domain {old[domain]} from {organization}"
    DOMAIN_PROVEN = "domain.proven", "{actor} proved a domain of {organization}"
    DOMAIN_ACCEPTED = "domain.accepted", "{actor} accepted a domain of {organization} without its DNS record"
    DOMAIN_RECHECKED = "domain.rechecked", "The DNS record of a domain of {organization} was looked for again"
    DOMAIN_JOINING_CHANGED = "domain.joining_changed", "{actor} changed who joins {organization} by a domain"
    MEMBER_JOINED_BY_DOMAIN = "membership.joined_by_domain", "{resource} joined {organization} by e-mail domain"
    JOIN_REQUESTED = "membership.requested", "{resource} asked to join {organization}"
    JOIN_APPROVED = "membership.approved", "{actor} let {resource} join {organization}"
    JOIN_DECLINED = "membership.declined", "{actor} declined {resource} in {organization}"

    SESSION_CREATED = "session.created", "{actor} created the session {resource}"
    SESSION_EDITED = "session.edited", "{actor} edited the session {resource}"
    SESSION_DELETED = "session.deleted", "{actor} moved the session {resource} to the trash"
    SESSION_RESTORED = "session.restored", "{actor} restored the session {resource}"
    SESSION_DETAILS_CHANGED = (
        "session.details_changed",
        "{actor} changed title, client or kind of the session {resource}",
    )
    SESSION_TAGGED = "session.tagged", "{actor} changed the tags of the session {resource}"
    SESSION_TAGS_MERGED = "session.tags_merged", "{actor} gave a tag another name, also on the session {resource}"
    SESSION_DUPLICATED = "session.duplicated", "{actor} made the session {resource} as a copy"
    SESSION_TEMPLATE_MADE = "session.template_made", "{actor} made the session {resource} a template"
    SESSION_TEMPLATE_ENDED = "session.template_ended", "{actor} made the template {resource} a session again"
    SESSION_FROM_TEMPLATE = "session.from_template", "{actor} made the session {resource} from a template"
    SESSION_REVISION_NAMED = "session.revision_named", "{actor} named a revision of the session {resource}"
    SESSION_REVISION_RESTORED = (
        "session.revision_restored",
        "{actor} brought back an earlier state of the session {resource}",
    )
    SESSION_OPENED = "session.opened", "{actor} opened the documents of the session {resource}"
    SESSION_PURGED = "session.purged", "The session {resource} had been in the trash for long; its content was removed"
    SESSION_VIEW_SAVED = "session_view.saved", "{actor} saved the view {new[name]} of the sessions"
    SESSION_VIEW_SHARED = "session_view.shared", "{actor} changed who sees {resource}"
    SESSION_VIEW_REMOVED = "session_view.removed", "{actor} removed {resource}"

    PLAN_SCHEDULED = "plan.scheduled", "{actor} scheduled a version of the plan {new[name]}"
    PLAN_WITHDRAWN = "plan.withdrawn", "{actor} withdrew a version of the plan {old[name]} before it began"
    PRICES_AGREED = "organization.prices_agreed", "{actor} agreed on what {organization} pays"
    CREDIT_ISSUED = "invoice.credited", "{actor} gave {organization} money back"
    INVOICE_EXPORTED = "invoice.exported", "{actor} exported an invoice of {organization}"
    SESSION_EXPORTED = "session.exported", "{actor} exported the session {resource} as {new[form]}"
    SESSION_IMAGE_ADDED = "session.image_added", "{actor} added a picture to the session {resource}"
    SHARE_CREATED = "share_link.created", "{actor} shared the session {resource} by link"
    SHARE_REVOKED = "share_link.revoked", "{actor} revoked a link to the session {resource}"
    SHARE_VIEWED = "share_link.viewed", "A visitor opened the shared session {new[title]}"
    SHARE_PASSCODE_FAILED = "share_link.passcode_failed", "A visitor entered a wrong passcode for a share link"
    SHARE_APPROVED = "share_link.approved", "{new[name]} approved {new[section]} by share link"
    SHARE_COMMENTED = "share_link.commented", "{new[name]} commented on {new[section]} by share link"
    READINESS_GATE_CHANGED = (
        "organization.readiness_gate_changed",
        "{actor} changed whether {organization:’s} sessions may go out before they are ready",
    )

    CHANGE_UNDONE = "audit.undone", "{actor} undid a change to {resource}"
    AUDIT_VIEW_SAVED = "audit_view.saved", "{actor} saved the view {new[name]} of the audit log"
    AUDIT_VIEW_SHARED = "audit_view.shared", "{actor} changed who sees a view of the audit log"
    AUDIT_VIEW_REMOVED = "audit_view.removed", "{actor} removed a view of the audit log"
    AUDIT_EXPORTED = "audit.exported", "{actor} exported the audit log of {organization}"
    AUDIT_RETENTION_CHANGED = "audit.retention_changed", "{actor} changed how long {organization:’s} audit log is kept"
    AUDIT_HELD = "audit.held", "{actor} put {organization:’s} audit log under legal hold"
    AUDIT_RELEASED = "audit.released", "{actor} lifted the legal hold on {organization:’s} audit log"
    AUDIT_EXPIRED = "audit.expired", "Old entries of {organization} left the audit log after they were archived"

    BRIEF_PUT_OFF = "brief.put_off", "{actor} put off a reason to call a customer"
    BRIEF_TAKEN_UP = "brief.taken_up", "{actor} took up again a reason to call a customer"
    ORGANIZATION_TAGGED = "organization.tagged", "{actor} changed the tags of {organization}"
    USAGE_EXPORTED = "usage.exported", "{actor} exported usage of {organization}"
    API_KEY_CREATED = "api_key.created", "{actor} created the API key {new[name]} of {organization}"
    API_KEY_REVOKED = "api_key.revoked", "{actor} revoked an API key of {organization}"
    USAGE_REFUNDED = "usage.refunded", "{actor} refunded {new[credits]:credit} to {organization}"

    DEMO_SEEDED = "demo.seeded", "The demo world was created"


#: What an action's own sentence does not fit: entries of what it changed along the way, by action and kind of thing.
ALONGSIDE: dict[tuple[Action, str], str] = {
    (Action.USER_SUSPENDED, "user_session"): "{actor} ended a sign-in of the suspended account",
    (Action.CHANGE_UNDONE, "user_session"): "{actor} ended a sign-in of the suspended account",
    (Action.USER_DELETED, "user_session"): "{actor} ended a sign-in of the deleted account",
    (Action.USER_DELETED, "organization"): "{organization} has no account manager any more: the account was deleted",
    (Action.USER_ERASED, "membership"): "The membership of an erased person in {organization} ended",
    (Action.USER_CREATED, "membership"): "{actor} made {resource} a member of {organization}",
    (Action.ORGANIZATION_CREATED, "user"): "{actor} made an account for {resource}, who is to own an organization",
    (Action.ORGANIZATION_CREATED, "membership"): "{actor} invited {resource} to own {organization}",
    (Action.MEMBER_SENT_HOME, "organization"): "{actor} made the organization {resource}",
    (Action.DOMAIN_PROVEN, "organization"): "{organization} is known by its first proven domain",
    (Action.DOMAIN_JOINING_CHANGED, "membership"): "{resource} joined {organization} by e-mail domain",
}

#: How an entry reads that holds a value which older ones of its action do not.
HOLDING: dict[tuple[Action, str], str] = {
    (Action.SESSION_OPENED, "access_until"): (
        "{actor} gave a reason to read the documents of the session {resource} until {new[access_until]}"
    ),
}
