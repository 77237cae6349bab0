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


@pytest.mark.parametrize("name", [None, "author_id", "organization_id"])
def test_a_link_asks_for_no_people_and_a_customer_only_of_who_has_several(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str | None
) -> None:
    northwind = world.organization()
    ada = world.actor(world.person("ada@northwind.example", northwind, role="owner"), northwind)
    calls: list[str] = []
    for verb in ("members", "browse"):
        _counted(monkeypatch, verb, calls)
    wanted = Filter(text="cloud") if name is None else dataclasses.replace(Filter(text="cloud"), **{name: uuid4()})
    author = {"author": str(wanted.author_id)} if wanted.author_id else {}
    assert narrowing.address_of(ada, wanted) == {"q": "cloud", **author}
    assert calls == []


def _counted(monkeypatch: pytest.MonkeyPatch, name: str, calls: list[str]) -> None:
    verb = getattr(organizations, name)

    def counted(actor: Actor, **given: Any) -> Any:
        calls.append(name)
        return verb(actor, **given)

    monkeypatch.setattr(organizations, name, counted)
