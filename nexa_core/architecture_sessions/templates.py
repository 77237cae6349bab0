"""Templates: sessions that others are made from, with ``{{placeholders}}`` filled once, and what became different."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.architecture_sessions.blanks import BLANK, asked, blank_in
from nexa_core.architecture_sessions.differences import PAGES, Difference, differences, sentences
from nexa_core.architecture_sessions.edits import ALL_COLUMNS
from nexa_core.architecture_sessions.fields import client_of, title_of
from nexa_core.architecture_sessions.history import documents_of, settled_revision
from nexa_core.architecture_sessions.reach import found, head, require_alive, require_write
from nexa_core.architecture_sessions.service import checked, inserted, view_of
from nexa_core.architecture_sessions.values import DOCUMENT_BYTES
from nexa_core.architecture_sessions.views import SessionView
from nexa_core.db import reading, recording
from nexa_core.errors import Conflict, Invalid, NotFound
from nexa_core.permissions import Permission

_LONGEST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Placeholder:
    """Something a template asks for: its name, how often it stands there, and on which pages."""

    name: str
    count: int
    pages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TemplateComparison:
    """What differs in a session from the template it was made from, as that is now, its placeholders filled alike."""

    template: UUID
    title: str
    made_from_revision: int
    newest_revision: int
    differences: tuple[Difference, ...]
    sentences: tuple[str, ...]


def make_template(actor: Actor, *, uuid: UUID) -> SessionView:
    """Offer this session as a template to the organization. Raises Forbidden, ReasonNeeded, NotFound, Conflict."""
    return _set(actor, uuid, True, Action.SESSION_TEMPLATE_MADE)


def unmake_template(actor: Actor, *, uuid: UUID) -> SessionView:
    """Make a template an ordinary session again; what was made from it stays. Raises as ``make_template`` does."""
    return _set(actor, uuid, False, Action.SESSION_TEMPLATE_ENDED)


def placeholders(actor: Actor, *, uuid: UUID) -> tuple[Placeholder, ...]:
    """What this session's title, client and documents ask for as ``{{name}}``, in the order it stands there.

    Raises Forbidden without SESSIONS_READ, ReasonNeeded, NotFound.
    """
    actor.require(Permission.SESSIONS_READ)
    with reading(actor) as db:
        row = head(db, actor, uuid, documents=ALL_COLUMNS)
    names: dict[str, list[str]] = {}
    for name in asked([row.title, row.client]):
        names.setdefault(name, []).append("")
    for column, page in PAGES.items():
        for name in asked(getattr(row, column), blank_in(column)):
            names.setdefault(name, []).append(page)
    return tuple(
        Placeholder(name, len(pages), tuple(dict.fromkeys(filter(None, pages)))) for name, pages in names.items()
    )


def from_template(
    actor: Actor,
    *,
    uuid: UUID,
    title: str | None = None,
    client: str | None = None,
    values: Mapping[str, str] | None = None,
) -> SessionView:
    """A new session from a template, with what its placeholders ask for filled in; one without a value stays.

    A ``title`` and a ``client`` that are given are filled too: a screen offers the template's own to be edited.
    The revision that was used is kept with the session. Raises Forbidden without SESSIONS_WRITE, NotFound for what is
    no template of the actor's organization, Invalid for values that cannot be, LimitExceeded.
    """
    require_write(actor)
    given = _values(values or {})
    with recording(actor, Action.SESSION_FROM_TEMPLATE) as db:
        row = found(db, uuid, documents=ALL_COLUMNS, lock=True)
        if row.organization_id != actor.organization_id or not row.is_template:
            raise NotFound("There is no such template in your organization.")
        require_alive(row)
        used = settled_revision(db, row.id)
        filled = _filled({column: getattr(row, column) for column in ALL_COLUMNS}, given)
        return inserted(
            db, actor,
            title=title_of(fill(row.title, given)[:255] if title is None else fill(title, given)),
            client=client_of(fill(row.client if client is None else client, given)),
            session_type=row.session_type if row.session_type != "template" else "solution", tags=row.tags,
            documents=checked(filled), template=(row.id, used, given),
        )  # fmt: skip


def template_differences(actor: Actor, *, uuid: UUID) -> TemplateComparison:
    """What differs in this session from its template as that is now.

    Raises Forbidden without SESSIONS_READ, ReasonNeeded, NotFound, Conflict for a session that was made from none,
    Invalid where the template, filled alike, has become too large.
    """
    actor.require(Permission.SESSIONS_READ)
    with reading(actor) as db:
        row = head(db, actor, uuid, documents=ALL_COLUMNS)
        newest = db.execute(
            text(
                "SELECT t.uuid, t.title, coalesce((SELECT r.revision FROM session_revisions r WHERE r.session_id = t.id"
                " ORDER BY r.version DESC, r.revision DESC LIMIT 1), 1) AS revision"
                " FROM ai_architecture_sessions t WHERE t.id = :id AND t.purged_at IS NULL"
            ),
            {"id": row.template_id},
        ).one_or_none()
        if newest is None:
            raise Conflict("This session was not made from a template, or the template is gone.")
        template = documents_of(db, row.template_id, newest.revision)
    values = row.template_values if isinstance(row.template_values, dict) else {}
    before = _filled({column: template.get(column, {}) for column in ALL_COLUMNS}, values)
    after = {column: getattr(row, column) for column in ALL_COLUMNS}
    return TemplateComparison(
        template=newest.uuid,
        title=newest.title,
        made_from_revision=row.template_revision,
        newest_revision=newest.revision,
        differences=differences(before, after),
        sentences=sentences(before, after, most=50),
    )


def fill(value: Any, values: Mapping[str, str], blank: re.Pattern[str] = BLANK) -> Any:
    """The JSON value with each ``{{name}}`` in its texts replaced by what is given for it; keys stay as they are."""
    if isinstance(value, str):
        return blank.sub(lambda found: values.get(found[1], found[0]), value)
    if isinstance(value, dict):
        return {key: fill(item, values, blank) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, values, blank) for item in value]
    return value


def _filled(documents: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """Each document filled. Raises Invalid for one that would be too large, before anything is put into it."""
    longer = {name: len(json.dumps(value, ensure_ascii=False).encode()) - 2 for name, value in values.items()}
    for column, document in documents.items():
        size = len(json.dumps(document, ensure_ascii=False).encode()) + _growth(document, longer, blank_in(column))
        if size > DOCUMENT_BYTES:
            raise Invalid(
                f"Filled, the document would have {size:,} bytes; at most {DOCUMENT_BYTES:,} can be kept.",
                field="values",
            )
    return {column: fill(document, values, blank_in(column)) for column, document in documents.items()}


def _growth(value: Any, longer: Mapping[str, int], blank: re.Pattern[str]) -> int:
    """How many bytes a JSON value gains when its placeholders are filled with values of these lengths."""
    if isinstance(value, str):
        asked = (one for one in blank.finditer(value) if one[1] in longer)
        return sum(longer[one[1]] - len(json.dumps(one[0], ensure_ascii=False).encode()) + 2 for one in asked)
    if isinstance(value, dict | list):
        parts = value.values() if isinstance(value, dict) else value
        return sum(_growth(item, longer, blank) for item in parts)
    return 0


def _values(values: Mapping[str, str]) -> dict[str, str]:
    for name, value in values.items():
        unfit = "\x00" in f"{name}{value}" or any("\ud800" <= c <= "\udfff" for c in f"{name}{value}")
        if not isinstance(value, str) or len(value) > _LONGEST or len(name) > 60 or unfit:
            raise Invalid(f"The value of “{name[:60]}” cannot be used.", field="values")
    return dict(values)


def _set(actor: Actor, uuid: UUID, is_template: bool, action: Action) -> SessionView:
    require_write(actor)
    with recording(actor, action) as db:
        row = head(db, actor, uuid, lock=True)
        require_alive(row)
        if row.is_template != is_template:
            change = (
                "UPDATE ai_architecture_sessions SET is_template = :it, updated_at = clock_timestamp() WHERE id = :id"
            )
            db.execute(text(change), {"it": is_template, "id": row.id})
        return view_of(db, actor, found(db, uuid, documents=ALL_COLUMNS))
