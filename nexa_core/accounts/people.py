"""What the platform's admins do to somebody else's account, and how the first admin comes to be."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Row, func, insert, select, update
from sqlalchemy.orm import Session

from nexa_core import audit, notifications
from nexa_core.accounts import attempts
from nexa_core.accounts.memberships import organization_memberships, organizations
from nexa_core.accounts.models import User, UserSession
from nexa_core.accounts.recovery import new_link
from nexa_core.accounts.seats import require_seat
from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.audit.entry import value_before
from nexa_core.audit.undo import guard
from nexa_core.db import entering, recording
from nexa_core.errors import Conflict, Invalid, NotFound
from nexa_core.permissions import Permission

ADMIN_LINK_LIFETIME = dt.timedelta(hours=24)


def unlock(actor: Actor, *, user_id: UUID) -> None:
    """Lift the lock that failed sign-ins led to, and forget them. Raises Forbidden without USERS_MANAGE."""
    actor.require(Permission.USERS_MANAGE)
    with recording(actor, Action.USER_UNLOCKED) as db:
        user = db.get_one(User, user_id)
        user.failed_login_attempts, user.lock_count, user.locked_until = 0, 0, None


def suspend_user(actor: Actor, *, user_id: UUID, reason: str) -> None:
    """Close an account until it is resumed, and end its sign-ins; the reason is kept in the audit log.

    Raises Forbidden without USERS_MANAGE, Invalid without a reason, Conflict for one's own account and for one that
    is not active.
    """
    actor.require(Permission.USERS_MANAGE)
    if user_id == actor.user_id:
        raise Conflict("You cannot suspend your own account.")
    with recording(actor, Action.USER_SUSPENDED, reason=_reason(reason)) as db:
        _change_status(db, user_id, "active", "suspended", "Only an active account can be suspended.")
        _end_sign_ins(db, user_id, "user_suspended")


def resume_user(actor: Actor, *, user_id: UUID, reason: str = "") -> None:
    """Open a suspended account again; its person signs in anew. Raises as ``suspend_user`` does."""
    actor.require(Permission.USERS_MANAGE)
    with recording(actor, Action.USER_RESUMED, reason=reason.strip() or None) as db:
        _change_status(db, user_id, "suspended", "active", "Only a suspended account can be resumed.")


def end_sign_ins_of(actor: Actor, *, user_id: UUID, reason: str) -> int:
    """End every sign-in of somebody; how many that were. Raises Forbidden without USERS_MANAGE."""
    actor.require(Permission.USERS_MANAGE)
    with recording(actor, Action.SIGN_IN_ENDED, reason=_reason(reason)) as db:
        db.get_one(User, user_id)
        return _end_sign_ins(db, user_id, "ended_by_admin")


def end_sign_in_of(actor: Actor, *, user_id: UUID, user_session_id: UUID, reason: str) -> None:
    """End one sign-in of somebody. Raises Forbidden without USERS_MANAGE, NotFound for one that has ended."""
    actor.require(Permission.USERS_MANAGE)
    with recording(actor, Action.SIGN_IN_ENDED, reason=_reason(reason)) as db:
        if not _end_sign_ins(db, user_id, "ended_by_admin", UserSession.id == user_session_id):
            raise NotFound("This sign-in has ended already.")


def send_reset_link(actor: Actor, *, user_id: UUID) -> None:
    """Mail somebody a link that sets a new password, good for an hour.

    Raises Forbidden without USERS_MANAGE, Conflict unless the account is active.
    """
    actor.require(Permission.USERS_MANAGE)
    with entering(
        actor.origin, Action.PASSWORD_RESET_REQUESTED, user_id=actor.user_id, organization_id=actor.organization_id
    ) as db:
        user = db.get_one(User, user_id)
        if user.status != "active" or user.deleted_at is not None:
            raise Conflict(f"This account is {user.status}, so its password cannot be set.")
        audit.note(db, "user", user_id, {})
        notifications.send_mail(
            db,
            recipient=user.email,
            subject="Set a new NEXA password",
            body=(
                f"Hello {user.full_name or user.email},\n\n{actor.full_name} sent you this link to set a new password "
                "for your NEXA account. It works once, within the hour:"
            ),
            link=new_link(db, user_id=user_id, organization_id=None),
        )


def delete_user(actor: Actor, *, user_id: UUID, reason: str) -> None:
    """Close an account for good, as far as anybody can see: sign-ins end, what the person wrote stays with its
    organizations, customers they managed have no manager any more. ``restore_user`` takes it back.

    Raises Forbidden without USERS_MANAGE, Invalid without a reason, Conflict for one's own account, one that is deleted
    already, and for somebody who is an organization's only owner.
    """
    actor.require(Permission.USERS_MANAGE)
    if user_id == actor.user_id:
        raise Conflict("You cannot delete your own account.")
    with recording(actor, Action.USER_DELETED, reason=_reason(reason)) as db:
        user = db.get_one(User, user_id, with_for_update=True)
        if user.deleted_at is not None:
            raise Conflict("This account is deleted already.")
        user.status, user.deleted_at, user.updated_at = "deleted", func.now(), func.now()
        _end_sign_ins(db, user_id, "user_deleted")
        managed = organizations.c.account_manager_id == user_id
        db.execute(update(organizations).where(managed).values(account_manager_id=None))


def restore_user(actor: Actor, *, user_id: UUID, reason: str) -> None:
    """Bring a deleted account back as it was, with the memberships it had: suspended if it was, or still only invited.

    Raises Conflict for one not deleted, or erased, and where one of its memberships finds no seat any more.
    """
    actor.require(Permission.USERS_MANAGE)
    with recording(actor, Action.USER_RESTORED, reason=_reason(reason)) as db:
        members_of = _locked_organizations(db, user_id)  # before the person, as everywhere
        user = db.get_one(User, user_id, with_for_update=True)
        if user.deleted_at is None or user.erased_at is not None:
            raise Conflict("Only a deleted account can be restored, and an erased one never.")
        for organization in members_of:
            require_seat(db, organization)
        user.status, user.deleted_at, user.updated_at = _status_before(db, user), None, func.now()


def create_admin(email: str) -> str:
    """Make somebody an internal admin and return the link that sets their password, good for 24 hours.

    Makes the platform's own organization when there is none. For somebody who has an account it adds the membership
    or raises its role. For the command line: whoever can start the program may run it.
    """
    address = attempts.normalised(email)
    if len(address) > 255 or not address.isprintable() or " " in address or not all(address.partition("@")):
        raise Invalid("This is not an e-mail address NEXA can use.", field="email")
    actor = Actor.system()
    with recording(actor, Action.USER_CREATED) as db:
        user = db.execute(select(User.id, User.status).where(User.email == address)).one_or_none()
        user_id = user.id if user else uuid4()
        if user is None:
            db.execute(insert(User).values(id=user_id, email=address, status="active"))
        elif user.status in ("suspended", "deleted"):
            raise Conflict(f"This account is {user.status}; it cannot become an admin.")
        elif user.status == "pending":
            db.execute(update(User).where(User.id == user_id).values(status="active"))
        platform_id = _join_platform(db, user_id)
    with entering(actor.origin, organization_id=platform_id) as db:
        return new_link(db, user_id=user_id, organization_id=platform_id, lifetime=ADMIN_LINK_LIFETIME)


def _join_platform(db: Session, user_id: UUID) -> UUID:
    """The platform's organization with this person as an admin of it, both made where they are missing."""
    organization_id = db.scalar(select(organizations.c.id).where(organizations.c.is_platform))
    role = "admin"
    if organization_id is None:
        organization_id, role = uuid4(), "owner"
        values = {"id": organization_id, "name": "NEXA", "slug": "nexa", "status": "active", "is_platform": True}
        db.execute(insert(organizations).values(values))
    memberships = organization_memberships.c
    of_person = (memberships.organization_id == organization_id, memberships.user_id == user_id)
    membership = db.execute(select(memberships.id, memberships.role).where(*of_person)).one_or_none()
    if membership is None:
        db.execute(
            insert(organization_memberships).values(
                id=uuid4(),
                organization_id=organization_id,
                user_id=user_id,
                role=role,
                status="active",
                joined_at=func.now(),
            )
        )
    else:
        kept = membership.role if membership.role in ("owner", "admin") else role
        db.execute(update(organization_memberships).where(*of_person).values(role=kept, status="active"))
    return organization_id


