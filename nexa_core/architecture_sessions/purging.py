"""Empty the trash: what was in it for 90 days goes, with everything that only it had."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session as Database

from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.architecture_sessions import diagrams
from nexa_core.architecture_sessions.edits import ALL_COLUMNS
from nexa_core.architecture_sessions.reach import SNAPSHOT
from nexa_core.db import recording
from nexa_core.permissions import Permission

#: How long the trash keeps a session.
TRASH_KEPT: Final = dt.timedelta(days=90)
#: A picture that was put in later than this may belong to a document that is not saved yet.
MAY_BE_UNSAVED: Final = dt.timedelta(days=30)

_OLD = text("""
SELECT id FROM ai_architecture_sessions
WHERE deleted_at < now() - :kept AND purged_at IS NULL ORDER BY deleted_at LIMIT :most FOR UPDATE SKIP LOCKED
""")
# The row stays, without a word in it: what was used refers to it, and so does the audit log.
_PURGE = text(f"""
UPDATE ai_architecture_sessions s SET title = 'Removed session', client = NULL, tags = '[]', template_values = '{{}}',
       {", ".join(f"{column} = '{{}}'" for column in ALL_COLUMNS)}, version = s.version + 1, purged_at = now()
WHERE s.id = ANY (:ids)
""")
_WITH_IT: Final = (
    "DELETE FROM share_responses a USING share_links l WHERE l.session_id = ANY (:ids)"
    " AND a.organization_id = l.organization_id AND a.share_link_id = l.id",
    *(
        f"DELETE FROM {table} WHERE session_id = ANY (:ids)"
        for table in ("session_revisions", "session_saves", "session_search", "session_marks", "session_presence")
    ),
    "UPDATE share_links SET revoked_at = now() WHERE session_id = ANY (:ids) AND revoked_at IS NULL",
)

# A document may name a picture anywhere, also in a shape that is not ours: what counts is that its digest is written
# there. Every version counts that somebody can still come back to.
_PICTURES = text(f"""
SELECT DISTINCT i.organization_id, i.digest
FROM (SELECT s.organization_id, {SNAPSHOT}::text AS said FROM ai_architecture_sessions s WHERE s.id = ANY (:ids)
      UNION ALL
      SELECT r.organization_id, r.documents::text FROM session_revisions r WHERE r.session_id = ANY (:ids)) held
JOIN session_images i ON i.organization_id = held.organization_id AND position(i.digest IN held.said) > 0
""")
_REMOVE_PICTURE = text(f"""
DELETE FROM session_images i
WHERE i.organization_id = :organization AND i.digest = :digest AND i.created_at < now() - :unsaved
  AND NOT EXISTS (SELECT FROM ai_architecture_sessions s
                  WHERE s.organization_id = :organization AND position(:digest IN {SNAPSHOT}::text) > 0)
  AND NOT EXISTS (SELECT FROM session_revisions r
                  WHERE r.organization_id = :organization AND position(:digest IN r.documents::text) > 0)
  AND NOT EXISTS (SELECT FROM session_saves b
                  WHERE b.organization_id = :organization AND position(:digest IN b.back::text) > 0)
""")


def _texts(where: str) -> str:
    """The texts of diagrams in sessions and revisions; ``where`` is said of ``organization_id`` and ``session_id``."""
    return f"""
        SELECT organization_id, diagram #>> '{{}}' AS said FROM (
            SELECT organization_id, id AS session_id, diagram_texts_json AS document FROM ai_architecture_sessions
            UNION ALL
            SELECT organization_id, session_id, documents->'diagram_texts_json' FROM session_revisions) held,
            jsonb_path_query(document, 'lax $.diagrams[*].text') diagram
        WHERE {where}"""


_DRAWN = text(f"SELECT DISTINCT organization_id, said FROM ({_texts('session_id = ANY (:ids)')}) held WHERE said <> ''")
_STILL_DRAWN = text(f"""
SELECT DISTINCT said FROM ({_texts("organization_id = :organization AND session_id <> ALL (:ids)")}) held
WHERE said = ANY (:texts)
""")
_REMOVE_DRAWINGS = text(
    "DELETE FROM session_drawings WHERE organization_id = :organization AND digest = ANY (:digests)"
)


def purge_trash(actor: Actor, *, most: int = 200) -> int:
    """Remove the content of sessions that have been in the trash for 90 days; answers how many.

    Their history goes with them, what clients answered, and the pictures and drawings that no other session of the
    organization has now or had in a revision. Raises Forbidden for all but the platform's own people.
    """
    actor.require(Permission.ORGANIZATIONS_MANAGE)
    with recording(actor, Action.SESSION_PURGED) as db:
        ids = list(db.scalars(_OLD, {"kept": TRASH_KEPT, "most": most}))
        if ids:
            pictures, texts = db.execute(_PICTURES, {"ids": ids}).all(), db.execute(_DRAWN, {"ids": ids}).all()
            db.execute(_PURGE, {"ids": ids})
            for statement in _WITH_IT:
                db.execute(text(statement), {"ids": ids})
            for organization_id, digest in pictures:
                which = {"organization": organization_id, "digest": digest, "unsaved": MAY_BE_UNSAVED}
                db.execute(_REMOVE_PICTURE, which)
            for organization_id in {found.organization_id for found in texts}:
                _remove_drawings(
                    db, ids, organization_id, [t.said for t in texts if t.organization_id == organization_id]
                )
    return len(ids)


def _remove_drawings(db: Database, purged: Sequence[int], organization_id: UUID, texts: Sequence[str]) -> None:
    which: dict[str, Any] = {"organization": organization_id, "ids": purged, "texts": texts}
    gone = set(texts) - set(db.scalars(_STILL_DRAWN, which))
    digests = [diagrams.digest_of(one) for one in gone]
    db.execute(_REMOVE_DRAWINGS, {"organization": organization_id, "digests": digests})
