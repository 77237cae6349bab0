"""The script Streamlit runs: find out who is asking, draw the frame, run the screen, and turn errors into sentences."""

import time

import structlog

from pages._ui import chrome, errors, gate, menu, notices

started = time.perf_counter()
with errors.boundary(), gate.entered() as actor:
    chrome.configure(actor)
    page = menu.for_actor(actor) if actor else menu.for_visitor()
    if actor:
        structlog.contextvars.bind_contextvars(
            request_id=str(actor.origin.request_id), actor=str(actor.user_id), organization=str(actor.organization_id)
        )
        chrome.sidebar(actor)
    notices.deliver()
    with errors.boundary():
        page.run()
structlog.get_logger("nexa.pages").info(
    "page", page=page.url_path or "home", duration_ms=round((time.perf_counter() - started) * 1000, 1)
)
