"""With more customers than a list shows: figures are of all of them, and every one can be chosen."""

from __future__ import annotations

from uuid import UUID

import pytest
from streamlit.testing.v1 import AppTest

from nexa_core import architecture_sessions, audit
from nexa_core.actor import Actor
from nexa_core.architecture_sessions import Filter
from pages._ui import menu
from pages._ui.sessions import narrowing
from tests.pages.conftest import Shell
from tests.pages.test_gate import _open
from tests.pages.test_screens import _press
from tests.worlds import World

MANY = 210
LAST = "Customer 210"


@pytest.fixture
def root(world: World) -> tuple[Actor, UUID]:
    """An admin of the platform and their sign-in; more customers than a list shows at once."""
    platform = world.organization("NEXA", is_platform=True)
    person = world.person("root@nexa.example", platform, role="owner")
    with world.database.superuser() as connection, connection.transaction():
        world.name_the_change(connection)
        connection.execute(
            "INSERT INTO organizations (name, slug, status) SELECT 'Customer ' || lpad(n::text, 3, '0'),"
            " 'customer-' || n, 'pending' FROM generate_series(1, %s) n",
            [MANY],
        )
    return world.actor(person, platform), world.sign_in(person, platform)


def _pressed(app: AppTest, begins: str) -> AppTest:
    next(button for button in app.button if button.label.startswith(begins)).click()
    app.run()
    assert not app.exception and not app.error
    return app


def _typed(app: AppTest, label: str, text: str) -> AppTest:
    next(box for box in app.text_input if box.label == label).set_value(text).run()
    assert not app.exception
    return app


def test_the_figures_of_the_proof_are_of_every_chain(world: World, shell: Shell, root: tuple[Actor, UUID]) -> None:
    actor, sign_in = root
    audit.verify(actor)
    with world.database.superuser() as connection:
        connection.execute(
            "UPDATE audit_verifications SET faults = 1, first_fault = 'forged' WHERE chain_id IN"
            " (SELECT id FROM organizations WHERE NOT is_platform)"
        )
        chains, entries = connection.execute("SELECT count(*), sum(sequence) FROM audit_heads").fetchone() or (0, 0)
    assert len(audit.chain_states(actor)) < MANY < chains
    app = _open(shell(sign_in), menu.AUDIT_PROOF.path)
    assert app.metric[0].value == str(entries)
    assert app.error[0].value.startswith(f"{MANY} of {chains} chains do not verify: Customer ")
    assert any(f"200 of {chains} chains" in caption.value for caption in app.caption)


def test_the_totals_are_what_the_chains_say(root: tuple[Actor, UUID]) -> None:
    actor, _ = root
    before = audit.chain_totals(actor)
    assert (before.verified_at, before.walked_entries, before.broken) == (None, 0, 0)
    result = audit.verify(actor)
    totals, states = audit.chain_totals(actor), audit.chain_states(actor, limit=10 * MANY)
    assert totals.chains == len(states) == result.chains
    assert totals.entries == totals.walked_entries == totals.verified_entries == sum(one.entries for one in states)
    assert totals.verified_at == min(one.verified_at for one in states if one.verified_at)
    assert (totals.sealed_entries, totals.sealed_at) == (0, None)


def test_the_log_of_any_customer_can_be_held(shell: Shell, root: tuple[Actor, UUID]) -> None:
    actor, sign_in = root
    app = _open(shell(sign_in), menu.AUDIT_PROOF.path)
    _pressed(_typed(app, "Organization", "210"), LAST)
    (found,) = audit.organizations_named(actor, text=LAST)
    assert app.query_params["organization"] == str(found.id)
    next(box for box in app.text_input if box.label == "Reason").set_value("A court asked for it")
    _press(app, "Put under legal hold")
    assert audit.retention(actor, organization_id=found.id).legal_hold
    app = shell(sign_in)
    app.query_params["organization"] = str(found.id)
    app = _open(app, menu.AUDIT_PROOF.path)
    assert any("and under legal hold" in caption.value for caption in app.caption), "the address says whose"
    _pressed(app, f"Organization: {LAST}")
    assert "organization" not in app.query_params


def test_the_list_of_sessions_narrows_to_any_customer(shell: Shell, world: World, root: tuple[Actor, UUID]) -> None:
    actor, sign_in = root
    (found,) = audit.organizations_named(actor, text=LAST)
    writer = world.actor(world.person("ada@customer.example", found.id, role="owner"), found.id)
    architecture_sessions.create(writer, title="Theirs")
    app = _open(shell(sign_in), menu.SESSIONS.path)
    _pressed(_typed(app, "Organization", "210"), LAST)
    assert app.query_params["organization"] == "customer-210"
    (title,) = app.dataframe[0].value["Title"]
    assert title == "Theirs"
    address = narrowing.address_of(actor, Filter(organization_id=found.id))
    app = shell(sign_in)
    app.query_params["organization"] = address["organization"]
    app = _open(app, menu.SESSIONS.path)
    assert not app.error and any(button.label == f"Organization: {LAST}" for button in app.button)
