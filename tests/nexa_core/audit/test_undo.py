"""Undo puts back what was, asks for the right of the change itself, and refuses what does not fit any more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any
from uuid import uuid4

import pytest

from nexa_core import accounts, audit, organizations
from nexa_core.actions import Action
from nexa_core.audit.undo import REVERSIBLE
from nexa_core.errors import Conflict, Forbidden, Invalid, NotFound
from tests.databases import TestDatabase
from tests.nexa_core.audit.undo_stage import Stage, anew, change_of, change_row
from tests.worlds import World


@pytest.fixture
def stage(world: World) -> Stage:
    return Stage(world)


def test_role_limits_plan_profile_tags_and_suspensions_are_each_put_back(stage: Stage) -> None:
    of_bob = {"membership_id": stage.membership, "organization_id": stage.northwind}
    here = {"organization_id": stage.northwind}
    tagged = (Action.SESSION_EDITED, "ai_architecture_sessions", "uuid", stage.reviewed)
    limits = {"monthly_credits": 5, "seats": 9, "hard": True, "event_limits": {"ai_call": 3}, "features": {}}
    profile = {"first_name": "Augusta", "last_name": "", "timezone": "UTC", "locale": "de", "avatar_url": None}
    promised: dict[str, Callable[[], object]] = {
        "role": lambda: organizations.change_role(anew(stage.ada), role="viewer", **of_bob),
        "limits": lambda: organizations.update_limits(anew(stage.root), **here, **limits, reason="agreed"),  # type: ignore[arg-type]
        "plan": lambda: organizations.change_plan(
            anew(stage.root), **here, plan="starter", expected="free", reason="upgrade"
        ),
        "profile": lambda: accounts.update_profile(anew(stage.ada), **profile, notification_settings={"usage": False}),  # type: ignore[arg-type]
        "tags": lambda: change_row(anew(stage.ada), *tagged, tags=("jsonb", ["b", "c"])),
        "suspended member": lambda: organizations.suspend_member(anew(stage.ada), reason="left", **of_bob),
        "suspended person": lambda: accounts.suspend_user(anew(stage.root), user_id=stage.bob, reason="stolen"),
        "suspended customer": lambda: organizations.suspend(anew(stage.root), **here, reason="unpaid"),
    }
    for name, change in promised.items():
        before = stage.state()
        change()
        assert stage.state() != before, name
        preview = audit.plan(stage.root, entry_id=stage.newest()[0])
        assert preview.changes and preview.refusal is None, name
        audit.apply(anew(stage.root), entry_id=stage.newest()[0], reason="a mistake")
        assert stage.state() == before, name


def test_a_change_is_put_back_and_the_undo_is_an_entry_that_can_be_undone(stage: Stage) -> None:
    organizations.rename(stage.ada, name="Northwind Traders")
    renamed = change_of(stage, action="organization.renamed")
    preview = audit.plan(stage.ada, entry_id=renamed)
    assert [(c.name, c.now.text, c.then.text, c.is_conflict) for c in preview.changes] == [
        ("name", "Northwind Traders", "Northwind", False)
    ]
    audit.apply(stage.ada, entry_id=renamed, reason="a slip")
    assert organizations.current(stage.ada).name == "Northwind"
    (undo,) = audit.find(stage.ada, filters=audit.Filters(action="audit.undone")).items
    when = audit.entry(stage.ada, entry_id=renamed).entry.at.astimezone(UTC)
    undone = f"undoes the change of the name from Northwind to Northwind Traders, {when:%Y-%m-%d %H:%M} UTC"
    assert undo.reason == f"a slip ({undone})", "in words, and nobody's name that not every reader may know"
    assert undo.sentence == "Ada put Northwind’s name back to Northwind"
    audit.apply(stage.ada, entry_id=undo.id, reason="it was right after all")
    assert organizations.current(stage.ada).name == "Northwind Traders"


def test_no_identifier_stands_in_what_people_read_of_an_undo(stage: Stage) -> None:
    to_organization = (Action.ORGANIZATION_UPDATED, "organizations", "id", stage.northwind)
    change_row(anew(stage.root), *to_organization, account_manager_id=("uuid", stage.root.user_id))
    audit.apply(anew(stage.root), entry_id=stage.newest()[0], reason="a mistake")
    undo, change = audit.find(stage.ada, limit=2).items
    assert undo.reason and undo.reason.startswith("a mistake (undoes the change of the account manager, ")
    assert undo.sentence == "NEXA staff put Northwind’s account manager back"
    assert change.sentence == "NEXA staff changed Northwind’s account manager"


@pytest.mark.parametrize("value", [None, [], {}, {"a": None}, "", "null", 0, False, {"$x$": ["<b>", 1e300]}])
def test_a_document_is_put_back_as_it_was_a_json_null_included(stage: Stage, value: Any) -> None:
    to_organization = (Action.ORGANIZATION_UPDATED, "organizations", "id", stage.northwind)
    change_row(anew(stage.root), *to_organization, address=("jsonb", value), tax_id=("text", None))
    before = stage.state()
    change_row(anew(stage.root), *to_organization, address=("jsonb", {"city": "Bonn"}), tax_id=("text", "DE1"))
    audit.apply(anew(stage.root), entry_id=stage.newest()[0], reason="a mistake")
    assert stage.state() == before


def test_what_changed_again_since_is_a_conflict(stage: Stage) -> None:
    organizations.rename(stage.ada, name="First")
    first = change_of(stage, action="organization.renamed")
    organizations.rename(stage.ada, name="Second")
    assert "changed again" in (audit.plan(stage.ada, entry_id=first).refusal or "")
    with pytest.raises(Conflict, match="changed again"):
        audit.apply(stage.ada, entry_id=first, reason="a slip")
    assert organizations.current(stage.ada).name == "Second"


def test_an_undo_asks_for_the_permission_of_the_change_itself(stage: Stage, world: World) -> None:
    change_row(
        stage.root, Action.ORGANIZATION_UPDATED, "organizations", "id", stage.northwind, plan_type=("text", "starter")
    )
    plan = change_of(stage, action="organization.updated")
    assert audit.plan(stage.ada, entry_id=plan).refusal
    with pytest.raises(Forbidden):
        audit.apply(stage.ada, entry_id=plan, reason="we liked it better")
    accounts.update_profile(
        stage.ada, first_name="Augusta", last_name="", timezone="UTC", locale="en", avatar_url=None,
        notification_settings={},
    )  # fmt: skip
    profile = change_of(stage, action="user.profile_updated")
    with pytest.raises(Forbidden):
        audit.apply(stage.abe, entry_id=profile, reason="hers, not mine")
    audit.apply(stage.ada, entry_id=profile, reason="mine")


def test_undoing_back_to_suspended_ends_the_sign_ins_as_suspending_does(stage: Stage, world: World) -> None:
    accounts.suspend_user(anew(stage.root), user_id=stage.bob, reason="stolen")
    accounts.resume_user(anew(stage.root), user_id=stage.bob, reason="found")
    sign_in = world.sign_in(stage.bob, stage.northwind)
    resumed = change_of(stage, action="user.resumed")
    with stage.database.superuser() as connection:
        audit.plan(stage.root, entry_id=resumed)
        of_it = "SELECT revoked_reason FROM user_sessions WHERE id = %s"
        assert connection.execute(of_it, [sign_in]).fetchone() == (None,)
        audit.apply(anew(stage.root), entry_id=resumed, reason="stolen after all")
        assert connection.execute(of_it, [sign_in]).fetchone() == ("user_suspended",)
    told = {e.sentence for e in audit.find(stage.root, filters=audit.Filters(action="audit.undone")).items}
    assert f"{stage.root.full_name or 'Root'} ended a sign-in of the suspended account" in told and len(told) == 2


def test_an_admin_cannot_make_an_owner_by_undoing(stage: Stage) -> None:
    of_bob = {"membership_id": stage.membership, "organization_id": stage.northwind}
    organizations.change_role(stage.ada, role="owner", **of_bob)
    organizations.change_role(stage.ada, role="member", reason="a slip", **of_bob)
    demoted = change_of(stage, action="membership.role_changed")
    with pytest.raises(Forbidden, match="rights that you do not have"):
        audit.apply(stage.abe, entry_id=demoted, reason="up again")
    audit.apply(stage.ada, entry_id=demoted, reason="up again")


def test_undoing_a_suspension_takes_a_seat_or_is_refused(stage: Stage) -> None:
    of_bob = {"membership_id": stage.membership, "organization_id": stage.northwind}
    organizations.suspend_member(stage.ada, reason="on leave", **of_bob)
    suspended = change_of(stage, action="membership.suspended")
    limits = (Action.ORGANIZATION_LIMITS_CHANGED, "organizations", "id", stage.northwind)
    change_row(anew(stage.root), *limits, usage_limits=("jsonb", {"seats": 2}))
    preview = audit.plan(stage.ada, entry_id=suspended)
    assert preview.is_allowed and "All 2 seats of Northwind are taken" in (preview.refusal or "")
    with pytest.raises(Conflict, match="All 2 seats of Northwind are taken"):
        audit.apply(anew(stage.ada), entry_id=suspended, reason="back again")
    change_row(anew(stage.root), *limits, usage_limits=("jsonb", {"seats": 3}))
    audit.apply(anew(stage.ada), entry_id=suspended, reason="back again")


@pytest.mark.parametrize("status", ["suspended", "active"])
def test_an_admin_neither_suspends_nor_resumes_an_owner_by_undoing(stage: Stage, status: str) -> None:
    of_bob = {"membership_id": stage.membership, "organization_id": stage.northwind}
    organizations.change_role(stage.ada, role="owner", **of_bob)
    organizations.suspend_member(stage.ada, reason="on leave", **of_bob)
    entry = change_of(stage, action="membership.suspended")
    if status == "suspended":
        organizations.resume_member(stage.ada, reason="back", **of_bob)
        entry = change_of(stage, action="membership.resumed")
    assert not audit.plan(stage.abe, entry_id=entry).is_allowed
    with pytest.raises(Forbidden, match="rights that you do not have"):
        audit.apply(anew(stage.abe), entry_id=entry, reason="not mine to do")
    audit.apply(anew(stage.ada), entry_id=entry, reason="a slip")


def test_business_fields_are_put_back_by_who_may_change_them(stage: Stage) -> None:
    business = {"organization_id": stage.northwind, "address": {}, "tax_id": ""}
    organizations.update_business(stage.ada, **business, billing_email="pay@northwind.example", time_zone="UTC")
    changed = change_of(stage, action="organization.business_changed")
    assert not audit.plan(stage.abe, entry_id=changed).is_allowed
    with pytest.raises(Forbidden):
        audit.apply(anew(stage.abe), entry_id=changed, reason="an admin has no say in billing")
    audit.apply(anew(stage.ada), entry_id=changed, reason="a slip")
    organizations.update_business(anew(stage.root), **business, billing_email="", time_zone="Europe/Berlin")
    moved = change_of(stage, action="organization.business_changed")
    assert not audit.plan(stage.ada, entry_id=moved).is_allowed
    with pytest.raises(Forbidden):
        audit.apply(anew(stage.ada), entry_id=moved, reason="the zone is NEXA's to change")
    audit.apply(anew(stage.root), entry_id=moved, reason="a slip")


def test_the_last_owner_is_not_undone_away(stage: Stage) -> None:
    of_bob = {"membership_id": stage.membership, "organization_id": stage.northwind}
    organizations.change_role(stage.ada, role="owner", **of_bob)
    promoted = change_of(stage, action="membership.role_changed")
    mine = next(
        m.id
        for m in organizations.members(stage.ada, organization_id=stage.northwind)
        if m.role == "owner" and m.user_id == stage.ada.user_id
    )
    organizations.change_role(
        stage.ada, membership_id=mine, organization_id=stage.northwind, role="member", reason="handed over"
    )
    with pytest.raises(Conflict, match="active owner"):
        audit.apply(stage.root, entry_id=promoted, reason="a slip")


def test_what_is_no_change_of_values_cannot_be_put_back(stage: Stage, world: World) -> None:
    created = change_of(stage, action="demo.seeded", resource_type="session")
    assert "nothing to put back" in (audit.plan(stage.root, entry_id=created).refusal or "")
    with pytest.raises(Conflict):
        audit.apply(stage.root, entry_id=created, reason="away with it")
    with pytest.raises(Invalid):
        audit.apply(stage.root, entry_id=created, reason=" ")


def test_another_tenants_entry_cannot_be_planned_undone_or_read(stage: Stage, world: World) -> None:
    organizations.rename(stage.ada, name="Mine")
    entry = change_of(stage, action="organization.renamed")
    other = world.organization("Contoso")
    eve = world.actor(world.person("eve@contoso.example", other, role="owner"), other)
    for look in (audit.plan, audit.entry, lambda a, entry_id: audit.apply(a, entry_id=entry_id, reason="x")):
        with pytest.raises(NotFound):
            look(eve, entry_id=entry)
        with pytest.raises(NotFound):
            look(eve, entry_id=uuid4())


def test_every_column_of_the_registry_exists_and_can_be_written(database: TestDatabase) -> None:
    with database.superuser() as connection:
        for line in REVERSIBLE:
            for name in (*line.columns, line.key):
                found = connection.execute(
                    "SELECT has_column_privilege('nexa_staff', %s, %s, %s)",
                    [line.table, name, "SELECT" if name == line.key else "UPDATE"],
                ).fetchone()
                assert found == (True,), f"{line.table}.{name}"
