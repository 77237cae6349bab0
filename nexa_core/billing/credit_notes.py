"""Money given back: a credit or a refund for one period, which becomes a negative line of its invoice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import text

from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.billing import reach
from nexa_core.billing.models import CreditNote
from nexa_core.billing.money import written
from nexa_core.billing.periods import period_of
from nexa_core.db import recording
from nexa_core.errors import Conflict, Forbidden, Invalid
from nexa_core.permissions import Permission

_TOTAL = text("""
SELECT sum(amount_minor)::bigint AS total, min(currency) AS currency
FROM nexa.invoice_lines(:organization, :at)
""")


@dataclass(frozen=True, slots=True)
class Credited:
    """A credit note that was issued, and what its invoice comes to now, in minor units."""

    id: UUID
    period: str
    amount_minor: int
    currency: str
    total_minor: int


def issue_credit(
    actor: Actor,
    *,
    organization_id: UUID,
    period: str,
    amount_minor: int,
    reason: str,
    kind: Literal["credit", "refund"] = "credit",
) -> Credited:
    """Give an organization money back for a period, in minor units of its invoice's currency.

    For the platform's people with BILLING_MANAGE only: Forbidden for a customer's own. Raises NotFound for an
    organization out of reach, Invalid for an amount that is no positive integer, a kind that is none or a missing
    reason, Conflict for more than what the invoice comes to.
    """
    reach.require(actor, organization_id, Permission.BILLING_MANAGE)
    if not actor.is_staff:
        raise Forbidden("Only NEXA gives money back; ask your account manager.")
    if isinstance(amount_minor, bool) or not isinstance(amount_minor, int) or not 0 < amount_minor < 2**53:
        raise Invalid("The amount is a positive whole number of minor units.", field="amount_minor")
    if kind not in ("credit", "refund"):
        raise Invalid("It is either a credit or a refund.", field="kind")
    reason = reach.reason_of(reason)
    with recording(actor, Action.CREDIT_ISSUED, reason=reason) as db:
        billed = reach.subject(db, actor, organization_id)
        when = period_of(db, billed.id, period)
        # Two credits at the same moment wait for each other here: together they cannot exceed the invoice either.
        reach.lock(db, billed.id)
        row = db.execute(_TOTAL, {"organization": billed.id, "at": when.starts}).one()
        if amount_minor > (row.total or 0):
            raise Conflict(
                f"The invoice of {when.name} comes to {written(row.total or 0, row.currency)}; "
                "more than that cannot be given back."
            )
        note = CreditNote(
            organization_id=billed.id, period_start=when.starts, kind=kind, amount_minor=amount_minor,
            currency=row.currency, reason=reason, issued_by=actor.user_id,
        )  # fmt: skip
        db.add(note)
        db.flush()
        return Credited(note.id, when.name, amount_minor, row.currency, row.total - amount_minor)
