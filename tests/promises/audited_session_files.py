"""What sharing, exporting and importing sessions leave in the audit log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import httpx

from nexa_core import architecture_sessions as sessions
from tests.promises.audited_rows import ORIGIN, Case, Client, EndpointCase, Entry, Stage, bearer
from tests.stories import play

NO_VERBS = {
    f"architecture_sessions.{name}"
    for name in ("assess", "check_diagram", "diagram_digest", "estimate", "money", "to_html")
}
_FLOW = "flowchart LR\n a --> b"
_SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
_DOCUMENTS = {
    "sow_objects": {"sections": [{"id": "sec-1", "title": "Scope", "markdown": "All."}]},
    "diagram_texts_json": {"diagrams": [{"id": "dia-1", "text": _FLOW}]},
}
_BARE = {"title": "Brought along", "sow_objects": {}}
_EXPORTED: Entry = ("session.exported", "session")
_CREATED: Entry = ("session.created", "session")


def _made(stage: Stage) -> UUID:
    return sessions.create(stage.ada, title="Review", documents=_DOCUMENTS).uuid


def _token(stage: Stage, passcode: str | None = None) -> str:
    address = sessions.share(stage.ada, uuid=_made(stage), passcode=passcode).address
    return address.rpartition("/")[2]


def _link(stage: Stage) -> UUID:
    return sessions.share(stage.ada, uuid=_made(stage)).link.id


def _approve(token: str) -> None:
    shared = sessions.visit(ORIGIN, token=token, count=False)
    section = shared.sections[0]
    sessions.respond(
        ORIGIN, token=token, key=None, form_key=shared.form_key, kind="approval", page=section.page, part=section.part,
        digest=section.digest, name="Cleo", email="cleo@client.example",
    )  # fmt: skip


def _picture(stage: Stage) -> tuple[UUID, str]:
    uuid = _made(stage)
    return uuid, sessions.store_image(stage.ada, uuid=uuid, content=_SVG).digest


def _of(verb: Callable[..., Any], *entries: Entry, **more: Any) -> Case:
    return Case(lambda s, uuid: verb(s.ada, uuid=uuid, **more), entries, _made)


CASES: dict[str, Case] = {
    f"architecture_sessions.{name}": case
    for name, case in {
        "check_readiness": _of(sessions.check_readiness),
        "draw_next": _of(sessions.draw_next),
        "share_links": _of(sessions.share_links),
        "share_responses": _of(sessions.share_responses),
        "export": _of(sessions.export, _EXPORTED, form="json"),
        "store_image": _of(sessions.store_image, ("session.image_added", "session"), content=_SVG),
        "image": Case(lambda s, made: sessions.image(s.ada, uuid=made[0], digest=made[1]), (), _picture),
        "share": _of(sessions.share, ("share_link.created", "share_link")),
        "revoke_share": Case(
            lambda s, link: sessions.revoke_share(s.ada, link_id=link), (("share_link.revoked", "share_link"),), _link
        ),
        "readiness_gate": Case(lambda s, _: sessions.readiness_gate(s.ada)),
        "set_readiness_gate": Case(
            lambda s, _: sessions.set_readiness_gate(s.ada, gate="block"),
            (("organization.readiness_gate_changed", "organization"),),
        ),
        "plan_import": Case(lambda s, _: sessions.plan_import(s.ada, given=_BARE)),
        "import_sessions": Case(lambda s, _: sessions.import_sessions(s.ada, given=_BARE), (_CREATED,)),
        "visit": Case(
            lambda _, token: sessions.visit(ORIGIN, token=token), (("share_link.viewed", "share_link"),), _token
        ),
        "unlock": Case(
            lambda _, token: sessions.unlock(ORIGIN, token=token, passcode="open sesame"),
            (),
            lambda s: _token(s, "open sesame"),
        ),
        "respond": Case(lambda _, token: _approve(token), (("share_link.approved", "share_link"),), _token),
        "picture": Case(
            lambda _, token: sessions.picture(
                ORIGIN, token=token, key=None, kind="drawing", digest=sessions.diagram_digest(_FLOW)
            ),
            (),
            _token,
        ),
    }.items()
}


def _asks(
    method: str, path: str, *entries: Entry, body: Any = None, before: Callable[[Stage], UUID] = _made
) -> EndpointCase:
    """A request of Ada's; ``{}`` in the path is what ``before`` made."""

    def call(client: Client, stage: Stage, prepared: tuple[UUID, dict[str, str]]) -> httpx.Response:
        made, header = prepared
        more = {} if body is None else {"json": body}
        return play(client._send(method, "/api" + path.format(made), headers=header, **more))

    return EndpointCase(call, entries, lambda stage: (before(stage), bearer(stage)))


def _stored(stage: Stage) -> str:  # type: ignore[return]
    uuid, digest = _picture(stage)
    return f"{uuid}/images/{digest}"


_ONE = "/sessions/{uuid:uuid}"
_BASE64 = "PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4="
ENDPOINTS: dict[str, EndpointCase] = {
    **{
        f"GET {_ONE}/export.{form}": _asks("GET", f"/sessions/{{}}/export.{form}", _EXPORTED)
        for form in ("pdf", "docx", "xlsx", "json")
    },
    f"POST {_ONE}/drawings": _asks("POST", "/sessions/{}/drawings", body={}),
    f"GET {_ONE}/readiness": _asks("GET", "/sessions/{}/readiness"),
    f"POST {_ONE}/images": _asks(
        "POST", "/sessions/{}/images", ("session.image_added", "session"), body={"content": _BASE64}
    ),
    f"GET {_ONE}/images/{{digest}}": _asks("GET", "/sessions/{}", before=_stored),  # type: ignore[arg-type]
    f"GET {_ONE}/share-links": _asks("GET", "/sessions/{}/share-links"),
    f"POST {_ONE}/share-links": _asks(
        "POST", "/sessions/{}/share-links", ("share_link.created", "share_link"), body={}
    ),
    f"GET {_ONE}/share-responses": _asks("GET", "/sessions/{}/share-responses"),
    "GET /sessions/share-links": _asks("GET", "/sessions/share-links"),
    "DELETE /sessions/share-links/{link_id:uuid}": _asks(
        "DELETE", "/sessions/share-links/{}", ("share_link.revoked", "share_link"), before=_link
    ),
    "PUT /sessions/readiness-gate": _asks(
        "PUT", "/sessions/readiness-gate", ("organization.readiness_gate_changed", "organization"),
        body={"gate": "block"}, before=lambda _: uuid4(),
    ),
    "POST /sessions/import/plan": _asks("POST", "/sessions/import/plan", body={"given": _BARE}),
    "POST /sessions/import": _asks("POST", "/sessions/import", _CREATED, body={"given": _BARE}),
}  # fmt: skip
