"""What a person tells NEXA about themselves: name, time zone, locale, picture, and which notifications they want."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import func

from nexa_core.accounts.models import User
from nexa_core.accounts.sign_ins import person_of
from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.db import reading, recording
from nexa_core.errors import Invalid

# A language, then script, region or variants: enough of BCP 47 (RFC 5646) to refuse what no formatter would take.
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?(-[A-Za-z0-9]{5,8})*")
_SETTING = re.compile(r"[a-z][a-z0-9_.]{0,63}")
_MOST_SETTINGS = 50


@dataclass(frozen=True, slots=True)
class ProfileView:
    """A person, as they see themselves."""

    user_id: UUID
    email: str
    first_name: str
    last_name: str
    full_name: str
    avatar_url: str | None
    timezone: str
    locale: str
    notification_settings: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(cls, user: User) -> ProfileView:
        wanted = {name: on for name, on in user.notification_settings.items() if isinstance(on, bool)}
        return cls(
            user_id=user.id,
            email=user.email,
            first_name=user.first_name,
            last_name=user.last_name,
            full_name=user.full_name,
            avatar_url=user.avatar_url,
            timezone=user.timezone,
            locale=user.locale,
            notification_settings=MappingProxyType(wanted),
        )


def my_profile(actor: Actor) -> ProfileView:
    """The actor's own profile."""
    with reading(actor.own) as db:
        return ProfileView.of(db.get_one(User, person_of(actor)))


def update_profile(
    actor: Actor,
    *,
    first_name: str,
    last_name: str,
    timezone: str,
    locale: str,
    avatar_url: str | None,
    notification_settings: Mapping[str, bool],
) -> ProfileView:
    """Replace the actor's own profile; the e-mail address is not part of it.

    Raises Invalid, naming the field, for a name that is empty or too long, a time zone the IANA database does not
    have, a locale that is no BCP 47 tag, and a picture that is not an https address.
    """
    first_name, last_name = _name(first_name, "first_name"), _name(last_name, "last_name")
    if not (full_name := f"{first_name} {last_name}".strip()):
        raise Invalid("Please tell us at least one name.", field="first_name")
    values = {
        "first_name": first_name,
        "last_name": last_name,
        "full_name": full_name,
        "timezone": _timezone(timezone),
        "locale": _locale(locale),
        "avatar_url": _avatar(avatar_url),
        "notification_settings": _settings(notification_settings),
    }
    with recording(actor, Action.PROFILE_UPDATED) as db:
        user = db.get_one(User, person_of(actor))
        changed = {name: value for name, value in values.items() if getattr(user, name) != value}
        for name, value in changed.items():
            setattr(user, name, value)
        if changed:
            user.updated_at = func.now()
        db.flush()
        return ProfileView.of(user)


def _name(value: str, field: str) -> str:
    value = " ".join(value.split())
    if len(value) > 100 or not value.isprintable():
        raise Invalid("A name has at most 100 characters, and no control characters.", field=field)
    return value


def _timezone(value: str) -> str:
    if value not in zoneinfo.available_timezones():
        raise Invalid("Choose a time zone of the IANA database, such as Europe/Berlin.", field="timezone")
    return value


def _locale(value: str) -> str:
    if len(value) > 35 or not _LOCALE.fullmatch(value):
        raise Invalid("A locale is a tag such as en, de-CH or zh-Hant-TW.", field="locale")
    return value


def _avatar(value: str | None) -> str | None:
    if not (value := (value or "").strip()):
        return None
    try:
        parts = urlsplit(value)
        is_web_address = parts.scheme == "https" and bool(parts.hostname) and parts.username is None
    except ValueError:
        is_web_address = False
    if not is_web_address or len(value) > 500 or not value.isprintable() or set(value) & set(" \"'<>\\"):
        raise Invalid("A picture is an https address of at most 500 characters.", field="avatar_url")
    return value


def _settings(value: Mapping[str, bool]) -> dict[str, bool]:
    sensible = all(_SETTING.fullmatch(name) and isinstance(on, bool) for name, on in value.items())
    if len(value) > _MOST_SETTINGS or not sensible:
        raise Invalid("Notification settings are names with yes or no.", field="notification_settings")
    return dict(value)
