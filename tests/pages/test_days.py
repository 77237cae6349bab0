"""A range of days is the person's own: from midnight to midnight where they are, and shown again as it was chosen."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from nexa_core.actor import Actor
from pages._ui import format, menu
from tests.pages.conftest import Shell
from tests.pages.test_gate import _open
from tests.worlds import World

LONG, SHORT = dt.date(2026, 10, 25), dt.date(2026, 3, 29)  # in Berlin of 25 and of 23 hours


@pytest.mark.parametrize(("day", "hours"), [(LONG, 25), (SHORT, 23), (dt.date(2026, 11, 9), 24)])
def test_a_day_is_as_long_as_it_is_where_the_person_lives(day: dt.date, hours: int) -> None:
    actor = replace(Actor.system(), timezone="Europe/Berlin")
    begin, end = format.moments(actor, day, day)
    assert begin and end and end.astimezone(dt.UTC) - begin.astimezone(dt.UTC) == dt.timedelta(hours=hours)
    assert format.days(actor, begin.astimezone(dt.UTC), end.astimezone(dt.UTC)) == (day, day)
    assert format.moments(actor, None, None) == format.days(actor, None, None) == (None, None)


def test_the_log_shows_the_last_day_of_a_range_and_not_the_one_after(world: World, shell: Shell) -> None:
    northwind = world.organization(plan="enterprise")
    ada = world.person("ada@northwind.example", northwind, role="owner", timezone="Europe/Berlin")
    app = shell(world.sign_in(ada, northwind))
    app.query_params["since"], app.query_params["until"] = "2026-11-07T23:00:00Z", "2026-11-09T23:00:00Z"
    app = _open(app, menu.AUDIT.path)
    assert not app.exception and not app.error
    assert [box.value for box in app.date_input] == [dt.date(2026, 11, 8), dt.date(2026, 11, 9)]
