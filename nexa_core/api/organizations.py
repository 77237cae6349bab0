"""/api/organizations: the customers a caller can reach, who belongs to them, and who is invited."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from pydantic import Field

from nexa_core import organizations
from nexa_core.actor import Actor
from nexa_core.api.endpoint import Body, get, post
from nexa_core.api.organization_files import Listed

_ONE = "/organizations/{organization_id:uuid}"


class Browsing(Listed):
    text: Annotated[str, Field(max_length=200)] = ""
    after: str | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class Member(Body):
    """``permissions`` are in effect; ``grant`` and ``deny`` are what sets them apart from the role's."""

    id: UUID
    user_id: UUID
    full_name: str
    email: str
    role: str
    status: str
    account_status: str
    asks_to_join: bool
    joined_at: dt.datetime | None
    last_active_at: dt.datetime | None
    permissions: list[str]
    grant: list[str]
    deny: list[str]


class Members(Body):
    text: Annotated[str, Field(max_length=200)] = ""
    role: str | None = None
    status: str | None = None


class Board(Body):
    state: str | None = None


class Invitee(Body):
    email: Annotated[str, Field(min_length=1, max_length=320)]
    role: str = "member"


class Invitations(Body):
    """With ``dry_run`` nobody is invited: the verdicts say what would happen."""

    invitations: Annotated[list[Invitee], Field(min_length=1, max_length=500)]
    message: Annotated[str, Field(max_length=1000)] = ""
    dry_run: bool = False


@get("/organizations", "The organizations I can reach, a page at a time")
def browse_organizations(actor: Actor, query: Browsing) -> organizations.Page:
    return organizations.browse(actor, wanted=query.filter(), sort=query.sort, after=query.after, limit=query.limit)


@get(_ONE, "One organization")
def get_organization(actor: Actor, organization_id: UUID) -> organizations.OrganizationView:
    return organizations.get(actor, organization_id=organization_id)


@get(_ONE + "/members", "The members of an organization")
def list_members(actor: Actor, organization_id: UUID, query: Members) -> list[Member]:
    found = organizations.members(actor, organization_id=organization_id, **query.model_dump())
    sets = ("permissions", "grant", "deny")
    return [Member.model_validate(asdict(one) | {name: sorted(getattr(one, name)) for name in sets}) for one in found]


@get(_ONE + "/invitations", "The invitations of an organization and what became of them")
def list_invitations(actor: Actor, organization_id: UUID, query: Board) -> tuple[organizations.InvitationView, ...]:
    return organizations.invitations(actor, organization_id=organization_id, state=query.state)


@post(_ONE + "/invitations", "Invite people, or say what inviting them would do")
def create_invitations(actor: Actor, organization_id: UUID, body: Invitations) -> tuple[organizations.Verdict, ...]:
    people = [organizations.Invitee(n, one.email, one.role) for n, one in enumerate(body.invitations, start=1)]
    if body.dry_run:
        return organizations.check_invitations(actor, organization_id=organization_id, people=people)
    return organizations.invite(actor, organization_id=organization_id, people=people, message=body.message)


@post(_ONE + "/invitations/{invitation_id:uuid}/resend", "Mail an invitation again, with a new link")
def resend_invitation(actor: Actor, organization_id: UUID, invitation_id: UUID) -> organizations.InvitationView:
    return organizations.resend_invitation(actor, organization_id=organization_id, invitation_id=invitation_id)


@post(_ONE + "/invitations/{invitation_id:uuid}/revoke", "Withdraw an invitation")
def revoke_invitation(actor: Actor, organization_id: UUID, invitation_id: UUID) -> organizations.InvitationView:
    return organizations.revoke_invitation(actor, organization_id=organization_id, invitation_id=invitation_id)


ENDPOINTS = (
    browse_organizations,
    get_organization,
    list_members,
    list_invitations,
    create_invitations,
    resend_invitation,
    revoke_invitation,
)
