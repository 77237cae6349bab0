"""What an organization agreed on beyond its plan: ``usage_limits`` read as fields, checked, and written back whole."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import func

from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.db import recording
from nexa_core.errors import Conflict, Invalid
from nexa_core.organizations import fields
from nexa_core.organizations.models import Organization
from nexa_core.permissions import Permission

#: Event types with a name on screen; others an organization reports can be limited too.
EVENT_TYPES = {"ai_call": "AI calls", "pdf_export": "PDF exports", "session_create": "New sessions"}
#: Feature flags and what they switch.
FEATURE_MEANINGS = {
    "sessions": "Write architecture sessions; without it they can only be read.",
    "metering": "Report usage through the API.",
    "audit_log": "See the organization's own audit log.",
    "auto_join": "Let people join by the domain of their address.",
}
_KNOWN = frozenset({"monthly_credits", "seats", "hard", "limit_shadow", "alert_at", "event_limits", "features"})
_MOST = 2**31 - 1
_EVENT = re.compile(r"[a-z][a-z0-9_.]{0,49}")


@dataclass(frozen=True, slots=True)
class Limits:
    """What was agreed. None means the plan's own; ``UNLIMITED`` no limit at all. ``features`` go over the plan's.

    ``others`` is what NEXA does not know or cannot read: kept, and shown as JSON. With ``shadow`` hard limits refuse
    nothing and only note what they would have refused. ``alert_at`` is in percent of the credits; None for 80, 100
    and 120.
    """

    monthly_credits: int | None = None
    seats: int | None = None
    hard: bool = False
    event_limits: Mapping[str, int] = field(default_factory=dict)
    features: Mapping[str, bool] = field(default_factory=dict)
    others: Mapping[str, Any] = field(default_factory=dict)
    shadow: bool = False
    alert_at: tuple[int, ...] | None = None


#: Stands for an agreed absence of a limit, which is stored as an explicit null.
UNLIMITED = -1


def limits_of(usage_limits: Mapping[str, Any]) -> Limits:
    """``usage_limits`` as fields; what has another form than it should is among ``others``, so that nothing is lost."""
    others = {key: value for key, value in usage_limits.items() if key not in _KNOWN}

    def number(key: str) -> int | None:
        value = usage_limits.get(key)
        if key in usage_limits and value is None:
            return UNLIMITED
        if value is None or _is_count(value):
            return value
        others[key] = value
        return None

    def mapping(key: str, fits: Callable[[object], bool]) -> dict[str, Any]:
        value = usage_limits.get(key, {})
        if isinstance(value, dict):
            strange = {name: part for name, part in value.items() if not fits(part)}
            if strange:
                others[key] = strange
            return {name: part for name, part in value.items() if fits(part)}
        others[key] = value
        return {}

    def switch(key: str) -> bool:
        value = usage_limits.get(key, False)
        if not _is_switch(value):
            others[key] = value
        return value is True

    def percents(key: str) -> tuple[int, ...] | None:
        value = usage_limits.get(key)
        if not isinstance(value, list):
            if key in usage_limits:
                others[key] = value
            return None
        if strange := [one for one in value if not _is_percent(one)]:
            others[key] = strange
        return tuple(sorted(one for one in value if _is_percent(one)))

    return Limits(
        number("monthly_credits"), number("seats"), switch("hard"), mapping("event_limits", _is_count),
        mapping("features", _is_switch), others, switch("limit_shadow"), percents("alert_at"),
    )  # fmt: skip


def update_limits(
    actor: Actor,
    *,
    organization_id: UUID,
    monthly_credits: int | None,
    seats: int | None,
    hard: bool,
    event_limits: Mapping[str, int],
    features: Mapping[str, bool | None],
    reason: str,
    shadow: bool = False,
    alert_at: Collection[int] | None = None,
) -> None:
    """Agree on limits and features; None for the plan's own, ``UNLIMITED`` for none.

    What NEXA does not know or cannot read is kept where nothing is given in its place.

    Raises Forbidden without ORGANIZATIONS_MANAGE, Invalid naming the field, Conflict for a deleted organization and
    for a hard limit on nothing.
    """
    actor.require(Permission.ORGANIZATIONS_MANAGE)
    reason = fields.reason(reason)
    values: dict[str, Any] = {"hard": True} if hard else {}
    for key, label, given in (("monthly_credits", "Monthly credits", monthly_credits), ("seats", "Seats", seats)):
        if given is None:
            continue
        if given != UNLIMITED and not _is_count(given):
            raise Invalid(f"{label} are a whole number from 0 to {_MOST:,}.", field=key)
        values[key] = None if given == UNLIMITED else given
    if shadow:
        values["limit_shadow"] = True
    if alert_at is not None:
        if len(alert_at) > 10 or not all(map(_is_percent, alert_at)):
            raise Invalid("Alerts are at up to 10 whole numbers from 1 to 1,000 percent.", field="alert_at")
        values["alert_at"] = sorted(set(alert_at))
    for name, most in event_limits.items():
        if not _is_event(name):
            raise Invalid(f"“{name[:50]}” is no type of event.", field="event_limits")
        if not _is_count(most):
            raise Invalid(f"The limit of {name} is a whole number from 0 to {_MOST:,}.", field=f"event_limits.{name}")
    if len(event_limits) > 50:
        raise Invalid("At most 50 types of event have a limit.", field="event_limits")
    unknown = set(features) - set(FEATURE_MEANINGS)
    if unknown:
        raise Invalid(f"There is no feature “{min(unknown)[:40]}”.", field="features")
    if hard and monthly_credits == UNLIMITED:
        raise Invalid("A hard limit needs monthly credits to hold.", field="hard")
    with recording(actor, Action.ORGANIZATION_LIMITS_CHANGED, reason=reason) as db:
        organization = db.get_one(Organization, organization_id, with_for_update=True)
        if organization.status == "deleted":
            raise Conflict(f"{organization.name} is deleted; restore it first.")
        stored = organization.usage_limits
        before = limits_of(stored)
        flags = {name: on for name, on in before.features.items() if name not in FEATURE_MEANINGS}
        flags |= {name: on for name, on in features.items() if on is not None}
        if event_limits:
            values["event_limits"] = dict(event_limits)
        if flags:
            values["features"] = flags
        if "hard" in stored and "hard" not in before.others:
            values.setdefault("hard", False)
        after = _over(before.others, values)
        if after != stored:
            organization.usage_limits, organization.updated_at = after, func.now()


def watch_limits(actor: Actor, *, organization_id: UUID, watching: bool, reason: str) -> None:
    """Let hard limits refuse nothing and only note what they would have refused, or let them hold again.

    Everything else that was agreed stays; while the limits are soft it has no effect. Raises Forbidden without
    ORGANIZATIONS_MANAGE, Invalid without a reason, NotFound, Conflict for a deleted organization.
    """
    actor.require(Permission.ORGANIZATIONS_MANAGE)
    with recording(actor, Action.ORGANIZATION_LIMITS_CHANGED, reason=fields.reason(reason)) as db:
        organization = db.get_one(Organization, organization_id, with_for_update=True)
        if organization.status == "deleted":
            raise Conflict(f"{organization.name} is deleted; restore it first.")
        after = {key: value for key, value in organization.usage_limits.items() if key != "limit_shadow"}
        if watching:
            after["limit_shadow"] = True
        if after != organization.usage_limits:
            organization.usage_limits, organization.updated_at = after, func.now()


def as_json(values: Mapping[str, Any]) -> str:
    """Unknown limits as a person can read them."""
    return json.dumps(dict(values), indent=2, ensure_ascii=False, sort_keys=True)


def _over(others: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """What is agreed now, over what could not be read: parts of one mapping or list stand side by side."""
    after = {**others, **values}
    for key in others.keys() & values.keys():
        odd, new = others[key], values[key]
        if isinstance(odd, dict) and isinstance(new, dict):
            after[key] = {**odd, **new}
        elif isinstance(odd, list) and isinstance(new, list):
            after[key] = [*new, *odd]
    return after


def _is_switch(value: object) -> bool:
    return isinstance(value, bool)


def _is_percent(value: object) -> bool:
    return isinstance(value, int) and _is_count(value) and 0 < value <= 1000


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST


def _is_event(name: str) -> bool:
    return _EVENT.fullmatch(name) is not None
