"""A profile takes what a person may be called and where they live, and refuses what could not be used."""

from __future__ import annotations

import pytest

from nexa_core import accounts
from nexa_core.errors import Invalid

GOOD = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "timezone": "Europe/London",
    "locale": "en-GB",
    "avatar_url": "https://pictures.example/ada.png",
    "notification_settings": {"mail.limits": False},
}


def person(world, *, role: str = "member", **organization):
    where = world.organization("Northwind", **organization)
    world.person("owner@northwind.example", where, "owner")
    return world.actor(world.person("ada@northwind.example", where, role), where)


@pytest.mark.parametrize(
    ("role", "organization"),
    [
        ("viewer", {}),
        ("billing", {}),
        ("owner", {}),
        ("admin", {"is_platform": True}),
        ("member", {"is_platform": True}),
        ("viewer", {"is_platform": True}),
    ],
)
def test_everybody_changes_their_own_profile_and_it_is_audited_as_theirs(database, world, role, organization):
    actor = person(world, role=role, **organization)
    changed = accounts.update_profile(actor, **GOOD)
    assert changed == accounts.my_profile(actor)
    assert (changed.full_name, changed.email) == ("Ada Lovelace", "ada@northwind.example")
    with database.superuser() as connection:
        audited = connection.execute(
            "SELECT user_id, resource_id, organization_id, new_values->>'full_name' FROM audit_logs"
            " WHERE action = 'user.profile_updated'"
        ).fetchall()
    assert audited == [(actor.user_id, actor.user_id, actor.organization_id, "Ada Lovelace")]


def test_saving_without_a_change_leaves_no_trace(database, world):
    actor = person(world)
    accounts.update_profile(actor, **GOOD)
    accounts.update_profile(actor, **GOOD)
    with database.superuser() as connection:
        assert connection.execute(
            "SELECT count(*) FROM audit_logs WHERE action = 'user.profile_updated'"
        ).fetchone() == (1,)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("timezone", "Mars/Olympus"),
        ("timezone", ""),
        ("timezone", "../etc/passwd"),
        ("timezone", "europe/london"),
        ("locale", "english please"),
        ("locale", ""),
        ("locale", "e"),
        ("locale", "de_CH"),
        ("locale", "x" * 36),
        ("avatar_url", "http://pictures.example/a.png"),
        ("avatar_url", "javascript:alert(1)"),
        ("avatar_url", "https://"),
        ("avatar_url", "https://user:word@pictures.example/a.png"),
        ("avatar_url", "https://x.example/" + "a" * 500),
        ("avatar_url", 'https://x.example/"onload=alert(1)'),
        ("avatar_url", "https://[broken"),
        ("avatar_url", "data:image/png;base64,AA"),
        ("first_name", "x" * 101),
        ("first_name", "A\x00da"),
        ("last_name", "Love\u202elace"),
        ("notification_settings", {"mail": "yes"}),
        ("notification_settings", {"Mail Digest": True}),
        ("notification_settings", {f"n{i}": True for i in range(51)}),
    ],
)
def test_a_value_that_could_not_be_used_is_refused_by_name(database, world, field, value):
    with pytest.raises(Invalid) as invalid:
        accounts.update_profile(person(world), **{**GOOD, field: value})
    assert invalid.value.field == field


def test_one_of_the_names_is_enough_but_not_none(database, world):
    actor = person(world)
    assert accounts.update_profile(actor, **{**GOOD, "first_name": "", "last_name": "Teller"}).full_name == "Teller"
    with pytest.raises(Invalid):
        accounts.update_profile(actor, **{**GOOD, "first_name": " ", "last_name": "\t"})


@pytest.mark.parametrize(
    ("timezone", "locale", "avatar_url"),
    [
        ("UTC", "de", None),
        ("Asia/Kathmandu", "zh-Hant-TW", ""),
        ("America/Argentina/Ushuaia", "es-419", "https://x.example"),
    ],
)
def test_what_exists_is_accepted(database, world, timezone, locale, avatar_url):
    profile = accounts.update_profile(
        person(world), **{**GOOD, "timezone": timezone, "locale": locale, "avatar_url": avatar_url}
    )
    assert (profile.timezone, profile.locale, profile.avatar_url) == (timezone, locale, avatar_url or None)


KIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)"


@pytest.mark.parametrize(
    ("user_agent", "label"),
    [
        (f"{WINDOWS} {KIT} Chrome/140.0.0.0 Safari/537.36", "Chrome on Windows"),
        (f"{WINDOWS} {KIT} Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {KIT} Version/18.0 Safari/605.1.15", "Safari on macOS"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (f"{IPHONE} {KIT} CriOS/140.0 Mobile/15E148 Safari/604.1", "Chrome on iPhone"),
        (f"Mozilla/5.0 (Linux; Android 15) {KIT} SamsungBrowser/27.0 Chrome/125.0", "Samsung Internet on Android"),
        ("python-httpx/0.28.1", "python-httpx"),
        ("curl/8.5.0", "curl"),
        ("", "Unknown device"),
        (None, "Unknown device"),
        ("Mozilla/5.0", "Unknown device"),
    ],
)
def test_a_device_is_named_in_plain_words(user_agent, label):
    assert accounts.device_label(user_agent) == label
