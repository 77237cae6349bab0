"""Signing up by domain: a mailed link proves the address, and the address says which organization it belongs to."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Row, Select, func, insert, select, update
from sqlalchemy.orm import Session

from nexa_core import notifications
from nexa_core.accounts import attempts, hash_password, passwords, tokens
from nexa_core.accounts.models import User
from nexa_core.actions import Action
from nexa_core.actor import Origin
from nexa_core.config import settings
from nexa_core.db import entering
from nexa_core.errors import Conflict, Invalid
from nexa_core.organizations import joining, seats
from nexa_core.organizations.domain_names import domain_of_address
from nexa_core.organizations.models import (
    DomainSignUp,
    FormerMember,
    Organization,
    OrganizationDomain,
    OrganizationMembership,
)

LINK_LIFETIME = dt.timedelta(hours=24)
LINKS_AT_ONCE = 3
_ANSWER_AFTER_SECONDS = 0.15
_NO_MORE = "This organization does not take people by their domain any more."
_OLD_LINK = "This link has expired or was used already. Ask for a new one."


@dataclass(frozen=True, slots=True)
class DomainInvitation:
    """What a link offers. ``has_account`` tells whether a name and a password are still needed."""

    organization_name: str
    email: str
    role: str
    approval_required: bool
    has_account: bool


@dataclass(frozen=True, slots=True)
class JoinedByDomain:
    """What following a link came to; who waits is let in by an owner."""

    organization_name: str
    waiting: bool


def request_domain_join(origin: Origin, *, email: str) -> None:
    """Mail a link that joins the organization this address belongs to by its domain; never says whether there is one.

    Raises Invalid for what cannot be an address.
    """
    answer_at = time.monotonic() + _ANSWER_AFTER_SECONDS
    address = attempts.normalised(email)
    domain = domain_of_address(address)
    local = address.rpartition("@")[0]
    if not domain or not local or not address.isprintable() or set(address) & set(' ,;<>()[]:\\"'):
        raise Invalid("This is not one e-mail address.", field="email")
    address = f"{local}@{domain}"
    if len(address) > 255:
        raise Invalid("An e-mail address has at most 255 characters.", field="email")
    try:
        _request(origin, address, domain)
    finally:
        time.sleep(max(0.0, answer_at - time.monotonic()))


def domain_invitation(origin: Origin, *, token: str) -> DomainInvitation:
    """What a mailed link offers; looking spends nothing. Raises Invalid for one that is old, used or unknown."""
    with entering(origin) as db:
        offer = _offer(db, token)
        known = _has_account(_person(db, offer.email))
    return DomainInvitation(offer.name, offer.email, offer.auto_join_role, offer.approval_required, known)


def join_by_domain(
    origin: Origin, *, token: str, first_name: str = "", last_name: str = "", password: str = ""
) -> JoinedByDomain:
    """Spend a mailed link: join with the domain's role, or wait for an owner where approval is due or no seat free.

    Who has no account gets one with this name and password. Raises Invalid for a link that is old, used or unknown and
    for a password that is not good enough (the link stays good); Conflict for who belongs there already, was removed,
    or whose account is closed.
    """
    with entering(origin) as db:
        offer = _offer(db, token)
        person = _person(db, offer.email)
    _may_come(person)
    user_id = person.id if person else uuid4()
    values: dict[str, object] = {}
    if person is None or person.status == "pending":
        values = _new_account(offer.email, first_name, last_name, password)
    with entering(origin, Action.MEMBER_JOINED_BY_DOMAIN, user_id=user_id, organization_id=offer.organization_id) as db:
        _spend(db, token)
        organization = seats.locked(db, offer.organization_id)  # before the person, as everywhere
        offered = db.execute(_claim(offer.organization_id, offer.domain)).one_or_none()
        if offered is None or not joining.offers_joining(organization.plan_type, organization.usage_limits):
            raise Invalid(_NO_MORE, field="token")
        # Looked at again under its lock: while the password was hashed, it may have become an account or been closed.
        again = _person(db, offer.email, lock=True)
        _may_come(again)
        if again != person:
            raise Conflict("The account with this address changed at the same moment. Please open the link again.")
        if person is None:
            db.execute(insert(User).values(id=user_id, email=offer.email, email_verified_at=func.now(), **values))
        else:
            verified = {"email_verified_at": func.coalesce(User.email_verified_at, func.now()), **values}
            db.execute(update(User).where(User.id == user_id).values(**verified))
        _refuse_known(db, offer.organization_id, user_id)
        waiting = offered.approval_required or seats.seats_of(db, organization).left == 0
        joining.join(db, offer.organization_id, user_id, offered.auto_join_role, waiting=waiting)
        return JoinedByDomain(offer.name, waiting)


def _request(origin: Origin, address: str, domain: str) -> None:
    with entering(origin, Action.JOIN_REQUESTED) as db:
        offered = db.execute(
            select(Organization)
            .join(OrganizationDomain, OrganizationDomain.organization_id == Organization.id)
            .where(OrganizationDomain.domain == domain, *_takes_people())
        ).scalar_one_or_none()
        living = (
            select(func.count())
            .select_from(DomainSignUp)
            .where(DomainSignUp.email == address, DomainSignUp.used_at.is_(None), DomainSignUp.expires_at > func.now())
        )
        if (
            offered is None
            or not joining.offers_joining(offered.plan_type, offered.usage_limits)
            or (db.scalar(living) or 0) >= LINKS_AT_ONCE
        ):
            return
        token = tokens.new_secret()
        db.execute(
            insert(DomainSignUp).values(
                token=tokens.digest(token),
                organization_id=offered.id,
                domain=domain,
                email=address,
                expires_at=func.now() + LINK_LIFETIME,
            )
        )
        notifications.send_mail(
            db,
            recipient=address,
            subject="Join your organization on NEXA",
            body=(
                f"Hello,\n\nsomebody, most likely you, asked to join {offered.name} on NEXA with this address. "
                "This link does so; it works once, within a day. If it was not you, there is nothing to do:"
            ),
            link=f"{settings().public_url}/join?token={token}",
            organization_id=offered.id,
        )


def _takes_people() -> tuple[ColumnElement[bool], ...]:
    return (
        OrganizationDomain.verified_at.is_not(None),
        OrganizationDomain.missing_since.is_(None),
        OrganizationDomain.auto_join_enabled.is_(True),
        Organization.status == "active",
    )


def _claim(organization_id: UUID, domain: str) -> Select[str, bool]:
    return (
        select(OrganizationDomain.auto_join_role, OrganizationDomain.approval_required)
        .join(Organization, Organization.id == OrganizationDomain.organization_id)
        .where(OrganizationDomain.organization_id == organization_id, OrganizationDomain.domain == domain)
        .where(*_takes_people())
    )


def _offer(db: Session, token: str) -> Row[UUID, str, str, str, Organization, str, bool]:
    offer = db.execute(
        select(
            DomainSignUp.organization_id,
            DomainSignUp.domain,
            DomainSignUp.email,
            Organization.name,
            Organization,
            OrganizationDomain.auto_join_role,
            OrganizationDomain.approval_required,
        )
        .join(Organization, Organization.id == DomainSignUp.organization_id)
        .join(
            OrganizationDomain,
            (OrganizationDomain.organization_id == DomainSignUp.organization_id)
            & (OrganizationDomain.domain == DomainSignUp.domain),
        )
        .where(*_unspent(token), *_takes_people())
    ).one_or_none()
    if offer is None:
        raise Invalid(_OLD_LINK, field="token")
    if not joining.offers_joining(offer.Organization.plan_type, offer.Organization.usage_limits):
        raise Invalid(_NO_MORE, field="token")
    return offer


def _unspent(token: str) -> tuple[ColumnElement[bool], ...]:
    return (
        DomainSignUp.token == tokens.digest(token),
        DomainSignUp.used_at.is_(None),
        DomainSignUp.expires_at > func.now(),
    )


def _spend(db: Session, token: str) -> None:
    spent = update(DomainSignUp).where(*_unspent(token)).values(used_at=func.now()).returning(DomainSignUp.token)
    if db.execute(spent).first() is None:
        raise Invalid(_OLD_LINK, field="token")


def _person(db: Session, email: str, *, lock: bool = False) -> Row[UUID, str] | None:
    """The account of an address; one that is only invited has none yet."""
    found = select(User.id, User.status).where(User.email == email)
    return db.execute(found.with_for_update() if lock else found).one_or_none()


def _has_account(person: Row[UUID, str] | None) -> bool:
    return person is not None and person.status != "pending"


def _may_come(person: Row[UUID, str] | None) -> None:
    if person is not None and person.status not in ("active", "pending"):
        raise Conflict("The account with this address is closed. Ask your administrator.")


def _new_account(email: str, first_name: str, last_name: str, password: str) -> dict[str, object]:
    first_name, last_name = " ".join(first_name.split()), " ".join(last_name.split())
    full_name = f"{first_name} {last_name}".strip()
    if not full_name:
        raise Invalid("Please tell us at least one name.", field="first_name")
    if max(len(first_name), len(last_name)) > 100 or not full_name.isprintable():
        raise Invalid("A name has at most 100 characters, and no control characters.", field="first_name")
    passwords.require_good(password, email=email, names=(full_name,))
    return {
        "first_name": first_name,
        "last_name": last_name,
        "full_name": full_name,
        "status": "active",
        "password_hash": hash_password(password),
        "password_changed_at": func.now(),
    }


def _refuse_known(db: Session, organization_id: UUID, user_id: UUID) -> None:
    membership = db.execute(
        select(
            OrganizationMembership.status,
            OrganizationMembership.requested_at,
            OrganizationMembership.invitation_revoked_at,
        ).where(OrganizationMembership.organization_id == organization_id, OrganizationMembership.user_id == user_id)
    ).one_or_none()
    if membership is not None and membership.status == "active":
        raise Conflict("You belong to this organization already: sign in.")
    if membership is not None and membership.status == "suspended":
        raise Conflict("Your membership in this organization is suspended. Ask one of its owners.")
    if membership is not None and membership.requested_at is not None:
        raise Conflict("You have asked to join this organization already; an owner decides.")
    if membership is not None and membership.invitation_revoked_at is None:
        raise Conflict(
            "You are invited to this organization already. Follow the link in that mail, or ask for a new one."
        )
    if db.scalar(select(FormerMember.user_id).where(
        FormerMember.organization_id == organization_id, FormerMember.user_id == user_id
    )):  # fmt: skip
        raise Conflict("You were removed from this organization. Only an invitation brings you back.")
