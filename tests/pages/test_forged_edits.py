"""A field that is greyed out is a courtesy: who forges an edit of it, as any browser can, is refused by the verb."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages._ui import menu
from tests.databases import TestDatabase
from tests.pages.conftest import Shell
from tests.pages.test_gate import _open
from tests.worlds import World

PAGES = Path(__file__).resolve().parents[2] / "pages"


def _organization(world: World, shell: Shell, role: str, tab: str) -> AppTest:
    northwind = world.organization("Northwind", plan="professional")
    world.person("ada@northwind.example", northwind, role="owner")
    person = world.person("kim@northwind.example", northwind, role=role)
    app = shell(world.sign_in(person, northwind))
    app.query_params["tab"] = tab
    return _open(app, menu.ORGANIZATION.path)


def _edit(app: AppTest, field: str, button: str) -> bool:
    """Change a field and press a button, greyed out or not, as the tools of a browser can; whether they were."""
    (box,) = [box for box in [*app.text_input, *app.number_input] if box.label == field]
    (press,) = [one for one in app.button if one.label == button]
    greyed_out = box.disabled and press.disabled
    box.proto.disabled = press.proto.disabled = False
    box.set_value("Forged" if isinstance(box.value, str) else 999)
    press.click()
    app.run()
    assert not app.exception
    return greyed_out


def _stored(database: TestDatabase) -> object:
    with database.superuser() as connection:
        return connection.execute("SELECT name, usage_limits, subscription_data FROM organizations").fetchone()


@pytest.mark.parametrize(
    ("role", "tab", "field", "button"),
    [
        ("owner", "Subscription", "Seats of the contract", "Save contract"),
        ("owner", "Limits", "AI calls", "Save limits"),
    ],
)
def test_a_forged_edit_of_a_greyed_out_field_changes_nothing(
    database: TestDatabase, world: World, shell: Shell, role: str, tab: str, field: str, button: str
) -> None:
    app = _organization(world, shell, role, tab)
    before = _stored(database)
    assert _edit(app, field, button)
    assert _stored(database) == before and not app.toast


def test_the_same_edit_by_who_may_is_kept(database: TestDatabase, world: World, shell: Shell) -> None:
    """The control: what the test above does reaches the verb."""
    assert not _edit(_organization(world, shell, "owner", "Profile"), "Name", "Save profile")
    assert _stored(database) == ("Forged", {}, {})


def test_no_screen_of_organizations_or_people_takes_a_table_for_an_edit() -> None:
    """Streamlit accepts forged edits of a data_editor's disabled columns, so no such table changes anything here."""
    theirs = [*PAGES.glob("organ*.py"), *PAGES.glob("p*.py"), *(PAGES / "_ui" / "organization").rglob("*.py")]
    assert [path.name for path in theirs if "data_editor" in path.read_text()] == []
