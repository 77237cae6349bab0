"""What can be looked for in the log, as values and as the words of an address or a saved view."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from ipaddress import ip_address
from typing import Any
from uuid import UUID

from nexa_core.actions import Action
from nexa_core.actor import Scope
from nexa_core.errors import Invalid


@dataclass(frozen=True, slots=True)
class Subject:
    """What a timeline is about: ``user``, ``organization``, ``session`` or ``membership``, and which."""

    resource_type: str
    resource_id: UUID


@dataclass(frozen=True, slots=True)
class Filters:
    """What to look for; everything given must hold. Times are half-open: from ``since`` to before ``until``.

    ``request`` is a request's id, or its first eight digits: the reference that an error shows.
    """

    person: UUID | None = None
    action: str | None = None
    resource_type: str | None = None
    resource: UUID | None = None
    organization: UUID | None = None
    address: str | None = None
    text: str | None = None
    request: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    staff: bool = False
    about: Subject | None = None

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Filters:
        """Filters from words, as an address or a saved view holds them; what is no filter is left aside.

        Raises Invalid, naming the filter, for a value that cannot be looked for.
        """
        return cls(**{
            name: _PARSERS.get(name, _words)(name, str(given[name]))
            for name in cls.names()
            if given.get(name) not in (None, "", False)
        })  # fmt: skip

    def words(self) -> dict[str, str]:
        """The same filters as words, for an address or a saved view; only what is set."""
        found = {name: getattr(self, name) for name in self.names()}
        return {name: _as_words(value) for name, value in found.items() if value not in (None, False)}

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple(field.name for field in fields(cls))


#: In these the platform's own people act.
STAFF_SCOPES = (Scope.STAFF.value, Scope.PRESENTER.value)
#: What they did, as SQL on an entry: for the log's filter, for their screen and for the export.
#: Making a demo world is nobody's access to it.
BY_STAFF = f"actor_scope IN {STAFF_SCOPES} AND action <> 'demo.seeded'"
VIEWING = (Action.VIEWING_STARTED.value, Action.VIEWING_ENDED.value, Action.VIEWING_EXPIRED.value)
_VIEWED_AS = f"action IN {VIEWING}"
EXPORTING = tuple(
    action.value
    for action in (Action.AUDIT_EXPORTED, Action.USAGE_EXPORTED, Action.INVOICE_EXPORTED, Action.USER_EXPORTED)
)
_EXPORTED = f"action IN {EXPORTING}"
_DOCUMENTS = "resource_type IN ('session', 'share_link')"
#: The same by what they did; each entry is of one kind.
STAFF_DID = {
    "documents": f"{BY_STAFF} AND {_DOCUMENTS}",
    "viewed_as": f"{BY_STAFF} AND {_VIEWED_AS}",
    "exported": f"{BY_STAFF} AND {_EXPORTED} AND NOT {_DOCUMENTS}",
    "changed": f"{BY_STAFF} AND NOT {_VIEWED_AS} AND NOT {_EXPORTED} AND NOT {_DOCUMENTS}",
}

#: No filter at all.
EVERYTHING = Filters()


def _words(name: str, value: str) -> str:
    if len(value) > 200:
        raise Invalid("What is looked for has at most 200 characters.", field=name)
    return value


def _uuid(name: str, value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError as broken:
        raise Invalid(f"“{value[:60]}” is no identifier; one has 32 digits from 0 to f.", field=name) from broken


def _request(name: str, value: str) -> str:
    value = value.strip().lower()
    return value if re.fullmatch(r"[0-9a-f]{8}", value) else str(_uuid(name, value))


def _moment(name: str, value: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError as broken:
        raise Invalid(f"“{value[:60]}” is no time such as 2026-11-22T14:03:00Z.", field=name) from broken
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _address(name: str, value: str) -> str:
    try:
        return str(ip_address(value.strip()))
    except ValueError as broken:
        raise Invalid(f"“{value[:60]}” is no IP address.", field=name) from broken


def _action(name: str, value: str) -> str:
    if value not in {action.value for action in Action}:
        raise Invalid(f"There is no action “{value[:60]}”.", field=name)
    return value


def _subject(name: str, value: str) -> Subject:
    resource_type, _, resource_id = value.partition(":")
    return Subject(_words(name, resource_type), _uuid(name, resource_id))


_PARSERS: dict[str, Any] = {
    **dict.fromkeys(("person", "resource", "organization"), _uuid),
    **dict.fromkeys(("since", "until"), _moment),
    "request": _request,
    "address": _address,
    "action": _action,
    "about": _subject,
    "staff": lambda _name, value: value.lower() not in ("0", "false", "no"),
}


def _as_words(value: Any) -> str:
    if isinstance(value, Subject):
        return f"{value.resource_type}:{value.resource_id}"
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    return "1" if value is True else str(value)
