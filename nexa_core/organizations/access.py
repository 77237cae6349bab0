"""Why somebody can or cannot do something, and what would change if: answered by the function that enforces it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal, select
from sqlalchemy.orm import Session

from nexa_core.accounts.models import User
from nexa_core.accounts.viewing import flags
from nexa_core.actor import Actor, Standing
from nexa_core.architecture_sessions.models import ArchitectureSession
from nexa_core.billing import PLANS, allowance, is_hard, seats
from nexa_core.db import reading
from nexa_core.errors import Invalid, NotFound
from nexa_core.organizations.members import INVITED, STATUSES, names_of, only_invited
from nexa_core.organizations.models import Organization, OrganizationMembership
from nexa_core.organizations.reach import BY_STAFF, require_for
from nexa_core.organizations.seats import seats_of
from nexa_core.permissions import MEMBERSHIP_ROLES, Explanation, Permission, Resource, explain, granted
from nexa_core.usage.models import UsageCounter

_O, _M = Organization, OrganizationMembership
_MOST_SESSIONS = 100


@dataclass(frozen=True, slots=True)
class Change:
    """What one permission is, and would be."""

    permission: Permission
    before: Explanation
    after: Explanation

    @property
    def is_gained(self) -> bool:
        return self.after.allowed and not self.before.allowed

    @property
    def is_lost(self) -> bool:
        return self.before.allowed and not self.after.allowed


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a change would do: to each permission, and, in sentences, to what is not one."""

    changes: tuple[Change, ...]
    notes: tuple[str, ...]

    @property
    def gained(self) -> tuple[Permission, ...]:
        return tuple(change.permission for change in self.changes if change.is_gained)

    @property
    def lost(self) -> tuple[Permission, ...]:
        return tuple(change.permission for change in self.changes if change.is_lost)


@dataclass(frozen=True, slots=True)
class _Subscription:
    """An organization as it would be on another plan."""

    plan_type: str
    usage_limits: Mapping[str, Any]


def explain_access(
    actor: Actor, *, organization_id: UUID, email: str, permission: str, resource: Resource | None = None
) -> Explanation:
    """Why somebody may or may not do this here, gate by gate; for whoever it is, a member or not.

    The sign-in gate is answered as if the person were signed in. Asked by one of the platform's own people about
    another, who is no member, it says by which right of theirs they reach the organization. Raises NotFound for a
    stranger's organization, Forbidden without MEMBERS_READ, Invalid for an unknown permission.
    """
    require_for(actor, organization_id, own=Permission.MEMBERS_READ, other=Permission.MEMBERS_READ)
    wanted = _permission(permission)
    with reading(actor) as db:
        _, subject = _subject(actor, db, _O.id == organization_id, email)
        if actor.is_staff and subject.standing.membership_status is None:
            _, colleague = _subject(actor, db, _O.is_platform.is_(True), email)
            if colleague.is_staff and colleague.standing.membership_status is not None:
                subject, wanted = colleague, BY_STAFF.get(wanted, wanted)
        return explain(subject, wanted, resource)


def resources(actor: Actor, *, organization_id: UUID) -> tuple[Resource, ...]:
    """What a question can be about: the organization, its credits, its sessions as far as the actor reads them.

    Raises as ``explain_access`` does.
    """
    require_for(actor, organization_id, own=Permission.MEMBERS_READ, other=Permission.MEMBERS_READ)
    newest = (
        select(ArchitectureSession)
        .where(ArchitectureSession.organization_id == organization_id, literal(actor.may(Permission.SESSIONS_READ)))
        .order_by(ArchitectureSession.updated_at.desc())
        .limit(_MOST_SESSIONS)
        .subquery()
    )
    asked = (
        select(Organization, newest.c.title, newest.c.deleted_at)
        .outerjoin(newest, newest.c.organization_id == Organization.id)
        .where(Organization.id == organization_id)
        .order_by(newest.c.updated_at.desc())
    )
    with reading(actor) as db:
        rows = db.execute(asked).all()
        if not rows:
            raise NotFound("There is no such organization.")
        organization = rows[0][0]
        found = [
            Resource("The organization", organization.id, deleted=organization.status == "deleted"),
            Resource("A credit of this period", organization.id, remaining=_remaining(db, organization, organization)),
            Resource("Something of another organization", UUID(int=0)),
        ]
        found += [
            Resource(f"The session {title}", organization.id, deleted=deleted_at is not None)
            for _, title, deleted_at in rows
            if title is not None
        ]
        return tuple(found)


