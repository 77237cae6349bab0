"""Signing in and out: a password becomes a ticket, the ticket a browser's cookie; or a program's pair of tokens."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Interval, bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from nexa_core.accounts import attempts, passwords, tokens
from nexa_core.accounts.identity import require_living
from nexa_core.accounts.memberships import organization_members
from nexa_core.accounts.models import OneTimeToken, SpentRefreshToken, User, UserSession
from nexa_core.actions import Action
from nexa_core.actor import Origin
from nexa_core.config import settings
from nexa_core.db import entering, fetched, fetched_one
from nexa_core.errors import Forbidden, NotFound, Unauthenticated

TICKET_LIFETIME = dt.timedelta(seconds=60)
_OLD_TICKET = "This sign-in took too long or was used already. Please sign in again."
_END_OF_FAMILY = "The refresh token is not valid. Please sign in again."
_m = organization_members.c

# Written once, as what is asked for every request is (``identity``): a sign-in is ten statements beside its hash.
_unspent = (OneTimeToken.token == bindparam("digest"), OneTimeToken.purpose == "sign_in",
            OneTimeToken.used_at.is_(None), OneTimeToken.expires_at > func.now())  # fmt: skip
_OWNER_OF_TICKET = select(OneTimeToken.user_id, OneTimeToken.organization_id).where(*_unspent)
_HOLD_PERSON = select(User.id).where(User.id == bindparam("person")).with_for_update(read=True)
_SPEND_TICKET = update(OneTimeToken).where(*_unspent).values(used_at=func.now()).returning(OneTimeToken.token)
_NEW_TICKET = insert(OneTimeToken).values(
    token=bindparam("digest"),
    purpose="sign_in",
    user_id=bindparam("person"),
    organization_id=bindparam("organization"),
    expires_at=func.now() + TICKET_LIFETIME,
)
_OPEN = (
    insert(UserSession)
    .values(
        user_id=bindparam("person"),
        organization_id=bindparam("organization"),
        kind=bindparam("sort"),
        session_token=bindparam("digest"),
        refresh_token=bindparam("refresh_digest"),
        expires_at=func.now() + bindparam("life", type_=Interval),
        ip_address=bindparam("address"),
        user_agent=bindparam("agent"),
    )
    .returning(UserSession.id, UserSession.expires_at)
)


@dataclass(frozen=True, slots=True)
class SignInTicket:
    """Proof of a password, to be turned into a cookie within 60 seconds, once."""

    ticket: str
    full_name: str


@dataclass(frozen=True, slots=True)
class BrowserSignIn:
    """What the browser keeps: the cookie's value, which is nowhere else in clear."""

    cookie: str
    expires_at: dt.datetime
    user_session_id: UUID


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a program keeps; ``expires_in`` is the access token's life in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int = tokens.ACCESS_TOKEN_SECONDS


def sign_in(origin: Origin, *, email: str, password: str) -> SignInTicket:
    """Check a password and hand out a ticket for the organization used last.

    Raises Unauthenticated, with the same sentence and after the same work, for a wrong password, an address nobody
    has and an account that may not enter; LimitExceeded while the address is locked.
    """
    attempt = _authenticated(origin, email, password)
    upgraded = _upgraded(attempt, password)
    # Until the ticket is a cookie nothing is promised; that commit waits for the disk, and for this one too.
    with entering(
        origin,
        Action.USER_SIGNED_IN,
        user_id=attempt.user_id,
        organization_id=attempt.organization_id,
        durable=upgraded is not None,
    ) as db:
        attempts.succeed(db, attempt, ip_address=origin.ip_address, new_hash=upgraded)
        return _ticket(db, attempt.user_id, attempt.organization_id, attempt.full_name or attempt.email)


def sign_in_as_demo(origin: Origin, *, email: str) -> SignInTicket:
    """A ticket without a password, for "Continue as ...": in demo mode and for people of the demo world only."""
    if not settings().demo_mode:
        raise Forbidden("This is offered in the demo only.")
    memberships = (
        select(_m.user_id, _m.organization_id, _m.full_name, func.bool_and(_m.is_demo).over().label("only_demo"))
        .where(_m.email == attempts.normalised(email), _m.user_status == "active", _m.organization_status == "active")
        .order_by(_m.last_active_at.desc().nulls_last(), _m.organization_name)
    )
    with entering(origin) as db:
        person = db.execute(memberships).first()
        if person is None or not person.only_demo:
            raise NotFound("There is no such person in the demo.")
        return _ticket(db, person.user_id, person.organization_id, person.full_name)


def open_browser_sign_in(origin: Origin, *, ticket: str) -> BrowserSignIn:
    """Spend a ticket and begin a browser's sign-in; raises Unauthenticated for one that is old, used or unknown."""
    digest = {"digest": tokens.digest(ticket)}
    with entering(origin) as db:
        owner = fetched_one(db, _OWNER_OF_TICKET, digest)
    if owner is None or owner.organization_id is None:
        raise Unauthenticated(_OLD_TICKET)
    cookie = tokens.new_secret()
    with entering(origin, Action.USER_SIGNED_IN, user_id=owner.user_id, organization_id=owner.organization_id) as db:
        # A password change at this moment waits for this lock, and then ends what is opened here.
        fetched(db, _HOLD_PERSON, {"person": owner.user_id})
        if not fetched(db, _SPEND_TICKET, digest):
            raise Unauthenticated(_OLD_TICKET)
        user_session_id, expires_at = _open(db, origin, owner.user_id, owner.organization_id, "browser", cookie, None)
    return BrowserSignIn(cookie=cookie, expires_at=expires_at, user_session_id=user_session_id)


