"""What the demo world's audit log remembers of its past: how customers came, who worked, and who looked.

The doors stamp every entry with the time it is written, and nothing the program may do says otherwise. So the past is
written once, with the connection that owns the tables and migrates them; where NEXA has no such login, the demo's log
begins with its seeding. Each entry is linked into its chain like any other, and erasing or changing one is found.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import psycopg

from nexa_core.actions import Action
from nexa_core.demo.people import Person
from nexa_core.demo.world import SEED, Session, Tenant, World
from nexa_core.logs import logger

Entry = dict[str, Any]

#: Signing in is remembered for so many days; of each session the first edits.
SIGN_IN_DAYS = 10
_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1"
    " Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
    " Edg/142.0.0.0",
)

_WRITE = """
INSERT INTO audit_logs (id, created_at, organization_id, user_id, action, resource_type, resource_id, old_values,
                        new_values, ip_address, user_agent, request_id, reason, actor_scope)
SELECT e.id, e.at, e.organization, e.person, e.action, e.kind, coalesce(m.id, e.resource), e.old, e.new,
       e.address, e.agent, e.request, e.reason, e.scope
FROM jsonb_to_recordset(%s::jsonb) AS e(id uuid, at timestamptz, organization uuid, person uuid, action text, kind text,
    resource uuid, member uuid, old jsonb, new jsonb, address inet, agent text, request uuid, reason text, scope text)
LEFT JOIN organization_memberships m ON m.organization_id = e.organization AND m.user_id = e.member
ORDER BY e.at, e.id
ON CONFLICT DO NOTHING
"""


def write(owner_url: str, world: World, now: datetime) -> int:
    """Write what happened before ``now``, once; how many entries. 0 where the login may not act as the log's owner."""
    entries = [entry for tenant in world.tenants for entry in entries_of(world, tenant) if entry["at"] < now]
    try:
        with psycopg.connect(owner_url, application_name="nexa demo") as connection:
            connection.execute("SET LOCAL ROLE nexa_system")
            return connection.execute(_WRITE, [json.dumps(entries, default=str)]).rowcount
    except psycopg.errors.InsufficientPrivilege:
        logger("nexa.demo").info("no_history_without_the_owner_of_the_tables")
        return 0


def entries_of(world: World, tenant: Tenant) -> Iterator[Entry]:
    """The past of one customer; two worlds of the same seed and day have the same."""
    told = _Teller(world, tenant)
    past = [*told.beginnings(), *told.by_staff(), *told.by_the_owner()]
    for architecture_session in tenant.sessions:
        past += told.work(architecture_session)
    yield from (entry for entry in past if entry["at"] < told.today)
    yield from told.sign_ins()


