"""The API keys of an organization: make one, which shows it once; see who made it and when it was used; revoke it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from nexa_core.accounts import tokens
from nexa_core.accounts.api_keys import PREFIX, new_key
from nexa_core.accounts.models import ApiKey, User
from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.db import reading, recording
from nexa_core.errors import Conflict, Forbidden, Invalid
from nexa_core.organizations import fields
from nexa_core.organizations.models import Organization
from nexa_core.organizations.reach import require_for
from nexa_core.permissions import Permission

#: What a program can be allowed: to report usage and to read. What changes something else is done by people.
KEY_PERMISSIONS = (
    Permission.USAGE_RECORD,
    Permission.USAGE_READ,
    Permission.SESSIONS_READ,
    Permission.MEMBERS_READ,
    Permission.ORGANIZATION_READ,
    Permission.BILLING_READ,
    Permission.AUDIT_READ,
    Permission.STAFF_ACCESS_READ,
)
MOST_KEYS = 50


@dataclass(frozen=True, slots=True)
class ApiKeyView:
    """A key as it is shown: its first characters only. ``last_used_at`` may be a minute old."""

    id: UUID
    name: str
    prefix: str
    permissions: tuple[str, ...]
    created_by: str | None
    created_at: dt.datetime
    last_used_at: dt.datetime | None
    revoked_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key that was just made. ``secret`` is the key itself; it is in no other answer, now or later."""

    key: ApiKeyView
    secret: str

    def __repr__(self) -> str:
        return f"NewApiKey({self.key.prefix}…)"  # a log line must not hold it


def api_keys(actor: Actor, *, organization_id: UUID) -> tuple[ApiKeyView, ...]:
    """The keys of an organization, the living ones first and the newest of them first.

    Raises NotFound for a stranger's organization, Forbidden without ORGANIZATION_READ.
    """
    require_for(actor, organization_id, own=Permission.ORGANIZATION_READ, other=Permission.ORGANIZATIONS_BROWSE)
    with reading(actor) as db:
        return _views(db, organization_id)


def create_api_key(
    actor: Actor, *, organization_id: UUID, name: str, permissions: Collection[str] = (Permission.USAGE_RECORD,)
) -> NewApiKey:
    """Make a key for a program of the organization. The answer shows it, and nothing ever does again.

    Raises Forbidden without ORGANIZATION_MANAGE, and for a permission the actor does not have there; Invalid without a
    name or permission, and for a permission no key can have; Conflict for the platform's own organization, one that is
    not active, and one with 50 living keys.
    """
    _require_manage(actor, organization_id)
    name = fields.line(name, "The name", field="name", most=100, required=True)
    wanted = tuple(one for one in KEY_PERMISSIONS if one.value in set(permissions))
    if strange := set(permissions) - {one.value for one in KEY_PERMISSIONS}:
        raise Invalid(f"A key cannot be allowed “{min(strange)[:40]}”.", field="permissions")
    if not wanted:
        raise Invalid("Allow the key at least one thing.", field="permissions")
    if organization_id == actor.organization_id and (beyond := [one for one in wanted if one not in actor.permissions]):
        raise Forbidden(f"You cannot allow a key what you may not do yourself: {beyond[0].value}.")
    secret, key_id = new_key(), uuid4()
    with recording(actor, Action.API_KEY_CREATED) as db:
        organization = db.get_one(Organization, organization_id, with_for_update={"key_share": True})
        if organization.is_platform:
            raise Conflict("The platform's own organization has no API keys: they would reach every customer.")
        if organization.status != "active":
            raise Conflict(f"{organization.name} is {organization.status}; only an active organization gets API keys.")
        living = select(func.count()).where(ApiKey.organization_id == organization_id, ApiKey.revoked_at.is_(None))
        if (db.scalar(living) or 0) >= MOST_KEYS:
            raise Conflict(f"There are {MOST_KEYS} API keys already; revoke one that is not used.")
        db.execute(
            insert(ApiKey).values(
                id=key_id, organization_id=organization_id, name=name, prefix=secret[:PREFIX],
                key_hash=tokens.digest(secret), permissions=[one.value for one in wanted], created_by=actor.user_id,
            )
        )  # fmt: skip
        return NewApiKey(next(key for key in _views(db, organization_id) if key.id == key_id), secret)


def revoke_api_key(actor: Actor, *, organization_id: UUID, key_id: UUID) -> ApiKeyView:
    """End a key; the next request with it is refused. Revoking it again changes nothing.

    Raises Forbidden without ORGANIZATION_MANAGE, NotFound for a key that is not the organization's.
    """
    _require_manage(actor, organization_id)
    with recording(actor, Action.API_KEY_REVOKED) as db:
        key = db.scalars(select(ApiKey).where(ApiKey.id == key_id, ApiKey.organization_id == organization_id)).one()
        if key.revoked_at is None:
            key.revoked_at = func.now()
            db.flush()
        return next(view for view in _views(db, organization_id) if view.id == key_id)


def _require_manage(actor: Actor, organization_id: UUID) -> None:
    require_for(actor, organization_id, own=Permission.ORGANIZATION_MANAGE, other=Permission.ORGANIZATIONS_MANAGE)


def _views(db: Session, organization_id: UUID) -> tuple[ApiKeyView, ...]:
    found = (
        select(ApiKey, User.full_name)
        .outerjoin(User, User.id == ApiKey.created_by)
        .where(ApiKey.organization_id == organization_id)
        .order_by(ApiKey.revoked_at.is_not(None), ApiKey.created_at.desc(), ApiKey.id)
        .execution_options(populate_existing=True)
    )
    return tuple(
        ApiKeyView(
            key.id, key.name, key.prefix, tuple(str(one) for one in key.permissions), creator, key.created_at,
            key.last_used_at, key.revoked_at,
        )
        for key, creator in db.execute(found)
    )  # fmt: skip
