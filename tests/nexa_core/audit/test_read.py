"""Read: entries are sentences, what belongs together is one, changes are shown place by place, harmless and short."""

from __future__ import annotations

import datetime as dt
import json
import time
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from nexa_core import accounts, audit, organizations
from nexa_core.actions import Action
from nexa_core.actor import Actor, Origin
from nexa_core.audit.entry import _changes
from nexa_core.audit.values import Words
from nexa_core.db import recording
from nexa_core.errors import NotFound
from tests.databases import TestDatabase
from tests.worlds import World

NASTY = "<script>alert(1)</script> **bold** $\\frac{1}{2}$ [x](javascript:alert(1)) {actor.__class__}"


def anew(actor: Actor) -> Actor:
    return replace(actor, origin=Origin(ip_address="203.0.113.7", user_agent="tests"))


@pytest.fixture
def northwind(world: World) -> UUID:
    return world.organization("Northwind")


@pytest.fixture
def ada(world: World, northwind: UUID) -> Actor:
    return world.actor(world.person("ada.meyer@northwind.example", northwind, role="owner"), northwind)


def update(actor: Actor, organization: UUID, reason: str | None = None, **values: Any) -> None:
    columns = ", ".join(
        f"{name} = CAST(:{name} AS {'jsonb' if isinstance(values[name], dict) else 'text'})" for name in values
    )
    given = {name: json.dumps(value) if isinstance(value, dict) else value for name, value in values.items()}
    with recording(anew(actor), Action.ORGANIZATION_UPDATED, reason=reason) as db:
        db.execute(text(f"UPDATE organizations SET {columns} WHERE id = :id"), {**given, "id": organization})


def test_a_change_reads_as_a_sentence_that_names_what_changed(root: Actor, ada: Actor, northwind: UUID) -> None:
    update(root, northwind, "upgrade agreed by phone", plan_type="starter")
    (entry,) = audit.recent(root, limit=1)
    assert entry.sentence == "Root changed Northwind’s plan from Free to Starter"
    assert entry.reason == "upgrade agreed by phone" and entry.is_staff_access
    update(root, northwind, usage_limits={"monthly_credits": 5}, tax_id="DE1")
    assert audit.recent(root, limit=1)[0].sentence == "Root changed Northwind’s tax number and limits"
    assert audit.recent(ada, limit=1)[0].sentence == "NEXA staff changed Northwind’s tax number and limits"


def test_what_those_who_have_left_did_keeps_their_name(world: World, ada: Actor, northwind: UUID) -> None:
    bob = world.person("bob.stone@northwind.example", northwind, role="admin")
    elsewhere = world.organization("Elsewhere")
    world.membership(bob, elsewhere)
    organizations.rename(anew(world.actor(bob, northwind)), name="Northwind Traders")
    membership = next(m.id for m in organizations.members(ada, organization_id=northwind) if m.user_id == bob)
    organizations.remove_member(anew(ada), membership_id=membership, organization_id=northwind, reason="gone")
    removed, renamed = audit.recent(ada, limit=2)
    assert removed.sentence == "Ada Meyer removed Bob Stone from Northwind Traders"
    assert renamed.sentence == "Bob Stone renamed Northwind to Northwind Traders"


def test_nobody_learns_a_name_from_the_log_that_was_never_there(
    database: TestDatabase, world: World, ada: Actor, northwind: UUID
) -> None:
    """nexa.audit_names answers for those who acted here, or whose membership here ended; for nobody else."""
    contoso = world.organization("Contoso")
    eve = world.person("eve@contoso.example", contoso, role="owner")
    with database.app() as connection:
        connection.execute("SET LOCAL ROLE nexa_tenant")
        connection.execute("SELECT set_config('nexa.organization', %s, true)", [str(northwind)])
        theirs = connection.execute("SELECT array_agg(id) FROM organization_memberships").fetchone()
        assert theirs
        found = connection.execute(
            "SELECT * FROM nexa.audit_names(%s::uuid[], %s::uuid[])", [[eve, ada.user_id], theirs[0]]
        ).fetchall()
    assert found == []


def test_one_request_is_one_story_and_a_burst_of_edits_another(
    database: TestDatabase, world: World, ada: Actor, northwind: UUID
) -> None:
    assert ada.user_id
    reviewed = world.session(northwind, ada.user_id, title="Platform review")
    with recording(anew(ada), Action.ORGANIZATION_UPDATED) as db:
        for name in ("One", "Two", "Three"):
            db.execute(text("UPDATE organizations SET name = :name"), {"name": name})
    start = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1)
    with database.superuser() as connection:
        connection.execute("SET session_replication_role = replica")
        for minutes in (0, 4, 8, 20):
            connection.execute(
                "INSERT INTO audit_logs (created_at, organization_id, user_id, action, resource_type, resource_id,"
                " request_id, actor_scope)"
                " VALUES (%s, %s, %s, 'session.edited', 'session', %s, gen_random_uuid(), 'tenant')",
                [start + dt.timedelta(minutes=minutes), northwind, ada.user_id, reviewed],
            )
    groups = audit.grouped(audit.find(ada).items)
    assert [len(group.entries) for group in groups[:3]] == [1, 3, 3]
    assert groups[1].is_burst and groups[1].sentence == "Ada Meyer edited the session Platform review 3 times"
    assert not groups[2].is_burst and groups[2].sentence.endswith("from Northwind to One, and 2 more changes")


