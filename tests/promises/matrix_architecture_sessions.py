"""Who may do what with architecture sessions: those of the organization who read or write, and staff with a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from nexa_core import architecture_sessions
from nexa_core.actor import Actor
from nexa_core.architecture_sessions import Edit, Filter, TagPlan
from tests.promises.matrix_rows import ADMIN, LOOKING, REASON, Expect, Place, Route, Row, platform

S = architecture_sessions

READERS = frozenset({"viewer", "member", "admin", "owner", "ex-member"}) | ADMIN | LOOKING
WRITERS = READERS - {"viewer"} - LOOKING


def _of_a_session(
    who_may: frozenset[str], *, staff: str = "forbidden", own: str = "may", looking: str = "may"
) -> Expect:
    """A verb about one session: a stranger's is hidden, a customer's is closed to staff without a stated reason."""

    def expect(who: str, where: str) -> str:
        if who not in who_may:
            return "forbidden"
        if who == "internal admin":
            return own if where == "own" else staff
        if who == "view-as" and where == "own":
            return looking
        return own if where == "own" and who != "ex-member" else "hidden"

    return expect


def _of_ones_own(who_may: frozenset[str], outcome: str = "may") -> Expect:
    """A verb about one's own organization, wherever one asks from."""

    def expect(who: str, where: str) -> str | None:
        return None if where != "own" else outcome if who in who_may else "forbidden"

    return expect


def read(verb: Callable[..., Any], **more: Any) -> Row:
    return Row(lambda a, p: verb(a, uuid=p.architecture_session, **more), expect=_of_a_session(READERS))


def write(verb: Callable[..., Any], **more: Any) -> Row:
    return Row(lambda a, p: verb(a, uuid=p.architecture_session, **more), expect=_of_a_session(WRITERS))


def many(verb: Callable[..., Any], **more: Any) -> Row:
    """Of one's own organization alone, also for staff."""
    return Row(
        lambda a, p: verb(a, uuids=[p.architecture_session], **more), expect=_of_a_session(WRITERS, staff="hidden")
    )


def mine(call: Callable[[Actor, Place], Any], who_may: frozenset[str] = READERS, outcome: str = "may") -> Row:
    return Row(call, expect=_of_ones_own(who_may, outcome))


def _everything_here(stage: Any, who: str, where: str, place: Place, found: Any) -> None:
    everywhere = "SELECT uuid FROM ai_architecture_sessions"
    if who == "internal admin":
        wanted = stage.ids(everywhere)
    elif who == "ex-member":
        wanted = stage.ids(f"{everywhere} s JOIN organizations o ON o.id = s.organization_id WHERE o.name = 'Fabrikam'")
    else:
        wanted = stage.ids(f"{everywhere} WHERE organization_id = %s", place.organization)
    assert {line.uuid for line in found.items} == wanted