def _locked_organizations(db: Session, user_id: UUID) -> Sequence[Row[UUID, str]]:
    """The organizations the person is an active member of, once nobody else changes who belongs to any of theirs."""
    theirs = organization_memberships.c.user_id == user_id
    found = select(organizations.c.id, organizations.c.name).order_by(organizations.c.id)
    joined = select(organization_memberships.c.organization_id).where(theirs)
    db.execute(found.where(organizations.c.id.in_(joined)).with_for_update(key_share=True))
    active = joined.where(organization_memberships.c.status == "active")
    return db.execute(found.where(organizations.c.id.in_(active))).all()


def _status_before(db: Session, user: User) -> str:
    """What the account was when it was deleted; where the log does not say, whether it ever had a password does."""
    used = user.password_changed_at is not None or user.login_count > 0
    return value_before(db, Action.USER_DELETED, user.id, "status") or ("active" if used else "pending")


def _change_status(db: Session, user_id: UUID, before: str, after: str, otherwise: str) -> None:
    user = db.get_one(User, user_id, with_for_update=True)
    if user.status != before or user.deleted_at is not None:
        raise Conflict(otherwise)
    user.status, user.updated_at = after, func.now()
    db.flush()


def _end_sign_ins(db: Session, user_id: UUID, reason: str, *which: ColumnElement[bool]) -> int:
    ended = db.execute(
        update(UserSession)
        .where(*which)
        .where(UserSession.user_id == user_id, UserSession.revoked_at.is_(None), UserSession.expires_at > func.now())
        .values(revoked_at=func.now(), revoked_reason=reason)
        .returning(UserSession.id)
        .execution_options(synchronize_session=False)
    )
    return len(ended.all())


def _guard_undo(
    actor: Actor, db: Session, *, organization_id: UUID, resource_id: UUID, before: Mapping[str, Any], lock: bool
) -> None:
    """Going back to suspended ends the account's sign-ins, as suspending it does."""
    if lock and before.get("status") == "suspended":
        db.get_one(User, resource_id, with_for_update=True)
        _end_sign_ins(db, resource_id, "user_suspended")


guard("user", _guard_undo)


def _reason(reason: str) -> str:
    if not (reason := reason.strip()):
        raise Invalid("Please say why; the reason is kept in the audit log.", field="reason")
    return reason[:1000]
