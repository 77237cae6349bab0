"""The e-mail domains of an organization: claim them, prove them, and say who joins by them."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID, uuid4

import idna
from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.orm import Session

from nexa_core import logs
from nexa_core.accounts.models import User
from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.db import entering, metering, reading, recording
from nexa_core.errors import Conflict, Invalid, NexaError
from nexa_core.organizations import dns_proof
from nexa_core.organizations.domain_names import domain_of_input, refuse_lookalike
from nexa_core.organizations.models import Organization, OrganizationDomain
from nexa_core.organizations.reach import require_for
from nexa_core.organizations.seats import locked
from nexa_core.permissions import Permission

_log = logs.logger("organizations")

#: A proof is looked for again this often, and lapses when it has been missing for so long.
RECHECKED_EVERY = dt.timedelta(days=7)
LAPSES_AFTER = dt.timedelta(days=14)


@dataclass(frozen=True, slots=True)
class DomainView:
    """One domain: what it is, how far its proof is, and who joins by it.

    ``proven_by`` is ``dns``, ``admin`` or None; ``missing_since`` is set while a proven domain's record is not found.
    """

    id: UUID
    domain: str
    readable: str
    record_name: str
    record_value: str
    proven_by: str | None
    verified_at: dt.datetime | None
    accepted_by: str | None
    checked_at: dt.datetime | None
    missing_since: dt.datetime | None
    auto_join: bool
    auto_join_role: str
    approval_required: bool
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Check:
    """What looking for the record came to."""

    proven: bool
    sentence: str


def domains(actor: Actor, *, organization_id: UUID) -> tuple[DomainView, ...]:
    """The domains of an organization by name.

    Raises NotFound for a stranger's organization, Forbidden without ORGANIZATION_READ.
    """
    require_for(actor, organization_id, own=Permission.ORGANIZATION_READ, other=Permission.ORGANIZATIONS_BROWSE)
    found = (
        select(OrganizationDomain, User.full_name)
        .outerjoin(User, User.id == OrganizationDomain.verified_by)
        .where(OrganizationDomain.organization_id == organization_id)
        .order_by(OrganizationDomain.domain)
    )
    with reading(actor) as db:
        return tuple(_view(row.OrganizationDomain, row.full_name) for row in db.execute(found))


def add_domain(actor: Actor, *, organization_id: UUID, domain: str, reason: str = "") -> DomainView:
    """Claim a domain, which proves nothing yet. What looks like another organization's proven domain is refused.

    With ORGANIZATIONS_MANAGE and a reason a look-alike can be added all the same; a public mail provider never.
    Raises Invalid with what is wrong with the name, Conflict for one that is in the list.
    """
    require_for(actor, organization_id, own=Permission.ORGANIZATION_MANAGE, other=Permission.ORGANIZATIONS_MANAGE)
    name = domain_of_input(domain)
    excepted = bool(reason.strip()) and actor.may(Permission.ORGANIZATIONS_MANAGE)
    others = () if excepted else _proven_by_others(actor, organization_id)
    refuse_lookalike(name, others, is_told=actor.is_staff)
    with recording(actor, Action.DOMAIN_ADDED, reason=reason.strip()[:1000] or None) as db:
        claimed = uuid4()
        db.execute(  # these columns and no others: a customer's own may not write how a claim is proven
            insert(OrganizationDomain).values(
                id=claimed, organization_id=organization_id, domain=name, verification_token=secrets.token_urlsafe(24)
            )
        )
        return _view(db.get_one(OrganizationDomain, claimed), None)


def check_domain(actor: Actor, *, organization_id: UUID, domain_id: UUID) -> Check:
    """Look for the record now: found, the domain is proven; missing, a proof by DNS is on notice.

    Raises Conflict when another organization has proven it: then its record has to be gone first.
    """
    require_for(actor, organization_id, own=Permission.ORGANIZATION_MANAGE, other=Permission.ORGANIZATIONS_MANAGE)
    actor.require_own_eyes()
    with reading(actor) as db:
        claim = db.scalars(select(OrganizationDomain).where(*_is(organization_id, domain_id))).one()
    return _check(actor, claim)


def accept_domain(actor: Actor, *, organization_id: UUID, domain_id: UUID, reason: str) -> DomainView:
    """Take a domain for proven without its record.

    Raises Forbidden without ORGANIZATIONS_MANAGE, Invalid without a reason, Conflict when another organization has
    proven it.
    """
    actor.require(Permission.ORGANIZATIONS_MANAGE)
    with _changing(actor, Action.DOMAIN_ACCEPTED, organization_id, domain_id, _reason(reason)) as (db, claim):
        claim.verified_at, claim.verified_by, claim.missing_since = func.now(), actor.user_id, None
        db.flush()
        db.refresh(claim)
        return _view(claim, actor.full_name)


def remove_domain(actor: Actor, *, organization_id: UUID, domain_id: UUID, reason: str = "") -> None:
    """Give a domain up. Nobody joins by it any more; who has joined stays. A proven one asks for a reason."""
    require_for(actor, organization_id, own=Permission.ORGANIZATION_MANAGE, other=Permission.ORGANIZATIONS_MANAGE)
    given = reason.strip()[:1000] or None
    with _changing(actor, Action.DOMAIN_REMOVED, organization_id, domain_id, given) as (db, claim):
        if claim.verified_at is not None and not given:
            raise Invalid("Please give a reason; it is kept in the audit log.", field="reason")
        db.delete(claim)


def recheck_domains(actor: Actor) -> int:
    """Look again for every record that was not looked for in a week; how many that were. For the job.

    A proof that an admin gave is not looked for. Raises Forbidden without ORGANIZATIONS_MANAGE.
    """
    actor.require(Permission.ORGANIZATIONS_MANAGE)
    due = select(OrganizationDomain).where(
        OrganizationDomain.verified_at.is_not(None),
        OrganizationDomain.verified_by.is_(None),
        func.coalesce(OrganizationDomain.verification_checked_at, OrganizationDomain.verified_at)
        <= func.now() - RECHECKED_EVERY,
    )
    with reading(actor) as db:
        claims = db.scalars(due.order_by(OrganizationDomain.verification_checked_at).limit(500)).all()
    looked_for = 0
    for claim in claims:
        try:
            _check(actor, claim)
        except NexaError as refused:  # gone or proven by somebody else meanwhile: no reason to leave the others
            _log.warning("domain_not_rechecked", domain=claim.domain, error=refused.sentence)
        else:
            looked_for += 1
    return looked_for


def _check(actor: Actor, claim: OrganizationDomain) -> Check:
    """Ask the DNS, with no transaction open meanwhile, and write down what came of it."""
    if not claim.verification_token:  # accepted without one: anybody's record would do
        raise Conflict("This domain has no record to look for. Remove it and add it again to prove it.")
    proof = dns_proof.look_up(claim.domain, claim.verification_token)
    action = Action.DOMAIN_PROVEN if claim.verified_at is None else Action.DOMAIN_RECHECKED
    if proof.found is None or (proof.found is False and claim.verified_at is None) or claim.verified_by is not None:
        with metering(actor) as db:  # when it was looked at is bookkeeping, no change to record
            _looked_at(db, claim.id)
        return Check(claim.verified_at is not None, proof.sentence)
    with recording(actor, action, reason=proof.sentence) as db:
        locked(db, claim.organization_id)
        now = db.scalars(select(OrganizationDomain).where(OrganizationDomain.id == claim.id).with_for_update()).one()
        now.verification_checked_at = func.now()
        if proof.found:
            now.missing_since = None
            if now.verified_at is None:
                now.verified_at, now.verified_by = func.now(), None
                _known_by(db, now)
            return Check(True, f"{claim.domain} is proven. {proof.sentence}")
        today = dt.datetime.now(dt.UTC)
        now.missing_since = now.missing_since or today
        if today - now.missing_since < LAPSES_AFTER:
            until = (now.missing_since + LAPSES_AFTER).date()
            return Check(True, f"{proof.sentence} Nobody joins by it meanwhile, and the proof lapses on {until}.")
        now.verified_at, now.auto_join_enabled, now.missing_since = None, False, None
        return Check(False, f"{proof.sentence} It was missing for too long, so the domain is not proven any more.")


def _looked_at(db: Session, domain_id: UUID) -> None:
    db.execute(
        update(OrganizationDomain)
        .where(OrganizationDomain.id == domain_id)
        .values(verification_checked_at=func.now())
        .execution_options(synchronize_session=False)
    )


def _known_by(db: Session, claim: OrganizationDomain) -> None:
    """The first domain an organization proves is the one it is known by, unless it has named one."""
    organization = db.get_one(Organization, claim.organization_id)
    organization.domain = organization.domain or claim.domain


def _proven_by_others(actor: Actor, organization_id: UUID) -> tuple[str, ...]:
    """Asked at the entry door: one organization's people cannot see another's domains, and are not told them."""
    others = select(OrganizationDomain.domain).where(
        OrganizationDomain.verified_at.is_not(None), OrganizationDomain.organization_id != organization_id
    )
    with entering(actor.origin) as db:
        return tuple(db.scalars(others))


def _is(organization_id: UUID, domain_id: UUID) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return OrganizationDomain.id == domain_id, OrganizationDomain.organization_id == organization_id


@contextmanager
def _changing(
    actor: Actor, action: Action, organization_id: UUID, domain_id: UUID, reason: str | None = None
) -> Iterator[tuple[Session, OrganizationDomain]]:
    with recording(actor, action, reason=reason) as db:
        locked(db, organization_id)  # who joins by the domain holds it: they come before the change, or see it
        claim = db.scalars(select(OrganizationDomain).where(*_is(organization_id, domain_id)).with_for_update()).one()
        yield db, claim


def _reason(reason: str) -> str:
    if not (reason := reason.strip()):
        raise Invalid("Please give a reason; it is kept in the audit log.", field="reason")
    return reason[:1000]


def _view(claim: OrganizationDomain, accepted_by: str | None) -> DomainView:
    proven_by = None if claim.verified_at is None else "dns" if claim.verified_by is None else "admin"
    try:
        readable = idna.decode(claim.domain)
    except (idna.IDNAError, UnicodeError):
        readable = claim.domain
    return DomainView(
        id=claim.id,
        domain=claim.domain,
        readable=readable,
        record_name=dns_proof.record_name(claim.domain),
        record_value=dns_proof.record_value(claim.verification_token or ""),
        proven_by=proven_by,
        verified_at=claim.verified_at,
        accepted_by=accepted_by or ("NEXA" if proven_by == "admin" else None),
        checked_at=claim.verification_checked_at,
        missing_since=claim.missing_since,
        auto_join=claim.auto_join_enabled,
        auto_join_role=claim.auto_join_role,
        approval_required=claim.approval_required,
        created_at=claim.created_at,
    )
