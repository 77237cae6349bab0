"""Who may do what with organizations, their members, invitations and domains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from nexa_core import organizations
from nexa_core.actor import Actor
from tests.promises.matrix_rows import (
    ADMIN,
    PLATFORM,
    READ,
    REASON,
    SIGNED_IN,
    Place,
    Route,
    Row,
    here,
    manage,
    members,
    never,
    platform,
)


def _all_members(stage: Any, who: str, where: str, place: Place, found: Any) -> None:
    rows = stage.ids(
        "SELECT m.id FROM organization_memberships m JOIN users u ON u.id = m.user_id"
        " WHERE m.organization_id = %s AND u.deleted_at IS NULL",
        place.organization,
    )
    assert {one.id for one in found} == rows and len(found) == len(rows)


def _all_invitations(stage: Any, who: str, where: str, place: Place, found: Any) -> None:
    rows = stage.ids(
        "SELECT id FROM organization_memberships WHERE organization_id = %s AND invited_at IS NOT NULL",
        place.organization,
    )
    assert {one.id for one in found} == rows and len(found) == len(rows)


def _all_customers(stage: Any, who: str, where: str, place: Place, found: Any) -> None:
    assert {one.id for one in found.items} == stage.ids(
        "SELECT id FROM organizations WHERE status <> 'deleted' AND NOT is_platform"
    )


def _what_is_reached(stage: Any, who: str, where: str, place: Place, found: Any) -> None:
    everything = stage.ids("SELECT id FROM organizations WHERE status <> 'deleted' AND NOT is_platform")
    assert found.organizations == (len(everything) if who in PLATFORM else 1)


def _member(verb: Callable[..., Any], which: str = "viewer", **more: Any) -> Callable[[Actor, Place], Any]:
    def call(actor: Actor, place: Place) -> Any:
        return verb(actor, membership_id=getattr(place, which), organization_id=place.organization, **more)

    return call


def _asked(verb: Callable[..., Any], **more: Any) -> Callable[[Actor, Place], Any]:
    return lambda actor, place: verb(actor, organization_id=place.organization, email=place.email, **more)


def _invitation(verb: Callable[..., Any]) -> Callable[[Actor, Place], Any]:
    return lambda actor, place: verb(actor, organization_id=place.organization, invitation_id=place.invitation)


O = organizations  # noqa: E741  the subject of every line

VERBS: dict[str, Row] = {
    "organizations.browse": platform(lambda a, _: O.browse(a), PLATFORM, _all_customers),
    "organizations.current": platform(lambda a, _: O.current(a), SIGNED_IN),
    "organizations.summary": platform(lambda a, _: O.summary(a), SIGNED_IN, _what_is_reached),
    "organizations.get": Row(here(O.get), own=READ, other=PLATFORM),
    "organizations.rename": manage(here(O.rename, name="Renamed")),
    "organizations.suspend": Row(here(O.suspend, reason=REASON), ADMIN, ADMIN, "forbidden"),
    "organizations.resume": Row(here(O.resume, reason=REASON), ADMIN, ADMIN, "forbidden"),
    "organizations.check_slug": platform(lambda a, _: O.check_slug(a, slug="fresh")),
    "organizations.suggest_slug": platform(lambda a, _: O.suggest_slug(a, name="Fresh")),
    "organizations.create": platform(
        lambda a, _: O.create(a, name="Fresh", slug="fresh", plan="free", owner_email=f"{uuid4().hex}@fresh.example")
    ),
    "organizations.members": members(here(O.members), _all_members),
    "organizations.change_role": manage(_member(O.change_role, role="member")),
    "organizations.set_permissions": manage(_member(O.set_permissions, grant=["members.read"], deny=[], reason=REASON)),
    "organizations.suspend_member": manage(_member(O.suspend_member, reason=REASON)),
    "organizations.resume_member": manage(_member(O.resume_member, "paused", reason=REASON)),
    "organizations.remove_member": manage(_member(O.remove_member, reason=REASON)),
    "organizations.remove_to_personal_organization": manage(_member(O.remove_to_personal_organization, reason=REASON)),
    "organizations.ways_out": manage(_member(O.ways_out)),
    "organizations.transfer_ownership": manage(
        lambda a, p: O.transfer_ownership(
            a,
            from_membership_id=p.owner,
            to_membership_id=p.viewer,
            organization_id=p.organization,
            reason=REASON,
        ),
        own=frozenset({"owner"}) | ADMIN,
    ),
    "organizations.explain_access": members(_asked(O.explain_access, permission="sessions.read")),
    "organizations.what_if": members(_asked(O.what_if, role="admin")),
    "organizations.resources": members(here(O.resources)),
    "organizations.invitations": members(here(O.invitations), _all_invitations),
    "organizations.check_invitations": manage(here(O.check_invitations, people="kim@new.example")),
    "organizations.invite": manage(here(O.invite, people="kim@new.example")),
    "organizations.resend_invitation": manage(_invitation(O.resend_invitation)),
    "organizations.copy_invitation_link": manage(_invitation(O.copy_invitation_link)),
    "organizations.revoke_invitation": manage(_invitation(O.revoke_invitation)),
    "organizations.accept_invitation": Row(
        lambda a, p: O.accept_invitation(a, token=p.token),
        expect=never("forbidden", deleted="invalid"),
    ),
}

_ONE = "/organizations/{organization_id:uuid}"
_INVITATION = _ONE + "/invitations/{invitation_id:uuid}"


def _at(tail: str = "") -> Callable[[Place], str]:
    return lambda place: f"/organizations/{place.organization}{tail.format(invitation=place.invitation)}"


ROUTES: dict[str, Route] = {
    "GET /organizations": Route("organizations.browse", lambda _: "/organizations"),
    f"GET {_ONE}": Route("organizations.get", _at()),
    f"GET {_ONE}/members": Route("organizations.members", _at("/members")),
    f"GET {_ONE}/invitations": Route("organizations.invitations", _at("/invitations")),
    f"POST {_ONE}/invitations": Route(
        "organizations.invite", _at("/invitations"), {"invitations": [{"email": "kim@new.example"}]}
    ),
    f"POST {_INVITATION}/resend": Route("organizations.resend_invitation", _at("/invitations/{invitation}/resend")),
    f"POST {_INVITATION}/revoke": Route("organizations.revoke_invitation", _at("/invitations/{invitation}/revoke")),
}
