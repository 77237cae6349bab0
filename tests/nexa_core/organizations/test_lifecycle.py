"""The end of an organization and its way back."""

from __future__ import annotations

import pytest

from nexa_core import accounts, organizations, usage
from nexa_core.actor import Actor, Origin
from nexa_core.errors import Conflict, Invalid, NotFound, Unauthenticated
from tests.databases import TestDatabase
from tests.worlds import World


def test_deleting_asks_for_the_slug_and_a_reason(root: Actor, ada: Actor) -> None:
    assert ada.organization_id
    for confirmation, reason, field in (("Northwind", "gone", "confirmation"), ("", "gone", "confirmation"),
                                        ("northwind", " ", "reason")):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            organizations.delete(root, organization_id=ada.organization_id, confirmation=confirmation, reason=reason)
        assert refused.value.field == field
    assert organizations.current(ada).status == "active"


def test_deleting_says_what_will_stop_and_then_it_stops(
    world: World, root: Actor, ada: Actor, customers: dict[str, Actor]
) -> None:
    northwind = ada.organization_id
    assert northwind and ada.user_id
    guest = world.person("guest@elsewhere.example", customers["Tailspin"].organization_id)  # type: ignore[arg-type]
    world.membership(guest, northwind)
    organizations.invite(ada, organization_id=northwind, people="new@northwind.example")
    living = world.sign_in(ada.user_id, northwind)
    world.session(northwind, ada.user_id)
    after = " ".join(organizations.consequences_of_deletion(root, organization_id=northwind).stops)
    assert "2 members can no longer sign in to it; 1 of them" in after
    assert "1 person signed in" in after and "1 open invitation" in after and "1 session" in after
    assert accounts.living_user_sessions([living]) == {living}
    organizations.delete(root, organization_id=northwind, confirmation=" northwind ", reason="contract over")
    assert accounts.living_user_sessions([living]) == set()
    with pytest.raises(Unauthenticated):
        accounts.sign_in(Origin(), email="ada@northwind.example", password="correct horse battery staple")
    with pytest.raises(NotFound):
        usage.record(root, [usage.UsageEvent(event_type="ai_call", idempotency_key="late")], organization_id=northwind)
    assert "Northwind" not in [row.name for row in organizations.browse(root).items]
    assert [row.name for row in organizations.browse(root, wanted=organizations.Filter(status="deleted")).items] == [
        "Northwind"
    ]


def test_what_is_deleted_is_closed_until_it_is_restored(root: Actor, ada: Actor) -> None:
    northwind = ada.organization_id
    assert northwind
    with pytest.raises(Conflict, match="nothing to restore"):
        organizations.restore(root, organization_id=northwind, reason="why not")
    organizations.delete(root, organization_id=northwind, confirmation="northwind", reason="gone")
    for verb in (
        lambda: organizations.delete(root, organization_id=northwind, confirmation="northwind", reason="twice"),
        lambda: organizations.update_profile(root, organization_id=northwind, name="X", slug="x1"),
        lambda: organizations.change_plan(root, organization_id=northwind, plan="free", expected="starter", reason="x"),
        lambda: organizations.suspend(root, organization_id=northwind, reason="x"),
    ):
        with pytest.raises(Conflict):
            verb()
    assert organizations.restore(root, organization_id=northwind, reason="paid").status == "active"
    assert organizations.current(ada).name == "Northwind"


def test_it_comes_back_as_it_was(database: TestDatabase, world: World, root: Actor, ada: Actor) -> None:
    northwind = ada.organization_id
    assert northwind
    organizations.suspend(root, organization_id=northwind, reason="unpaid")
    organizations.delete(root, organization_id=northwind, confirmation="northwind", reason="gone")
    assert organizations.restore(root, organization_id=northwind, reason="mistake").status == "suspended"
    empty = world.organization("Empty", slug="empty")
    organizations.delete(root, organization_id=empty, confirmation="empty", reason="gone")
    assert organizations.restore(root, organization_id=empty, reason="mistake").status == "pending"


def test_the_platforms_own_cannot_be_deleted(root: Actor) -> None:
    assert root.organization_id
    with pytest.raises(Conflict, match="platform's own"):
        organizations.delete(root, organization_id=root.organization_id, confirmation="nexa", reason="oops")


def test_health_says_what_is_wrong_most_urgent_first(world: World, root: Actor) -> None:
    organization = world.organization(
        "Troubled", plan="free", subscription_status="past_due", usage_limits={"monthly_credits": 10, "hard": True}
    )
    owner = world.actor(world.person("o@t.example", organization, role="owner"), organization)
    for number in range(3):
        world.person(f"p{number}@t.example", organization)
    usage.record(owner, [usage.UsageEvent(event_type="ai_call", credits=10, idempotency_key="one")])
    found = organizations.health(root, organization=organizations.get(root, organization_id=organization))
    assert found.faults == (
        "Payment is past due.",
        "It has 1 members more than seats.",
        "10 of 10 credits are used; further use is refused.",
    )
    assert (found.owners, found.seats_taken, found.seats, sum(found.trend)) == (1, 4, 3, 10)
    assert organizations.health(owner, organization=organizations.current(owner)).trend
    viewer = world.actor(world.person("v@t.example", organization, role="viewer"), organization)
    seen = organizations.health(viewer, organization=organizations.current(viewer))
    assert seen.trend == () and not any("credits" in fault for fault in seen.faults)


def test_only_invitations_that_wait_for_an_answer_are_counted_as_such(
    database: TestDatabase, world: World, root: Actor, ada: Actor
) -> None:
    """Neither a withdrawn one, nor somebody who asks to be let in, nor, as waiting, one that has expired."""
    here = ada.organization_id
    assert here
    sent = organizations.invite(
        ada, organization_id=here, people="a@x.example, b@x.example, c@x.example, d@x.example", role="viewer"
    )
    withdrawn = sent[0].invitation_id
    assert withdrawn
    organizations.revoke_invitation(ada, organization_id=here, invitation_id=withdrawn)
    asks = world.person("asks@x.example", here, membership_status="pending")
    with database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        connection.execute("UPDATE organization_memberships SET requested_at = now() WHERE user_id = %s", [asks])
        connection.execute(
            "UPDATE organization_memberships SET invitation_expires_at = now() - interval '1 hour' WHERE id = ANY(%s)",
            [[withdrawn, sent[1].invitation_id]],
        )
    found = organizations.health(root, organization=organizations.get(root, organization_id=here))
    assert found.pending_invitations == 2
    assert [fault for fault in found.faults if "invitation" in fault] == ["1 invitation has expired without an answer."]
    stops = organizations.consequences_of_deletion(root, organization_id=here).stops
    assert [line for line in stops if "invitation" in line] == ["2 open invitations can no longer be accepted."]
