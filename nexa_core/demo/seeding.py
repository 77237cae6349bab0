"""Seeding: the demo world written into an empty database, through the doors that everything else goes through."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import text

from nexa_core import architecture_sessions, audit
from nexa_core.accounts import hash_password
from nexa_core.actions import Action
from nexa_core.actor import Actor, Origin
from nexa_core.db import metering, reading, recording
from nexa_core.demo import history, outlook, plots
from nexa_core.demo.accounts import PASSWORD
from nexa_core.demo.activity import first_day
from nexa_core.demo.contents import write_sessions, write_usage
from nexa_core.demo.settling import AGENT, at_work, write_platform, write_tenant
from nexa_core.demo.world import PLATFORM, SEED, build

Announce = Callable[[str], None]

_PLATFORM_STATE = text("""
SELECT (SELECT count(*) FROM organizations) AS organizations,
       (SELECT subscription_data->'demo' FROM organizations WHERE is_platform AND is_demo) AS demo
""")
_DONE = text("""
UPDATE organizations SET subscription_data = jsonb_set(subscription_data, '{demo,complete}', 'true'), updated_at = now()
WHERE id = :id
""")
_AGES = timedelta(days=10_000)


def seed(announce: Announce = lambda _line: None, *, now: datetime | None = None, owner_url: str | None = None) -> None:
    """Fill an empty database with the demo world as of ``now``; do nothing where any organization exists.

    A world whose writing was interrupted is completed: all its identifiers follow from its seed and day. ``announce``
    is given one plain line for each step. The caller sees to it that one process at a time does this. ``owner_url`` is
    the login that owns the tables, with which the audit log is given a past.
    """
    now = now or datetime.now(UTC)
    system = Actor.system(Origin(user_agent=AGENT))
    with reading(system) as db:
        state = db.execute(_PLATFORM_STATE).one()
    begun: dict[str, Any] | None = state.demo
    if begun["complete"] if begun else state.organizations:
        return
    day = date.fromisoformat(begun["day"]) if begun else now.astimezone(UTC).date()
    world = build(day, begun["seed"] if begun else SEED)
    if begun:
        announce("The demo world was left half written; completing it.")
    people = sum(len(tenant.people) for tenant in world.tenants)
    announce(f"Demo world: {len(world.tenants)} customers and {people} people ...")
    secret = hash_password(PASSWORD)
    write_platform(system, world, secret, now)
    admin = at_work(world.staff[0], world.platform_id, PLATFORM, is_platform=True)
    for tenant in world.tenants:
        write_tenant(admin, world, tenant, secret, now)
    announce(f"Demo world: {sum(len(tenant.sessions) for tenant in world.tenants)} architecture sessions ...")
    numbers = {tenant.id: write_sessions(tenant) for tenant in world.tenants}
    # What the composer draws parses; a job that found that out would take minutes of a processor from who looks first.
    architecture_sessions.check_diagrams(system, check=_parses, most=len(world.tenants) * 100, recent=_AGES)
    announce("Demo world: 13 months of usage ...")
    with ThreadPoolExecutor(2) as pool:  # one prepares while the database counts for the other; no two of one customer
        stored = sum(pool.map(lambda tenant: write_usage(system, tenant, numbers[tenant.id], now), world.tenants))
    with metering(system) as db:
        db.execute(text("SELECT nexa.roll_up_usage(:since)"), {"since": first_day(day) - timedelta(days=1)})
    for tenant in world.tenants:
        plots.turn(admin, tenant)
    outlook.look_ahead(admin, system, world.tenants, now)
    if owner_url:
        history.write(owner_url, world, now)
    with recording(system, Action.DEMO_SEEDED) as db:
        db.execute(_DONE, {"id": world.platform_id})
    audit.seal_heads(system)
    audit.verify(system)
    announce(f"Demo world: {stored:,} usage events counted. It is complete.")


def _parses(_text: str, _language: str) -> None:
    """Nothing is wrong with it."""
