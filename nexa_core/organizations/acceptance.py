"""Invitations as who is invited sees them: open the link, and accept it, signed in or with a first password."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from nexa_core.accounts import passwords, tokens
from nexa_core.accounts.models import User
from nexa_core.actions import Action
from nexa_core.actor import Actor, Origin, Standing
from nexa_core.db import entering
from nexa_core.errors import Conflict, Forbidden, Invalid, Unauthenticated
from nexa_core.organizations.models import Organization, OrganizationMembership
from nexa_core.organizations.reach import outranks
from nexa_core.organizations.seats import locked, require_seat
from nexa_core.permissions import Permission

_M = OrganizationMembership
_GONE = "This invitation was used or withdrawn, or replaced by a newer one. Ask for a new one if you still need it."
_inviter = aliased(User)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a link offers, to whom; ``needs_password`` where the person has no account yet."""

    organization_name: str
    email: str
    role: str
    inviter: str | None
    message: str | None
    expires_at: dt.datetime
    needs_password: bool


@dataclass(frozen=True, slots=True)
class Joined:
    """The membership an accepted invitation has become."""

    organization_id: UUID
    organization_name: str
    organization_slug: str
    role: str
    email: str


def open_invitation(origin: Origin, *, token: str) -> Offer:
    """Show what a link offers; looking consumes nothing, however often and whoever looks.

    Raises Invalid for a link that is unknown, used, withdrawn or expired.
    """
    with entering(origin) as db:
        found = _found(db, token)
    if found.invitation_opened_at is None:
        with entering(origin, Action.INVITATION_OPENED, organization_id=found.organization_id) as db:
            opened = update(_M).where(_M.id == found.id, _M.invitation_opened_at.is_(None))
            db.execute(opened.values(invitation_opened_at=func.now()))
    return Offer(
        organization_name=found.organization_name,
        email=found.email,
        role=found.role,
        inviter=found.inviter,
        message=found.invitation_message,
        expires_at=found.invitation_expires_at,
        needs_password=found.user_status == "pending",
    )


def accept_invitation(actor: Actor, *, token: str) -> Joined:
    """Join the organization a link invites the actor to.

    Raises Invalid for a link that no longer works; Forbidden for somebody else's link, which it leaves as it is, and
    when the inviter has lost the right to invite; Conflict for an organization that is closed or has no seat left.
    Closed to who looks with somebody else's eyes.
    """
    if actor.user_id is None or not actor.standing.signed_in:
        raise Unauthenticated("Sign in first, then open the invitation again.")
    actor.require_own_eyes()
    with entering(actor.origin) as db:
        found = _found(db, token)
    if found.user_id != actor.user_id:
        raise Forbidden(
            f"This invitation is for {found.email}, and you are signed in as {actor.email}. It was not used: "
            "sign out and open the link again, or ask for an invitation to your own address."
        )
    return _accept(actor.origin, found, token, None)


def accept_invitation_with_password(
    origin: Origin, *, token: str, first_name: str, last_name: str, password: str
) -> Joined:
    """Join with a first password; for an invited person who has no account yet, and for nobody else.

    Raises as ``accept_invitation`` does, Invalid also for a name or a password that cannot be used, and Conflict when
    the address has an account by now.
    """
    first_name, last_name = _name(first_name, "first_name"), _name(last_name, "last_name")
    full_name = f"{first_name} {last_name}".strip()
    if not full_name:
        raise Invalid("Please tell us at least one name.", field="first_name")
    with entering(origin) as db:
        found = _found(db, token)
    _require_no_account(found.user_status, found.email)
    passwords.require_good(password, email=found.email, names=(full_name,))
    account = {
        "first_name": first_name, "last_name": last_name, "full_name": full_name, "status": "active",
        "password_hash": passwords.hash_password(password), "password_changed_at": func.now(),
    }  # fmt: skip
    return _accept(origin, found, token, account)


