"""Who may do what, on one page: the permissions, what each role grants, and the function that decides and explains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from nexa_core.config import settings

if TYPE_CHECKING:
    from nexa_core.actor import Actor


class Permission(StrEnum):
    """What a person can be allowed to do; the value is what ``organization_memberships.permissions`` stores."""

    ORGANIZATION_READ = "organization.read"
    ORGANIZATION_MANAGE = "organization.manage"
    MEMBERS_READ = "members.read"
    MEMBERS_MANAGE = "members.manage"
    SESSIONS_READ = "sessions.read"
    SESSIONS_WRITE = "sessions.write"
    USAGE_READ = "usage.read"
    USAGE_RECORD = "usage.record"
    BILLING_READ = "billing.read"
    BILLING_MANAGE = "billing.manage"
    AUDIT_READ = "audit.read"
    STAFF_ACCESS_READ = "staff_access.read"
    # The platform's own people only.
    ORGANIZATIONS_BROWSE = "organizations.browse"
    ORGANIZATIONS_MANAGE = "organizations.manage"
    USERS_MANAGE = "users.manage"
    PORTFOLIO_READ = "portfolio.read"
    DEMO_PRESENT = "demo.present"
    SYSTEM_READ = "system.read"


P = Permission

_VIEWER = frozenset({P.ORGANIZATION_READ, P.SESSIONS_READ})
_MEMBER = _VIEWER | {P.SESSIONS_WRITE, P.MEMBERS_READ, P.USAGE_RECORD}
_BILLING = frozenset({P.ORGANIZATION_READ, P.USAGE_READ, P.BILLING_READ, P.BILLING_MANAGE})
_ADMIN = _MEMBER | {P.ORGANIZATION_MANAGE, P.MEMBERS_MANAGE, P.USAGE_READ, P.AUDIT_READ, P.STAFF_ACCESS_READ}
_OWNER = _ADMIN | _BILLING

#: What a role grants within a customer's organization.
MEMBERSHIP_ROLES: dict[str, frozenset[Permission]] = {
    "owner": _OWNER,
    "admin": _ADMIN,
    "member": _MEMBER,
    "viewer": _VIEWER,
    "billing": _BILLING,
}

_PRESENTER = frozenset(
    {
        P.ORGANIZATION_READ,
        P.MEMBERS_READ,
        P.SESSIONS_READ,
        P.USAGE_READ,
        P.BILLING_READ,
        P.ORGANIZATIONS_BROWSE,
        P.DEMO_PRESENT,
    }
)
_ACCOUNT_MANAGER = frozenset(
    {
        P.ORGANIZATION_READ,
        P.MEMBERS_READ,
        P.USAGE_READ,
        P.BILLING_READ,
        P.BILLING_MANAGE,
        P.ORGANIZATIONS_BROWSE,
        P.PORTFOLIO_READ,
    }
)

#: What the same roles grant in the platform's own organization: they reach every customer.
PLATFORM_ROLES: dict[str, frozenset[Permission]] = {
    "owner": frozenset(Permission),
    "admin": frozenset(Permission),
    "member": _ACCOUNT_MANAGER,
    "billing": _ACCOUNT_MANAGER,
    "viewer": _PRESENTER,
}

#: What somebody who looks with another person's eyes keeps of that person's permissions: looking.
READING = frozenset(
    {
        P.ORGANIZATION_READ,
        P.MEMBERS_READ,
        P.SESSIONS_READ,
        P.USAGE_READ,
        P.BILLING_READ,
        P.AUDIT_READ,
        P.STAFF_ACCESS_READ,
    }
)

#: What the platform's people may do with every customer or with none. Whoever is to see their own customers only may
#: not, whatever was granted to them personally.
REACHING_EVERYBODY = frozenset({P.SESSIONS_READ, P.SESSIONS_WRITE, P.AUDIT_READ, P.STAFF_ACCESS_READ, P.USERS_MANAGE})

#: What goes with another permission where that is granted or denied to somebody personally: a part with the whole.
_PARTS = {P.AUDIT_READ.value: P.STAFF_ACCESS_READ.value}

#: No feature is asked for STAFF_ACCESS_READ: what the platform's own people did, a customer reads on every plan.
#: Permissions that come with a feature: of the plan, or agreed (``usage_limits.features``); and the feature's name.
FEATURES: dict[Permission, str] = {P.SESSIONS_WRITE: "sessions", P.USAGE_RECORD: "metering", P.AUDIT_READ: "audit_log"}


@dataclass(frozen=True, slots=True)
class Resource:
    """What the question is about, as far as it can decide: whose it is, whether deleted, what is left of a limit."""

    name: str
    organization_id: object = None
    deleted: bool = False
    remaining: int | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """One question on the way: ``passed`` is None where the gate had nothing to say."""

    name: str
    passed: bool | None
    reason: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """The decision and every gate that led to it, in order; ``deciding`` is the one that settled it."""

    allowed: bool
    permission: Permission
    gates: tuple[Gate, ...]
    deciding: Gate

    @property
    def sentence(self) -> str:
        return self.deciding.reason


def granted(
    role: str | None, *, is_platform: bool, grant: frozenset[str], deny: frozenset[str]
) -> frozenset[Permission]:
    """What a role gives in an organization, changed by one person's own grants and denials; a denial wins.

    Only what is ``grantable`` to the role counts of the grants.
    """
    roles = PLATFORM_ROLES if is_platform else MEMBERSHIP_ROLES
    base = roles.get(role or "", frozenset())
    if not grant and not deny:
        return base
    grant, deny = _with_parts(grant), _with_parts(deny)
    extra = frozenset(p for p in Permission if p.value in grant) & grantable(role, is_platform=is_platform)
    return frozenset(p for p in base | extra if p.value not in deny)


def grantable(role: str | None, *, is_platform: bool) -> frozenset[Permission]:
    """What somebody of this role may have at most.

    In a customer's organization nothing that belongs to the platform's own people; a presenter nothing beyond the role,
    because the database shows presenters the demo world and takes nothing from them.
    """
    if is_platform:
        return _PRESENTER if role == "viewer" else frozenset(Permission)
    return _OWNER


def _with_parts(names: frozenset[str]) -> frozenset[str]:
    return names | {part for whole, part in _PARTS.items() if whole in names}


def sees_own_customers_only(actor: Actor) -> bool:
    """Whether NEXA_ACCOUNT_MANAGERS_SEE narrows this person of the platform to the customers they manage."""
    standing = actor.standing
    if settings().account_managers_see == "all" or actor.scope.value != "staff":
        return False
    return Permission.ORGANIZATIONS_MANAGE not in granted(
        actor.role, is_platform=standing.is_platform, grant=standing.grant, deny=standing.deny
    )


def explain(actor: Actor, permission: Permission, resource: Resource | None = None) -> Explanation:
    """May this actor do this to that? The one function that decides, and the one that says why.

    The first gate that refuses decides; when none does, the role or the override that granted the permission is named.
    """
    return _explain(actor, permission, resource, sees_own_customers_only(actor))


@lru_cache(maxsize=4096)  # a screen asks the same of the same person many times a rerun
def _explain(actor: Actor, permission: Permission, resource: Resource | None, is_narrowed: bool) -> Explanation:
    gates = tuple(_gates(actor, permission, resource, is_narrowed))
    refusing = next((gate for gate in gates if gate.passed is False), None)
    granting = next((gate for gate in gates if gate.passed and gate.name in ("override", "role")), gates[0])
    return Explanation(refusing is None, permission, gates, refusing or granting)


def has_feature(feature: str, *, agreed: Mapping[str, bool], plan: Mapping[str, bool] | None) -> bool:
    """Whether an organization has a feature: what was agreed with it decides, else what its plan includes.

    A plan nobody knows (None) includes everything, as it limits nothing.
    """
    if (own := agreed.get(feature)) is not None:
        return own
    return plan is None or plan.get(feature) is True


def _feature_gate(actor: Actor, feature: str, where: str) -> Gate:
    standing = actor.standing
    if standing.is_platform:
        return Gate("feature", True, "The platform's own people need no plan.")
    has_it = has_feature(feature, agreed=standing.features, plan=standing.plan_features)
    if feature in standing.features:
        return Gate("feature", has_it, f"{where} has {feature} switched {'on' if has_it else 'off'}.")
    return Gate("feature", has_it, f"The plan of {where} {'includes' if has_it else 'does not include'} {feature}.")


def _gates(actor: Actor, permission: Permission, resource: Resource | None, is_narrowed: bool) -> Iterator[Gate]:
    standing = actor.standing
    who, where = actor.full_name or "This person", actor.organization_name or "this organization"
    status = standing.account_status
    known = f"{who}'s account is {status}." if status else f"No account of {who} is known here."
    yield Gate("account", status == "active" if status else None, known)
    yield Gate("sign_in", standing.signed_in, f"{who}'s sign-in is {'valid' if standing.signed_in else 'over'}.")
    yield Gate("organization", standing.organization_status == "active", f"{where} is {standing.organization_status}.")
    yield Gate(
        "membership",
        standing.membership_status == "active",
        f"{who}'s membership in {where} is {standing.membership_status or 'missing'}.",
    )
    by_role = permission in granted(actor.role, is_platform=standing.is_platform, grant=frozenset(), deny=frozenset())
    overridden = permission.value in _with_parts(standing.grant | standing.deny)
    has_it = permission in granted(
        actor.role, is_platform=standing.is_platform, grant=standing.grant, deny=standing.deny
    )
    includes = "includes" if by_role else "does not include"
    role_says = f"The role {actor.role or 'none'} in {where} {includes} {permission.value}."
    yield Gate("role", None if overridden else by_role, role_says)
    override_says = f"{permission.value} was {'granted to' if has_it else 'denied to'} {who} personally."
    if not has_it and permission.value not in _with_parts(standing.deny):
        override_says = f"{permission.value} was granted to {who} personally, which the role {actor.role} cannot have."
    yield Gate("override", has_it if overridden else None, override_says if overridden else "No personal exception.")
    if is_narrowed and permission in REACHING_EVERYBODY:
        reason = f"{permission.value} reaches every customer; NEXA is set up so that {who} sees only their own."
        yield Gate("customers", False, reason)
    feature = FEATURES.get(permission)
    yield _feature_gate(actor, feature, where) if feature else Gate("feature", True, "No plan feature is needed.")
    remaining = resource.remaining if resource else None
    yield Gate(
        "limit",
        remaining is None or remaining > 0,
        "No limit applies." if remaining is None else f"{max(remaining, 0):,} left of the limit of {where}.",
    )
    name = resource.name if resource else "It"
    whose = resource.organization_id if resource else None
    strange = whose is not None and whose != actor.organization_id and actor.scope.value == "tenant"
    yield Gate(
        "tenant", not strange, f"{name} {'belongs to another organization' if strange else f'is within {where}'}."
    )
    deleted = resource is not None and resource.deleted
    yield Gate("deleted", not deleted, f"{name} is {'' if deleted else 'not '}deleted.")
    if actor.viewing_as is not None:
        yield Gate("viewing", permission in READING, actor.viewing_as.sentence)
