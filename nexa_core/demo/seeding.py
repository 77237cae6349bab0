"""Writing the demo world: people and organizations through the recording doors, so that the audit log tells their story;
usage through the same statement that stores every other event."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session as Database

from nexa_core.accounts import hash_password
from nexa_core.actions import Action
from nexa_core.actor import Actor, Origin, Standing
from nexa_core.db import entering, metering, reading, recording
from nexa_core.demo import plots
from nexa_core.demo.accounts import PASSWORD
from nexa_core.demo.activity import first_day
from nexa_core.demo.people import Person
from nexa_core.demo.world import PLATFORM, SEED, Session, Tenant, World, build, documents_json
from nexa_core.usage import UsageEvent
from nexa_core.usage.service import store

Announce = Callable[[str], None]

_BATCH = 5_000
_ORIGIN_AGENT = "NEXA demo world"

_PLATFORM_STATE = text("""
SELECT (SELECT count(*) FROM organizations) AS organizations,
       (SELECT subscription_data->'demo' FROM organizations WHERE is_platform AND is_demo) AS demo
""")
_ORGANIZATION = text("""
INSERT INTO organizations (id, name, slug, domain, brand_colors, address, tax_id, billing_email, plan_type,
    subscription_status, subscription_data, usage_limits, status, time_zone, is_platform, is_demo, account_manager_id,
    created_at, updated_at)
VALUES (:id, :name, :slug, :domain, CAST(:brand_colors AS jsonb), CAST(:address AS jsonb), :tax_id, :billing_email, :plan_type,
    :subscription_status, CAST(:subscription_data AS jsonb), CAST(:usage_limits AS jsonb), 'active', :time_zone, :is_platform,
    true, :account_manager_id, :created_at, :created_at)
ON CONFLICT (id) DO NOTHING
""")
_PERSON = text("""
INSERT INTO users (id, email, first_name, last_name, full_name, timezone, locale, profile_data, status, email_verified_at,
    created_at, updated_at)
VALUES (:id, :email, :first_name, :last_name, :full_name, :time_zone, :locale, CAST(:profile AS jsonb),
    CAST(:status AS user_status), :joined_at, :created_at, :created_at)
ON CONFLICT (id) DO NOTHING
""")
_MEMBERSHIP = text("""
INSERT INTO organization_memberships (user_id, organization_id, role, status, invited_by, invited_at, invitation_token,
    invitation_expires_at, joined_at, last_active_at, created_at, updated_at)
VALUES (:user_id, :organization_id, CAST(:role AS membership_role), CAST(:status AS membership_status), :invited_by,
    :invited_at, :invitation_token, :invitation_expires_at, :joined_at, :last_active_at, :invited_at, :invited_at)
ON CONFLICT (organization_id, user_id) DO NOTHING
""")
_DOMAIN = text("""
INSERT INTO organization_domains (organization_id, domain, auto_join_role, auto_join_enabled, verified_at, verified_by)
VALUES (:organization_id, :domain, 'viewer', :auto_join, :verified_at, :verified_by)
ON CONFLICT (organization_id, domain) DO NOTHING
""")
_PASSWORD = text("""
UPDATE users SET password_hash = :password_hash, last_login_at = :last_login_at, login_count = :login_count,
    last_login_ip = CAST(:address AS inet)
WHERE id = :id
""")
_SESSION = text("""
INSERT INTO ai_architecture_sessions (uuid, user_id, organization_id, title, client, session_objects, sow_objects, loe_objects,
    diagram_texts_json, visual_assets_json, session_type, is_template, tags, created_at, updated_at, deleted_at)
SELECT uuid, user_id, :organization_id, title, client, session_objects, sow_objects, loe_objects, diagram_texts_json,
    visual_assets_json, session_type, is_template, tags, created_at, updated_at, deleted_at
FROM jsonb_to_recordset(CAST(:sessions AS jsonb)) AS s(number integer, uuid uuid, user_id uuid, title text, client text,
    session_objects jsonb, sow_objects jsonb, loe_objects jsonb, diagram_texts_json jsonb, visual_assets_json jsonb,
    session_type text, is_template boolean, tags jsonb, created_at timestamptz, updated_at timestamptz, deleted_at timestamptz)
