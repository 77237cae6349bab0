"""Who is asking: the person, the organization they act in, what they may do, and where the request came from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID, uuid4

from nexa_core.errors import Forbidden
from nexa_core.permissions import Explanation, Permission, Resource, explain, granted


class Scope(StrEnum):
    """Which rows a transaction can reach: one organization's, every organization's, or demo organizations'."""

    TENANT = "tenant"
    STAFF = "staff"
    PRESENTER = "presenter"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, known before anybody is signed in."""

    request_id: UUID = field(default_factory=uuid4)
    ip_address: str | None = None
    user_agent: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """The facts the permission gates look at."""

    #: None for an address whose account, if there is one, is not known where the question is asked.
    account_status: str | None = "active"
    signed_in: bool = True
    membership_status: str | None = "active"
    organization_status: str = "active"
    is_platform: bool = False
    grant: frozenset[str] = frozenset()
    deny: frozenset[str] = frozenset()
    #: What was agreed with the organization, over what its plan includes; no plan that is known includes everything.
    features: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}), hash=False)
    plan_features: Mapping[str, bool] | None = field(default=None, hash=False)


@dataclass(frozen=True, slots=True)
class ViewingAs:
    """Whose eyes an internal admin looks with, until when, and who the admin is outside of it."""

    id: UUID
    user_id: UUID
    full_name: str
    organization_name: str
    reason: str
    expires_at: dt.datetime
    real: Actor

    @property
    def sentence(self) -> str:
        return f"You are viewing {self.organization_name} as {self.full_name}: you can look, and change nothing."


@dataclass(frozen=True, slots=True)
class Actor:
    """Frozen and hashable, so that a cached reader can take it as an ordinary argument."""

    user_id: UUID | None
    organization_id: UUID | None
    role: str | None
    scope: Scope
    permissions: frozenset[Permission]
    standing: Standing = Standing()
    user_session_id: UUID | None = None
    email: str = ""
    full_name: str = ""
    organization_name: str = ""
    organization_slug: str = ""
    timezone: str = "UTC"
    locale: str = "en"
    origin: Origin = field(default_factory=Origin, compare=False)
    #: Set while an internal admin looks with somebody else's eyes; ``user_id`` is the admin's own all the same.
    viewing_as: ViewingAs | None = None

    @property
    def own(self) -> Actor:
        """Who the actor is with their own eyes: for what is theirs wherever they look."""
        return self.viewing_as.real if self.viewing_as else self

    def require_own_eyes(self) -> None:
        """Raise Forbidden while the actor looks with somebody else's eyes: then nothing is changed or recorded."""
        if self.viewing_as is not None:
            raise Forbidden(self.viewing_as.sentence)

    def may(self, permission: Permission, resource: Resource | None = None) -> bool:
        """Whether the actor has this permission; a courtesy for screens, while the verb decides."""
        return explain(self, permission, resource).allowed

    def require(self, permission: Permission, resource: Resource | None = None) -> None:
        """Raise Forbidden, with the gate that refused, unless the actor may."""
        explanation: Explanation = explain(self, permission, resource)
        if not explanation.allowed:
            raise Forbidden(f"You may not do this. {explanation.sentence}", explanation=explanation)

    @property
    def is_staff(self) -> bool:
        return self.scope is Scope.STAFF

    @classmethod
    def of_membership(
        cls,
        *,
        user_id: UUID,
        organization_id: UUID,
        role: str,
        overrides: Mapping[str, object],
        standing: Standing,
        user_session_id: UUID | None = None,
        email: str = "",
        full_name: str = "",
        organization_name: str = "",
        organization_slug: str = "",
        timezone: str = "UTC",
        locale: str = "en",
        origin: Origin | None = None,
        viewing_as: ViewingAs | None = None,
    ) -> Actor:
        """The actor a membership makes: its role and overrides become permissions, the organization becomes a scope.

        ``overrides`` is ``organization_memberships.permissions``: ``{"grant": [...], "deny": [...]}``.
        """
        grant, deny = _names(overrides.get("grant")), _names(overrides.get("deny"))
        facts = replace(standing, grant=grant, deny=deny)
        scope = Scope.TENANT
        if facts.is_platform:
            scope = Scope.PRESENTER if role == "viewer" else Scope.STAFF
        return cls(
            user_id=user_id,
            organization_id=organization_id,
            role=role,
            scope=scope,
            permissions=granted(role, is_platform=facts.is_platform, grant=grant, deny=deny),
            standing=facts,
            user_session_id=user_session_id,
            email=email,
            full_name=full_name,
            organization_name=organization_name,
            organization_slug=organization_slug,
            timezone=timezone,
            locale=locale,
            origin=origin or Origin(),
            viewing_as=viewing_as,
        )

    @classmethod
    def of_api_key(
        cls,
        *,
        name: str,
        permissions: frozenset[str],
        organization_id: UUID,
        organization_name: str,
        organization_slug: str,
        standing: Standing,
        origin: Origin,
    ) -> Actor:
        """A program with a key of an organization's: nobody in person, with the key's permissions and no role."""
        return cls(
            user_id=None,
            organization_id=organization_id,
            role=None,
            scope=Scope.TENANT,
            permissions=granted(None, is_platform=False, grant=permissions, deny=frozenset()),
            standing=replace(standing, grant=permissions),
            full_name=f"The API key {name}",
            organization_name=organization_name,
            organization_slug=organization_slug,
            origin=origin,
        )

    @classmethod
    def system(cls, origin: Origin | None = None) -> Actor:
        """Jobs and the command line: nobody in person, with every right of the platform's own people."""
        return cls(
            user_id=None,
            organization_id=None,
            role="owner",
            scope=Scope.STAFF,
            permissions=frozenset(Permission),
            standing=Standing(is_platform=True),
            full_name="NEXA",
            organization_name="the platform",
            origin=origin or Origin(user_agent="nexa"),
        )


def _names(value: object) -> frozenset[str]:
    """Permission names from stored JSON; anything that is no list of strings grants and denies nothing."""
    return frozenset(name for name in value if isinstance(name, str)) if isinstance(value, list) else frozenset()
