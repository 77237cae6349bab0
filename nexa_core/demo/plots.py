"""What a plot leaves behind besides usage: the state of the subscription, and what was done about it lately."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.db import recording
from nexa_core.demo.customers import DOWNGRADED_SINCE, TRIAL_LEFT
from nexa_core.demo.world import Tenant

_SUSPEND = text("UPDATE organizations SET status = 'suspended', updated_at = now() WHERE id = :id AND status = 'active'")
_PAST_DUE = text("""
UPDATE organizations SET subscription_status = 'past_due', updated_at = now() WHERE id = :id AND subscription_status = 'active'
""")
_DOWNGRADE = text("""
UPDATE organizations SET plan_type = 'starter', updated_at = now() WHERE id = :id AND plan_type = 'professional'
""")
_SUSPEND_MEMBERS = text("""
UPDATE organization_memberships SET status = 'suspended', updated_at = now()
WHERE organization_id = :id AND user_id = ANY (:people) AND status = 'active'
""")


def last_active(tenant: Tenant, now: datetime) -> dict[UUID, datetime]:
    """When each person was last there: their last use, and for those who only look, shortly after somebody else's."""
    found: dict[UUID, datetime] = {}
    latest = tenant.joined_at
    for use in tenant.uses:
        if use.at <= now:
            found[use.person] = latest = use.at
    for number, person in enumerate(tenant.people):
        if person.joined_at and person.id not in found:
            found[person.id] = max(person.joined_at, min(now, latest - timedelta(hours=7 + 31 * number)))
    return found


def subscription(tenant: Tenant, now: datetime) -> dict[str, Any]:
    """``subscription_data``: since when, and what is about to happen; days as ISO 8601."""
    found: dict[str, Any] = {"started_on": tenant.joined_at.date().isoformat(), "billing_interval": "month"}
    match tenant.customer.plot:
        case "trial ending":
            found["trial_ends_on"] = (now + timedelta(days=TRIAL_LEFT)).date().isoformat()
        case "past due":
            found |= {"past_due_since": (now - timedelta(days=23)).date().isoformat(), "failed_payments": 3}
        case "downgraded":
            found |= {"downgraded_on": (now - timedelta(days=DOWNGRADED_SINCE)).date().isoformat(), "former_plan": "professional"}
        case "suspended":
            found["suspension_reason"] = "Contract in dispute"
    return found


def turn(admin: Actor, tenant: Tenant, now: datetime) -> None:
    """The changes that made the plot, as the people who make such changes; each is in the audit log under its name."""
    here = {"id": tenant.id}
    match tenant.customer.plot:
        case "suspended":
            _change(admin, Action.ORGANIZATION_SUSPENDED, "Contract in dispute; access ends until it is settled.", _SUSPEND, here)
        case "past due":
            _change(admin, Action.ORGANIZATION_UPDATED, "Three payments failed.", _PAST_DUE, here)
        case "downgraded":
            _change(admin, Action.ORGANIZATION_UPDATED, "Downgrade asked for by the customer.", _DOWNGRADE, here)
    if tenant.suspended:
        people = {"people": [person.id for person in tenant.suspended]}
        _change(admin, Action.MEMBER_SUSPENDED, "Left the team.", _SUSPEND_MEMBERS, here | people)


def _change(actor: Actor, action: Action, reason: str, statement: Any, values: dict[str, Any]) -> None:
    with recording(actor, action, reason=reason) as db:
        db.execute(statement, values)
