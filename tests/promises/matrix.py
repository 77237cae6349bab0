"""Who may do what, where: a row for every verb that takes an actor and for every route; a missing one turns it red.

A new verb gets a row in VERBS: how it is called at a place, and who may there. ``own`` names who may in the actor's own
organization, ``other`` who may in somebody else's; ``strangers`` is what everybody else gets there. A new route gets a
row in ROUTES that names its verb: it has to answer as the verb does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from nexa_core import accounts, audit, organizations, system
from nexa_core.actor import Actor

ACTORS = (
    "anonymous", "pending", "suspended", "viewer", "billing", "member", "admin", "owner", "ex-member",
    "account manager", "internal admin",
)  # fmt: skip
PLACES = ("own", "other", "deleted")

ADMIN = frozenset({"internal admin"})
PLATFORM = frozenset({"account manager", "internal admin"})
MANAGE = frozenset({"admin", "owner"}) | ADMIN
MEMBERS = frozenset({"member", "admin", "owner"}) | PLATFORM
READ = MEMBERS | {"viewer", "billing"}
#: Who has a sign-in at all; an ex-member is at home in another organization by now.
SIGNED_IN = READ | {"ex-member"}
NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Place:
    """One organization, seen from an actor; each has a viewer, a suspended member and an open invitation."""

    organization: UUID
    slug: str
    owner: UUID
    viewer: UUID
    paused: UUID
    invitation: UUID
    token: str
    person: UUID
    email: str
    sign_in: UUID


Expect = Callable[[str, str], str | None]
Seen = Callable[[Any, str, str, Place, Any], None]


@dataclass(frozen=True)
class Row:
    """``may`` outcomes are anything but a refusal to this actor; ``everywhere`` marks a verb that is about no place."""

    call: Callable[[Actor, Place], Any]
    own: frozenset[str] = NOBODY
    other: frozenset[str] = NOBODY
    strangers: str = "hidden"
    everywhere: bool = False
    expect: Expect | None = None
    check: Seen | None = None

    def expected(self, who: str, where: str) -> str | None:
        """What this actor gets there; None where the question cannot arise."""
        if self.expect is not None:
            return self.expect(who, where)
        if self.everywhere:
            return ("may" if who in self.own else "forbidden") if where == "own" else None
        at_home = where == "own" and who != "ex-member"
        if who in (self.own if at_home else self.other):
            return "may"
        return "forbidden" if at_home or who in PLATFORM else self.strangers


def _own_account(who: str, where: str) -> str | None:
    """Verbs about oneself ask for no permission; who has no sign-in never becomes an actor."""
    if where != "own" or who in ("pending", "suspended"):
        return None
    return "nobody" if who == "anonymous" else "may"


def _switching(who: str, where: str) -> str | None:
    if who in ("pending", "suspended"):
        return None
    if who == "anonymous":
        return "nobody"
    return "may" if where == "own" and who != "ex-member" else "hidden"


def _never(outcome: str, *, deleted: str | None = None) -> Expect:
    """A verb that is about the caller's own thing, asked about somebody else's."""

    def expect(who: str, where: str) -> str | None:
        if who in ("pending", "suspended"):
            return None
        if who == "anonymous":
            return "nobody"
        return deleted if deleted and where == "deleted" else outcome

    return expect


def _log(who: str, where: str) -> str:
    return "ok" if who in MANAGE else "forbidden"


def _only_ones_own_log(stage: Any, who: str, where: str, place: Place, found: Any) -> None:
    if where != "own" and who not in PLATFORM:
        assert found == ()


def _all_members(stage: Any, who: str, where: str, place: Place, found: Any) -> None:
    rows = stage.ids("SELECT id FROM organization_memberships WHERE organization_id = %s", place.organization)
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


REASON = "because the matrix asks"
NAMES: dict[str, Any] = {
    "first_name": "Kim", "last_name": "", "timezone": "UTC", "locale": "en", "avatar_url": None,
    "notification_settings": {},
}  # fmt: skip


def _member(verb: Callable[..., Any], which: str = "viewer", **more: Any) -> Callable[[Actor, Place], Any]:
    def call(actor: Actor, place: Place) -> Any:
        return verb(actor, membership_id=getattr(place, which), organization_id=place.organization, **more)

    return call


def _here(verb: Callable[..., Any], **more: Any) -> Callable[[Actor, Place], Any]:
    return lambda actor, place: verb(actor, organization_id=place.organization, **more)


def _asked(verb: Callable[..., Any], **more: Any) -> Callable[[Actor, Place], Any]:
    return lambda actor, place: verb(actor, organization_id=place.organization, email=place.email, **more)


def _invitation(verb: Callable[..., Any]) -> Callable[[Actor, Place], Any]:
    return lambda actor, place: verb(actor, organization_id=place.organization, invitation_id=place.invitation)


def _account(verb: Callable[..., Any]) -> Row:
    more = {} if verb is accounts.unlock else {"reason": REASON}
    return Row(
        lambda actor, place: verb(actor, user_id=place.person, **more),
        own=ADMIN, other=ADMIN, strangers="forbidden",
    )  # fmt: skip


def _mine(call: Callable[[Actor, Place], Any]) -> Row:
    return Row(call, expect=_own_account)


def _members(call: Callable[[Actor, Place], Any], check: Seen | None = None) -> Row:
    return Row(call, own=MEMBERS, other=PLATFORM, check=check)


def _manage(call: Callable[[Actor, Place], Any], own: frozenset[str] = MANAGE) -> Row:
    return Row(call, own=own, other=ADMIN)


def _platform(call: Callable[[Actor, Place], Any], own: frozenset[str] = ADMIN, check: Seen | None = None) -> Row:
    return Row(call, own=own, everywhere=True, check=check)


O = organizations  # noqa: E741  the subject of nearly every line

VERBS: dict[str, Row] = {
    "organizations.browse": _platform(lambda a, _: O.browse(a), PLATFORM, _all_customers),
    "organizations.current": _platform(lambda a, _: O.current(a), SIGNED_IN),
    "organizations.summary": _platform(lambda a, _: O.summary(a), SIGNED_IN, _what_is_reached),
    "organizations.get": Row(_here(O.get), own=READ, other=PLATFORM),
    "organizations.rename": _manage(_here(O.rename, name="Renamed")),
    "organizations.suspend": Row(_here(O.suspend, reason=REASON), ADMIN, ADMIN, "forbidden"),
    "organizations.resume": Row(_here(O.resume, reason=REASON), ADMIN, ADMIN, "forbidden"),
    "organizations.check_slug": _platform(lambda a, _: O.check_slug(a, slug="fresh")),
    "organizations.suggest_slug": _platform(lambda a, _: O.suggest_slug(a, name="Fresh")),
    "organizations.create": _platform(
        lambda a, _: O.create(a, name="Fresh", slug="fresh", plan="free", owner_email=f"{uuid4().hex}@fresh.example")
    ),
    "organizations.members": _members(_here(O.members), _all_members),
    "organizations.change_role": _manage(_member(O.change_role, role="member")),
    "organizations.set_permissions": _manage(
        _member(O.set_permissions, grant=["members.read"], deny=[], reason=REASON)
    ),
    "organizations.suspend_member": _manage(_member(O.suspend_member, reason=REASON)),
    "organizations.resume_member": _manage(_member(O.resume_member, "paused", reason=REASON)),
    "organizations.remove_member": _manage(_member(O.remove_member, reason=REASON)),
    "organizations.remove_to_personal_organization": _manage(_member(O.remove_to_personal_organization, reason=REASON)),
    "organizations.ways_out": _manage(_member(O.ways_out)),
    "organizations.transfer_ownership": _manage(
        lambda a, p: O.transfer_ownership(
            a,
            from_membership_id=p.owner,
            to_membership_id=p.viewer,
            organization_id=p.organization,
            reason=REASON,
        ),
        own=frozenset({"owner"}) | ADMIN,
    ),
    "organizations.explain_access": _members(_asked(O.explain_access, permission="sessions.read")),
    "organizations.what_if": _members(_asked(O.what_if, role="admin")),
    "organizations.resources": _members(_here(O.resources)),
    "organizations.invitations": _members(_here(O.invitations), _all_invitations),
    "organizations.check_invitations": _manage(_here(O.check_invitations, people="kim@new.example")),
    "organizations.invite": _manage(_here(O.invite, people="kim@new.example")),
    "organizations.resend_invitation": _manage(_invitation(O.resend_invitation)),
    "organizations.copy_invitation_link": _manage(_invitation(O.copy_invitation_link)),
    "organizations.revoke_invitation": _manage(_invitation(O.revoke_invitation)),
    "organizations.accept_invitation": Row(
        lambda a, p: O.accept_invitation(a, token=p.token), expect=_never("forbidden", deleted="invalid")
    ),
    "accounts.my_profile": _mine(lambda a, _: accounts.my_profile(a)),
    "accounts.update_profile": _mine(lambda a, _: accounts.update_profile(a, **NAMES)),
    "accounts.my_sign_ins": _mine(lambda a, _: accounts.my_sign_ins(a)),
    "accounts.my_organizations": _mine(lambda a, _: accounts.my_organizations(a)),
    "accounts.sign_out": _mine(lambda a, _: accounts.sign_out(a)),
    "accounts.end_other_sign_ins": _mine(lambda a, _: accounts.end_other_sign_ins(a)),
    "accounts.change_password": _mine(
        lambda a, _: accounts.change_password(a, current="not the one", new="a quiet walk along the harbour")
    ),
    "accounts.end_sign_in": Row(
        lambda a, p: accounts.end_sign_in(a, user_session_id=p.sign_in), expect=_never("hidden")
    ),
    "accounts.switch_organization": Row(_here(accounts.switch_organization), expect=_switching),
    "accounts.unlock": _account(accounts.unlock),
    "accounts.suspend_user": _account(accounts.suspend_user),
    "accounts.resume_user": _account(accounts.resume_user),
    "accounts.end_sign_ins_of": _account(accounts.end_sign_ins_of),
    "audit.recent": Row(_here(audit.recent), expect=_log, check=_only_ones_own_log),
    "audit.verify": Row(lambda a, _: audit.verify(a), expect=_log),
    "system.check": _platform(lambda a, _: system.check(a)),
    "system.overview": _platform(lambda a, _: system.overview(a)),
    "system.verify_audit": Row(lambda a, _: system.verify_audit(a), expect=_log),
}


@dataclass(frozen=True)
class Route:
    """A route answers as its verb does, and 401 to whoever has no sign-in; ``public`` says why it asks for none."""

    verb: str = ""
    path: Callable[[Place], str] = lambda _: ""
    body: dict[str, Any] | None = None
    public: str = ""


_ONE = "/organizations/{organization_id:uuid}"
_INVITATION = _ONE + "/invitations/{invitation_id:uuid}"


def _at(tail: str = "") -> Callable[[Place], str]:
    return lambda place: f"/organizations/{place.organization}{tail.format(invitation=place.invitation)}"


ROUTES: dict[str, Route] = {
    "POST /auth/cookie": Route(public="the ticket is the proof"),
    "POST /auth/sign-out": Route(public="ends what the cookie names, if anything"),
    "POST /auth/token": Route(public="the password is the proof"),
    "POST /auth/refresh": Route(public="the refresh token is the proof"),
    "GET /healthz": Route(public="says only that the program runs"),
    "GET /readyz": Route(public="says only whether it can serve"),
    "GET /metrics": Route("system.overview", lambda _: "/metrics"),
    "GET /openapi.json": Route(public="a description without data"),
    "POST /auth/logout": Route("accounts.sign_out", lambda _: "/auth/logout"),
    "GET /me": Route("accounts.my_profile", lambda _: "/me"),
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

#: Verbs whose row is still to be written. The list may only get shorter: a verb that is new is not on it.
OWED = {
    "accounts.certificate",
    "accounts.delete_user",
    "accounts.end_sign_in_of",
    "accounts.erase_person",
    "accounts.export_person",
    "accounts.find_people",
    "accounts.person",
    "accounts.plan_erasure",
    "accounts.restore_user",
    "accounts.send_reset_link",
    "accounts.stop_viewing",
    "accounts.view_as",
    "audit.activity",
    "audit.apply",
    "audit.chain_states",
    "audit.entry",
    "audit.expire_old_entries",
    "audit.export_entries",
    "audit.find",
    "audit.hold",
    "audit.names_in",
    "audit.organizations_named",
    "audit.people_named",
    "audit.plan",
    "audit.release",
    "audit.remove_view",
    "audit.retention",
    "audit.retentions",
    "audit.save_view",
    "audit.saved_views",
    "audit.seal_heads",
    "audit.set_retention",
    "audit.share_view",
    "audit.staff_access",
    "audit.timeline",
    "audit.verify_due",
    "audit.whole_value",
    "organizations.accept_domain",
    "organizations.account_managers",
    "organizations.add_domain",
    "organizations.apply_batch",
    "organizations.approve_join",
    "organizations.batches",
    "organizations.blast_radius",
    "organizations.change_plan",
    "organizations.check_domain",
    "organizations.consequences_of_deletion",
    "organizations.decline_join",
    "organizations.delete",
    "organizations.domains",
    "organizations.export",
    "organizations.health",
    "organizations.join_requests",
    "organizations.logo",
    "organizations.matching",
    "organizations.preview_change",
    "organizations.preview_plan",
    "organizations.preview_undo",
    "organizations.recheck_domains",
    "organizations.remove_domain",
    "organizations.restore",
    "organizations.set_joining",
    "organizations.store_logo",
    "organizations.undo_batch",
    "organizations.update_branding",
    "organizations.update_business",
    "organizations.update_limits",
    "organizations.update_profile",
    "organizations.update_subscription",
}

#: Routes likewise.
OWED_ROUTES = {
    "GET /audit/export.csv",
    "GET /audit/export.ndjson",
    "GET /audit/keys",
    "GET /audit/verify_audit_export.py",
    "GET /organizations/export.csv",
    "GET /organizations/export.xlsx",
    "GET /organizations/{organization_id}/logo/{digest}",
    "GET /people/{person_id}/export.zip",
}
