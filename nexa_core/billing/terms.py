"""What one customer pays by: its currency, its plan's list prices in it, and what was agreed over them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.billing import reach
from nexa_core.billing.catalogue import count, currencies
from nexa_core.billing.periods import period_of
from nexa_core.billing.plans import PLANS
from nexa_core.db import reading, recording
from nexa_core.errors import Conflict, Invalid
from nexa_core.permissions import Permission

#: What can be agreed on with one customer; amounts are minor units of its currency, ``overage_credits`` are credits.
PRICES = ("price_minor", "overage_minor", "overage_credits", "seat_minor")
_AGREE = text("""
UPDATE organizations o SET currency = :currency, agreed_prices = CAST(:prices AS jsonb), updated_at = now()
WHERE o.id = :organization
""")
_GIVEN_BACK = text("""
SELECT currency FROM credit_notes
WHERE organization_id = :organization AND period_start >= :starts AND currency <> :currency LIMIT 1
""")


@dataclass(frozen=True, slots=True)
class Terms:
    """The prices of one customer. ``agreed`` goes over the list of its plan; ``currencies`` are those it can pay in."""

    organization_id: UUID
    plan: str
    currency: str
    agreed: Mapping[str, int]
    currencies: tuple[str, ...]

    def listed(self, currency: str) -> dict[str, int | None]:
        """The list prices of the customer's plan in a currency, by the names of ``PRICES``; None where none is sold."""
        plan = PLANS.get(self.plan)
        if plan is None:
            return dict.fromkeys(PRICES)
        own = {"price_minor": plan.price_minor, "overage_minor": plan.overage_minor, "seat_minor": plan.seat_minor}
        found: Mapping[str, int | None] = own if currency == plan.currency else (plan.prices or {}).get(currency, own)
        return {name: found.get(name) for name in own} | {"overage_credits": plan.overage_credits}


def terms(actor: Actor, *, organization_id: UUID) -> Terms:
    """What an organization pays by now. Raises NotFound for one out of reach, Forbidden without BILLING_READ."""
    reach.require(actor, organization_id)
    with reading(actor) as db:
        subject = reach.subject(db, actor, organization_id)
        agreed = {name: amount for name, amount in subject.agreed_prices.items() if name in PRICES}
        return Terms(subject.id, subject.plan_type, subject.currency, agreed, tuple(sorted(currencies(db))))


def agree_prices(actor: Actor, *, organization_id: UUID, currency: str, prices: Mapping[str, int], reason: str) -> None:
    """Agree with one customer on its currency and on prices that go over the list's, from now on.

    ``prices`` may hold ``price_minor``, ``overage_minor`` with ``overage_credits``, and ``seat_minor``; what is missing
    is the list's. Another currency is that of the whole running month, and so are the prices agreed in it. Raises
    Forbidden without ORGANIZATIONS_MANAGE, NotFound, Invalid naming the field, Conflict for another currency in a month
    for which money was given back.
    """
    actor.require(Permission.ORGANIZATIONS_MANAGE)
    if unknown := set(prices) - set(PRICES):
        raise Invalid(f"There is no price called “{min(unknown)[:40]}”.", field="prices")
    for name, amount in prices.items():
        count(amount, name, least=1 if name == "overage_credits" else 0)
    if ("overage_minor" in prices) != ("overage_credits" in prices):
        raise Invalid("The price of credits over the allowance says for how many.", field="overage_credits")
    with recording(actor, Action.PRICES_AGREED, reason=reach.reason_of(reason)) as db:
        reach.lock(db, organization_id)
        subject = reach.subject(db, actor, organization_id)
        known = currencies(db)
        if currency not in known:
            raise Invalid(f"The plans have no prices in {currency[:10]}; they have in {', '.join(sorted(known))}.",
                          field="currency")  # fmt: skip
        _check_given_back(db, organization_id, currency)
        if (currency, dict(prices)) != (subject.currency, subject.agreed_prices):
            db.execute(
                _AGREE, {"organization": organization_id, "currency": currency, "prices": json.dumps(dict(prices))}
            )


def _check_given_back(db: Session, organization_id: UUID, currency: str) -> None:
    """Raise Conflict where the running month has money given back in another currency: an invoice has one only."""
    running = period_of(db, organization_id, None)
    asked = {"organization": organization_id, "starts": running.starts, "currency": currency}
    if given := db.scalar(_GIVEN_BACK, asked):
        raise Conflict(
            f"The invoice of {running.name} has money given back in {given}. "
            f"{currency} can be agreed on when the next month has begun."
        )
