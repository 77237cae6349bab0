"""Words from the database as Markdown shows them: literally."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:])")


def literal(text: object) -> str:
    """``text`` with everything escaped that Markdown would take for a sign of its own."""
    return _SPECIAL.sub(r"\\\1", str(text)).replace("\n", " ")
