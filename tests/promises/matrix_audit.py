"""Who may do what with the audit log."""

from __future__ import annotations

from typing import Any

from nexa_core import audit
from tests.promises.matrix_rows import PLATFORM, Place, Route, Row, here, in_the_log


def _only_ones_own_log(stage: Any, who: str, where: str, place: Place, found: Any) -> None:
    if where != "own" and who not in PLATFORM:
        assert found == ()


VERBS: dict[str, Row] = {
    "audit.recent": Row(here(audit.recent), expect=in_the_log(), check=_only_ones_own_log),
    "audit.verify": Row(lambda a, _: audit.verify(a), expect=in_the_log()),
}

ROUTES: dict[str, Route] = {}
