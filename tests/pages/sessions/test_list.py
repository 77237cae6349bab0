"""The list of sessions without a browser: what was found, tags made one, and filters that an address brings."""

from __future__ import annotations

from uuid import UUID

import pytest
from streamlit.testing.v1 import AppTest

from nexa_core import architecture_sessions
from nexa_core.actor import Actor
from nexa_core.architecture_sessions import Filter
from tests.pages.conftest import Shell
from tests.pages.test_gate import _open
from tests.worlds import World


@pytest.fixture
def ada(world: World) -> tuple[Actor, UUID]:
    """Somebody who writes sessions, and their sign-in."""
    northwind = world.organization("Northwind", plan="enterprise")
    person = world.person("ada.lovelace@northwind.example", northwind, role="owner")
    return world.actor(person, northwind), world.sign_in(person, northwind)


def _listed(shell: Shell, sign_in: UUID, **address: str) -> AppTest:
    app = shell(sign_in)
    for name, value in address.items():
        app.query_params[name] = value
    app = _open(app, "sessions")
    assert not app.exception
    return app


def test_what_was_found_is_marked_in_the_table(shell: Shell, ada: tuple[Actor, UUID]) -> None:
    actor, sign_in = ada
    sections = {"sections": [{"id": "sec-1", "title": "One", "markdown": "All that a zephyr carries away."}]}
    architecture_sessions.create(actor, title="Winds", documents={"sow_objects": sections})
    app = _listed(shell, sign_in, q="zephyr")
    (found,) = app.dataframe[0].value["Found"]
    assert "a «zephyr» carries" in found


@pytest.fixture
def merging(shell: Shell, ada: tuple[Actor, UUID]) -> AppTest:
    """The dialog about tags, open, with “old” chosen to become “new”."""

    def script() -> None:
        import streamlit

        from nexa_core import architecture_sessions
        from pages._ui import current_actor
        from pages._ui.sessions import together

        if "known" not in streamlit.session_state:
            streamlit.session_state["known"] = architecture_sessions.suggest_tags(current_actor())
        together._rename(streamlit.session_state["known"])

    architecture_sessions.create(ada[0], title="Shown", tags=["old"])
    architecture_sessions.create(ada[0], title="Another", tags=["new"])
    app = AppTest.from_function(script, default_timeout=120)
    app.user = shell(ada[1]).user
    app.run()
    app.multiselect[0].set_value(["old"]).run()
    app.selectbox[0].set_value("new").run()
    assert any("Shown" in words.value for words in app.markdown)
    return app


def _press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception


def test_tags_are_made_one_on_the_sessions_that_were_shown_and_no_others(
    merging: AppTest, ada: tuple[Actor, UUID]
) -> None:
    late = architecture_sessions.create(ada[0], title="Made meanwhile", tags=["old"])
    _press(merging, "Change 1 session")
    assert architecture_sessions.get(ada[0], uuid=late.uuid).tags == ("old",), "nobody has seen it in the preview"
    assert {one.tag: one.sessions for one in architecture_sessions.suggest_tags(ada[0])} == {"new": 2, "old": 1}


def test_a_preview_that_holds_no_more_is_made_anew_before_anything_is_done(
    merging: AppTest, ada: tuple[Actor, UUID]
) -> None:
    (shown,) = architecture_sessions.browse(ada[0], wanted=Filter(tags=("old",))).items
    architecture_sessions.save(ada[0], uuid=shown.uuid, version=None, tags=[])
    late = [architecture_sessions.create(ada[0], title=f"Late {n}", tags=["old"]) for n in range(2)]
    _press(merging, "Change 1 session")
    assert any("changed meanwhile" in box.value for box in merging.warning)
    _press(merging, "Make the preview anew")
    assert "Change 2 sessions" in [button.label for button in merging.button]
    assert {architecture_sessions.get(ada[0], uuid=one.uuid).tags for one in late} == {("old",)}
