"""Who may take a session out, bring one in and share it: readers take what they read, writers share."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from nexa_core import architecture_sessions as sessions
from tests.promises.matrix_architecture_sessions import READERS, WRITERS, mine, read, write
from tests.promises.matrix_architecture_sessions import _of_a_session as of_a_session
from tests.promises.matrix_rows import LOOKING, MANAGE, Place, Route, Row

_BARE = {"title": "Brought along", "sow_objects": {}}
_PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
_NO_PICTURE = "0" * 64

VERBS: dict[str, Row] = {
    f"architecture_sessions.{name}": row
    for name, row in {
        "check_readiness": read(sessions.check_readiness),
        "draw_next": read(sessions.draw_next),
        "share_links": read(sessions.share_links),
        "share_responses": read(sessions.share_responses),
        # Whoever looks with other eyes takes nothing along: an export is recorded, and they record nothing.
        "export": Row(
            lambda a, p: sessions.export(a, uuid=p.architecture_session, form="json"),
            expect=of_a_session(READERS - LOOKING),
        ),
        "image": Row(
            lambda a, p: sessions.image(a, uuid=p.architecture_session, digest=_NO_PICTURE),
            expect=of_a_session(READERS, own="hidden", looking="hidden"),
        ),
        "store_image": write(sessions.store_image, content=_PICTURE),
        "share": write(sessions.share),
        "revoke_share": mine(lambda a, _: sessions.revoke_share(a, link_id=uuid4()), WRITERS, "hidden"),
        "readiness_gate": mine(lambda a, _: sessions.readiness_gate(a)),
        "set_readiness_gate": mine(lambda a, _: sessions.set_readiness_gate(a, gate="block"), MANAGE),
        "plan_import": mine(lambda a, _: sessions.plan_import(a, given=_BARE), WRITERS),
        "import_sessions": mine(lambda a, _: sessions.import_sessions(a, given=_BARE), WRITERS),
    }.items()
}


def _route(verb: str, path: str, body: dict[str, Any] | None = None) -> Route:
    def to(place: Place) -> str:
        return f"/sessions/{place.architecture_session}{path}"

    return Route(f"architecture_sessions.{verb}", to, body)


_ONE = "/sessions/{uuid:uuid}"
_SVG = "PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4="
ROUTES: dict[str, Route] = {
    f"GET {_ONE}/export.pdf": _route("export", "/export.pdf"),
    f"GET {_ONE}/export.docx": _route("export", "/export.docx"),
    f"GET {_ONE}/export.xlsx": _route("export", "/export.xlsx"),
    f"GET {_ONE}/export.json": _route("export", "/export.json"),
    f"POST {_ONE}/drawings": _route("draw_next", "/drawings", {}),
    f"GET {_ONE}/readiness": _route("check_readiness", "/readiness"),
    f"POST {_ONE}/images": _route("store_image", "/images", {"content": _SVG}),
    f"GET {_ONE}/images/{{digest}}": _route("image", f"/images/{_NO_PICTURE}"),
    f"GET {_ONE}/share-links": _route("share_links", "/share-links"),
    f"POST {_ONE}/share-links": _route("share", "/share-links", {}),
    f"GET {_ONE}/share-responses": _route("share_responses", "/share-responses"),
    "GET /sessions/share-links": Route("architecture_sessions.readiness_gate", lambda _: "/sessions/share-links"),
    "DELETE /sessions/share-links/{link_id:uuid}": Route(
        "architecture_sessions.revoke_share", lambda _: f"/sessions/share-links/{uuid4()}"
    ),
    "PUT /sessions/readiness-gate": Route(
        "architecture_sessions.set_readiness_gate", lambda _: "/sessions/readiness-gate", {"gate": "block"}
    ),
    "POST /sessions/import/plan": Route(
        "architecture_sessions.plan_import", lambda _: "/sessions/import/plan", {"given": _BARE}
    ),
    "POST /sessions/import": Route(
        "architecture_sessions.import_sessions", lambda _: "/sessions/import", {"given": _BARE}
    ),
}
