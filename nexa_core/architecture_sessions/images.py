"""Pictures of sessions: made harmless, kept once an organization, named by what they hold.

A document refers to a picture by its digest; caption, order and the words for those who do not see it are the
document's own (``visual_assets_json``).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from nexa_core import audit, pictures
from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.architecture_sessions.models import SessionImage
from nexa_core.architecture_sessions.reach import head, require_alive, require_write
from nexa_core.db import reading, recording
from nexa_core.errors import NotFound
from nexa_core.permissions import Permission

MOST_BYTES: Final = 5_242_880
_BOUNDS: Final = pictures.Bounds("image", "A picture", MOST_BYTES, 8_192, 2_400)


@dataclass(frozen=True, slots=True)
class StoredImage:
    """A picture that is kept. ``digest`` goes into the document; ``address`` serves it to who may see the session."""

    digest: str
    media_type: str
    size: int
    width: int | None
    height: int | None
    address: str


def store_image(actor: Actor, *, uuid: UUID, content: bytes) -> StoredImage:
    """Keep a PNG, JPEG or SVG for a session's visuals; the same picture is kept once, however often it comes.

    PNG and JPEG are drawn anew, at most 2,400 pixels wide and high; of an SVG only shapes, paint and text are kept.
    Raises Forbidden without SESSIONS_WRITE, ReasonNeeded, NotFound, Conflict for a session in the trash, and Invalid
    for what is no such picture, over 5 MB, larger than 8,192 pixels, or of more than 24 million altogether.
    """
    require_write(actor)
    found = pictures.harmless(content, _BOUNDS)
    digest = hashlib.sha256(found.content).hexdigest()
    with recording(actor, Action.SESSION_IMAGE_ADDED) as db:
        row = head(db, actor, uuid)
        require_alive(row)
        db.execute(
            insert(SessionImage)
            .values(
                organization_id=row.organization_id,
                digest=digest,
                media_type=found.media_type,
                width=found.width,
                height=found.height,
                content=found.content,
            )
            # Put in once more it counts as new: the document that shows it is saved after it (see ``purging``).
            .on_conflict_do_update(index_elements=["organization_id", "digest"], set_={"created_at": func.now()})
        )
        audit.note(
            db, "session", uuid, {"sha256": digest, "bytes": len(found.content)}, organization_id=row.organization_id
        )
    address = f"/api/sessions/{uuid}/images/{digest}"
    return StoredImage(digest, found.media_type, len(found.content), found.width, found.height, address)


def image(actor: Actor, *, uuid: UUID, digest: str) -> tuple[str, bytes]:
    """Media type and content of a kept picture, to whoever may read the session; else NotFound."""
    actor.require(Permission.SESSIONS_READ)
    with reading(actor) as db:
        row = head(db, actor, uuid)
        found = db.execute(
            select(SessionImage.media_type, SessionImage.content).where(
                SessionImage.organization_id == row.organization_id, SessionImage.digest == digest
            )
        ).one_or_none()
    if found is None:
        raise NotFound("There is no such picture.")
    return found.media_type, found.content
