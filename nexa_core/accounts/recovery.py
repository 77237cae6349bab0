"""A new password: by a mailed link for who forgot it, or by naming the old one."""

from __future__ import annotations

import datetime as dt
import time
from uuid import UUID

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.orm import Session

from nexa_core import audit, notifications
from nexa_core.accounts import attempts, networks, passwords, tokens
from nexa_core.accounts.memberships import organization_members
from nexa_core.accounts.models import OneTimeToken, User, UserSession
from nexa_core.accounts.sign_ins import person_of
from nexa_core.actions import Action
from nexa_core.actor import Actor, Origin
from nexa_core.config import settings
from nexa_core.db import entering
from nexa_core.errors import Invalid

LINK_LIFETIME = dt.timedelta(hours=1)
#: Living links a person can have at once: more requests are answered alike and mail nothing.
LINKS_AT_ONCE = 3
#: Every answer to a reset request takes at least this long, so that the work behind it does not show.
_ANSWER_AFTER_SECONDS = 0.15
_OLD_LINK = "This link has expired or was used already. Ask for a new one."
_m = organization_members.c


def request_password_reset(origin: Origin, *, email: str) -> None:
    """Mail a link that sets a new password, if the address belongs to somebody who may enter; never says whether.

    Every request is noted in the log of whom it names, so a network has only so many: raises LimitExceeded beyond.
    """
    answer_at = time.monotonic() + _ANSWER_AFTER_SECONDS
    try:
        _request(origin, attempts.normalised(email))
    finally:
        time.sleep(max(0.0, answer_at - time.monotonic()))


def set_password(origin: Origin, *, token: str, password: str) -> None:
    """Spend a mailed link on a new password; ends every sign-in and any lock.

    Raises Invalid for a link that is old, used or unknown, and for a password that is not good enough; the link
    stays good in the second case.
    """
    unspent = (OneTimeToken.token == tokens.digest(token), OneTimeToken.purpose == "set_password",
               OneTimeToken.used_at.is_(None), OneTimeToken.expires_at > func.now())  # fmt: skip
    with entering(origin) as db:
        person = db.execute(
            select(User.id, User.email, User.full_name, OneTimeToken.organization_id)
            .join(OneTimeToken, OneTimeToken.user_id == User.id)
            .where(*unspent, User.deleted_at.is_(None))
        ).one_or_none()
    if person is None:
        raise Invalid(_OLD_LINK, field="token")
    passwords.require_good(password, email=person.email, names=(person.full_name,))
    new_hash = passwords.hash_password(password)
    with entering(origin, Action.PASSWORD_RESET, user_id=person.id, organization_id=person.organization_id) as db:
        db.execute(
            update(User)
            .where(User.id == person.id)
            .values(
                password_hash=new_hash,
                password_changed_at=func.now(),
                email_verified_at=func.coalesce(User.email_verified_at, func.now()),
                failed_login_attempts=0,
                lock_count=0,
                locked_until=None,
            )
        )
        spent = update(OneTimeToken).where(*unspent).values(used_at=func.now()).returning(OneTimeToken.token)
        if db.execute(spent).first() is None:
            raise Invalid(_OLD_LINK, field="token")
        _end_everything(db, person.id, None, "password_reset")


def change_password(actor: Actor, *, current: str, new: str) -> None:
    """Replace the actor's password, naming the current one; ends the actor's other sign-ins.

    A wrong current password counts like a failed sign-in: raises Invalid, or LimitExceeded once it locks.
    """
    actor.require_own_eyes()
    person = person_of(actor)
    passwords.require_good(new, email=actor.email, names=(actor.full_name,))
    if new == current:
        raise Invalid("The new password is the current one; choose another one.", field="new")
    attempt = attempts.claim(actor.origin, actor.email)
    if not passwords.verify(current, attempt.password_hash) or attempt.user_id != person:
        error = attempts.failed(actor.origin, attempt)
        raise Invalid("The current password is not right.", field="current") if error.status == 401 else error
    new_hash = passwords.hash_password(new)
    with entering(actor.origin, Action.PASSWORD_CHANGED, user_id=person, organization_id=actor.organization_id) as db:
        changed = db.execute(
            update(User)
            .where(User.id == person, User.password_hash == attempt.password_hash)
            .values(
                password_hash=new_hash,
                password_changed_at=func.now(),
                failed_login_attempts=0,
                lock_count=0,
                locked_until=None,
            )
            .returning(User.id)
        ).first()
        if changed is None:
            raise Invalid("The current password is not right.", field="current")
        _end_everything(db, person, actor.user_session_id, "password_changed")


