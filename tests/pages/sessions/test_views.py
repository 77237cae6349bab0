"""Saved views of the list of sessions: their links ask only for what they name."""

from __future__ import annotations

import dataclasses
from typing import Any
from uuid import uuid4

import pytest

from nexa_core import organizations
from nexa_core.actor import Actor
from nexa_core.architecture_sessions import Filter
from pages._ui.sessions import narrowing
from tests.worlds import World


@pytest.mark.parametrize(("names", "asked"), [((), []), (("author_id",), ["members"]), (("organization_id",), [])])
def test_a_link_asks_only_for_the_people_and_customers_it_names(
    world: World, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], asked: list[str]
) -> None:
    northwind = world.organization()
    ada = world.actor(world.person("ada@northwind.example", northwind, role="owner"), northwind)
    calls: list[str] = []
    for verb in ("members", "browse"):
        _counted(monkeypatch, verb, calls)
    wanted = dataclasses.replace(Filter(text="cloud"), **{name: uuid4() for name in names})
    assert narrowing.address_of(ada, wanted) == {"q": "cloud"}
    assert calls == asked


def test_a_link_to_an_author_is_by_name(world: World) -> None:
    northwind = world.organization()
    ada = world.actor(world.person("ada.lovelace@northwind.example", northwind, role="owner"), northwind)
    assert narrowing.address_of(ada, Filter(author_id=ada.user_id)) == {"author": "Ada Lovelace"}


def _counted(monkeypatch: pytest.MonkeyPatch, name: str, calls: list[str]) -> None:
    verb = getattr(organizations, name)

    def counted(actor: Actor, **given: Any) -> Any:
        calls.append(name)
        return verb(actor, **given)

    monkeypatch.setattr(organizations, name, counted)
