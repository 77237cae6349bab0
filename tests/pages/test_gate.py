"""Nobody sees a screen without a living sign-in, whatever the address."""

from __future__ import annotations

import pytest
import structlog
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from nexa_core.api import identity
from pages._ui import menu
from tests.databases import TestDatabase
from tests.pages.conftest import SHELL, Shell
from tests.worlds import World

ADDRESSES = [screen.path for screen in menu.SCREENS]


def _open(app: AppTest, path: str) -> AppTest:
    """A cold deep link: what the browser sends is the hash of the address, and that of the start is empty."""
    app._page_hash = calc_hash(path) if path != menu.HOME.path else ""
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        app.run()
    assert path in [line.get("page") for line in lines], "the address was not even reached"
    return app


def _shows_the_gate(app: AppTest) -> bool:
    return [box.label for box in app.text_input] == ["E-mail address", "Password"]


def _titles(app: AppTest) -> list[str]:
    return [title.value for title in app.title]


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_cold_deep_link_shows_the_gate_and_never_the_page(database: TestDatabase, shell: Shell, path: str) -> None:
    app = _open(shell(), path)
    assert not app.exception
    assert _shows_the_gate(app)
    assert _titles(app) == [] and not app.sidebar.button and not app.dataframe and not app.metric


def test_every_page_file_is_a_screen_or_belongs_to_the_gate() -> None:
    files = {path.name for path in SHELL.parent.glob("*.py")} - {"__init__.py", "_shell.py"}
    public = {menu.SIGN_IN, *(screen.file for screen in menu.PUBLIC)}
    assert files == {screen.file for screen in menu.SCREENS} | public


def test_there_is_no_pages_folder_beside_the_script_that_streamlit_runs() -> None:
    assert not (SHELL.parent / "pages").exists()


@pytest.mark.parametrize("path", ADDRESSES)
def test_the_same_address_shows_the_page_to_somebody_who_may(world: World, shell: Shell, path: str) -> None:
    platform = world.organization("NEXA", is_platform=True)
    admin = world.person("admin@nexa.example", platform, role="owner")
    app = _open(shell(world.sign_in(admin, platform)), path)
    assert not app.exception and not app.error
    assert not _shows_the_gate(app)
    assert len(_titles(app)) == 1


def test_a_header_that_this_process_did_not_write_opens_nothing(world: World, shell: Shell) -> None:
    organization = world.organization()
    living = world.sign_in(world.person("ada@northwind.example", organization, role="owner"), organization)
    app = shell(living)
    assert not _shows_the_gate(app.run())
    for forged in (str(living), f"nonce.{living}", f".{living}", f"{identity.header_value(living)[:-1]}", ""):
        app = shell()
        app.user = {"sign_in": forged}
        assert _shows_the_gate(app.run()), forged


def test_a_sign_in_that_ended_shows_the_gate_at_the_next_rerun(world: World, shell: Shell) -> None:
    organization = world.organization()
    person = world.person("ada@northwind.example", organization, role="owner")
    app = shell(world.sign_in(person, organization)).run()
    assert not _shows_the_gate(app)
    with world.database.superuser() as connection, connection.transaction():
        world.name_the_change(connection)
        connection.execute("UPDATE user_sessions SET revoked_at = now() WHERE user_id = %s", [person])
    assert _shows_the_gate(app.run())


def test_only_setting_a_password_is_open_to_strangers_beside_signing_in(database: TestDatabase, shell: Shell) -> None:
    app = shell()
    app.query_params["token"] = "whatever"
    _open(app, menu.SET_PASSWORD.path)
    assert [box.label for box in app.text_input if not box.disabled] == ["New password", "New password again"]
