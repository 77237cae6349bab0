"""Uploaded logos: small pictures made harmless, stored by what they hold, and served through the API."""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from dataclasses import dataclass
from uuid import UUID
from xml.etree import ElementTree

from defusedxml.ElementTree import fromstring
from PIL import Image, UnidentifiedImageError
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.db import reading, recording
from nexa_core.errors import Conflict, Invalid, NotFound
from nexa_core.organizations.models import Organization, OrganizationLogo
from nexa_core.organizations.reach import customers_of, require_for
from nexa_core.permissions import Permission

MOST_BYTES = 262_144
MOST_PIXELS = 4_096
_SIDE = 1_024
_SVG = "http://www.w3.org/2000/svg"
_XLINK = "{http://www.w3.org/1999/xlink}href"
# Shapes, paint and text. What is not here does not run, load, animate or embed anything.
_ELEMENTS = frozenset(
    "svg g defs symbol title desc path rect circle ellipse line polyline polygon text tspan textPath use "  # noqa: SIM905
    "linearGradient radialGradient stop clipPath mask pattern marker".split()
)
_ATTRIBUTES = frozenset(
    "id class d x y x1 x2 y1 y2 cx cy r rx ry fx fy dx dy width height viewBox preserveAspectRatio transform points "  # noqa: SIM905
    "fill fill-opacity fill-rule stroke stroke-width stroke-linecap stroke-linejoin stroke-miterlimit "
    "stroke-dasharray stroke-dashoffset stroke-opacity opacity color clip-path clip-rule mask offset stop-color "
    "stop-opacity gradientUnits gradientTransform spreadMethod patternUnits patternTransform patternContentUnits "
    "clipPathUnits maskUnits font-family font-size font-weight font-style text-anchor letter-spacing "
    "dominant-baseline marker-start marker-mid marker-end markerWidth markerHeight refX refY orient version".split()
)
_LOADS = re.compile(r"url\(\s*(?![\"']?#)|javascript:|data:|expression\(|@import|\\", re.IGNORECASE)


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
    if not content:
        raise Invalid("The file is empty.", field="logo")
    if len(content) > MOST_BYTES:
        raise Invalid(f"A logo has at most 256 kB; this has {len(content) // 1024:,}.", field="logo")
    if content.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")):
        return _drawn_anew(content)
    if b"<svg" in content[:4096].lower():
        return Logo("image/svg+xml", _pruned(content))
    raise Invalid("A logo is a PNG, JPEG or SVG picture.", field="logo")


def _drawn_anew(content: bytes) -> Logo:
    kind = "PNG" if content.startswith(b"\x89") else "JPEG"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(content), formats=[kind])
            if max(picture.size) > MOST_PIXELS:
                raise Invalid(f"A logo is at most {MOST_PIXELS:,} pixels wide and high.", field="logo")
            drawn = picture.convert("RGB" if kind == "JPEG" else "RGBA")
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError, Image.DecompressionBombWarning):
        raise Invalid("This picture is damaged; save it anew and try again.", field="logo") from None
    drawn.thumbnail((_SIDE, _SIDE))
    bare = Image.new(drawn.mode, drawn.size)  # a copy of the pixels leaves comments, profiles and trailers behind
    bare.paste(drawn)
    sink = io.BytesIO()
    bare.save(sink, kind, optimize=True, **({"quality": 88} if kind == "JPEG" else {}))
    if sink.tell() > MOST_BYTES:
        raise Invalid("This picture is too detailed for a logo; make it smaller.", field="logo")
    return Logo(f"image/{kind.lower()}", sink.getvalue())


def _pruned(content: bytes) -> bytes:
    try:
        root = fromstring(content, forbid_dtd=False, forbid_entities=True, forbid_external=True)
    except (ElementTree.ParseError, ValueError, LookupError):
        raise Invalid("This SVG cannot be read, or contains what a picture has no need of.", field="logo") from None
    if root.tag != f"{{{_SVG}}}svg":
        raise Invalid("This is no SVG picture.", field="logo")
    _prune(root, 0)
    ElementTree.register_namespace("", _SVG)
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _prune(element: ElementTree.Element, depth: int) -> None:
    if depth > 64:
        raise Invalid("This SVG is nested too deeply.", field="logo")
    for name, value in list(element.attrib.items()):
        within = name in (_XLINK, "href") and re.fullmatch(r"#[\w.-]+", value)
        if not within and (name not in _ATTRIBUTES or _LOADS.search(value)):
            del element.attrib[name]
    for child in list(element):
        tag = child.tag if isinstance(child.tag, str) else ""
        if tag.removeprefix(f"{{{_SVG}}}") not in _ELEMENTS or not tag.startswith(f"{{{_SVG}}}"):
            element.remove(child)
        else:
            _prune(child, depth + 1)
