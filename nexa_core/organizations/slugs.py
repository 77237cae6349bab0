"""Slugs: their form, the one a name suggests, which are NEXA's own, and when a deleted organization's comes free."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from nexa_core.errors import Invalid
from nexa_core.organizations.models import Organization

_PART = "[a-z0-9]"
_SLUG = re.compile(f"{_PART}(-?{_PART})*")
_LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "ø": "o", "œ": "oe", "ł": "l", "đ": "d", "þ": "th", "&": " and "})
_RESERVED = """
about abuse account accounts admin administrator api app apps assets audit audit-proof auth autodiscover billing blog
brief cdn contact dashboard demo dev docs domain domains download downloads email error export exports favicon
feedback files ftp health healthz help home host hostmaster imap info internal invitation invitations invite join
legal localhost loe login logo logout mail mailer mailer-daemon media members metrics mx new new-organization news
nexa nexa-support no-reply none noreply ns ns1 ns2 null oauth official openapi organization organizations owner owners
password people person personal plans platform pop pop3 portfolio postmaster press pricing privacy public register
rehearsal robots root search security session sessions set-password settings share share-links sign-in sign-out
sign-up signin signup sitemap smtp sow ssl staff staff-access staging static status stream structuring subscription
support system team templates terms test tls true undefined upload uploads usage user users view-as visuals webhook
webhooks webmaster well-known wiki www
"""
SHORTEST, LONGEST = 2, 100
TAKEN_FOR = dt.timedelta(days=90)
#: Words that are, or could become, addresses, mailboxes and hosts of NEXA itself.
RESERVED = frozenset(_RESERVED.split())


def sensible_slug(text: str) -> str:
    """A slug that may be taken; raises Invalid, naming the field, for one that may not."""
    given = text.strip()
    if not given:
        raise Invalid("An organization needs a slug.", field="slug")
    if len(given) > LONGEST:
        raise Invalid(f"A slug has at most {LONGEST} characters; this has {len(given)}.", field="slug")
    if len(given) < SHORTEST:
        raise Invalid(f"A slug has at least {SHORTEST} characters.", field="slug")
    if not _SLUG.fullmatch(given):
        raise Invalid("A slug consists of lower-case letters a to z, digits and single hyphens.", field="slug")
    if given in RESERVED:
        raise Invalid(f"The slug “{given}” is kept for NEXA itself; choose another one.", field="slug")
    return given


def slug_like(name: str) -> str:
    """What a name reads like as a slug, with room for a number behind it; empty without a letter or digit to use."""
    plain = unicodedata.normalize("NFKD", name.lower().translate(_LETTERS).encode("utf-8", "ignore").decode())
    letters = re.findall(f"{_PART}+", "".join(c for c in plain if not unicodedata.combining(c)))
    return "-".join(letters)[: LONGEST - 4].strip("-")


def still_holds() -> ColumnElement[bool]:
    """Whether an organization's slug is its own: a deleted one's is for 90 days, as ``claim`` has it."""
    return Organization.deleted_at.is_(None) | (Organization.deleted_at > func.now() - TAKEN_FOR)


def claim(db: Session, slug: str) -> None:
    """Let go of the slug if an organization deleted more than 90 days ago still holds it; else nothing happens.

    Whether it is taken is then for the unique constraint to say.
    """
    db.execute(select(func.nexa.release_slug(slug)))
