"""The screens do what they say, and show nothing that is not for reading."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from streamlit.testing.v1 import AppTest

from pages._ui import badges, menu, people_dialogs
from tests.databases import TestDatabase
from tests.pages.conftest import Shell
from tests.pages.test_gate import _open
from tests.worlds import PASSWORD, World

A_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
NEW = "a password nobody has thought of"


@pytest.fixture
def account(world: World, shell: Shell) -> AppTest:
    organization = world.organization()
    person = world.person("ada.lovelace@northwind.example", organization, role="owner")
    world.sign_in(person, organization)
    return _open(shell(world.sign_in(person, organization)), menu.ACCOUNT.path)


def _words(app: AppTest) -> str:
    shown = [*app.title, *app.caption, *app.markdown, *app.subheader, *app.text, *app.metric]
    return " ".join(str(element.value) for element in shown)


def _press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click()
    return app.run()


def _field(app: AppTest, label: str) -> object:
    return next(box for box in [*app.text_input, *app.selectbox, *app.checkbox] if box.label == label)


def test_a_profile_is_saved_and_said(account: AppTest) -> None:
    _field(account, "First name").set_value("Augusta")
    _field(account, "Time zone").set_value("Asia/Tokyo")
    _press(account, "Save")
    assert not account.exception and not account.error
    assert [toast.value for toast in account.toast] == ["Your account is saved"]
    assert _field(account, "First name").value == "Augusta"
    assert "Augusta Lovelace" in " ".join(element.value for element in account.sidebar.markdown)
    account.run()
    assert not account.toast, "said once"


def test_mail_about_limits_can_be_declined_and_what_else_was_said_is_kept(world: World, shell: Shell) -> None:
    northwind = world.organization()
    kept = {"mail.digest": False}
    ada = world.person("ada@northwind.example", northwind, role="owner", notification_settings=kept)
    app = _open(shell(world.sign_in(ada, northwind)), menu.ACCOUNT.path)
    (box,) = app.checkbox
    box.uncheck()
    _press(app, "Save")
    with world.database.superuser() as connection:
        stored = connection.execute("SELECT notification_settings FROM users WHERE id = %s", [ada]).fetchone()
    assert stored == ({**kept, "usage": False},)


def test_a_refusal_stands_beside_its_form_and_the_rest_of_the_page_stays(account: AppTest) -> None:
    _field(account, "First name").set_value("")
    _field(account, "Last name").set_value("")
    _press(account, "Save")
    assert len(account.error) == 1 and "at least one name" in account.error[0].value
    assert "Where I am signed in" in [heading.value for heading in account.subheader]


def test_a_password_changes_with_the_current_one_only(account: AppTest) -> None:
    for current, again, outcome in (("wrong", NEW, "error"), (PASSWORD, "other", "error"), (PASSWORD, NEW, "toast")):
        _field(account, "Current password").set_value(current)
        _field(account, "New password").set_value(NEW)
        _field(account, "New password again").set_value(again)
        _press(account, "Change password")
        assert bool(account.error) is (outcome == "error"), (current, again)
        assert bool(account.toast) is (outcome == "toast"), (current, again)


def test_my_sign_ins_are_listed_and_this_one_cannot_be_ended_here(account: AppTest) -> None:
    assert [button.label for button in account.button].count("End this one") == 1
    assert _words(account).count("This one") == 1


@pytest.mark.parametrize("screen", [*menu.SCREENS], ids=lambda screen: screen.path)
def test_no_screen_shows_a_raw_identifier(world: World, shell: Shell, screen: menu.Screen) -> None:
    platform = world.organization("NEXA", is_platform=True)
    admin = world.person("admin@nexa.example", platform, role="owner")
    northwind = world.organization("Northwind", plan="starter", account_manager_id=admin)
    world.session(northwind, world.person("ada@northwind.example", northwind, role="owner"))
    app = _open(shell(world.sign_in(admin, platform)), screen.path)
    assert not app.exception and not app.error
    tables = " ".join(table.value.to_string() for table in app.dataframe)
    assert not A_UUID.search(_words(app) + tables)
    assert "None" not in _words(app)


def test_the_list_is_searched_filtered_and_sorted_by_the_address(world: World, shell: Shell) -> None:
    platform = world.organization("NEXA", is_platform=True)
    admin = world.person("admin@nexa.example", platform, role="owner")
    for name, plan in (("Alder", "starter"), ("Birch", "free"), ("Cedar", "starter")):
        world.person(f"owner@{name.lower()}.example", world.organization(name, plan=plan), role="owner")
    living = world.sign_in(admin, platform)

    def names(**query: str) -> list[str]:
        app = shell(living)
        for key, value in query.items():
            app.query_params[key] = value
        _open(app, menu.ORGANIZATIONS.path)
        assert not app.exception and not app.error
        return list(app.dataframe[0].value["Name"]) if app.dataframe else []

    assert names() == ["Alder", "Birch", "Cedar"]
    assert names(plan="Starter") == ["Alder", "Cedar"]
    assert names(q="bir") == ["Birch"]
    assert names(sort="Newest") == ["Cedar", "Birch", "Alder"]
    assert names(status="Suspended") == []
    assert names(status="Nonsense", sort="Nonsense") == ["Alder", "Birch", "Cedar"]


def test_a_long_list_is_paged_forth_and_back_and_a_filter_starts_again(
    world: World, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = world.organization("NEXA", is_platform=True)
    admin = world.person("admin@nexa.example", platform, role="owner")
    for number in range(7):
        owned = world.organization(f"Customer {number}")
        world.person(f"owner@c{number}.example", owned, role="owner")
    from nexa_core import organizations

    browse = organizations.browse
    monkeypatch.setattr(organizations, "browse", lambda actor, **wanted: browse(actor, **{**wanted, "limit": 3}))
    app = _open(shell(world.sign_in(admin, platform)), menu.ORGANIZATIONS.path)

    def numbers() -> list[int]:
        return [int(name[-1]) for name in app.dataframe[0].value["Name"]]

    assert numbers() == [0, 1, 2]
    _press(app, "Next")
    assert numbers() == [3, 4, 5] and app.query_params["after"]
    _press(app, "Next")
    assert numbers() == [6]
    _press(app, "Previous")
    assert numbers() == [3, 4, 5]
    app.text_input(key="q").set_value("customer").run()
    assert numbers() == [0, 1, 2] and "after" not in app.query_params


def test_another_customers_address_is_no_organization_at_all(world: World, shell: Shell) -> None:
    mine, other = world.organization("Mine"), world.organization("Other", slug="other")
    world.person("owner@other.example", other, role="owner")
    person = world.person("owner@mine.example", mine, role="owner")
    app = shell(world.sign_in(person, mine))
    app.query_params["organization"] = "other"
    _open(app, menu.ORGANIZATION.path)
    assert "There is no such organization" in app.warning[0].value
    assert "Other" not in _words(app)


def test_a_viewer_sees_neither_use_nor_members(world: World, shell: Shell) -> None:
    organization = world.organization("Northwind")
    world.person("owner@northwind.example", organization, role="owner")
    viewer = world.person("viewer@northwind.example", organization, role="viewer")
    app = _open(shell(world.sign_in(viewer, organization)), menu.ORGANIZATION.path)
    assert "Credits" not in [metric.label for metric in app.metric]
    assert [tab.label for tab in app.tabs] == ["Profile"]
    assert not app.dataframe and not app.progress
    assert not app.text_input and not app.radio, "nor forms that somebody else could fill in"


def test_who_looks_after_a_customer_is_shown_to_whom_the_name_is_known(world: World, shell: Shell) -> None:
    platform, northwind = world.organization("NEXA", is_platform=True), world.organization("Northwind")
    root = world.person("root@nexa.example", platform, role="owner", full_name="Robin Root")
    owner = world.person("owner@northwind.example", northwind, role="owner")
    with world.database.superuser() as connection, connection.transaction():
        world.name_the_change(connection)
        connection.execute("UPDATE organizations SET account_manager_id = %s WHERE id = %s", [root, northwind])

    def facts(person: UUID, organization: UUID) -> list[str]:
        app = shell(world.sign_in(person, organization))
        app.query_params["organization"] = "northwind"
        _open(app, menu.ORGANIZATION.path)
        return [str(table.value) for table in app.table]

    assert any("Account manager" in table and "Robin Root" in table for table in facts(root, platform))
    assert not any("Account manager" in table for table in facts(owner, northwind))


def test_a_question_why_can_be_left_without_an_answer() -> None:
    def script() -> None:
        import streamlit as st

        from pages._ui.reasons import asked

        st.session_state["answers"] = [*st.session_state.get("answers", []), asked("Suspend")]

    app = AppTest.from_function(script).run()
    app.text_input[0].set_value("Because")
    _press(app, "Cancel")
    assert set(app.session_state["answers"]) == {None}
    app.text_input[0].set_value("Because")
    _press(app, "Suspend")
    assert app.session_state["answers"][-1] == "Because"


def test_what_would_happen_is_told_in_the_singular_and_of_nothing_that_is_not(world: World) -> None:
    organization = world.organization()
    actor = world.actor(world.person("ada@northwind.example", organization, role="owner"), organization)
    lines = [(count, "mail is blanked", "mails are blanked") for count in (0, 1, 2_000)]
    assert people_dialogs._told(actor, *lines) == "- 1 mail is blanked;\n- 2,000 mails are blanked;\n"


def test_a_promise_that_was_not_looked_at_yet_has_no_green_tick(world: World, shell: Shell) -> None:
    platform = world.organization("NEXA", is_platform=True)
    app = _open(shell(world.sign_in(world.person("root@nexa.example", platform, role="owner"), platform)), "system")
    (line,) = [words.value for words in app.markdown if "Usage last night" in words.value]
    assert "have not been proven yet" in line and "check_circle" not in line


def test_the_demo_is_offered_in_demo_mode_only(
    database: TestDatabase, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nexa_core.config import settings

    assert any("demo world" in caption.value for caption in shell().run().caption)
    monkeypatch.setenv("NEXA_DEMO", "0")
    settings.cache_clear()
    app = shell().run()
    assert not any("demo" in caption.value for caption in app.caption)
    assert [button.label for button in app.button] == ["Sign in", "Forgot password?"]


def test_every_state_of_the_schema_has_a_colour_and_a_word(database: TestDatabase) -> None:
    kinds = {"organization_status": badges.ORGANIZATION_STATUSES, "membership_status": badges.MEMBER_STATUSES,
             "membership_role": badges.ROLES}  # fmt: skip
    with database.superuser() as connection:
        for kind, known in kinds.items():
            (found,) = connection.execute(f"SELECT enum_range(NULL::{kind})::text[]").fetchone() or ()
            assert set(found) == set(known)
    from nexa_core.billing import PLANS

    assert list(PLANS) == badges.PLANS
