"""Whose invoices an actor may see: the own organization's, or, for the platform's people, those of their customers."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from nexa_core.actor import Actor, Scope
from nexa_core.errors import Invalid, NotFound
from nexa_core.permissions import Permission
from nexa_core.usage.reach import SEEN, only_of

_SUBJECT = text(f"""
SELECT o.id, o.name, o.slug, o.currency, o.plan_type, o.billing_email, o.tax_id, o.address, o.created_at,
       o.status, o.agreed_prices
FROM organizations o WHERE o.id = :organization AND {SEEN}
""")
_BY_SLUG = text(f"SELECT o.id FROM organizations o WHERE o.slug = :slug AND {SEEN}")
_LOCK = text("SELECT 1 FROM organizations WHERE id = :organization FOR NO KEY UPDATE")


class Subject(NamedTuple):
    """The organization that is billed, as its invoice names it."""

    id: UUID
    name: str
    slug: str
    currency: str
    plan_type: str
    billing_email: str | None
    tax_id: str | None
    address: dict[str, Any]
    created_at: dt.datetime
    status: str
    agreed_prices: dict[str, Any]


def require(actor: Actor, organization_id: UUID, permission: Permission = Permission.BILLING_READ) -> None:
    """Raise NotFound for a stranger's organization, Forbidden for a missing permission."""
    if organization_id != actor.organization_id:
        if actor.scope is Scope.TENANT:
            raise NotFound("There is no such organization.")
        actor.require(Permission.ORGANIZATIONS_BROWSE)
    actor.require(permission)


def subject(db: Session, actor: Actor, organization_id: UUID) -> Subject:
    """The organization; raises NotFound for one out of reach and for the platform's own, which pays nothing."""
    row = db.execute(_SUBJECT, {"organization": organization_id, "only_of": only_of(actor)}).one_or_none()
    if row is None:
        raise NotFound("There is no such organization.")
    return Subject(*row)


def lock(db: Session, organization_id: UUID) -> None:
    """Let nobody else change what the organization pays, or give it money back, until this transaction ends."""
    db.execute(_LOCK, {"organization": organization_id})


def id_of(db: Session, actor: Actor, slug: str) -> UUID:
    """The organization of a slug; raises NotFound for one out of reach."""
    found: UUID | None = db.scalar(_BY_SLUG, {"slug": slug, "only_of": only_of(actor)})
    if found is None:
        raise NotFound("There is no such organization.")
    return found


def reason_of(text: str) -> str:
    """Why something is done; raises Invalid for none and for one over 1,000 characters."""
    reason = " ".join(text.split())
    if not reason:
        raise Invalid("Say why; it is kept in the audit log.", field="reason")
    if len(reason) > 1_000:
        raise Invalid("A reason has at most 1,000 characters.", field="reason")
    return reason
