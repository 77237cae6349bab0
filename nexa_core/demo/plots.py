"""What a plot leaves behind besides usage: the state of the subscription, and what was done about it lately."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text

from nexa_core import audit, billing, organizations
from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.db import reading, recording
from nexa_core.demo.customers import DOWNGRADED_SINCE, TRIAL_LEFT, UPGRADED_SINCE
from nexa_core.demo.world import Tenant

_STATE = text("SELECT status, subscription_status, plan_type FROM organizations WHERE id = :id")
_PAST_DUE = text("UPDATE organizations SET subscription_status = 'past_due', updated_at = now() WHERE id = :id")
_PLAN = text("UPDATE organizations SET plan_type = :plan, updated_at = now() WHERE id = :id")
# The demo world alone may say when a plan changed: its invoices have a past.
_SINCE = text("SELECT set_config('nexa.effective_from', :since, true)")
_LAST_MONTH = text("""
SELECT to_char((nexa.period_start(now(), o.time_zone) AT TIME ZONE o.time_zone) - interval '1 month',
               'YYYY-MM') AS period,
       EXISTS (SELECT FROM credit_notes c WHERE c.organization_id = o.id) AS is_credited
FROM organizations o WHERE o.id = :id
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
    found: dict[str, Any] = {
        "started_on": tenant.joined_at.date().isoformat(),
        "billing_interval": "month",
        "renews_on": _anniversary(tenant.joined_at.date(), now.date()).isoformat(),
    }
    if tenant.customer.plan == "enterprise":
        found |= {"seats": 40, "contract_notes": "Invoiced by quarter. Three months' notice before the renewal."}
    match tenant.customer.plot:
        case "trial ending":
            found["trial_ends_on"] = (now + timedelta(days=TRIAL_LEFT)).date().isoformat()
        case "past due":
            found |= {"past_due_since": (now - timedelta(days=23)).date().isoformat(), "failed_payments": 3}
        case "downgraded":
            found |= {
                "downgraded_on": (now - timedelta(days=DOWNGRADED_SINCE)).date().isoformat(),
                "former_plan": "professional",
            }
        case "suspended":
            found["suspension_reason"] = "Contract in dispute"
    return found


def _anniversary(began: date, today: date) -> date:
    """The next time the year of a contract begins anew."""
    years = today.year - began.year
    return next(day for more in (0, 1) if (day := began + timedelta(days=round(365.2425 * (years + more)))) > today)


def turn(admin: Actor, tenant: Tenant) -> None:
    """The changes that made the plot, as the people who make such changes; each is in the audit log under its name.

    What has been done already is left alone, so that an interrupted world can be completed.
    """
    with reading(admin) as db:
        state = db.execute(_STATE, {"id": tenant.id}).one()
    match tenant.customer.plot:
        case "suspended" if state.status == "active":
            organizations.suspend(admin, organization_id=tenant.id, reason="Contract in dispute, until it is settled.")
        case "past due" if state.subscription_status == "active":
            _change(admin, tenant, "Three payments failed.", _PAST_DUE)
        case "downgraded" if state.plan_type == tenant.customer.plan:
            _change_plan(admin, tenant, "Downgrade asked for by the customer.", "starter", DOWNGRADED_SINCE)
        case "growing" if state.plan_type != tenant.customer.plan:
            _change_plan(admin, tenant, "The team outgrew its plan.", tenant.customer.plan, UPGRADED_SINCE)
        case "overspending":
            _give_back(admin, tenant)
    match tenant.customer.plot:
        case "suspended" if not audit.retention(admin, organization_id=tenant.id).legal_hold:
            audit.hold(admin, organization_id=tenant.id, reason="Contract in dispute: nothing may be lost.")
        case "growing" if audit.retention(admin, organization_id=tenant.id).keep_months is None:
            audit.set_retention(
                admin, organization_id=tenant.id, keep_months=84, reason="Agreed with the customer's data protection."
            )
    leavers = {person.id for person in tenant.suspended}
    for member in organizations.members(admin, organization_id=tenant.id) if leavers else ():
        if member.user_id in leavers and member.status == "active":
            organizations.suspend_member(
                admin, membership_id=member.id, organization_id=tenant.id, reason="Left the team."
            )


def _change_plan(admin: Actor, tenant: Tenant, reason: str, plan: str, days: int) -> None:
    since = datetime.now(UTC) - timedelta(days=days, hours=7, minutes=13)
    with recording(admin, Action.ORGANIZATION_PLAN_CHANGED, reason=reason) as db:
        db.execute(_SINCE, {"since": since.isoformat()})
        db.execute(_PLAN, {"id": tenant.id, "plan": plan})


def _give_back(admin: Actor, tenant: Tenant) -> None:
    with reading(admin) as db:
        last = db.execute(_LAST_MONTH, {"id": tenant.id}).one()
    if not last.is_credited:
        billing.issue_credit(
            admin, organization_id=tenant.id, period=last.period, amount_minor=980,
            reason="Exports failed for a day; a fifth of the fee as agreed with the customer.",
        )  # fmt: skip


def _change(
    admin: Actor, tenant: Tenant, reason: str, statement: TextClause, action: Action = Action.ORGANIZATION_UPDATED
) -> None:
    with recording(admin, action, reason=reason) as db:
        db.execute(statement, {"id": tenant.id})
