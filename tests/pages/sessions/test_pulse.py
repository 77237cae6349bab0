"""Pulses are taken often enough: who comes, and what they save, is on the screen within three seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

from nexa_core import architecture_sessions
from pages._ui import menu
from pages._ui.sessions import presence
from tests.pages.conftest import Shell
from tests.pages.test_gate import _open

WITHIN = 3.0


def _seconds(act: Callable[[], object]) -> float:
    took = []
    for _ in range(7):
        began = time.perf_counter()
        act()
        took.append(time.perf_counter() - began)
    return median(took)


def test_what_somebody_saves_is_seen_within_three_seconds(shell: Shell, stored: Any) -> None:
    """The longest wait is an interval, the pulse that tells, the one that asks for a new drawing, and the page."""
    sections = [{"id": f"sec-{n}", "title": f"Section {n}", "markdown": "What we do and how. " * 20} for n in range(45)]
    uuid, sign_in, actor = stored(("sow_objects",), {"format": 1, "sections": sections})
    app = shell(sign_in)
    app.query_params["session"] = str(uuid)
    app = _open(app, menu.SOW.path)
    assert not app.exception and not app.error
    pulse = _seconds(lambda: architecture_sessions.here(actor, uuid, page="sow"))
    page = _seconds(app.run)
    assert presence.SECONDS + 2 * pulse + page <= WITHIN, f"a pulse takes {pulse:.3f} s, the page {page:.3f} s"