class _Teller:
    """Makes one customer's entries; chance is the customer's own, so that one can change alone."""

    def __init__(self, world: World, tenant: Tenant) -> None:
        self.world, self.tenant = world, tenant
        self.chance = random.Random(f"{SEED}:{tenant.customer.slug}:history")  # noqa: S311 - a story, not a secret
        self.today = datetime.combine(world.day, datetime.min.time(), UTC)
        self.admin = world.staff[0]
        self.team = sorted((p for p in tenant.people if p.joined_at), key=lambda p: p.joined_at or tenant.joined_at)
        self.owner = next((p for p in self.team if p.role == "owner"), self.team[0])
        self.count = 0

    def entry(
        self,
        at: datetime,
        who: Person,
        action: Action,
        kind: str,
        *,
        resource: UUID | None = None,
        member: Person | None = None,
        old: dict[str, Any] | None = None,
        new: dict[str, Any] | None = None,
        reason: str | None = None,
        scope: str = "tenant",
    ) -> Entry:
        self.count += 1
        number = uuid5(self.tenant.id, f"{self.world.day} history {self.count}")
        milliseconds = int(at.timestamp() * 1000)
        place = self.world.staff.index(who) if who in self.world.staff else 20 + who.id.int % 200
        return {
            # version 7, of that moment, like every other entry's
            "id": UUID(f"{milliseconds:012x}7{number.hex[13:16]}8{number.hex[17:]}"),
            "at": at,
            "organization": self.tenant.id,
            "person": who.id,
            "action": action.value,
            "kind": kind,
            "resource": resource,
            "member": member.id if member else None,
            "old": old,
            "new": new,
            "address": f"{'192.0.2' if who in self.world.staff else '203.0.113'}.{place}",
            "agent": _AGENTS[who.id.int % len(_AGENTS)],
            "request": uuid5(number, "request"),
            "reason": reason,
            "scope": scope,
        }

    def beginnings(self) -> Iterator[Entry]:
        tenant, customer = self.tenant, self.tenant.customer
        made = {"name": customer.name, "slug": customer.slug, "plan_type": customer.plan, "status": "pending"}
        asked = tenant.joined_at - timedelta(days=3, minutes=self.chance.randrange(300))
        yield self.entry(
            asked, self.admin, Action.ORGANIZATION_CREATED, "organization", resource=tenant.id, new=made, scope="staff"
        )
        for person in self.team:
            joined = person.joined_at or tenant.joined_at
            sent = joined - timedelta(hours=3 + self.chance.randrange(60), minutes=self.chance.randrange(60))
            by_staff = person is self.owner or sent <= tenant.joined_at
            yield self.entry(
                sent, self.admin if by_staff else self.owner, Action.INVITATION_SENT, "membership", member=person,
                new={"role": person.role, "status": "pending", "user_id": str(person.id)},
                scope="staff" if by_staff else "tenant",
            )  # fmt: skip
            yield self.entry(
                joined, person, Action.INVITATION_ACCEPTED, "membership", member=person, scope="entry",
                old={"status": "pending", "joined_at": None}, new={"status": "active", "joined_at": joined.isoformat()},
            )  # fmt: skip

    def work(self, work: Session) -> Iterator[Entry]:
        author = next((person for person in self.tenant.people if person.id == work.author), self.owner)
        named = work.created_at + timedelta(hours=self.chance.randrange(20, 200))
        is_named = named < (work.deleted_at or self.today)
        draft = f"{work.title} (draft)" if is_named else work.title
        new: dict[str, Any] = {
            "title": draft,
            "client": work.client,
            "session_type": work.session_type,
            "tags": [],
        }
        yield self.entry(work.created_at, author, Action.SESSION_CREATED, "session", resource=work.uuid, new=new)
        tagged = work.created_at + timedelta(minutes=self.chance.randrange(6, 90))
        yield self.entry(
            tagged, author, Action.SESSION_TAGGED, "session", resource=work.uuid, old={"tags": []},
            new={"tags": work.tags},
        )  # fmt: skip
        there = [person for person in self.team if person.weight and (person.joined_at or named) < named] or [author]
        if is_named:
            yield self.entry(
                named, self.chance.choice([author, *there]), Action.SESSION_DETAILS_CHANGED, "session",
                resource=work.uuid, old={"title": draft}, new={"title": work.title},
            )  # fmt: skip
        if work.deleted_at:
            yield self.entry(
                work.deleted_at, author, Action.SESSION_DELETED, "session", resource=work.uuid,
                old={"deleted_at": None}, new={"deleted_at": work.deleted_at.isoformat()},
            )  # fmt: skip

    def sign_ins(self) -> Iterator[Entry]:
        """The first use of a day follows upon a sign-in."""
        since = self.today - timedelta(days=SIGN_IN_DAYS)
        people = {person.id: person for person in self.team}
        seen: set[tuple[UUID, object]] = set()
        for use in self.tenant.uses:
            person, day = people.get(use.person), (use.person, use.at.date())
            if use.at < since or person is None or day in seen:
                continue
            seen.add(day)
            at = use.at - timedelta(seconds=self.chance.randrange(40, 600))
            yield self.entry(
                at, person, Action.USER_SIGNED_IN, "user_session", resource=uuid5(person.id, str(use.at)),
                new={"kind": "browser", "user_id": str(person.id)}, scope="entry",
            )  # fmt: skip

    def by_staff(self) -> Iterator[Entry]:
        tenant, day = self.tenant, self.today
        if tenant.customer.plot not in ("growing", "overspending", "past due"):
            return
        began = day - timedelta(days=self.chance.randrange(4, 18), hours=-9, minutes=-self.chance.randrange(60))
        why = f"Ticket {self.chance.randrange(3000, 4000)}: the estimate shows other hours than the statement of work"
        ended = began + timedelta(minutes=self.chance.randrange(4, 25))
        yield self.entry(
            began, self.admin, Action.VIEWING_STARTED, "user", resource=self.owner.id, reason=why, scope="staff",
            new={"user_id": str(self.admin.id), "expires_at": (began + timedelta(hours=1)).isoformat()},
        )  # fmt: skip
        yield self.entry(
            ended, self.admin, Action.VIEWING_ENDED, "user", resource=self.owner.id, scope="staff",
            old={"ended_at": None}, new={"ended_at": ended.isoformat()},
        )  # fmt: skip

    def by_the_owner(self) -> Iterator[Entry]:
        for back in (275, 183, 92, 3):
            at = self.today - timedelta(days=back, hours=-13, minutes=-self.chance.randrange(120))
            if at > self.tenant.joined_at + timedelta(days=30):
                yield self.entry(
                    at,
                    self.owner,
                    Action.AUDIT_EXPORTED,
                    "audit_log",
                    resource=self.tenant.id,
                    new={"format": "ndjson"},
                )
        risen = next((p for p in self.team if p.role == "admin" and p is not self.owner and p.joined_at), None)
        if risen and risen.joined_at:
            yield self.entry(
                risen.joined_at + timedelta(days=24, hours=2), self.owner, Action.MEMBER_ROLE_CHANGED, "membership",
                member=risen, old={"role": "member"}, new={"role": "admin"},
            )  # fmt: skip
