"""Sessions as JSON that travels: our own export, and whatever documents somebody has; a dry run comes first.

The format (``FORMAT``, version 1): ``{"format": "nexa.sessions", "version": 1, "sessions": [{"uuid", "title",
"client", "session_type", "is_template", "tags", "revision", "sha256", "documents": {five documents by column}}]}``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import text

from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.architecture_sessions.contents import Content
from nexa_core.architecture_sessions.edits import ALL_COLUMNS
from nexa_core.architecture_sessions.fields import client_of, tags_of, title_of, type_of
from nexa_core.architecture_sessions.foreign import shown
from nexa_core.architecture_sessions.reach import SNAPSHOT, require_write
from nexa_core.architecture_sessions.sections import digest_of, sections
from nexa_core.architecture_sessions.service import checked, inserted
from nexa_core.architecture_sessions.views import SessionView
from nexa_core.db import reading, recording
from nexa_core.errors import Invalid, NexaError

FORMAT: Final = "nexa.sessions"
VERSION: Final = 1
#: Sessions one import takes.
MOST: Final = 200

Verdict = Literal["create", "refuse"]


@dataclass(frozen=True, slots=True)
class ImportItem:
    """What would become of one session. ``sentences`` say what to know; a refused one says why."""

    number: int
    title: str
    client: str | None
    verdict: Verdict
    sections: int
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would do, item by item; nothing has been made."""

    items: tuple[ImportItem, ...]

    @property
    def creates(self) -> int:
        return sum(item.verdict == "create" for item in self.items)


def written(contents: Iterable[Content]) -> bytes:
    """The JSON of some contents, keys as they stand."""
    made = {
        "format": FORMAT,
        "version": VERSION,
        "sessions": [
            {
                "uuid": str(one.uuid),
                "title": one.title,
                "client": one.client,
                "session_type": one.session_type,
                "is_template": one.is_template,
                "tags": list(one.tags),
                "revision": one.revision,
                "revised_at": one.revised_at.isoformat(),
                "sha256": one.digest,
                "documents": dict(one.documents),
            }
            for one in contents
        ],
    }
    return json.dumps(made, ensure_ascii=False, indent=2).encode("utf-8", "surrogatepass")


def plan_import(actor: Actor, *, given: Any) -> ImportPlan:
    """What :func:`import_sessions` would do with this JSON: one session or many, ours or bare documents.

    Raises Forbidden without SESSIONS_WRITE, Invalid when there is no session in it at all.
    """
    require_write(actor)
    return ImportPlan(tuple(item for item, _ in _judged(actor, given, compared=True)))


def import_sessions(actor: Actor, *, given: Any) -> tuple[SessionView, ...]:
    """Make every session of this JSON in the actor's organization, each counted as ``session_create``: all or none.

    Raises as :func:`plan_import`, Invalid when an item would be refused, and LimitExceeded.
    """
    require_write(actor)
    judged = list(_judged(actor, given))
    if bad := next((item for item, _ in judged if item.verdict == "refuse"), None):
        raise Invalid(f"Session {bad.number}, “{shown(bad.title)}”: {bad.sentences[0]} Nothing was imported.")
    with recording(actor, Action.SESSION_CREATED) as db:
        return tuple(inserted(db, actor, **values) for _, values in judged)


def _judged(actor: Actor, given: Any, *, compared: bool = False) -> Iterator[tuple[ImportItem, dict[str, Any]]]:
    """Each item with the arguments of ``inserted``; ``compared`` with what is there already, which takes a while."""
    read = [_read(one, number) for number, one in enumerate(_items(given), 1)]
    twins = _twins(actor, [values for _, values in read if not isinstance(values, NexaError)]) if compared else {}
    for number, (one, values) in enumerate(read, 1):
        if isinstance(values, NexaError):
            title = shown(one.get("title", "")) if isinstance(one, Mapping) else ""
            yield ImportItem(number, title, None, "refuse", 0, (values.sentence,)), {}
            continue
        yield (
            ImportItem(
                number=number,
                title=values["title"],
                client=values["client"],
                verdict="create",
                sections=len(sections(values["documents"])),
                sentences=tuple(_remarks(one, values, twins.get(id(values)))),
            ),
            values,
        )


