"""What the audit log's own verbs leave in it."""

from __future__ import annotations

from nexa_core import audit, db
from nexa_core.actions import Action
from tests.promises.audited_rows import Case, EndpointCase, Stage, reads

DOMAIN = audit
NO_VERBS = {
    "audit.cursor",
    "audit.grouped",
    "audit.seal_keys",
}


def _note(stage: Stage) -> None:
    with db.recording(stage.ada, Action.USER_SIGNED_IN) as transaction:
        audit.note(transaction, "user", stage.ada.user_id, {})


def _held(stage: Stage) -> None:
    audit.hold(stage.root, organization_id=stage.northwind, reason="a dispute")


CASES: dict[str, Case] = {
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