def new_link(
    db: Session, *, user_id: UUID, organization_id: UUID | None, lifetime: dt.timedelta = LINK_LIFETIME
) -> str:
    """A link that sets this person's password, once; ``db`` comes from the entry door."""
    token = tokens.new_secret()
    db.execute(
        insert(OneTimeToken).values(
            token=tokens.digest(token),
            purpose="set_password",
            user_id=user_id,
            organization_id=organization_id,
            expires_at=func.now() + lifetime,
        )
    )
    return f"{settings().public_url}/set-password?token={token}"


def _request(origin: Origin, address: str) -> None:
    with entering(origin, durable=False) as db:
        networks.spend(db, origin.ip_address, what="requests")
    person = _person(origin, address)
    with entering(
        origin, Action.PASSWORD_RESET_REQUESTED, organization_id=person.organization_id if person else None
    ) as db:
        noted = {} if person else {"address_sha256": attempts.digest_of(address)}
        audit.note(db, "user", person.id if person else None, noted)
        if person is None or person.status != "active" or person.organization_id is None:
            return
        db.execute(select(User.id).where(User.id == person.id).with_for_update())
        living = (
            select(func.count())
            .select_from(OneTimeToken)
            .where(
                OneTimeToken.user_id == person.id,
                OneTimeToken.purpose == "set_password",
                OneTimeToken.used_at.is_(None),
                OneTimeToken.expires_at > func.now(),
            )
        )
        if (db.scalar(living) or 0) >= LINKS_AT_ONCE:
            return
        notifications.send_mail(
            db,
            recipient=person.email,
            subject="Set a new NEXA password",
            body=(
                f"Hello {person.full_name or person.email},\n\n"
                "somebody, most likely you, asked for a new password for your NEXA account. "
                "This link sets one; it works once, within the hour:"
            ),
            link=new_link(db, user_id=person.id, organization_id=person.organization_id),
            organization_id=person.organization_id,
        )


def _person(origin: Origin, address: str) -> Row[tuple[UUID, str, str, str, UUID | None]] | None:
    home = (
        select(_m.organization_id)
        .where(_m.user_id == User.id, _m.organization_status == "active")
        .order_by(_m.last_active_at.desc().nulls_last(), _m.organization_name)
        .limit(1)
        .scalar_subquery()
    )
    with entering(origin) as db:
        return db.execute(
            select(User.id, User.email, User.full_name, User.status, home.label("organization_id")).where(
                User.email == address.encode("utf-8", "replace").decode(),
                User.deleted_at.is_(None),
                User.status != "deleted",
            )
        ).one_or_none()


def _end_everything(db: Session, user_id: UUID, but: UUID | None, reason: str) -> None:
    """End a person's sign-ins, and make every ticket and link that is still under way worthless."""
    db.execute(
        update(OneTimeToken)
        .where(OneTimeToken.user_id == user_id, OneTimeToken.used_at.is_(None))
        .values(used_at=func.now())
        .execution_options(synchronize_session=False)
    )
    db.execute(
        update(UserSession)
        .where(UserSession.user_id == user_id, UserSession.revoked_at.is_(None), UserSession.id.is_distinct_from(but))
        .where(UserSession.expires_at > func.now())
        .values(revoked_at=func.now(), revoked_reason=reason)
        .execution_options(synchronize_session=False)
    )
