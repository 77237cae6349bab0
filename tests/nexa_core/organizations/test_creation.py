"""A new organization: all of it or nothing, under a name and a slug that can be shown."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nexa_core import accounts, organizations
from nexa_core.actor import Origin
from nexa_core.errors import Conflict, Forbidden, Invalid
from nexa_core.organizations.slugs import RESERVED
from pages._ui import menu
from tests.databases import TestDatabase
from tests.nexa_core.organizations.conftest import Cast
from tests.worlds import World

GOOD = "a quiet walk along the harbour"


def create(cast: Cast, **values: str) -> organizations.OrganizationState:
    given = {"name": "Fabrikam", "slug": "fabrikam", "plan": "starter", "owner_email": "gina@fabrikam.example"}
    return organizations.create(cast.root, **{**given, **values})


def rows(database: TestDatabase) -> tuple[int, ...]:
    with database.superuser() as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM organizations), (SELECT count(*) FROM organization_memberships),"
            " (SELECT count(*) FROM users), (SELECT count(*) FROM outbox_messages)"
        ).fetchone()
    assert row
    return row


def test_an_organization_is_pending_until_its_owner_accepts(cast: Cast, token_of: Callable[[str], str]) -> None:
    made = create(cast)
    assert made.status == "pending"
    with pytest.raises(Conflict, match="is pending"):
        organizations.invite(cast.root, organization_id=made.id, people="kim@fabrikam.example")
    joined = organizations.accept_invitation_with_password(
        Origin(), token=token_of("gina@fabrikam.example"), first_name="Gina", last_name="", password=GOOD
    )
    assert joined.role == "owner"
    assert organizations.get(cast.root, organization_id=made.id).status == "active"
    assert accounts.sign_in(Origin(), email="gina@fabrikam.example", password=GOOD).full_name == "Gina"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""), ("name", " \t "), ("name", "x" * 256), ("name", "a\x00b"), ("name", "a\ud800b"),
        ("name", "a\u202eb"), ("slug", ""), ("slug", "a"), ("slug", "A-b"), ("slug", "a--b"), ("slug", "-ab"),
        ("slug", "a" * 101), ("slug", "bücher"), ("slug", "a\x00b"), ("slug", "a\nb"), ("slug", "admin"),
        ("plan", "gold"), ("owner_email", "gina"), ("owner_email", "g" * 250 + "@x.example"), ("message", "x" * 1001),
    ],
)  # fmt: skip
def test_what_cannot_be_is_a_sentence_about_its_field_and_nothing_is_made(
    cast: Cast, database: TestDatabase, field: str, value: str
) -> None:
    before = rows(database)
    with pytest.raises(Invalid) as refused:
        create(cast, **{field: value})
    assert refused.value.field == field and refused.value.sentence.endswith(".")
    assert rows(database) == before


@pytest.mark.parametrize(
    "name",
    [
        "x",
        "x" * 255,
        "<script>alert(1)</script>",
        "**bold** [link](https://x.example)",
        "$\\frac{1}{2}$",
        "=1+1",
        ":material/key:",
    ],
)
def test_a_name_is_kept_as_it_is_written(cast: Cast, name: str) -> None:
    assert create(cast, name=name).name == name


def test_twins_of_a_name_are_one_spelling(cast: Cast) -> None:
    assert create(cast, name="Cafe\u0301  Go").name == "Café Go"


@pytest.mark.parametrize("taken", [{"slug": "contoso"}, {"owner_email": "sus@northwind.example"}])
def test_a_conflict_makes_nothing(cast: Cast, world, database: TestDatabase, taken: dict[str, str]) -> None:  # type: ignore[no-untyped-def]
    world.person("sus@northwind.example", cast.northwind, status="suspended")
    before = rows(database)
    with pytest.raises(Conflict):
        create(cast, **taken)
    assert rows(database) == before


def test_a_failing_mail_makes_nothing(cast: Cast, database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise Conflict("no mail today")

    monkeypatch.setattr("nexa_core.notifications.send_mail", fail)
    before = rows(database)
    with pytest.raises(Conflict, match="no mail today"):
        create(cast)
    assert rows(database) == before


def test_only_who_manages_customers_creates_and_asks_for_slugs(cast: Cast) -> None:
    for verb in (
        lambda: organizations.check_slug(cast.ada, slug="fabrikam"),
        lambda: organizations.suggest_slug(cast.ada, name="Fabrikam"),
        lambda: organizations.create(
            cast.ada, name="Mine", slug="mine", plan="enterprise", owner_email="ada@northwind.example"
        ),
    ):
        with pytest.raises(Forbidden):
            verb()


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Contoso", "contoso-2"), ("Café Größe & Söhne", "cafe-grosse-and-sohne"), ("  A  ", "a-2"), ("株式会社", ""),
        ("Admin", "admin-2"), ("x" * 300, "x" * 96), ("\ud800", ""),
    ],
)  # fmt: skip
def test_a_slug_is_suggested_that_is_free(cast: Cast, name: str, slug: str) -> None:
    suggested = organizations.suggest_slug(cast.root, name=name)
    assert suggested == slug
    assert not slug or organizations.check_slug(cast.root, slug=slug).is_free


@pytest.mark.parametrize("slug", ["contoso", "admin", "a", "UPPER", "a b", "\x00", "\ud800", "x" * 101])
def test_a_slug_is_checked_in_a_sentence(cast: Cast, slug: str) -> None:
    verdict = organizations.check_slug(cast.root, slug=slug)
    assert not verdict.is_free and verdict.sentence.endswith(".")


def test_every_address_of_a_screen_is_a_reserved_word() -> None:
    assert {screen.path for screen in (*menu.SCREENS, *menu.PUBLIC)} <= RESERVED


@pytest.mark.parametrize(("days", "is_free"), [(89, False), (91, True)])
def test_a_deleted_organizations_slug_can_be_had_after_90_days(
    cast: Cast, database: TestDatabase, days: int, is_free: bool
) -> None:
    with database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        connection.execute(
            "UPDATE organizations SET status = 'deleted', deleted_at = now() - make_interval(days => %s)"
            " WHERE slug = 'contoso'",
            [days],
        )
    assert organizations.check_slug(cast.root, slug="contoso").is_free is is_free
    assert (organizations.suggest_slug(cast.root, name="Contoso") == "contoso") is is_free
    fresh = {"name": "New", "slug": "contoso", "plan": "free", "owner_email": "gina@fabrikam.example"}
    if is_free:
        assert organizations.create(cast.root, **fresh).slug == "contoso"
    else:
        with pytest.raises(Conflict, match="taken"):
            organizations.create(cast.root, **fresh)
