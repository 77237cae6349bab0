"""Leaving: what stands in the way of an owner or of somebody with nowhere else to go, and the ways around it."""

from __future__ import annotations

from dataclasses import dataclass
from secrets import token_hex
from uuid import UUID

from sqlalchemy import func, select

from nexa_core.accounts.models import User
from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.db import reading, recording
from nexa_core.errors import Conflict, Invalid, NotFound
from nexa_core.organizations.members import MemberView, member_of, members
from nexa_core.organizations.reach import require_members_manage, require_rank
from nexa_core.organizations.seats import locked


@dataclass(frozen=True, slots=True)
class WaysOut:
    """What a removal, a suspension or another role would run into, and who could become owner first."""

    member: MemberView
    is_last_owner: bool
    is_only_organization: bool
    heirs: tuple[MemberView, ...]


def ways_out(actor: Actor, *, membership_id: UUID, organization_id: UUID) -> WaysOut:
    """Look before somebody leaves. Raises NotFound for a stranger's, Forbidden without MEMBERS_MANAGE."""
    require_members_manage(actor, organization_id)
    everybody = members(actor, organization_id=organization_id)
    member = next((one for one in everybody if one.id == membership_id), None)
    if member is None:
        raise NotFound("There is no such member.")
    others = tuple(one for one in everybody if one.id != membership_id and one.status == "active")
    with reading(actor) as db:
        elsewhere = db.scalar(select(func.nexa.belongs_elsewhere(member.user_id, organization_id)))
    is_owner = member.role == "owner" and member.status == "active"
    return WaysOut(
        member=member,
        is_last_owner=is_owner and not any(one.role == "owner" for one in others),
        is_only_organization=not elsewhere,
        heirs=tuple(one for one in others if one.account_status == "active" and one.role != "owner"),
    )


def transfer_ownership(
    actor: Actor, *, from_membership_id: UUID, to_membership_id: UUID, organization_id: UUID, reason: str
) -> None:
    """Make one member an owner and the owner before an administrator, in one step.

    Raises Forbidden unless the actor may make owners, Invalid without a reason, Conflict unless it goes from an owner
    to another active member.
    """
    require_members_manage(actor, organization_id)
    if not reason.strip():
        raise Invalid("Please give a reason; it is kept in the audit log.", field="reason")
    with recording(actor, Action.OWNERSHIP_TRANSFERRED, reason=reason.strip()[:1000]) as db:
        locked(db, organization_id)
        before = member_of(actor, db, organization_id, from_membership_id)
        after = member_of(actor, db, organization_id, to_membership_id)
        require_rank(actor, organization_id, "owner")
        if before.role != "owner" or before.id == after.id:
            raise Conflict("Ownership goes from an owner to somebody else.")
        if after.status != "active" or db.get_one(User, after.user_id).status != "active":
            raise Conflict("Only an active member can become the owner.")
        after.role, before.role = "owner", "admin"


def remove_to_personal_organization(actor: Actor, *, membership_id: UUID, organization_id: UUID, reason: str) -> UUID:
    """Remove a member who belongs nowhere else, and give them an organization of their own; answers its id.

    It is on the free plan, and theirs alone. Raises as ``remove_member`` does, and Conflict for an invitation.
    """
    require_members_manage(actor, organization_id)
    if not reason.strip():
        raise Invalid("Please give a reason; it is kept in the audit log.", field="reason")
    with recording(actor, Action.MEMBER_SENT_HOME, reason=reason.strip()[:1000]) as db:
        locked(db, organization_id)
        membership = member_of(actor, db, organization_id, membership_id)
        if membership.status == "pending":
            raise Conflict("An invitation is withdrawn, not removed.")
        person = db.get_one(User, membership.user_id)
        called = f"{person.full_name or person.email} (personal)"[:255]
        made: UUID = db.execute(
            select(func.nexa.make_personal_organization(person.id, organization_id, called, f"personal-{token_hex(6)}"))
        ).scalar_one()
        db.delete(membership)
        return made
