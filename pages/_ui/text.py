"""Words from the database as Markdown shows them: literally."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:])")

# Addresses become links after Markdown is read, escaped or not: a word joiner, which nobody sees, prevents it.
_LINK = re.compile(r"(https?(?=:)|www(?=\.))", re.IGNORECASE)


def literal(text: object) -> str:
    """``text`` with everything escaped that Markdown would take for a sign of its own, and no link made of it."""
    text = _LINK.sub("\\1\u2060", str(text))
    return _SPECIAL.sub(r"\\\1", text).replace("\n", " ")
