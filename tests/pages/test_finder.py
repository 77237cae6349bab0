"""Find: whatever a person may open is found by a few letters, and nothing else; Ctrl+K and the keys are enough."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from nexa_core import architecture_sessions as sessions
from nexa_core.actor import Actor
from nexa_core.errors import NexaError
from pages._ui import finder, menu
from tests.pages.visits import Visit, insist, visits
from tests.serving import Served
from tests.worlds import World


def names(actor: Actor, text: str) -> dict[str, list[str]]:
    return {kind: [link.name for link in links] for kind, links in finder.find(actor, text).items() if links}


@pytest.fixture
def two(world: World) -> dict[str, Actor]:
    """Two customers with an owner and a session each, and two of the platform's people."""
    made: dict[str, Actor] = {}
    for name in ("Northwind", "Contoso"):
        organization = world.organization(name)
        made[name] = world.actor(
            world.person(f"olive@{name.lower()}.example", organization, role="owner"), organization
        )
        sessions.create(made[name], title=f"Harbour of {name}", client="Fabrikam")
    platform = world.organization("NEXA", is_platform=True)
    for role in ("owner", "billing"):
        made[role] = world.actor(world.person(f"{role}@nexa.example", platform, role=role), platform)
    return made


def test_an_internal_admin_finds_customers_people_sessions_and_screens(two: dict[str, Actor]) -> None:
    (person,) = finder.find(two["owner"], "olive@north")["People"]
    assert (person.screen, person.detail) == (menu.PERSON, "olive@northwind.example")
    assert person.query == {"person": str(two["Northwind"].user_id)}
    assert names(two["owner"], "northwind")["Customers"] == ["Northwind"]
    assert sorted(names(two["owner"], "harbour")["Sessions"]) == ["Harbour of Contoso", "Harbour of Northwind"]
    assert names(two["owner"], "audit")["Screens"][0] == "Audit log"
    assert "People" in names(two["owner"], "")["Screens"]


def test_a_customers_owner_finds_what_is_its_own_alone(two: dict[str, Actor]) -> None:
    assert names(two["Northwind"], "harbour") == {"Sessions": ["Harbour of Northwind"]}
    assert names(two["Northwind"], "contoso") == {} == names(two["Northwind"], "olive")
    offered = names(two["Northwind"], "")["Screens"]
    assert "Usage" in offered and not {"People", "Organizations", "System"} & set(offered)


def test_an_account_manager_finds_customers_and_no_people(two: dict[str, Actor]) -> None:
    assert names(two["billing"], "northwind")["Customers"] == ["Northwind"]
    assert "People" not in names(two["billing"], "olive")


def test_who_begins_with_the_text_is_found_before_who_only_holds_it(two: dict[str, Actor], world: World) -> None:
    for name in ("Ada", "Bob", "Callum", "Dora", "Eve", "Lumen"):
        world.person(f"{name.lower()}@lum.example", two["Northwind"].organization_id, full_name=f"{name} Smith")  # type: ignore[arg-type]
    found = names(two["owner"], "lum")["People"]
    assert found[0] == "Lumen Smith" and len(found) == finder.MOST


def test_what_cannot_be_looked_for_is_a_sentence(two: dict[str, Actor]) -> None:
    for text in ("x" * 5_000, "nul \x00", "%_\\'\""):
        with contextlib.suppress(NexaError):
            assert names(two["owner"], text) == {}


@pytest.fixture
def visit(browser: Any, nexa_server: Served) -> Iterator[Visit]:
    with visits(browser, nexa_server) as make:
        yield make


def _typed(page: Page, letters: str) -> None:
    """Ctrl+K, and without a click the letters."""
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    dialog = page.get_by_role("dialog")

    def asks() -> None:
        if dialog.is_visible():  # a drawing of the page below took the keyboard away from it
            page.keyboard.press("Escape")
        page.keyboard.press("Control+k")

    insist(asks, until=dialog.locator("input:focus"))
    page.keyboard.type(letters)


def test_the_keys_alone_lead_to_a_customer(visit: Visit) -> None:
    page = visit("admin@nexa.example", "/audit")
    _typed(page, "merrow")
    link = page.get_by_role("dialog").get_by_role("link", name="Merrowgate University", exact=True)
    expect(link).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(link).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("dialog").locator("input")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Merrowgate University")).to_be_visible()
    expect(page).to_have_url(re.compile("/organization.*organization=merrowgate"))
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_enter_opens_the_first_that_is_found_however_fast_it_is_pressed(visit: Visit) -> None:
    page = visit("admin@nexa.example", "/audit")
    _typed(page, "merrow")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Merrowgate University")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_customers_owner_opens_a_session_by_a_word_of_it(visit: Visit) -> None:
    page = visit("owner@lumenfold.example", "/")
    _typed(page, "catalogue")
    page.get_by_role("dialog").locator(".st-key-nexa-find-sessions").get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(r"/structuring\?session="))
    expect(page.get_by_label("Title", exact=True)).to_be_visible()
