"""Find: every filter finds what fits and nothing else, pages join without gap or repeat, and no other tenant shows."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from nexa_core import accounts, audit, organizations
from nexa_core.actor import Actor, Origin
from nexa_core.audit import EVERYTHING, Filters, Subject
from nexa_core.audit import search as search_module
from nexa_core.db import reading
from nexa_core.errors import Forbidden, Invalid
from tests.databases import TestDatabase
from tests.worlds import World


def anew(actor: Actor, address: str = "203.0.113.7") -> Actor:
    return replace(actor, origin=Origin(ip_address=address, user_agent="tests"))


@pytest.fixture
def northwind(world: World) -> UUID:
    return world.organization("Northwind")


@pytest.fixture
def ada(world: World, northwind: UUID) -> Actor:
    return world.actor(world.person("ada@northwind.example", northwind, role="owner"), northwind)


@pytest.fixture
def abe(world: World, northwind: UUID, ada: Actor) -> Actor:
    return world.actor(world.person("abe@northwind.example", northwind, role="admin"), northwind)


@pytest.fixture
def eve(world: World) -> Actor:
    contoso = world.organization("Contoso")
    return world.actor(world.person("eve@contoso.example", contoso, role="owner"), contoso)


@pytest.fixture
def log(database: TestDatabase, northwind: UUID, ada: Actor, eve: Actor) -> list[tuple[object, ...]]:
    """Four hundred entries of Northwind and Contoso, many of them at the very same moment, newest first."""
    with database.superuser() as connection:
        connection.execute("SET session_replication_role = replica; TRUNCATE audit_logs")
        connection.execute(
            """INSERT INTO audit_logs (created_at, organization_id, user_id, action, resource_type, resource_id,
                   old_values, new_values, ip_address, request_id, actor_scope)
               SELECT '2026-03-01'::timestamptz + (n / 7) * interval '6 hours', (ARRAY[%s, %s]::uuid[])[1 + n %% 2],
                   (ARRAY[%s, %s, NULL]::uuid[])[1 + n %% 3],
                   (ARRAY['session.edited', 'membership.role_changed'])[1 + n %% 2],
                   (ARRAY['session', 'membership'])[1 + n %% 2], md5((n %% 9)::text)::uuid,
                   jsonb_build_object('title', 'Old "' || n || '"'), jsonb_build_object('title', 'Ünï ' || n),
                   ('10.0.0.' || n %% 5)::inet, md5((n / 4)::text)::uuid,
                   (ARRAY['tenant', 'tenant', 'tenant', 'staff'])[1 + n %% 4]
               FROM generate_series(1, 400) n""",
            [northwind, eve.organization_id, ada.user_id, eve.user_id],
        )
        return connection.execute(
            "SELECT id, created_at, organization_id, user_id, action, resource_type, resource_id, host(ip_address),"
            " request_id, actor_scope, old_values::text || new_values::text FROM audit_logs"
            " ORDER BY created_at DESC, id DESC"
        ).fetchall()


def everything(actor: Actor, filters: Filters = EVERYTHING, limit: int = 7) -> list[UUID]:
    """All pages, one after the other."""
    found, after = [], None
    while True:
        page = audit.find(actor, filters=filters, after=after, limit=limit)
        found += [entry.id for entry in page.items]
        if page.next_cursor is None:
            return found
        after = page.next_cursor


SINCE, UNTIL = dt.datetime(2026, 3, 4, tzinfo=dt.UTC), dt.datetime(2026, 3, 9, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize("who", ["root", "ada"])
def test_every_filter_finds_exactly_what_fits_page_after_page(
    who: str, ada: Actor, root: Actor, eve: Actor, log: list[tuple[object, ...]], request: pytest.FixtureRequest
) -> None:
    actor = {"root": root, "ada": ada}[who]
    seen = log if actor is root else [row for row in log if row[2] == ada.organization_id]
    one = seen[30]
    cases = {
        EVERYTHING: lambda row: True,
        Filters(person=ada.user_id): lambda row: row[3] == ada.user_id,
        Filters(action="session.edited"): lambda row: row[4] == "session.edited",
        Filters(resource_type="membership"): lambda row: row[5] == "membership",
        Filters(resource=UUID(str(one[6]))): lambda row: row[6] == one[6],
        Filters(organization=ada.organization_id): lambda row: row[2] == ada.organization_id,
        Filters(address="10.0.0.3"): lambda row: row[7] == "10.0.0.3",
        Filters(request=str(one[8])): lambda row: row[8] == one[8],
        Filters(request=str(one[8])[:8]): lambda row: row[8] == one[8],
        Filters(staff=True): lambda row: row[9] == "staff",
        Filters(since=SINCE, until=UNTIL): lambda row: SINCE <= row[1] < UNTIL,
        Filters(text='"2'): lambda row: r"\"2" in row[10],
        Filters(text="ünï 39"): lambda row: "Ünï 39" in row[10],
        Filters(text="100%"): lambda row: False,
        Filters(person=ada.user_id, staff=True, since=SINCE): lambda row: (
            row[3] == ada.user_id and row[9] == "staff" and row[1] >= SINCE
        ),
        Filters(about=Subject("user", eve.user_id or uuid4())): lambda row: row[3] == eve.user_id,
        Filters(about=Subject("session", UUID(str(one[6])))): lambda row: row[6] == one[6],
        Filters(about=Subject("organization", eve.organization_id or uuid4())): lambda row: (
            row[2] == eve.organization_id
        ),
    }
    for filters, fits in cases.items():
        wanted = [row[0] for row in seen if fits(row)]  # type: ignore[no-untyped-call]
        assert everything(actor, filters) == wanted, filters
        if not filters.text:
            counted = audit.activity(actor, filters=filters)
            assert sum(bar.entries for bar in counted.bars) == len(wanted) == counted.total, filters
        assert Filters.parse(filters.words()) == filters


def test_another_tenants_entries_show_by_no_filter_cursor_id_or_count(
    ada: Actor, eve: Actor, root: Actor, log: list[tuple[object, ...]]
) -> None:
    assert eve.organization_id and eve.user_id
    theirs = {row[0] for row in log if row[2] == eve.organization_id}
    of_theirs = next(row for row in log if row[0] in theirs)
    cursor = audit.find(root, limit=3).next_cursor
    assert not theirs & set(everything(ada))
    assert not theirs & {entry.id for entry in audit.find(ada, after=cursor, limit=200).items}
    for filters in (
        Filters(organization=eve.organization_id),
        Filters(about=Subject("organization", eve.organization_id)),
    ):
        assert everything(ada, filters) == []
        assert audit.activity(ada, filters=filters) == audit.Activity((), 0)
    for filters in (
        Filters(person=eve.user_id),
        Filters(about=Subject("user", eve.user_id)),
        Filters(request=str(of_theirs[8])),
        Filters(resource=UUID(str(of_theirs[6]))),
        Filters(text="Ünï"),
    ):
        mine = [row for row in log if row[2] == ada.organization_id]
        assert not theirs & set(everything(ada, filters))
        assert (audit.activity(ada, filters=filters).total or 0) <= len(mine)
    assert audit.people_named(ada, text="eve") == ()
    assert audit.organizations_named(ada, text="contoso") == ()
    assert "person" not in audit.names_in(ada, filters=Filters(person=uuid4()))


def test_a_log_whose_policy_is_open_is_noticed(
    database: TestDatabase, ada: Actor, eve: Actor, log: list[tuple[object, ...]]
) -> None:
    """The control: what the promise above rests on is the policy and the condition of the verb, each by itself."""
    theirs = {row[0] for row in log if row[2] == eve.organization_id}
    with database.superuser() as connection:
        connection.execute("ALTER POLICY audit_logs_tenant ON audit_logs USING (true)")
    assert not theirs & set(everything(ada)), "the verb names the organization too"
    with pytest.raises(AssertionError):
        assert audit.entry(ada, entry_id=next(iter(theirs))).entry.organization_id == ada.organization_id


def test_a_text_is_looked_for_so_far_and_the_page_says_how_far(
    root: Actor, log: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_module, "TEXT_BUDGET", 100)
    page = audit.find(root, filters=Filters(text='Old "3"'), limit=7)
    assert page.items == () and page.looked_back_to == log[99][1] and page.next_cursor
    assert everything(root, Filters(text='Old "1"')) == [row[0] for row in log if r"Old \"1\"" in str(row[10])]


def test_person_and_organization_are_found_among_all_not_a_first_page(
    world: World, root: Actor, northwind: UUID
) -> None:
    for number in range(30):
        world.person(f"member{number:02}@northwind.example", northwind)
    world.person("zoe.zimmer@northwind.example", northwind)
    assert [one.name for one in audit.people_named(root, text="ZIMM")] == ["Zoe Zimmer"]
    assert len(audit.people_named(root, text="member")) == 8
    assert [one.detail for one in audit.people_named(root, text="member29@")] == ["member29@northwind.example"]
    assert audit.people_named(root, text=" ") == () and audit.people_named(root, text="%") == ()
    assert [one.name for one in audit.organizations_named(root, text="north")] == ["Northwind"]


def test_everything_about_a_person_holds_what_they_did_and_what_was_done_to_them(
    world: World, northwind: UUID, ada: Actor, abe: Actor
) -> None:
    bob = world.person("bob@northwind.example", northwind)
    membership = next(m.id for m in organizations.members(ada, organization_id=northwind) if m.user_id == bob)
    organizations.change_role(anew(ada), membership_id=membership, organization_id=northwind, role="admin")
    organizations.rename(anew(world.actor(bob, northwind)), name="Bob's")
    himself = anew(world.actor(bob, northwind))
    accounts.update_profile(
        himself, first_name="Bob", last_name="", timezone="UTC", locale="de", avatar_url=None, notification_settings={}
    )
    about = [entry.action for entry in audit.timeline(ada, "user", bob).items]
    assert about[:3] == ["user.profile_updated", "organization.renamed", "membership.role_changed"]
    assert len(about) == len(everything(ada, Filters(about=Subject("user", bob))))


def test_who_may_not_read_the_log_finds_nothing(world: World, northwind: UUID, ada: Actor) -> None:
    bob = world.actor(world.person("bob@northwind.example", northwind), northwind)
    for verb in (audit.find, audit.activity, audit.recent, audit.saved_views):
        with pytest.raises(Forbidden):
            verb(bob)  # type: ignore[operator]
    for verb in (audit.entry, audit.plan):
        with pytest.raises(Forbidden):
            verb(bob, entry_id=uuid4())  # type: ignore[operator]


@pytest.mark.parametrize(
    "wanted",
    [
        {"person": "somebody"}, {"address": "home"}, {"request": "xyz"}, {"since": "yesterday"}, {"action": "a.b"},
        {"about": "user"}, {"text": "x" * 201}, {"organization": "' OR true"},
    ],
)  # fmt: skip
def test_a_filter_that_cannot_be_looked_for_is_a_sentence(wanted: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        Filters.parse(wanted)
    assert refused.value.field == next(iter(wanted))


@pytest.mark.parametrize("cursor", ["x", "1.2", "99999999999999999999999999.00000000000000000000000000000000", "."])
def test_a_cursor_that_is_none_is_a_sentence(ada: Actor, cursor: str) -> None:
    with pytest.raises(Invalid, match="start from the first one"):
        audit.find(ada, after=cursor)


def test_more_than_a_thousand_is_never_counted(database: TestDatabase, root: Actor) -> None:
    with database.superuser() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "INSERT INTO audit_logs (created_at, action, resource_type, request_id, actor_scope)"
            " SELECT '2026-01-01'::timestamptz + n * interval '10 seconds', 'user.signed_in', 'user',"
            " md5(n::text)::uuid, 'tenant' FROM generate_series(1, 30000) n"
        )
    counted = audit.activity(root, filters=Filters(action="user.signed_in"))
    dense = [bar for bar in counted.bars if not bar.is_exact]
    assert counted.total is None
    for bar in dense:
        assert bar.entries == pytest.approx((bar.until - bar.since).total_seconds() / 10, rel=0.15)
    exact = audit.activity(
        root, filters=Filters(action="user.signed_in", until=dt.datetime(2026, 1, 1, 1, tzinfo=dt.UTC))
    )
    assert exact.total == 359 and all(bar.is_exact for bar in exact.bars)


PLANS = {
    "created_at": EVERYTHING,
    "user_id": Filters(person=UUID(int=1)),
    "action": Filters(action="session.edited"),
    "resource_type": Filters(resource_type="session"),
    "ip_address": Filters(address="10.0.0.1"),
    "actor_scope": Filters(staff=True),
}


def test_a_page_is_read_along_an_index_in_its_order(
    database: TestDatabase, ada: Actor, root: Actor, northwind: UUID
) -> None:
    """Of 30,000 entries one in fifty is Northwind's and one in forty fits a filter: the plan of each filter's page is
    an index that holds policy, filter and order, so nothing is sorted and next to nothing looked at in vain."""
    with database.superuser() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            """INSERT INTO audit_logs (created_at, organization_id, user_id, action, resource_type, ip_address,
                   actor_scope, request_id)
               SELECT '2026-01-01'::timestamptz + n * interval '1 second',
                   CASE WHEN n %% 50 = 0 THEN %s ELSE md5((n %% 50)::text)::uuid END,
                   CASE WHEN d < 0.025 THEN %s ELSE md5((n %% 43)::text)::uuid END,
                   CASE WHEN d < 0.025 THEN 'session.edited' ELSE 'a' || n %% 43 END,
                   CASE WHEN d < 0.025 THEN 'session' ELSE 'r' || n %% 43 END,
                   CASE WHEN d < 0.025 THEN '10.0.0.1' ELSE '10.0.1.' || n %% 43 END::inet,
                   CASE WHEN d < 0.025 THEN 'staff' ELSE 'tenant' END, gen_random_uuid()
               FROM (SELECT n, random() AS d FROM generate_series(1, 30000) n) rows""",
            [northwind, UUID(int=1)],
        )
        connection.execute("ANALYZE audit_logs")
    for actor in (ada, root):
        for column, filters in PLANS.items():
            with reading(actor) as db:
                db.connection().exec_driver_sql("SET LOCAL enable_bitmapscan = off")  # a handful of rows may be sorted
                page = search_module._newest(actor, db, filters, None, 50)
                query = page.compile(db.connection(), compile_kwargs={"render_postcompile": True})
                steps = [row[0] for row in db.connection().exec_driver_sql(f"EXPLAIN {query}", query.params)]
            # The rows are in one partition; of the empty months any index is as good.
            begin = next(number for number, step in enumerate(steps) if "audit_logs_default" in step)
            end = next((number for number in range(begin + 1, len(steps)) if "->" in steps[number]), len(steps))
            filtered = " ".join(step for step in steps[begin:end] if step.strip().startswith("Filter:"))
            assert "Index Scan Backward" in steps[begin], steps
            assert column not in filtered and "organization_id" not in filtered, steps
