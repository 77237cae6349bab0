"""Organizations: who finds which, what a list holds, and who may change what."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

import pytest

from nexa_core import organizations, usage
from nexa_core.actor import Actor
from nexa_core.config import settings
from nexa_core.errors import Conflict, Forbidden, Invalid, NotFound
from nexa_core.organizations import SORTS, Filter
from tests.databases import TestDatabase
from tests.worlds import World


def names(page: organizations.Page) -> list[str]:
    return [row.name for row in page.items]


def test_staff_see_every_customer_and_a_presenter_only_demos(
    platform: dict[str, Actor], customers: dict[str, Actor]
) -> None:
    assert names(organizations.browse(platform["root"])) == ["Contoso", "Northwind", "Tailspin"]
    assert names(organizations.browse(platform["manager"])) == ["Contoso", "Northwind", "Tailspin"]
    assert names(organizations.browse(platform["presenter"])) == ["Contoso"]


def test_a_customer_browses_nothing_and_finds_only_itself(customers: dict[str, Actor]) -> None:
    ada = customers["Northwind"]
    with pytest.raises(Forbidden):
        organizations.browse(ada)
    assert organizations.get(ada, slug="northwind").name == "Northwind"
    for stranger in ({"slug": "contoso"}, {"organization_id": customers["Contoso"].organization_id}):
        with pytest.raises(NotFound):
            organizations.get(ada, **stranger)


def test_an_account_manager_can_be_held_to_their_own_customers(
    world: World,
    platform: dict[str, Actor],
    customers: dict[str, Actor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mine = world.organization("Mine", account_manager_id=platform["manager"].user_id)
    monkeypatch.setenv("NEXA_ACCOUNT_MANAGERS_SEE", "own")
    settings.cache_clear()
    assert names(organizations.browse(platform["manager"])) == ["Mine"]
    assert organizations.get(platform["manager"], organization_id=mine).name == "Mine"
    with pytest.raises(NotFound):
        organizations.get(platform["manager"], slug="northwind")
    assert len(names(organizations.browse(platform["root"]))) == 4


@pytest.mark.parametrize("sort", SORTS)
def test_every_sort_pages_through_everything_once(
    world: World, platform: dict[str, Actor], customers: dict[str, Actor], sort: str
) -> None:
    for number in range(8):
        world.organization(f"Customer {number % 3}", slug=f"customer-{number}")
    usage.record(customers["Tailspin"], [usage.UsageEvent(event_type="ai_call", credits=7, idempotency_key="one")])
    whole = organizations.browse(platform["root"], sort=sort, limit=200).items
    paged, after = [], None
    while True:
        page = organizations.browse(platform["root"], sort=sort, limit=2, after=after)
        paged += page.items
        after = page.next_cursor
        if after is None:
            break
    assert paged == list(whole)
    assert len({row.id for row in paged}) == 11
    if sort in ("usage", "activity"):
        assert paged[0].name == "Tailspin"
        assert (paged[0].credits_used, paged[0].credits_allowance) == (7, 1000)
        today = dt.datetime.now(dt.UTC).date()
        assert paged[0].last_activity == today


def test_search_finds_name_slug_and_a_members_address_and_takes_wildcards_literally(
    platform: dict[str, Actor], customers: dict[str, Actor]
) -> None:
    root = platform["root"]
    assert names(organizations.browse(root, wanted=Filter(text="NORTH"))) == ["Northwind"]
    assert names(organizations.browse(root, wanted=Filter(text="ada@tail"))) == ["Tailspin"]
    assert names(organizations.browse(root, wanted=Filter(text="%"))) == []
    assert names(organizations.browse(root, wanted=Filter(text="_"))) == []
    assert names(organizations.browse(root, wanted=Filter(plan="starter", status="active"))) == [
        "Contoso",
        "Northwind",
        "Tailspin",
    ]
    assert names(organizations.browse(root, wanted=Filter(plan="enterprise"))) == []


@pytest.mark.parametrize(
    "query",
    [{"wanted": Filter(status="gone")}, {"sort": "colour"}, {"after": "!"}, {"after": "WzEsMl0"}, {"after": "bnVsbA"}],
)
def test_a_list_that_cannot_be_is_refused_in_a_sentence(platform: dict[str, Actor], query: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        organizations.browse(platform["root"], **query)
    assert refused.value.field == {"wanted": "status"}.get(field := next(iter(query)), field)


def test_a_member_list_is_for_those_who_may(
    world: World, platform: dict[str, Actor], customers: dict[str, Actor]
) -> None:
    ada = customers["Northwind"]
    assert ada.organization_id
    assert [member.email for member in organizations.members(ada, organization_id=ada.organization_id)] == [
        "ada@northwind.example"
    ]
    with pytest.raises(NotFound):
        organizations.members(customers["Contoso"], organization_id=ada.organization_id)
    viewer = world.actor(world.person("vic@northwind.example", ada.organization_id, role="viewer"), ada.organization_id)
    with pytest.raises(Forbidden):
        organizations.members(viewer, organization_id=ada.organization_id)
    with pytest.raises(NotFound):  # no demo organization, so for a presenter it is not there
        organizations.members(platform["presenter"], organization_id=ada.organization_id)


def test_nobody_gives_or_takes_a_role_above_their_own(world: World, customers: dict[str, Actor]) -> None:
    ada = customers["Northwind"]
    northwind = ada.organization_id
    assert northwind
    admin = world.actor(world.person("adm@northwind.example", northwind, role="admin"), northwind)
    world.person("bob@northwind.example", northwind, role="member")
    found = {member.email: member.id for member in organizations.members(ada, organization_id=northwind)}
    with pytest.raises(Forbidden, match="rights that you do not have"):
        organizations.change_role(
            admin, membership_id=found["bob@northwind.example"], organization_id=northwind, role="owner"
        )
    with pytest.raises(Forbidden, match="rights that you do not have"):
        organizations.remove_member(
            admin, membership_id=found["ada@northwind.example"], organization_id=northwind, reason="coup"
        )
    organizations.change_role(
        ada, membership_id=found["bob@northwind.example"], organization_id=northwind, role="owner"
    )


def test_a_stranger_changes_nobody(customers: dict[str, Actor], world: World) -> None:
    ada, eve = customers["Northwind"], customers["Contoso"]
    assert ada.organization_id
    assert eve.organization_id
    membership = organizations.members(ada, organization_id=ada.organization_id)[0].id
    for organization in (ada.organization_id, eve.organization_id):
        with pytest.raises(NotFound):
            organizations.remove_member(eve, membership_id=membership, organization_id=organization, reason="mine")


def test_harm_asks_for_a_reason_and_a_fitting_state(platform: dict[str, Actor], customers: dict[str, Actor]) -> None:
    northwind = customers["Northwind"].organization_id
    assert northwind
    root = platform["root"]
    with pytest.raises(Invalid, match="reason"):
        organizations.suspend(root, organization_id=northwind, reason="  ")
    with pytest.raises(Forbidden):
        organizations.suspend(platform["manager"], organization_id=northwind, reason="unpaid")
    with pytest.raises(Conflict, match="cannot become active"):
        organizations.resume(root, organization_id=northwind, reason="paid")
    assert organizations.suspend(root, organization_id=northwind, reason="unpaid").status == "suspended"
    assert organizations.resume(root, organization_id=northwind, reason="paid").status == "active"
    assert root.organization_id
    with pytest.raises(Conflict, match="platform's own"):
        organizations.suspend(root, organization_id=root.organization_id, reason="oops")
    with pytest.raises(NotFound):
        organizations.suspend(root, organization_id=uuid4(), reason="nobody")


@pytest.mark.parametrize("name", ["", "   ", "x" * 256])
def test_an_unfit_name_is_refused_and_nothing_changes(customers: dict[str, Actor], name: str) -> None:
    with pytest.raises(Invalid) as refused:
        organizations.rename(customers["Northwind"], name=name)
    assert refused.value.field == "name"
    assert organizations.current(customers["Northwind"]).name == "Northwind"


def test_home_tells_who_needs_attention(
    database: TestDatabase, world: World, platform: dict[str, Actor], customers: dict[str, Actor]
) -> None:
    late = world.organization("Late", subscription_status="past_due", account_manager_id=platform["manager"].user_id)
    home = organizations.summary(platform["manager"])
    assert [(note.organization.name, note.reason) for note in home.attention] == [("Late", "Payment is past due")]
    assert [row.id for row in home.customers] == [late]
    assert home.organizations == 4
    own = organizations.summary(customers["Northwind"])
    assert (own.organizations, own.people, own.attention) == (1, 1, ())
