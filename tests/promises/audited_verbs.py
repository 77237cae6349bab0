"""Every verb of every domain, called once, and the entries it leaves: the table a new verb is added to.

A case says what is done before (which may leave entries of its own), what is called, and exactly which entries the call
leaves, as (action, resource type) in any order. A verb that only reads leaves none, and says so here too.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any
from uuid import UUID, uuid4

from nexa_core import accounts, audit, db, notifications, organizations, system, usage
from nexa_core.actions import Action
from nexa_core.actor import Actor, Origin
from tests.conftest import PASSWORD, World

DOMAINS: tuple[ModuleType, ...] = (organizations, accounts, usage, system, audit, notifications)
#: What a domain's front door holds besides verbs: no database, no actor.
NO_VERBS = {
    "accounts.device_label",
    "accounts.hash_password",
    "accounts.timezones",
    "audit.cursor",
    "audit.grouped",
    "audit.seal_keys",
    "organizations.as_json",
    "organizations.change_of_plan",
    "organizations.contrast_warnings",
    "organizations.ink_on",
    "organizations.is_color",
    "organizations.is_tax_id_checked",
    "organizations.limits_of",
    "organizations.subscription_of",
    "usage.charge",  # a step inside another verb
}
#: Verbs whose case is still to be written. The list may only get shorter: a verb that is new is not on it.
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
    "audit.entry",
    "audit.find",
    "audit.names_in",
    "audit.organizations_named",
    "audit.people_named",
    "audit.plan",
    "audit.remove_view",
    "audit.save_view",
    "audit.saved_views",
    "audit.share_view",
    "audit.timeline",
    "audit.whole_value",
    "organizations.accept_domain",
    "organizations.accept_invitation",
    "organizations.accept_invitation_with_password",
    "organizations.account_managers",
    "organizations.add_domain",
    "organizations.apply_batch",
    "organizations.approve_join",
    "organizations.batches",
    "organizations.blast_radius",
    "organizations.change_plan",
    "organizations.check_domain",
    "organizations.check_invitations",
    "organizations.check_slug",
    "organizations.consequences_of_deletion",
    "organizations.copy_invitation_link",
    "organizations.create",
    "organizations.decline_join",
    "organizations.delete",
    "organizations.domain_invitation",
    "organizations.domains",
    "organizations.explain_access",
    "organizations.export",
    "organizations.health",
    "organizations.invitations",
    "organizations.invite",
    "organizations.join_by_domain",
    "organizations.join_requests",
    "organizations.logo",
    "organizations.matching",
    "organizations.open_invitation",
    "organizations.preview_change",
    "organizations.preview_plan",
    "organizations.preview_undo",
    "organizations.recheck_domains",
    "organizations.remove_domain",
    "organizations.remove_to_personal_organization",
    "organizations.request_domain_join",
    "organizations.resend_invitation",
    "organizations.resources",
    "organizations.restore",
    "organizations.revoke_invitation",
    "organizations.set_joining",
    "organizations.set_permissions",
    "organizations.store_logo",
    "organizations.suggest_slug",
    "organizations.transfer_ownership",
    "organizations.undo_batch",
    "organizations.update_branding",
    "organizations.update_business",
    "organizations.update_limits",
    "organizations.update_profile",
    "organizations.update_subscription",
    "organizations.ways_out",
    "organizations.what_if",
}
#: Endpoints likewise.
OWED_ENDPOINTS = {
    "GET /organizations",
    "GET /organizations/export.csv",
    "GET /organizations/export.xlsx",
    "GET /organizations/{organization_id:uuid}",
    "GET /organizations/{organization_id:uuid}/invitations",
    "GET /organizations/{organization_id:uuid}/members",
    "GET /organizations/{organization_id}/logo/{digest}",
    "GET /people/{person_id}/export.zip",
    "POST /organizations/{organization_id:uuid}/invitations",
    "POST /organizations/{organization_id:uuid}/invitations/{invitation_id:uuid}/resend",
    "POST /organizations/{organization_id:uuid}/invitations/{invitation_id:uuid}/revoke",
}
#: Two names of one verb.
SYNONYMS = {"system.verify_audit": "audit.verify"}

ORIGIN = Origin(ip_address="203.0.113.7", user_agent="tests")
NEW_PASSWORD = "an entirely new phrase to remember"


@dataclass(frozen=True)
class Stage:
    """Who the cases are about: an owner signed in, an internal admin, and a member of two organizations."""

    world: World
    northwind: UUID
    ada: Actor
    root: Actor
    bob: UUID
    bobs_membership: UUID
    elsewhere: UUID

    @property
    def of_bob(self) -> dict[str, UUID]:
        return {"membership_id": self.bobs_membership, "organization_id": self.northwind}


def make_stage(world: World) -> Stage:
    northwind, elsewhere = world.organization("Northwind"), world.organization("Elsewhere")
    platform = world.organization("NEXA", is_platform=True)
    root = world.person("root@nexa.example", platform, role="owner")
    ada = world.person("ada@northwind.example", northwind, role="owner")
    bob = world.person("bob@northwind.example", northwind, role="member")
    world.person("eve@elsewhere.example", elsewhere, role="owner")
    world.membership(bob, elsewhere)
    admin = world.actor(root, platform, user_session_id=world.sign_in(root, platform))
    membership = next(m.id for m in organizations.members(admin, organization_id=northwind) if m.user_id == bob)
    living = world.sign_in(ada, northwind)
    return Stage(
        world, northwind, world.actor(ada, northwind, user_session_id=living), admin, bob, membership, elsewhere
    )


@dataclass(frozen=True)
class Case:
    """``call`` is given the stage and what ``before`` returned."""

    call: Callable[[Stage, Any], object]
    entries: tuple[tuple[str, str], ...] = ()
    before: Callable[[Stage], Any] = lambda stage: None


def _ticket(stage: Stage) -> str:
    return accounts.sign_in(ORIGIN, email="ada@northwind.example", password=PASSWORD).ticket


def _tokens(stage: Stage) -> accounts.TokenPair:
    return accounts.issue_tokens(ORIGIN, email="ada@northwind.example", password=PASSWORD)


def _cookie(stage: Stage) -> str:
    return accounts.open_browser_sign_in(ORIGIN, ticket=_ticket(stage)).cookie


def _demo_person(stage: Stage) -> None:
    stage.world.person("viewer@lumenfold.example", stage.world.organization("Lumenfold", is_demo=True), role="owner")


def _link(stage: Stage) -> str:
    with db.entering(ORIGIN) as transaction:
        link = accounts.recovery.new_link(transaction, user_id=stage.bob, organization_id=stage.northwind)
    return link.rpartition("=")[2]


def _mail(stage: Stage) -> UUID:
    with db.metering(stage.ada) as transaction:
        return _send(transaction, stage)


def _send(transaction: Any, stage: Stage) -> UUID:
    return notifications.send_mail(
        transaction, recipient="bob@northwind.example", subject="Hello", body="Bob", organization_id=stage.northwind
    )


def _send_by_itself(stage: Stage) -> None:
    with db.metering(stage.ada) as transaction:
        _send(transaction, stage)


def _note(stage: Stage) -> None:
    with db.recording(stage.ada, Action.USER_SIGNED_IN) as transaction:
        audit.note(transaction, "user", stage.ada.user_id, {})


def _profile(stage: Stage) -> object:
    return accounts.update_profile(
        stage.ada, first_name="Augusta", last_name="King", timezone="UTC", locale="en", avatar_url=None,
        notification_settings={},
    )  # fmt: skip


def _suspended_member(stage: Stage) -> None:
    organizations.suspend_member(stage.ada, reason="left", **stage.of_bob)


def _held(stage: Stage) -> None:
    audit.hold(stage.root, organization_id=stage.northwind, reason="a dispute")


SIGNED_IN = ("user.signed_in", "user_session")
CASES: dict[str, Case] = {
    "organizations.browse": Case(lambda s, _: organizations.browse(s.root)),
    "organizations.current": Case(lambda s, _: organizations.current(s.ada)),
    "organizations.get": Case(lambda s, _: organizations.get(s.root, organization_id=s.northwind)),
    "organizations.members": Case(lambda s, _: organizations.members(s.ada, organization_id=s.northwind)),
    "organizations.summary": Case(lambda s, _: organizations.summary(s.ada)),
    "organizations.rename": Case(
        lambda s, _: organizations.rename(s.ada, name="New"), (("organization.renamed", "organization"),)
    ),
    "organizations.suspend": Case(
        lambda s, _: organizations.suspend(s.root, organization_id=s.northwind, reason="unpaid"),
        (("organization.suspended", "organization"),),
    ),
    "organizations.resume": Case(
        lambda s, _: organizations.resume(s.root, organization_id=s.northwind, reason="paid"),
        (("organization.resumed", "organization"),),
        lambda s: organizations.suspend(s.root, organization_id=s.northwind, reason="unpaid"),
    ),
    "organizations.change_role": Case(
        lambda s, _: organizations.change_role(s.ada, role="viewer", **s.of_bob),
        (("membership.role_changed", "membership"),),
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
    "accounts.actor_of_access_token": Case(
        lambda s, pair: accounts.actor_of_access_token(ORIGIN, access_token=pair.access_token), (), _tokens
    ),
    "accounts.actor_of_cookie": Case(lambda s, cookie: accounts.actor_of_cookie(ORIGIN, cookie=cookie), (), _cookie),
    "accounts.actor_of_user_session": Case(
        lambda s, _: accounts.actor_of_user_session(ORIGIN, user_session_id=s.ada.user_session_id)  # type: ignore[arg-type]
    ),
    "accounts.living_user_sessions": Case(lambda s, _: accounts.living_user_sessions([s.ada.user_session_id])),  # type: ignore[list-item]
    "accounts.my_profile": Case(lambda s, _: accounts.my_profile(s.ada)),
    "accounts.my_organizations": Case(lambda s, _: accounts.my_organizations(s.ada)),
    "accounts.my_sign_ins": Case(lambda s, _: accounts.my_sign_ins(_signed_in_again(s)), ()),
    "accounts.sign_in": Case(lambda s, _: _ticket(s)),
    "accounts.sign_in_as_demo": Case(
        lambda s, _: accounts.sign_in_as_demo(ORIGIN, email="viewer@lumenfold.example"), (), _demo_person
    ),
    "accounts.open_browser_sign_in": Case(
        lambda s, ticket: accounts.open_browser_sign_in(ORIGIN, ticket=ticket), (SIGNED_IN,), _ticket
    ),
    "accounts.issue_tokens": Case(lambda s, _: _tokens(s), (SIGNED_IN,)),
    "accounts.refresh_tokens": Case(
        lambda s, pair: accounts.refresh_tokens(ORIGIN, refresh_token=pair.refresh_token), (), _tokens
    ),
    "accounts.sign_out": Case(lambda s, _: accounts.sign_out(s.ada), (("user.signed_out", "user_session"),)),
    "accounts.end_sign_in": Case(
        lambda s, other: accounts.end_sign_in(s.ada, user_session_id=other),
        (("sign_in.ended", "user_session"),),
        lambda s: s.world.sign_in(s.ada.user_id, s.northwind),  # type: ignore[arg-type]
    ),
    "accounts.end_other_sign_ins": Case(
        lambda s, _: accounts.end_other_sign_ins(s.ada),
        (("sign_in.ended", "user_session"),) * 2,
        lambda s: [s.world.sign_in(s.ada.user_id, s.northwind) for _ in range(2)],  # type: ignore[arg-type]
    ),
    "accounts.switch_organization": Case(
        lambda s, _: accounts.switch_organization(s.ada, organization_id=s.elsewhere),
        (("sign_in.switched", "user_session"),),
        lambda s: s.world.membership(s.ada.user_id, s.elsewhere),  # type: ignore[arg-type]
    ),
    "accounts.update_profile": Case(lambda s, _: _profile(s), (("user.profile_updated", "user"),)),
    "accounts.change_password": Case(
        lambda s, _: accounts.change_password(s.ada, current=PASSWORD, new=NEW_PASSWORD),
        (("user.password_changed", "user"),),
    ),
    "accounts.request_password_reset": Case(
        lambda s, _: accounts.request_password_reset(ORIGIN, email="bob@northwind.example"),
        (("user.password_reset_requested", "user"),),
    ),
    "accounts.set_password": Case(
        lambda s, token: accounts.set_password(ORIGIN, token=token, password=NEW_PASSWORD),
        (("user.password_reset", "user"),),
        _link,
    ),
    "accounts.unlock": Case(
        lambda s, _: accounts.unlock(s.root, user_id=s.bob), (("user.unlocked", "user"),), lambda s: _lock(s)
    ),
    "accounts.suspend_user": Case(
        lambda s, _: accounts.suspend_user(s.root, user_id=s.bob, reason="stolen"),
        (("user.suspended", "user"), ("user.suspended", "user_session")),
        lambda s: s.world.sign_in(s.bob, s.northwind),
    ),
    "accounts.resume_user": Case(
        lambda s, _: accounts.resume_user(s.root, user_id=s.bob, reason="found"),
        (("user.resumed", "user"),),
        lambda s: accounts.suspend_user(s.root, user_id=s.bob, reason="stolen"),
    ),
    "accounts.end_sign_ins_of": Case(
        lambda s, _: accounts.end_sign_ins_of(s.root, user_id=s.bob, reason="lost laptop"),
        (("sign_in.ended", "user_session"),),
        lambda s: s.world.sign_in(s.bob, s.northwind),
    ),
    "accounts.create_admin": Case(
        lambda s, _: accounts.create_admin("new@nexa.example"),
        (("user.created", "user"), ("user.created", "membership")),
    ),
    "accounts.purge": Case(
        lambda s, _: accounts.purge(), (("sign_in.purged", "user_session"),), lambda s: _long_ended_sign_in(s)
    ),
    "usage.record": Case(lambda s, _: usage.record(s.ada, [usage.UsageEvent("ai_call", uuid4().hex, credits=1)])),
    "system.check": Case(lambda s, _: system.check(s.root)),
    "system.overview": Case(lambda s, _: system.overview(s.root)),
    "system.readiness": Case(lambda s, _: system.readiness()),
    "audit.note": Case(lambda s, _: _note(s), (("user.signed_in", "user"),)),
    "audit.recent": Case(lambda s, _: audit.recent(s.ada)),
    "audit.chain_states": Case(lambda s, _: audit.chain_states(s.ada)),
    "audit.verify": Case(lambda s, _: audit.verify(s.root)),
    "audit.verify_due": Case(lambda s, _: audit.verify_due(s.root)),
    "audit.seal_heads": Case(lambda s, _: audit.seal_heads(s.root)),
    "audit.staff_access": Case(lambda s, _: audit.staff_access(s.ada)),
    "audit.export_entries": Case(
        lambda s, _: list(audit.export_entries(s.ada, file_format="csv")), (("audit.exported", "audit_log"),)
    ),
    "audit.retention": Case(lambda s, _: audit.retention(s.ada)),
    "audit.retentions": Case(lambda s, _: audit.retentions(s.root)),
    "audit.set_retention": Case(
        lambda s, _: audit.set_retention(s.root, organization_id=s.northwind, keep_months=24, reason="as agreed"),
        (("audit.retention_changed", "retention"),),
    ),
    "audit.hold": Case(lambda s, _: _held(s), (("audit.held", "retention"),)),
    "audit.release": Case(
        lambda s, _: audit.release(s.root, organization_id=s.northwind, reason="settled"),
        (("audit.released", "retention"),),
        _held,
    ),
    "audit.expire_old_entries": Case(lambda s, _: audit.expire_old_entries(s.root)),
    "notifications.send_mail": Case(lambda s, _: _send_by_itself(s)),
    "notifications.deliver": Case(lambda s, mail: notifications.deliver(s.root, message_id=mail), (), _mail),
    "notifications.waiting_mail": Case(lambda s, _: notifications.waiting_mail(s.root)),
}


def verbs() -> set[str]:
    """Every function of every domain's front door."""
    return {
        f"{domain.__name__.rpartition('.')[2]}.{name}"
        for domain in DOMAINS
        for name in domain.__all__
        if inspect.isfunction(getattr(domain, name))
    }


def _signed_in_again(stage: Stage) -> Actor:
    """Python has no date for the fixture's sign-in that never ends."""
    with stage.world.database.superuser() as connection, connection.transaction():
        stage.world.name_the_change(connection)
        connection.execute("UPDATE user_sessions SET expires_at = now() + interval '1 day'")
    return stage.ada


def _lock(stage: Stage) -> None:
    with stage.world.database.superuser() as connection, connection.transaction():
        stage.world.name_the_change(connection)
        connection.execute("UPDATE users SET locked_until = now() + interval '1 hour' WHERE id = %s", [stage.bob])


def _long_ended_sign_in(stage: Stage) -> None:
    living = stage.world.sign_in(stage.bob, stage.northwind)
    with stage.world.database.superuser() as connection, connection.transaction():
        stage.world.name_the_change(connection)
        connection.execute("UPDATE user_sessions SET expires_at = now() - interval '1 year' WHERE id = %s", [living])
