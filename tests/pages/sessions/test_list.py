"""The list of sessions without a browser: what was found, tags made one, and filters that an address brings."""

from __future__ import annotations

from uuid import UUID

import pytest
from streamlit.testing.v1 import AppTest

from nexa_core import architecture_sessions
from nexa_core.actor import Actor
from nexa_core.architecture_sessions import Filter
from pages._ui.sessions import narrowing
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


def test_a_page_without_a_session_offers_the_newest_to_who_has_opened_none(
    shell: Shell, ada: tuple[Actor, UUID], world: World
) -> None:
    actor, sign_in = ada
    assert any("There is no session yet" in word.value for word in _open(shell(sign_in), "loe").markdown)
    assert actor.organization_id
    bob = world.person("bob@northwind.example", actor.organization_id, role="member")
    colleague = world.actor(bob, actor.organization_id)
    architecture_sessions.create(colleague, title="Written by a colleague")
    links = [link.label for link in _open(shell(sign_in), "loe").get("page_link")]
    assert any("Written by a colleague" in label for label in links), links


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


def _titles(app: AppTest) -> list[str]:
    return [title for table in app.dataframe if "Title" in table.value for title in table.value["Title"]]


def test_a_view_of_somebodys_sessions_shows_theirs_to_whoever_opens_it(
    shell: Shell, world: World, ada: tuple[Actor, UUID]
) -> None:
    actor, sign_in = ada
    people = {
        name: world.person(f"{name}@northwind.example", actor.organization_id, role="member", full_name="Bob Baker")
        for name in ("bob", "bert")
    }
    viewer = world.person("vera@northwind.example", actor.organization_id, role="viewer")
    architecture_sessions.create(actor, title="By Ada")
    for name, person in people.items():
        architecture_sessions.create(world.actor(person, actor.organization_id), title=f"By {name}")
    address = narrowing.address_of(actor, Filter(author_id=people["bob"]))
    for who in (sign_in, world.sign_in(viewer, actor.organization_id)):
        assert _titles(_listed(shell, who, **address)) == ["By bob"]
    app = _listed(shell, sign_in)
    box = next(box for box in app.selectbox if box.label == "Author")
    assert {"Bob Baker (bob@northwind.example)", "Bob Baker (bert@northwind.example)"} <= set(box.options)
    box.set_value(str(people["bert"])).run()
    assert _titles(app) == ["By bert"]
    assert app.query_params["author"] == str(people["bert"])
    box = next(box for box in app.selectbox if box.label == "Author")
    box.set_value("").run()
    assert len(_titles(app)) == 3 and "author" not in app.query_params
    assert _titles(_listed(shell, sign_in, author=actor.full_name)) == ["By Ada"], "an address of former days"
    assert _listed(shell, sign_in, author="Nobody").error, "rather than everybody's"


def test_a_type_and_a_tag_that_nobody_offers_narrow_the_list(shell: Shell, ada: tuple[Actor, UUID]) -> None:
    actor, sign_in = ada
    for number in range(3):
        tags = [f"common-{number}-{n}" for n in range(40)]
        for _ in range(2):
            architecture_sessions.create(actor, title="Common", tags=tags)
    architecture_sessions.create(actor, title="Rare", session_type="proof of concept", tags=["zz-rare"])
    for wanted in (Filter(session_type="proof of concept"), Filter(tags=("zz-rare",))):
        address = {name: value if isinstance(value, str) else value[0]
                   for name, value in narrowing.address_of(actor, wanted).items()}  # fmt: skip
        assert _titles(_listed(shell, sign_in, **address)) == ["Rare"], wanted
    solution = narrowing.address_of(actor, Filter(session_type="solution"))
    assert _titles(_listed(shell, sign_in, **solution)) == ["Common"] * 6


def test_staff_is_offered_the_tags_of_the_customer_that_was_chosen(
    shell: Shell, world: World, ada: tuple[Actor, UUID]
) -> None:
    architecture_sessions.create(ada[0], title="Tagged", tags=["cloud"])
    platform = world.organization("NEXA", is_platform=True)
    root = world.person("root@nexa.example", platform, role="owner")
    app = _listed(shell, world.sign_in(root, platform), organization="northwind")
    assert next(box for box in app.multiselect if box.label == "Tags, all of them").options == ["cloud"]
    stranger = world.organization("Contoso", plan="enterprise")
    other = world.actor(world.person("carl@contoso.example", stranger, role="owner"), stranger)
    assert architecture_sessions.suggest_tags(other, organization_id=ada[0].organization_id) == ()


