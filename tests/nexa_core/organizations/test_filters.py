"""What the list is narrowed to: each filter finds exactly its organizations, alone and together."""

from __future__ import annotations

import unicodedata
from dataclasses import asdict

import pytest

from nexa_core import organizations, usage
from nexa_core.actor import Actor
from nexa_core.errors import Forbidden, Invalid
from nexa_core.organizations import Filter
from tests.worlds import World


def names(actor: Actor, **wanted: object) -> list[str]:
    return [row.name for row in organizations.browse(actor, wanted=Filter(**wanted)).items]  # type: ignore[arg-type]


def test_search_finds_every_field_that_names_a_customer(
    world: World, platform: dict[str, Actor], customers: dict[str, Actor]
) -> None:
    world.organization("Alder", slug="alder-co", domain="alder.test", tax_id="DE136695976", billing_email="pay@a.test")
    root = platform["root"]
    for text in ("alder", "ALDER-CO", "alder.test", "136695976", "pay@a.test"):
        assert names(root, text=text) == ["Alder"], text
    assert names(root, text="ada@tailspin") == ["Tailspin"]


def test_composed_and_decomposed_letters_are_the_same_name(world: World, root: Actor) -> None:
    composed = unicodedata.normalize("NFC", "Müßig")
    target = world.organization("Placeholder")
    owner = world.person("o@x.example", target, role="owner")
    organizations.update_profile(
        world.actor(owner, target), organization_id=target, name=unicodedata.normalize("NFD", "Müßig"), slug="muessig"
    )
    assert names(root, text=composed) == names(root, text=unicodedata.normalize("NFD", composed)) == [composed]


def test_each_filter_and_all_of_them_together(
    world: World, platform: dict[str, Actor], customers: dict[str, Actor]
) -> None:
    root, manager = platform["root"], platform["manager"]
    world.organization(
        "Late", plan="free", subscription_status="past_due", account_manager_id=manager.user_id, status="suspended"
    )
    assert names(root, subscription_status="past_due") == ["Late"]
    assert names(root, account_manager_id=manager.user_id) == ["Late"]
    assert names(root, without_owner=True) == ["Late"]
    assert names(root, demo=True) == ["Contoso"]
    assert names(root, demo=False) == ["Late", "Northwind", "Tailspin"]
    together = Filter("late", "suspended", "free", "past_due", manager.user_id, without_owner=True, demo=False)
    assert names(root, **asdict(together)) == ["Late"]
    assert names(root, **{**asdict(together), "demo": True}) == []


def test_a_suspended_owner_cannot_act_so_there_is_no_active_owner(world: World, root: Actor) -> None:
    lonely = world.organization("Lonely")
    world.person("o@lonely.example", lonely, role="owner", status="suspended")
    assert names(root, without_owner=True) == ["Lonely"]


@pytest.mark.parametrize(
    ("limits", "is_over"),
    [
        ({}, False),  # the plan's 1,000
        ({"monthly_credits": 6}, True),
        ({"monthly_credits": 7}, False),
        ({"monthly_credits": 0}, True),
        ({"monthly_credits": None}, False),
        ({"monthly_credits": "6"}, False),
        ({"monthly_credits": -1}, False),
        ({"monthly_credits": 6.5}, False),
        ({"monthly_credits": True}, False),
    ],
)
def test_over_the_limit_is_what_the_allowance_says(
    world: World, root: Actor, limits: dict[str, object], is_over: bool
) -> None:
    organization = world.organization("Used", plan="starter", usage_limits=limits)
    owner = world.actor(world.person("o@used.example", organization, role="owner"), organization)
    usage.record(owner, [usage.UsageEvent(event_type="ai_call", credits=7, idempotency_key="one")])
    (row,) = organizations.browse(root).items
    allowed = row.credits_allowance
    assert (allowed is not None and row.credits_used > allowed) == is_over
    assert (names(root, over_limit=True) == ["Used"]) == is_over


@pytest.mark.parametrize(
    "wanted", [{"status": "gone"}, {"subscription_status": "gone"}, {"text": "a\x00b"}, {"text": "a\ud800b"}]
)
def test_what_no_list_can_show_is_refused_by_name(root: Actor, wanted: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        organizations.browse(root, wanted=Filter(**wanted))  # type: ignore[arg-type]
    assert refused.value.field == next(iter(wanted))


def test_account_managers_are_the_platforms_own_but_for_its_viewers(
    platform: dict[str, Actor], customers: dict[str, Actor]
) -> None:
    found = {manager.id for manager in organizations.account_managers(platform["root"])}
    assert found == {platform["root"].user_id, platform["manager"].user_id}
    with pytest.raises(Forbidden):
        organizations.account_managers(customers["Northwind"])