ORDER BY number
ON CONFLICT (uuid) DO NOTHING
""")
_SESSION_IDS = text("SELECT uuid, id FROM ai_architecture_sessions WHERE organization_id = :organization_id")
_DONE = text("""
UPDATE organizations SET subscription_data = jsonb_set(subscription_data, '{demo,complete}', 'true'), updated_at = now()
WHERE id = :id
""").bindparams(bindparam("id"))


def seed(announce: Announce = lambda line: None, *, now: datetime | None = None) -> None:
    """Fill an empty database with the demo world as of ``now``; do nothing where any organization exists.

    A world whose writing was interrupted is completed: all its identifiers follow from its seed and day. ``announce``
    is given one plain line for each step. The caller sees to it that one process at a time does this.
    """
    now = now or datetime.now(UTC)
    system = Actor.system(Origin(user_agent=_ORIGIN_AGENT))
    with reading(system) as db:
        state = db.execute(_PLATFORM_STATE).one()
    begun: dict[str, Any] | None = state.demo
    if begun is None and state.organizations or begun and begun.get("complete"):
        return
    day = date.fromisoformat(begun["day"]) if begun else now.astimezone(UTC).date()
    world = build(day, begun["seed"] if begun else SEED)
    if begun:
        announce("The demo world was left half written; completing it.")
    people = sum(len(tenant.people) for tenant in world.tenants)
    announce(f"Demo world: {len(world.tenants)} customers and {people} people ...")
    secret = hash_password(PASSWORD)
    _platform(system, world, secret, now)
    admin = _actor(world.staff[0], world.platform_id, PLATFORM, is_platform=True)
    for tenant in world.tenants:
        _tenant(admin, world, tenant, secret, now)
    announce(f"Demo world: {sum(len(tenant.sessions) for tenant in world.tenants)} architecture sessions ...")
    numbers = {tenant.id: _sessions(tenant) for tenant in world.tenants}
    announce("Demo world: 13 months of usage ...")
    stored = sum(_usage(system, tenant, numbers[tenant.id], now) for tenant in world.tenants)
    with metering(system) as db:
        db.execute(text("SELECT nexa.roll_up_usage(:since)"), {"since": first_day(day) - timedelta(days=1)})
    for tenant in world.tenants:
        plots.turn(admin, tenant, now)
    with recording(system, Action.DEMO_SEEDED) as db:
        db.execute(_DONE, {"id": world.platform_id})
    announce(f"Demo world: {stored:,} usage events counted. It is complete.")


def _actor(person: Person, organization_id: UUID, organization: str, *, is_platform: bool = False) -> Actor:
    """The person at work, as if signed in from the office."""
    return Actor.of_membership(
        user_id=person.id,
        organization_id=organization_id,
        role=person.role,
        overrides={},
        standing=Standing(is_platform=is_platform),
        email=person.email,
        full_name=person.full_name,
        organization_name=organization,
        origin=Origin(ip_address="192.0.2.10", user_agent=_ORIGIN_AGENT),
    )


def _platform(system: Actor, world: World, secret: str, now: datetime) -> None:
    """NEXA's own organization, its staff, and the mark that the world is being written."""
    founded = world.staff[0].joined_at
    with recording(system, Action.DEMO_SEEDED) as db:
        db.execute(_ORGANIZATION, {
            "id": world.platform_id, "name": PLATFORM, "slug": "nexa", "domain": "nexa.example",
            "brand_colors": json.dumps({"primary": "#4338CA", "accent": "#F59E0B"}), "address": "{}", "tax_id": None,
            "billing_email": None, "plan_type": "enterprise", "subscription_status": "active",
            "subscription_data": json.dumps({"demo": {"day": world.day.isoformat(), "seed": SEED, "complete": False}}),
            "usage_limits": "{}", "time_zone": "UTC", "is_platform": True, "account_manager_id": None, "created_at": founded,
        })  # fmt: skip
        _join(db, world.platform_id, world.staff, "UTC", "en", None, {}, now)
    _passwords(world.staff, secret, {}, now)


def _tenant(admin: Actor, world: World, tenant: Tenant, secret: str, now: datetime) -> None:
    """The organization and its owner, as the admin creates them; then everybody else."""
    customer = tenant.customer
    active = plots.last_active(tenant, now)
    owner, others = tenant.people[0], tenant.people[1:]
    with recording(admin, Action.ORGANIZATION_CREATED) as db:
        db.execute(_ORGANIZATION, {
            "id": tenant.id, "name": customer.name, "slug": customer.slug, "domain": customer.domain,
            "brand_colors": json.dumps(customer.colors), "address": json.dumps(customer.address), "tax_id": customer.tax_id,
            "billing_email": f"billing@{customer.domain}", "plan_type": customer.plan,
            "subscription_status": customer.subscription_status,
            "subscription_data": json.dumps(plots.subscription(tenant, now)), "usage_limits": json.dumps(customer.usage_limits),
            "time_zone": customer.time_zone, "is_platform": False,
            "account_manager_id": world.staff[1 + customer.manager].id, "created_at": tenant.joined_at,
        })  # fmt: skip
        _join(db, tenant.id, [owner], customer.time_zone, customer.locale, admin.user_id, active, now)
        db.execute(_DOMAIN, {"organization_id": tenant.id, "domain": customer.domain, "verified_at": tenant.joined_at,
                             "auto_join": customer.plan == "enterprise", "verified_by": owner.id})  # fmt: skip
    with recording(admin, Action.MEMBER_ADDED) as db:
        _join(db, tenant.id, others, customer.time_zone, customer.locale, owner.id, active, now)
        for guest in tenant.guests:
            db.execute(_MEMBERSHIP, _membership(tenant.id, guest.person, guest.role, guest.joined_at, owner.id, active, now))
    _passwords([person for person in tenant.people if person.joined_at], secret, active, now)


