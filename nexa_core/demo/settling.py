"""Writing who there is: the platform's organization, each customer, their people and what they sign in with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session as Database

from nexa_core.actions import Action
from nexa_core.actor import Actor, Origin, Standing
from nexa_core.db import entering, recording
from nexa_core.demo import plots
from nexa_core.demo.people import Person
from nexa_core.demo.world import PLATFORM, SEED, Tenant, World

AGENT = "NEXA demo world"

_ORGANIZATION = text("""
INSERT INTO organizations (id, name, slug, domain, brand_colors, address, tax_id, billing_email, plan_type,
    subscription_status, subscription_data, usage_limits, currency, agreed_prices, status, time_zone, is_platform,
    is_demo, account_manager_id, created_at, updated_at)
VALUES (:id, :name, :slug, :domain, CAST(:brand_colors AS jsonb), CAST(:address AS jsonb), :tax_id, :billing_email,
    :plan_type, :subscription_status, CAST(:subscription_data AS jsonb), CAST(:usage_limits AS jsonb), :currency,
    CAST(:agreed_prices AS jsonb), 'active', :time_zone, :is_platform, true, :account_manager_id, :created_at,
    :created_at)
ON CONFLICT (id) DO NOTHING
""")
_PERSON = text("""
INSERT INTO users (id, email, first_name, last_name, full_name, timezone, locale, profile_data, status,
    email_verified_at, created_at, updated_at)
VALUES (:id, :email, :first_name, :last_name, :full_name, :time_zone, :locale, CAST(:profile AS jsonb),
    CAST(:status AS user_status), :joined_at, :created_at, :created_at)
ON CONFLICT (id) DO NOTHING
""")
_MEMBERSHIP = text("""
INSERT INTO organization_memberships (user_id, organization_id, role, permissions, status, invited_by, invited_at,
    invitation_token, invitation_expires_at, invitation_opened_at, joined_at, last_active_at, created_at, updated_at)
VALUES (:user_id, :organization_id, CAST(:role AS membership_role), CAST(:permissions AS jsonb),
    CAST(:status AS membership_status), :invited_by, :invited_at, :invitation_token, :invitation_expires_at,
    :invitation_opened_at, :joined_at, :last_active_at, :invited_at, :invited_at)
ON CONFLICT (organization_id, user_id) DO NOTHING
""")
_DOMAIN = text("""
INSERT INTO organization_domains (organization_id, domain, auto_join_role, auto_join_enabled, verification_token,
    verified_at, verified_by)
VALUES (:organization_id, :domain, 'viewer', :auto_join, :token, :verified_at, :verified_by)
ON CONFLICT (organization_id, domain) DO NOTHING
""")
_PASSWORD = text("""
UPDATE users SET password_hash = :password_hash, last_login_at = :last_login_at, login_count = :login_count,
    last_login_ip = CAST(:address AS inet)
WHERE id = :id
""")


def at_work(person: Person, organization_id: UUID, organization: str, *, is_platform: bool = False) -> Actor:
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
        origin=Origin(ip_address="192.0.2.10", user_agent=AGENT),
    )


def write_platform(system: Actor, world: World, secret: str, now: datetime) -> None:
    """NEXA's own organization, its staff, and the mark that the world is being written."""
    founded = world.staff[0].joined_at
    with recording(system, Action.DEMO_SEEDED) as db:
        db.execute(
            _ORGANIZATION,
            {
                "id": world.platform_id,
                "name": PLATFORM,
                "slug": "nexa",
                "domain": "nexa.example",
                "brand_colors": json.dumps({"primary": "#4338CA", "accent": "#F59E0B"}),
                "address": "{}",
                "tax_id": None,
                "billing_email": None,
                "plan_type": "enterprise",
                "subscription_status": "active",
                "subscription_data": json.dumps(
                    {"demo": {"day": world.day.isoformat(), "seed": SEED, "complete": False}}
                ),
                "usage_limits": "{}",
                "currency": "EUR",
                "agreed_prices": "{}",
                "time_zone": "UTC",
                "is_platform": True,
                "account_manager_id": None,
                "created_at": founded,
            },
        )
        _join(db, world.platform_id, world.staff, "UTC", "en", None, {}, now)
    _passwords(world.staff, secret, {}, now)