VERBS: dict[str, Row] = {
    "architecture_sessions.browse": Row(lambda a, _: S.browse(a), expect=_of_ones_own(READERS), check=_everything_here),
    "architecture_sessions.recent": mine(lambda a, _: S.recent(a)),
    "architecture_sessions.pinned": mine(lambda a, _: S.pinned(a)),
    "architecture_sessions.saved_views": mine(lambda a, _: S.saved_views(a)),
    "architecture_sessions.suggest_tags": mine(lambda a, _: S.suggest_tags(a)),
    "architecture_sessions.suggest_types": mine(lambda a, _: S.suggest_types(a)),
    "architecture_sessions.save_view": mine(
        lambda a, _: S.save_view(a, name="Mine", wanted=Filter(text="x")), READERS - LOOKING
    ),
    "architecture_sessions.share_view": mine(
        lambda a, _: S.share_view(a, view_id=uuid4(), is_shared=True), READERS - LOOKING, "hidden"
    ),
    "architecture_sessions.remove_view": mine(
        lambda a, _: S.remove_view(a, view_id=uuid4()), READERS - LOOKING, "hidden"
    ),
    "architecture_sessions.get": read(S.get),
    "architecture_sessions.revisions": read(S.revisions),
    "architecture_sessions.revision": read(S.revision, revision=1),
    "architecture_sessions.compare": read(S.compare, before=1, after=1),
    "architecture_sessions.placeholders": read(S.placeholders),
    "architecture_sessions.template_differences": read(S.template_differences),
    "architecture_sessions.pulse": Row(lambda a, p: S.pulse(a, p.architecture_session), expect=_of_a_session(READERS)),
    "architecture_sessions.here": Row(lambda a, p: S.here(a, p.architecture_session), expect=_of_a_session(READERS)),
    "architecture_sessions.opened": Row(
        lambda a, p: S.opened(a, uuid=p.architecture_session), expect=_of_a_session(READERS)
    ),
    # That a session is there is no secret of its documents: staff pins it and is asked why before it opens.
    "architecture_sessions.pin": Row(
        lambda a, p: S.pin(a, uuid=p.architecture_session), expect=_of_a_session(READERS - LOOKING, staff="may")
    ),
    "architecture_sessions.unpin": Row(
        lambda a, p: S.unpin(a, uuid=p.architecture_session), expect=_of_a_session(READERS - LOOKING, staff="may")
    ),
    "architecture_sessions.needs_reason": Row(
        lambda a, p: S.needs_reason(a, uuid=p.architecture_session), expect=_of_a_session(READERS, staff="may")
    ),
    "architecture_sessions.state_reason": Row(
        lambda a, p: S.state_reason(a, uuid=p.architecture_session, reason=REASON),
        expect=_of_a_session(READERS - LOOKING, staff="may"),
    ),
    "architecture_sessions.create": mine(lambda a, _: S.create(a, title="New"), WRITERS),
    "architecture_sessions.duplicate": write(S.duplicate),
    "architecture_sessions.save": write(S.save, version=1, changes=[Edit(("sow_objects", "a"), 1)]),
    "architecture_sessions.trash": write(S.trash),
    "architecture_sessions.restore": write(S.restore),
    "architecture_sessions.restore_revision": write(S.restore_revision, revision=1),
    "architecture_sessions.name_revision": write(S.name_revision, revision=1, name="One"),
    "architecture_sessions.make_template": write(S.make_template),
    "architecture_sessions.unmake_template": write(S.unmake_template),
    "architecture_sessions.from_template": Row(
        lambda a, p: S.from_template(a, uuid=p.architecture_session),
        expect=_of_a_session(WRITERS, staff="hidden", own="hidden"),  # no session of the stage is a template
    ),
    "architecture_sessions.tag_many": many(S.tag_many, add=["x"]),
    "architecture_sessions.trash_many": many(S.trash_many),
    "architecture_sessions.restore_many": many(S.restore_many),
    "architecture_sessions.duplicate_many": many(S.duplicate_many),
    "architecture_sessions.merge_tags": mine(lambda a, _: S.merge_tags(a, tags=["x"], into="y"), WRITERS),
    "architecture_sessions.apply_tag_plan": mine(
        lambda a, p: S.apply_tag_plan(a, plan=TagPlan(("x",), "y", ((p.architecture_session, "Review"),))), WRITERS
    ),
    "architecture_sessions.purge_trash": platform(lambda a, _: S.purge_trash(a)),
    "architecture_sessions.remove_old_saves": platform(lambda a, _: S.remove_old_saves(a)),
    "architecture_sessions.refresh_search": platform(lambda a, _: S.refresh_search(a)),
    "architecture_sessions.check_diagrams": platform(lambda a, _: S.check_diagrams(a, check=lambda *_: None)),
}


def _route(verb: str, path: str = "", body: dict[str, Any] | None = None) -> Route:
    return Route(f"architecture_sessions.{verb}", lambda place: f"/sessions/{place.architecture_session}{path}", body)


_ONE = "/sessions/{uuid:uuid}"
ROUTES: dict[str, Route] = {
    "GET /docs": Route(public="a description without data"),
    "GET /sessions": Route("architecture_sessions.browse", lambda _: "/sessions"),
    "POST /sessions": Route("architecture_sessions.create", lambda _: "/sessions", {"title": "New"}),
    "POST /sessions/from-template": Route(
        "architecture_sessions.from_template", lambda _: "/sessions/from-template", {"template": str(uuid4())}
    ),
    f"GET {_ONE}": _route("get"),
    f"PATCH {_ONE}": _route("save", body={"title": "New"}),
    f"DELETE {_ONE}": _route("trash"),
    f"POST {_ONE}/restore": _route("restore", "/restore"),
    f"POST {_ONE}/duplicate": _route("duplicate", "/duplicate", {}),
    f"POST {_ONE}/access": _route("state_reason", "/access", {"reason": REASON}),
    f"GET {_ONE}/revisions": _route("revisions", "/revisions"),
    f"GET {_ONE}/revisions/{{revision:int}}": _route("revision", "/revisions/1"),
    f"POST {_ONE}/revisions/{{revision:int}}/restore": _route("restore_revision", "/revisions/1/restore", {}),
    f"GET {_ONE}/compare": _route("compare", "/compare?before=1&after=1"),
    f"GET {_ONE}/pulse": _route("pulse", "/pulse"),
    f"PUT {_ONE}/presence": _route("here", "/presence", {}),
}
