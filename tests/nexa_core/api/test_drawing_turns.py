"""Drawing takes seconds, and there is one pen: who waits for it keeps nobody else from an answer."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

import httpx
import pytest

from nexa_core import architecture_sessions as sessions
from nexa_core.actor import Actor
from nexa_core.api import threads
from nexa_core.architecture_sessions import diagrams
from nexa_core.architecture_sessions.diagrams import Drawing
from tests.nexa_core.api.conftest import Served
from tests.worlds import World

#: More than there are threads for verbs.
MANY = 14


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A pen that draws nothing until the event is set."""
    let_go, pen = threading.Event(), threading.Lock()

    def draw(text: str) -> Drawing:
        with pen:
            let_go.wait(60)
        return Drawing(f"<svg xmlns='http://www.w3.org/2000/svg'><title>{len(text)}</title></svg>", None)

    monkeypatch.setattr(diagrams, "_memory", diagrams._Memory())
    monkeypatch.setattr(diagrams._pen, "draw", draw)
    yield let_go
    let_go.set()


@pytest.fixture
def ada(people: dict[str, Any], world: World) -> Actor:
    return world.actor(people["ada"], people["northwind"])


def with_diagrams(ada: Actor, name: str, count: int) -> Any:
    drawn = [{"id": f"dia-{n}", "language": "mermaid", "text": f"flowchart LR\n a --> {name}{n}"} for n in range(count)]
    return sessions.create(ada, title=name, documents={"diagram_texts_json": {"diagrams": drawn}}).uuid


def all_at_once(client: httpx.Client, paths: list[str], meanwhile: Any) -> list[httpx.Response]:
    with ThreadPoolExecutor(len(paths)) as pool:
        asked = [pool.submit(client.get, path) for path in paths]
        meanwhile()
        return [one.result() for one in asked]


def test_who_waits_for_a_drawing_keeps_nobody_else_waiting(
    server: Served, ada: Actor, held: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "PATIENCE", 3.0)
    paths = [f"/api/sessions/{with_diagrams(ada, f'x{n}', 1)}/readiness" for n in range(MANY)]
    cookie = server.sign_in("ada@northwind.example")

    def meanwhile() -> None:
        with server.client(cookie) as other:
            for _ in range(5):
                assert other.get("/api/me", timeout=2).status_code == 200
            assert other.get(f"{paths[0]}?draw=false", timeout=2).status_code == 200
            threading.Timer(5, held.set).start()

    with server.client(cookie) as client:
        answers = all_at_once(client, paths, meanwhile)
    assert Counter(answer.status_code for answer in answers) == {200: threads.DRAWING, 503: MANY - threads.DRAWING}
    refused = next(answer for answer in answers if answer.status_code == 503)
    assert refused.json()["detail"].startswith("NEXA is busy drawing other diagrams.")
    assert int(refused.headers["retry-after"]) > 0


def test_a_shared_page_of_many_diagrams_keeps_nobody_waiting_and_shows_them_all(
    server: Served, ada: Actor, held: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    uuid = with_diagrams(ada, "shared", MANY)
    monkeypatch.setattr(import_module("nexa_core.architecture_sessions.share_links"), "QUICK", 0.0)
    path = "/share/" + sessions.share(ada, uuid=uuid).address.rpartition("/")[2]
    shown = sessions.get(ada, uuid=uuid).documents["diagram_texts_json"]["diagrams"]
    paths = [f"{path}/drawing/{sessions.diagram_digest(part['text'])}" for part in shown]

    def meanwhile() -> None:
        with server.client(origin="") as other:
            for _ in range(5):
                assert other.get(path, timeout=2).status_code == 200
        held.set()

    with server.client(origin="") as client:
        answers = all_at_once(client, paths, meanwhile)
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.headers["content-type"] for answer in answers} == {"image/svg+xml"}
