"""Saved views of the list of sessions: their links ask only for what they name."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from nexa_core import organizations
from nexa_core.actor import Actor
from nexa_core.architecture_sessions import Filter
from pages._ui.sessions import narrowing
from tests.worlds import World


@pytest.mark.parametrize("role", ["customer", "staff"])
def test_a_link_names_people_and_customers_without_asking_for_them(
    world: World, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    place = world.organization(is_platform=role == "staff")
    actor = world.actor(world.person("ada@northwind.example", place, role="owner"), place)
    calls: list[str] = []
    for verb in ("members", "browse", "get"):
        _counted(monkeypatch, verb, calls)
    author, customer = uuid4(), uuid4()
    wanted = Filter(text="cloud", author_id=author, organization_id=customer)
    narrowed = {"organization": str(customer)} if role == "staff" else {}
    assert narrowing.address_of(actor, wanted) == {"q": "cloud", "author": str(author), **narrowed}
    assert calls == []


def _counted(monkeypatch: pytest.MonkeyPatch, name: str, calls: list[str]) -> None:
    verb = getattr(organizations, name)

    def counted(actor: Actor, **given: Any) -> Any:
        calls.append(name)
        return verb(actor, **given)

    monkeypatch.setattr(organizations, name, counted)
