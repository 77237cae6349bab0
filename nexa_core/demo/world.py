"""The demo world before it is written: everything that follows from one seed and one day, and nothing else."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from nexa_core.architecture_sessions.documents import Documents
from nexa_core.demo.activity import Span, Use, moment, uses_of, weights_by_day
from nexa_core.demo.blueprints import BLUEPRINTS, Blueprint
from nexa_core.demo.composing import Composition, workday
from nexa_core.demo.customers import CUSTOMERS, Customer
from nexa_core.demo.industries import INDUSTRIES
from nexa_core.demo.people import Names, Person, new_id, people_of

SEED = 20_261_122
PLATFORM = "NEXA"
#: Who belongs to both: a consultant of the first customer who also works for the second.
CONSULTANT = ("lumenfold", "merrowgate")

_STAFF = (
    ("admin@nexa.example", "owner", "Head of operations"),
    ("manager@nexa.example", "member", "Account manager"),
    (None, "billing", "Account manager"),
    ("presenter@nexa.example", "viewer", "Sales engineer"),
)


@dataclass(frozen=True, slots=True)
class Session:
    """An architecture session of the demo; ``author`` wrote it."""

    uuid: UUID
    author: UUID
    title: str
    client: str | None
    documents: Documents
    session_type: str
    is_template: bool
    tags: list[str]
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Membership:
    """A person of another organization who works here too."""

    person: Person
    role: str
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class Tenant:
    """A customer with everything it has. The last ``customer.suspended_members`` of the active team are suspended."""

    customer: Customer
    id: UUID
    joined_at: datetime
    people: list[Person]
    guests: list[Membership]
    sessions: list[Session]
    uses: list[Use]

    @property
    def suspended(self) -> list[Person]:
        team = [p for p in self.people if p.joined_at and p.role == "member" and not p.email.startswith("owner@")]
        return team[-self.customer.suspended_members :] if self.customer.suspended_members else []


@dataclass(frozen=True, slots=True)
class World:
    """``staff`` are the admin, the two account managers and the presenter, in this order."""

    day: date
    platform_id: UUID
    staff: list[Person]
    tenants: list[Tenant]

    def digest(self) -> str:
        """One value for all of it; two worlds of the same seed and day have the same."""
        found = hashlib.sha256(repr((self.day, self.platform_id, self.staff)).encode())
        for tenant in self.tenants:
            found.update(repr((tenant.customer, tenant.id, tenant.people, tenant.guests, tenant.sessions)).encode())
            for use in tenant.uses:
                found.update(repr(use).encode())
        return found.hexdigest()


def build(day: date, seed: int = SEED) -> World:
    """The world of this day. Use of the day itself is there to its end; writing leaves out what is to come."""
    rng = random.Random(f"{seed}:platform")  # noqa: S311 - a story, not a secret
    names = Names(rng)
    founded = datetime.combine(day - timedelta(days=1_100), time(9), UTC)
    platform_id = new_id(rng)
    staff: list[Person] = []
    for email, role, job in _STAFF:
        name = names.next()
        address = email or f"{name[0]}.{name[1]}@nexa.example".lower()
        staff.append(Person(new_id(rng), address, name[0], name[1], role, job, founded, 0.0))
    tenants: list[Tenant] = []
    for customer in CUSTOMERS:
        own = random.Random(f"{seed}:{customer.slug}")  # noqa: S311 - each customer its own, so that one can change alone
        tenants.append(_tenant(customer, day, own, names, tenants))
    return World(day, platform_id, staff, tenants)


def _tenant(customer: Customer, day: date, rng: random.Random, names: Names, earlier: list[Tenant]) -> Tenant:
    organization_id = new_id(rng)
    zone = ZoneInfo(customer.time_zone)
    begin = day - timedelta(days=customer.joined)
    joined_at = datetime(begin.year, begin.month, begin.day, 9, rng.randrange(60), tzinfo=zone).astimezone(UTC)
    people = people_of(customer, rng, names, joined_at)
    guests: list[Membership] = []
    if customer.slug == CONSULTANT[1]:
        home = next(tenant for tenant in earlier if tenant.customer.slug == CONSULTANT[0])
        consultant = next(person for person in home.people if person.role == "member" and person.joined_at)
        came = datetime.combine(day - timedelta(days=300), time(1), UTC)
        guests.append(Membership(consultant, "member", max(came, consultant.joined_at or came)))
    days = weights_by_day(customer, day, rng)
    sessions = _sessions(customer, people, days, day, rng)
    workers = [*people, *(_working_here(guest) for guest in guests)]
    spans = [
        Span(architecture_session.author, architecture_session.created_at, architecture_session.deleted_at)
        for architecture_session in sessions
    ]
    uses = uses_of(customer, workers, spans, days, rng)
    return Tenant(customer, organization_id, joined_at, people, guests, _touched(sessions, uses, day), uses)


def _working_here(guest: Membership) -> Person:
    return replace(guest.person, role=guest.role, joined_at=guest.joined_at, weight=0.5)


def _sessions(
    customer: Customer, people: list[Person], days: list[tuple[date, float]], day: date, rng: random.Random
) -> list[Session]:
    """The customer's sessions in the order of their creation, none from today, no project twice for one client."""
    zone = ZoneInfo(customer.time_zone)
    industry = INDUSTRIES[customer.industry]
    past = [(here, weight) for here, weight in days if here < day - timedelta(days=1)]
    chosen = rng.choices([here for here, _ in past], [weight for _, weight in past], k=customer.sessions)
    moments = sorted(moment(here, zone, rng) for here in chosen)
    pairs = _projects(industry.clients, customer.sessions, rng)
    found: list[Session] = []
    for number, (at, (blueprint, client)) in enumerate(zip(moments, pairs, strict=True)):
        authors = [p for p in people if p.weight and p.joined_at and p.joined_at < at] or people[:1]
        author = rng.choices(authors, [p.weight for p in authors])[0]
        start = workday(at.astimezone(zone).date() + timedelta(days=rng.randrange(21, 60)))
        composition = Composition(
            rng, blueprint, industry, client=client, start=start, currency=customer.currency, colors=customer.colors
        )
        template = number % 12 == 6
        deleted = number % 17 == 11 and at.date() < day - timedelta(days=40)
        found.append(
            Session(
                uuid=new_id(rng),
                author=author.id,
                title=f"Template: {composition.title}" if template else composition.title,
                client=None if template else client,
                documents=composition.documents(),
                session_type="template" if template else "solution",
                is_template=template,
                tags=[*blueprint.tags, customer.industry],
                created_at=at,
                updated_at=at,
                deleted_at=at + timedelta(days=rng.randrange(3, 30), hours=5) if deleted else None,
            )
        )
    return found


def _projects(clients: tuple[str, ...], count: int, rng: random.Random) -> list[tuple[Blueprint, str]]:
    """Kinds of project in turn, each with another client than the last time."""
    kinds = list(BLUEPRINTS)
    rng.shuffle(kinds)
    offset = rng.randrange(len(clients))
    return [
        (kinds[number % len(kinds)], clients[(number + 2 * (number // len(kinds)) + offset) % len(clients)])
        for number in range(count)
    ]


def _touched(sessions: list[Session], uses: list[Use], day: date) -> list[Session]:
    """Each session as of its last use before today, or its deletion."""
    today = datetime.combine(day, time(0), UTC)
    last: dict[int, datetime] = {}
    for use in uses:
        if use.architecture_session is not None and use.event_type in ("ai_call", "session_save") and use.at < today:
            last[use.architecture_session] = use.at
    found: list[Session] = []
    for number, architecture_session in enumerate(sessions):
        updated_at = architecture_session.deleted_at or max(
            architecture_session.created_at, last.get(number, architecture_session.created_at)
        )
        found.append(replace(architecture_session, updated_at=updated_at))
    return found
