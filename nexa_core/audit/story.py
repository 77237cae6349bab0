"""Entries as they are read: each a sentence, what belongs together as one, names instead of identifiers."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Row, String, case, cast, column, exists, func, select, table, text
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import Session

from nexa_core.actions import ALONGSIDE, HOLDING, Action
from nexa_core.actor import Actor, Scope
from nexa_core.audit.filters import STAFF_SCOPES

#: Edits of one session by one person belong together while the gap between two of them is under this: a burst, as in
#: the history of the documents.
BURST_GAP = dt.timedelta(minutes=5)

_ACTIONS = {action.value: action for action in Action}
#: What no reader is shown in a sentence: it says nothing to them.
IDENTIFIER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_LONGEST_WORDS = 80
#: A demo world is made in hundreds of steps, which are one event to a reader.
_MADE = Action.DEMO_SEEDED.value

# The log stands below the domains and may not import them; of their tables it needs the names only.
users = table("users", column("id"), column("full_name", String), column("email", String))
organizations = table("organizations", column("id"), column("name"), column("slug"))
memberships_table = table(
    "organization_memberships", *map(column, ("id", "user_id", "organization_id", "status", "requested_at"))
)
sessions = table("ai_architecture_sessions", column("uuid"), column("id"), column("title"))
links = table("share_links", column("id"), column("session_id"))

#: What people call a column, where its own name is not what they call it.
_LABELS = {
    "plan_type": "plan",
    "usage_limits": "limits",
    "subscription_status": "subscription",
    "subscription_data": "subscription details",
    "account_manager_id": "account manager",
    "logo_url": "logo",
    "avatar_url": "picture",
    "tax_id": "tax number",
    "billing_email": "billing address",
    "notification_settings": "notifications",
    "session_objects": "structuring",
    "sow_objects": "statement of work",
    "loe_objects": "level of effort",
    "diagram_texts_json": "diagrams",
    "visual_assets_json": "assets",
    "session_type": "kind",
    "client": "client",
    "is_shared": "sharing",
}
#: In these the first letter is a capital and the words are apart.
STATES = frozenset({"plan_type", "subscription_status"})


@dataclass(frozen=True, slots=True)
class EntryView:
    """One entry, ready to read; times are UTC. Long values are cut short: ``audit.entry`` has them whole."""

    id: UUID
    at: dt.datetime
    action: str
    sentence: str
    actor_id: UUID | None
    actor_name: str
    is_staff_access: bool
    organization_id: UUID | None
    organization_name: str | None
    resource_type: str
    resource_id: UUID | None
    resource_name: str | None
    old_values: Mapping[str, Any] | None
    new_values: Mapping[str, Any] | None
    reason: str | None
    ip_address: str | None
    user_agent: str | None
    request_id: UUID


@dataclass(frozen=True, slots=True)
class Group:
    """Entries that happened together, newest first: one request, or one burst of edits of the same session."""

    entries: tuple[EntryView, ...]
    is_burst: bool

    @property
    def first(self) -> EntryView:
        """The entry that tells the story: of a request the one that came first, of a burst the newest."""
        return self.entries[0] if self.is_burst else self.entries[-1]

    @property
    def sentence(self) -> str:
        count = len(self.entries)
        if self.is_burst and self.first.action != _MADE:
            return f"{self.first.sentence} {count} times"
        more = count - 1
        return self.first.sentence + (f", and {more} more change{'s' if more > 1 else ''}" if more else "")


def grouped(entries: Iterable[EntryView]) -> tuple[Group, ...]:
    """Neighbours that belong together, in the order given (newest first)."""
    entries = list(entries)
    found: list[list[EntryView]] = [[entry] for entry in entries[:1]]
    for newer, older in pairwise(entries):
        if newer.request_id == older.request_id or newer.action == older.action == _MADE or _in_burst(newer, older):
            found[-1].append(older)
        else:
            found.append([older])
    return tuple(Group(tuple(group), len({entry.request_id for entry in group}) > 1) for group in found)


def label(name: str) -> str:
    """What people call a column or a key."""
    return _LABELS.get(name) or name.replace("_", " ").removesuffix(" id").removesuffix(" minor")


def views(actor: Actor, db: Session, rows: Sequence[Row[*tuple[Any, ...]]]) -> tuple[EntryView, ...]:
    """The entries of these rows of ``audit_logs``, with names asked for all of them at once."""
    names = _names(actor, db, rows)
    places = {row.organization_id for row in rows if row.organization_id}
    found = db.execute(select(organizations.c.id, organizations.c.name).where(organizations.c.id.in_(places)))
    places_by_id = {place.id: place.name for place in found}
    return tuple(_view(row, names, places_by_id) for row in rows)


def _in_burst(newer: EntryView, older: EntryView) -> bool:
    return (
        newer.action == older.action == Action.SESSION_EDITED.value
        and newer.resource_id == older.resource_id
        and newer.actor_id == older.actor_id
        and newer.at - older.at < BURST_GAP
    )


def _names(actor: Actor, db: Session, rows: Sequence[Any]) -> dict[UUID, str]:
    """What people call those who acted and what they acted on; a membership is called by its person."""
    of = {kind: {row.resource_id for row in rows if row.resource_type == kind} - {None} for kind in _NAMED}
    gone: dict[UUID, UUID] = {}
    for row in rows:  # a removed membership is gone; its entry still knows the person
        person = (row.old_values or {}).get("user_id")
        if row.resource_type == "membership" and row.resource_id and isinstance(person, str):
            gone[row.resource_id] = UUID(person)
    people = of["user"] | {row.user_id for row in rows if row.user_id}
    names = names_of(actor, db, people=people, memberships=of["membership"], titled=of["session"], gone=gone)
    if of["share_link"]:  # what people call a link is what it leads to
        titles = select(links.c.id, sessions.c.title).join(sessions, sessions.c.id == links.c.session_id)
        names |= {row.id: row.title for row in db.execute(titles.where(links.c.id.in_(of["share_link"])))}
    return names


def names_of(
    actor: Actor,
    db: Session,
    *,
    people: set[UUID],
    memberships: set[UUID],
    titled: set[UUID],
    gone: Mapping[UUID, UUID] | None = None,
) -> dict[UUID, str]:
    """Names by identifier, of those who have left too; ``gone`` are memberships that ended, with their person."""
    members = dict(gone or {})
    if memberships:
        belonging = db.execute(select(memberships_table).where(memberships_table.c.id.in_(memberships)))
        members |= {row.id: row.user_id for row in belonging}
    people = people | set(members.values())
    named = select(users.c.id, called(actor).label("name")).where(users.c.id.in_(people))
    names = {row.id: row.name for row in db.execute(named)} if people else {}
    hidden = people - names.keys()
    unknown = hidden | (memberships - members.keys())
    if unknown and actor.scope is Scope.TENANT:
        left = func.nexa.audit_names(_uuids(hidden), _uuids(memberships)).table_valued("id", "full_name")
        names |= {row.id: row.full_name for row in db.execute(select(left.c.id, left.c.full_name))}
    names |= {membership: names[person] for membership, person in members.items() if person in names}
    if titled:
        titles = db.execute(select(sessions).where(sessions.c.uuid.in_(titled)))
        names |= {row.uuid: row.title for row in titles}
    return names


def called(actor: Actor) -> ColumnElement[str]:
    """What a person is called: to a customer who has only invited them, by no more than the address."""
    if actor.scope is not Scope.TENANT:
        return users.c.full_name
    of = memberships_table.c
    mine = select(of.id).where(of.user_id == users.c.id, of.organization_id == actor.organization_id)
    invited = exists(mine.where(of.status == text("'pending'"), of.requested_at.is_(None)))
    return case((invited, users.c.email), else_=users.c.full_name)


_NAMED = ("user", "membership", "session", "share_link")


def _uuids(values: Iterable[UUID]) -> Any:
    return cast(list(values), ARRAY(PG_UUID(as_uuid=True)))


def _view(row: Any, names: Mapping[UUID, str], places: Mapping[UUID, str]) -> EntryView:
    who = names.get(row.user_id) or unnamed(row)
    place = places.get(row.organization_id)
    thing = place if row.resource_type == "organization" and row.resource_id == row.organization_id else None
    thing = thing or names.get(row.resource_id) or _name_in(row.new_values) or _name_in(row.old_values)
    return EntryView(
        id=row.id,
        at=row.created_at,
        action=row.action,
        sentence=_sentence(row, who, place, thing),
        actor_id=row.user_id,
        actor_name=who,
        is_staff_access=_is_by_staff(row),
        organization_id=row.organization_id,
        organization_name=place,
        resource_type=row.resource_type,
        resource_id=row.resource_id,
        resource_name=thing,
        old_values=row.old_values,
        new_values=row.new_values,
        reason=row.reason,
        ip_address=str(row.ip_address) if row.ip_address else None,
        user_agent=row.user_agent,
        request_id=row.request_id,
    )


def _is_by_staff(row: Any) -> bool:
    """What ``filters.BY_STAFF`` asks the database, of a row that is read."""
    return row.actor_scope in STAFF_SCOPES and row.action != _MADE


def unnamed(row: Any) -> str:
    """Who acted, for one whose name the reader may not know: a customer knows the platform's people as its staff."""
    if row.actor_scope not in STAFF_SCOPES:
        return "Somebody"
    return "NEXA staff" if row.user_id else "NEXA"