def test_staff_who_chose_nobody_is_offered_tags_and_types_of_everybody(
    shell: Shell, world: World, ada: tuple[Actor, UUID]
) -> None:
    architecture_sessions.create(ada[0], title="Tagged", tags=["cloud"], session_type="proof of concept")
    platform = world.organization("NEXA", is_platform=True)
    root = world.person("root@nexa.example", platform, role="owner")
    for sign_in in (world.sign_in(root, platform), ada[1]):
        app = _listed(shell, sign_in)
        assert next(box for box in app.multiselect if box.label == "Tags, all of them").options == ["cloud"]
        types = next(box for box in app.selectbox if box.key == "type").options
        assert types[:2] == ["Every type", "Solution"] and types[-1] == "proof of concept"


def test_a_view_brings_back_the_order_it_was_kept_in(shell: Shell, ada: tuple[Actor, UUID]) -> None:
    actor, sign_in = ada
    for title in ("Beta", "Alpha", "Gamma"):
        architecture_sessions.create(actor, title=title)
    app = _listed(shell, sign_in, sort="Title")
    next(box for box in app.text_input if box.label.startswith("Keep these")).set_value("By title")
    _press(app, "Keep")
    (view,) = architecture_sessions.saved_views(actor)
    address = narrowing.address_of(actor, view.filters.wanted, view.filters.sort)
    assert address == {"sort": "Title"}
    assert _titles(_listed(shell, sign_in, **address)) == ["Alpha", "Beta", "Gamma"]


@pytest.fixture
def root(world: World) -> tuple[Actor, UUID]:
    """Somebody of the platform with every right, and their sign-in."""
    platform = world.organization("NEXA", is_platform=True)
    person = world.person("root@nexa.example", platform, role="owner")
    return world.actor(person, platform), world.sign_in(person, platform)


def test_a_customers_sessions_are_not_changed_together_by_staff(
    shell: Shell, ada: tuple[Actor, UUID], root: tuple[Actor, UUID]
) -> None:
    def script() -> None:
        from nexa_core import architecture_sessions
        from pages._ui import current_actor
        from pages._ui.sessions import together

        actor = current_actor()
        together.bar(actor, architecture_sessions.browse(actor).items, in_trash=False)

    def drawn(sign_in: UUID) -> AppTest:
        app = AppTest.from_function(script, default_timeout=120)
        app.user = shell(sign_in).user
        return app.run()

    architecture_sessions.create(ada[0], title="A customer's")
    assert "Duplicate …" in [button.label for button in drawn(ada[1]).button]
    app = drawn(root[1])
    assert not app.button and any("one by one, with a reason" in words.value for words in app.caption)


def test_renaming_tags_is_offered_to_whose_tags_they_are(
    shell: Shell, ada: tuple[Actor, UUID], root: tuple[Actor, UUID]
) -> None:
    architecture_sessions.create(ada[0], title="Tagged", tags=["cloud"])
    offered = {who[1]: "Tags" in [button.label for button in _listed(shell, who[1]).button] for who in (ada, root)}
    assert offered == {ada[1]: True, root[1]: False}


def test_a_customers_template_is_opened_by_staff_where_the_reason_is_asked(
    shell: Shell, ada: tuple[Actor, UUID], root: tuple[Actor, UUID]
) -> None:
    made = architecture_sessions.create(ada[0], title="Template: Landing zone")
    architecture_sessions.make_template(ada[0], uuid=made.uuid)
    for who, offered in ((ada, True), (root, False)):
        app = _open(shell(who[1]), "templates")
        assert ("Look and use" in [button.label for button in app.button]) is offered
        assert "Open" in [link.label for link in app.get("page_link")]
        assert "**Landing zone**" in [words.value for words in app.markdown], "not “Template:” on every card"
