"""Every verb of every domain, called once, and the entries it leaves: the tables of all domains as one.

A new domain writes a table of its own (``audited_rows`` says how) and is named in ``TABLES``. A verb that only reads
leaves no entry, and its table says so.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from types import ModuleType
from typing import Any

from tests.promises import (
    audited_accounts,
    audited_architecture_sessions,
    audited_audit,
    audited_notifications,
    audited_organizations,
    audited_system,
    audited_usage,
)
from tests.promises.audited_rows import Case, EndpointCase

TABLES: tuple[ModuleType, ...] = (
    audited_accounts,
    audited_architecture_sessions,
    audited_audit,
    audited_notifications,
    audited_organizations,
    audited_system,
    audited_usage,
)


def _together(name: str) -> dict[str, Any]:
    """What the tables hold under a name; nothing may stand in two of them."""
    together: dict[str, Any] = {}
    for table in TABLES:
        own = getattr(table, name, {})
        assert not together.keys() & own.keys(), f"{table.__name__} says again what another table says"
        together |= own
    return together


CASES: dict[str, Case] = _together("CASES")
ENDPOINTS: dict[str, EndpointCase] = _together("ENDPOINTS")
STATEMENTS: dict[str, list[tuple[str, str]]] = _together("STATEMENTS")
BEFORE: dict[str, str] = _together("BEFORE")
SYNONYMS: dict[str, str] = _together("SYNONYMS")
NO_VERBS: set[str] = set().union(*(getattr(table, "NO_VERBS", ()) for table in TABLES))
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


def verbs() -> set[str]:
    """Every function of every domain's front door."""
    return {
        f"{domain.__name__.rpartition('.')[2]}.{name}"
        for domain in {table.DOMAIN for table in TABLES if hasattr(table, "DOMAIN")}
        for name in _front_door(domain)
        if inspect.isfunction(getattr(domain, name))
    }


def _front_door(domain: ModuleType) -> Iterable[str]:
    return getattr(domain, "__all__", ())
