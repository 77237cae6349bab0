"""/api/sessions: what a program reads, writes and is told when it may not."""

from __future__ import annotations

import base64
import json
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from PIL import Image

from nexa_core import architecture_sessions as sessions
from nexa_core.architecture_sessions.values import DOCUMENT_BYTES
from tests.databases import TestDatabase
from tests.nexa_core.api.conftest import Served
from tests.worlds import World

PATH = "/api/sessions"
SOW = {"format": 1, "sections": [{"id": "sec-1", "markdown": "Ours"}, {"id": "sec-2", "markdown": "Theirs"}]}


@pytest.fixture
def ada(server: Served, people: dict[str, Any]) -> Any:
    with server.client(server.sign_in("ada@northwind.example")) as client:
        yield client


@pytest.fixture
def made(ada: Any) -> dict[str, Any]:
    answer = ada.post(PATH, json={"title": "Platform review", "tags": ["cloud"], "documents": {"sow_objects": SOW}})
    assert answer.status_code == 201, answer.text
    assert answer.headers["etag"] == '"1"' and answer.headers["location"].endswith(answer.json()["uuid"])
    found: dict[str, Any] = answer.json()
    return found


def test_a_session_is_made_read_listed_trashed_and_restored(ada: Any, made: dict[str, Any]) -> None:
    one = f"{PATH}/{made['uuid']}"
    read = ada.get(one)
    assert read.headers["etag"] == '"1"' and read.json() == made and made["documents"]["sow_objects"] == SOW
    assert [line["uuid"] for line in ada.get(f"{PATH}?q=clou&tag=cloud").json()["items"]] == [made["uuid"]]
    assert ada.get(f"{PATH}?q=nowhere").json() == {"items": [], "next_cursor": None}
    assert ada.delete(one).status_code == 204
    assert ada.get(PATH).json()["items"] == []
    assert len(ada.get(f"{PATH}?deleted=true").json()["items"]) == 1
    assert ada.patch(one, json={"title": "New"}, headers={"if-match": '"1"'}).status_code == 409
    assert ada.post(f"{one}/restore").json()["deleted_at"] is None
    copy = ada.post(f"{one}/duplicate", json={})
    assert copy.status_code == 201 and copy.json()["documents"] == made["documents"]
    first = ada.get(f"{PATH}?limit=1").json()
    second = ada.get(f"{PATH}?limit=1&cursor={first['next_cursor']}").json()
    assert {first["items"][0]["uuid"], second["items"][0]["uuid"]} == {made["uuid"], copy.json()["uuid"]}


def _left_behind(database: TestDatabase) -> tuple[Any, ...]:
    """What exports leave: events, entries of the log, closed revisions."""
    with database.superuser() as connection:
        return tuple(
            connection.execute(query.encode()).fetchone()
            for query in (
                "SELECT count(*) FROM usage_events", "SELECT count(*) FROM audit_logs",
                "SELECT count(*) FROM session_revisions WHERE is_closed",
            )
        )  # fmt: skip


