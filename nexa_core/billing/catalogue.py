"""The catalogue of plans: its versions by date, and a new one scheduled or withdrawn.

What has begun never changes; whoever sells something else schedules a version that begins in the future. Everywhere it
begins at the same wall clock, the one of UTC at ``effective_from``: the first of November is each customer's own.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.billing import reach
from nexa_core.billing.models import PlanVersion
from nexa_core.billing.plans import PLANS
from nexa_core.db import reading, recording
from nexa_core.errors import Conflict, Invalid, NotFound
from nexa_core.permissions import Permission

#: How long before its instant in UTC a version may have begun somewhere.
SOMEWHERE = dt.timedelta(hours=16)
_MOST = 2**53
_PRICED = ("price_minor", "overage_minor", "seat_minor")
_EVENT = re.compile(r"[a-z][a-z0-9_.]{0,49}")
# Two people who schedule at the same moment see each other's version.
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('nexa plan catalogue', 0))")
_AFFECTED = text("""
SELECT o.id, o.name, o.slug, p.currency, p.price_minor, p.allowance, o.usage_limits ? 'monthly_credits' AS own_credits,
       o.agreed_prices ? 'price_minor' AS own_price
FROM organizations o JOIN nexa.plans_now p ON p.organization_id = o.id
WHERE o.plan_type = :plan AND NOT o.is_platform AND o.deleted_at IS NULL ORDER BY lower(o.name), o.id
""")


@dataclass(frozen=True, slots=True)
class Draft:
    """What a version of a plan says, as somebody would like it; ``limits`` are events a period by type.

    Amounts are minor units of the plan's currency, which a new version keeps; ``prices`` has those of other currencies.
    """

    plan: str
    name: str
    effective_from: dt.datetime
    price_minor: int
    monthly_credits: int
    overage_minor: int
    overage_credits: int
    seats: int | None
    seat_minor: int | None
    prices: Mapping[str, Mapping[str, int]]
    limits: Mapping[str, int]
    features: Mapping[str, bool]


_TERMS = tuple(term.name for term in dataclasses.fields(Draft))


@dataclass(frozen=True, slots=True)
class Version(Draft):
    """One version of a plan. ``until`` is None for the latest; amounts are minor units of ``currency``."""

    id: UUID
    until: dt.datetime | None
    is_in_force: bool
    is_ahead: bool
    currency: str


@dataclass(frozen=True, slots=True)
class Affected:
    """A customer of the plan: its fee and allowance now, and when the version begins; agreed ones stay."""

    id: UUID
    name: str
    slug: str
    currency: str
    price_before: int | None
    price_after: int | None
    allowance_before: int | None
    allowance_after: int | None


def plan_versions(actor: Actor) -> tuple[Version, ...]:
    """Every version of every plan, by plan, the latest first. Raises Forbidden without ORGANIZATIONS_MANAGE."""
    actor.require(Permission.ORGANIZATIONS_MANAGE)
    with reading(actor) as db:
        return _versions(db)


def preview_version(actor: Actor, *, draft: Draft) -> tuple[Affected, ...]:
    """Whom a version would affect, by name, and how; nothing is stored.

    Raises Forbidden without ORGANIZATIONS_MANAGE, Invalid, naming the field, for what cannot be a version.
    """
    actor.require(Permission.ORGANIZATIONS_MANAGE)
    with reading(actor) as db:
        _check(db, draft)
        rows = db.execute(_AFFECTED, {"plan": draft.plan}).all()
    return tuple(
        Affected(
            row.id, row.name, row.slug, row.currency, row.price_minor,
            row.price_minor if row.own_price else _price(draft, row.currency), row.allowance,
            row.allowance if row.own_credits else draft.monthly_credits,
        )
        for row in rows
    )  # fmt: skip


def schedule_version(actor: Actor, *, draft: Draft, reason: str) -> Version:
    """Let a version of a plan begin at an instant to come; what has begun stays as it is.

    Raises Forbidden without ORGANIZATIONS_MANAGE, Invalid, naming the field, for what cannot be a version, Conflict for
    an instant at which one begins already.
    """
    actor.require(Permission.ORGANIZATIONS_MANAGE)
    with recording(actor, Action.PLAN_SCHEDULED, reason=reach.reason_of(reason)) as db:
        db.execute(_ONE_AT_A_TIME)
        currency = _check(db, draft)
        terms = {name: getattr(draft, name) for name in _TERMS} | {
            "name": draft.name.strip(),
            "prices": {name: dict(amounts) for name, amounts in draft.prices.items()},
            "limits": dict(draft.limits),
            "features": dict(draft.features),
        }
        version = PlanVersion(**terms, currency=currency)
        db.add(version)
        db.flush()
        found = next(known for known in _versions(db) if known.id == version.id)
    PLANS.forget()
    return found


def withdraw_version(actor: Actor, *, version_id: UUID, reason: str) -> None:
    """Take back a version that has not begun. Raises Forbidden, NotFound, Conflict for one that has begun."""
    actor.require(Permission.ORGANIZATIONS_MANAGE)
    with recording(actor, Action.PLAN_WITHDRAWN, reason=reach.reason_of(reason)) as db:
        db.execute(_ONE_AT_A_TIME)
        version = db.get(PlanVersion, version_id)
        if version is None:
            raise NotFound("There is no such version.")
        if version.effective_from <= dt.datetime.now(dt.UTC) + SOMEWHERE:
            raise Conflict("This version has begun, or is about to; schedule another one instead.")
        db.delete(version)
    PLANS.forget()


def _versions(db: Session) -> tuple[Version, ...]:
    now = db.scalar(select(func.now()))
    assert now is not None
    rows = db.scalars(select(PlanVersion).order_by(PlanVersion.plan, PlanVersion.effective_from.desc())).all()
    found: list[Version] = []
    for row in rows:
        later = found[-1].effective_from if found and found[-1].plan == row.plan else None
        begun = row.effective_from <= now
        found.append(
            Version(
                **{name: getattr(row, name) for name in _TERMS},
                id=row.id,
                until=later,
                is_in_force=begun and (later is None or later > now),
                is_ahead=not begun,
                currency=row.currency,
            )
        )
    return tuple(found)


def _check(db: Session, draft: Draft) -> str:
    """The currency of the plan's list; raises Invalid for a draft that cannot be a version of it."""
    latest = db.scalars(
        select(PlanVersion).where(PlanVersion.plan == draft.plan).order_by(PlanVersion.effective_from.desc()).limit(1)
    ).one_or_none()
    if latest is None:
        raise Invalid("There is no such plan.", field="plan")
    if not draft.name.strip() or len(draft.name) > 100 or not draft.name.isprintable():
        raise Invalid("A plan needs a name of at most 100 characters.", field="name")
    if draft.effective_from.utcoffset() is None or draft.effective_from <= dt.datetime.now(dt.UTC) + SOMEWHERE:
        raise Invalid(
            "A version begins in the future, in every time zone: what a plan was stays as it was.",
            field="effective_from",
        )
    if draft.effective_from.year > dt.datetime.now(dt.UTC).year + 10:
        raise Invalid("A version begins within ten years.", field="effective_from")
    for name in ("price_minor", "monthly_credits", "overage_minor"):
        count(getattr(draft, name), name)
    count(draft.overage_credits, "overage_credits", least=1)
    for name in ("seats", "seat_minor"):
        if (value := getattr(draft, name)) is not None:
            count(value, name, most=2**31 - 1 if name == "seats" else _MOST)
    for event_type, most in draft.limits.items():
        if not _EVENT.fullmatch(event_type):
            raise Invalid(f"“{event_type[:50]}” is no type of event.", field="limits")
        count(most, "limits", most=2**31 - 1)
    if any(not isinstance(on, bool) for on in draft.features.values()):
        raise Invalid("A feature is on or off.", field="features")
    for amounts in draft.prices.values():
        if set(amounts) - set(_PRICED):
            raise Invalid("A price list has a fee, a price of credits and a price of seats.", field="prices")
        for amount in amounts.values():
            count(amount, "prices")
    # A customer that pays in a currency goes on paying in it.
    if missing := set(latest.prices) - set(draft.prices):
        raise Invalid(f"The plan has prices in {min(missing)}; the new version needs them, too.", field="prices")
    return latest.currency


def count(value: object, field: str, *, least: int = 0, most: int = _MOST) -> None:
    """Raise Invalid, naming the field, for what is no whole number from ``least`` to ``most``."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Invalid(f"{field.replace('_', ' ').capitalize()} is a whole number, {least} or more.", field=field)


def _price(draft: Draft, currency: str) -> int:
    listed: Mapping[str, Any] | None = draft.prices.get(currency)
    return draft.price_minor if listed is None else listed.get("price_minor", 0)


def currencies(db: Session) -> set[str]:
    """Currencies every plan has prices in: a customer may change its plan any day."""
    known = [{version.currency, *version.prices} for version in _versions(db) if version.is_in_force]
    return set.intersection(*known) if known else set()
