"""Who has a session open, and what changed under their hands: cheap enough to be asked every two seconds."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session as Database

from nexa_core.actor import Actor, Scope
from nexa_core.architecture_sessions.documents import COLUMNS
from nexa_core.architecture_sessions.reach import head
from nexa_core.architecture_sessions.service import FORMER
from nexa_core.architecture_sessions.views import Presence, Pulse
from nexa_core.db import metering, reading
from nexa_core.permissions import Permission

#: Somebody who was not heard of for this long is gone.
GONE: Final = dt.timedelta(seconds=15)

# Written at most every four seconds a person and page, however often a screen says that it is there.
_HERE = text("""
INSERT INTO session_presence AS p (organization_id, session_id, user_id, page)
VALUES (:organization, :id, nexa.current_person(), :page)
ON CONFLICT (session_id, user_id) DO UPDATE SET page = excluded.page, seen_at = now()
WHERE p.page <> excluded.page OR p.seen_at < now() - interval '4 seconds'
""")
_PEOPLE = text("""
SELECT p.user_id, coalesce(u.full_name, :former) AS full_name, p.page, p.seen_at FROM session_presence p
LEFT JOIN users u ON u.id = p.user_id
WHERE p.session_id = :id AND p.seen_at > now() - :gone ORDER BY full_name, p.user_id
""")
_LAST = text("""
SELECT r.user_id, coalesce(u.full_name, :former) AS full_name, r.revision,
       (SELECT max(n.revision) FROM session_revisions n WHERE n.session_id = :id) AS newest
FROM session_revisions r LEFT JOIN users u ON u.id = r.user_id
WHERE r.session_id = :id ORDER BY r.version DESC, r.revision DESC LIMIT 1
""")


def pulse(actor: Actor, uuid: UUID) -> Pulse:
    """Version, revision, who saved last and who is here now. Raises Forbidden, ReasonNeeded, NotFound."""
    actor.require(Permission.SESSIONS_READ)
    with reading(actor) as db:
        return _pulse(db, head(db, actor, uuid))


def here(actor: Actor, uuid: UUID, *, page: str = "") -> Pulse:
    """Say that the actor has this page of the session open, and take the pulse.

    Who only looks (a presenter, with somebody else's eyes) is not shown to others. Raises as ``pulse`` does.
    """
    actor.require(Permission.SESSIONS_READ)
    if actor.scope is Scope.PRESENTER or actor.viewing_as is not None or actor.user_id is None:
        return pulse(actor, uuid)
    with metering(actor) as db:
        row = head(db, actor, uuid)
        shown = page if page in COLUMNS else ""
        db.execute(_HERE, {"organization": row.organization_id, "id": row.id, "page": shown})
        return _pulse(db, row)


def _pulse(db: Database, row: Any) -> Pulse:
    people = db.execute(_PEOPLE, {"id": row.id, "gone": GONE, "former": FORMER}).all()
    last = db.execute(_LAST, {"id": row.id, "former": FORMER}).one_or_none()
    return Pulse(
        version=row.version,
        revision=last.newest if last else 1,
        updated_at=row.updated_at,
        last_editor_id=last.user_id if last else None,
        last_editor=last.full_name if last else None,
        deleted=row.deleted_at is not None,
        people=tuple(Presence(*person) for person in people),
    )
