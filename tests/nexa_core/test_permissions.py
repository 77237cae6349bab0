"""Who may do what, and why not: the function that decides is the one that explains."""

from __future__ import annotations

from uuid import uuid4

import pytest

from nexa_core.actor import Actor, Scope, Standing
from nexa_core.errors import Forbidden
from nexa_core.permissions import MEMBERSHIP_ROLES, PLATFORM_ROLES, Permission, Resource, explain

GATES = [
    "account",
    "sign_in",
    "organization",
    "membership",
    "role",
    "override",
    "feature",
    "limit",
    "tenant",
    "deleted",
]
PLATFORM_ONLY = {
    Permission.ORGANIZATIONS_BROWSE,
    Permission.ORGANIZATIONS_MANAGE,
    Permission.USERS_MANAGE,
    Permission.PORTFOLIO_READ,
    Permission.DEMO_PRESENT,
    Permission.SYSTEM_READ,
}


def actor(role: str = "member", overrides: dict[str, object] | None = None, **standing: object) -> Actor:
    return Actor.of_membership(
        user_id=uuid4(),
        organization_id=uuid4(),
        role=role,
        overrides=overrides or {},
        standing=Standing(**standing),  # type: ignore[arg-type]
        full_name="Bob",
        organization_name="Northwind",
    )


def test_every_role_is_on_the_page() -> None:
    assert set(MEMBERSHIP_ROLES) == set(PLATFORM_ROLES) == {"owner", "admin", "member", "viewer", "billing"}


@pytest.mark.parametrize("role", MEMBERSHIP_ROLES)
def test_no_customer_role_holds_a_platform_permission(role: str) -> None:
    assert not MEMBERSHIP_ROLES[role] & PLATFORM_ONLY
    every = [permission.value for permission in Permission]
    assert not actor(role, {"grant": every}).permissions & PLATFORM_ONLY, "nor can it be granted one"


@pytest.mark.parametrize("role", MEMBERSHIP_ROLES)
@pytest.mark.parametrize("permission", list(Permission))
def test_the_decision_the_set_and_the_explanation_agree(role: str, permission: Permission) -> None:
    bob = actor(role)
    assert (permission in bob.permissions) == bob.may(permission) == explain(bob, permission).allowed


def test_an_explanation_lists_every_gate_in_order_and_names_the_deciding_one() -> None:
    found = explain(actor("viewer"), Permission.MEMBERS_MANAGE)
    assert [gate.name for gate in found.gates] == GATES
    assert found.deciding.name == "role"
    assert found.sentence == "The role viewer in Northwind does not include members.manage."


@pytest.mark.parametrize(
    ("bob", "resource", "gate"),
    [
        (actor("owner", account_status="suspended"), None, "account"),
        (actor("owner", signed_in=False), None, "sign_in"),
        (actor("owner", membership_status="suspended"), None, "membership"),
        (actor("viewer"), None, "role"),
        (actor("owner", {"deny": ["sessions.write"]}), None, "override"),
        (actor("owner", features={"sessions": False}), None, "feature"),
        (actor("owner", plan_features={"sessions": False}), None, "feature"),
        (actor("owner", plan_features={}), None, "feature"),
        (actor("owner", features={"sessions": False}, plan_features={"sessions": True}), None, "feature"),
        (actor("owner"), Resource("Credits", remaining=0), "limit"),
        (actor("owner"), Resource("Old review", deleted=True), "deleted"),
    ],
)
def test_each_gate_can_refuse(bob: Actor, resource: Resource | None, gate: str) -> None:
    found = explain(bob, Permission.SESSIONS_WRITE, resource)
    assert not found.allowed
    assert found.deciding.name == gate
    with pytest.raises(Forbidden) as refused:
        bob.require(Permission.SESSIONS_WRITE, resource)
    assert found.sentence in refused.value.sentence
    assert refused.value.explanation == found


@pytest.mark.parametrize(
    "standing",
    [
        {"plan_features": {"sessions": True}},
        {"plan_features": {"sessions": False}, "features": {"sessions": True}},
        {"plan_features": {}, "is_platform": True},
        {"plan_features": None},
    ],
)
def test_a_feature_is_the_plans_unless_it_was_agreed(standing: dict[str, object]) -> None:
    assert actor("owner", **standing).may(Permission.SESSIONS_WRITE)


def test_a_denial_wins_over_a_grant() -> None:
    both = {"grant": ["members.manage"], "deny": ["members.manage"]}
    assert not actor("viewer", both).may(Permission.MEMBERS_MANAGE)
    assert actor("viewer", {"grant": ["members.manage"]}).may(Permission.MEMBERS_MANAGE)


@pytest.mark.parametrize("broken", [{"grant": "sessions.write"}, {"grant": [1, None]}, {"grant": {"a": 1}}, {"x": []}])
def test_broken_overrides_grant_nothing(broken: dict[str, object]) -> None:
    assert actor("viewer", broken).permissions == MEMBERSHIP_ROLES["viewer"]


@pytest.mark.parametrize(
    ("role", "scope"),
    [("owner", Scope.STAFF), ("billing", Scope.STAFF), ("member", Scope.STAFF), ("viewer", Scope.PRESENTER)],
)
def test_the_platforms_own_people_have_a_wider_scope(role: str, scope: Scope) -> None:
    assert actor(role, is_platform=True).scope is scope
    assert actor(role).scope is Scope.TENANT


def test_an_actor_is_a_hashable_argument_of_a_cache() -> None:
    bob = actor("member", features={"sessions": True})
    assert hash(bob) == hash(bob)
    assert bob == bob
