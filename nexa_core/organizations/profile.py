"""Profile, branding and business details of one organization."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, text

from nexa_core.actions import Action
from nexa_core.actor import Actor, Scope
from nexa_core.db import recording
from nexa_core.errors import Conflict, Forbidden, Invalid
from nexa_core.organizations import fields, slugs
from nexa_core.organizations.addresses import address_of
from nexa_core.organizations.countries import COUNTRIES, tax_id_of
from nexa_core.organizations.models import Organization
from nexa_core.organizations.reach import require_for
from nexa_core.organizations.service import OrganizationState
from nexa_core.permissions import Permission

#: The parts of an address, what a form calls them, and how long each may be.
ADDRESS = {
    "street": ("Street and number", 255),
    "street2": ("Second line", 255),
    "postal_code": ("Postal code", 20),
    "city": ("City", 100),
    "state": ("State or region", 100),
}
#: The colours a customer's documents and screens use.
BRAND_COLORS = {"primary": "Primary", "accent": "Accent"}
_STORED_LOGO = re.compile(r"/api/organizations/([0-9a-f-]{36})/logo/[0-9a-f]{64}")


def update_profile(actor: Actor, *, organization_id: UUID, name: str, slug: str, reason: str = "") -> OrganizationState:
    """Give an organization another name and slug; addresses with the old slug lead nowhere then.

    Raises NotFound for a stranger's organization, Forbidden without ORGANIZATION_MANAGE (ORGANIZATIONS_MANAGE for
    another), Invalid naming the field, Conflict for a slug that is taken: a deleted organization's is, for 90 days.
    """
    require_for(actor, organization_id, own=Permission.ORGANIZATION_MANAGE, other=Permission.ORGANIZATIONS_MANAGE)
    name = fields.line(name, "The name", field="name", most=255, required=True)
    slug = slug.strip()
    # Renaming and a new slug are two entries of the log, each a sentence of its own.
    with recording(actor, Action.ORGANIZATION_RENAMED, reason=fields.reason_if_any(reason)) as db:
        organization = _living(db.get_one(Organization, organization_id, with_for_update=True))
        organization.name = name
        db.flush()
        if slug != organization.slug:
            slug = slugs.sensible_slug(slug)
            db.execute(text("SELECT set_config('nexa.action', :action, true)"), {"action": _SLUG})
            slugs.claim(db, slug)
            organization.slug = slug
            organization.updated_at = func.now()
            db.flush()
        return OrganizationState.of(organization)


_SLUG = Action.ORGANIZATION_SLUG_CHANGED.value


def update_branding(
    actor: Actor, *, organization_id: UUID, logo_url: str | None, brand_colors: Mapping[str, str]
) -> None:
    """Set logo and colours. ``logo_url`` is an https address, the address of an uploaded logo, or nothing.

    Colours that NEXA does not know stay as they are. Raises as ``update_profile`` does.
    """
    require_for(actor, organization_id, own=Permission.ORGANIZATION_MANAGE, other=Permission.ORGANIZATIONS_MANAGE)
    stored = _STORED_LOGO.fullmatch((logo_url or "").strip())
    if stored and stored.group(1) != str(organization_id):
        raise Invalid("This logo was uploaded for another organization.", field="logo_url")
    logo = stored.group(0) if stored else fields.web_address(logo_url or "", field="logo_url")
    unknown = set(brand_colors) - set(BRAND_COLORS)
    if unknown:
        raise Invalid(f"There is no brand colour “{min(unknown)[:40]}”.", field="brand_colors")
    colors = {name: fields.color(value, field=f"brand_colors.{name}") for name, value in brand_colors.items()}
    with recording(actor, Action.ORGANIZATION_BRANDING_CHANGED) as db:
        organization = _living(db.get_one(Organization, organization_id, with_for_update=True))
        _change(organization, logo_url=logo, brand_colors={**organization.brand_colors, **colors})


def update_business(
    actor: Actor,
    *,
    organization_id: UUID,
    address: Mapping[str, str],
    tax_id: str,
    billing_email: str,
    time_zone: str,
) -> None:
    """Set address, tax id, billing address and the time zone billing periods begin in.

    ``address`` has the parts of ``ADDRESS`` and ``country``, two letters. A tax id is checked by its country's rules
    when it or the country changes. What NEXA does not know of an address stays. Only the platform's people change the
    time zone; months that have begun stay in the zone they began in.

    Raises NotFound for a stranger's organization, Forbidden without BILLING_MANAGE (ORGANIZATIONS_MANAGE for another),
    Invalid naming the field.
    """
    require_for(actor, organization_id, own=Permission.BILLING_MANAGE, other=Permission.ORGANIZATIONS_MANAGE)
    given = _address(address)
    tax_id = fields.line(tax_id, "A tax id", field="tax_id", most=100)
    email = address_of(billing_email, field="billing_email") if billing_email.strip() else None
    with recording(actor, Action.ORGANIZATION_BUSINESS_CHANGED) as db:
        organization = _living(db.get_one(Organization, organization_id, with_for_update=True))
        kept = {part: value for part, value in organization.address.items() if part not in (*ADDRESS, "country")}
        after = {**kept, **{part: value for part, value in given.items() if value}}
        if (tax_id, after.get("country")) != (organization.tax_id or "", organization.address.get("country")):
            tax_id = tax_id_of(tax_id, after.get("country"))
        _change(organization, address=after, tax_id=tax_id or None, billing_email=email)
        if time_zone != organization.time_zone:
            if actor.scope is Scope.TENANT:
                raise Forbidden("The time zone of billing is changed by NEXA's own people.")
            fields.time_zone(time_zone)
            _change(organization, time_zone=time_zone)


def _address(address: Mapping[str, str]) -> dict[str, str]:
    unknown = set(address) - {*ADDRESS, "country"}
    if unknown:
        raise Invalid(f"An address has no part “{min(unknown)[:40]}”.", field="address")
    given = {
        part: fields.line(address.get(part, ""), label, field=f"address.{part}", most=most)
        for part, (label, most) in ADDRESS.items()
    }
    country = address.get("country", "")
    if country and country not in COUNTRIES:
        raise Invalid("There is no such country; use its two letters of ISO 3166.", field="address.country")
    return {**given, "country": country}


def _living(organization: Organization) -> Organization:
    if organization.status == "deleted":
        raise Conflict(f"{organization.name} is deleted; restore it first.")
    return organization


def _change(organization: Organization, **values: Any) -> None:
    """Set what differs; an organization that stays as it was leaves no entry in the log."""
    changed = {name: value for name, value in values.items() if getattr(organization, name) != value}
    for name, value in changed.items():
        setattr(organization, name, value)
    if changed:
        organization.updated_at = func.now()
