"""The demo world before it is written: the same for the same day, invented, and every plot in its figures."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from nexa_core.billing import PLANS
from nexa_core.demo import ACCOUNTS
from nexa_core.demo.activity import first_day
from nexa_core.demo.customers import CUSTOMERS, DORMANT_SINCE, SUSPENDED_SINCE
from nexa_core.demo.world import SEED, Tenant, World, build

DAY = date(2026, 11, 22)
#: A Sunday, a leap day, the first of a month, the last of a year.
DAYS = (DAY, date(2028, 2, 29), date(2027, 3, 1), date(2026, 12, 31))

REAL_NAMES = """
amazon aws google microsoft azure oracle salesforce sap ibm apple facebook stripe paypal visa mastercard
snowflake databricks openai anthropic kafka confluent siemens bosch ikea walmart tesco vodafone telefonica dhl
maersk shell allianz zurich-insurance nhs okta auth0 twilio docker kubernetes
"""


@cache
def world(day: date = DAY, seed: int = SEED) -> World:
    return build(day, seed)


def tenant(plot: str, day: date = DAY) -> Tenant:
    return next(found for found in world(day).tenants if found.customer.plot == plot)


def months(of: Tenant) -> dict[tuple[int, int], int]:
    """Credits by calendar month of the customer's own time zone, oldest first; the first and last are cut."""
    zone = ZoneInfo(of.customer.time_zone)
    found: Counter[tuple[int, int]] = Counter()
    for use in of.uses:
        local = use.at.astimezone(zone)
        found[local.year, local.month] += use.credits
    return dict(sorted(found.items()))


def whole_months(of: Tenant) -> list[int]:
    return list(months(of).values())[1:-1]


def ago(of: Tenant, day: date) -> list[int]:
    """Days ago of each use, by the customer's own calendar."""
    zone = ZoneInfo(of.customer.time_zone)
    return [(day - use.at.astimezone(zone).date()).days for use in of.uses]


def test_the_same_seed_and_day_make_the_same_world() -> None:
    assert build(DAY).digest() == world().digest()
    assert build(DAY, seed=1).digest() != world().digest()
    assert build(DAY + timedelta(days=1)).digest() != world().digest()


@pytest.mark.parametrize("day", DAYS)
def test_it_has_the_size_that_was_promised(day: date) -> None:
    tenants = world(day).tenants
    assert len(tenants) == 12
    assert len({person.id for found in tenants for person in found.people}) == 120
    assert sum(len(found.sessions) for found in tenants) == 150
    assert 57_000 <= sum(len(found.uses) for found in tenants) <= 65_000
    assert [person.role for person in world(day).staff] == ["owner", "member", "billing", "viewer"]


@pytest.mark.parametrize("day", DAYS)
def test_it_reaches_back_13_months_and_no_further(day: date) -> None:
    times = [use.at for found in world(day).tenants for use in found.uses]
    begin = datetime.combine(first_day(day), datetime.min.time(), UTC)
    assert begin - timedelta(days=1) <= min(times) <= begin + timedelta(days=2)
    assert max(times) <= datetime.combine(day, datetime.max.time(), UTC) + timedelta(days=1)
    assert 390 <= (day - first_day(day)).days <= 400


def test_every_plot_has_its_customer_and_each_customer_is_another_story() -> None:
    for attribute in ("plot", "slug", "name", "industry", "time_zone"):
        assert len({getattr(customer, attribute) for customer in CUSTOMERS}) == 12, attribute
    assert len({tuple(customer.colors.values()) for customer in CUSTOMERS}) == 12
    assert Counter(customer.manager for customer in CUSTOMERS).keys() == {0, 1}
    assert {customer.plan for customer in CUSTOMERS} <= set(PLANS)


@pytest.mark.parametrize("day", DAYS)
def test_the_growing_customer_grows(day: date) -> None:
    whole = whole_months(tenant("growing", day))
    assert sum(whole[-3:]) > 2 * sum(whole[:3])


@pytest.mark.parametrize("day", DAYS)
def test_the_overspending_customer_spends_more_than_its_plan_gives(day: date) -> None:
    found = tenant("overspending", day)
    allowed = PLANS[found.customer.plan].monthly_credits
    assert all(spent > 1.1 * allowed for spent in whole_months(found)[-2:])
    assert not found.customer.usage_limits.get("hard")


@pytest.mark.parametrize("day", DAYS)
def test_the_dormant_customer_was_there_and_is_gone(day: date) -> None:
    found = tenant("dormant", day)
    assert DORMANT_SINCE < min(ago(found, day)) < DORMANT_SINCE + 20
    assert min(whole_months(found)[:6]) > 300


@pytest.mark.parametrize("day", DAYS)
def test_the_suspended_customer_stopped_on_the_day(day: date) -> None:
    assert SUSPENDED_SINCE < min(ago(tenant("suspended", day), day)) <= SUSPENDED_SINCE + 5


