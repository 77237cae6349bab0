"""Uploaded logos: small pictures made harmless, stored by what they hold, and served through the API."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from nexa_core import pictures
from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.db import reading, recording
from nexa_core.errors import Conflict, NotFound
from nexa_core.organizations.models import Organization, OrganizationLogo
from nexa_core.organizations.reach import customers_of, require_for
from nexa_core.permissions import Permission

MOST_BYTES = 262_144
MOST_PIXELS = 4_096
_SIDE = 1_024


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture as it is served."""

    media_type: str
    content: bytes


def store_logo(actor: Actor, *, organization_id: UUID, content: bytes) -> str:
    """Keep an uploaded picture as the organization's logo, and return the address it is served at.

    PNG and JPEG are drawn anew without whatever else was in the file and at most 1,024 pixels wide; of an SVG only
    shapes, paint and text are kept. Raises as ``update_branding`` does, and Invalid for what is no such picture, over
    256 kB, or larger than 4,096 pixels.
    """
    require_for(actor, organization_id, own=Permission.ORGANIZATION_MANAGE, other=Permission.ORGANIZATIONS_MANAGE)
    logo = harmless(content)
    digest = hashlib.sha256(logo.content).hexdigest()
    address = f"/api/organizations/{organization_id}/logo/{digest}"
    with recording(actor, Action.ORGANIZATION_BRANDING_CHANGED) as db:
        organization = db.get_one(Organization, organization_id, with_for_update=True)
        if organization.status == "deleted":
            raise Conflict(f"{organization.name} is deleted; restore it first.")
        db.execute(
            insert(OrganizationLogo)
            .values(organization_id=organization_id, digest=digest, media_type=logo.media_type, content=logo.content)
            .on_conflict_do_nothing()
        )
        organization.logo_url, organization.updated_at = address, func.now()
    return address


def logo(actor: Actor, *, organization_id: UUID, digest: str) -> Logo:
    """A stored logo, for the organization's own people and whoever may browse organizations.

    Raises NotFound for a stranger's organization and for no such logo, Forbidden without ORGANIZATION_READ.
    """
    require_for(actor, organization_id, own=Permission.ORGANIZATION_READ, other=Permission.ORGANIZATIONS_BROWSE)
    found = select(OrganizationLogo.media_type, OrganizationLogo.content).where(
        OrganizationLogo.organization_id == organization_id, OrganizationLogo.digest == digest
    )
    if organization_id != actor.organization_id:
        found = found.join(Organization, Organization.id == organization_id).where(customers_of(actor))
    with reading(actor) as db:
        row = db.execute(found).one_or_none()
    if row is None:
        raise NotFound("There is no such logo.")
    return Logo(row.media_type, row.content)


def harmless(content: bytes) -> Logo:
    """The same picture with nothing in it but a picture; raises Invalid for what is none."""
    bounds = pictures.Bounds("logo", "A logo", MOST_BYTES, MOST_PIXELS, _SIDE)
    found = pictures.harmless(content, bounds)
    return Logo(found.media_type, found.content)
