"""Who may do what, where: a row for every verb that takes an actor and for every route; a missing one turns it red.

A new verb gets a row in the VERBS of its domain's table, ``matrix_<domain>.py``, a new route one in its ROUTES that
names its verb: it has to answer as the verb does. A new domain gets a table, and its line in DOMAINS.
"""

from __future__ import annotations

from types import ModuleType

from nexa_core import accounts, audit, organizations, system
from tests.promises import matrix_accounts, matrix_audit, matrix_organizations, matrix_system
from tests.promises.matrix_rows import Route, Row

#: Whose verbs have to be in which table.
DOMAINS: dict[ModuleType, ModuleType] = {
    accounts: matrix_accounts,
    audit: matrix_audit,
    organizations: matrix_organizations,
    system: matrix_system,
}

VERBS: dict[str, Row] = {verb: row for table in DOMAINS.values() for verb, row in table.VERBS.items()}
ROUTES: dict[str, Route] = {name: route for table in DOMAINS.values() for name, route in table.ROUTES.items()}

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