def issue_tokens(origin: Origin, *, email: str, password: str, organization: str | None = None) -> TokenPair:
    """Sign a program in, to the organization with this slug or else the one used last.

    Raises as ``sign_in`` does, and NotFound when the person has no active membership in that organization.
    """
    attempt = _authenticated(origin, email, password)
    assert attempt.user_id is not None
    assert attempt.organization_id is not None
    organization_id = attempt.organization_id
    if organization is not None:
        organization_id = _organization_of(origin, attempt.user_id, organization)
    refresh_token = tokens.new_secret()
    with entering(origin, Action.USER_SIGNED_IN, user_id=attempt.user_id, organization_id=organization_id) as db:
        attempts.succeed(db, attempt, ip_address=origin.ip_address, new_hash=_upgraded(attempt, password))
        user_session_id, _ = _open(
            db, origin, attempt.user_id, organization_id, "api", tokens.new_secret(), refresh_token
        )
    access_token = tokens.issue_access_token(user_id=attempt.user_id, user_session_id=user_session_id)
    return TokenPair(access_token, refresh_token)


def refresh_tokens(origin: Origin, *, refresh_token: str) -> TokenPair:
    """Trade a refresh token for a new pair, once.

    A token that was traded before is either stolen or was stolen from: its whole family ends, and Unauthenticated is
    raised (RFC 9700, section 4.14.2). There is no grace for parallel use.
    """
    old, new = tokens.digest(refresh_token), tokens.new_secret()
    with entering(origin) as db:
        family = db.execute(
            update(UserSession)
            .where(
                UserSession.refresh_token == old, UserSession.revoked_at.is_(None), UserSession.expires_at > func.now()
            )
            .values(refresh_token=tokens.digest(new), last_seen_at=func.now())
            .returning(UserSession.id, UserSession.user_id)
        ).one_or_none()
        if family is not None:
            require_living(db, family.id)
            db.execute(insert(SpentRefreshToken).values(token=old, user_session_id=family.id))
    if family is None:
        _end_family_of(origin, old)
        raise Unauthenticated(_END_OF_FAMILY)
    return TokenPair(tokens.issue_access_token(user_id=family.user_id, user_session_id=family.id), new)


def _end_family_of(origin: Origin, spent: str) -> None:
    """End the sign-in a spent refresh token belongs to, if it is one."""
    with entering(origin) as db:
        family = db.execute(
            select(UserSession.id, UserSession.user_id, UserSession.organization_id)
            .join(SpentRefreshToken, SpentRefreshToken.user_session_id == UserSession.id)
            .where(SpentRefreshToken.token == spent, UserSession.revoked_at.is_(None))
        ).one_or_none()
    if family is None:
        return
    with entering(origin, Action.REFRESH_REUSED, user_id=family.user_id, organization_id=family.organization_id) as db:
        db.execute(
            update(UserSession)
            .where(UserSession.id == family.id, UserSession.revoked_at.is_(None))
            .values(revoked_at=func.now(), revoked_reason="refresh_token_reused")
        )


def _authenticated(origin: Origin, email: str, password: str) -> attempts.Attempt:
    """A claimed attempt whose password was right and whose person may enter."""
    attempt = attempts.claim(origin, email)
    right = passwords.verify(password, attempt.password_hash)
    if not (right and attempt.may_enter):
        raise attempts.failed(origin, attempt)
    return attempt


def _upgraded(attempt: attempts.Attempt, password: str) -> str | None:
    stored = attempt.password_hash
    return passwords.hash_password(password) if stored and passwords.needs_rehash(stored) else None


def _organization_of(origin: Origin, user_id: UUID, slug: str) -> UUID:
    with entering(origin) as db:
        organization_id: UUID | None = db.scalar(
            select(_m.organization_id).where(
                _m.user_id == user_id, _m.organization_slug == slug, _m.organization_status == "active"
            )
        )
    if organization_id is None:
        raise NotFound("You have no active membership in an organization with this slug.")
    return organization_id


def _ticket(db: Session, user_id: UUID | None, organization_id: UUID | None, full_name: str) -> SignInTicket:
    ticket = tokens.new_secret()
    fetched(db, _NEW_TICKET, {"digest": tokens.digest(ticket), "person": user_id, "organization": organization_id})
    return SignInTicket(ticket=ticket, full_name=full_name)


def _open(
    db: Session, origin: Origin, user_id: UUID, organization_id: UUID, kind: str, token: str, refresh_token: str | None
) -> tuple[UUID, dt.datetime]:
    """Write the sign-in, and see that it stands for somebody who may enter."""
    (opened,) = fetched(
        db,
        _OPEN,
        {
            "person": user_id,
            "organization": organization_id,
            "sort": kind,
            "digest": tokens.digest(token),
            "refresh_digest": tokens.digest(refresh_token) if refresh_token else None,
            "life": dt.timedelta(hours=settings().sign_in_hours),
            "address": origin.ip_address,
            "agent": origin.user_agent,
        },
    )
    require_living(db, opened.id)
    return opened.id, opened.expires_at
