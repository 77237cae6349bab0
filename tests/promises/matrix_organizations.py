"""Who may do what with organizations, their members, invitations and domains."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from nexa_core import organizations as O  # noqa: N812  the subject of every line
from nexa_core.actor import Actor
from tests.promises.matrix_rows import (
    ADMIN,
    MANAGE,
    PLATFORM,
    READ,
    REASON,
    SIGNED_IN,
    Place,
    Route,
    Row,
    admins,
    here,
    manage,
    members,
    never,
    platform,
)

PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="4" height="4"/></svg>'


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


def _customers(stage: Any) -> set[UUID]:
    found: set[UUID] = stage.ids("SELECT id FROM organizations WHERE status <> 'deleted' AND NOT is_platform")
    return found


def _all_customers(stage: Any, who: str, where: str, place: Place, found: Any) -> None:
    assert {one.id for one in found.items} == _customers(stage) and len(found.items) == len(_customers(stage))


def _what_is_reached(stage: Any, who: str, where: str, place: Place, found: Any) -> None:
    assert found.organizations == (len(_customers(stage)) if who in PLATFORM else 1)


def _all_matching(stage: Any, who: str, where: str, place: Place, found: Any) -> None:
    assert len(found) == len(set(found)) and set(found) == _customers(stage)


def _all_exported(stage: Any, who: str, where: str, place: Place, found: Any) -> None:
    rows = list(csv.DictReader(io.StringIO(found.decode("utf-8-sig"))))
    assert sorted(row["Slug"] for row in rows) == sorted(
        stage.ids("SELECT slug FROM organizations WHERE status <> 'deleted' AND NOT is_platform")
    )


def _all_account_managers(stage: Any, who: str, where: str, place: Place, found: Any) -> None:
    assert {one.id for one in found} == stage.ids(
        "SELECT user_id FROM organization_members WHERE is_platform AND role <> 'viewer' AND user_status = 'active'"
    )


def _all_batches(stage: Any, who: str, where: str, place: Place, found: Any) -> None:
    assert {one.id for one in found} == stage.ids("SELECT request_id FROM audit_logs WHERE resource_type = 'batch'")


def _all_domains(stage: Any, who: str, where: str, place: Place, found: Any) -> None:
    rows = stage.ids("SELECT id FROM organization_domains WHERE organization_id = %s", place.organization)
    assert {one.id for one in found} == rows and len(found) == len(rows) == 2


def _all_waiting(stage: Any, who: str, where: str, place: Place, found: Any) -> None:
    assert [one.membership_id for one in found] == [place.waiting]


def _member(verb: Callable[..., Any], which: str = "viewer", **more: Any) -> Callable[[Actor, Place], Any]:
    def call(actor: Actor, place: Place) -> Any:
        return verb(actor, membership_id=getattr(place, which), organization_id=place.organization, **more)

    return call


def _asked(verb: Callable[..., Any], **more: Any) -> Callable[[Actor, Place], Any]:
    return lambda actor, place: verb(actor, organization_id=place.organization, email=place.email, **more)


def _invitation(verb: Callable[..., Any]) -> Callable[[Actor, Place], Any]:
    return lambda actor, place: verb(actor, organization_id=place.organization, invitation_id=place.invitation)


def _domain(verb: Callable[..., Any], which: str = "domain", **more: Any) -> Callable[[Actor, Place], Any]:
    return lambda actor, place: verb(actor, organization_id=place.organization, domain_id=getattr(place, which), **more)


def _staff(verb: Callable[..., Any], **more: Any) -> Row:
    """What only internal admins do to organizations, their platform's own included."""
    return admins(here(verb, **more))


def _export(actor: Actor, place: Place) -> bytes:
    with O.export(actor, wanted=O.Filter()) as file:
        return file.read()


def _customers_alone(who: str, where: str) -> str:
    """An internal admin's own organization is the platform's, which is no customer."""
    return ("hidden" if where == "own" else "may") if who in ADMIN else "forbidden"


def _preview(place: Place) -> O.Preview:
    return O.Preview("account_manager", (O.Target(place.organization, place.slug, place.slug, None, None),))


def _health(actor: Actor, place: Place) -> Any:
    own = replace(Actor.system(), organization_id=place.organization)
    return O.health(actor, organization=O.get(own, organization_id=place.organization))


