"""Money given back: a credit or a refund for one period, which becomes a negative line of its invoice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

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
    idempotency_key: str | None = None,
) -> Credited:
    """Give an organization money back for a period, in minor units of its invoice's currency.

    The same again with the same ``idempotency_key`` changes nothing and answers with what was issued first. For the
    platform's people with BILLING_MANAGE only: Forbidden for a customer's own. Raises NotFound for an organization out
    of reach, Invalid for an amount that is no positive integer, a kind that is none, a missing reason or an odd key,
    Conflict for more than what the invoice comes to and for a key that was used for something else.
    """
    reach.require(actor, organization_id, Permission.BILLING_MANAGE)
    if not actor.is_staff:
        raise Forbidden("Only NEXA gives money back; ask your account manager.")
    if isinstance(amount_minor, bool) or not isinstance(amount_minor, int) or not 0 < amount_minor < 2**53:
        raise Invalid("The amount is a positive whole number of minor units.", field="amount_minor")
    if kind not in ("credit", "refund"):
        raise Invalid("It is either a credit or a refund.", field="kind")
    if idempotency_key is not None and not (0 < len(idempotency_key) <= 255 and idempotency_key.isprintable()):
        raise Invalid("An idempotency key has 1 to 255 printable characters.", field="idempotency_key")
    reason = reach.reason_of(reason)
    with recording(actor, Action.CREDIT_ISSUED, reason=reason) as db:
        billed = reach.subject(db, actor, organization_id)
        when = period_of(db, billed.id, period)
        # Two credits at the same moment wait for each other here: together they cannot exceed the invoice either.
        reach.lock(db, billed.id)
        row = db.execute(_TOTAL, {"organization": billed.id, "at": when.starts}).one()
        if (before := _issued(db, billed.id, idempotency_key)) is not None:
            if (before.period_start, before.kind, before.amount_minor, before.reason) != (
                when.starts, kind, amount_minor, reason,
            ):  # fmt: skip
                raise Conflict("This idempotency key was used before, for something else that was given back.")
            return Credited(before.id, when.name, amount_minor, before.currency, row.total)
        if amount_minor > (row.total or 0):
            raise Conflict(
                f"The invoice of {when.name} comes to {written(row.total or 0, row.currency)}; "
                "more than that cannot be given back."
            )
        note = CreditNote(
            organization_id=billed.id, period_start=when.starts, kind=kind, amount_minor=amount_minor,
            currency=row.currency, reason=reason, issued_by=actor.user_id, idempotency_key=idempotency_key,
        )  # fmt: skip
        db.add(note)
        db.flush()
        return Credited(note.id, when.name, amount_minor, row.currency, row.total - amount_minor)


def _issued(db: Session, organization_id: UUID, key: str | None) -> CreditNote | None:
    """What was issued with a key before; whoever asks holds the organization's lock."""
    if key is None:
        return None
    of_key = select(CreditNote).where(CreditNote.organization_id == organization_id, CreditNote.idempotency_key == key)
    return db.scalars(of_key).one_or_none()
