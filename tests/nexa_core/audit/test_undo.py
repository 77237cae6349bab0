"""Undo restores exactly what was, or refuses and changes nothing; driven at random against a model."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from nexa_core import accounts, audit, organizations
from nexa_core.actions import Action
from nexa_core.actor import Actor, Origin
from nexa_core.audit.undo import REVERSIBLE
from nexa_core.db import recording
from nexa_core.errors import Conflict, Forbidden, Invalid, NexaError, NotFound
from tests.conftest import TestDatabase, World

State = dict[tuple[str, UUID], dict[str, Any]]


class Stage:
    """Northwind with an owner, an admin and a member, a session, and an internal admin."""

    def __init__(self, world: World) -> None:
        self.database = world.database
        self.northwind = world.organization("Northwind")
        self.ada = world.actor(world.person("ada@northwind.example", self.northwind, role="owner"), self.northwind)
        self.abe = world.actor(world.person("abe@northwind.example", self.northwind, role="admin"), self.northwind)
        self.bob = world.person("bob@northwind.example", self.northwind)
        self.reviewed = world.session(self.northwind, self.bob, tags=["a"])
        platform = world.organization("NEXA", is_platform=True)
        self.root = world.actor(world.person("root@nexa.example", platform, role="owner"), platform)
        self.membership = next(
            m.id for m in organizations.members(self.ada, organization_id=self.northwind) if m.user_id == self.bob
        )

    def state(self) -> State:
        """Every value that can be put back, read by a superuser."""
        found: State = {}
        with self.database.superuser() as connection:
            for line in REVERSIBLE:
                pairs = ", ".join(f"'{name}', to_jsonb({name})" for name in line.columns)
                rows = connection.execute(
                    f"SELECT {line.key}, jsonb_build_object({pairs}) FROM {line.table}".encode()
                ).fetchall()
                for key, values in rows:
                    found.setdefault((line.resource_type, key), {}).update(values)
        return found

    def newest(self) -> list[UUID]:
        """Entries that are changes of values, newest first."""
        with self.database.superuser() as connection:
            return [
                row[0]
                for row in connection.execute(
                    "SELECT id FROM audit_logs WHERE old_values IS NOT NULL AND new_values IS NOT NULL"
                    " ORDER BY created_at DESC, id DESC LIMIT 40"
                )
            ]

    def values(self, entry: UUID) -> tuple[tuple[str, UUID], dict[str, Any], dict[str, Any]]:
        with self.database.superuser() as connection:
            row = connection.execute(
                "SELECT resource_type, resource_id, old_values, new_values FROM audit_logs WHERE id = %s", [entry]
            ).fetchone()
        assert row
        return (row[0], row[1]), row[2], row[3]


@pytest.fixture
def stage(world: World) -> Stage:
    return Stage(world)


def anew(actor: Actor) -> Actor:
    return replace(actor, origin=Origin(ip_address="203.0.113.7", user_agent="tests"))


# Text as people and attackers write it; what PostgreSQL cannot store is no change of state.
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).filter(str.strip)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | TEXT | st.sampled_from(["", "<b>x</b>", "$x^2$", "\\"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
OBJECT = st.dictionaries(TEXT, JSON, max_size=3)


def _set(actor: Actor, action: Action, table: str, key: str, which: UUID, **values: Any) -> None:
    """A change as another verb will make it: any columns at once."""
    columns = ", ".join(f"{name} = CAST(:{name} AS {kind})" for name, (kind, _) in values.items())
    given_values = {name: json.dumps(value) if kind == "jsonb" else value for name, (kind, value) in values.items()}
    with recording(actor, action, reason="for the test") as db:
        db.execute(text(f"UPDATE {table} SET {columns} WHERE {key} = :which"), {**given_values, "which": which})


Change = Callable[[Stage], None]


@st.composite
def changes(draw: st.DrawFn) -> Change:
    kind = draw(st.integers(0, 9))
    word, words, values = draw(TEXT), draw(TEXT), draw(OBJECT | st.none())
    role = draw(st.sampled_from(["owner", "admin", "member", "viewer", "billing"]))
    tags = draw(st.lists(TEXT, max_size=3))
    plan = draw(st.sampled_from(["free", "starter", "professional"]))

    def change(s: Stage) -> None:
        of_bob = {"membership_id": s.membership, "organization_id": s.northwind}
        to_organization = (Action.ORGANIZATION_UPDATED, "organizations", "id", s.northwind)
        match kind:
            case 0:
                organizations.rename(anew(s.ada), name=word)
            case 1:
                organizations.change_role(anew(s.ada), role=role, **of_bob)
            case 2:
                organizations.suspend_member(anew(s.ada), reason=word, **of_bob)
            case 3:
                organizations.resume_member(anew(s.ada), reason=word, **of_bob)
            case 4:
                organizations.suspend(anew(s.root), organization_id=s.northwind, reason=word)
            case 5:
                organizations.resume(anew(s.root), organization_id=s.northwind, reason=word)
            case 6:
                _set(anew(s.root), *to_organization, plan_type=("text", plan), usage_limits=("jsonb", values))
            case 7:
                _set(anew(s.root), *to_organization, address=("jsonb", values), tax_id=("text", word or None))
            case 8:
                tagged = (Action.SESSION_EDITED, "ai_architecture_sessions", "uuid", s.reviewed)
                _set(anew(s.ada), *tagged, tags=("jsonb", tags), title=("text", word))
            case _:
                accounts.update_profile(
                    anew(s.ada), first_name=word, last_name=words, timezone="UTC", locale="en", avatar_url=None,
                    notification_settings={"usage": bool(tags)},
                )  # fmt: skip

    return change


def _as_if_undone(s: Stage, entry: UUID) -> State | None:
    """The model: the state with the entry's old values, or None where one of its values has changed since."""
    state = s.state()
    which, before, after = s.values(entry)
    now = state.get(which, {})
    if any(now.get(name) != value for name, value in after.items()):
        return None
    return {**state, which: {**now, **before}}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(plan=st.lists(changes(), min_size=1, max_size=6), which=st.integers(0, 39))