def write_tenant(admin: Actor, world: World, tenant: Tenant, secret: str, now: datetime) -> None:
    """The organization and its owner, as the admin creates them; then everybody else."""
    customer = tenant.customer
    active = plots.last_active(tenant, now)
    owner, others = tenant.people[0], tenant.people[1:]
    with recording(admin, Action.DEMO_SEEDED) as db:
        db.execute(
            _ORGANIZATION,
            {
                "id": tenant.id,
                "name": customer.name,
                "slug": customer.slug,
                "domain": customer.domain,
                "brand_colors": json.dumps(customer.colors),
                "address": json.dumps(customer.address),
                "tax_id": customer.tax_id,
                "billing_email": f"billing@{customer.domain}",
                "plan_type": customer.first_plan or customer.plan,
                "subscription_status": customer.subscription_status,
                "subscription_data": json.dumps(plots.subscription(tenant, now)),
                "usage_limits": json.dumps(customer.usage_limits),
                "currency": customer.currency,
                "agreed_prices": json.dumps(customer.agreed_prices),
                "time_zone": customer.time_zone,
                "is_platform": False,
                "account_manager_id": world.staff[1 + customer.manager].id,
                "created_at": tenant.joined_at,
            },
        )
        _join(db, tenant.id, [owner], customer.time_zone, customer.locale, admin.user_id, active, now)
        db.execute(
            _DOMAIN,
            {
                "organization_id": tenant.id,
                "domain": customer.domain,
                "verified_at": tenant.joined_at,
                "auto_join": customer.plan == "enterprise",
                "verified_by": owner.id,
                "token": None,
            },
        )
        if customer.plan == "professional":  # a second domain, claimed and not proven yet
            claim = {"domain": f"{customer.slug}-group.example", "verified_at": None, "verified_by": None}
            token = hashlib.sha256(f"demo domain {tenant.id}".encode()).hexdigest()[:32]
            db.execute(_DOMAIN, claim | {"organization_id": tenant.id, "auto_join": False, "token": token})
    with recording(admin, Action.DEMO_SEEDED) as db:
        _join(db, tenant.id, others, customer.time_zone, customer.locale, owner.id, active, now)
        for guest in tenant.guests:
            db.execute(
                _MEMBERSHIP, _membership(tenant.id, guest.person, guest.role, guest.joined_at, owner.id, active, now)
            )
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
    db.execute(
        _PERSON,
        [
            {
                "id": person.id,
                "email": person.email,
                "first_name": person.first_name,
                "last_name": person.last_name,
                "full_name": person.full_name,
                "time_zone": time_zone,
                "locale": locale,
                "profile": json.dumps({"title": person.job}),
                "status": "active" if person.joined_at else "pending",
                "joined_at": person.joined_at,
                "created_at": person.joined_at or invited_at,
            }
            for person in people
        ],
    )
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
    """An open invitation has a token that nobody knows: what is stored is its hash, as for every other.

    Some of the open ones have been looked at, some are over; an administrator sees what the organization pays.
    """
    fate = person.id.int % 3
    waited = timedelta(days=9 if fate == 2 else 2, hours=5)
    invited_at = joined_at - timedelta(hours=20) if joined_at else now - waited
    return {
        "user_id": person.id,
        "organization_id": organization_id,
        "role": role,
        "permissions": json.dumps({"grant": ["billing.read"], "deny": []} if role == "admin" else {}),
        "status": "active" if joined_at else "pending",
        "invited_by": invited_by,
        "invited_at": invited_at,
        "joined_at": joined_at,
        "last_active_at": active.get(person.id),
        "invitation_token": None if joined_at else hashlib.sha256(f"demo {person.id}".encode()).hexdigest(),
        "invitation_expires_at": None if joined_at else invited_at + timedelta(days=7),
        "invitation_opened_at": invited_at + timedelta(hours=3) if fate == 1 and not joined_at else None,
    }


def _passwords(people: list[Person], secret: str, active: dict[UUID, datetime], now: datetime) -> None:
    """Everybody has the same password; hashing it once for all is what lets the world start in seconds."""
    with entering(Origin(user_agent=AGENT)) as db:
        db.execute(
            _PASSWORD,
            [
                {
                    "id": person.id,
                    "password_hash": secret,
                    "last_login_at": active.get(person.id, now - timedelta(days=3)),
                    "login_count": 1 + person.id.int % 240,
                    "address": f"198.51.100.{1 + number % 250}",
                }
                for number, person in enumerate(people)
            ],
        )