def _join(
    db: Database,
    organization_id: UUID,
    people: Iterable[Person],
    time_zone: str,
    locale: str,
    invited_by: UUID | None,
    active: dict[UUID, datetime],
    now: datetime,
) -> None:
    people = list(people)
    invited_at = now - timedelta(days=2, hours=5)
    db.execute(_PERSON, [
        {"id": person.id, "email": person.email, "first_name": person.first_name, "last_name": person.last_name,
         "full_name": person.full_name, "time_zone": time_zone, "locale": locale, "profile": json.dumps({"title": person.job}),
         "status": "active" if person.joined_at else "pending", "joined_at": person.joined_at,
         "created_at": person.joined_at or invited_at}
        for person in people
    ])  # fmt: skip
    db.execute(
        _MEMBERSHIP,
        [_membership(organization_id, p, p.role, p.joined_at, invited_by, active, now) for p in people],
    )


def _membership(
    organization_id: UUID,
    person: Person,
    role: str,
    joined_at: datetime | None,
    invited_by: UUID | None,
    active: dict[UUID, datetime],
    now: datetime,
) -> dict[str, Any]:
    """An open invitation has a token that nobody knows: what is stored is its hash, as for every other."""
    invited_at = joined_at - timedelta(hours=20) if joined_at else now - timedelta(days=2, hours=5)
    return {
        "user_id": person.id, "organization_id": organization_id, "role": role, "status": "active" if joined_at else "pending",
        "invited_by": invited_by, "invited_at": invited_at, "joined_at": joined_at, "last_active_at": active.get(person.id),
        "invitation_token": None if joined_at else hashlib.sha256(f"demo {person.id}".encode()).hexdigest(),
        "invitation_expires_at": None if joined_at else invited_at + timedelta(days=7),
    }  # fmt: skip


def _passwords(people: list[Person], secret: str, active: dict[UUID, datetime], now: datetime) -> None:
    """Everybody has the same password; hashing it once for all is what lets the world start in seconds."""
    with entering(Origin(user_agent=_ORIGIN_AGENT)) as db:
        db.execute(_PASSWORD, [
            {"id": person.id, "password_hash": secret, "last_login_at": active.get(person.id, now - timedelta(days=3)),
             "login_count": 1 + person.id.int % 240, "address": f"198.51.100.{1 + number % 250}"}
            for number, person in enumerate(people)
        ])  # fmt: skip


def _sessions(tenant: Tenant) -> dict[UUID, int]:
    """Each author's sessions, created by themselves; returns their numbers by uuid."""
    customer = tenant.customer
    people = {person.id: person for person in tenant.people}
    by_author: dict[UUID, list[tuple[int, Session]]] = {}
    for number, session in enumerate(tenant.sessions):
        by_author.setdefault(session.author, []).append((number, session))
    for author, sessions in by_author.items():
        actor = _actor(people[author], tenant.id, customer.name)
        rows = ",".join(_session_row(number, session) for number, session in sessions)
        with recording(actor, Action.SESSION_CREATED) as db:
            db.execute(_SESSION, {"organization_id": tenant.id, "sessions": f"[{rows}]"})
    with reading(_actor(tenant.people[0], tenant.id, customer.name)) as db:
        return {row.uuid: row.id for row in db.execute(_SESSION_IDS, {"organization_id": tenant.id})}


def _session_row(number: int, session: Session) -> str:
    deleted_at = session.deleted_at.isoformat() if session.deleted_at else None
    return json.dumps({
        "number": number, "uuid": str(session.uuid), "user_id": str(session.author), "title": session.title,
        "client": session.client, "session_type": session.session_type, "is_template": session.is_template,
        "tags": session.tags, "created_at": session.created_at.isoformat(), "updated_at": session.updated_at.isoformat(),
        "deleted_at": deleted_at, **session.documents,
    })  # fmt: skip


def _usage(system: Actor, tenant: Tenant, numbers: dict[UUID, int], now: datetime) -> int:
    """All use up to now, through the statement that stores every usage event; returns how many events there are."""
    events = [
        UsageEvent(
            event_type=use.event_type,
            idempotency_key=use.key,
            credits=use.credits,
            user_id=use.person,
            session_id=None if use.session is None else numbers[tenant.sessions[use.session].uuid],
            event_data=use.data,
            occurred_at=use.at,
        )
        for use in tenant.uses
        if use.at <= now
    ]
    total = 0
    for start in range(0, len(events), _BATCH):
        recorded = store(system, tenant.id, events[start : start + _BATCH])
        total += recorded.inserted + recorded.duplicates
    return total
