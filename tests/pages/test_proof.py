"""The words and the order of the proof's screen."""

from __future__ import annotations

from uuid import uuid4

import pytest

from nexa_core.actor import Actor
from nexa_core.audit import ChainState
from pages._ui import proof


def _chain(name: str | None, faults: int = 0) -> ChainState:
    return ChainState(uuid4(), name, 1, 1, None, faults, "forged" if faults else None, None, None)


def test_what_is_wrong_stands_first_then_names_then_what_is_nobodys() -> None:
    chains = [_chain(None), _chain("umbra"), _chain("Aldermist"), _chain("Zephyr", faults=1)]
    assert [one.organization_name for one in sorted(chains, key=proof._place)] == ["Zephyr", "Aldermist", "umbra", None]


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [(0, 0, "–"), (7, 7, "all"), (8, 7, "all"), (1_674, 1_680, "all but 6"), (90, 100, "90 %"), (0, 3, "0 %")],
)
def test_few_that_came_since_are_counted(part: int, whole: int, said: str) -> None:
    assert proof._share(Actor.system(), part, whole) == said