def test_every_undo_restores_exactly_or_refuses(stage: Stage, plan: list[Change], which: int) -> None:
    for change in plan:
        with contextlib.suppress(NexaError):  # a verb's own refusal: nothing changed
            change(stage)
    entries = stage.newest()
    if not entries:
        return
    entry = entries[which % len(entries)]
    wanted, before = _as_if_undone(stage, entry), stage.state()
    preview = audit.plan(stage.root, entry_id=entry)
    try:
        audit.apply(anew(stage.root), entry_id=entry, reason="a mistake")
    except (Conflict, Invalid):
        assert stage.state() == before, "a refusal changes nothing"
        assert preview.refusal or wanted is not None, "what was refused was foretold, or broke a rule of the database"
        return
    except Forbidden:
        assert stage.state() == before
        return
    assert wanted is not None, "a conflict was overwritten"
    assert stage.state() == wanted
    assert preview.refusal is None
    (undone, *_) = audit.find(stage.root, limit=1).items
    assert undone.action == Action.CHANGE_UNDONE and str(entry) in (undone.reason or "")
    assert audit.verify(Actor.system()).verified


def _change_of(stage: Stage, **wanted: Any) -> UUID:
    return audit.find(stage.root, filters=audit.Filters(**wanted), limit=1).items[0].id


def test_a_change_is_put_back_and_the_undo_is_an_entry_that_can_be_undone(stage: Stage) -> None:
    organizations.rename(stage.ada, name="Northwind Traders")
    renamed = _change_of(stage, action="organization.renamed")
    preview = audit.plan(stage.ada, entry_id=renamed)
    assert [(c.name, c.now.text, c.then.text, c.is_conflict) for c in preview.changes] == [
        ("name", "Northwind Traders", "Northwind", False)
    ]
    audit.apply(stage.ada, entry_id=renamed, reason="a slip")
    assert organizations.current(stage.ada).name == "Northwind"
    (undo,) = audit.find(stage.ada, filters=audit.Filters(action="audit.undone")).items
    assert undo.reason == f"a slip (undo of entry {renamed})"
    assert undo.sentence == "Ada put Northwind’s name back to Northwind"
    audit.apply(stage.ada, entry_id=undo.id, reason="it was right after all")
    assert organizations.current(stage.ada).name == "Northwind Traders"


