"""What jobs do to sessions: forget old ways back, let the search catch up, parse diagrams (see ``purging``, too)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from nexa_core import logs
from nexa_core.actor import Actor
from nexa_core.db import metering, reading
from nexa_core.errors import NexaError
from nexa_core.permissions import Permission

#: How long a save can be late and still be merged.
SAVES_KEPT: Final = dt.timedelta(days=30)

_UNCHECKED = text("""
SELECT s.id, s.version, s.diagram_texts_json AS document
FROM ai_architecture_sessions s JOIN session_search x ON x.session_id = s.id
WHERE s.updated_at > now() - :recent AND s.updated_at < now() - interval '1 minute' AND s.purged_at IS NULL
  AND s.deleted_at IS NULL AND x.checked_version < s.version
ORDER BY s.updated_at DESC LIMIT :most
""")
_BEHIND = text("""
SELECT s.id, s.uuid FROM ai_architecture_sessions s LEFT JOIN session_search x ON x.session_id = s.id
WHERE s.updated_at > now() - interval '1 day' AND s.purged_at IS NULL AND x.version IS DISTINCT FROM s.version
ORDER BY s.updated_at LIMIT :most
""")
_REFRESH = text("SELECT nexa.refresh_session_search(ARRAY[:id])")

_log = logs.logger("sessions")

#: What is wrong with a text in its language (``mermaid`` or ``dot``); None for nothing.
Check = Callable[[str, str], object]


def remove_old_saves(actor: Actor) -> None:
    """Forget how to get back to versions of more than 30 days ago, and who was here yesterday."""
    actor.require(Permission.ORGANIZATIONS_MANAGE)
    with metering(actor) as db:
        db.execute(text("DELETE FROM session_saves WHERE saved_at < now() - :kept"), {"kept": SAVES_KEPT})
        db.execute(text("DELETE FROM session_presence WHERE seen_at < now() - interval '1 day'"))


def refresh_search(actor: Actor, *, most: int = 500) -> None:
    """Let the search find what was typed since it looked last; a session that fails is logged and left as it was."""
    actor.require(Permission.ORGANIZATIONS_MANAGE)
    with reading(actor) as db:
        behind = db.execute(_BEHIND, {"most": most}).all()
    for row in behind:
        try:
            with metering(actor) as db:
                db.execute(_REFRESH, {"id": row.id})
        except (NexaError, DBAPIError) as error:
            _log.error("cannot_be_searched", session=str(row.uuid), reason=str(error.__cause__ or error))


def check_diagrams(actor: Actor, *, check: Check, most: int = 20, recent: dt.timedelta = dt.timedelta(days=2)) -> int:
    """Parse the diagrams of sessions that were edited lately and rest; answers how many sessions were looked at."""
    actor.require(Permission.ORGANIZATIONS_MANAGE)
    with reading(actor) as db:
        rows = db.execute(_UNCHECKED, {"most": most, "recent": recent}).all()
    found = [(row.id, row.version, sum(_breaks(part, check) for part in _diagrams(row.document))) for row in rows]
    if found:
        with metering(actor) as db:
            for session_id, version, broken in found:
                noted = "SELECT nexa.note_broken_diagrams(:id, :version, :broken)"
                db.execute(text(noted), {"id": session_id, "version": version, "broken": broken})
    return len(found)


def _diagrams(document: Any) -> list[dict[str, Any]]:
    parts = document.get("diagrams") if isinstance(document, dict) else None
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []


def _breaks(part: dict[str, Any], check: Check) -> bool:
    language, text_ = part.get("language", "mermaid"), part.get("text")
    if not isinstance(text_, str) or not text_.strip() or not isinstance(language, str):
        return False
    return check(text_, language) is not None
