"""Profile, branding, business, subscription and limits: what is kept, what is refused, and by which field."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest

from nexa_core import billing, organizations, usage
from nexa_core.actor import Actor
from nexa_core.billing import PLANS, written
from nexa_core.errors import Conflict, Forbidden, Invalid, NotFound
from nexa_core.organizations import UNLIMITED
from nexa_core.organizations.slugs import RESERVED
from tests.databases import TestDatabase
from tests.worlds import World

ADDRESS = {"street": "1 Lane", "street2": "", "postal_code": "1", "city": "Ely", "state": "", "country": "DE"}
MARKUP = "<b>x</b> **y** $z^2$ [a](http://b) `c` :material/home:"


def here(actor: Actor) -> Any:
    return actor.organization_id


def profile(actor: Actor, **changed: str) -> organizations.OrganizationState:
    given = {"name": "Northwind", "slug": "northwind", **changed}
    return organizations.update_profile(actor, organization_id=here(actor), **given)


def business(actor: Actor, organization_id: Any = None, **changed: Any) -> None:
    given = {"address": ADDRESS, "tax_id": "", "billing_email": "", "time_zone": "UTC", **changed}
    organizations.update_business(actor, organization_id=organization_id or here(actor), **given)


def limits(root: Actor, organization_id: Any, **changed: Any) -> None:
    given: dict[str, Any] = {
        "monthly_credits": None, "seats": None, "hard": False, "event_limits": {}, "features": {}, "reason": "agreed",
    }  # fmt: skip
    organizations.update_limits(root, organization_id=organization_id, **{**given, **changed})


def contract(root: Actor, organization_id: Any, **changed: Any) -> None:
    given: dict[str, Any] = {
        "status": "active", "trial_ends_on": None, "renews_on": None, "seats": None, "contract_notes": "",
        "reason": "signed",
    }  # fmt: skip
    organizations.update_subscription(root, organization_id=organization_id, **{**given, **changed})


@pytest.mark.parametrize(
    "bad", ["a\x00b", "a\ud800b", "a\u202eb", "tab\tbed", "line\nbroken", "", "   ", "x" * 256], ids=ascii
)
def test_a_name_that_cannot_be_is_refused_and_the_old_one_stays(ada: Actor, bad: str) -> None:
    with pytest.raises(Invalid) as refused:
        profile(ada, name=bad)
    assert refused.value.field == "name"
    assert organizations.current(ada).name == "Northwind"


@pytest.mark.parametrize("good", ["x", "x" * 255, MARKUP, "Ünïcode 株式会社", "O'Neil & Söhne"], ids=ascii)
def test_a_name_that_can_be_is_kept_letter_for_letter(ada: Actor, good: str) -> None:
    assert profile(ada, name=f"  {good} ").name == good
    assert organizations.current(ada).name == good


def test_two_spellings_of_one_letter_are_stored_as_one(ada: Actor) -> None:
    assert profile(ada, name=unicodedata.normalize("NFD", "Café")).name == unicodedata.normalize("NFC", "Café")


@pytest.mark.parametrize(
    "bad",
    [*sorted(RESERVED)[::12], "a", "A", "-a", "a-", "a--b", "ä", "a b", "a\x00", "a\ud800", "x" * 101, "", "a/b"],
    ids=ascii,
)  # fmt: skip
def test_a_slug_that_cannot_be_is_refused(ada: Actor, bad: str) -> None:
    with pytest.raises(Invalid) as refused:
        profile(ada, slug=bad)
    assert refused.value.field == "slug"
    assert organizations.current(ada).slug == "northwind"


@pytest.mark.parametrize("good", ["a1", "a1-b2", "x" * 100])
def test_a_slug_that_can_be_is_taken(ada: Actor, good: str) -> None:
    assert profile(ada, slug=f" {good} ").slug == good


def test_a_reason_for_another_slug_is_in_the_log(database: TestDatabase, ada: Actor) -> None:
    organizations.update_profile(ada, organization_id=here(ada), name="Northwind", slug="north", reason="a new brand")
    with database.superuser() as connection:
        told = connection.execute("SELECT action, reason FROM audit_logs WHERE new_values ? 'slug' ORDER BY id DESC")
        assert told.fetchone() == ("organization.slug_changed", "a new brand")


def test_a_taken_slug_is_a_sentence_and_nothing_of_the_form_is_kept(ada: Actor, customers: dict[str, Actor]) -> None:
    with pytest.raises(Conflict, match="This slug is taken"):
        profile(ada, name="Renamed", slug="contoso")
    assert organizations.current(ada).name == "Northwind"


def test_a_deleted_organizations_slug_stays_taken_for_90_days(
    database: TestDatabase, root: Actor, ada: Actor, customers: dict[str, Actor]
) -> None:
    contoso = here(customers["Contoso"])
    organizations.delete(root, organization_id=contoso, confirmation="contoso", reason="gone")

    def deleted(days: int) -> None:
        with database.superuser() as connection, connection.transaction():
            World.name_the_change(connection)
            connection.execute(
                "UPDATE organizations SET deleted_at = now() - make_interval(days => %s) WHERE id = %s", [days, contoso]
            )

    deleted(89)
    with pytest.raises(Conflict, match="taken"):
        profile(ada, slug="contoso")
    deleted(91)
    assert profile(ada, slug="contoso").slug == "contoso"
    restored = organizations.restore(root, organization_id=contoso, reason="they are back")
    assert restored.slug.startswith("contoso-") and restored.status == "active"
    with database.superuser() as connection:
        (action,) = (
            connection.execute(
                "SELECT action FROM audit_logs WHERE resource_id = %s AND new_values ? 'slug' ORDER BY created_at DESC"
                " LIMIT 1",
                [contoso],
            ).fetchone()
            or ()
        )
    assert action == "organization.slug_released"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"logo_url": "http://plain.example/x.png"}, "logo_url"),
        ({"logo_url": "javascript:alert(1)"}, "logo_url"),
        ({"logo_url": "https://x.example/" + "a" * 500}, "logo_url"),
        ({"logo_url": 'https://x.example/"onload=alert(1)'}, "logo_url"),
        ({"logo_url": "/api/organizations/00000000-0000-0000-0000-000000000000/logo/" + "0" * 64}, "logo_url"),
        ({"brand_colors": {"primary": "red; background:url(//evil)"}}, "brand_colors.primary"),
        ({"brand_colors": {"primary": "#12345\x00"}}, "brand_colors.primary"),
        ({"brand_colors": {"is_platform": "#123456"}}, "brand_colors"),
    ],
)
def test_branding_that_cannot_be_names_the_field(ada: Actor, changed: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        organizations.update_branding(
            ada, organization_id=here(ada), **{"logo_url": None, "brand_colors": {}, **changed}
        )
    assert refused.value.field == field


def test_colours_nexa_does_not_know_are_kept(world: World, root: Actor) -> None:
    organization = world.organization("Colourful", brand_colors={"primary": "#000000", "tertiary": "#ABCDEF"})
    organizations.update_branding(
        root, organization_id=organization, logo_url="", brand_colors={"primary": "#FF00AA", "accent": "#00ff00"}
    )
    colors = organizations.get(root, organization_id=organization).brand_colors
    assert colors == {"primary": "#ff00aa", "accent": "#00ff00", "tertiary": "#ABCDEF"}


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"tax_id": "DE136695977"}, "tax_id"),
        ({"tax_id": "DE12"}, "tax_id"),
        ({"tax_id": "1\x002"}, "tax_id"),
        ({"billing_email": "nobody"}, "billing_email"),
        ({"billing_email": "a@b"}, "billing_email"),
        ({"billing_email": "a@" + "b" * 255 + ".example"}, "billing_email"),
        ({"address": {**ADDRESS, "country": "XX"}}, "address.country"),
        ({"address": {**ADDRESS, "city": "x" * 101}}, "address.city"),
        ({"address": {**ADDRESS, "city": "a\ud800"}}, "address.city"),
        ({"address": {**ADDRESS, "plan_type": "enterprise"}}, "address"),
    ],
)
def test_business_details_that_cannot_be_name_the_field(ada: Actor, changed: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        business(ada, **changed)
    assert refused.value.field == field
    assert organizations.current(ada).address == {}


def test_a_tax_id_is_checked_when_it_changes_and_old_ones_do_not_stand_in_the_way(
    world: World, root: Actor, ada: Actor
) -> None:
    business(ada, tax_id="DE 136 695 976")
    assert organizations.current(ada).tax_id == "DE 136 695 976"
    odd = world.organization("Odd", tax_id="made up", address={"country": "DE", "floor": "3"})
    business(root, odd, tax_id="made up", address={"country": "DE", "city": "Ulm"}, billing_email="P@Q.Example")
    view = organizations.get(root, organization_id=odd)
    assert (view.tax_id, view.billing_email) == ("made up", "p@q.example")
    assert view.address == {"country": "DE", "city": "Ulm", "floor": "3"}
    business(root, odd, tax_id="anything", address={"country": "AQ"})


def test_only_the_platform_changes_the_time_zone_and_what_was_used_stays_in_its_month(
    database: TestDatabase, root: Actor, ada: Actor
) -> None:
    usage.record(ada, [usage.UsageEvent(event_type="ai_call", credits=9, idempotency_key="one")])
    with pytest.raises(Forbidden):
        business(ada, time_zone="Asia/Tokyo")
    with pytest.raises(Invalid) as refused:
        business(root, here(ada), time_zone="Mars/Olympus")
    assert refused.value.field == "time_zone"
    for zone in ("Asia/Tokyo", "America/New_York", "UTC"):
        business(root, here(ada), time_zone=zone)
        view = organizations.get(root, organization_id=here(ada))
        assert (view.time_zone, view.credits_used) == (zone, 9)


def test_limits_keep_what_nexa_does_not_know_and_say_which_field_is_wrong(world: World, root: Actor) -> None:
    stored = {"sla": {"hours": 4}, "monthly_credits": 5, "features": {"beta": True, "sessions": False}}
    organization = world.organization("Agreed", usage_limits=stored)
    limits(
        root, organization, monthly_credits=UNLIMITED, seats=3, event_limits={"ai_call": 10},
        features={"sessions": None, "audit_log": True},
    )  # fmt: skip
    assert organizations.get(root, organization_id=organization).usage_limits == {
        "sla": {"hours": 4}, "monthly_credits": None, "seats": 3, "event_limits": {"ai_call": 10},
        "features": {"beta": True, "audit_log": True},
    }  # fmt: skip
    bad: list[tuple[dict[str, Any], str]] = [
        ({"monthly_credits": -5}, "monthly_credits"), ({"monthly_credits": 1.5}, "monthly_credits"),
        ({"monthly_credits": float("nan")}, "monthly_credits"), ({"seats": True}, "seats"), ({"seats": 2**40}, "seats"),
        ({"event_limits": {"AI": 1}}, "event_limits"), ({"event_limits": {"ai_call": -1}}, "event_limits.ai_call"),
        ({"features": {"god_mode": True}}, "features"), ({"hard": True, "monthly_credits": UNLIMITED}, "hard"),
        ({"reason": " "}, "reason"),
    ]  # fmt: skip
    for changed, field in bad:
        with pytest.raises(Invalid) as refused:
            limits(root, organization, **changed)
        assert refused.value.field == field, changed


@pytest.mark.parametrize(
    "strange",
    [
        {"monthly_credits": "many"}, {"features": [1]}, {"features": {"sessions": 1}}, {"hard": "yes"}, {"seats": -2},
        {"event_limits": {"x": {"per": "day"}}}, {"event_limits": {"ai_call": -1}}, {"limit_shadow": 1},
        {"alert_at": "late"}, {"alert_at": [0, "late"]}, {"alert_at": None},
    ],
)  # fmt: skip
def test_limits_of_another_form_are_shown_and_not_lost(world: World, root: Actor, strange: dict[str, Any]) -> None:
    assert organizations.limits_of(strange).others == strange
    organization = world.organization("Odd", usage_limits=strange)
    limits(
        root, organization, monthly_credits=None, seats=None, hard=False, event_limits={"pdf_export": 3},
        features={"sessions": None, "audit_log": True}, alert_at=None,
    )  # fmt: skip
    after = organizations.get(root, organization_id=organization).usage_limits
    kept = strange["features"] if isinstance(strange.get("features"), dict) else {}
    assert after == {
        **strange, "event_limits": {**strange.get("event_limits", {}), "pdf_export": 3},
        "features": {**kept, "audit_log": True},
    }  # fmt: skip


def test_a_new_limit_goes_over_one_that_could_not_be_read(world: World, root: Actor) -> None:
    odd = {"monthly_credits": "many", "hard": "yes", "event_limits": {"ai_call": -1, "x": {}}, "alert_at": [90, "late"]}
    organization = world.organization("Odd", usage_limits=odd)
    limits(
        root, organization, monthly_credits=7, seats=None, hard=True, event_limits={"ai_call": 2}, features={},
        alert_at=[50],
    )  # fmt: skip
    assert organizations.get(root, organization_id=organization).usage_limits == {
        "monthly_credits": 7, "hard": True, "event_limits": {"ai_call": 2, "x": {}}, "alert_at": [50, "late"],
    }  # fmt: skip


def test_a_subscription_keeps_what_it_does_not_know(world: World, root: Actor) -> None:
    organization = world.organization("Signed", subscription_data={"started_on": "2026-01-01", "renews_on": "soon"})
    contract(
        root, organization, status="trialing", trial_ends_on=dt.date(2026, 12, 24), seats=5, contract_notes=MARKUP
    )  # fmt: skip
    view = organizations.get(root, organization_id=organization)
    assert view.subscription_status == "trialing"
    assert view.subscription_data == {
        "started_on": "2026-01-01", "renews_on": "soon", "trial_ends_on": "2026-12-24", "seats": 5,
        "contract_notes": MARKUP,
    }  # fmt: skip
    for changed, field in (({"status": "gone"}, "status"), ({"status": "trialing"}, "trial_ends_on"),
                           ({"seats": -1}, "seats"), ({"contract_notes": "a\x00"}, "contract_notes")):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            contract(root, organization, **changed)
        assert refused.value.field == field


def test_another_plan_says_what_is_gained_and_lost_and_what_would_hurt(world: World, root: Actor) -> None:
    organization = world.organization("Big", plan="professional")
    owner = world.actor(world.person("o@big.example", organization, role="owner"), organization)
    for number in range(3):
        world.person(f"p{number}@big.example", organization)
    usage.record(owner, [usage.UsageEvent(event_type="ai_call", credits=150, idempotency_key="one")])
    change = organizations.preview_plan(root, organization_id=organization, plan="free")
    assert "100 credits a month instead of 5,000" in change.lost
    assert "3 seats instead of 25" in change.lost
    assert any("audit log" in line for line in change.lost)
    assert len(change.warnings) == 2 and "1 more than the 3 seats" in change.warnings[0]
    up = organizations.preview_plan(root, organization_id=organization, plan="enterprise")
    assert "unlimited seats instead of 25" in up.gained and not up.warnings
    limits(root, organization, seats=50, features={"audit_log": True})
    kept = organizations.preview_plan(root, organization_id=organization, plan="free")
    assert any("limit of seats stays" in line for line in kept.stays)
    assert any(line.endswith("stays on: it was agreed.") for line in kept.stays)
    with pytest.raises(Conflict, match="meanwhile"):
        organizations.change_plan(root, organization_id=organization, plan="free", expected="starter", reason="x")
    assert set(PLANS) >= {change.before, change.after}


def test_another_plan_is_priced_as_the_customer_pays(world: World, root: Actor) -> None:
    dollars = world.organization("Dollars", plan="professional", currency="USD")
    world.person("o@dollars.example", dollars, role="owner")
    change = organizations.preview_plan(root, organization_id=dollars, plan="starter")
    listed = [written(PLANS[key].in_currency("USD", "price_minor"), "USD") for key in ("starter", "professional")]
    assert change.price == f"{listed[0]} a month instead of {listed[1]}"
    assert not any(unit in line for line in change.gained + change.lost for unit in ("EUR", "USD"))
    billing.agree_prices(root, organization_id=dollars, currency="USD", prices={"price_minor": 19_900}, reason="Deal")
    agreed = organizations.preview_plan(root, organization_id=dollars, plan="starter")
    assert agreed.price is None and "The agreed fee of 199.00 USD a month stays." in agreed.stays


CUSTOMERS_OWN: list[Callable[[Actor, Any], Any]] = [
    lambda actor, target: organizations.update_profile(actor, organization_id=target, name="Mine", slug="mine"),
    lambda actor, target: organizations.update_branding(actor, organization_id=target, logo_url="", brand_colors={}),
    lambda actor, target: organizations.store_logo(actor, organization_id=target, content=b"x"),
    business,
]
PLATFORMS_ONLY: list[Callable[[Actor, Any], Any]] = [
    limits,
    contract,
    lambda actor, target: organizations.change_plan(
        actor, organization_id=target, plan="free", expected="starter", reason="x"
    ),
    lambda actor, target: organizations.preview_plan(actor, organization_id=target, plan="free"),
    lambda actor, target: organizations.delete(actor, organization_id=target, confirmation="northwind", reason="x"),
    lambda actor, target: organizations.restore(actor, organization_id=target, reason="x"),
    lambda actor, target: organizations.consequences_of_deletion(actor, organization_id=target),
]


@pytest.mark.parametrize("verb", CUSTOMERS_OWN)
def test_a_strangers_organization_is_not_there(
    platform: dict[str, Actor], customers: dict[str, Actor], verb: Callable[[Actor, Any], Any]
) -> None:
    with pytest.raises(NotFound):
        verb(customers["Contoso"], here(customers["Northwind"]))
    for name in ("manager", "presenter"):
        with pytest.raises(Forbidden):
            verb(platform[name], here(customers["Contoso"]))


@pytest.mark.parametrize("verb", PLATFORMS_ONLY)
def test_a_customer_decides_neither_its_plan_nor_its_end(
    platform: dict[str, Actor], customers: dict[str, Actor], verb: Callable[[Actor, Any], Any]
) -> None:
    for actor in (customers["Northwind"], customers["Contoso"], platform["manager"], platform["presenter"]):
        with pytest.raises(Forbidden):
            verb(actor, here(customers["Northwind"]))


def test_a_member_and_a_viewer_change_nothing(world: World, ada: Actor) -> None:
    for role in ("member", "viewer"):
        actor = world.actor(world.person(f"{role}@northwind.example", here(ada), role=role), here(ada))
        for verb in CUSTOMERS_OWN:
            with pytest.raises(Forbidden):
                verb(actor, here(ada))


def test_the_database_itself_keeps_a_customer_from_its_plan(database: TestDatabase, ada: Actor) -> None:
    """Mass assignment that gets past every verb still ends at the column's privilege."""
    from sqlalchemy import text

    from nexa_core.actions import Action
    from nexa_core.db import recording

    for column, value in (("plan_type", "'enterprise'"), ("usage_limits", "'{}'"), ("is_platform", "true"),
                          ("status", "'active'"), ("time_zone", "'UTC'"), ("account_manager_id", "NULL")):  # fmt: skip
        with pytest.raises(Exception, match="permission denied"), recording(ada, Action.ORGANIZATION_UPDATED) as db:
            db.execute(text(f"UPDATE organizations SET {column} = {value}"))
