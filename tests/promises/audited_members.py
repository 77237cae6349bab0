"""What the verbs of members and their invitations leave in the audit log."""

from __future__ import annotations

from uuid import UUID

from nexa_core import organizations
from tests.promises.audited_rows import (
    NEW_PASSWORD,
    ORIGIN,
    Case,
    EndpointCase,
    Stage,
    bearer,
    reads,
)

NAMES = {"first_name": "Kim", "last_name": "Lee", "password": NEW_PASSWORD}


def _suspended_member(stage: Stage) -> None:
    organizations.suspend_member(stage.ada, reason="left", **stage.of_bob)


def _invited(stage: Stage, email: str = "kim@new.example") -> UUID:
    (verdict,) = organizations.invite(stage.ada, organization_id=stage.northwind, people=email)
    assert verdict.invitation_id
    return verdict.invitation_id


def _link(stage: Stage, email: str = "kim@new.example") -> str:
    """The token of a link that was handed over."""
    invitation = {"organization_id": stage.northwind, "invitation_id": _invited(stage, email)}
    return organizations.copy_invitation_link(stage.ada, **invitation).rpartition("=")[2]


def _mailed_link(stage: Stage) -> str:
    """The token of a link that came by mail, so that its use proves the address too."""
    _invited(stage, "eve@elsewhere.example")
    with stage.world.database.superuser() as connection:
        row = connection.execute("SELECT link FROM outbox_messages WHERE link LIKE '%/invitation?%'").fetchone()
    assert row
    return str(row[0]).rpartition("=")[2]


def _of(stage: Stage, invitation: UUID) -> dict[str, UUID]:
    return {"organization_id": stage.northwind, "invitation_id": invitation}


def _accepted(stage: Stage, token: str) -> None:
    eve = stage.world.actor(stage.eve, stage.elsewhere)
    organizations.accept_invitation(eve, token=token)


CASES: dict[str, Case] = {
    "organizations.members": Case(lambda s, _: organizations.members(s.ada, organization_id=s.northwind)),
    "organizations.change_role": Case(
        lambda s, _: organizations.change_role(s.ada, role="viewer", **s.of_bob),
        (("membership.role_changed", "membership"),),
    ),
    "organizations.set_permissions": Case(
        lambda s, _: organizations.set_permissions(
            s.ada, grant=["members.read"], deny=["sessions.write"], reason="a trainee", **s.of_bob
        ),
        (("membership.permissions_changed", "membership"),),
    ),
    "organizations.suspend_member": Case(lambda s, _: _suspended_member(s), (("membership.suspended", "membership"),)),
    "organizations.resume_member": Case(
        lambda s, _: organizations.resume_member(s.ada, reason="back", **s.of_bob),
        (("membership.resumed", "membership"),),
        _suspended_member,
    ),
    "organizations.remove_member": Case(
        lambda s, _: organizations.remove_member(s.ada, reason="gone", **s.of_bob),
        (("membership.removed", "membership"),),
    ),
    "organizations.ways_out": Case(lambda s, _: organizations.ways_out(s.ada, **s.of_bob)),
    "organizations.transfer_ownership": Case(
        lambda s, _: organizations.transfer_ownership(
            s.ada, from_membership_id=s.adas_membership, to_membership_id=s.bobs_membership,
            organization_id=s.northwind, reason="retired",
        ),
        (("membership.ownership_transferred", "membership"),) * 2,
    ),
    # A new organization with its owner, and the membership that ends.
    "organizations.remove_to_personal_organization": Case(
        lambda s, _: organizations.remove_to_personal_organization(s.ada, reason="gone", **s.of_bob),
        (("membership.sent_home", "organization"), ("membership.sent_home", "membership"),
         ("membership.sent_home", "membership")),
    ),
    "organizations.invitations": Case(lambda s, _: organizations.invitations(s.ada, organization_id=s.northwind)),
    "organizations.check_invitations": Case(
        lambda s, _: organizations.check_invitations(s.ada, organization_id=s.northwind, people="kim@new.example")
    ),
    "organizations.invite": Case(
        lambda s, _: _invited(s), (("invitation.sent", "user"), ("invitation.sent", "membership"))
    ),
    "organizations.resend_invitation": Case(
        lambda s, invitation: organizations.resend_invitation(s.ada, **_of(s, invitation)),
        (("invitation.resent", "membership"),),
        _invited,
    ),
    "organizations.copy_invitation_link": Case(
        lambda s, invitation: organizations.copy_invitation_link(s.ada, **_of(s, invitation)),
        (("invitation.link_copied", "membership"),),
        _invited,
    ),
    "organizations.revoke_invitation": Case(
        lambda s, invitation: organizations.revoke_invitation(s.ada, **_of(s, invitation)),
        (("invitation.revoked", "membership"),),
        _invited,
    ),
    "organizations.open_invitation": Case(
        lambda s, token: organizations.open_invitation(ORIGIN, token=token),
        (("invitation.opened", "membership"),),
        _link,
    ),
    "organizations.accept_invitation": Case(
        lambda s, token: _accepted(s, token),
        (("invitation.accepted", "membership"), ("invitation.accepted", "user")),
        _mailed_link,
    ),
    "organizations.accept_invitation_with_password": Case(
        lambda s, token: organizations.accept_invitation_with_password(ORIGIN, token=token, **NAMES),
        (("invitation.accepted", "membership"), ("invitation.accepted", "user")),
        _link,
    ),
}  # fmt: skip
STATEMENTS: dict[str, list[tuple[str, str]]] = {
    "organization_memberships": [
        (
            "nexa_staff",
            "INSERT INTO organization_memberships (user_id, organization_id) SELECT id, %(org)s FROM users"
            " WHERE email = 'root@nexa.example'",
        ),
        ("nexa_tenant", "UPDATE organization_memberships SET role = 'viewer' WHERE user_id = %(bob)s"),
        ("nexa_tenant", "DELETE FROM organization_memberships WHERE user_id = %(bob)s"),
    ],
}
_HERE = "/organizations/{organization_id:uuid}"
_ONE = _HERE + "/invitations/{invitation_id:uuid}"


def _asks(tail: str, action: str) -> EndpointCase:
    """The case of a POST to one invitation by its organization's owner."""
    return EndpointCase(
        lambda client, stage, given: client.post(
            f"/api/organizations/{stage.northwind}/invitations/{given[0]}/{tail}", headers=given[1]
        ),
        ((action, "membership"),),
        lambda stage: (_invited(stage), bearer(stage)),
    )


ENDPOINTS: dict[str, EndpointCase] = {
    f"GET {_HERE}/members": reads("/api/organizations/{northwind}/members"),
    f"GET {_HERE}/invitations": reads("/api/organizations/{northwind}/invitations"),
    f"POST {_HERE}/invitations": EndpointCase(
        lambda client, stage, header: client.post(
            f"/api/organizations/{stage.northwind}/invitations",
            json={"invitations": [{"email": "kim@new.example"}]},
            headers=header,
        ),
        (("invitation.sent", "user"), ("invitation.sent", "membership")),
        bearer,
    ),
    f"POST {_ONE}/resend": _asks("resend", "invitation.resent"),
    f"POST {_ONE}/revoke": _asks("revoke", "invitation.revoked"),
}
