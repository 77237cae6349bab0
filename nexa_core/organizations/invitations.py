"""Invitations as who invites sees them: what became of each; send again, withdraw, copy the link.

An invitation is a pending membership: it is bound to its address, organization and role. Of its token only the
SHA-256 is kept, so a link that is asked for later is a new one, and the one before stops working.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from math import ceil
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, aliased

from nexa_core.accounts import tokens
from nexa_core.accounts.models import User
from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.audit.models import AuditLog
from nexa_core.db import reading, recording
from nexa_core.errors import Conflict, Invalid, LimitExceeded
from nexa_core.organizations.inviting import LIFETIME, link_of, mail, require_open
from nexa_core.organizations.models import Organization, OrganizationMembership
from nexa_core.organizations.reach import require_for, require_members_manage, require_rank
from nexa_core.organizations.seats import locked
from nexa_core.permissions import Permission

#: What can become of an invitation, in the order of the board.
STATES = ("sent", "opened", "accepted", "expired", "revoked")
#: How soon, and how often in a day, one invitation can be sent again.
PAUSE = dt.timedelta(minutes=1)
DAY = dt.timedelta(days=1)
MOST_A_DAY = 10
_M = OrganizationMembership
_inviter = aliased(User)
_unanswered = (_M.status == "pending") & _M.invited_at.is_not(None) & _M.invitation_revoked_at.is_(None)
#: What waits for an answer, and what has waited for too long; neither is withdrawn, or somebody who asks to join.
is_expired = _unanswered & (_M.invitation_expires_at <= func.now())
is_open = _unanswered & func.coalesce(_M.invitation_expires_at > func.now(), True)


@dataclass(frozen=True, slots=True)
class InvitationView:
    """One invitation and what became of it; ``id`` is the membership's."""

    id: UUID
    email: str
    role: str
    state: str
    invited_by: str | None
    invited_at: dt.datetime
    expires_at: dt.datetime | None
    opened_at: dt.datetime | None
    accepted_at: dt.datetime | None
    revoked_at: dt.datetime | None
    message: str | None


def invitations(actor: Actor, *, organization_id: UUID, state: str | None = None) -> tuple[InvitationView, ...]:
    """Every invitation of an organization, the newest first; ``state`` narrows them to one column of the board.

    Raises NotFound for a stranger's organization, Forbidden without MEMBERS_READ, Invalid for an unknown state.
    """
    require_for(actor, organization_id, own=Permission.MEMBERS_READ, other=Permission.MEMBERS_READ)
    if state is not None and state not in STATES:
        raise Invalid(f"There is no state “{state[:40]}”.", field="state")
    found = (
        select(_M, User.email, _inviter.full_name, (_M.invitation_expires_at <= func.now()).label("is_over"))
        .join(User, User.id == _M.user_id)
        .outerjoin(_inviter, _inviter.id == _M.invited_by)
        .where(_M.organization_id == organization_id, _M.invited_at.is_not(None), User.deleted_at.is_(None))
        .order_by(_M.invited_at.desc(), _M.id)
    )
    with reading(actor) as db:
        views = tuple(_view(*row) for row in db.execute(found))
        if not views:  # none yet, or of nothing there is
            db.get_one(Organization, organization_id)
    return tuple(view for view in views if state in (None, view.state))


def resend_invitation(actor: Actor, *, organization_id: UUID, invitation_id: UUID) -> InvitationView:
    """Mail a new link, good for seven days from now; the one before stops working.

    Raises as ``invite`` does, Conflict for an invitation that was accepted or withdrawn, and LimitExceeded for one that
    was sent again within the minute, or ten times within the day: its person need not want it.
    """
    return _renewed(actor, organization_id, invitation_id, Action.INVITATION_RESENT)[0]


def copy_invitation_link(actor: Actor, *, organization_id: UUID, invitation_id: UUID) -> str:
    """A new link to hand over oneself, good for seven days; the one before stops working.

    It does not prove that its bearer reads the address, so accepting with it does not verify the address.
    Raises as ``resend_invitation`` does.
    """
    return _renewed(actor, organization_id, invitation_id, Action.INVITATION_LINK_COPIED)[1]


