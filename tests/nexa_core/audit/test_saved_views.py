"""Saved views are a person's own; what is shared is for the organization to see and for its maker to change."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest

from nexa_core import audit
from nexa_core.actor import Actor
from nexa_core.audit import Filters, Subject
from nexa_core.errors import Conflict, Invalid, NotFound
from tests.databases import TestDatabase
from tests.worlds import World

STAFF = Filters(staff=True)


@pytest.fixture
def people(world: World) -> tuple[Actor, Actor, Actor, Actor]:
    """Ada and Abe of Northwind, Eve of Contoso, and an internal admin."""
    northwind, contoso = world.organization("Northwind"), world.organization("Contoso")
    platform = world.organization("NEXA", is_platform=True)
    return (
        world.actor(world.person("ada@northwind.example", northwind, role="owner"), northwind),
        world.actor(world.person("abe@northwind.example", northwind, role="admin"), northwind),
        world.actor(world.person("eve@contoso.example", contoso, role="owner"), contoso),
        world.actor(world.person("root@nexa.example", platform, role="owner"), platform),
    )


def names(actor: Actor) -> list[str]:
    return [view.name for view in audit.saved_views(actor)]


def test_a_view_is_mine_until_i_share_it_and_mine_to_change(people: tuple[Actor, ...]) -> None:
    ada, abe, eve, root = people
    about = Filters(about=Subject("user", ada.user_id or UUID(int=0)), action="session.edited")
    view = audit.save_view(ada, name="  Staff   access ", filters=about)
    assert (view.name, view.filters, view.is_mine) == ("Staff access", about, True)
    assert names(ada) == ["Staff access"] and names(abe) == names(eve) == names(root) == []
    audit.share_view(ada, view_id=view.id, is_shared=True)
    (seen,) = audit.saved_views(abe)
    assert seen.is_shared and not seen.is_mine and names(eve) == names(root) == []
    for stranger in (abe, eve, root):
        with pytest.raises(NotFound):
            audit.share_view(stranger, view_id=view.id, is_shared=False)
        with pytest.raises(NotFound):
            audit.remove_view(stranger, view_id=view.id)
    audit.remove_view(ada, view_id=view.id)
    assert names(ada) == names(abe) == []
    audit.save_view(ada, name="Staff access", filters=STAFF)  # its name is free again


def test_a_view_needs_a_name_of_its_own_and_a_filter(people: tuple[Actor, ...]) -> None:
    ada, abe, *_ = people
    audit.save_view(ada, name="Staff", filters=STAFF)
    with pytest.raises(Conflict, match="of this name"):
        audit.save_view(ada, name="Staff", filters=STAFF)
    audit.save_view(abe, name="Staff", filters=STAFF)
    for name, filters in (("", STAFF), ("x" * 101, STAFF), ("All", audit.EVERYTHING)):
        with pytest.raises(Invalid):
            audit.save_view(ada, name=name, filters=filters)


def test_the_database_itself_keeps_a_view_its_makers(database: TestDatabase, people: tuple[Actor, ...]) -> None:
    """As raw SQL in a colleague's context: a private view is not there, a shared one can be read and nothing else."""
    ada, abe, *_ = people
    audit.save_view(ada, name="Private", filters=STAFF)
    audit.save_view(ada, name="Shared", filters=STAFF, is_shared=True)
    with database.app(autocommit=True) as connection, connection.transaction():
        connection.execute("SET LOCAL ROLE nexa_tenant")
        connection.execute(
            "SELECT set_config('nexa.organization', %s, true), set_config('nexa.person', %s, true),"
            " set_config('nexa.action', 'audit_view.saved', true),"
            " set_config('nexa.request', gen_random_uuid()::text, true)",
            [str(abe.organization_id), str(abe.user_id)],
        )
        assert connection.execute("SELECT name FROM audit_views").fetchall() == [("Shared",)]
        for statement in (
            "UPDATE audit_views SET name = 'Taken'",
            "UPDATE audit_views SET user_id = nexa.current_person()",
            "DELETE FROM audit_views",
            "INSERT INTO audit_views (organization_id, user_id, name)"
            " SELECT organization_id, user_id, 'x' FROM audit_views",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(statement.encode())
