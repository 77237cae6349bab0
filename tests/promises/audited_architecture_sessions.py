"""What changes of architecture sessions leave in the audit log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx

from nexa_core import architecture_sessions
from nexa_core.actor import Actor
from nexa_core.architecture_sessions import Filter
from tests.promises.audited_rows import Case, Client, EndpointCase, Entry, Stage, bearer
from tests.stories import play

S = architecture_sessions
DOMAIN = S
NO_VERBS = {f"architecture_sessions.{name}" for name in ("differences", "new_id", "sentences")}


def _made(stage: Stage) -> UUID:
    return S.create(stage.ada, title="Review", client="{{x}}", tags=["cloud"]).uuid


def _closed(stage: Stage) -> UUID:
    """A session whose first burst is over."""
    uuid = _made(stage)
    S.name_revision(stage.ada, uuid=uuid, revision=1, name="one")
    return uuid


def _changed(stage: Stage) -> UUID:
    uuid = _closed(stage)
    S.save(stage.ada, uuid=uuid, version=1, documents={"sow_objects": {"n": 1}})
    return uuid


def _trashed(stage: Stage) -> UUID:
    uuid = _made(stage)
    S.trash(stage.ada, uuid=uuid)
    return uuid


def _template(stage: Stage) -> UUID:
    uuid = _made(stage)
    S.make_template(stage.ada, uuid=uuid)
    return uuid


def _from_template(stage: Stage) -> UUID:
    return S.from_template(stage.ada, uuid=_template(stage)).uuid


def _long_in_the_trash(stage: Stage) -> UUID:
    uuid = _trashed(stage)
    with stage.world.database.superuser() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE ai_architecture_sessions SET deleted_at = now() - interval '91 days'")
    return uuid


def _view(stage: Stage) -> UUID:
    return S.save_view(stage.ada, name="Mine", wanted=Filter(text="x")).id


def case(verb: Callable[..., Any], *entries: Entry, before: Callable[[Stage], Any] = _made, **more: Any) -> Case:
    """A verb about a session, by its owner."""
    return Case(lambda s, uuid: verb(s.ada, uuid=uuid, **more), entries, before)


def _of(action: str, resource: str = "session") -> Entry:
    return f"{resource}.{action}", resource


CREATED, EDITED = _of("created"), _of("edited")
_DOCUMENT = {"documents": {"sow_objects": {"n": 2}}}

CASES: dict[str, Case] = {
    f"architecture_sessions.{name}": one
    for name, one in {
        "browse": Case(lambda s, _: S.browse(s.ada), (), _made),
        "recent": Case(lambda s, _: S.recent(s.ada)),
        "pinned": Case(lambda s, _: S.pinned(s.ada)),
        "saved_views": Case(lambda s, _: S.saved_views(s.ada)),
        "suggest_tags": Case(lambda s, _: S.suggest_tags(s.ada)),
        "suggest_types": Case(lambda s, _: S.suggest_types(s.ada)),
        "merge_tags": Case(lambda s, _: S.merge_tags(s.ada, tags=["cloud"], into="sky"), (), _made),
        "apply_tag_plan": Case(
            lambda s, _: S.apply_tag_plan(s.ada, plan=S.merge_tags(s.ada, tags=["cloud"], into="sky")),
            (_of("tags_merged"), _of("tags_merged")),
            lambda s: (_made(s), _made(s)),
        ),
        "save_view": Case(lambda s, _: _view(s), (_of("saved", "session_view"),)),
        "share_view": Case(
            lambda s, view: S.share_view(s.ada, view_id=view, is_shared=True), (_of("shared", "session_view"),), _view
        ),
        "remove_view": Case(
            lambda s, view: S.remove_view(s.ada, view_id=view), (_of("removed", "session_view"),), _view
        ),
        "get": case(S.get),
        "revisions": case(S.revisions),
        "revision": case(S.revision, revision=1),
        "compare": Case(lambda s, uuid: S.compare(s.ada, uuid=uuid, before=1, after=1), (), _made),
        "placeholders": case(S.placeholders),
        "template_differences": case(S.template_differences, before=_from_template),
        "needs_reason": case(S.needs_reason),
        "opened": case(S.opened),
        "pin": case(S.pin),
        "unpin": case(S.unpin),
        "pulse": Case(lambda s, uuid: S.pulse(s.ada, uuid), (), _made),
        "here": Case(lambda s, uuid: S.here(s.ada, uuid, page="sow"), (), _made),
        "state_reason": Case(
            lambda s, uuid: S.state_reason(s.root, uuid=uuid, reason="a ticket"), (_of("opened"),), _made
        ),
        "create": Case(lambda s, _: _made(s), (CREATED,)),
        "duplicate": case(S.duplicate, _of("duplicated")),
        "save": case(S.save, EDITED, before=_closed, version=1, **_DOCUMENT),
        "trash": case(S.trash, _of("deleted")),
        "restore": case(S.restore, _of("restored"), before=_trashed),
        "restore_revision": case(S.restore_revision, _of("revision_restored"), before=_changed, revision=1),
        "name_revision": case(S.name_revision, _of("revision_named"), revision=1, name="one"),
        "make_template": case(S.make_template, _of("template_made")),
        "unmake_template": case(S.unmake_template, _of("template_ended"), before=_template),
        "from_template": case(S.from_template, _of("from_template"), before=_template),
        "tag_many": Case(lambda s, uuid: S.tag_many(s.ada, uuids=[uuid], add=["x"]), (_of("tagged"),), _made),
        "trash_many": Case(lambda s, uuid: S.trash_many(s.ada, uuids=[uuid]), (_of("deleted"),), _made),
        "restore_many": Case(lambda s, uuid: S.restore_many(s.ada, uuids=[uuid]), (_of("restored"),), _trashed),
        "duplicate_many": Case(lambda s, uuid: S.duplicate_many(s.ada, uuids=[uuid]), (_of("duplicated"),), _made),
        "purge_trash": Case(lambda s, _: S.purge_trash(Actor.system()), (_of("purged"),), _long_in_the_trash),
        "remove_old_saves": Case(lambda s, _: S.remove_old_saves(Actor.system()), (), _changed),
        "refresh_search": Case(lambda s, _: S.refresh_search(Actor.system()), (), _changed),
        "check_diagrams": Case(lambda s, _: S.check_diagrams(Actor.system(), check=lambda *_: None), (), _changed),
    }.items()
}


def _endpoint(
    method: str,
    path: str,
    *entries: Entry,
    body: dict[str, Any] | None = None,
    before: Callable[[Stage], Any] = _made,
    **headers: str,
) -> EndpointCase:
    """An endpoint about a session, by its owner as a program."""

    def call(client: Client, stage: Stage, prepared: tuple[Any, dict[str, str]]) -> httpx.Response:
        uuid, bearer_of_ada = prepared
        sent = bearer_of_ada | {name.replace("_", "-"): value for name, value in headers.items()}
        asked = {"json": {k: str(uuid) if v == "{uuid}" else v for k, v in body.items()}} if body is not None else {}
        return play(client._send(method, f"/api/sessions{path.format(uuid=uuid)}", headers=sent, **asked))

    return EndpointCase(call, entries, lambda stage: (before(stage), bearer(stage)))


_ONE = "/sessions/{uuid:uuid}"
ENDPOINTS: dict[str, EndpointCase] = {
    "GET /docs": EndpointCase(lambda client, stage, _: client.get("/api/docs")),
    "GET /sessions": _endpoint("GET", ""),
    "POST /sessions": _endpoint("POST", "", CREATED, body={"title": "New"}),
    "POST /sessions/from-template": _endpoint(
        "POST", "/from-template", _of("from_template"), body={"template": "{uuid}"}, before=_template
    ),
    f"GET {_ONE}": _endpoint("GET", "/{uuid}"),
    f"PATCH {_ONE}": _endpoint("PATCH", "/{uuid}", EDITED, body=_DOCUMENT, before=_closed, if_match='"1"'),
    f"DELETE {_ONE}": _endpoint("DELETE", "/{uuid}", _of("deleted")),
    f"POST {_ONE}/restore": _endpoint("POST", "/{uuid}/restore", _of("restored"), before=_trashed),
    f"POST {_ONE}/duplicate": _endpoint("POST", "/{uuid}/duplicate", _of("duplicated"), body={}),
    f"POST {_ONE}/access": _endpoint("POST", "/{uuid}/access", body={"reason": "mine, so none is needed"}),
    f"GET {_ONE}/revisions": _endpoint("GET", "/{uuid}/revisions"),
    f"GET {_ONE}/revisions/{{revision:int}}": _endpoint("GET", "/{uuid}/revisions/1"),
    f"POST {_ONE}/revisions/{{revision:int}}/restore": _endpoint(
        "POST", "/{uuid}/revisions/1/restore", _of("revision_restored"), body={}, before=_changed
    ),
    f"GET {_ONE}/compare": _endpoint("GET", "/{uuid}/compare?before=1&after=1"),
    f"GET {_ONE}/pulse": _endpoint("GET", "/{uuid}/pulse"),
    f"PUT {_ONE}/presence": _endpoint("PUT", "/{uuid}/presence", body={"page": "sow"}),
}

STATEMENTS: dict[str, list[tuple[str, str]]] = {
    "ai_architecture_sessions": [
        (
            "nexa_tenant",
            "INSERT INTO ai_architecture_sessions (user_id, organization_id, title) VALUES (%(me)s, %(org)s, 'New')",
        ),
        ("nexa_tenant", "UPDATE ai_architecture_sessions SET title = 'Newer' WHERE organization_id = %(org)s"),
        ("nexa_tenant", "UPDATE ai_architecture_sessions SET sow_objects = '{\"n\": 1}'"),
        ("nexa_tenant", "DELETE FROM ai_architecture_sessions WHERE organization_id = %(org)s"),
    ],
    "session_views": [
        (
            "nexa_tenant",
            "INSERT INTO session_views (organization_id, user_id, name) VALUES (%(org)s, %(me)s, 'Mine')",
        ),
        ("nexa_tenant", "UPDATE session_views SET is_shared = true"),
    ],
    "share_links": [
        (
            "nexa_tenant",
            "INSERT INTO share_links (organization_id, session_id, revision, token, created_by, expires_at)"
            " SELECT %(org)s, id, 1, 'x', %(me)s, 'infinity' FROM ai_architecture_sessions",
        ),
        ("nexa_tenant", "UPDATE share_links SET revoked_at = now()"),
    ],
}
BEFORE = {
    "share_links": "INSERT INTO ai_architecture_sessions (user_id, organization_id, title)"
    " VALUES (%(me)s, %(org)s, 'Review')"
}
