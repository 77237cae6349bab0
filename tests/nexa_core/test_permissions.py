"""Who may do what, and why not: the function that decides is the one that explains."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from nexa_core import accounts, architecture_sessions, audit
from nexa_core.actor import Actor, Scope, Standing
from nexa_core.config import settings
from nexa_core.errors import Forbidden
from nexa_core.permissions import (
    MEMBERSHIP_ROLES,
    PLATFORM_ROLES,
    REACHING_EVERYBODY,
    Permission,
    Resource,
    explain,
)
from tests.worlds import World

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


def test_a_presenter_presents_whatever_was_granted() -> None:
    """The database shows them the demo world and takes nothing from them: a grant would end in an error."""
    presenter = actor("viewer", {"grant": ["sessions.write", "portfolio.read"]}, is_platform=True)
    assert presenter.permissions == PLATFORM_ROLES["viewer"]
    found = explain(presenter, Permission.SESSIONS_WRITE)
    assert (found.allowed, found.deciding.name) == (False, "override")
    assert found.sentence == "sessions.write was granted to Bob personally, which the role viewer cannot have."
    assert actor("member", {"grant": ["sessions.write"]}, is_platform=True).may(Permission.SESSIONS_WRITE)


@pytest.mark.parametrize("permission", sorted(REACHING_EVERYBODY))
def test_who_sees_their_own_customers_only_is_granted_nothing_that_reaches_all(
    permission: Permission, monkeypatch: pytest.MonkeyPatch
) -> None:
    personal = {"grant": [permission.value]}
    manager = actor("member", personal, is_platform=True)
    assert manager.may(permission)
    monkeypatch.setattr(settings(), "account_managers_see", "own")
    found = explain(manager, permission)
    assert (found.allowed, found.deciding.name) == (False, "customers")
    assert (
        found.sentence == f"{permission.value} reaches every customer; NEXA is set up so that Bob sees only their own."
    )
    assert manager.may(Permission.PORTFOLIO_READ), "which is narrowed"
    assert actor("admin", is_platform=True).may(permission) and Actor.system().may(permission)
    everybody = {"grant": [permission.value, Permission.ORGANIZATIONS_MANAGE.value]}
    assert actor("member", everybody, is_platform=True).may(permission), "who manages all of them sees all of them"
    if permission not in PLATFORM_ONLY:
        assert actor("owner").may(permission), "a customer's people are not meant"


def test_verbs_on_every_customer_are_closed_to_who_sees_only_their_own(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    nexa, northwind = world.organization("NEXA", is_platform=True), world.organization()
    ada = world.person("ada@northwind.example", northwind, role="owner")
    personal = {"grant": [permission.value for permission in REACHING_EVERYBODY]}
    manager = world.actor(world.person("manager@nexa.example", nexa, permissions=personal), nexa)
    verbs: list[Callable[[], object]] = [
        lambda: audit.find(manager),
        lambda: audit.activity(manager),
        lambda: audit.chain_totals(manager),
        lambda: audit.staff_access(manager, organization_id=northwind),
        lambda: architecture_sessions.browse(manager),
        lambda: architecture_sessions.suggest_types(manager, everywhere=True),
        lambda: accounts.find_people(manager),
        lambda: accounts.view_as(manager, user_id=ada, organization_id=northwind, reason="asked"),
    ]
    for verb in verbs[:-1]:
        verb()
    monkeypatch.setattr(settings(), "account_managers_see", "own")
    for verb in verbs:
        with pytest.raises(Forbidden, match="reaches every customer"):
            verb()


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
