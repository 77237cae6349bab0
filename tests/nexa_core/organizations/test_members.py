"""Members: exceptions to a role, ownership handed over, ways out for who cannot simply go, and why somebody may."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from nexa_core import accounts, audit, organizations
from nexa_core.actor import Actor, Origin
from nexa_core.errors import Conflict, Forbidden, Invalid, NotFound
from nexa_core.permissions import Explanation, Permission, Resource, explain
from tests.databases import TestDatabase
from tests.nexa_core.organizations.conftest import Cast
from tests.worlds import World


def membership(cast: Cast, email: str, organization: UUID | None = None) -> UUID:
    found = organizations.members(cast.root, organization_id=organization or cast.northwind)
    return next(one.id for one in found if one.email == email)


def except_for(cast: Cast, actor: Actor, of: Actor, *, grant: set[str] = frozenset(), deny: set[str] = frozenset()):  # type: ignore[no-untyped-def,assignment]
    where = of.organization_id
    assert where
    return organizations.set_permissions(
        actor, membership_id=membership(cast, of.email, where), organization_id=where, grant=grant, deny=deny,
        reason="a project",
    )  # fmt: skip


def test_a_list_is_searched_and_filtered(cast: Cast) -> None:
    def emails(**filters: str) -> list[str]:
        found = organizations.members(cast.ada, organization_id=cast.northwind, **filters)  # type: ignore[arg-type]
        return [one.email.partition("@")[0] for one in found]

    assert emails() == ["ada", "adm", "ben", "vic"]
    assert emails(text="BE") == ["ben"] and emails(text="%") == [] and emails(role="viewer") == ["vic"]
    assert emails(status="suspended") == []
    with pytest.raises(Invalid):
        emails(role="emperor")


def test_exceptions_are_kept_as_far_as_they_differ_from_the_role(cast: Cast, world: World) -> None:
    view = except_for(
        cast, cast.ada, cast.ben, grant={"audit.read", "sessions.read"}, deny={"sessions.write", "billing.manage"}
    )
    assert (view.grant, view.deny) == ({"audit.read"}, {"sessions.write"})
    ben = world.actor(cast.ben.user_id, cast.northwind)  # type: ignore[arg-type]
    assert ben.may(Permission.AUDIT_READ) and not ben.may(Permission.SESSIONS_WRITE)
    assert view.permissions == ben.permissions


def test_nobody_grants_what_they_lack_or_what_is_the_platforms(cast: Cast) -> None:
    with pytest.raises(Forbidden, match=r"cannot grant billing\.manage"):
        except_for(cast, cast.adm, cast.ben, grant={"billing.manage"})
    for actor in (cast.ada, cast.root):
        with pytest.raises(Invalid, match="the platform's own people"):
            except_for(cast, actor, cast.ben, grant={"system.read"})
    with pytest.raises(Invalid, match="no permission"):
        except_for(cast, cast.ada, cast.ben, grant={"everything"})
    with pytest.raises(Invalid, match="at once"):
        except_for(cast, cast.ada, cast.ben, grant={"audit.read"}, deny={"audit.read"})
    with pytest.raises(Conflict, match="their own permissions"):
        except_for(cast, cast.adm, cast.adm, grant={"audit.read"})
    with pytest.raises(Forbidden, match="rights that you do not have"):
        except_for(cast, cast.adm, cast.ada, deny={"billing.manage"})


def test_a_presenter_is_granted_nothing_more(world: World, cast: Cast) -> None:
    nexa = cast.root.organization_id
    assert nexa
    presenter = world.actor(world.person("pia@nexa.example", nexa, role="viewer"), nexa)
    for which in ("sessions.write", "audit.read", "system.read"):
        with pytest.raises(Invalid, match=f"{which} is more than a presenter can have"):
            except_for(cast, cast.root, presenter, grant={which})
    assert except_for(cast, cast.root, presenter, deny={"billing.read"}).deny == {"billing.read"}


def test_somebody_of_the_platform_with_little_rights_does_not_raise_themselves(world: World, cast: Cast) -> None:
    nexa = cast.root.organization_id
    assert nexa
    manager = world.person("mia@nexa.example", nexa, role="member", permissions={"grant": ["members.manage"]})
    mia = world.actor(manager, nexa)
    other = world.person("leo@nexa.example", nexa, role="viewer")
    assert other
    with pytest.raises(Forbidden, match="rights that you do not have"):
        organizations.change_role(
            mia, membership_id=membership(cast, "leo@nexa.example", nexa), organization_id=nexa, role="admin"
        )


def test_whoever_takes_a_role_that_manages_says_why_and_everybody_may(cast: Cast, database: TestDatabase) -> None:
    adm, ben, ada = (membership(cast, actor.email) for actor in (cast.adm, cast.ben, cast.ada))

    def change(whose: UUID, role: str, reason: str = "") -> None:
        organizations.change_role(
            cast.ada, membership_id=whose, organization_id=cast.northwind, role=role, reason=reason
        )

    change(ben, "viewer")
    change(ben, "admin", " needed  at night ")
    change(ben, "owner")
    for whose, role in ((adm, "member"), (adm, "billing"), (ben, "admin"), (ada, "viewer")):
        with pytest.raises(Invalid, match="reason") as refused:
            change(whose, role, " ")
        assert refused.value.field == "reason"
    with pytest.raises(Invalid, match="at most"):
        change(adm, "member", "x" * 1001)
    change(adm, "member", "left the team")
    with database.superuser() as connection:
        told = connection.execute(
            "SELECT new_values->>'role', reason FROM audit_logs WHERE action = 'membership.role_changed' ORDER BY id"
        ).fetchall()
    assert told == [
        ("viewer", None), ("admin", "needed  at night"), ("owner", None), ("member", "left the team"),
    ]  # fmt: skip


def test_the_last_owner_hands_over_and_then_may_go(cast: Cast, world: World) -> None:
    ada, ben = membership(cast, cast.ada.email), membership(cast, cast.ben.email)
    ways = organizations.ways_out(cast.ada, membership_id=ada, organization_id=cast.northwind)
    assert ways.is_last_owner and [heir.email.partition("@")[0] for heir in ways.heirs] == ["adm", "ben", "vic"]
    with pytest.raises(Conflict, match="active owner"):
        organizations.change_role(
            cast.ada, membership_id=ada, organization_id=cast.northwind, role="member", reason="leaving"
        )
    organizations.transfer_ownership(
        cast.ada, from_membership_id=ada, to_membership_id=ben, organization_id=cast.northwind, reason="leaving"
    )
    roles = {m.email: m.role for m in organizations.members(cast.root, organization_id=cast.northwind)}
    assert roles[cast.ben.email] == "owner" and roles[cast.ada.email] == "admin"
    with pytest.raises(Conflict, match="from an owner"):
        organizations.transfer_ownership(
            cast.root, from_membership_id=ada, to_membership_id=ben, organization_id=cast.northwind, reason="again"
        )


def test_an_admin_hands_over_nothing_and_nobody_hands_over_to_whom_is_not_active(cast: Cast, world: World) -> None:
    ada, ben = membership(cast, cast.ada.email), membership(cast, cast.ben.email)
    with pytest.raises(Forbidden):
        organizations.transfer_ownership(
            cast.adm, from_membership_id=ada, to_membership_id=ben, organization_id=cast.northwind, reason="coup"
        )
    organizations.suspend_member(cast.ada, membership_id=ben, organization_id=cast.northwind, reason="holiday")
    with pytest.raises(Conflict, match="Only an active member"):
        organizations.transfer_ownership(
            cast.ada, from_membership_id=ada, to_membership_id=ben, organization_id=cast.northwind, reason="leaving"
        )


def test_who_belongs_nowhere_else_is_kept_in_an_organization_of_their_own(
    cast: Cast, database: TestDatabase, world: World
) -> None:
    ben = membership(cast, cast.ben.email)
    ways = organizations.ways_out(cast.adm, membership_id=ben, organization_id=cast.northwind)
    assert ways.is_only_organization
    with pytest.raises(Conflict, match="at least one organization"):
        organizations.remove_member(cast.adm, membership_id=ben, organization_id=cast.northwind, reason="left")
    home = organizations.remove_to_personal_organization(
        cast.adm, membership_id=ben, organization_id=cast.northwind, reason="left"
    )
    assert cast.ben.email not in [m.email for m in organizations.members(cast.ada, organization_id=cast.northwind)]
    found = organizations.get(cast.root, organization_id=home)
    assert (found.name, found.status, found.plan, found.members) == ("Ben (personal)", "active", "free", 1)
    with pytest.raises(NotFound):
        organizations.get(cast.adm, organization_id=home)
    assert cast.ben.user_id and world.actor(cast.ben.user_id, home).role == "owner"
    assert audit.verify(cast.root).verified, "both organizations' chains"


def test_a_way_home_is_not_a_way_to_make_organizations(cast: Cast, database: TestDatabase) -> None:
    with pytest.raises(NotFound):
        organizations.remove_to_personal_organization(
            cast.eve, membership_id=membership(cast, cast.ben.email), organization_id=cast.contoso, reason="mine"
        )
    with database.app() as connection:
        connection.execute("SET LOCAL ROLE nexa_tenant")
        World.name_the_change(connection)
        connection.execute("SELECT set_config('nexa.organization', %s, true)", [str(cast.contoso)])
        with pytest.raises(Exception, match="only one's own organization"):
            connection.execute(
                "SELECT nexa.make_personal_organization(%s, %s, 'x', 'personal-x')", [cast.ben.user_id, cast.northwind]
            )


def test_resuming_takes_a_seat(cast: Cast, database: TestDatabase) -> None:
    ben = membership(cast, cast.ben.email)
    organizations.suspend_member(cast.ada, membership_id=ben, organization_id=cast.northwind, reason="holiday")
    with database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        connection.execute("UPDATE organizations SET usage_limits = '{\"seats\": 3}' WHERE id = %s", [cast.northwind])
    with pytest.raises(Conflict, match="All 3 seats of Northwind are taken"):
        organizations.resume_member(cast.ada, membership_id=ben, organization_id=cast.northwind, reason="back")


@pytest.mark.parametrize("permission", list(Permission))
def test_the_answer_about_somebody_is_what_the_gate_would_decide_for_them(
    cast: Cast, world: World, permission: Permission
) -> None:
    except_for(cast, cast.ada, cast.ben, grant={"audit.read"}, deny={"sessions.write"})
    for person in (cast.ada, cast.adm, cast.ben, cast.vic):
        assert person.user_id
        now = world.actor(person.user_id, cast.northwind)
        answer = organizations.explain_access(
            cast.adm, organization_id=cast.northwind, email=person.email, permission=permission
        )
        assert answer.allowed == now.may(permission)
        assert answer.deciding.name == explain(now, permission).deciding.name


def test_an_answer_names_the_gate_that_decides(cast: Cast, world: World, database: TestDatabase) -> None:
    def deciding(email: str, resource: Resource | None = None) -> tuple[bool, str]:
        found = organizations.explain_access(
            cast.ada, organization_id=cast.northwind, email=email, permission="sessions.write", resource=resource
        )
        return found.allowed, found.deciding.name

    assert deciding(cast.ben.email) == (True, "role")
    assert deciding(cast.vic.email) == (False, "role")
    assert deciding(cast.eve.email) == (False, "membership"), "a stranger, of whom nothing more is told"
    assert deciding("nobody@x.example") == (False, "membership")
    assert deciding(cast.ben.email, Resource("It", cast.northwind, deleted=True)) == (False, "deleted")
    assert deciding(cast.ben.email, Resource("It", cast.contoso)) == (False, "tenant")
    assert deciding(cast.ben.email, Resource("It", cast.northwind, remaining=0)) == (False, "limit")
    with database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        connection.execute(
            'UPDATE organizations SET usage_limits = \'{"features": {"sessions": false}}\' WHERE id = %s',
            [cast.northwind],
        )
    assert deciding(cast.ben.email) == (False, "feature")
    with pytest.raises(Forbidden):
        organizations.explain_access(
            cast.vic, organization_id=cast.northwind, email=cast.ben.email, permission="sessions.read"
        )
    with pytest.raises(NotFound):
        organizations.what_if(cast.eve, organization_id=cast.northwind, email=cast.ben.email, role="owner")


def test_an_answer_about_the_platforms_people_names_the_right_by_which_they_reach_a_customer(
    cast: Cast, world: World
) -> None:
    assert cast.root.organization_id
    world.person("manager@nexa.example", cast.root.organization_id, role="billing")
    world.person("gone@nexa.example", cast.root.organization_id, role="admin", membership_status="suspended")

    def answer(asking: Actor, email: str, permission: str = "members.manage") -> Explanation:
        return organizations.explain_access(asking, organization_id=cast.northwind, email=email, permission=permission)

    reaching = answer(cast.root, cast.root.email)
    assert reaching.allowed and reaching.sentence == "The role owner in NEXA includes organizations.manage."
    assert organizations.members(cast.root, organization_id=cast.northwind)
    assert not answer(cast.root, "manager@nexa.example").allowed
    assert answer(cast.root, "manager@nexa.example", "organization.read").allowed
    assert answer(cast.root, cast.root.email, "usage.record").sentence.endswith("in NEXA includes usage.record.")
    assert answer(cast.root, "gone@nexa.example").deciding.name == "membership"
    assert answer(cast.ada, cast.root.email).deciding.name == "membership", (
        "a customer is told nothing of NEXA's people"
    )
    for asking in (cast.root, cast.ada):
        account = answer(asking, "nobody@x.example").gates[0]
        assert (account.name, account.passed) == ("account", None)
        assert account.reason == "No account of nobody@x.example is known here."


def test_what_a_plan_does_not_include_is_off_unless_it_was_agreed(
    cast: Cast, world: World, database: TestDatabase
) -> None:
    """The gate of a real sign-in, and the answer about it, before and after each change."""
    assert cast.ada.user_id
    sign_in = world.sign_in(cast.ada.user_id, cast.northwind)

    def may() -> bool:
        ada = accounts.actor_of_user_session(Origin(), user_session_id=sign_in)
        answer = organizations.explain_access(
            cast.root, organization_id=cast.northwind, email=cast.ada.email, permission="audit.read"
        )
        assert answer.allowed == ada.may(Permission.AUDIT_READ) and (
            answer.allowed or answer.deciding.name == "feature"
        )
        return answer.allowed

    def change(**values: str) -> None:
        with database.superuser() as connection, connection.transaction():
            World.name_the_change(connection)
            for column, value in values.items():
                connection.execute(
                    f"UPDATE organizations SET {column} = %s WHERE id = %s".encode(), [value, cast.northwind]
                )

    assert may()
    smaller = organizations.what_if(cast.root, organization_id=cast.northwind, email=cast.ada.email, plan="free")
    assert smaller.lost == (Permission.AUDIT_READ,)
    change(plan_type="free")
    assert not may()
    change(usage_limits='{"features": {"audit_log": true}}')
    assert may()
    change(plan_type="professional", usage_limits='{"features": {"audit_log": false}}')
    assert not may()
    change(plan_type="never heard of", usage_limits="{}")
    assert may()


def test_what_would_change_is_what_changes(cast: Cast, world: World) -> None:
    assert cast.ben.user_id
    ben, before = membership(cast, cast.ben.email), world.actor(cast.ben.user_id, cast.northwind)
    foreseen = organizations.what_if(cast.ada, organization_id=cast.northwind, email=cast.ben.email, role="billing")
    organizations.change_role(cast.ada, membership_id=ben, organization_id=cast.northwind, role="billing")
    after = world.actor(cast.ben.user_id, cast.northwind)
    assert set(foreseen.gained) == after.permissions - before.permissions
    assert set(foreseen.lost) == before.permissions - after.permissions
    paused = organizations.what_if(
        cast.ada, organization_id=cast.northwind, email=cast.ben.email, membership_status="suspended"
    )
    assert set(paused.lost) == after.permissions
    smaller = organizations.what_if(cast.ada, organization_id=cast.northwind, email=cast.ben.email, plan="free")
    assert smaller.notes[0] == "4 people are active members, 1 more than the plan's 3 seats."


def test_whoever_is_invited_is_an_address_until_they_accept(
    cast: Cast, world: World, token_of: Callable[[str], str]
) -> None:
    """A customer learns of another's person what it learns of an address nobody has: nothing."""
    vera = world.actor(
        world.person("vera@contoso.example", cast.contoso, full_name="Vera Victim", last_login_at="2026-01-01"),
        cast.contoso,
    )
    organizations.invite(
        cast.ada, organization_id=cast.northwind, people="vera@contoso.example\nnobody@contoso.example"
    )

    def seen(actor: Actor, **filters: str) -> list[tuple[object, ...]]:
        found = organizations.members(actor, organization_id=cast.northwind, status="pending", **filters)  # type: ignore[arg-type]
        return [(one.full_name, one.account_status, one.last_active_at is None) for one in found]

    known = ("vera@contoso.example", "pending", True)
    assert seen(cast.ada) == [("nobody@contoso.example", "pending", True), known]
    assert seen(cast.ada, text="victim") == []
    assert seen(cast.root, text="victim") == [("Vera Victim", "active", False)]
    in_log = [entry.resource_name for entry in audit.recent(cast.ada) if entry.resource_type == "membership"]
    assert "vera@contoso.example" in in_log and "Vera Victim" not in in_log
    assert audit.people_named(cast.ada, text="victim") == ()
    assert [one.name for one in audit.people_named(cast.ada, text="vera")] == ["vera@contoso.example"]
    vera_may, nobody_may = (
        organizations.explain_access(
            cast.ada, organization_id=cast.northwind, email=f"{who}@contoso.example", permission="sessions.read"
        )
        for who in ("vera", "nobody")
    )
    assert vera_may.sentence.replace("vera", "nobody") == nobody_may.sentence

    waiting = membership(cast, "vera@contoso.example")
    organizations.remove_member(cast.ada, membership_id=waiting, organization_id=cast.northwind, reason="no")
    assert "Vera Victim" not in [entry.resource_name for entry in audit.recent(cast.ada)], "nor once it is gone"

    organizations.invite(cast.ada, organization_id=cast.northwind, people="vera@contoso.example")
    organizations.accept_invitation(vera, token=token_of("vera@contoso.example"))
    assert "Vera Victim" in [one.full_name for one in organizations.members(cast.ada, organization_id=cast.northwind)]
