"""What the audit log's own verbs leave in it."""

from __future__ import annotations

from uuid import UUID

from nexa_core import audit, db, organizations
from nexa_core.actions import Action
from nexa_core.audit import Filters
from tests.promises.audited_rows import Case, EndpointCase, Stage, reads

DOMAIN = audit
NO_VERBS = {
    "audit.grouped",
    "audit.seal_keys",
}


def _note(stage: Stage) -> None:
    with db.recording(stage.ada, Action.USER_SIGNED_IN) as transaction:
        audit.note(transaction, "user", stage.ada.user_id, {})


def _held(stage: Stage) -> None:
    audit.hold(stage.root, organization_id=stage.northwind, reason="a dispute")


def _renamed(stage: Stage) -> UUID:
    """The entry of a change that can be put back."""
    organizations.rename(stage.ada, name="Northwind & Daughters")
    return audit.recent(stage.ada, limit=1)[0].id


def _saved(stage: Stage) -> UUID:
    return audit.save_view(stage.ada, name="Renamings", filters=RENAMINGS).id


RENAMINGS = Filters(action="organization.renamed")
CASES: dict[str, Case] = {
    "audit.note": Case(lambda s, _: _note(s), (("user.signed_in", "user"),)),
    "audit.find": Case(lambda s, _: audit.find(s.ada, filters=RENAMINGS)),
    "audit.timeline": Case(lambda s, _: audit.timeline(s.root, "user", s.bob)),
    "audit.activity": Case(lambda s, _: audit.activity(s.ada)),
    "audit.people_named": Case(lambda s, _: audit.people_named(s.ada, text="bob")),
    "audit.organizations_named": Case(lambda s, _: audit.organizations_named(s.root, text="north")),
    "audit.names_in": Case(lambda s, _: audit.names_in(s.ada, filters=Filters(person=s.bob))),
    "audit.entry": Case(lambda s, entry: audit.entry(s.ada, entry_id=entry), (), _renamed),
    "audit.whole_value": Case(
        lambda s, entry: audit.whole_value(s.ada, entry_id=entry, path=("name",), after=True), (), _renamed
    ),
    "audit.plan": Case(lambda s, entry: audit.plan(s.ada, entry_id=entry), (), _renamed),
    "audit.apply": Case(
        lambda s, entry: audit.apply(s.ada, entry_id=entry, reason="by mistake"),
        (("audit.undone", "organization"),),
        _renamed,
    ),
    "audit.saved_views": Case(lambda s, _: audit.saved_views(s.ada)),
    "audit.save_view": Case(lambda s, _: _saved(s), (("audit_view.saved", "audit_view"),)),
    "audit.share_view": Case(
        lambda s, view: audit.share_view(s.ada, view_id=view, is_shared=True),
        (("audit_view.shared", "audit_view"),),
        _saved,
    ),
    "audit.remove_view": Case(
        lambda s, view: audit.remove_view(s.ada, view_id=view), (("audit_view.removed", "audit_view"),), _saved
    ),
    "audit.recent": Case(lambda s, _: audit.recent(s.ada)),
    "audit.chain_states": Case(lambda s, _: audit.chain_states(s.ada)),
    "audit.chain_totals": Case(lambda s, _: audit.chain_totals(s.ada)),
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
}
STATEMENTS: dict[str, list[tuple[str, str]]] = {
    "audit_views": [
        (
            "nexa_tenant",
            "INSERT INTO audit_views (organization_id, user_id, name) VALUES (%(org)s, %(me)s, 'Mine')",
        ),
        ("nexa_tenant", "UPDATE audit_views SET is_shared = true"),
    ],
    "audit_retentions": [
        ("nexa_staff", "INSERT INTO audit_retentions (organization_id, keep_months) VALUES (%(org)s, 24)"),
        ("nexa_staff", "UPDATE audit_retentions SET legal_hold = true"),
    ],
}
ENDPOINTS: dict[str, EndpointCase] = {
    "GET /audit/keys": reads("/api/audit/keys"),
    "GET /audit/verify_audit_export.py": reads("/api/audit/verify_audit_export.py"),
    "GET /audit/export.ndjson": reads("/api/audit/export.ndjson", ("audit.exported", "audit_log")),
    "GET /audit/export.csv": reads("/api/audit/export.csv", ("audit.exported", "audit_log")),
}
