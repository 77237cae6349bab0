"""The portfolio: a bar of its chart belongs to one customer, whatever it is called."""

from __future__ import annotations

from typing import Any

import pytest

from nexa_core import usage
from nexa_core.usage import UsageEvent
from pages._ui import charts, menu
from tests.pages.conftest import Shell
from tests.pages.test_gate import _open
from tests.worlds import World


def test_a_bar_opens_its_own_customer_of_two_of_one_name(
    world: World, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = world.organization("NEXA", is_platform=True)
    admin = world.person("admin@nexa.example", platform, role="owner")
    for slug, credits in (("acme-here", 9), ("acme-there", 5)):
        acme = world.organization("Acme", slug=slug)
        owner = world.actor(world.person(f"owner@{slug}.example", acme, role="owner"), acme)
        usage.record(owner, [UsageEvent("ai_call", "a", credits)])
    drawn: list[charts.Chart] = []

    def draw(_actor: Any, chart: charts.Chart, **_: Any) -> list[dict[str, Any]]:
        """Click the second bar, once."""
        drawn.append(chart)
        return [{"customdata": chart.traces[1]["customdata"][0]}] if len(drawn) == 1 else []

    monkeypatch.setattr(charts, "draw", draw)
    app = shell(world.sign_in(admin, platform))
    app.query_params["split"] = "Customer"
    _open(app, menu.PORTFOLIO.path)
    assert not app.exception and not app.error
    assert [(trace["name"], sum(trace["y"])) for trace in drawn[0].traces] == [("Acme", 9), ("Acme", 5)]
    assert app.query_params["organization"] == "acme-there"
