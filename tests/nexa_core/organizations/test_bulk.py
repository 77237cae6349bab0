"""One change for many: frozen, previewed, all or none, one batch in the audit, and undone where nothing came after."""

from __future__ import annotations

import threading
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from nexa_core import accounts, audit, organizations
from nexa_core.actor import Actor
from nexa_core.errors import Conflict, Forbidden, Invalid, NotFound
from nexa_core.organizations import Filter
from tests.databases import TestDatabase
from tests.worlds import World


def ids(customers: dict[str, Actor]) -> list[UUID]:
    return [actor.organization_id for actor in customers.values() if actor.organization_id]


def plans(root: Actor) -> dict[str, str]:
    return {row.name: row.plan for row in organizations.browse(root).items}


def move(root: Actor, customers: dict[str, Actor], plan: str = "professional") -> organizations.Batch:
    preview = organizations.preview_change(root, kind="plan", organization_ids=ids(customers), value=plan)
    return organizations.apply_batch(root, preview=preview, reason="A better offer")


def test_a_batch_is_one_identifier_one_reason_and_an_entry_for_each(
    database: TestDatabase, root: Actor, customers: dict[str, Actor]
) -> None:
    batch = move(root, customers)
    assert set(plans(root).values()) == {"professional"}
    with database.superuser() as connection:
        entries = connection.execute(
            "SELECT action, resource_type, reason, old_values, new_values FROM audit_logs WHERE request_id = %s"
            " ORDER BY resource_type, resource_id",
            [batch.id],
        ).fetchall()
    assert [entry[1] for entry in entries] == ["batch", "organization", "organization", "organization"]
    assert {entry[2] for entry in entries} == {"A better offer"}
    assert entries[0][4]["changed"] == 3
    assert all(entry[3:] == ({"plan_type": "starter"}, {"plan_type": "professional"}) for entry in entries[1:])
    assert [found.id for found in organizations.batches(root)] == [batch.id]


def test_what_would_stay_says_why_and_stays(world: World, root: Actor, customers: dict[str, Actor]) -> None:
    orphan = world.organization("Orphan", status="suspended")
    preview = organizations.preview_change(root, kind="resume", organization_ids=[orphan, *ids(customers)])
    obstacles = {target.name: target.obstacle for target in preview.targets}
    assert obstacles["Orphan"] == "It has no active owner."
    assert obstacles["Northwind"] == "It is so already."
    assert preview.changing == ()
    with pytest.raises(Invalid, match="Nothing would change"):
        organizations.apply_batch(root, preview=preview, reason="all back")


def test_suspending_many_and_setting_them_back(root: Actor, customers: dict[str, Actor]) -> None:
    preview = organizations.preview_change(root, kind="suspend", organization_ids=ids(customers))
    batch = organizations.apply_batch(root, preview=preview, reason="incident")
    assert [row.status for row in organizations.browse(root).items] == ["suspended"] * 3
    undone = organizations.undo_batch(root, batch_id=batch.id, reason="over")
    assert (undone.kind, undone.changed, undone.undoes) == ("resume", 3, batch.id)
    assert [row.status for row in organizations.browse(root).items] == ["active"] * 3


def test_an_account_manager_is_given_and_taken(platform: dict[str, Actor], customers: dict[str, Actor]) -> None:
    root, manager = platform["root"], platform["manager"]
    preview = organizations.preview_change(
        root, kind="account_manager", organization_ids=ids(customers), value=str(manager.user_id)
    )
    organizations.apply_batch(root, preview=preview, reason="new territory")
    assert {row.account_manager for row in organizations.browse(root).items} == {"Manager"}
    preview = organizations.preview_change(root, kind="account_manager", organization_ids=ids(customers))
    organizations.apply_batch(root, preview=preview, reason="left")
    assert {row.account_manager for row in organizations.browse(root).items} == {None}
    with pytest.raises(Invalid):
        organizations.preview_change(
            root,
            kind="account_manager",
            organization_ids=ids(customers),
            value=str(customers["Northwind"].user_id),
        )


def test_nobody_who_is_gone_is_set_back_as_account_manager(
    database: TestDatabase, platform: dict[str, Actor], customers: dict[str, Actor]
) -> None:
    root, manager = platform["root"], platform["manager"]
    assert manager.user_id
    given = {"kind": "account_manager", "organization_ids": ids(customers)}
    preview = organizations.preview_change(root, **given, value=str(manager.user_id))  # type: ignore[arg-type]
    organizations.apply_batch(root, preview=preview, reason="new territory")
    taken = organizations.preview_change(root, **given)  # type: ignore[arg-type]
    batch = organizations.apply_batch(root, preview=taken, reason="left")
    made_before = organizations.preview_undo(root, batch_id=batch.id)
    assert len(made_before.changing) == 3
    with database.superuser() as connection:
        (entry, *_) = connection.execute(
            "SELECT id FROM audit_logs WHERE request_id = %s AND resource_type = 'organization'", [batch.id]
        ).fetchone() or (None,)
    accounts.delete_user(root, user_id=manager.user_id, reason="left for good")
    preview = organizations.preview_undo(root, batch_id=batch.id)
    assert {target.obstacle for target in preview.targets} == {
        "The account manager it would go to cannot be one any more."
    }
    with pytest.raises(Invalid, match="Nothing would change"):
        organizations.undo_batch(root, batch_id=batch.id, reason="back")
    with pytest.raises(Conflict, match="cannot be one any more"):
        organizations.apply_batch(root, preview=made_before, reason="back")
    assert "cannot be one any more" in (audit.plan(root, entry_id=entry).refusal or "")
    with pytest.raises(Conflict, match="cannot be one any more"):
        audit.apply(root, entry_id=entry, reason="back")
    assert {row.account_manager for row in organizations.browse(root).items} == {None}