def _name_in(values: Any) -> str | None:
    """What a thing calls itself in its values, for one that is gone or has no screen of its own."""
    found = values if isinstance(values, dict) else {}
    return next((_cut(found[key]) for key in ("title", "name", "domain", "email") if found.get(key)), None)


class _Word(str):
    """A word of a sentence; formatted as ``’s`` it says whose, as any other noun how many of them."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        if spec == "’s":
            return f"{self}’" if self.endswith("s") else f"{self}’s"
        return f"{self} {spec}{'' if self == '1' else 's'}" if spec else str(self)


class _Words(dict[str, Any]):
    """Values of an entry by name, as words; what the entry does not hold reads as an ellipsis."""

    def __getitem__(self, key: str) -> _Word:
        return _Word(in_words(key, self.get(key)) if key in self else "…")


def in_words(name: str, value: Any) -> str:
    """A value within a sentence."""
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if moment := moment_of(value):
        return utc(moment)
    words = _cut(value)
    return words.replace("_", " ").capitalize() if name in STATES else words


def moment_of(value: Any) -> dt.datetime | None:
    """The time that a value is as JSON holds it; None for anything else."""
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        return None
    try:
        return dt.datetime.fromisoformat(value)
    except ValueError:  # written like one, such as the 31st of February
        return None


def utc(moment: dt.datetime) -> str:
    """A time within a text, which is the same for everybody who reads it."""
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"


def _cut(value: Any) -> str:
    words = " ".join(str(value).split()) if len(str(value)) < 10_000 else str(value)[:_LONGEST_WORDS]
    return words if len(words) < _LONGEST_WORDS else words[: _LONGEST_WORDS - 1] + "…"


def _sentence(row: Any, who: str, place: str | None, thing: str | None) -> str:
    action = _ACTIONS.get(row.action)
    if action is None:  # written by a newer NEXA than this one
        return f"{who}: {row.action}"
    kind = row.resource_type.replace("_", " ")
    resource = thing or f"{'an' if kind[:1] in 'aeio' else 'a'} {kind}"
    held = (HOLDING.get((action, name)) for name in row.new_values or {})
    alongside = next(filter(None, held), None) or ALONGSIDE.get((action, row.resource_type))
    is_told_by_columns = action in (Action.ORGANIZATION_UPDATED, Action.CHANGE_UNDONE) and alongside is None
    if is_told_by_columns and row.old_values and row.new_values:
        return _of_columns(action, who, place if row.resource_type == "organization" and place else resource, row)
    return (alongside or action.sentence).format(
        actor=who,
        organization=_Word(place or "the platform"),
        resource=resource,
        old=_Words(row.old_values or {}),
        new=_Words(row.new_values or {}),
    )


def _of_columns(action: Action, who: str, whose: str, row: Any) -> str:
    """A change that is named by what it changed: one simple value with before and after, several by name."""
    if action is not Action.CHANGE_UNDONE:
        return f"{who} changed {_Word(whose):’s} {what_changed(row.old_values, row.new_values)}"
    name, listed = _columns(row.old_values, row.new_values)
    to = f" to {in_words(name, row.new_values[name])}" if name else ""
    return f"{who} put {_Word(whose):’s} {listed} back{to}"


def what_changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """A change by what it changed, without who and whose: “name from A to B”, “name, plan and logo”."""
    name, listed = _columns(before, after)
    return f"{listed} from {in_words(name, before.get(name))} to {in_words(name, after[name])}" if name else listed


def _columns(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str | None, str]:
    """The one column with a simple value before and after, if that is all that changed; and all of them as words."""
    names = [name for name in after if name != "full_name" or len(after) == 1]
    labels = [label(name) for name in names[:4]] + (["more"] if len(names) > 4 else [])
    listed = ", ".join(labels[:-1]) + f" and {labels[-1]}" if len(labels) > 1 else labels[0]
    is_simple = len(names) == 1 and all(_is_simple(of.get(names[0])) for of in (before, after))
    return names[0] if is_simple else None, listed


def _is_simple(value: Any) -> bool:
    return not isinstance(value, dict | list) and not IDENTIFIER.fullmatch(str(value))
