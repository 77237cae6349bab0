"""What an organization subscribed to: plan, status, dates, seats and contract; and what another plan would change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func

from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.billing import PLANS, Plan, Terms, terms, written
from nexa_core.db import recording
from nexa_core.errors import Conflict, Invalid
from nexa_core.organizations import fields
from nexa_core.organizations.filters import SUBSCRIPTION_STATUSES
from nexa_core.organizations.limits import FEATURE_MEANINGS
from nexa_core.organizations.models import Organization
from nexa_core.organizations.service import OrganizationState, OrganizationView, get
from nexa_core.permissions import Permission

_MOST_SEATS = 1_000_000


@dataclass(frozen=True, slots=True)
class Subscription:
    """``subscription_data`` as fields; what NEXA does not know of it is in ``others``."""

    trial_ends_on: dt.date | None
    renews_on: dt.date | None
    seats: int | None
    contract_notes: str
    others: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PlanChange:
    """What another plan would mean, a sentence each; ``warnings`` are what would hurt at once.

    ``price`` is the list's fee in the customer's currency, None where it does not change.
    """

    before: str
    after: str
    price: str | None
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    stays: tuple[str, ...]
    warnings: tuple[str, ...]


def subscription_of(subscription_data: Mapping[str, Any]) -> Subscription:
    """What is stored, read; a date or number of another form stays among ``others``."""
    others = dict(subscription_data)
    days: dict[str, dt.date | None] = {}
    for key in ("trial_ends_on", "renews_on"):
        days[key] = _day(subscription_data.get(key))
        if days[key] is not None:
            del others[key]
    seats = subscription_data.get("seats")
    if _is_seats(seats):
        del others["seats"]
    else:
        seats = None
    notes = subscription_data.get("contract_notes")
    if isinstance(notes, str):
        del others["contract_notes"]
    else:
        notes = ""
    return Subscription(days["trial_ends_on"], days["renews_on"], seats, notes, others)


def preview_plan(actor: Actor, *, organization_id: UUID, plan: str) -> PlanChange:
    """What changing to a plan gains and loses, with what is agreed and used today.

    Raises Forbidden without ORGANIZATIONS_MANAGE and BILLING_READ, Invalid for an unknown plan, NotFound.
    """
    actor.require(Permission.ORGANIZATIONS_MANAGE)
    if plan not in PLANS:
        raise Invalid("There is no such plan.", field="plan")
    organization = get(actor, organization_id=organization_id)
    pays_by = None if organization.is_platform else terms(actor, organization_id=organization_id)
    return change_of_plan(organization, PLANS[plan], pays_by)


def change_of_plan(organization: OrganizationView, after: Plan, pays_by: Terms | None) -> PlanChange:
    """``preview_plan`` for an organization that was read already, and what it pays by; the platform pays nothing."""
    before = PLANS.get(organization.plan)
    gained: list[str] = []
    lost: list[str] = []
    stays: list[str] = []
    limits = organization.usage_limits
    for label, agreed, old, new in (
        (
            "credits a month",
            "monthly_credits" in limits,
            before.monthly_credits if before else None,
            after.monthly_credits,
        ),
        ("seats", "seats" in limits, before.seats if before else None, after.seats),
    ):
        words = f"{_amount(new)} {label} instead of {_amount(old)}"
        if agreed:
            stays.append(f"The agreed limit of {label} stays: it goes over the plan's.")
        elif before is not None and old != new:
            (gained if old is not None and (new is None or new > old) else lost).append(words)
    for name in {**(before.features if before else {}), **after.features}:
        was, will = bool(before and before.features.get(name)), bool(after.features.get(name))
        own = limits.get("features")
        if isinstance(own, dict) and isinstance(own.get(name), bool):
            if was != will:
                stays.append(f"{_feature(name)} stays {'on' if own[name] else 'off'}: it was agreed.")
        elif was != will:
            (gained if will else lost).append(_feature(name))
    price = None
    if pays_by is not None and "price_minor" in pays_by.agreed:
        stays.append(f"The agreed fee of {written(pays_by.agreed['price_minor'], pays_by.currency)} a month stays.")
    elif pays_by is not None and before is not None:
        old_fee, new_fee = (_fee(plan, pays_by.currency) for plan in (before, after))
        price = f"{new_fee} a month instead of {old_fee}" if old_fee != new_fee else None
    return PlanChange(
        organization.plan, after.key, price, tuple(gained), tuple(lost), tuple(stays),
        tuple(_warnings(organization, after)),
    )  # fmt: skip


def change_plan(actor: Actor, *, organization_id: UUID, plan: str, expected: str, reason: str) -> OrganizationState:
    """Move an organization to another plan, from the one its preview showed (``expected``).

    Raises Forbidden without ORGANIZATIONS_MANAGE, Invalid for an unknown plan or without a reason, Conflict when the
    plan is another one by now, or already this one.
    """
    actor.require(Permission.ORGANIZATIONS_MANAGE)
    if plan not in PLANS:
        raise Invalid("There is no such plan.", field="plan")
    with recording(actor, Action.ORGANIZATION_PLAN_CHANGED, reason=fields.reason(reason)) as db:
        organization = _open(db.get_one(Organization, organization_id, with_for_update=True))
        if organization.plan_type != expected:
            raise Conflict("The plan was changed meanwhile. Look at the preview again.")
        if organization.plan_type == plan:
            raise Conflict(f"{organization.name} has this plan already.")
        organization.plan_type, organization.updated_at = plan, func.now()
        db.flush()
        return OrganizationState.of(organization)


def update_subscription(
    actor: Actor,
    *,
    organization_id: UUID,
    status: str,
    trial_ends_on: dt.date | None,
    renews_on: dt.date | None,
    seats: int | None,
    contract_notes: str,
    reason: str,
) -> None:
    """Set the state of the subscription and what the contract says; the plan is changed by ``change_plan``.

    What NEXA does not know of ``subscription_data`` is kept. Raises Forbidden without ORGANIZATIONS_MANAGE, Invalid
    naming the field: a trial needs its end.
    """
    actor.require(Permission.ORGANIZATIONS_MANAGE)
    if status not in SUBSCRIPTION_STATUSES:
        raise Invalid("There is no such subscription status.", field="status")
    if status == "trialing" and trial_ends_on is None:
        raise Invalid("A trial needs the day it ends on.", field="trial_ends_on")
    if seats is not None and not _is_seats(seats):
        raise Invalid(f"Seats are a whole number from 0 to {_MOST_SEATS:,}.", field="seats")
    notes = fields.paragraph(contract_notes, "Contract notes", field="contract_notes", most=4_000)
    reason = fields.reason(reason)
    given = {
        "trial_ends_on": trial_ends_on.isoformat() if trial_ends_on else None,
        "renews_on": renews_on.isoformat() if renews_on else None,
        "seats": seats,
        "contract_notes": notes or None,
    }
    with recording(actor, Action.ORGANIZATION_SUBSCRIPTION_CHANGED, reason=reason) as db:
        organization = _open(db.get_one(Organization, organization_id, with_for_update=True))
        others = subscription_of(organization.subscription_data).others
        data = {**others, **{key: value for key, value in given.items() if value is not None}}
        if (status, data) != (organization.subscription_status, organization.subscription_data):
            organization.subscription_status, organization.subscription_data = status, data
            organization.updated_at = func.now()


def _warnings(organization: OrganizationView, after: Plan) -> Iterator[str]:
    limits = organization.usage_limits
    if "seats" not in limits and after.seats is not None and organization.members > after.seats:
        over = organization.members - after.seats
        yield (
            f"{organization.members:,} members are {over:,} more than the {after.seats:,} seats of {after.name}: "
            "nobody is removed, but nobody can join."
        )
    if "monthly_credits" not in limits and organization.credits_used > after.monthly_credits:
        stops = limits.get("hard") is True
        yield (
            f"{organization.credits_used:,} credits are used in this period, over the {after.monthly_credits:,} of "
            f"{after.name}: {'use stops at once' if stops else 'the rest is over the allowance'}."
        )


def _open(organization: Organization) -> Organization:
    if organization.status == "deleted":
        raise Conflict(f"{organization.name} is deleted; restore it first.")
    if organization.is_platform:
        raise Conflict("The platform's own organization subscribes to nothing.")
    return organization


def _is_seats(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_SEATS


def _day(value: object) -> dt.date | None:
    try:
        return dt.date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _amount(value: int | None) -> str:
    return "unlimited" if value is None else f"{value:,}"


def _fee(plan: Plan, currency: str) -> str:
    return written(plan.in_currency(currency, "price_minor"), currency)


def _feature(name: str) -> str:
    return FEATURE_MEANINGS.get(name, name.replace("_", " ").capitalize()).partition(";")[0].rstrip(".")
