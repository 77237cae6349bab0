"""/api/sessions: architecture sessions, found, written without losing anything, and looked back at."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, ClassVar, Final, Literal
from uuid import UUID

from pydantic import Field

from nexa_core import architecture_sessions as sessions
from nexa_core.actor import Actor
from nexa_core.api.endpoint import PREFIX, Body, Header, Reply, delete, get, patch, post, put
from nexa_core.errors import Invalid, NexaError

_ONE = "/sessions/{uuid:uuid}"
_ETAG = re.compile(r'(?:W/)?"(\d{1,9})"')

#: A document of the largest size that is kept, and what else comes with it.
_MOST_BYTES: Final = 3 * 1024 * 1024

IfMatch = Annotated[str | None, Header("If-Match", "The ETag of what the change was started from, or *")]
Number = Annotated[int, Field(ge=1, le=2**31 - 1)]


class NeedsIfMatch(NexaError):
    """A change has to say which version it was started from (RFC 6585)."""

    status = 428
    title = "Say which version"


class Listed(Body):
    """The filters of the list (see ``architecture_sessions.Filter``); ``tag`` is one, ``edited_until`` exclusive."""

    q: Annotated[str, Field(max_length=300)] = ""
    organization: UUID | None = None
    author: UUID | None = None
    client: Annotated[str, Field(max_length=300)] = ""
    type: Annotated[str, Field(max_length=50)] = ""
    tag: Annotated[str, Field(max_length=60)] = ""
    template: bool | None = None
    deleted: bool = False
    pinned: bool = False
    edited_since: dt.datetime | None = None
    edited_until: dt.datetime | None = None
    role: Annotated[str, Field(max_length=200)] = ""
    over_hours: Annotated[float, Field(ge=0, lt=1e9, allow_inf_nan=False)] = 0
    without_criteria: bool = False
    broken_diagram: bool = False
    sort: Literal["updated", "oldest", "created", "title"] = "updated"
    cursor: Annotated[str, Field(max_length=1000)] = ""
    limit: Annotated[int, Field(ge=1, le=200)] = 50

    def filter(self) -> sessions.Filter:
        return sessions.Filter(
            text=self.q,
            organization_id=self.organization,
            author_id=self.author,
            client=self.client,
            session_type=self.type,
            tags=(self.tag,) if self.tag else (),
            template=self.template,
            deleted=self.deleted,
            pinned=self.pinned,
            edited_since=self.edited_since,
            edited_until=self.edited_until,
            role=self.role,
            over_hours=self.over_hours,
            without_criteria=self.without_criteria,
            broken_diagram=self.broken_diagram,
        )


class Documents(Body):
    """The documents by their columns, each whole: any JSON; format 1 is described with the screens' JSON tabs."""

    session_objects: Any = None
    sow_objects: Any = None
    loe_objects: Any = None
    diagram_texts_json: Any = None
    visual_assets_json: Any = None


class New(Body):
    title: Annotated[str, Field(min_length=1, max_length=255)]
    client: Annotated[str | None, Field(max_length=255)] = None
    session_type: Annotated[str, Field(min_length=1, max_length=50)] = "solution"
    tags: Annotated[list[str], Field(max_length=50)] = []
    documents: Documents = Documents()

    most_bytes: ClassVar[int] = _MOST_BYTES


class Change(Body):
    """One value: ``path`` is the column, then keys, ids of parts or places in a list."""

    path: Annotated[list[str | int], Field(min_length=1, max_length=50)]
    op: Literal["set", "remove", "move"] = "set"
    value: Any = None
    after: str | None = None


class Changes(Body):
    """What becomes different; a member that is left out stays, ``client: null`` removes the client."""

    documents: Documents = Documents()
    changes: Annotated[list[Change], Field(max_length=1000)] = []
    title: Annotated[str | None, Field(min_length=1, max_length=255)] = None
    client: Annotated[str | None, Field(max_length=255)] = None
    session_type: Annotated[str | None, Field(min_length=1, max_length=50)] = None
    tags: Annotated[list[str] | None, Field(max_length=50)] = None

    most_bytes: ClassVar[int] = _MOST_BYTES


class Copy(Body):
    title: Annotated[str | None, Field(min_length=1, max_length=255)] = None


class FromTemplate(Body):
    """``values`` fill the template's ``{{placeholders}}``."""

    template: UUID
    title: Annotated[str | None, Field(min_length=1, max_length=255)] = None
    client: Annotated[str | None, Field(max_length=255)] = None
    values: dict[str, str] = {}


class Part(Body):
    """What to bring back: everything, a page, a column, or a part by its path."""

    path: Annotated[list[str], Field(max_length=50)] = []


class Reason(Body):
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class Here(Body):
    page: Annotated[str, Field(max_length=20)] = ""


class History(Body):
    cursor: Annotated[str, Field(max_length=100)] = ""
    limit: Annotated[int, Field(ge=1, le=50)] = 20


class Between(Body):
    before: Number
    after: Number


@get("/sessions", "The sessions I can reach, a page at a time")
def list_sessions(actor: Actor, query: Listed) -> sessions.Page:
    return sessions.browse(actor, wanted=query.filter(), sort=query.sort, after=query.cursor or None, limit=query.limit)


