"""The Content-Security-Policy in a real Chromium: NEXA works under it, and what it forbids does not."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

SCREENS = ["/", "/organizations", "/account", "/system"]


@pytest.fixture
def console(page: Any) -> list[str]:
    """What the browser complains about."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


def test_signing_in_and_every_screen_work_without_a_violation(nexa_server: Any, page: Any, console: list[str]) -> None:
    page.goto(nexa_server.url)
    page.get_by_role("button", name="Internal admin").click()
    page.get_by_role("button", name="Sign out").wait_for(timeout=30_000)
    assert "nexa=" not in page.evaluate("() => document.cookie")
    for path in SCREENS:
        page.goto(nexa_server.url + path)
        page.get_by_role("button", name="Sign out").wait_for(timeout=30_000)
        page.locator("[data-testid=stAppViewContainer] h1").first.wait_for(timeout=30_000)
    page.wait_for_timeout(1000)
    assert [line for line in console if "Content Security Policy" in line or "401" in line] == []


def test_an_inline_script_and_a_foreign_one_do_not_run(nexa_server: Any, page: Any, console: list[str]) -> None:
    page.goto(nexa_server.url)
    page.evaluate(
        """() => {
            for (const fill of [s => s.textContent = "window.ran = 1", s => s.src = "https://evil.example/x.js"]) {
                const script = document.createElement("script"); fill(script); document.head.append(script)
            }
            const image = new Image(); image.setAttribute("onerror", "window.ran = 1")
            image.src = "data:,"; document.body.append(image)
        }"""
    )
    page.wait_for_timeout(500)
    assert page.evaluate("() => window.ran") is None
    assert sum("Content Security Policy" in line for line in console) >= 3


class _Framing(BaseHTTPRequestHandler):
    """Somebody else's site, with room for NEXA in it."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<iframe></iframe>")


def test_another_site_cannot_frame_nexa(nexa_server: Any, page: Any) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Framing) as elsewhere:
        Thread(target=elsewhere.serve_forever, daemon=True).start()
        page.goto(f"http://localhost:{elsewhere.server_address[1]}/")
        page.evaluate(
            "url => new Promise(ok => { const f = document.querySelector('iframe'); f.onload = ok; f.src = url })",
            nexa_server.url + "/",
        )
        elsewhere.shutdown()
    assert page.frames[-1].url == "chrome-error://chromewebdata/"