def _read(one: Any, number: int) -> tuple[Any, dict[str, Any] | NexaError]:
    try:
        return one, _values(one, number)
    except NexaError as refused:
        return one, refused


def _items(given: Any) -> list[Any]:
    """The sessions in a JSON value of one of the shapes we know."""
    if isinstance(given, Mapping) and given.get("format") == FORMAT:
        if given.get("version") != VERSION:
            raise Invalid(f"This is version {shown(given.get('version'))} of the format; NEXA reads {VERSION}.")
        given = given.get("sessions")
    elif isinstance(given, Mapping):
        given = [given]
    if not isinstance(given, list) or not given:
        raise Invalid("There is no session in this JSON.")
    if len(given) > MOST:
        raise Invalid(f"One import takes {MOST} sessions at most; here are {len(given):,}.")
    return given


def _values(one: Any, number: int) -> dict[str, Any]:
    """The arguments of ``inserted`` for one item. Raises Invalid."""
    if not isinstance(one, Mapping):
        raise Invalid("It is no object.")
    documents = one.get("documents")
    if not isinstance(documents, Mapping):
        documents = {column: one[column] for column in ALL_COLUMNS if column in one}
        if not documents:
            raise Invalid("It has none of the documents " + ", ".join(ALL_COLUMNS) + ".")
    title, client, kind, tags = (one.get(key) for key in ("title", "client", "session_type", "tags"))
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        tags = []
    return {
        "title": title_of(title if isinstance(title, str) and title.strip() else f"Imported session {number}"),
        "client": client_of(client if isinstance(client, str) else None),
        "session_type": type_of(kind if isinstance(kind, str) and kind.strip() else "solution"),
        "tags": tags_of(tags),
        "documents": checked({column: documents[column] for column in ALL_COLUMNS if column in documents}),
    }


def _remarks(one: Mapping[str, Any], values: Mapping[str, Any], twin: str | None) -> Iterator[str]:
    if twin is not None:
        yield f"“{shown(twin)}” has the same content already; this would be another one."
    claimed = one.get("sha256")
    if isinstance(claimed, str) and claimed != digest_of(values["documents"]):
        yield "Its content is not the one it was exported with: somebody changed it on the way."
    if one.get("is_template") is True:
        yield "It was a template; it becomes a session, which can be made a template again."
    documents = one.get("documents")
    if isinstance(documents, Mapping) and (others := sorted(set(documents) - set(ALL_COLUMNS))):
        yield f"These of its documents have no place here and are left out: {shown(', '.join(map(str, others)))}."
    missing = [column for column in ALL_COLUMNS if not values["documents"][column]]
    if missing:
        yield f"Empty: {', '.join(missing)}."


# What the newest sessions hold, and what is given, as PostgreSQL's own digest of JSON, the same for the same values: a
# document has up to 2 MB, and none of them comes here.
_HASH = "jsonb_hash_extended({}, 0)"
_RECENT = text(f"""
    SELECT s.title, {_HASH.format(SNAPSHOT)} AS hash FROM (
        SELECT * FROM ai_architecture_sessions WHERE organization_id = :organization AND deleted_at IS NULL
        ORDER BY updated_at DESC LIMIT 200) s ORDER BY s.updated_at
""")
_GIVEN = text(f"SELECT {_HASH.format('CAST(:documents AS jsonb)')}")


def _twins(actor: Actor, given: Sequence[dict[str, Any]]) -> dict[int, str]:
    """The title of a newer session that holds the same, by the identity of what is given."""
    with reading(actor) as db:
        known = {hash_: title for title, hash_ in db.execute(_RECENT, {"organization": actor.organization_id})}
        if not known:
            return {}
        hashes = {id(one): db.scalar(_GIVEN, {"documents": json.dumps(one["documents"])}) for one in given}
    return {which: known[hash_] for which, hash_ in hashes.items() if hash_ in known}
