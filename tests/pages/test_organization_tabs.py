"""The tabs of an organization: what is stored is kept in whatever form; people and domains are called what they are."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from streamlit.testing.v1 import AppTest

from pages._ui import menu
from tests.pages.conftest import Shell
from tests.pages.test_gate import _open
from tests.worlds import World


@pytest.fixture
def root(world: World) -> Any:
    platform = world.organization("NEXA", is_platform=True)
    return world.sign_in(world.person("root@nexa.example", platform, role="owner"), platform)


def _tab(shell: Shell, signed_in: Any, slug: str, tab: str) -> AppTest:
    app = shell(signed_in)
    app.query_params["organization"], app.query_params["tab"] = slug, tab
    app = _open(app, menu.ORGANIZATION.path)
    assert not app.exception
    return app


def _save(app: AppTest, button: str, reason_key: str) -> None:
    app.text_input(key=reason_key).set_value("agreed by phone")
    next(one for one in app.button if one.label == button).click()
    app.run()
    assert not app.exception and not app.error and app.toast


def _stored(world: World, column: str) -> Any:
    with world.database.superuser() as connection:
        row = connection.execute(f"SELECT {column} FROM organizations WHERE slug = 'odd'".encode()).fetchone()
    assert row
    return row[0]


ODD = {
    "monthly_credits": "many",
    "seats": -3,
    "hard": "yes",
    "limit_shadow": 1,
    "alert_at": "late",
    "event_limits": {"x": {"per": "day"}, "ai_call": -1, "pdf_export": 4},
    "features": {"sessions": "maybe", "beta": True},
    "sla": {"hours": 4},
}


def test_limits_of_another_form_are_shown_and_survive_a_save(world: World, shell: Shell, root: Any) -> None:
    organization = world.organization("Odd", usage_limits=ODD)
    world.person("owner@odd.example", organization, role="owner")
    app = _tab(shell, root, "odd", "limits")
    also = next(block.value for block in app.code)
    for word in ("many", "-3", "yes", "limit_shadow", "late", "per", "ai_call", "maybe", "sla"):
        assert word in also, word
    _save(app, "Save limits", "limits-reason")
    assert _stored(world, "usage_limits") == ODD


def test_a_contract_with_impossible_seats_is_shown_and_survives_a_save(world: World, shell: Shell, root: Any) -> None:
    data = {"seats": -5, "renews_on": "soon"}
    organization = world.organization("Odd", subscription_data=data)
    world.person("owner@odd.example", organization, role="owner")
    app = _tab(shell, root, "odd", "subscription")
    _save(app, "Save contract", "contract-reason")
    assert _stored(world, "subscription_data") == data


def test_demoting_somebody_who_manages_asks_why(world: World, shell: Shell, root: Any) -> None:
    organization = world.organization("Odd")
    for name in ("owner", "second"):
        world.person(f"{name}@odd.example", organization, role="owner")
    app = _tab(shell, root, "odd", "members")
    app.selectbox(key="member-chosen").set_value("second@odd.example").run()
    next(box for box in app.selectbox if str(box.key).startswith("role-of-")).set_value("viewer").run()
    button = "Make Second a viewer"
    next(one for one in app.button if one.label == button).click().run()
    assert ["Please give a reason" in error.value for error in app.error] == [True]
    _save(app, button, "role-reason")


def test_a_member_who_asks_to_be_let_in_is_not_called_invited(world: World, shell: Shell, root: Any) -> None:
    organization = world.organization("Odd")
    world.person("owner@odd.example", organization, role="owner")
    asks = world.person("asks@odd.example", organization, membership_status="pending")
    with world.database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        connection.execute("UPDATE organization_memberships SET requested_at = now() WHERE user_id = %s", [asks])
    app = _tab(shell, root, "odd", "members")
    app.selectbox(key="member-chosen").set_value("asks@odd.example").run()
    assert [info.value for info in app.info] == ["Asks to be let in. Let in or decline on the tab Domains."]


def _proven(world: World, organization: UUID, **values: Any) -> None:
    """A proven domain by which people join."""
    world._insert(
        "organization_domains", organization_id=organization, domain="odd.example", verified_at="2026-01-01",
        auto_join_enabled=True, verification_token=None, **values,
    )  # fmt: skip


@pytest.mark.parametrize("plan", ["professional", "starter"])
def test_a_domain_says_whether_the_plan_still_lets_people_join(
    world: World, shell: Shell, root: Any, plan: str
) -> None:
    organization = world.organization("Odd", plan=plan)
    world.person("owner@odd.example", organization, role="owner")
    _proven(world, organization)
    app = _tab(shell, root, "odd", "domains")
    said = " ".join(one.value for one in [*app.markdown, *app.caption])
    offered = plan == "professional"
    assert ("People join" in said, "join as viewer" in said) == (offered, offered)
    assert ("Not in the plan" in said, "does not include joining" in said) == (not offered, not offered)


def test_who_joins_offers_the_roles_one_may_hand_out(world: World, shell: Shell) -> None:
    organization = world.organization("Odd", plan="professional")
    world.person("owner@odd.example", organization, role="owner")
    admin = world.sign_in(world.person("admin@odd.example", organization, role="admin"), organization)
    _proven(world, organization)
    app = _tab(shell, admin, "odd", "domains")
    next(one for one in app.button if one.label == "Who joins").click().run()
    assert next(box for box in app.selectbox if box.label == "As").options == ["Viewer", "Member"]