@post("/sessions", "Make a session", status=201)
def create_session(actor: Actor, body: New, reply: Reply) -> sessions.SessionView:
    given = body.model_dump(exclude={"documents"})
    made = sessions.create(actor, **given, documents=body.documents.model_dump(exclude_unset=True))
    return _made(reply, made)


@post("/sessions/from-template", "Make a session from a template", status=201)
def create_session_from_template(actor: Actor, body: FromTemplate, reply: Reply) -> sessions.SessionView:
    made = sessions.from_template(actor, uuid=body.template, title=body.title, client=body.client, values=body.values)
    return _made(reply, made)


@get(_ONE, "One session with its documents")
def get_session(actor: Actor, uuid: UUID, reply: Reply) -> sessions.SessionView:
    found = sessions.get(actor, uuid=uuid)
    reply.headers["etag"] = _etag(found.version)
    return found


@patch(_ONE, "Save changes, merged with what others saved since")
def save_session(actor: Actor, uuid: UUID, body: Changes, if_match: IfMatch, reply: Reply) -> sessions.Saved:
    if not if_match:
        sessions.save(actor, uuid=uuid, version=None)  # who may not write is told so first; this changes nothing
        raise NeedsIfMatch("Send the ETag you started from as If-Match, so that nobody's work is overwritten.")
    given = body.model_dump(exclude_unset=True, include={"title", "client", "session_type", "tags"})
    saved = sessions.save(
        actor,
        uuid=uuid,
        version=_version(if_match),
        documents=body.documents.model_dump(exclude_unset=True),
        changes=[sessions.Edit(tuple(one.path), one.value, one.op, one.after) for one in body.changes],
        **given,
    )
    reply.headers["etag"] = _etag(saved.version)
    return saved


@delete(_ONE, "Move a session to the trash")
def delete_session(actor: Actor, uuid: UUID) -> None:
    sessions.trash(actor, uuid=uuid)


@post(_ONE + "/restore", "Take a session out of the trash")
def restore_session(actor: Actor, uuid: UUID, reply: Reply) -> sessions.SessionView:
    found = sessions.restore(actor, uuid=uuid)
    reply.headers["etag"] = _etag(found.version)
    return found


@post(_ONE + "/duplicate", "Make a copy of a session", status=201)
def duplicate_session(actor: Actor, uuid: UUID, body: Copy, reply: Reply) -> sessions.SessionView:
    return _made(reply, sessions.duplicate(actor, uuid=uuid, title=body.title))


@post(_ONE + "/access", "Say why one of the platform's people opens a customer's session")
def open_session(actor: Actor, uuid: UUID, body: Reason) -> None:
    sessions.state_reason(actor, uuid=uuid, reason=body.reason)


@get(_ONE + "/revisions", "The history of a session, newest first")
def list_revisions(actor: Actor, uuid: UUID, query: History) -> sessions.RevisionPage:
    return sessions.revisions(actor, uuid=uuid, after=query.cursor or None, limit=query.limit)


@get(_ONE + "/revisions/{revision:int}", "A revision with its documents")
def get_revision(actor: Actor, uuid: UUID, revision: Number) -> sessions.RevisionDetail:
    return sessions.revision(actor, uuid=uuid, revision=revision)


@post(_ONE + "/revisions/{revision:int}/restore", "Bring back what a revision held, as a new one")
def restore_session_revision(actor: Actor, uuid: UUID, revision: Number, body: Part, reply: Reply) -> sessions.Saved:
    saved = sessions.restore_revision(actor, uuid=uuid, revision=revision, path=body.path)
    reply.headers["etag"] = _etag(saved.version)
    return saved


@get(_ONE + "/compare", "What is different between two revisions")
def compare_revisions(actor: Actor, uuid: UUID, query: Between) -> sessions.Comparison:
    return sessions.compare(actor, uuid=uuid, before=query.before, after=query.after)


@get(_ONE + "/pulse", "Version, who saved last and who is here")
def get_pulse(actor: Actor, uuid: UUID) -> sessions.Pulse:
    return sessions.pulse(actor, uuid)


@put(_ONE + "/presence", "Say that I have the session open, and take the pulse")
def put_presence(actor: Actor, uuid: UUID, body: Here) -> sessions.Pulse:
    return sessions.here(actor, uuid, page=body.page)


def _etag(version: int) -> str:
    return f'"{version}"'


def _made(reply: Reply, made: sessions.SessionView) -> sessions.SessionView:
    reply.headers |= {"etag": _etag(made.version), "location": f"{PREFIX}/sessions/{made.uuid}"}
    return made


def _version(if_match: str) -> int | None:
    """The version of an If-Match header (RFC 9110, 13.1.1); None for ``*``, which any version is."""
    if if_match.strip() == "*":
        return None
    found = _ETAG.fullmatch(if_match.strip())
    if found is None:
        raise Invalid('If-Match is the ETag of this session, such as "18".', field="If-Match")
    return int(found[1])


ENDPOINTS = (
    list_sessions,
    create_session,
    create_session_from_template,
    get_session,
    save_session,
    delete_session,
    restore_session,
    duplicate_session,
    open_session,
    list_revisions,
    get_revision,
    restore_session_revision,
    compare_revisions,
    get_pulse,
    put_presence,
)
