"""From an API key to the actor it stands for, asked of the database every time: a revoked key is refused at once."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from sqlalchemy import bindparam, func, or_, select, update

from nexa_core.accounts import tokens
from nexa_core.accounts.memberships import organizations, plan_features
from nexa_core.accounts.models import ApiKey
from nexa_core.accounts.viewing import standing_of
from nexa_core.actor import Actor, Origin
from nexa_core.db import entering
from nexa_core.errors import Unauthenticated

#: What every key begins with, so that scanners of leaked secrets know one.
KEY_MARK = "nexa_"
#: Characters of a key that are shown, to tell keys apart: 36 of its 256 bits.
PREFIX = len(KEY_MARK) + 6
#: How old "last used" may get before a request writes it anew.
USED_EVERY = dt.timedelta(minutes=1)
_LONGEST = 100
_STALE = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < func.now() - USED_EVERY)
_o = organizations.c
# Made once: a program asks hundreds of times a second.
_FOUND = (
    select(
        ApiKey.id, ApiKey.name, ApiKey.prefix, ApiKey.permissions, ApiKey.organization_id,
        _STALE.label("is_stale"),
        _o.name.label("organization_name"), _o.slug, _o.usage_limits,
        plan_features(organizations).label("plan_features"),
    )
    .join(organizations, _o.id == ApiKey.organization_id)
    .where(ApiKey.key_hash == bindparam("digest"), ApiKey.revoked_at.is_(None))
    .where(_o.status == "active", _o.is_platform.is_(False))
)  # fmt: skip


def new_key() -> str:
    """A key of 256 random bits."""
    return KEY_MARK + tokens.new_secret()


def actor_of_api_key(origin: Origin, *, key: str) -> Actor:
    """The actor behind a key, as long as it is not revoked and its organization is active; else Unauthenticated."""
    with entering(origin, durable=False) as db:
        row = db.execute(_FOUND, {"digest": tokens.digest(key[:_LONGEST])}).one_or_none()
        if row is None:
            raise Unauthenticated("This API key is not valid, or it was revoked.")
        if row.is_stale:  # bookkeeping, once a minute: of parallel requests only the first writes
            db.execute(
                update(ApiKey)
                .where(ApiKey.id == row.id, _STALE)
                .values(last_used_at=func.now())
                .execution_options(synchronize_session=False)
            )
    return Actor.of_api_key(
        name=row.name,
        permissions=frozenset(name for name in row.permissions if isinstance(name, str)),
        organization_id=row.organization_id,
        organization_name=row.organization_name,
        organization_slug=row.slug,
        standing=standing_of(row.usage_limits, row.plan_features),
        origin=replace(origin, user_agent=f"API key {row.prefix}… {origin.user_agent or ''}".strip()),
    )
