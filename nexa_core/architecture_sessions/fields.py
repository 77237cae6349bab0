"""Title, client, kind and tags: what each may be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from nexa_core.errors import Invalid

TAGS: Final = 50
TAG_LENGTH: Final = 60


def title_of(title: str) -> str:
    """The title, its spaces in order. Raises Invalid."""
    return _line(title, "title", "A session needs a title of at most 255 characters.")


def client_of(client: Any) -> str | None:
    """The client, or None. Raises Invalid."""
    if client is None or (isinstance(client, str) and not client.strip()):
        return None
    return _line(client, "client", "A client has at most 255 characters.")


def type_of(session_type: str) -> str:
    """The kind: any word, as the platform's front end calls its own. Raises Invalid."""
    return _line(session_type, "session_type", "The kind of a session has 1 to 50 characters.", 50)


def tag_of(tag: Any) -> str:
    """One tag. Raises Invalid."""
    return _line(tag, "tags", f"A tag has 1 to {TAG_LENGTH} characters.", TAG_LENGTH)


def tags_of(tags: Sequence[str]) -> list[str]:
    """The tags in their order, each once. Raises Invalid."""
    found = list(dict.fromkeys(map(tag_of, tags)))
    if len(found) > TAGS:
        raise Invalid(f"A session has at most {TAGS} tags.", field="tags")
    return found


def words(tags: Any) -> tuple[str, ...]:
    """The tags as stored; whatever is no text among them is not shown."""
    return tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else ()


def _line(value: Any, field: str, rule: str, longest: int = 255) -> str:
    line = " ".join(value.split()) if isinstance(value, str) else ""
    unfit = "\x00" in line or any("\ud800" <= character <= "\udfff" for character in line)
    if not line or len(line) > longest or unfit:
        raise Invalid(rule, field=field)
    return line