def test_a_file_is_not_made_for_another_website_or_by_only_asking_what_there_would_be(
    ada: Any, made: dict[str, Any], database: TestDatabase
) -> None:
    paths = [f"{PATH}/{made['uuid']}/export.{form}" for form in sessions.FORMS]
    paths += ["/api/audit/export.ndjson", "/api/organizations/export.csv", "/api/usage/events.csv"]
    before = _left_behind(database)
    for path in paths:
        linked = ada.get(path, headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"})
        assert (linked.status_code, "another website" in linked.text) == (403, True), path
        assert ada.head(path).status_code == 405, path
    assert _left_behind(database) == before
    for site in ("same-origin", "none"):  # a link of ours, and an address that was typed
        assert ada.get(paths[-4], headers={"sec-fetch-site": site}).status_code == 200
    assert _left_behind(database) > before, "the control: a file leaves something"


def test_a_patch_says_what_it_started_from_and_merges_or_tells_both_sides(ada: Any, made: dict[str, Any]) -> None:
    one = f"{PATH}/{made['uuid']}"
    body = {
        "documents": {"sow_objects": {**SOW, "sections": [{"id": "sec-1", "markdown": "Mine"}, SOW["sections"][1]]}}
    }
    missing = ada.patch(one, json=body)
    assert (missing.status_code, missing.headers["content-type"]) == (428, "application/problem+json")
    first = ada.patch(one, json=body, headers={"if-match": '"1"'})
    assert (first.status_code, first.headers["etag"], first.json()["changed"]) == (200, '"2"', ["sow_objects"])
    again = ada.patch(one, json=body, headers={"if-match": '"2"'})
    assert (again.headers["etag"], again.json()["changed"]) == ('"2"', [])
    where = ["sow_objects", "sections", "sec-2", "markdown"]
    late = ada.patch(one, json={"changes": [{"path": where, "value": "Late"}]}, headers={"if-match": '"1"'})
    assert late.status_code == 200 and late.json()["merged"] and late.headers["etag"] == '"3"'
    stale = ada.patch(one, json={"changes": [{"path": where, "value": "Stale"}]}, headers={"if-match": '"2"'})
    assert stale.status_code == 412
    assert stale.json()["current_version"] == 3
    assert stale.json()["conflicts"] == [
        {"path": where, "kind": "edited", "base": "Theirs", "mine": "Stale", "theirs": "Late"}
    ]
    assert ada.patch(one, json={"client": None}, headers={"if-match": "*"}).status_code == 200
    for wrong in ("3", '"x"', '"99"', '"1", "2"'):
        assert ada.patch(one, json={"title": "X"}, headers={"if-match": wrong}).status_code in (412, 422)


def test_history_is_read_compared_and_brought_back(ada: Any, made: dict[str, Any]) -> None:
    one = f"{PATH}/{made['uuid']}"
    ada.patch(one, json={"documents": {"loe_objects": {"rows": [{"id": "row-1", "role": "Architect",
              "likely_hours": 12}]}}}, headers={"if-match": "*"})  # fmt: skip
    restored = ada.post(f"{one}/revisions/1/restore", json={"path": ["loe"]})
    assert restored.status_code == 200 and restored.json()["changed"] == [], "the newest state is there already"
    history = ada.get(f"{one}/revisions").json()
    assert [line["revision"] for line in history["items"]] == [1]
    assert "LOE 0 h to 12 h, +12 h in Architect" in history["items"][0]["sentences"]
    assert ada.get(f"{one}/revisions/1").json()["documents"]["sow_objects"] == SOW
    assert ada.get(f"{one}/compare?before=1&after=1").json()["differences"] == []
    for path in ("revisions/9", "compare?before=1&after=9"):
        assert ada.get(f"{one}/{path}").status_code == 404
    pulse = ada.put(f"{one}/presence", json={"page": "sow"}).json()
    assert [(p["page"], pulse["version"]) for p in pulse["people"]] == [("sow", 2)]
    assert ada.get(f"{one}/pulse").json()["last_editor"] == "Ada"


def test_a_template_is_used_once_filled(ada: Any, world: World, people: dict[str, Any]) -> None:
    made = ada.post(PATH, json={"title": "For {{client}}", "documents": {"sow_objects": {"t": "{{client}} and {{x}}"}}})
    asked = {"template": made.json()["uuid"], "values": {"client": "Initech"}}
    assert ada.post(f"{PATH}/from-template", json=asked).status_code == 404, "not every session is a template"
    sessions.make_template(world.actor(people["ada"], people["northwind"]), uuid=UUID(made.json()["uuid"]))
    answer = ada.post(f"{PATH}/from-template", json=asked)
    assert (answer.status_code, answer.json()["title"]) == (201, "For Initech")
    assert answer.json()["documents"]["sow_objects"] == {"t": "Initech and {{x}}"}
    assert (answer.json()["template"], answer.json()["template_revision"]) == (made.json()["uuid"], 1)


def test_nobody_else_finds_it(server: Served, ada: Any, made: dict[str, Any], people: dict[str, Any]) -> None:
    one = f"{PATH}/{made['uuid']}"
    with server.client(server.sign_in("eve@contoso.example")) as eve:
        assert eve.get(PATH).json()["items"] == []
        for answer in (
            eve.get(one), eve.delete(one), eve.patch(one, json={"title": "X"}, headers={"if-match": "*"}),
            eve.get(f"{one}/revisions"), eve.get(f"{one}/pulse"), eve.post(f"{one}/duplicate", json={}),
            eve.get(f"{PATH}/{uuid4()}"),
        ):  # fmt: skip
            assert answer.status_code == 404, answer.request.url
    with server.client(server.sign_in("root@nexa.example")) as root:
        assert root.get(one).status_code == 403
        assert root.post(f"{one}/access", json={"reason": "a ticket"}).status_code == 204
        assert root.get(one).status_code == 200
    with server.client() as nobody:
        assert nobody.get(one).status_code == 401
    with server.client(server.sign_in("ada@northwind.example"), origin="https://evil.example") as forged:
        assert forged.delete(one).status_code == 403


def test_what_is_as_large_as_may_be_kept_is_taken_goes_out_and_comes_in_again(ada: Any) -> None:
    large = {"t": "x" * (DOCUMENT_BYTES - 20)}
    first = ada.post(PATH, json={"title": "Large", "documents": {"session_objects": large}})
    assert first.status_code == 201, first.text[:300]
    one = f"{PATH}/{first.json()['uuid']}"
    for column in ("sow_objects", "loe_objects", "diagram_texts_json", "visual_assets_json"):
        change = {"changes": [{"path": [column], "value": large}]}
        answer = ada.patch(one, json=change, headers={"if-match": "*"})
        assert answer.status_code == 200, answer.text[:300]
    exported = ada.get(f"{one}/export.json").json()
    for path, status in ((f"{PATH}/import/plan", 200), (f"{PATH}/import", 201)):
        answer = ada.post(path, json={"given": exported})
        assert answer.status_code == status, answer.text[:300]
    assert ada.get(f"{PATH}/{answer.json()[0]}").json()["documents"] == ada.get(one).json()["documents"]
    drawn = BytesIO()
    Image.new("RGB", (1_290, 1_290)).save(drawn, "PNG", compress_level=0)
    assert 4_900_000 < len(drawn.getvalue()) < 5_242_880
    answer = ada.post(f"{one}/images", json={"content": base64.b64encode(drawn.getvalue()).decode()})
    assert answer.status_code == 201, answer.text[:300]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"title": "x", "documents": {"sow_objects": {"t": "%s"}}}' % (b"x" * 300_000), 201),
        (b'{"title": "x", "documents": {"sow_objects": {"t": "%s"}}}' % (b"x" * 5_000_000), 413),
        (b'{"title": "x", "documents": {"sow_objects": ' + b"[" * 10_000 + b"]" * 10_000 + b"}}", 400),
        (b'{"title": "x", "documents": {"sow_objects": ' + b"[" * 300 + b"]" * 300 + b"}}", 422),
        (b'{"title": "x", "title": "y"}', 400),
        (b'{"title": "x", "documents": {"sow_objects": {"n": NaN}}}', 400),
        (b'{"title": "x", "documents": {"sow_objects": {"n": 1e999}}}', 400),
        (b'{"title": "x", "documents": {"sow_objects": {"t": "\\u0000"}}}', 400),
        (json.dumps({"title": "x", "organization_id": "0c4d5b1e-6f0a-4f7e-9b1d-3a5c8e2f7d60"}).encode(), 422),
        (b'{"title": " "}', 422),
        (b"[]", 422),
        (b"", 400),
    ],
)
def test_odd_bodies_get_clear_answers(ada: Any, body: bytes, status: int) -> None:
    answer = ada.post(PATH, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status, answer.text[:300]
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json" and answer.json()["detail"]


def test_the_documentation_works_without_scripts_or_anything_from_elsewhere(ada: Any) -> None:
    answer = ada.get("/api/docs")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")
    assert "/api/sessions/{uuid}" in answer.text and "If-Match" in answer.text
    assert "<script" not in answer.text and "https://" not in answer.text.replace("https://json-schema.org", "")
