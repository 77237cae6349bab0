"""The visitor's page over a real server and in a real browser: what it shows, keeps to itself, and never runs."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from nexa_core import architecture_sessions as sessions
from nexa_core.actor import Actor
from tests.databases import TestDatabase
from tests.nexa_core.api.conftest import Served
from tests.nexa_core.architecture_sessions.documents import documents
from tests.waiting import until
from tests.worlds import World

XSS = '<img src=x onerror="document.title=\'pwned\'"><script>document.title="pwned"</script>"><svg onload=alert(1)>'


@pytest.fixture
def ada(people: dict[str, Any], world: World) -> Actor:
    return world.actor(people["ada"], people["northwind"])


@pytest.fixture
def uuid(ada: Actor) -> UUID:
    made = documents()
    made["sow_objects"]["sections"][0]["title"] = XSS
    made["sow_objects"]["sections"][0]["markdown"] = (
        f"Plain {XSS}\n\n[bad](javascript:alert(1)) [good](https://elsewhere.example/page) "
        "![tracker](https://tracker.example/pixel.png)"
    )
    made["session_objects"]["objects"][0]["title"] = XSS
    made["session_objects"]["objects"][0]["description"] = XSS
    made["loe_objects"]["rows"][0]["task"] = XSS
    return sessions.create(ada, title=f"Portal {XSS}"[:255], client="Fabrikam", documents=made).uuid


def path_of(made: sessions.NewShareLink) -> str:
    return "/share/" + made.address.rpartition("/")[2]


class Form(HTMLParser):
    """The hidden fields of the first form of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.done = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "input" and named.get("type") == "hidden" and not self.done:
            self.fields[str(named["name"])] = str(named["value"])

    def handle_endtag(self, tag: str) -> None:
        self.done = self.done or tag == "form"


def test_the_page_needs_nobody_and_tells_nobody(server: Served, ada: Actor, uuid: UUID) -> None:
    path = path_of(sessions.share(ada, uuid=uuid))
    with server.client(origin="") as client:
        answer = client.get(path)
        assert answer.status_code == 200
        headers = answer.headers
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-robots-tag"].startswith("noindex")
        assert headers["cache-control"] == "no-store"
        assert headers["x-frame-options"] == "DENY"
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "unsafe" not in policy
        assert "set-cookie" not in headers
        assert "<script" not in answer.text
        assert "Northwind" in answer.text
        digest = sessions.diagram_digest(documents()["diagram_texts_json"]["diagrams"][0]["text"])
        drawn = client.get(f"{path}/drawing/{digest}")
        assert drawn.headers["content-type"] == "image/svg+xml"
        assert "sandbox" in drawn.headers["content-security-policy"]
        assert client.get(f"{path}/style.css").headers["content-type"].startswith("text/css")
        for nothing in (
            "/share", "/share/", f"{path}/../../api/sessions", f"{path}/drawing/{'0' * 64}", f"{path}/image/{'0' * 64}",
            f"{path}/logo", "/share/" + "a" * 43, f"{path}/x",
        ):  # fmt: skip
            refused = client.get(nothing)
            assert refused.status_code in (401, 404), nothing
            assert "Portal" not in refused.text


def test_who_only_asks_whether_there_is_a_page_has_not_seen_it(server: Served, ada: Actor, uuid: UUID) -> None:
    path = path_of(sessions.share(ada, uuid=uuid))
    with server.client(origin="") as client:
        assert client.head(path).status_code == 200  # as programs that check the links of a mail do
        assert sessions.share_links(ada, uuid=uuid)[0].view_count == 0
        client.get(path)
        assert sessions.share_links(ada, uuid=uuid)[0].view_count == 1


def test_a_token_opens_nothing_but_its_page(server: Served, ada: Actor, uuid: UUID) -> None:
    path = path_of(sessions.share(ada, uuid=uuid))
    token = path.rpartition("/")[2]
    with server.client(origin="", authorization=f"Bearer {token}") as client:
        for closed in (f"/api/sessions/{uuid}", f"/api/sessions/{uuid}/export.pdf", "/api/me"):
            assert client.get(closed).status_code == 401
    with server.client(origin="", cookie=f"nexa={token}; nexa_share={token}") as client:
        assert client.get(f"/api/sessions/{uuid}").status_code == 401