def test_a_target_that_changed_meanwhile_stops_the_whole_batch(root: Actor, customers: dict[str, Actor]) -> None:
    preview = organizations.preview_change(root, kind="plan", organization_ids=ids(customers), value="enterprise")
    northwind = customers["Northwind"].organization_id
    assert northwind
    organizations.change_plan(root, organization_id=northwind, plan="free", expected="starter", reason="asked")
    with pytest.raises(Conflict, match="Northwind was changed meanwhile"):
        organizations.apply_batch(root, preview=preview, reason="offer")
    assert plans(root) == {"Northwind": "free", "Contoso": "starter", "Tailspin": "starter"}


def test_undoing_leaves_what_was_changed_since_and_says_so(root: Actor, customers: dict[str, Actor]) -> None:
    batch = move(root, customers)
    northwind = customers["Northwind"].organization_id
    assert northwind
    organizations.change_plan(root, organization_id=northwind, plan="free", expected="professional", reason="asked")
    preview = organizations.preview_undo(root, batch_id=batch.id)
    assert {target.name: bool(target.obstacle) for target in preview.targets} == {
        "Northwind": True, "Contoso": False, "Tailspin": False,
    }  # fmt: skip
    undone = organizations.apply_batch(root, preview=preview, reason="wrong list")
    assert plans(root) == {"Northwind": "free", "Contoso": "starter", "Tailspin": "starter"}
    again = organizations.undo_batch(root, batch_id=undone.id, reason="it was right")
    assert (again.changed, plans(root)["Contoso"]) == (2, "professional")
    with pytest.raises(NotFound):
        organizations.preview_undo(root, batch_id=uuid4())


def test_a_batch_never_reaches_the_platform_or_what_is_deleted(
    root: Actor, customers: dict[str, Actor], ada: Actor
) -> None:
    assert root.organization_id
    assert ada.organization_id
    organizations.delete(root, organization_id=ada.organization_id, confirmation="northwind", reason="gone")
    preview = organizations.preview_change(
        root, kind="plan", organization_ids=[root.organization_id, ada.organization_id], value="free"
    )
    assert [(target.name, target.obstacle) for target in preview.targets] == [("Northwind", "It is deleted.")]
    forged = replace(
        preview,
        targets=(
            organizations.Target(root.organization_id, "NEXA", "nexa", "free", "enterprise"),
            organizations.Target(ada.organization_id, "Northwind", "northwind", "starter", "enterprise"),
        ),
    )
    with pytest.raises(Conflict):
        organizations.apply_batch(root, preview=forged, reason="forged")


@pytest.mark.parametrize("kind", ["suspend", "resume", "plan"])
def test_a_preview_that_was_made_up_writes_only_what_its_kind_can(
    root: Actor, customers: dict[str, Actor], kind: str
) -> None:
    forged = organizations.Preview(
        kind,  # type: ignore[arg-type]
        (organizations.Target(ids(customers)[0], "Northwind", "northwind", "active", None),),
    )
    with pytest.raises(Invalid):
        organizations.apply_batch(root, preview=forged, reason="forged")


def test_only_who_may_and_only_with_a_reason(platform: dict[str, Actor], customers: dict[str, Actor]) -> None:
    root = platform["root"]
    preview = organizations.preview_change(root, kind="suspend", organization_ids=ids(customers))
    with pytest.raises(Invalid, match="reason"):
        organizations.apply_batch(root, preview=preview, reason=" ")
    for actor in (platform["manager"], platform["presenter"], customers["Northwind"]):
        with pytest.raises(Forbidden):
            organizations.preview_change(actor, kind="suspend", organization_ids=ids(customers))
        with pytest.raises(Forbidden):
            organizations.apply_batch(actor, preview=preview, reason="mine")
        with pytest.raises(Forbidden):
            organizations.batches(actor)


def test_all_that_a_filter_shows_is_frozen_when_it_is_asked(
    world: World, root: Actor, customers: dict[str, Actor]
) -> None:
    frozen = organizations.matching(root, Filter(demo=False))
    world.organization("Latecomer")
    preview = organizations.preview_change(root, kind="plan", organization_ids=frozen, value="free")
    assert {target.name for target in preview.targets} == {"Northwind", "Tailspin"}


def test_two_batches_over_the_same_rows_wait_and_one_is_refused(root: Actor, customers: dict[str, Actor]) -> None:
    previews = [
        organizations.preview_change(root, kind="plan", organization_ids=order, value=plan)
        for order, plan in ((ids(customers), "free"), (ids(customers)[::-1], "enterprise"))
    ]
    outcomes: list[str] = []

    def go(preview: organizations.Preview) -> None:
        try:
            organizations.apply_batch(root, preview=preview, reason="race")
            outcomes.append("done")
        except Conflict:
            outcomes.append("refused")

    threads = [threading.Thread(target=go, args=(preview,)) for preview in previews]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "refused"]
    assert len(set(plans(root).values())) == 1