def _accept(origin: Origin, found: Row[*tuple[Any, ...]], token: str, account: dict[str, Any] | None) -> Joined:
    """Everything is looked at again under the locks: organization, then membership, then person."""
    with entering(
        origin, Action.INVITATION_ACCEPTED, user_id=found.user_id, organization_id=found.organization_id
    ) as db:
        organization = locked(db, found.organization_id)
        db.execute(select(_M.id).where(_M.id == found.id).with_for_update())
        found = _found(db, token)
        person = db.get_one(User, found.user_id, with_for_update=True)
        if account is not None:
            _require_no_account(person.status, person.email)
        elif person.status != "active" or person.deleted_at is not None:
            raise Conflict("This account cannot join an organization now, because it is not active.")
        _require_open(organization, found.role)
        _require_inviter(db, organization, found)
        require_seat(db, organization)
        values: dict[str, Any] = dict(account or {})
        if found.invitation_by_mail and person.email_verified_at is None:
            values["email_verified_at"] = func.now()  # only who reads the address has this link
        if values:
            db.execute(update(User).where(User.id == person.id).values(**values, updated_at=func.now()))
        db.execute(
            update(_M)
            .where(_M.id == found.id)
            .values(status="active", joined_at=func.now(), invitation_token=None, updated_at=func.now())
        )
        if organization.status == "pending":  # its first owner opens it
            opened = update(Organization).where(Organization.id == organization.id)
            db.execute(opened.values(status="active", updated_at=func.now()))
        return Joined(organization.id, organization.name, organization.slug, found.role, found.email)


def _found(db: Session, token: str) -> Row[*tuple[Any, ...]]:
    """The invitation a token belongs to; raises Invalid for every token that does not work."""
    row = db.execute(
        select(
            _M.id, _M.user_id, _M.organization_id, _M.role, _M.invited_by, _M.invitation_expires_at,
            _M.invitation_opened_at, _M.invitation_message, _M.invitation_by_mail,
            (_M.invitation_expires_at <= func.now()).label("is_over"),
            User.email, User.status.label("user_status"), _inviter.full_name.label("inviter"),
            Organization.name.label("organization_name"),
        )
        .join(User, User.id == _M.user_id)
        .join(Organization, Organization.id == _M.organization_id)
        .outerjoin(_inviter, _inviter.id == _M.invited_by)
        .where(_M.invitation_token == tokens.digest(token[:512]), _M.status == "pending")
        .where(_M.invitation_revoked_at.is_(None), User.deleted_at.is_(None), Organization.status != "deleted")
    ).one_or_none()  # fmt: skip
    if row is None:
        raise Invalid(_GONE, field="token")
    if row.is_over:
        raise Invalid(
            f"This invitation to {row.organization_name} has expired. Ask {row.inviter or 'NEXA'} to send it again.",
            field="token",
        )
    return row


def _require_open(organization: Organization, role: str) -> None:
    if organization.status == "pending" and role != "owner":
        raise Conflict(f"{organization.name} is not open yet: its first owner has not accepted.")
    if organization.status not in ("active", "pending"):
        raise Conflict(f"{organization.name} is {organization.status}, so nobody can join it now.")


def _require_no_account(status: str, email: str) -> None:
    if status != "pending":
        raise Conflict(f"There is an account for {email} by now. Sign in, then open the invitation again.")


def _require_inviter(db: Session, organization: Organization, found: Row[*tuple[Any, ...]]) -> None:
    """Raise Forbidden unless who invited may still invite, with this role; without a person it was NEXA itself."""
    if found.invited_by is None:
        return
    memberships = db.execute(
        select(
            _M.organization_id, _M.role, _M.permissions, _M.status, User.status.label("account"),
            Organization.is_platform,
        )
        .join(User, User.id == _M.user_id)
        .join(Organization, Organization.id == _M.organization_id)
        .where(_M.user_id == found.invited_by, User.deleted_at.is_(None), Organization.status == "active")
        .where(or_(_M.organization_id == organization.id, Organization.is_platform))
    )  # fmt: skip
    for row in memberships:
        inviter = Actor.of_membership(
            user_id=found.invited_by,
            organization_id=row.organization_id,
            role=row.role,
            overrides=row.permissions,
            standing=Standing(account_status=row.account, membership_status=row.status, is_platform=row.is_platform),
        )
        own = row.organization_id == organization.id
        needed = Permission.MEMBERS_MANAGE if own else Permission.ORGANIZATIONS_MANAGE
        if inviter.may(needed) and outranks(inviter, organization.id, found.role):
            return
    raise Forbidden(
        f"{found.inviter or 'Who invited you'} may no longer invite to {organization.name} with the role {found.role}. "
        "Ask an owner there for a new invitation."
    )


def _name(value: str, field: str) -> str:
    value = " ".join(value.split())
    if len(value) > 100 or not value.isprintable():
        raise Invalid("A name has at most 100 characters, and no control characters.", field=field)
    return value