def _business(actor: Actor, place: Place) -> Any:
    return O.update_business(
        actor, organization_id=place.organization, address={}, tax_id="", billing_email="", time_zone="UTC"
    )


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
    "organizations.accept_domain": admins(_domain(O.accept_domain, reason=REASON)),
    "organizations.accept_invitation": Row(
        lambda a, p: O.accept_invitation(a, token=p.token),
        expect=never("forbidden", deleted="invalid", viewing="forbidden"),
    ),
    "organizations.account_managers": platform(lambda a, _: O.account_managers(a), PLATFORM, _all_account_managers),
    "organizations.matching": platform(lambda a, _: O.matching(a, O.Filter()), PLATFORM, _all_matching),
    "organizations.export": platform(_export, PLATFORM, _all_exported),
    "organizations.preview_change": admins(
        lambda a, p: O.preview_change(a, kind="suspend", organization_ids=[p.organization])
    ),
    "organizations.apply_batch": admins(lambda a, p: O.apply_batch(a, preview=_preview(p), reason=REASON)),
    "organizations.batches": platform(lambda a, _: O.batches(a, limit=100), ADMIN, _all_batches),
    "organizations.preview_undo": admins(lambda a, p: O.preview_undo(a, batch_id=p.batch)),
    "organizations.undo_batch": admins(lambda a, p: O.undo_batch(a, batch_id=p.batch, reason=REASON)),
    "organizations.health": Row(_health, own=READ, other=PLATFORM),
    "organizations.update_profile": manage(
        lambda a, p: O.update_profile(a, organization_id=p.organization, name="Renamed", slug=p.slug)
    ),
    "organizations.update_branding": manage(here(O.update_branding, logo_url=None, brand_colors={})),
    "organizations.update_business": manage(_business, own=frozenset({"billing", "owner"}) | PLATFORM),
    "organizations.store_logo": manage(here(O.store_logo, content=PICTURE)),
    "organizations.logo": Row(
        lambda a, p: O.logo(a, organization_id=p.organization, digest=p.logo), own=READ, other=PLATFORM
    ),
    "organizations.preview_plan": _staff(O.preview_plan, plan="starter"),
    "organizations.change_plan": _staff(O.change_plan, plan="starter", expected="professional", reason=REASON),
    "organizations.update_subscription": _staff(
        O.update_subscription,
        status="active",
        trial_ends_on=None,
        renews_on=None,
        seats=50,
        contract_notes="",
        reason=REASON,
    ),
    "organizations.set_tags": Row(
        here(O.set_tags, tags=["key account"]),
        expect=lambda who, where: ("hidden" if where == "own" else "may") if who in PLATFORM else "forbidden",
    ),
    "organizations.update_limits": _staff(
        O.update_limits, monthly_credits=9_000, seats=50, hard=True, event_limits={}, features={}, reason=REASON
    ),
    "organizations.watch_limits": _staff(O.watch_limits, watching=True, reason=REASON),
    "organizations.consequences_of_deletion": Row(here(O.consequences_of_deletion), expect=_customers_alone),
    "organizations.delete": admins(
        lambda a, p: O.delete(a, organization_id=p.organization, confirmation=p.slug, reason=REASON)
    ),
    "organizations.restore": _staff(O.restore, reason=REASON),
    "organizations.api_keys": Row(here(O.api_keys), own=READ, other=PLATFORM),
    "organizations.create_api_key": manage(here(O.create_api_key, name="Of the matrix")),
    "organizations.revoke_api_key": Row(
        here(O.revoke_api_key, key_id=uuid4()),
        expect=lambda who, where: (
            "hidden"  # there is no such key, or no such organization for this actor
            if who in MANAGE or who == "ex-member" or (where != "own" and who != "account manager")
            else "forbidden"
        ),
    ),
    "organizations.domains": Row(here(O.domains), own=READ, other=PLATFORM, check=_all_domains),
    "organizations.add_domain": manage(here(O.add_domain, domain="newly-claimed.example")),
    "organizations.check_domain": manage(_domain(O.check_domain)),
    "organizations.remove_domain": manage(_domain(O.remove_domain)),
    "organizations.recheck_domains": platform(lambda a, _: O.recheck_domains(a)),
    "organizations.blast_radius": manage(_domain(O.blast_radius, "proven")),
    "organizations.joining_roles": manage(here(O.joining_roles)),
    "organizations.set_joining": manage(_domain(O.set_joining, "proven", enabled=True)),
    "organizations.join_requests": Row(here(O.join_requests), own=MANAGE, other=ADMIN, check=_all_waiting),
    "organizations.approve_join": manage(_member(O.approve_join, "waiting")),
    "organizations.decline_join": manage(_member(O.decline_join, "waiting", reason=REASON)),
}

_ONE = "/organizations/{organization_id:uuid}"
_INVITATION = _ONE + "/invitations/{invitation_id:uuid}"


def _at(tail: str = "") -> Callable[[Place], str]:
    return lambda place: f"/organizations/{place.organization}{tail.format(invitation=place.invitation)}"


ROUTES: dict[str, Route] = {
    "GET /organizations": Route("organizations.browse", lambda _: "/organizations", listed="items"),
    "GET /organizations/export.csv": Route("organizations.export", lambda _: "/organizations/export.csv"),
    "GET /organizations/export.xlsx": Route("organizations.export", lambda _: "/organizations/export.xlsx"),
    "GET /organizations/{organization_id}/logo/{digest}": Route(
        "organizations.logo", lambda place: f"/organizations/{place.organization}/logo/{place.logo}"
    ),
    f"GET {_ONE}": Route("organizations.get", _at()),
    f"GET {_ONE}/members": Route("organizations.members", _at("/members"), listed=""),
    f"GET {_ONE}/invitations": Route("organizations.invitations", _at("/invitations"), listed=""),
    f"POST {_ONE}/invitations": Route(
        "organizations.invite", _at("/invitations"), {"invitations": [{"email": "kim@new.example"}]}
    ),
    f"POST {_INVITATION}/resend": Route("organizations.resend_invitation", _at("/invitations/{invitation}/resend")),
    f"POST {_INVITATION}/revoke": Route("organizations.revoke_invitation", _at("/invitations/{invitation}/revoke")),
}
