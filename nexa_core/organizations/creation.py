"""A new organization: its name and slug, its plan, and its first owner invited, all of it or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import insert, select

from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.billing import PLANS
from nexa_core.db import entering, recording
from nexa_core.errors import Conflict, Invalid
from nexa_core.organizations import fields
from nexa_core.organizations.addresses import address_of
from nexa_core.organizations.inviting import accounts_of, message_of, send
from nexa_core.organizations.models import Organization
from nexa_core.organizations.service import OrganizationState
from nexa_core.organizations.slugs import RESERVED, claim, sensible_slug, slug_like, still_holds
from nexa_core.permissions import Permission


@dataclass(frozen=True, slots=True)
class SlugVerdict:
    """Whether a slug can be taken now, and a sentence that says so or why not."""

    slug: str
    is_free: bool
    sentence: str


def suggest_slug(actor: Actor, *, name: str) -> str:
    """The first free slug that reads like the name; empty for a name without a letter or digit to use."""
    actor.require(Permission.ORGANIZATIONS_MANAGE)
    if not (base := slug_like(name)):
        return ""
    candidates = [base, *(f"{base}-{number}" for number in range(2, 100))]
    with entering(actor.origin) as db:
        taken = set(db.scalars(select(Organization.slug).where(Organization.slug.in_(candidates), still_holds())))
    return next((slug for slug in candidates if slug not in taken and slug not in RESERVED and len(slug) > 1), "")


def check_slug(actor: Actor, *, slug: str) -> SlugVerdict:
    """Say whether a slug is free: taken ones, deleted organizations' too, and reserved words are not.

    Raises Forbidden without ORGANIZATIONS_MANAGE.
    """
    actor.require(Permission.ORGANIZATIONS_MANAGE)
    try:
        slug = sensible_slug(slug)
    except Invalid as invalid:
        return SlugVerdict(slug, False, invalid.sentence)
    with entering(actor.origin) as db:
        taken = db.scalar(select(Organization.id).where(Organization.slug == slug, still_holds())) is not None
    return SlugVerdict(slug, not taken, "This slug is taken; choose another one." if taken else "This slug is free.")


def create(
    actor: Actor, *, name: str, slug: str, plan: str, owner_email: str, message: str = "", time_zone: str = "UTC"
) -> OrganizationState:
    """Make an organization and invite its first owner; it is pending until they accept.

    Raises Forbidden without ORGANIZATIONS_MANAGE, Invalid, naming the field, for a name, slug, plan or address that
    cannot be used, Conflict for a slug that is taken. Whatever is refused, nothing is made.
    """
    actor.require(Permission.ORGANIZATIONS_MANAGE)
    name = fields.line(name, "The name", field="name", most=255, required=True)
    slug = sensible_slug(slug)
    if plan not in PLANS:
        raise Invalid(f"There is no plan “{plan[:40]}”.", field="plan")
    email = address_of(owner_email, field="owner_email")
    message = message_of(message)
    known = accounts_of(actor, [email])
    account = known.get(email)
    if account is not None and (account.deleted_at is not None or account.status not in ("active", "pending")):
        raise Conflict("The account of this address is not active, so it cannot become the owner.")
    with recording(actor, Action.ORGANIZATION_CREATED) as db:
        claim(db, slug)
        values = {"id": uuid4(), "name": name, "slug": slug, "plan_type": plan, "status": "pending"}
        db.execute(insert(Organization).values(**values, time_zone=time_zone))
        organization = db.get_one(Organization, values["id"])
        send(actor, db, organization, email, "owner", message, known)
        return OrganizationState.of(organization)
