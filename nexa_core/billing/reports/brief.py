"""The morning brief: the few customers to call today, ranked, each with why, what shows it, and what to write."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert

from nexa_core.actions import Action
from nexa_core.actor import Actor, Scope
from nexa_core.billing.reports import periods
from nexa_core.billing.reports.models import BriefPause
from nexa_core.billing.reports.reasons import SETTLED_BY
from nexa_core.billing.reports.scope import organization_of, require_portfolio
from nexa_core.billing.reports.wording import KINDS, Words, message, words
from nexa_core.db import reading, recording
from nexa_core.errors import Invalid
from nexa_core.permissions import Permission
from nexa_core.usage.reach import only_of

#: As many customers as somebody can call in a morning.
FEW = 7
_LONGEST_PAUSE = dt.timedelta(days=92)


@dataclass(frozen=True, slots=True)
class Why:
    """One reason to call: its kind and name, its part of the score, and its words."""

    kind: str
    name: str
    score: int
    sentence: str
    evidence: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A customer to call. ``score`` is the weightiest reason's and 5 more for each other one, at most 100."""

    organization_id: UUID
    name: str
    slug: str
    plan: str
    account_manager: str | None
    contact: str
    contact_email: str
    score: int
    reasons: tuple[Why, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Pause:
    """A reason that somebody put off."""

    organization_id: UUID
    name: str
    kind: str
    kind_name: str
    until: dt.date


@dataclass(frozen=True, slots=True)
class Brief:
    """``calls`` begin with the most urgent. ``waiting`` more customers have a reason, too. ``looked_at`` is None before
    anything was looked at; ``is_mine`` says that only one's own customers were."""

    calls: tuple[Call, ...]
    waiting: int
    customers: int
    looked_at: dt.datetime | None
    is_mine: bool
    paused: tuple[Pause, ...]


_MANAGES = text("""
SELECT EXISTS (SELECT FROM organizations WHERE account_manager_id = :person AND NOT is_platform AND status <> 'deleted')
""")
_ASKED = text("""
SELECT o.id, o.name, o.slug, o.plan_type, o.subscription_status, o.status::text AS status, f.score, f.reasons,
       m.full_name AS account_manager, contact.full_name AS contact, contact.email AS contact_email
FROM usage_outlooks f JOIN organizations o ON o.id = f.organization_id
LEFT JOIN users m ON m.id = o.account_manager_id
LEFT JOIN LATERAL (
    SELECT u.full_name, u.email FROM organization_memberships s JOIN users u ON u.id = s.user_id
    WHERE s.organization_id = o.id AND s.role = 'owner' AND s.status = 'active' AND u.deleted_at IS NULL
    ORDER BY s.created_at, u.id LIMIT 1
) contact ON true
WHERE f.score > 0 AND NOT o.is_platform AND o.status <> 'deleted'
  AND (CAST(:manager AS uuid) IS NULL OR o.account_manager_id = :manager)
ORDER BY f.score DESC, o.id LIMIT 500
""")
_LOOKED_AT = text("""
SELECT count(*) AS customers, min(f.made_at) AS looked_at
FROM organizations o LEFT JOIN usage_outlooks f ON f.organization_id = o.id
WHERE NOT o.is_platform AND o.status <> 'deleted'
  AND (CAST(:manager AS uuid) IS NULL OR o.account_manager_id = :manager)
""")
_PAUSED = text("""
SELECT p.organization_id, o.name, p.kind, p.paused_until
FROM brief_pauses p JOIN organizations o ON o.id = p.organization_id
WHERE p.user_id = :person AND p.paused_until > :today ORDER BY p.paused_until, o.name, p.kind
""")
_NAMES = text("SELECT id, full_name FROM users WHERE id = ANY (:ids)")


def brief(actor: Actor, *, everybody: bool = False) -> Brief:
    """The customers the actor should call today: of those they manage, where there are any and not ``everybody`` is
    asked for. Raises Forbidden unless the actor may look across customers."""
    require_portfolio(actor)
    today = periods.today(actor.timezone)
    with reading(actor) as db:
        mine = only_of(actor)
        if mine is None and not everybody and db.scalar(_MANAGES, {"person": actor.user_id}):
            mine = actor.user_id
        rows = db.execute(_ASKED, {"manager": mine}).all()
        known = db.execute(_LOOKED_AT, {"manager": mine}).one()
        pauses: Iterable[Any] = ()
        if actor.scope is Scope.STAFF:
            pauses = db.execute(_PAUSED, {"person": actor.own.user_id, "today": today}).all()
        people = {reason["facts"]["person"] for row in rows for reason in row.reasons if "person" in reason["facts"]}
        names = {str(row.id): row.full_name for row in db.execute(_NAMES, {"ids": sorted(people)})} if people else {}
    paused = tuple(Pause(p.organization_id, p.name, p.kind, KINDS[p.kind], p.paused_until) for p in pauses)
    hidden = {(pause.organization_id, pause.kind) for pause in paused}
    calls = [call for row in rows if (call := _call(actor, row, names, hidden)) is not None]
    calls.sort(key=lambda call: (-call.score, call.name, call.slug))
    return Brief(
        tuple(calls[:FEW]), max(len(calls) - FEW, 0), known.customers, known.looked_at, mine is not None, paused
    )


def _call(actor: Actor, row: Any, names: Mapping[str, str], hidden: set[tuple[UUID, str]]) -> Call | None:
    found: list[tuple[Why, Words]] = []
    for reason in row.reasons:
        kind, facts = reason["kind"], reason["facts"]
        if (row.id, kind) in hidden or not _still_holds(kind, row):
            continue
        said = words(kind, facts, person=names.get(facts.get("person", ""), "Somebody"))
        found.append((Why(kind, KINDS[kind], reason["score"], said.sentence, said.evidence), said))
    if not found:
        return None
    score = min(100, max(why.score for why, _ in found) + 5 * (len(found) - 1))
    contact = row.contact or ""
    text_to_copy = message(row.name, contact.split(" ")[0], actor.full_name, [said.ask for _, said in found[:2]])
    return Call(
        row.id, row.name, row.slug, row.plan_type, row.account_manager, contact, row.contact_email or "", score,
        tuple(why for why, _ in found), text_to_copy,
    )  # fmt: skip


def _still_holds(kind: str, row: Any) -> bool:
    """What was settled since the outlook was made is no reason any more."""
    wanted = SETTLED_BY.get(kind, row.subscription_status)
    return bool(row.status == "active" and wanted == row.subscription_status)


def put_off(actor: Actor, *, organization_id: UUID, kind: str, until: dt.date) -> Pause:
    """Show this person a reason of a customer not before a day, at most three months ahead; ``take_up`` undoes it.

    Raises Forbidden without PORTFOLIO_READ, NotFound for a customer out of reach, Invalid for another kind or day.
    """
    actor.require(Permission.PORTFOLIO_READ)
    today = periods.today(actor.timezone)
    if kind not in KINDS:
        raise Invalid("There is no such reason.", field="kind")
    if not today < until <= today + _LONGEST_PAUSE:
        raise Invalid("Put it off to a day after today, three months ahead at most.", field="until")
    with recording(actor, Action.BRIEF_PUT_OFF) as db:
        row = organization_of(db, actor, organization_id)
        values = {"user_id": actor.user_id, "organization_id": row.id, "kind": kind, "paused_until": until}
        db.execute(
            insert(BriefPause)
            .values(values)
            .on_conflict_do_update(
                constraint="brief_pauses_user_id_organization_id_kind_key", set_={"paused_until": until}
            )
        )
        return Pause(row.id, row.name, kind, KINDS[kind], until)


def take_up(actor: Actor, *, organization_id: UUID, kind: str) -> None:
    """Show a reason again that was put off; nothing happens where it was not. Raises Forbidden without PORTFOLIO_READ,
    NotFound for a customer out of reach."""
    actor.require(Permission.PORTFOLIO_READ)
    with recording(actor, Action.BRIEF_TAKEN_UP) as db:
        row = organization_of(db, actor, organization_id)
        mine = select(BriefPause.id).where(
            BriefPause.user_id == actor.user_id, BriefPause.organization_id == row.id, BriefPause.kind == kind
        )
        db.execute(delete(BriefPause).where(BriefPause.id.in_(mine)))