def test_a_change_is_shown_place_by_place(ada: Actor, root: Actor, northwind: UUID) -> None:
    update(root, northwind, address={"city": "Bonn", "lines": ["a", "b"], "note": "x"})
    update(root, northwind, address={"city": "Köln", "lines": ["a", "c"], "floor": 3})
    detail = audit.entry(ada, entry_id=audit.recent(ada, limit=1)[0].id)
    assert [(c.name, c.before and c.before.text, c.after and c.after.text) for c in detail.changes] == [
        ("address › city", "Bonn", "Köln"),
        ("address › floor", None, "3"),
        ("address › lines › 2", "b", "c"),
        ("address › note", "x", None),
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@given(
    before=st.dictionaries(st.text(max_size=3), JSON, max_size=4),
    after=st.dictionaries(st.text(max_size=3), JSON, max_size=4),
)
def test_the_changes_of_a_path_level_diff_make_one_side_of_the_other(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    """Applied to what was, the changes give what is; and where nothing differs, there is none."""
    result: Any = json.loads(json.dumps(before))
    for change in _changes((), before, after, Words({})):
        assert change.before or change.after
        target, source = result, after
        for step in change.path[:-1]:
            key: Any = int(step) if isinstance(target, list) else step
            target, source = target[key], source[key]
        last: Any = int(change.path[-1]) if isinstance(target, list) else change.path[-1]
        if change.after is None:
            del target[last]
        else:
            target[last] = source[last]
    assert json.dumps(result, sort_keys=True) == json.dumps(after, sort_keys=True)


def test_a_megabyte_is_shown_short_and_given_whole(root: Actor, ada: Actor, northwind: UUID) -> None:
    """Values of a megabyte stay in the database until somebody asks for one."""
    large = "".join(f"{number} {NASTY} " for number in range(10_000))
    began = time.perf_counter()
    update(root, northwind, address={"note": large}, tax_id="kept as it is")
    written = time.perf_counter() - began
    for number in range(12):
        update(root, northwind, address={"note": large + str(number)})
    began = time.perf_counter()
    found = audit.find(ada, limit=12).items
    listed = time.perf_counter() - began
    assert sum(len(str((entry.old_values, entry.new_values))) for entry in found) < 20_000
    assert listed < 13 * written, "a page of megabytes costs less than writing them"
    detail = audit.entry(ada, entry_id=found[0].id)
    (change,) = detail.changes
    assert change.after and len(change.after.text) <= 500 and not change.after.is_whole
    assert audit.whole_value(ada, entry_id=found[0].id, path=change.path, after=True) == large + "11"
    with pytest.raises(NotFound):
        audit.whole_value(ada, entry_id=found[0].id, path=("address", "nothing"), after=True)


def test_what_nests_too_deeply_for_a_reader_is_still_an_entry(root: Actor, ada: Actor, northwind: UUID) -> None:
    deep = "[" * 3000 + "]" * 3000
    with recording(anew(root), Action.ORGANIZATION_UPDATED) as db:
        db.execute(
            text("UPDATE organizations SET address = CAST(:deep AS jsonb) WHERE id = :id"),
            {"deep": deep, "id": northwind},
        )
    (entry,) = audit.recent(ada, limit=1)
    assert audit.entry(ada, entry_id=entry.id).changes
    assert audit.plan(root, entry_id=entry.id).refusal


def test_values_in_a_sentence_are_words_not_templates(ada: Actor) -> None:
    organizations.rename(anew(ada), name=NASTY)
    (entry,) = audit.recent(ada, limit=1)
    assert entry.sentence == f"Ada Meyer renamed Northwind to {NASTY[:79]}…"
    organizations.rename(anew(ada), name="x" * 255)
    assert len(audit.recent(ada, limit=1)[0].sentence) < 250


def test_content_names_its_revision(database: TestDatabase, world: World, ada: Actor, northwind: UUID) -> None:
    assert ada.user_id
    reviewed = world.session(northwind, ada.user_id)
    with recording(anew(ada), Action.SESSION_EDITED) as db:
        db.execute(
            text("UPDATE ai_architecture_sessions SET sow_objects = '{\"a\": 1}' WHERE uuid = :id"), {"id": reviewed}
        )
        db.execute(
            text(
                "INSERT INTO session_revisions (organization_id, session_id, user_id, revision, documents, ended_at)"
                " SELECT organization_id, id, user_id, 7, '{}', now() FROM ai_architecture_sessions WHERE uuid = :id"
            ),
            {"id": reviewed},
        )
    detail = audit.entry(ada, entry_id=audit.recent(ada, limit=1)[0].id)
    assert detail.revision == 7
    assert [change.name for change in detail.changes] == ["statement of work"]
    assert "SHA-256" in (detail.changes[0].after.text if detail.changes[0].after else "")


def test_identifiers_of_people_read_as_names(world: World, ada: Actor, northwind: UUID) -> None:
    bob = world.person("bob.stone@northwind.example", northwind)
    (added,) = audit.find(ada, filters=audit.Filters(resource_type="membership"), limit=1).items
    shown = {change.name: change.after.text for change in audit.entry(ada, entry_id=added.id).changes if change.after}
    assert shown["user"] == "Bob Stone" and str(bob) not in str(shown)
    assert accounts.my_profile(ada).full_name == "Ada Meyer"


def test_a_stranger_to_the_reader_is_called_in_the_values_what_the_sentence_calls_them(
    world: World, root: Actor, ada: Actor, northwind: UUID
) -> None:
    """No identifier is left of an entry: people have names, the platform's own are its staff to a customer."""
    assert root.organization_id and ada.user_id
    looking = replace(root, user_session_id=world.sign_in(root.user_id, root.organization_id))  # type: ignore[arg-type]
    accounts.view_as(anew(looking), user_id=ada.user_id, organization_id=northwind, reason="Ticket 1")
    began = values_told(ada)
    assert (began["user"].text, began["viewed user"].text) == ("NEXA staff", "Ada Meyer")
    assert began["expires at"].moment and began["expires at"].moment > dt.datetime.now(dt.UTC)
    assert values_told(root)["user"].text == "Root"
    with recording(anew(root), Action.ORGANIZATION_MANAGER_ASSIGNED) as db:
        db.execute(
            text("UPDATE organizations SET account_manager_id = :who WHERE id = :id"),
            {"who": root.user_id, "id": northwind},
        )
    assert values_told(ada)["account manager"].text == "NEXA staff"
    assert values_told(root)["account manager"].text == "Root"


def test_sentences_say_whose_and_how_many_as_people_do(world: World, root: Actor) -> None:
    mines = world.organization("Tarnfell Minerals")
    world.person("ida@tarnfell.example", mines, role="owner")
    audit.set_retention(anew(root), organization_id=mines, keep_months=24, reason="agreed")
    assert audit.recent(root, limit=1)[0].sentence == "Root changed how long Tarnfell Minerals’ audit log is kept"
    update(root, mines, tax_id="DE1")
    assert audit.recent(root, limit=1)[0].sentence == "Root changed Tarnfell Minerals’ tax number from nothing to DE1"
    for changed, told in ((1, "1 organization"), (2, "2 organizations")):
        with recording(anew(root), Action.ORGANIZATIONS_CHANGED) as db:
            audit.note(db, "batch", None, {"changed": changed})
        assert audit.recent(root, limit=1)[0].sentence == f"Root changed {told} at once"


def test_values_read_as_words(root: Actor, ada: Actor, northwind: UUID) -> None:
    note = {
        "request": str(northwind),
        "tags": ["events", "public"],
        "permissions": {"deny": [], "grant": ["usage.read"]},
        "template_values": {},
        "filters": {
            "person": str(ada.user_id),
            "about": f"organization:{northwind}",
            "since": "2026-11-29T18:13:33.5Z",
        },
        "amount_minor": 980,
        "currency": "EUR",
        "subscription_status": "past_due",
        "is_demo": True,
        "issued_by": str(UUID(int=7)),
        "thing_id": str(UUID(int=7)),
    }
    with recording(anew(root), Action.ORGANIZATION_UPDATED) as db:
        audit.note(db, "organization", northwind, note, organization_id=northwind)
    told = values_told(root)
    assert {name: value.text for name, value in told.items()} == {
        "amount": "980",
        "currency": "EUR",
        "filters": "about: organization Northwind; since: 2026-11-29 18:13 UTC; person: Ada Meyer",
        "is demo": "yes",
        "issued by": "Somebody",
        "permissions": "deny: nothing; grant: usage.read",
        "subscription": "Past due",
        "tags": "events, public",
        "template values": "nothing",
        "thing": "00000000…",
    }
    assert told["amount"].amount == (980, "EUR")


def values_told(actor: Actor) -> dict[str, audit.Value]:
    """The values after the newest change, by what they are called."""
    detail = audit.entry(actor, entry_id=audit.recent(actor, limit=1)[0].id)
    return {change.name: change.after for change in detail.changes if change.after}