def revoke_invitation(actor: Actor, *, organization_id: UUID, invitation_id: UUID) -> InvitationView:
    """Withdraw an invitation; its link stops working at once. Raises as ``resend_invitation`` does."""
    require_members_manage(actor, organization_id)
    with recording(actor, Action.INVITATION_REVOKED) as db:
        _, membership = _pending(actor, db, organization_id, invitation_id)
        membership.invitation_revoked_at = dt.datetime.now(dt.UTC)
        db.flush()
        db.execute(update(_M).where(_M.id == membership.id).values(invitation_token=None))
        return _one(db, membership.id)


def _renewed(actor: Actor, organization_id: UUID, invitation_id: UUID, action: Action) -> tuple[InvitationView, str]:
    """Give an open or expired invitation a new token; mailed unless its link is copied."""
    require_members_manage(actor, organization_id)
    with recording(actor, action) as db:
        organization, membership = _pending(actor, db, organization_id, invitation_id)
        require_open(organization, membership.role)
        if action is Action.INVITATION_RESENT:
            _require_pause(db, organization_id, invitation_id)
        token = tokens.new_secret()
        db.execute(
            update(_M)
            .where(_M.id == membership.id)
            .values(
                invitation_token=tokens.digest(token), invitation_expires_at=func.now() + LIFETIME,
                invitation_by_mail=action is Action.INVITATION_RESENT, invited_by=actor.user_id,
                invitation_opened_at=None, updated_at=func.now(),
            )
        )  # fmt: skip
        view = _one(db, membership.id)
        if action is Action.INVITATION_RESENT:
            mail(actor, db, organization, view.email, view.role, view.message or "", token)
        return view, link_of(token)


def _require_pause(db: Session, organization_id: UUID, invitation_id: UUID) -> None:
    """Asked of the log, while the invitation is locked: whoever resends at the same time comes after."""
    resent = (AuditLog.organization_id == organization_id) & (AuditLog.resource_id == invitation_id)
    resent &= AuditLog.action == Action.INVITATION_RESENT.value
    today, newest = db.execute(
        select(func.count(), func.max(AuditLog.created_at)).where(resent, AuditLog.created_at > func.now() - DAY)
    ).one()
    if newest is not None and (wait := PAUSE - (dt.datetime.now(dt.UTC) - newest)) > dt.timedelta(0):
        sentence = "This invitation was sent again a moment ago. Wait a minute before you send it once more."
        raise LimitExceeded(sentence, retry_after=ceil(wait.total_seconds()))
    if today >= MOST_A_DAY:
        sentence = f"This invitation was sent again {today} times today. Try again tomorrow, or hand over its link."
        raise LimitExceeded(sentence, retry_after=int(DAY.total_seconds()))


def _pending(
    actor: Actor, db: Session, organization_id: UUID, invitation_id: UUID
) -> tuple[Organization, OrganizationMembership]:
    """The organization and an invitation to it that is neither accepted nor withdrawn, locked in this order."""
    organization = locked(db, organization_id)
    membership = db.scalars(
        select(_M)
        .where(_M.id == invitation_id, _M.organization_id == organization_id, _M.invited_at.is_not(None))
        .with_for_update()
    ).one()
    if membership.status != "pending":
        raise Conflict("This invitation was accepted already.")
    if membership.invitation_revoked_at is not None:
        raise Conflict("This invitation was withdrawn already. Invite the person anew.")
    require_rank(actor, organization_id, membership.role)
    return organization, membership


def _one(db: Session, membership_id: UUID) -> InvitationView:
    row = db.execute(
        select(_M, User.email, _inviter.full_name, (_M.invitation_expires_at <= func.now()).label("is_over"))
        .join(User, User.id == _M.user_id)
        .outerjoin(_inviter, _inviter.id == _M.invited_by)
        .where(_M.id == membership_id)
        .execution_options(populate_existing=True)
    ).one()
    return _view(*row)


def _view(membership: OrganizationMembership, email: str, inviter: str | None, is_over: bool | None) -> InvitationView:
    assert membership.invited_at is not None
    if membership.status != "pending":
        state = "accepted"
    elif membership.invitation_revoked_at is not None:
        state = "revoked"
    elif is_over:
        state = "expired"
    else:
        state = "opened" if membership.invitation_opened_at is not None else "sent"
    return InvitationView(
        id=membership.id,
        email=email,
        role=membership.role,
        state=state,
        invited_by=inviter,
        invited_at=membership.invited_at,
        expires_at=membership.invitation_expires_at,
        opened_at=membership.invitation_opened_at,
        accepted_at=membership.joined_at if state == "accepted" else None,
        revoked_at=membership.invitation_revoked_at,
        message=membership.invitation_message,
    )
