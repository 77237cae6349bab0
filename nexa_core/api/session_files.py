"""/api/sessions: what goes out and comes in: readiness, exports, imports, pictures, share links and their answers."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import Base64Bytes, Field
from starlette.responses import Response

from nexa_core import architecture_sessions as sessions
from nexa_core.actor import Actor
from nexa_core.api.downloads import attached
from nexa_core.api.endpoint import Body, delete, get, post, put

_ONE = "/sessions/{uuid:uuid}"
_NUMBER = Annotated[int, Field(ge=1, le=2**31 - 1)]
_DIGEST = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
_PAGES = Annotated[str, Field(max_length=100, description="Pages, separated by commas; all of them without")]


class Which(Body):
    """A revision; the newest without a number."""

    revision: _NUMBER | None = None


class Exported(Which):
    """What of it, for a PDF."""

    pages: _PAGES = ""

    def chosen(self) -> tuple[str, ...]:
        return tuple(page.strip() for page in self.pages.split(",") if page.strip()) or sessions.PAGES


class Assessed(Which):
    """``draw=false`` leaves out diagrams nobody has drawn yet, and answers at once."""

    draw: bool = True


class Gate(Body):
    gate: Literal["off", "warn", "block"]


class Shared(Body):
    pages: Annotated[list[Literal["structuring", "sow", "loe", "visuals"]], Field(min_length=1, max_length=4)] = [
        "structuring",
        "sow",
        "loe",
        "visuals",
    ]
    days: Annotated[int, Field(ge=1, le=365)] = 7
    passcode: Annotated[str | None, Field(max_length=200)] = None
    label: Annotated[str, Field(max_length=255)] = ""
    revision: _NUMBER | None = None


class Links(Body):
    """Which links: of every state without one."""

    state: Literal["active", "expired", "revoked"] | None = None


class Upload(Body):
    """A PNG, JPEG or SVG as base64."""

    content: Base64Bytes

    most_bytes: ClassVar[int] = 8 * 1024 * 1024  # a picture of 5 MB in base64


class Imported(Body):
    """``given`` is an export of ours, one session, or a list of sessions or bare documents."""

    given: Any

    most_bytes: ClassVar[int] = 16 * 1024 * 1024  # an export of ours with five documents of the largest size


@get(_ONE + "/export.pdf", "A revision of a session as PDF", draws=True)
def export_pdf(actor: Actor, uuid: UUID, query: Exported) -> Response:
    return _file(sessions.export(actor, uuid=uuid, form="pdf", revision=query.revision, pages=query.chosen()))


@get(_ONE + "/export.docx", "The statement of work as DOCX", draws=True)
def export_docx(actor: Actor, uuid: UUID, query: Which) -> Response:
    return _file(sessions.export(actor, uuid=uuid, form="docx", revision=query.revision))


@get(_ONE + "/export.xlsx", "The level of effort as XLSX with formulas", draws=True)
def export_xlsx(actor: Actor, uuid: UUID, query: Which) -> Response:
    return _file(sessions.export(actor, uuid=uuid, form="xlsx", revision=query.revision))


@get(_ONE + "/export.json", "Everything as JSON, to import again")
def export_json(actor: Actor, uuid: UUID, query: Which) -> Response:
    return _file(sessions.export(actor, uuid=uuid, form="json", revision=query.revision))


@post(_ONE + "/drawings", "Draw one more diagram ahead of an export, and say how far it is", draws=True)
def draw_next(actor: Actor, uuid: UUID, body: Which) -> sessions.DrawingProgress:
    return sessions.draw_next(actor, uuid=uuid, revision=body.revision)


@get(_ONE + "/readiness", "Whether a session is ready for its client", draws=True)
def get_readiness(actor: Actor, uuid: UUID, query: Assessed) -> sessions.GoingOut:
    return sessions.check_readiness(actor, uuid=uuid, revision=query.revision, draw=query.draw)


@put("/sessions/readiness-gate", "Decide whether what is not ready may go out")
def put_readiness_gate(actor: Actor, body: Gate) -> None:
    sessions.set_readiness_gate(actor, gate=body.gate)


@post(_ONE + "/images", "Keep a picture for the visuals", status=201)
def post_image(actor: Actor, uuid: UUID, body: Upload) -> sessions.StoredImage:
    return sessions.store_image(actor, uuid=uuid, content=body.content)


@get(_ONE + "/images/{digest}", "A kept picture")
def get_image(actor: Actor, uuid: UUID, digest: _DIGEST) -> Response:
    media_type, content = sessions.image(actor, uuid=uuid, digest=digest)
    return Response(content, media_type=media_type)


@post("/sessions/import/plan", "What an import would do, item by item; nothing is made")
def plan_import(actor: Actor, body: Imported) -> sessions.ImportPlan:
    return sessions.plan_import(actor, given=body.given)


@post("/sessions/import", "Make sessions from JSON, all or none", status=201)
def import_sessions(actor: Actor, body: Imported) -> list[UUID]:
    return [made.uuid for made in sessions.import_sessions(actor, given=body.given)]


@get("/sessions/share-links", "The share links of my organization")
def list_share_links(actor: Actor, query: Links) -> list[sessions.ShareLinkView]:
    return list(sessions.share_links(actor, state=query.state))


@get(_ONE + "/share-links", "The share links of a session")
def list_session_share_links(actor: Actor, uuid: UUID, query: Links) -> list[sessions.ShareLinkView]:
    return list(sessions.share_links(actor, uuid=uuid, state=query.state))


@post(_ONE + "/share-links", "Share a revision by link; its address is told this once", status=201, draws=True)
def post_share_link(actor: Actor, uuid: UUID, body: Shared) -> sessions.NewShareLink:
    return sessions.share(actor, uuid=uuid, **body.model_dump())


@delete("/sessions/share-links/{link_id:uuid}", "Revoke a share link")
def delete_share_link(actor: Actor, link_id: UUID) -> None:
    sessions.revoke_share(actor, link_id=link_id)


@get(_ONE + "/share-responses", "What clients approved and commented, and whether it has changed since")
def list_share_responses(actor: Actor, uuid: UUID) -> list[sessions.ShareResponseView]:
    return list(sessions.share_responses(actor, uuid=uuid))


def _file(made: sessions.ExportedFile) -> Response:
    headers = {
        **attached(made.name),
        "etag": f'"{made.digest}"',
        "x-nexa-revision": str(made.revision),
        "x-nexa-billed": "yes" if made.billed else "no",
    }
    return Response(made.content, media_type=made.media_type, headers=headers)


ENDPOINTS = (
    export_pdf,
    export_docx,
    export_xlsx,
    export_json,
    draw_next,
    get_readiness,
    put_readiness_gate,
    post_image,
    get_image,
    plan_import,
    import_sessions,
    list_share_links,
    list_session_share_links,
    post_share_link,
    delete_share_link,
    list_share_responses,
)
