"""Undo driven at random against a model: it restores exactly what was, or refuses and changes nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from random import Random
from uuid import UUID

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from nexa_core import accounts, audit, organizations
from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.audit import undo
from nexa_core.errors import Conflict, Forbidden, Invalid, NexaError
from tests.nexa_core.audit.undo_stage import Stage, State, anew, change_of, change_row
from tests.worlds import World


@pytest.fixture
def stage(world: World) -> Stage:
    return Stage(world)


# Text as people and attackers write it; what PostgreSQL cannot store is no change of state.
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).filter(str.strip)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | TEXT | st.sampled_from(["", "<b>x</b>", "$x^2$", "\\"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
OBJECT = st.dictionaries(TEXT, JSON, max_size=3)


Change = Callable[[Stage], None]


@st.composite
def changes(draw: st.DrawFn) -> Change:
    kind = draw(st.integers(0, 14))
    word, words, values = draw(TEXT), draw(TEXT), draw(OBJECT | st.none())
    role = draw(st.sampled_from(["owner", "admin", "member", "viewer", "billing"]))
    tags = draw(st.lists(TEXT, max_size=3))
    plan = draw(st.sampled_from(["free", "starter", "professional"]))
    standing = draw(st.sampled_from(organizations.SUBSCRIPTION_STATUSES))
    most = draw(st.none() | st.integers(0, 1000))

    def change(s: Stage) -> None:
        of_bob = {"membership_id": s.membership, "organization_id": s.northwind}
        to_organization = (Action.ORGANIZATION_UPDATED, "organizations", "id", s.northwind)
        match kind:
            case 0:
                organizations.rename(anew(s.ada), name=word)
            case 1:
                organizations.change_role(anew(s.ada), role=role, reason=word, **of_bob)
            case 2:
                organizations.suspend_member(anew(s.ada), reason=word, **of_bob)
            case 3:
                organizations.resume_member(anew(s.ada), reason=word, **of_bob)
            case 4:
                organizations.suspend(anew(s.root), organization_id=s.northwind, reason=word)
            case 5:
                organizations.resume(anew(s.root), organization_id=s.northwind, reason=word)
            case 6:
                change_row(anew(s.root), *to_organization, plan_type=("text", plan), usage_limits=("jsonb", values))
            case 7:
                change_row(anew(s.root), *to_organization, address=("jsonb", values), tax_id=("text", word or None))
            case 8:
                tagged = (Action.SESSION_EDITED, "ai_architecture_sessions", "uuid", s.reviewed)
                change_row(anew(s.ada), *tagged, tags=("jsonb", tags), title=("text", word))
            case 9:
                organizations.change_plan(
                    anew(s.root), organization_id=s.northwind, plan=plan, reason=word,
                    expected=organizations.current(s.ada).plan,
                )  # fmt: skip
            case 10:
                organizations.update_limits(
                    anew(s.root), organization_id=s.northwind, monthly_credits=most, seats=most, hard=bool(tags),
                    event_limits={"ai_call": most or 7}, features={"auto_join": bool(tags)}, reason=word,
                )  # fmt: skip
            case 11:
                organizations.update_subscription(
                    anew(s.root), organization_id=s.northwind, status=standing, trial_ends_on=None, renews_on=None,
                    seats=most, contract_notes=word, reason=word,
                )  # fmt: skip
            case 12:
                accounts.suspend_user(anew(s.root), user_id=s.bob, reason=word)
            case 13:
                accounts.resume_user(anew(s.root), user_id=s.bob, reason=word)
            case _:
                accounts.update_profile(
                    anew(s.ada), first_name=word, last_name=words, timezone="UTC", locale="en", avatar_url=None,
                    notification_settings={"usage": bool(tags)},
                )  # fmt: skip

    return change


def _as_if_undone(s: Stage, entry: UUID) -> State | None:
    """The model: the state with the entry's old values, or None where one of its values has changed since."""
    state = s.state()
    which, before, after = s.values(entry)
    now = state.get(which, {})
    if any(now.get(name) != value for name, value in after.items()):
        return None
    return {**state, which: {**now, **before}}


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(plan=st.lists(changes(), min_size=1, max_size=6), chance=st.randoms(use_true_random=False))
def test_every_undo_restores_exactly_or_refuses(stage: Stage, plan: list[Change], chance: Random) -> None:
    """Whatever was changed, every entry of it is undone once, in any order; the model says what becomes of each."""
    known = set(stage.newest())
    for change in plan:
        with contextlib.suppress(NexaError):  # a verb's own refusal: nothing changed
            change(stage)
    entries = [entry for entry in stage.newest() if entry not in known]
    chance.shuffle(entries)
    for entry in entries:
        _undo(stage, entry)
    assert audit.verify(Actor.system()).verified


def _undo(stage: Stage, entry: UUID) -> None:
    wanted, before = _as_if_undone(stage, entry), stage.state()
    preview = audit.plan(stage.root, entry_id=entry)
    try:
        audit.apply(anew(stage.root), entry_id=entry, reason="a mistake")
    except (Conflict, Invalid):
        assert stage.state() == before, "a refusal changes nothing"
        assert preview.refusal or wanted is not None, "what was refused was foretold, or broke a rule of the database"
        event("refused: a conflict" if wanted is None else "refused: a rule")
        return
    except Forbidden:
        assert stage.state() == before
        event("forbidden")
        return
    assert wanted is not None, "a conflict was overwritten"
    assert stage.state() == wanted
    assert preview.refusal is None
    (undone, *_) = audit.find(stage.root, limit=1).items
    assert undone.action == Action.CHANGE_UNDONE and "undoes the change of the" in (undone.reason or "")
    event(f"restored: {undone.resource_type} {sorted(undone.new_values or {})}")


def test_the_control_an_undo_that_looks_at_nothing_is_noticed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    organizations.rename(stage.ada, name="First")
    first = change_of(stage, action="organization.renamed")
    organizations.rename(stage.ada, name="Second")
    monkeypatch.setattr(undo, "_current", lambda *_args, **_given: stage.values(first)[2])
    with pytest.raises(AssertionError, match="a conflict was overwritten"):
        _undo(stage, first)
