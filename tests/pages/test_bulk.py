"""Changing customers together without a browser: what was shown, and showing it anew when it holds no more."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from nexa_core import organizations
from tests.pages.conftest import Shell
from tests.worlds import World


def _script() -> None:
    import streamlit

    from nexa_core import organizations
    from pages._ui import bulk, current_actor

    ids = organizations.matching(current_actor(), organizations.Filter())
    streamlit.session_state.setdefault(bulk._TARGETS, ("suspend", ids))
    bulk.change()


def _press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception


def test_a_preview_that_holds_no_more_is_made_anew_before_anything_is_done(world: World, shell: Shell) -> None:
    platform = world.organization("NEXA", is_platform=True)
    person = world.person("root@nexa.example", platform, role="owner")
    root = world.actor(person, platform)
    customers = {}
    for name in ("Northwind", "Contoso"):
        customers[name] = world.organization(name)
        world.person(f"ada@{name.lower()}.example", customers[name], role="owner")
    app = AppTest.from_function(_script, default_timeout=120)
    app.user = shell(world.sign_in(person, platform)).user
    app.run()
    organizations.suspend(root, organization_id=customers["Contoso"], reason="meanwhile")
    app.text_input[0].set_value("Contract review")
    _press(app, "Suspend 2")
    assert any("changed meanwhile" in box.value for box in app.warning)
    _press(app, "Make the preview anew")
    assert "Suspend 1" in [button.label for button in app.button]
