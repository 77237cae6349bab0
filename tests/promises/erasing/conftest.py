"""A customer, somebody of the platform, and the person who will be erased."""

from __future__ import annotations

import json
from uuid import UUID

import pytest

from nexa_core import accounts, architecture_sessions, organizations, usage
from nexa_core.actor import Actor, Origin
from tests.databases import TestDatabase
from tests.promises.erasing.person import ADDRESS, AGENT, EMAIL, NAME, SIGNED_PICTURE, world_owner
from tests.worlds import PASSWORD, World


@pytest.fixture
def root(world: World) -> Actor:
    platform = world.organization("NEXA", is_platform=True)
    return world.actor(world.person("root@nexa.example", platform, role="owner"), platform)


@pytest.fixture
def northwind(world: World) -> UUID:
    organization = world.organization("Northwind", billing_email=EMAIL)
    world.person("ada@northwind.example", organization, role="owner")
    return organization


@pytest.fixture
def zyx(world: World, database: TestDatabase, northwind: UUID, root: Actor) -> UUID:
    """Somebody who has left traces wherever one can."""
    person = world.person(
        EMAIL, northwind, role="admin", full_name=NAME, avatar_url="https://quorble.example/zyx.png",
        profile_data='{"title": "Chief Quorbler"}',
    )  # fmt: skip
    here = Origin(ip_address=ADDRESS, user_agent=AGENT)
    with pytest.raises(accounts_error()):
        accounts.sign_in(here, email=EMAIL, password="wrong")
    ticket = accounts.sign_in(here, email=EMAIL, password=PASSWORD).ticket
    living = accounts.open_browser_sign_in(here, ticket=ticket)
    actor = accounts.actor_of_user_session(here, user_session_id=living.user_session_id)
    accounts.update_profile(
        actor, first_name="Zyxanthia", last_name="Quorbleton-Smythe", timezone="Europe/Paris", locale="fr",
        avatar_url="https://quorble.example/new.png", notification_settings={"security": True},
    )  # fmt: skip
    organizations.rename(actor, name="Northwind of Zyxanthia Quorbleton")
    organizations.rename(actor, name="Northwind")
    accounts.request_password_reset(here, email=EMAIL)
    written = world.session(
        northwind, person, title=f"Review for {NAME}",
        sow_objects={"author": NAME, "mail": [EMAIL.upper()], "note": f"Asked by:\n{NAME}\tand others"},
    )  # fmt: skip
    drawn = architecture_sessions.store_image(actor, uuid=written, content=SIGNED_PICTURE).digest
    organizations.store_logo(actor, organization_id=northwind, content=SIGNED_PICTURE)
    event = {"by": EMAIL, "note": f"asked by {NAME}"}
    usage.record(
        actor, [usage.UsageEvent(event_type="ai_call", credits=7, idempotency_key=f"of {EMAIL}", event_data=event)]
    )
    members = organizations.members(world_owner(world, northwind), organization_id=northwind)
    ada = next(m for m in members if m.email.startswith("ada"))
    organizations.suspend(root, organization_id=northwind, reason=f"{NAME} ({EMAIL}) asked for it")
    organizations.resume(root, organization_id=northwind, reason="settled")
    with database.superuser() as connection, connection.transaction():
        world.name_the_change(connection)
        connection.execute(
            "UPDATE users SET profile_data = %s WHERE id = %s", [json.dumps({"boss": EMAIL}), ada.user_id]
        )
        connection.execute(
            "UPDATE organization_memberships SET invitation_message = %s WHERE user_id = %s",
            [f"Ask {NAME}", ada.user_id],
        )
        connection.execute(
            "UPDATE ai_architecture_sessions SET visual_assets_json = %s WHERE uuid = %s",
            [json.dumps({"assets": [{"id": "a", "kind": "image", "digest": drawn}]}), written],
        )
    return person


def accounts_error() -> type[Exception]:
    from nexa_core.errors import Unauthenticated

    return Unauthenticated