@pytest.mark.parametrize("value", [None, [], {}, {"a": None}, "", "null", 0, False, {"$x$": ["<b>", 1e300]}])
def test_a_document_is_put_back_as_it_was_a_json_null_included(stage: Stage, value: Any) -> None:
    to_organization = (Action.ORGANIZATION_UPDATED, "organizations", "id", stage.northwind)
    _set(anew(stage.root), *to_organization, address=("jsonb", value), tax_id=("text", None))
    before = stage.state()
    _set(anew(stage.root), *to_organization, address=("jsonb", {"city": "Bonn"}), tax_id=("text", "DE1"))
    audit.apply(anew(stage.root), entry_id=stage.newest()[0], reason="a mistake")
    assert stage.state() == before


def test_what_changed_again_since_is_a_conflict(stage: Stage) -> None:
    organizations.rename(stage.ada, name="First")
    first = _change_of(stage, action="organization.renamed")
    organizations.rename(stage.ada, name="Second")
    assert "changed again" in (audit.plan(stage.ada, entry_id=first).refusal or "")
    with pytest.raises(Conflict, match="changed again"):
        audit.apply(stage.ada, entry_id=first, reason="a slip")
    assert organizations.current(stage.ada).name == "Second"


def test_an_undo_asks_for_the_permission_of_the_change_itself(stage: Stage, world: World) -> None:
    _set(stage.root, Action.ORGANIZATION_UPDATED, "organizations", "id", stage.northwind, plan_type=("text", "starter"))
    plan = _change_of(stage, action="organization.updated")
    assert audit.plan(stage.ada, entry_id=plan).refusal
    with pytest.raises(Forbidden):
        audit.apply(stage.ada, entry_id=plan, reason="we liked it better")
    accounts.update_profile(
        stage.ada, first_name="Augusta", last_name="", timezone="UTC", locale="en", avatar_url=None,
        notification_settings={},
    )  # fmt: skip
    profile = _change_of(stage, action="user.profile_updated")
    with pytest.raises(Forbidden):
        audit.apply(stage.abe, entry_id=profile, reason="hers, not mine")
    audit.apply(stage.ada, entry_id=profile, reason="mine")


def test_an_admin_cannot_make_an_owner_by_undoing(stage: Stage) -> None:
    of_bob = {"membership_id": stage.membership, "organization_id": stage.northwind}
    organizations.change_role(stage.ada, role="owner", **of_bob)
    organizations.change_role(stage.ada, role="member", **of_bob)
    demoted = _change_of(stage, action="membership.role_changed")
    with pytest.raises(Forbidden, match="rights that you do not have"):
        audit.apply(stage.abe, entry_id=demoted, reason="up again")
    audit.apply(stage.ada, entry_id=demoted, reason="up again")


def test_the_last_owner_is_not_undone_away(stage: Stage) -> None:
    of_bob = {"membership_id": stage.membership, "organization_id": stage.northwind}
    organizations.change_role(stage.ada, role="owner", **of_bob)
    promoted = _change_of(stage, action="membership.role_changed")
    mine = next(
        m.id
        for m in organizations.members(stage.ada, organization_id=stage.northwind)
        if m.role == "owner" and m.user_id == stage.ada.user_id
    )
    organizations.change_role(stage.ada, membership_id=mine, organization_id=stage.northwind, role="member")
    with pytest.raises(Conflict, match="active owner"):
        audit.apply(stage.root, entry_id=promoted, reason="a slip")


def test_what_is_no_change_of_values_cannot_be_put_back(stage: Stage, world: World) -> None:
    created = _change_of(stage, action="demo.seeded", resource_type="session")
    assert "nothing to put back" in (audit.plan(stage.root, entry_id=created).refusal or "")
    with pytest.raises(Conflict):
        audit.apply(stage.root, entry_id=created, reason="away with it")
    with pytest.raises(Invalid):
        audit.apply(stage.root, entry_id=created, reason=" ")


def test_another_tenants_entry_cannot_be_planned_undone_or_read(stage: Stage, world: World) -> None:
    organizations.rename(stage.ada, name="Mine")
    entry = _change_of(stage, action="organization.renamed")
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
