"""How far each page of a session is, from the facts the database counts (``nexa.session_facts``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nexa_core.architecture_sessions.documents import COLUMNS
from nexa_core.architecture_sessions.views import Progress


def progress_of(facts: Mapping[str, Any] | None) -> tuple[Progress, ...]:
    """One for each page, in the order of the pages."""
    return tuple(Progress(page, *(facts or {}).get(page, (0, 0))) for page in COLUMNS)
