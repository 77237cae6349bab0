"""What a row of the matrix is made of: who asks, where, how a verb is called there and what it should come to.

No table stands here: each domain has its own beside it, ``matrix_<domain>.py`` with VERBS and ROUTES.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from nexa_core.actor import Actor

#: "view-as" is an internal admin who looks at the organization with its owner's eyes.
ACTORS = (
    "anonymous", "pending", "suspended", "viewer", "billing", "member", "admin", "owner", "ex-member",
    "account manager", "internal admin", "view-as",
)  # fmt: skip
PLACES = ("own", "other", "deleted")

ADMIN = frozenset({"internal admin"})
PLATFORM = frozenset({"account manager", "internal admin"})
LOOKING = frozenset({"view-as"})
#: Who changes things in an organization; whoever looks with somebody else's eyes changes nothing.
MANAGE = frozenset({"admin", "owner"}) | ADMIN
#: Who reads its members, its log, its usage, anything of it.
MEMBERS = frozenset({"member", "admin", "owner"}) | PLATFORM | LOOKING
LOG = MANAGE | LOOKING
USAGE = frozenset({"billing", "admin", "owner"}) | PLATFORM | LOOKING
READ = MEMBERS | {"viewer", "billing"}
#: Who has a sign-in at all; an ex-member is at home in another organization by now.
SIGNED_IN = READ | {"ex-member"}
NOBODY: frozenset[str] = frozenset()

REASON = "because the matrix asks"


@dataclass(frozen=True)
class Place:
    """One organization, seen from an actor, and one of everything a row may be about.

    ``owner``, ``viewer``, ``paused`` (suspended), ``invitation`` (pending; ``token`` is its link's) and ``waiting``
    (asks to be let in) are memberships; ``person``, ``email`` and ``sign_in`` are the viewer's; ``gone`` is a person
    who was deleted, ``erased`` one who was erased. ``domain`` is an unproven claim, ``proven`` a proven one
    by which people join, ``joining`` the token of a link that does.
    ``session`` is the external identifier of an architecture session, ``event`` a usage event of now. ``entry`` is an
    audit entry, its change of plan; ``view`` somebody's saved view, ``batch`` a change of many that reached here,
    ``logo`` a stored picture's digest.
    """

    organization: UUID
    slug: str
    owner: UUID
    viewer: UUID
    paused: UUID
    invitation: UUID
    token: str
    joining: str
    waiting: UUID
    person: UUID
    email: str
    sign_in: UUID
    gone: UUID
    erased: UUID
    domain: UUID
    proven: UUID
    architecture_session: UUID
    event: UUID
    entry: UUID
    view: UUID
    batch: UUID
    logo: str


Expect = Callable[[str, str], str | None]
Seen = Callable[[Any, str, str, Place, Any], None]


@dataclass(frozen=True)
class Row:
    """How a verb is called at a place, and who may there.

    ``own`` names who may in the actor's own organization, ``other`` who may in somebody else's; ``strangers`` is what
    everybody else gets there. ``may`` outcomes are anything but a refusal to this actor; ``everywhere`` marks a verb
    that is about no place. ``expect`` answers for itself instead, and ``check`` looks at what was answered.
    """

    call: Callable[[Actor, Place], Any]
    own: frozenset[str] = NOBODY
    other: frozenset[str] = NOBODY
    strangers: str = "hidden"
    everywhere: bool = False
    expect: Expect | None = None
    check: Seen | None = None

    def expected(self, who: str, where: str) -> str | None:
        """What this actor gets there; None where the question cannot arise."""
        if self.expect is not None:
            return self.expect(who, where)
        if self.everywhere:
            return ("may" if who in self.own else "forbidden") if where == "own" else None
        at_home = where == "own" and who != "ex-member"
        if who in (self.own if at_home else self.other):
            return "may"
        return "forbidden" if at_home or who in PLATFORM else self.strangers


@dataclass(frozen=True)
class Route:
    """A route answers as its verb does, and 401 to whoever has no sign-in; ``public`` says why it asks for none.

    ``listed`` is where in the answer the things are that the verb lists, "" for the answer itself: the same ones, all.
    """

    verb: str = ""
    path: Callable[[Place], str] = lambda _: ""
    body: dict[str, Any] | None = None
    public: str = ""
    listed: str | None = None


def here(verb: Callable[..., Any], **more: Any) -> Callable[[Actor, Place], Any]:
    """A verb about an organization."""
    return lambda actor, place: verb(actor, organization_id=place.organization, **more)


def members(call: Callable[[Actor, Place], Any], check: Seen | None = None) -> Row:
    """For whoever reads the members of an organization."""
    return Row(call, own=MEMBERS, other=PLATFORM, check=check)


def manage(call: Callable[[Actor, Place], Any], own: frozenset[str] = MANAGE) -> Row:
    """For whoever manages an organization, and internal admins in every other."""
    return Row(call, own=own, other=ADMIN)


def platform(call: Callable[[Actor, Place], Any], own: frozenset[str] = ADMIN, check: Seen | None = None) -> Row:
    """About no organization in particular."""
    return Row(call, own=own, everywhere=True, check=check)


def admins(call: Callable[[Actor, Place], Any]) -> Row:
    """For internal admins alone; everybody else is told so, wherever they ask."""
    return Row(call, own=ADMIN, other=ADMIN, strangers="forbidden")


def expect_of_an_account(outcome: str = "may", *, viewing: str = "forbidden") -> Expect:
    """Verbs about oneself ask for no permission; who has no sign-in never becomes an actor."""

    def expect(who: str, where: str) -> str | None:
        if where != "own" or who in ("pending", "suspended"):
            return None
        return "nobody" if who == "anonymous" else viewing if who == "view-as" else outcome

    return expect


def never(outcome: str, *, deleted: str | None = None, viewing: str | None = None) -> Expect:
    """A verb that is about the caller's own thing, asked about somebody else's."""

    def expect(who: str, where: str) -> str | None:
        if who in ("pending", "suspended"):
            return None
        if who == "anonymous":
            return "nobody"
        if who == "view-as" and viewing:
            return viewing
        return deleted if deleted and where == "deleted" else outcome

    return expect


def in_the_log(own: frozenset[str] = LOG) -> Expect:
    """A verb about the whole log, of which everybody finds their own part; anybody else is refused it."""

    def expect(who: str, where: str) -> str:
        return "ok" if who in own else "forbidden"

    return expect
