"""Which sessions a list shows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final
from uuid import UUID

from nexa_core.errors import Invalid

_LONGEST: Final = 300


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list is narrowed to; the default shows everything that is not in the trash.

    ``text`` is searched in title, client, tags and all documents: every word, the last one may be only begun; "in
    quotes" together, -without this one, this or that. ``organization_id`` is for the platform's people. ``tags`` must
    all be there. ``template`` is None for both kinds. ``edited_until`` is exclusive; times need a time zone.

    What an estimate says: ``role`` with ``over_hours`` finds rows of the level of effort of this role with more likely
    hours; ``without_criteria`` statements of work with a deliverable nobody can accept; ``broken_diagram`` diagrams
    that do not parse, as a job found out.
    """

    text: str = ""
    organization_id: UUID | None = None
    author_id: UUID | None = None
    client: str = ""
    session_type: str = ""
    tags: tuple[str, ...] = ()
    template: bool | None = None
    deleted: bool = False
    pinned: bool = False
    edited_since: dt.datetime | None = None
    edited_until: dt.datetime | None = None
    role: str = ""
    over_hours: float = 0
    without_criteria: bool = False
    broken_diagram: bool = False

    def check(self) -> None:
        """Raise Invalid, naming the field, for what no list can be narrowed to."""
        for name in ("text", "client", "session_type", "role"):
            value = getattr(self, name)
            if len(value) > _LONGEST or _unfit(value):
                raise Invalid(f"This can be at most {_LONGEST} ordinary characters.", field=name)
        if len(self.tags) > 20 or any(len(tag) > _LONGEST or _unfit(tag) for tag in self.tags):
            raise Invalid("A list can be narrowed to at most 20 tags.", field="tags")
        for name in ("edited_since", "edited_until"):
            moment = getattr(self, name)
            if moment is not None and moment.utcoffset() is None:
                raise Invalid("A time needs a time zone.", field=name)
        if not 0 <= self.over_hours < 1e12:  # not a number fails this, too
            raise Invalid("Hours are a number from 0 on.", field="over_hours")

    def words(self) -> dict[str, str]:
        """The filter as an address carries it; what is at its default is left out."""
        found: dict[str, str] = {}
        for one in fields(self):
            value = getattr(self, one.name)
            if value == one.default:
                continue
            if isinstance(value, bool):
                found[one.name] = "yes" if value else "no"
            elif isinstance(value, tuple):
                found[one.name] = "\n".join(value)
            else:
                found[one.name] = value.isoformat() if isinstance(value, dt.datetime) else str(value)
        return found

    @classmethod
    def parse(cls, words: Mapping[str, Any]) -> Filter:
        """The filter of an address or a saved view. Raises Invalid for words that are none of ours."""
        values: dict[str, Any] = {}
        try:
            for name, value in words.items():
                values[name] = _READERS[name](value)
        except (KeyError, ValueError, AttributeError, TypeError):
            raise Invalid("This filter cannot be read.", field=str(name)[:60]) from None
        found = cls(**values)
        found.check()
        return found

    def asked(self) -> dict[str, Any]:
        """What ``nexa.find_sessions`` takes."""
        markers = [f" tag {tag[:200]}" for tag in self.tags]
        markers += [f" role {self.role.lower()[:200]}"] if self.role else []
        markers += [" without criteria"] if self.without_criteria else []
        markers += [" broken diagram"] if self.broken_diagram else []
        given = {
            "text": self.text.strip(),
            "organization": str(self.organization_id) if self.organization_id else "",
            "author": str(self.author_id) if self.author_id else "",
            "client": self.client,
            "session_type": self.session_type,
            "since": self.edited_since.isoformat() if self.edited_since else "",
            "until": self.edited_until.isoformat() if self.edited_until else "",
            "role": self.role.lower(),
            "markers": markers,
            "pinned": self.pinned,
            "deleted": self.deleted,
        }
        found: dict[str, Any] = {name: value for name, value in given.items() if value}
        if self.template is not None:
            found["template"] = self.template
        if self.role:
            found["over_hours"] = self.over_hours
        return found


def _unfit(value: str) -> bool:
    return "\x00" in value or (not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value))


def _flag(value: str) -> bool:
    return {"yes": True, "no": False}[value]


_READERS: dict[str, Any] = {
    "text": str,
    "organization_id": UUID,
    "author_id": UUID,
    "client": str,
    "session_type": str,
    "tags": lambda value: tuple(tag for tag in value.split("\n") if tag),
    "template": _flag,
    "deleted": _flag,
    "pinned": _flag,
    "edited_since": dt.datetime.fromisoformat,
    "edited_until": dt.datetime.fromisoformat,
    "role": str,
    "over_hours": float,
    "without_criteria": _flag,
    "broken_diagram": _flag,
}
