"""What a person typed, made fit to store: one spelling for each text, and a sentence that names the field otherwise."""

from __future__ import annotations

import re
import unicodedata
import zoneinfo
from urllib.parse import urlsplit

from nexa_core.errors import Invalid

_COLOR = re.compile(r"#[0-9a-f]{6}")


def line(text: str, label: str, *, field: str, most: int, required: bool = False) -> str:
    """One line of text: composed (NFC), single spaces, nothing that cannot be printed.

    Raises Invalid for control characters, NUL and lone surrogates, for too long a text and a missing one.
    """
    given = " ".join(unicodedata.normalize("NFC", text).split(" ")).strip()
    if not given.isprintable():
        raise Invalid(f"{label} contains a character that cannot be shown.", field=field)
    given = " ".join(given.split())
    if required and not given:
        raise Invalid(f"{label} is needed.", field=field)
    if len(given) > most:
        raise Invalid(f"{label} has at most {most} characters; this has {len(given)}.", field=field)
    return given


def paragraph(text: str, label: str, *, field: str, most: int) -> str:
    """Text of several lines, otherwise as ``line``."""
    given = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\t", " ").strip()
    if not given.replace("\n", "").isprintable():
        raise Invalid(f"{label} contain a character that cannot be shown.", field=field)
    if len(given) > most:
        raise Invalid(f"{label} have at most {most:,} characters; these have {len(given):,}.", field=field)
    return given


def web_address(text: str, *, field: str) -> str | None:
    """An https address of a picture; None for an empty text."""
    given = text.strip()
    try:
        parts = urlsplit(given)
        fits = parts.scheme == "https" and bool(parts.hostname) and parts.username is None
    except ValueError:
        fits = False
    if not given:
        return None
    if not fits or len(given) > 500 or not given.isprintable() or set(given) & set(" \"'<>\\"):
        raise Invalid("A logo is a picture you upload, or an https address of at most 500 characters.", field=field)
    return given


def color(text: str, *, field: str) -> str:
    """A colour as #rrggbb."""
    if not _COLOR.fullmatch(given := text.strip().lower()):
        raise Invalid("A colour is written as # and six hexadecimal digits, such as #0b6b74.", field=field)
    return given


def time_zone(text: str, *, field: str = "time_zone") -> str:
    """A time zone of the IANA database."""
    if text not in zoneinfo.available_timezones():
        raise Invalid("Choose a time zone of the IANA database, such as Europe/Berlin.", field=field)
    return text


def reason_if_any(text: str) -> str | None:
    """Why something is done, where it may be left open; kept in the audit log."""
    return paragraph(text, "The reasons", field="reason", most=1_000) or None


def reason(text: str) -> str:
    """Why something is done that could hurt; kept in the audit log."""
    given = reason_if_any(text)
    if given is None:
        raise Invalid("Please give a reason; it is kept in the audit log.", field="reason")
    return given