def test_an_answer_needs_the_pages_own_form_and_its_origin(server: Served, ada: Actor, uuid: UUID) -> None:
    path = path_of(sessions.share(ada, uuid=uuid))
    with server.client(origin="") as client:
        fields = Form(client.get(path).text).fields
        said = {**fields, "kind": "approval", "name": "Cleo <b>Client</b>", "email": "cleo@fabrikam.example"}
        for origin, site in (("https://evil.example", ""), ("null", "cross-site"), ("", "")):
            headers = {name: value for name, value in (("origin", origin), ("sec-fetch-site", site)) if value}
            assert client.post(f"{path}/answer", data=said, headers=headers).status_code == 403, (origin, site)
        ours = {"origin": "null", "sec-fetch-site": "same-origin"}  # as a browser sends it from a no-referrer page
        stolen = client.post(f"{path}/answer", data={**said, "form_key": "0" * 64}, headers=ours)
        assert stolen.status_code == 401
        assert sessions.share_responses(ada, uuid=uuid) == ()
        again = client.post(f"{path}/answer", data={**said, "email": "nobody"}, headers=ours)
        assert (again.status_code, "Please give your e-mail address." in again.text) == (422, True)
        assert 'value="Cleo &lt;b&gt;Client&lt;/b&gt;"' in again.text, "what was typed is lost"
        assert client.post(f"{path}/answer", content=b"x" * 100_000, headers=ours).status_code in (401, 422)
        done = client.post(f"{path}/answer", data=said, headers=ours)
        assert (done.status_code, done.headers["location"]) == (303, f"{path}?thanks=1")
        assert "Approved by Cleo &lt;b&gt;Client" in client.get(done.headers["location"]).text
    (response,) = sessions.share_responses(ada, uuid=uuid)
    assert (response.kind, response.changed) == ("approval", False)


def test_no_way_to_the_page_goes_unrecorded(server: Served, ada: Actor, uuid: UUID, database: TestDatabase) -> None:
    path = path_of(sessions.share(ada, uuid=uuid))
    ours = {"origin": server.url}
    with server.client(origin="") as client:
        for seen in (
            client.get(f"{path}?thanks=1"),
            client.post(f"{path}/answer", data={"form_key": "0" * 64}, headers=ours),
        ):
            assert "What you approve is bound" in seen.text
    with database.superuser() as connection:
        assert connection.execute("SELECT view_count FROM share_links").fetchone() == (2,)
        noted = connection.execute("SELECT count(*) FROM audit_logs WHERE action = 'share_link.viewed'").fetchone()
    assert noted == (2,)


def test_a_passcode_is_asked_for_and_its_cookie_goes_to_this_page_alone(server: Served, ada: Actor, uuid: UUID) -> None:
    path = path_of(sessions.share(ada, uuid=uuid, passcode="open sesame"))
    ours = {"origin": server.url}
    with server.client(origin="") as client:
        locked = client.get(path)
        assert (locked.status_code, "Portal" in locked.text, "Northwind" in locked.text) == (401, False, True)
        wrong = client.post(f"{path}/unlock", data={"passcode": "sesame"}, headers=ours)
        assert (wrong.status_code, "not the passcode" in wrong.text) == (401, True)
        assert client.post(f"{path}/unlock", data={"passcode": "open sesame"}).status_code == 403
        opened = client.post(f"{path}/unlock", data={"passcode": "open sesame"}, headers=ours)
        cookie = opened.headers["set-cookie"]
        assert opened.status_code == 303
        assert f"Path={path}" in cookie
        assert "HttpOnly" in cookie
        assert client.get(path).status_code == 200
    assert "view_count" not in cookie


def test_the_token_is_in_no_log(server: Served, ada: Actor, uuid: UUID) -> None:
    path = path_of(sessions.share(ada, uuid=uuid))
    with capture_logs() as lines, server.client(origin="") as client:
        client.get(path)
        client.get(f"{path}/style.css")
        # A line is written after its answer was sent.
        until(lambda: [line["path"] for line in lines if line["event"] == "request"] == ["/share/...", "/share/..."])
    assert path.rpartition("/")[2] not in repr(lines)


def test_in_a_real_browser_nothing_runs_and_nobody_else_is_asked(
    server: Served, ada: Actor, uuid: UUID, page: Any
) -> None:
    path = path_of(sessions.share(ada, uuid=uuid, passcode="open sesame"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda _dialog: pytest.fail("a script ran"))
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.goto(server.url + path)
    page.get_by_label("Passcode").fill("open sesame")
    page.get_by_role("button", name="Open").click()
    page.get_by_role("heading", name="Statement of work").wait_for()
    page.locator("figure img").scroll_into_view_if_needed()
    assert page.locator("figure img").evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    assert page.title() != "pwned"
    assert page.locator("script, iframe, [onerror], [onload]").count() == 0
    assert page.get_by_role("link", name="bad").count() == 0
    assert page.get_by_role("link", name="good").get_attribute("rel") == "noopener noreferrer nofollow"
    assert all(url.startswith(server.url + path) for url in asked), asked
    section = page.locator("section.part").nth(1)
    section.get_by_text("Approve or comment").click()
    section.get_by_label("Your name").fill("Cleo Client")
    section.get_by_label("Your e-mail address").fill("cleo@fabrikam.example")
    section.get_by_role("button", name="Approve").click()
    page.get_by_text("Your answer was recorded").wait_for()
    page.get_by_text("Approved by Cleo Client").wait_for()
    assert not [fault for fault in faults if "Content Security" in fault], faults
    assert len(sessions.share_responses(ada, uuid=uuid)) == 1
    page.set_viewport_size({"width": 400, "height": 800})
    page.wait_for_function("document.documentElement.scrollWidth <= 400")  # once it is laid out anew
