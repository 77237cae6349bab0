"""/api/sessions answers whatever is odd with a status and a sentence, on every operation that takes it."""

from __future__ import annotations

import base64
import json
from typing import Any
from uuid import UUID

import pytest

from nexa_core import architecture_sessions
from nexa_core.api import session_files, sessions
from nexa_core.api.endpoint import PREFIX, Endpoint
from tests.nexa_core.api.conftest import Served
from tests.nexa_core.architecture_sessions.test_images import png
from tests.worlds import World

PATH = "/api/sessions"
#: What takes documents: how it is called, with the documents' place marked, and what it answers when all is well.
WRITERS = {
    "make": ("POST", "", '{"title": "x", "documents": {"sow_objects": %s}}', 201),
    "save": ("PATCH", "/{uuid}", '{"documents": {"sow_objects": %s}}', 200),
    "change": ("PATCH", "/{uuid}", '{"changes": [{"path": ["sow_objects", "n"], "value": %s}]}', 200),
    "plan": ("POST", "/import/plan", '{"given": [{"title": "x", "sow_objects": %s}]}', 200),
    "import": ("POST", "/import", '{"given": [{"title": "x", "sow_objects": %s}]}', 201),
}
ODD: dict[str, tuple[str, int | None]] = {
    "300 KB": ('{"t": "%s"}' % ("x" * 300_000), None),
    "17 MB": ('{"t": "%s"}' % ("x" * 17_000_000), 413),
    "10,000 deep": ("[" * 10_000 + "]" * 10_000, 400),
    "300 deep": ("[" * 300 + "]" * 300, 422),
    "a key twice": ('{"t": 1, "t": 2}', 400),
    "NaN": ('{"t": NaN}', 400),
    "infinite": ('{"t": -Infinity}', 400),
    "a number without end": ('{"t": 1e999}', 400),
    "half a character": (r'{"t": "\ud800"}', 400),
    "NUL": (r'{"t": "\u0000"}', 400),
    "cut off": ('{"t": ', 400),
}
#: A body that would do for each operation on one session, so that nothing but the session can be wrong.
BODIES: dict[str, dict[str, Any]] = {
    "save_session": {"title": "X"},
    "open_session": {"reason": "a ticket"},
    "post_image": {"content": base64.b64encode(png()).decode()},
}


@pytest.fixture
def ada(server: Served, people: dict[str, Any]) -> Any:
    with server.client(server.sign_in("ada@northwind.example"), **{"content-type": "application/json"}) as client:
        yield client


@pytest.fixture
def uuid(ada: Any) -> str:
    return str(ada.post(PATH, json={"title": "Platform review", "documents": {"sow_objects": {"n": 1}}}).json()["uuid"])


@pytest.mark.parametrize("writer", WRITERS)
def test_every_writer_gives_odd_documents_a_clear_answer(ada: Any, uuid: str, writer: str) -> None:
    method, path, body, well = WRITERS[writer]
    for what, (document, refused) in ODD.items():
        answer = ada.request(
            method, PATH + path.format(uuid=uuid), content=(body % document).encode(), headers={"if-match": "*"}
        )
        if refused == 422 and writer == "plan":  # a plan refuses the item, not the question
            assert answer.json()["items"][0]["verdict"] == "refuse", what
            continue
        assert answer.status_code == (refused or well), (what, answer.text[:300])
        if refused:
            assert answer.headers["content-type"] == "application/problem+json" and answer.json()["detail"], what
    listed = ada.get(f"{PATH}/{uuid}").json()
    assert "n" in listed["documents"]["sow_objects"] or "t" in listed["documents"]["sow_objects"]


def test_nobody_writes_for_another_organization(ada: Any, uuid: str, people: dict[str, Any]) -> None:
    """No body has a place for an organization; a list of one that is out of reach does not exist."""
    foreign = {"organization_id": str(people["contoso"])}
    for method, path, body in (
        ("POST", "", {"title": "x"}), ("PATCH", f"/{uuid}", {"title": "x"}), ("POST", f"/{uuid}/duplicate", {}),
        ("POST", "/from-template", {"template": uuid}), ("POST", "/import", {"given": [{"sow_objects": {}}]}),
    ):  # fmt: skip
        answer = ada.request(method, PATH + path, content=json.dumps(body | foreign), headers={"if-match": "*"})
        assert answer.status_code == 422, (path, answer.text)
        assert "organization_id" in answer.json()["detail"]
    assert ada.get(f"{PATH}?organization={people['contoso']}").status_code == 404
    assert len(ada.get(f"{PATH}?organization={people['northwind']}").json()["items"]) == 1
    arrived = ada.post(f"{PATH}/import", content=json.dumps({"given": [{"sow_objects": {}, **foreign}]}))
    assert arrived.status_code == 201, "an import knows no organization but one's own"
    assert ada.get(f"{PATH}/{arrived.json()[0]}").json()["organization_id"] == str(people["northwind"])


ON_ONE = [
    endpoint for module in (sessions, session_files) for endpoint in module.ENDPOINTS if "{uuid:uuid}" in endpoint.path
]


@pytest.mark.parametrize("endpoint", ON_ONE, ids=lambda one: one.function.__name__)
def test_somebody_elses_session_is_not_there(
    server: Served, uuid: str, people: dict[str, Any], endpoint: Endpoint
) -> None:
    path = PREFIX + endpoint.path.replace("{uuid:uuid}", uuid).replace("{revision:int}", "1")
    path = path.replace("{digest}", "0" * 64) + ("?before=1&after=1" if path.endswith("compare") else "")
    body = BODIES.get(endpoint.function.__name__, {}) if "body" in endpoint.parameters else None
    with server.client(server.sign_in("eve@contoso.example")) as eve:
        answer = eve.request(endpoint.method, path, json=body, headers={"if-match": "*"})
    assert answer.status_code == 404, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Platform review" not in answer.text


def test_a_limit_on_new_sessions_is_said_on_every_way_to_make_one(
    ada: Any, uuid: str, world: World, people: dict[str, Any]
) -> None:
    template = ada.post(PATH, json={"title": "Template"}).json()["uuid"]
    architecture_sessions.make_template(world.actor(people["ada"], people["northwind"]), uuid=UUID(template))
    with world.database.superuser() as connection, connection.transaction():
        world.name_the_change(connection, "organization.limits_changed")
        limits = json.dumps({"hard": True, "event_limits": {"session_create": 2}})
        connection.execute("UPDATE organizations SET usage_limits = %s WHERE id = %s", [limits, people["northwind"]])
    for path, body in (
        ("", {"title": "x"}), (f"/{uuid}/duplicate", {}), ("/from-template", {"template": template}),
        ("/import", {"given": [{"sow_objects": {}}]}),
    ):  # fmt: skip
        answer = ada.post(PATH + path, json=body)
        assert answer.status_code == 429, (path, answer.text)
        assert answer.json()["detail"] == "The limit of 2 a month for “New sessions” is reached. Nothing was stored."
        assert int(answer.headers["retry-after"]) > 0
    assert len(ada.get(PATH).json()["items"]) == 2
