"""Each kind of person finds the screens they may see, and at the others a sentence that says why not."""

from __future__ import annotations

import pytest

from nexa_core.actor import Actor
from pages._ui import menu
from tests.pages.conftest import Shell
from tests.pages.test_gate import _open, _titles
from tests.worlds import World

_SESSIONS = ("Sessions", "Templates")
_CUSTOMERS = ("Morning brief", "Portfolio", "Organizations")
LISTED = {
    ("owner", True): {
        *("Home", *_SESSIONS, *_CUSTOMERS, "Plans", "People", "Audit log", "Proof", "System"),
    },
    ("member", True): {"Home", *_CUSTOMERS},
    ("viewer", True): {"Home", *_SESSIONS, *_CUSTOMERS},
    ("owner", False): {"Home", *_SESSIONS, "Organization", "Usage", "Billing", "Audit log", "Proof", "Staff access"},
    ("viewer", False): {"Home", *_SESSIONS, "Organization"},
    ("billing", False): {"Home", "Organization", "Usage", "Billing"},
}


def _somebody(world: World, role: str, is_platform: bool) -> tuple[Actor, object]:
    organization = world.organization(
        "NEXA" if is_platform else "Northwind", is_platform=is_platform, is_demo=is_platform, plan="enterprise"
    )
    world.person("owner@nexa.example", organization, role="owner")
    person = world.person("ada.lovelace@nexa.example", organization, role=role)
    living = world.sign_in(person, organization)
    return world.actor(person, organization), living


@pytest.mark.parametrize(("role", "is_platform"), LISTED)
def test_the_navigation_lists_what_the_person_may_see(
    world: World, shell: Shell, monkeypatch: pytest.MonkeyPatch, role: str, is_platform: bool
) -> None:
    _, living = _somebody(world, role, is_platform)
    listed: set[str] = set()
    original = menu.st.navigation

    def spy(pages: dict[str, list[object]], **options: object) -> object:
        listed.update(page.title for group in pages.values() for page in group if page.visibility == "visible")
        return original(pages, **options)

    monkeypatch.setattr(menu.st, "navigation", spy)
    app = shell(living).run()
    assert not app.exception and not app.error
    assert listed == LISTED[role, is_platform]


@pytest.mark.parametrize(("role", "is_platform"), LISTED)
def test_home_greets_and_works_for_every_kind_of_person(
    world: World, shell: Shell, role: str, is_platform: bool
) -> None:
    _, living = _somebody(world, role, is_platform)
    app = shell(living).run()
    assert not app.exception and not app.error and not app.warning
    assert "Ada" in _titles(app)[0]
    assert app.metric


@pytest.mark.parametrize("screen", [s for s in menu.SCREENS if s.permission], ids=lambda s: s.path)
@pytest.mark.parametrize(("role", "is_platform"), LISTED)
def test_an_address_one_may_not_open_says_so_in_a_sentence(
    world: World, shell: Shell, role: str, is_platform: bool, screen: menu.Screen
) -> None:
    actor, living = _somebody(world, role, is_platform)
    app = _open(shell(living), screen.path)
    assert not app.exception and _titles(app)
    refused = [warning.value for warning in app.warning if "You may not do this" in warning.value]
    assert bool(refused) is not screen.is_open_to(actor)
    if refused:
        assert "Reference" in refused[0] and not app.dataframe and not app.metric


def test_the_sidebar_names_the_person_and_the_organization(world: World, shell: Shell) -> None:
    _, living = _somebody(world, "member", False)
    app = shell(living).run()
    words = " ".join(element.value for element in app.sidebar.markdown)
    assert "Ada Lovelace" in words and "Northwind" in words
    assert [button.label for button in app.sidebar.button] == ["Find", "Sign out"]
    assert not app.sidebar.selectbox


def test_somebody_in_several_organizations_switches_in_the_sidebar(world: World, shell: Shell) -> None:
    here, there = world.organization("Here"), world.organization("There")
    person = world.person("ada.lovelace@here.example", here, role="owner")
    world.person("bob@there.example", there, role="owner")
    world.membership(person, there, role="viewer")
    app = shell(world.sign_in(person, here)).run()
    assert app.sidebar.selectbox[0].options == ["Here", "There"]
    app.sidebar.selectbox[0].set_value(str(there)).run()
    assert not app.exception and not app.error
    assert app.sidebar.selectbox[0].value == str(there)
    assert "There" in app.caption[0].value
