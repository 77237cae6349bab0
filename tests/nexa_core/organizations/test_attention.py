"""What needs attention: the home page and the page of the organization tell it of the same ones, and of no others."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from nexa_core import organizations, usage
from nexa_core.actor import Actor
from nexa_core.organizations import attention
from tests.worlds import World

_NOW = dt.datetime.now(dt.UTC)
_QUIET = "Nobody has used NEXA for a month"
_SUSPENDED = "It is suspended: nobody can sign in to it."


def _trial(days: int) -> dict[str, Any]:
    end = _NOW.date() + dt.timedelta(days=days)
    return {"subscription_status": "trialing", "subscription_data": {"trial_ends_on": end.isoformat()}}


def _day(days: int) -> str:
    return f"{_NOW.date() + dt.timedelta(days=days):%-d %b %Y}"


def _made(days_ago: int) -> dict[str, Any]:
    return {"created_at": _NOW - dt.timedelta(days=days_ago)}


#: What makes each, the credits it used, its label on the home page, and its sentence on its own page.
CASES: dict[str, tuple[dict[str, Any], int, tuple[str, ...], tuple[str, ...]]] = {
    "Steady": ({}, 0, (), ()),
    "Late": ({"subscription_status": "past_due"}, 0, ("Payment is past due",), ("Payment is past due.",)),
    "Long trial": (_trial(8), 0, (), ()),
    "Short trial": (_trial(7), 0, (f"Trial ends on {_day(7)}",), ("Its trial ends in 7 days.",)),
    "Last day": (_trial(0), 0, (f"Trial ends on {_day(0)}",), ("Its trial ends today.",)),
    "Trial over": (_trial(-1), 0, (f"Trial ended on {_day(-1)}",), ("Its trial is over.",)),
    "Odd trial": (
        {"subscription_status": "trialing", "subscription_data": {"trial_ends_on": "soon"}}, 0,
        ("Trial without an end",), ("It is on trial without an end.",),
    ),
    "Frugal": ({"usage_limits": {"monthly_credits": 100}}, 10, (), ()),
    "Empty": (
        {"usage_limits": {"monthly_credits": 10, "hard": True}}, 10,
        ("Used 10 of 10 credits",), ("10 of 10 credits are used; further use is refused.",),
    ),
    "Over": (
        {"usage_limits": {"monthly_credits": 0}}, 10,
        ("Used 10 of 0 credits",), ("10 of 0 credits are used; use goes on beyond it.",),
    ),
    "Old": (_made(32), 0, (_QUIET,), (f"{_QUIET}.",)),
    "Young": (_made(30), 0, (), ()),
    "Old and busy": (_made(32), 10, (), ()),
    "Old and suspended": (_made(32) | {"status": "suspended"}, 0, ("Suspended",), (_SUSPENDED,)),
}  # fmt: skip


def _make(world: World) -> None:
    for number, (name, (values, credits, _, _)) in enumerate(CASES.items()):
        organization = world.organization(name, plan="enterprise", **values)
        owner = world.person(f"o{number}@x.example", organization, role="owner")
        if credits:
            used = usage.UsageEvent(event_type="ai_call", credits=credits, idempotency_key="one")
            usage.record(world.actor(owner, organization), [used])


def test_both_pages_tell_it_of_the_same_organizations(world: World, root: Actor) -> None:
    _make(world)
    home = organizations.summary(root)
    told: dict[str, tuple[str, ...]] = {}
    for item in home.attention:
        told[item.organization.name] = (*told.get(item.organization.name, ()), item.reason)
    assert told == {name: labels for name, (_, _, labels, _) in CASES.items() if labels}
    faults = {
        row.name: organizations.health(root, organization=organizations.get(root, organization_id=row.id)).faults
        for row in organizations.browse(root).items
    }
    assert faults == {name: sentences for name, (*_, sentences) in CASES.items()}
    assert (home.organizations, home.credits_used) == (len(CASES), sum(credits for _, credits, _, _ in CASES.values()))


def test_the_platform_is_not_told_that_it_is_quiet(world: World, root: Actor) -> None:
    with world.database.superuser() as connection, connection.transaction():
        world.name_the_change(connection)
        connection.execute("UPDATE organizations SET created_at = %s WHERE is_platform", [_made(32)["created_at"]])
    faults = organizations.health(root, organization=organizations.current(root)).faults
    assert f"{_QUIET}." not in faults


def test_who_is_well_is_not_even_loaded(world: World, root: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    _make(world)
    asked: list[str] = []
    whole = attention.concerns

    def noted(organization: Any, **given: Any) -> Any:
        asked.append(organization.name)
        return whole(organization, **given)

    monkeypatch.setattr(attention, "concerns", noted)
    organizations.summary(root)
    needing = {name for name, (_, _, labels, _) in CASES.items() if labels}
    assert needing <= set(asked) <= needing | {"Long trial"} and len(asked) == len(set(asked))
