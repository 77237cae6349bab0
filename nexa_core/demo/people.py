"""The people of the demo world: invented names, a role, a job, and when they came."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from nexa_core.demo.customers import Customer

_FIRST = """
Ada Alba Amara Anouk Aroha Arun Astrid Ayo Bashir Beatriz Bjarne Callum Carys Chidi Clio Daichi Dalia Darragh Deepa
Edda Eitan Elif Emeka Enzo Esme Farah Fergus Freya Gideon Greta Hana Haruto Hedda Ines Ingo Isla Ivo Jaya Jonas
Kaito Kavya Keanu Kiri Lerato Linnea Lucia Mairi Malik Marta Mateo Mei Milo Nadia Naledi Nils Noor Odile Oren Otto
Pania Priya Quentin Rafael Ravi Rhea Rosa Rui Saoirse Sefa Sipho Sora Tamsin Tariq Thabo Thea Tomas Uma Vera Viggo
Wanjiru Wren Xenia Yara Yuki Zainab Zoe
"""
#: Not found in any directory: places that do not exist.
_LAST = """
Abelwick Ambrelow Ashenholt Barrowmist Bellamarsh Brackenvale Bramwater Calderfen Cindermoor Coldharrow Cragsmere
Dapplemead Dovercrag Dunmarrow Eddlestow Elderquist Fallowmere Farrowick Fenwicket Flintmarsh Foxhallow Gorseby
Greyfallow Harrowind Hartlemoss Hazelmere Heronsgate Hollowbeck Iverstone Jessamere Kelderby Kestermarsh Larkenfell
Lindenquay Lowmarrow Mallowfield Marrowind Merebright Mistlethorn Moorquill Netherquist Oakenshade Orrelmarsh
Pellowick Penhallowe Quillfeather Quorndale Ravensmead Rookhollow Rowanquist Sablewick Saltmarrow Silverfen
Sornmarsh Stonewhistle Tamberlow Thistlequay Thornmallow Umberfield Valewick Vellmarsh Wetherquill Whinmarrow
Windlequist Withybrook Wrenfallow Yarrowmist Zellmarsh
"""
_JOBS = (
    "Solution architect",
    "Business analyst",
    "Delivery manager",
    "Lead engineer",
    "Enterprise architect",
    "Data architect",
    "Product owner",
    "Consultant",
    "Integration engineer",
    "Security architect",
)


@dataclass(frozen=True, slots=True)
class Person:
    """A person in the organization they came with. ``joined_at`` is None while the invitation is open.

    ``weight`` is their share of the organization's work; 0 for those who only look or pay.
    """

    id: UUID
    email: str
    first_name: str
    last_name: str
    role: str
    job: str
    joined_at: datetime | None
    weight: float

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}"


class Names:
    """Hands out full names, each once."""

    def __init__(self, rng: random.Random) -> None:
        firsts, lasts = _FIRST.split(), _LAST.split()
        rng.shuffle(firsts)
        rng.shuffle(lasts)
        self._given = 0
        self._firsts, self._lasts = firsts, lasts

    def next(self) -> tuple[str, str]:
        number = self._given
        self._given += 1
        shift = number // len(self._lasts)
        return self._firsts[number % len(self._firsts)], self._lasts[(number + shift) % len(self._lasts)]


def new_id(rng: random.Random) -> UUID:
    return UUID(int=rng.getrandbits(128), version=4)


def people_of(customer: Customer, rng: random.Random, names: Names, start: datetime) -> list[Person]:
    """Owner first, then those with a function address, then the team by when they joined; open invitations last."""
    first = (
        ("owner", "Head of architecture", 0, 0.6),
        ("billing", "Finance partner", 3, 0.0),
        ("viewer", "Programme sponsor", 5, 0.0),
    )
    people = [
        _person(rng, names.next(), role, job, start + timedelta(hours=hours), weight, f"{role}@{customer.domain}")
        for role, job, hours, weight in first
    ]
    team = customer.people - len(people) - customer.invited
    for number in range(team):
        role = "admin" if number % 10 == 1 else "viewer" if number % 7 == 5 else "member"
        name = names.next()
        joined = start + timedelta(minutes=30 + rng.randrange(60)) + _wait(customer, number, team)
        weight = 0.0 if role == "viewer" else _weight(customer, number, rng)
        people.append(_person(rng, name, role, rng.choice(_JOBS), joined, weight, _address(name, customer)))
    people[3:] = sorted(people[3:], key=lambda person: person.joined_at or start)
    for _ in range(customer.invited):
        name = names.next()
        people.append(_person(rng, name, "member", rng.choice(_JOBS), None, 0.0, _address(name, customer)))
    return people


def _wait(customer: Customer, number: int, team: int) -> timedelta:
    """Half of a team is there on the first day; in a growing one the others come month by month."""
    if customer.plot != "growing" or number < team // 2:
        return timedelta(0)
    return timedelta(days=int((customer.joined - 20) * (number - team // 2 + 1) / (team - team // 2 + 1)))


def _weight(customer: Customer, number: int, rng: random.Random) -> float:
    """Where one person is the customer, they do most of it; in a big team many do their part."""
    if customer.plot == "at the limit":
        return 9.0 if number == 0 else 0.6
    return rng.uniform(0.7, 1.6) if customer.plot == "one big team" else rng.uniform(0.3, 2.0)


def _address(name: tuple[str, str], customer: Customer) -> str:
    return f"{name[0]}.{name[1]}@{customer.domain}".lower()


def _person(
    rng: random.Random, name: tuple[str, str], role: str, job: str, joined: datetime | None, weight: float, email: str
) -> Person:
    return Person(new_id(rng), email, name[0], name[1], role, job, joined, weight)