@pytest.mark.parametrize("day", DAYS)
def test_trial_and_newcomer_have_no_past(day: date) -> None:
    assert max(ago(tenant("trial ending", day), day)) <= 26
    assert max(ago(tenant("just joined", day), day)) <= 5
    assert tenant("trial ending", day).customer.subscription_status == "trialing"
    assert len(tenant("trial ending", day).uses) > 500


@pytest.mark.parametrize("day", DAYS)
def test_the_seasonal_customer_has_a_season(day: date) -> None:
    whole = whole_months(tenant("seasonal", day))
    assert max(whole) > 5 * min(whole)


@pytest.mark.parametrize("day", DAYS)
def test_the_downgraded_customer_needs_the_small_plan_only(day: date) -> None:
    whole = whole_months(tenant("downgraded", day))
    assert whole[-1] < PLANS["starter"].monthly_credits * 0.6
    assert sum(whole[:3]) / 3 > 1.5 * whole[-1]


@pytest.mark.parametrize("day", DAYS)
def test_the_big_team_carries_the_platform(day: date) -> None:
    by_size = sorted(world(day).tenants, key=lambda found: -sum(use.credits for use in found.uses))
    assert by_size[0].customer.plot == "one big team"
    people = Counter(use.person for use in by_size[0].uses)
    assert len(people) >= 15
    assert max(people.values()) < 0.2 * len(by_size[0].uses)


@pytest.mark.parametrize("day", DAYS)
def test_the_customer_at_its_hard_limit_never_passes_it_and_hangs_on_one_person(day: date) -> None:
    found = tenant("at the limit", day)
    most = found.customer.usage_limits["monthly_credits"]
    assert max(months(found).values()) <= most
    assert sum(spent > 0.95 * most for spent in whole_months(found)) >= 9
    top = Counter(use.person for use in found.uses).most_common(1)[0][1]
    assert top > 0.5 * len(found.uses)


@pytest.mark.parametrize("day", DAYS)
def test_the_steady_and_the_unpaid_customer_go_on_working(day: date) -> None:
    for plot in ("steady", "past due"):
        whole = whole_months(tenant(plot, day))
        assert max(whole) < 2.2 * min(whole)


def test_people_work_by_day_and_on_weekdays_where_they_are() -> None:
    for found in world().tenants:
        if found.customer.plot == "just joined":
            continue
        zone = ZoneInfo(found.customer.time_zone)
        local = [use.at.astimezone(zone) for use in found.uses]
        assert sum(at.weekday() < 5 for at in local) > 0.9 * len(local), found.customer.slug
        assert sum(8 <= at.hour < 19 for at in local) > 0.8 * len(local), found.customer.slug


def test_use_is_by_people_who_were_there_and_of_sessions_that_were_there() -> None:
    for found in world().tenants:
        joined = {person.id: person.joined_at for person in found.people}
        joined |= {guest.person.id: guest.joined_at for guest in found.guests}
        for use in found.uses:
            since = joined[use.person]
            assert since is not None
            if use.architecture_session is None:
                assert since <= use.at
                continue
            architecture_session = found.sessions[use.architecture_session]
            assert architecture_session.created_at <= use.at
            assert architecture_session.deleted_at is None or use.at < architecture_session.deleted_at
        assert len({use.key for use in found.uses}) == len(found.uses)
        assert sum(use.event_type == "session_create" for use in found.uses) == len(found.sessions)


def test_everybody_has_an_address_under_example_and_a_name_of_their_own() -> None:
    people = [*world().staff, *(person for found in world().tenants for person in found.people)]
    assert all(re.fullmatch(r"[a-z.]+@[a-z]+\.example", person.email) for person in people)
    assert len({person.email for person in people}) == len(people) == 124
    assert len({person.full_name for person in people}) == len(people)


def test_no_company_of_the_real_world_is_named() -> None:
    text = repr([(found.customer, found.people, found.sessions) for found in world().tenants]).lower()
    words = set(re.findall(r"[a-z0-9-]+", text))
    assert not words & set(REAL_NAMES.split())


def test_all_five_roles_invitations_a_suspended_member_and_a_consultant_are_there() -> None:
    people = [person for found in world().tenants for person in found.people]
    assert {person.role for person in people} == {"owner", "admin", "member", "viewer", "billing"}
    assert sum(person.joined_at is None for person in people) >= 3
    assert sum(len(found.suspended) for found in world().tenants) >= 1
    (guest,) = [guest for found in world().tenants for guest in found.guests]
    assert guest.person.id in {person.id for person in people}
    for found in world().tenants:
        emails = {person.email for person in found.people}
        assert {f"{role}@{found.customer.domain}" for role in ("owner", "viewer", "billing")} <= emails


def test_whoever_the_sign_in_page_offers_exists() -> None:
    emails = {person.email for person in world().staff}
    emails |= {person.email for found in world().tenants for person in found.people if person.joined_at}
    assert {account.email for account in ACCOUNTS} <= emails
    assert [account.email for account in ACCOUNTS[:3]] == [
        f"{who}@nexa.example" for who in ("admin", "manager", "presenter")
    ]
