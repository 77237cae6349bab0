"""Tags and types across sessions: which there are, and giving some of them another name, previewed, all or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text

from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.architecture_sessions.fields import tag_of
from nexa_core.architecture_sessions.reach import require_write
from nexa_core.db import reading, recording
from nexa_core.errors import Conflict, Invalid, NotFound
from nexa_core.permissions import Permission

_COUNTED = text("""
SELECT tag, count(*) AS sessions FROM ai_architecture_sessions s, jsonb_array_elements_text(s.tags) tag
WHERE s.organization_id = :organization AND s.deleted_at IS NULL AND s.purged_at IS NULL
  AND starts_with(lower(tag), :prefix)
GROUP BY tag ORDER BY count(*) DESC, tag LIMIT :most
""")
# Of many sessions those edited last: what is offered is asked for with every drawing of the list.
_LATELY = """
    SELECT s.tags, s.session_type FROM ai_architecture_sessions s
    WHERE s.deleted_at IS NULL AND s.purged_at IS NULL{here} ORDER BY s.updated_at DESC, s.id DESC LIMIT 2000
"""
_HERE = " AND s.organization_id = :organization"
_TAGS_LATELY = text(f"""
SELECT tag, count(*) AS sessions FROM ({_LATELY.format(here="")}) s, jsonb_array_elements_text(s.tags) tag
WHERE starts_with(lower(tag), :prefix) GROUP BY tag ORDER BY count(*) DESC, tag LIMIT :most
""")
_TYPES = """
SELECT session_type FROM ({lately}) s GROUP BY session_type ORDER BY count(*) DESC, session_type LIMIT :most
"""
_TYPES_EVERYWHERE, _TYPES_HERE = (text(_TYPES.format(lately=_LATELY.format(here=here))) for here in ("", _HERE))
_AFFECTED = text("""
SELECT s.uuid, s.title FROM ai_architecture_sessions s
WHERE s.organization_id = :organization AND s.purged_at IS NULL AND s.tags ?| CAST(:tags AS text[])
ORDER BY s.title, s.id LIMIT :most
""")
# A tag stands once: where both the old and the new name stood, the new one takes the first place of the two.
_RENAME = text("""
WITH wanted AS (
    SELECT s.id, s.organization_id, s.version, s.tags AS before, (
        SELECT jsonb_agg(named ORDER BY place) FROM (
            SELECT named, min(place) AS place FROM (
                SELECT CASE WHEN tag #>> '{}' = ANY (CAST(:tags AS text[])) THEN to_jsonb(CAST(:into AS text))
                            ELSE tag END AS named, place
                FROM jsonb_array_elements(s.tags) WITH ORDINALITY each(tag, place)
            ) one GROUP BY named
        ) each) AS after
    FROM ai_architecture_sessions s
    WHERE s.organization_id = :organization AND s.purged_at IS NULL AND s.uuid = ANY (CAST(:uuids AS uuid[]))
      AND s.tags ?| CAST(:tags AS text[])
    ORDER BY s.id FOR UPDATE
), way AS (
    INSERT INTO session_saves (organization_id, session_id, version, user_id, back)
    SELECT organization_id, id, version + 1, nexa.current_person(),
           jsonb_build_array(jsonb_build_array('set', jsonb_build_array('tags'), before)) FROM wanted
)
UPDATE ai_architecture_sessions s SET tags = w.after, version = w.version + 1, updated_at = clock_timestamp()
FROM wanted w WHERE s.id = w.id
""")
#: Most sessions one renaming reaches.
MOST: Final = 5_000


@dataclass(frozen=True, slots=True)
class TagCount:
    """A tag and how many sessions have it, those in the trash left out."""

    tag: str
    sessions: int


@dataclass(frozen=True, slots=True)
class TagPlan:
    """What giving ``tags`` the name ``into`` would do: to these sessions and no others (uuid and title)."""

    tags: tuple[str, ...]
    into: str
    sessions: tuple[tuple[UUID, str], ...]


def suggest_tags(
    actor: Actor, *, prefix: str = "", limit: int = 20, organization_id: UUID | None = None, everywhere: bool = False
) -> tuple[TagCount, ...]:
    """Tags of the organization that begin so, most used first.

    For the platform's people are ``organization_id`` and ``everywhere``: of all sessions the actor reaches, counted in
    the 2,000 edited last. Raises Forbidden without SESSIONS_READ.
    """
    actor.require(Permission.SESSIONS_READ)
    if "\x00" in prefix:
        return ()
    where = organization_id or actor.organization_id  # another's rows are nobody's: row-level security
    values = {"organization": where, "prefix": prefix.lower(), "most": max(1, min(limit, 200))}
    if everywhere:
        del values["organization"]
    with reading(actor) as db:
        return tuple(TagCount(*row) for row in db.execute(_TAGS_LATELY if everywhere else _COUNTED, values))


def suggest_types(
    actor: Actor, *, limit: int = 20, organization_id: UUID | None = None, everywhere: bool = False
) -> tuple[str, ...]:
    """Types of the sessions, most used first; whose, as for ``suggest_tags``, and of the 2,000 edited last.

    Raises Forbidden without SESSIONS_READ.
    """
    actor.require(Permission.SESSIONS_READ)
    values: dict[str, object] = {"most": max(1, min(limit, 200))}
    if not everywhere:
        values["organization"] = organization_id or actor.organization_id
    with reading(actor) as db:
        return tuple(db.scalars(_TYPES_EVERYWHERE if everywhere else _TYPES_HERE, values))


def merge_tags(actor: Actor, *, tags: Sequence[str], into: str) -> TagPlan:
    """What making one tag of several would do, without doing it.

    Raises Forbidden without SESSIONS_WRITE, Invalid for a tag that cannot be or more than 5,000 sessions.
    """
    require_write(actor)
    into = tag_of(into)
    olds = tuple(dict.fromkeys(tag_of(tag) for tag in tags if tag != into))
    if not olds:
        raise Invalid("Name a tag to be replaced by another.", field="tags")
    with reading(actor) as db:
        values = {"organization": actor.organization_id, "tags": list(olds), "most": MOST + 1}
        rows = db.execute(_AFFECTED, values).all()
    if len(rows) > MOST:
        raise Invalid(f"More than {MOST:,} sessions have this tag; rename it in parts.", field="tags")
    return TagPlan(olds, into, tuple((row.uuid, row.title) for row in rows))


def apply_tag_plan(actor: Actor, *, plan: TagPlan) -> int:
    """Do what was previewed, to exactly those sessions; answers how many. One entry a session in the audit log.

    Raises Forbidden without SESSIONS_WRITE, NotFound for nothing to do, Conflict when one of them lost the tag since:
    then nothing is done.
    """
    require_write(actor)
    if not plan.sessions:
        raise NotFound("No session has this tag.")
    values = {
        "organization": actor.organization_id,
        "tags": [tag_of(tag) for tag in plan.tags],
        "into": tag_of(plan.into),
        "uuids": [uuid for uuid, _ in plan.sessions],
    }
    with recording(actor, Action.SESSION_TAGS_MERGED) as db:
        changed: int = db.execute(_RENAME, values).rowcount  # type: ignore[attr-defined]
        if changed != len(plan.sessions):
            raise Conflict("The tags of some of these sessions were changed meanwhile. Please look again.")
    return changed