def what_if(
    actor: Actor,
    *,
    organization_id: UUID,
    email: str,
    role: str | None = None,
    grant: Iterable[str] | None = None,
    deny: Iterable[str] | None = None,
    plan: str | None = None,
    membership_status: str | None = None,
    account_status: str | None = None,
) -> Prospect:
    """What another role, other exceptions, another plan or a suspension would change, before it is done.

    What is None stays as it is. Raises as ``explain_access`` does, and Invalid for a value there is not.
    """
    require_for(actor, organization_id, own=Permission.MEMBERS_READ, other=Permission.MEMBERS_READ)
    for value, known, field in (
        (role, MEMBERSHIP_ROLES, "role"),
        (plan, PLANS, "plan"),
        (membership_status, STATUSES, "membership_status"),
        (account_status, ("active", "pending", "suspended", "deleted"), "account_status"),
    ):
        if value is not None and value not in known:
            raise Invalid(f"There is no {field.replace('_', ' ')} “{value[:40]}”.", field=field)
    with reading(actor) as db:
        organization, now = _subject(actor, db, _O.id == organization_id, email)
        standing = replace(
            now.standing,
            grant=now.standing.grant if grant is None else frozenset(grant),
            deny=now.standing.deny if deny is None else frozenset(deny),
            membership_status=membership_status or now.standing.membership_status,
            account_status=account_status or now.standing.account_status,
            plan_features=_features_of_plan(plan) if plan else now.standing.plan_features,
        )
        would = replace(now, role=role or now.role, standing=standing)
        later = _Subscription(plan or organization.plan_type, organization.usage_limits)
        credits_now = Resource("A credit of this period", None, remaining=_remaining(db, organization, organization))
        credits_then = replace(credits_now, remaining=_remaining(db, organization, later))
        notes = _notes(db, organization, later) if plan else ()
    ceiling = granted("owner", is_platform=organization.is_platform, grant=frozenset(), deny=frozenset())
    changes = tuple(
        Change(
            permission,
            explain(now, permission, credits_now if permission is Permission.USAGE_RECORD else None),
            explain(would, permission, credits_then if permission is Permission.USAGE_RECORD else None),
        )
        for permission in Permission
        if permission in ceiling
    )
    return Prospect(changes, notes)


def _permission(name: str) -> Permission:
    try:
        return Permission(name)
    except ValueError:
        raise Invalid(f"There is no permission “{name[:40]}”.", field="permission") from None


def _subject(actor: Actor, db: Session, where: ColumnElement[bool], email: str) -> tuple[Organization, Actor]:
    """The organization, and the actor somebody is, or would be, in it: what signing in would make of them."""
    email = email.strip().lower()
    membership: OrganizationMembership | None
    organization, person, membership, is_invited = db.execute(
        select(_O, User, _M, only_invited(actor))
        .select_from(_O)
        .outerjoin(User, (User.email == email) & User.deleted_at.is_(None))
        .outerjoin(_M, (_M.user_id == User.id) & (_M.organization_id == _O.id))
        .where(where)
    ).one()
    if membership is not None and membership.status == "pending" and membership.invitation_revoked_at is not None:
        membership = None
    standing = Standing(
        account_status=INVITED if is_invited else person.status if person else None,
        membership_status=membership.status if membership else None,
        organization_status=organization.status,
        is_platform=organization.is_platform,
        features=flags(organization.usage_limits.get("features")),
        plan_features=_features_of_plan(organization.plan_type),
    )
    overrides = membership.permissions if membership else {}
    subject = Actor.of_membership(
        user_id=person.id if person else UUID(int=0),
        organization_id=organization.id,
        role=membership.role if membership else "",
        overrides={which: sorted(names_of(overrides, which)) for which in ("grant", "deny")},
        standing=standing,
        email=email,
        full_name=(person.full_name if person and not is_invited else "") or email,
        organization_name=organization.name,
        organization_slug=organization.slug,
    )
    return organization, subject


def _features_of_plan(plan: str) -> Mapping[str, bool] | None:
    return flags(PLANS[plan].features) if plan in PLANS else None


def _remaining(db: Session, organization: Organization, subscription: Organization | _Subscription) -> int | None:
    """Credits left in this period, where use stops at the allowance; None where it is charged beyond it."""
    allowed = allowance(subscription)
    if allowed is None or not is_hard(subscription):
        return None
    used = db.scalar(
        select(UsageCounter.used).where(
            UsageCounter.organization_id == organization.id,
            UsageCounter.metric == "credits",
            UsageCounter.period_start == func.nexa.billing_start(organization.id, func.now()),
        )
    )
    return max(allowed - (used or 0), 0)


def _notes(db: Session, organization: Organization, later: _Subscription) -> tuple[str, ...]:
    """What another plan changes for everybody there."""
    notes = []
    taken, limit = seats_of(db, organization).taken, seats(later)
    if limit is not None and taken > limit:
        notes.append(f"{taken} people are active members, {taken - limit} more than the plan's {limit} seats.")
    before, after = allowance(organization), allowance(later)
    if before != after:
        words = ["no limit" if value is None else f"{value:,}" for value in (before, after)]
        notes.append(f"Credits a month: {words[0]} becomes {words[1]}.")
    return tuple(notes)
