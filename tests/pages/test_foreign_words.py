"""A name is shown as it was written, in what is said of it too: never as Markdown, LaTeX, HTML or a picture."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nexa_core import audit
from pages._ui import menu
from pages._ui.text import literal
from tests.pages.conftest import Shell
from tests.pages.test_gate import _open
from tests.pages.test_screens import _press
from tests.worlds import World

NAME = "**Mallory** $x^2$ <b>bold</b> ![](https://evil.example/p.png) :red[now]"


def test_who_is_let_in_is_said_as_it_was_written(world: World, shell: Shell) -> None:
    northwind = world.organization("Northwind")
    owner = world.person("owner@northwind.example", northwind, role="owner")
    mallory = world.person("mallory@northwind.example", northwind, membership_status="pending", full_name=NAME)
    with world.database.superuser() as connection, connection.transaction():
        world.name_the_change(connection)
        connection.execute("UPDATE organization_memberships SET requested_at = now() WHERE user_id = %s", [mallory])
    app = shell(world.sign_in(owner, northwind))
    app.query_params["tab"] = "domains"
    _press(_open(app, menu.ORGANIZATION.path), "Let in")
    assert not app.exception and not app.error
    assert [toast.value for toast in app.toast] == [literal(f"{NAME} is in")]


def test_whose_log_is_kept_and_broken_is_said_as_it_was_written(
    world: World, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    northwind = world.organization(NAME, slug="northwind", plan="enterprise")
    owner = world.person("owner@northwind.example", northwind, role="owner")
    states, totals = audit.chain_states, audit.chain_totals
    monkeypatch.setattr(audit, "chain_states", lambda actor: [replace(one, faults=1) for one in states(actor)])
    monkeypatch.setattr(audit, "chain_totals", lambda actor: replace(totals(actor), broken=1))
    app = _open(shell(world.sign_in(owner, northwind)), menu.AUDIT_PROOF.path)
    assert not app.exception
    assert app.error[0].value == f"1 of 1 chains do not verify: {literal(NAME)}."
    assert any(element.value.startswith(f"The entries of {literal(NAME)} are kept") for element in app.markdown)
